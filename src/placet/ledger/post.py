"""What is said to others over HTTP: one POST, and an answer that is neither followed, nor long, nor late."""

import http.client
import time
from collections.abc import Callable
from urllib.request import (
    HTTPHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
    UnknownHandler,
)

from placet.errors import PlacetError

Post = Callable[[str, str, bytes, float], tuple[int, bytes]]
"""Posts to an address, as a content type, a body, with a time-out; returns the status and the answer."""

MAX_ANSWER_BYTES = 1_000_000


class NoAnswer(PlacetError):
    """Somebody who was asked did not answer in time, or not in HTTP."""


def post(url: str, kind: str, body: bytes, timeout: float) -> tuple[int, bytes]:
    """Return the status and the body of the answer; raises NoAnswer.

    `timeout` is in seconds, for each wait and for the answer as a whole.
    """
    until = time.monotonic() + timeout
    try:
        request = Request(url, body, {"Content-Type": kind})  # noqa: S310 (see `_opener`)
        with _OPENER.open(request, timeout=timeout) as answer:
            return int(answer.status), _read(answer, until)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise NoAnswer(f"{url}: {error or type(error).__name__}") from error


def _opener() -> OpenerDirector:
    """Return what opens http and https, and nothing else, through the proxies that the environment names.

    Every status is an answer, and a redirection is not followed: the operator decides who is asked.
    """
    opener = OpenerDirector()
    for handler in (ProxyHandler(), HTTPHandler(), HTTPSHandler(), UnknownHandler()):
        opener.add_handler(handler)
    return opener


_OPENER = _opener()


def _read(answer: http.client.HTTPResponse, until: float) -> bytes:
    body = b""
    while part := answer.read1(65_536):
        body += part
        if len(body) > MAX_ANSWER_BYTES:
            raise ValueError(f"the answer has more than {MAX_ANSWER_BYTES} bytes")
        if time.monotonic() > until:
            raise TimeoutError("the answer takes too long")
    if answer.length:
        raise http.client.IncompleteRead(body, answer.length)
    return body
