"""FastAPI: `Depends(requires("social"))`, a `Visitor` for endpoints, and the 403 in the OpenAPI document.

app = FastAPI()
protect(app, "placet.toml")

@app.get("/shares", dependencies=[Depends(requires("social"))])
async def shares(consent: Visitor) -> list[str]: ...
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends, FastAPI, HTTPException, Request, Response
from fastapi.openapi.models import APIKey
from fastapi.security.base import SecurityBase
from starlette.requests import HTTPConnection
from starlette.routing import BaseRoute, Host, Mount
from starlette.types import ASGIApp

from placet.config import Config
from placet.consent.policyfile import COOKIE
from placet.web.asgi import ConsentMiddleware
from placet.web.gates import NO_STORE, Consent, consent_of, refusal
from placet.web.withdrawals import Hook

_SCHEME = "placet: "


def _visitor(connection: HTTPConnection) -> Consent:
    return consent_of(connection)


Visitor = Annotated[Consent, Depends(_visitor)]
"""What the visitor granted, as a parameter of an endpoint or of another dependency."""


class Refused(HTTPException):
    """The visitor has not granted what the endpoint needs: a 403 in their words."""

    def __init__(self, consent: Consent, name: str) -> None:
        """Take the consent, and the name of the feature or purpose that it does not have."""
        super().__init__(403, consent.explain(name).striptags(), dict(NO_STORE))
        self.consent = consent
        self.name = name


class Requirement(SecurityBase):
    """A dependency that lets an endpoint run only where the feature, or else the purpose, is granted."""

    def __init__(self, name: str) -> None:
        """Take the name that the policy has for it."""
        self.name = name
        self.scheme_name = f"{_SCHEME}{name}"
        self.model = APIKey.model_validate({"in": "cookie", "name": COOKIE})

    def __call__(self, request: Request) -> Consent:
        """Return the visitor's consent; raises `Refused` where it is not enough."""
        consent = consent_of(request)
        if not consent.permits(self.name):
            raise Refused(consent, self.name)
        return consent


def requires(name: str) -> Requirement:
    """Return the dependency for a feature or a purpose, as `Depends` takes it."""
    return Requirement(name)


def protect(
    app: FastAPI,
    policy: str | Path | Config = "placet.toml",
    *,
    on_withdrawal: Mapping[str, Hook] | None = None,
) -> None:
    """Put the five locks around the application, and its refusals into its OpenAPI document.

    They stand outside of every middleware, also of what answers for an endpoint that fails, and the same
    holds for the applications that are mounted in it.
    """
    build = app.build_middleware_stack
    _introduce(app)

    def build_within_the_locks() -> ASGIApp:
        for mounted in set(_mounted(app.routes)):  # now, for they may come after this call
            _introduce(mounted)
        return ConsentMiddleware(build(), policy, on_withdrawal=on_withdrawal)

    app.build_middleware_stack = build_within_the_locks  # type: ignore[method-assign]


def _mounted(routes: Iterable[BaseRoute]) -> Iterator[FastAPI]:
    """Yield the FastAPI applications that are mounted, at whatever depth."""
    for route in routes:
        if isinstance(route, Mount | Host):
            if isinstance(route.app, FastAPI):
                yield route.app
            yield from _mounted(route.routes)


def _introduce(app: FastAPI) -> None:
    """Teach an application to answer a refusal, and to tell of it in its document."""
    app.add_exception_handler(Refused, _answer)
    written = app.openapi

    def openapi() -> dict[str, Any]:
        first = app.openapi_schema is None
        document = written()
        if first:
            _describe(document)
        return document

    app.openapi = openapi  # type: ignore[method-assign]


async def _answer(request: Request, refused: Exception) -> Response:
    assert isinstance(refused, Refused)  # noqa: S101 - as the handler was registered
    body, media_type = refusal(refused.consent, refused.name, request.headers.get("accept"))
    return Response(body, 403, NO_STORE, media_type)


def _describe(document: dict[str, Any]) -> None:
    """Say in the document where a 403 may come; FastAPI has listed there what each endpoint requires."""
    for operation in (one for path in document["paths"].values() for one in path.values()):
        required = operation.get("security", [])
        names = sorted({name.removeprefix(_SCHEME) for one in required for name in one if _is_ours(name)})
        if names:
            wanted = " and ".join(f"“{name}”" for name in names)
            operation["responses"].setdefault("403", _response(f"The visitor has not granted {wanted}."))
            _replace(operation, "security", [one for one in required if not any(map(_is_ours, one))])
    components = document.get("components", {})
    schemes = components.get("securitySchemes", {})
    _replace(components, "securitySchemes", {n: one for n, one in schemes.items() if not _is_ours(n)})
    _replace(document, "components", components)


def _is_ours(scheme: str) -> bool:
    return scheme.startswith(_SCHEME)


def _replace(holder: dict[str, Any], key: str, value: Any) -> None:
    holder.pop(key, None)
    if value:
        holder[key] = value


def _response(description: str) -> dict[str, Any]:
    schema = {"type": "object", "required": ["detail"], "properties": {"detail": {"type": "string"}}}
    return {"description": description, "content": {"application/json": {"schema": schema}}}
