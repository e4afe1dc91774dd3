"""What `settings.py` says about Placet."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from django.conf import settings
from django.utils.module_loading import import_string

from placet.web.withdrawals import Hook


def policy_path() -> Path:
    """Return where the policy file is: `PLACET_POLICY`, by default `placet.toml` in `BASE_DIR`."""
    base = Path(getattr(settings, "BASE_DIR", "."))
    return base / getattr(settings, "PLACET_POLICY", "placet.toml")


def hooks() -> Mapping[str, Hook]:
    """Return the functions of `PLACET_ON_WITHDRAWAL`, by purpose; raises ImportError where one is missing."""
    named: Mapping[str, str | Hook] = getattr(settings, "PLACET_ON_WITHDRAWAL", {})
    return {
        purpose: import_string(hook) if isinstance(hook, str) else hook for purpose, hook in named.items()
    }
