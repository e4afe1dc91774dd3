"""What is wrong with Placet's set-up, told by `manage.py check` and before the server starts."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

from placet.config import read_config
from placet.errors import OperatorError, PolicyError

from .settings import hooks, policy_path

MIDDLEWARE = "placet.web.integrations.django.middleware.ConsentMiddleware"


@register("placet")
def check_policy(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Return each problem of the policy file, under its number: `placet.P004`."""
    try:
        config = read_config(policy_path())
    except PolicyError as error:
        return [_error(problem) for problem in error.problems]
    except OperatorError as error:
        return [_error(str(error))]
    try:
        unknown = [purpose for purpose in hooks() if purpose not in config.policy.purposes]
    except ImportError as error:
        return [Error(f"PLACET_ON_WITHDRAWAL: {error}", id="placet.D001")]
    return [
        Error(f'PLACET_ON_WITHDRAWAL: the policy has no purpose "{name}".', id="placet.D002")
        for name in unknown
    ]


@register("placet")
def check_middleware(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Return a warning where something would read or set cookies outside of the locks."""
    listed = list(settings.MIDDLEWARE)
    if MIDDLEWARE not in listed:
        return [
            Error("Placet's middleware is not in MIDDLEWARE.", hint=f'Add "{MIDDLEWARE}".', id="placet.D003")
        ]
    if listed[0] != MIDDLEWARE:
        before = ", ".join(listed[: listed.index(MIDDLEWARE)])
        return [
            Warning(
                f"Before Placet's middleware stand others, whose cookies and pages pass no lock: {before}.",
                hint="Make it the first of MIDDLEWARE.",
                id="placet.D004",
            )
        ]
    return []


def _error(problem: str) -> Error:
    number, _, text = problem.partition(" ")
    return Error(text, id=f"placet.{number}")
