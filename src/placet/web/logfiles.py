"""The log's published files, for anyone: checkpoint, tiles, time stamps, and who signs."""

from __future__ import annotations

import logging
from hashlib import sha256

from starlette.responses import PlainTextResponse, Response
from starlette.types import Scope

from placet.ledger.published import CHECKPOINT, Directory, Unreadable

log = logging.getLogger("placet.web")

EVERYBODY = {  # a verifier may be a page of any site, and gets the same bytes as all others
    "access-control-allow-origin": "*",
    "cross-origin-resource-policy": "cross-origin",
    "x-content-type-options": "nosniff",
}
FRESH = "public, max-age=1"
FOR_A_WHILE = "public, max-age=3600"
FOR_EVER = "public, max-age=31536000, immutable"


class LogFiles:
    """Answers under `<prefix>log/`, the same for everybody: of all heads it reads `If-None-Match`."""

    def __init__(self, directory: Directory, prefix: str, policy: str) -> None:
        """Take the directory that is published, the prefix, and what `log/policy` says."""
        self._directory = directory
        self._at = f"{prefix}log/"
        self._policy = policy.encode()

    def owns(self, path: str) -> bool:
        """Say whether the path is an address of the log."""
        return path.startswith(self._at)

    def answer(self, scope: Scope) -> Response:
        """Return the response to a request for one of its addresses."""
        if scope["method"] not in ("GET", "HEAD"):
            return PlainTextResponse("GET or HEAD.\n", 405, {**EVERYBODY, "allow": "GET, HEAD"})
        try:
            found = self._find(scope["path"][len(self._at) :])
        except Unreadable as problem:
            log.error("a file of the log cannot be served: %s", problem)  # noqa: TRY400
            headers = {**EVERYBODY, "cache-control": "no-store"}
            return PlainTextResponse("The file cannot be read now.\n", 503, headers)
        if found is None:
            return PlainTextResponse(
                "The log has no such file.\n", 404, {**EVERYBODY, "cache-control": FRESH}
            )
        content, kind, keeping = found
        tag = f'"{sha256(content).hexdigest()[:32]}"'
        headers = {**EVERYBODY, "cache-control": keeping, "etag": tag}
        if _names(dict(scope["headers"]).get(b"if-none-match", b""), tag.encode()):
            return Response(status_code=304, headers=headers)
        return Response(content, 200, headers, kind)

    def _find(self, name: str) -> tuple[bytes, str, str] | None:
        """Return a file's content, its media type and how long it may be kept; None if there is none."""
        if name == "policy":
            return self._policy, "text/plain", FOR_A_WHILE
        content = self._directory.read(name)
        if content is None:
            return None
        if name == CHECKPOINT:
            return content, "text/plain", FRESH
        return content, "application/octet-stream", FOR_EVER


def _names(wanted: bytes, tag: bytes) -> bool:
    """Say whether `If-None-Match` names the tag (RFC 9110 section 13.1.2)."""
    tags = [each.strip().removeprefix(b"W/") for each in wanted.split(b",")]
    return tag in tags or tags == [b"*"]
