"""The trackers of a site that never asked itself the question: cookies on every page, and two counters."""

from __future__ import annotations

import secrets
from datetime import UTC, date, datetime, timedelta

from starlette.datastructures import MutableHeaders
from starlette.requests import Request, cookie_parser
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .consent import consent_of

DAY = 86_400
GIF = bytes.fromhex("47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b")

# Name, attributes. The agency, the advertiser and the A/B tool each had a line added here over the years.
COOKIES = (
    ("ad_id", f"Path=/; Max-Age={390 * DAY}; SameSite=Lax"),
    ("ad_seg", f"Path=/; Max-Age={90 * DAY}; HttpOnly; SameSite=Lax"),
    ("ad_zone", f"Path=/article; Max-Age={30 * DAY}; SameSite=Lax"),
    ("ca_parent", f"Domain=courrier.localhost; Path=/; Max-Age={390 * DAY}; SameSite=Lax"),
    ("ab_profile", f"Path=/; Max-Age={730 * DAY}; HttpOnly; SameSite=Lax"),
    ("mystery", f"Path=/; Max-Age={365 * DAY}; SameSite=Lax"),
)


class CarelessCookies:
    """Sets every tracking cookie on every page, keeping the value the visitor came with."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        known = cookies_of(scope)

        async def with_cookies(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if message["status"] == 304 or headers.get("content-type", "").startswith("text/html"):
                    for name, attributes in COOKIES:
                        value = known.get(name) or f"{name[:2]}.{secrets.token_hex(8)}"
                        headers.append("set-cookie", f"{name}={value}; {attributes}")
            await send(message)

        await self._app(scope, receive, with_cookies)


def cookies_of(scope: Scope) -> dict[str, str]:
    """The cookies a request carries."""
    lines = [value.decode("latin-1") for name, value in scope["headers"] if name == b"cookie"]
    return cookie_parser("; ".join(lines))


async def collect(request: Request) -> Response:
    """The analytics tool behind an address of our own, so that blockers do not see it. Needs consent."""
    request.app.state.collected.append((await request.body())[:2000].decode("utf-8", "replace"))
    return Response(status_code=204)


async def count(request: Request) -> Response:
    """Counts a page view without recognising anyone. Exempt from consent, open to objection.

    The cookie holds two dates, the first visit and the last: enough to tell a visit from a page view, too
    little to follow a person. It ends thirteen months after the first visit, however often one comes back.
    """
    answer = Response(GIF, media_type="image/gif", headers={"Cache-Control": "no-store"})
    if not consent_of(request).allows("audience"):
        return answer
    today = datetime.now(UTC).date()
    first, last = visit_dates(request.cookies.get("audience", ""), today)
    page = request.query_params.get("page", "/")[:200]
    request.app.state.store.count_visit(today.isoformat(), page, last != today)
    left = first + timedelta(days=395) - today
    answer.set_cookie(
        "audience", f"{first}.{today}", max_age=left.days * DAY, path="/", httponly=True, samesite="lax"
    )
    return answer


def visit_dates(value: str, today: date) -> tuple[date, date | None]:
    """The first and the last visit that the cookie tells of; today and None where it tells nothing."""
    try:
        first, last = (date.fromisoformat(part) for part in value.split("."))
    except ValueError:
        return today, None
    return (first, last) if today - timedelta(days=395) < first <= today else (today, None)
