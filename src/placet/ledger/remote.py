"""A published log read over HTTP, by whoever checks it from elsewhere."""

import http.client
import re
import time
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from placet.ledger.note import MAX_NOTE_BYTES
from placet.ledger.published import Directory, Unreadable, most_bytes


class Remote:
    """A log's files at an http or https address, read over one connection that is kept open.

    Nothing is followed elsewhere, and nothing is read that is longer than such a file can be. `timeout` is in
    seconds, for each wait and for each file as a whole. For one thread. Raises Unreadable for an address that
    is none.
    """

    def __init__(self, url: str, *, timeout: float = 10.0) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise Unreadable(f"{url!r} is not the http or https address of a log")
        self._url = url.rstrip("/")
        self._path = parts.path.rstrip("/")
        self._timeout = timeout
        secure = parts.scheme == "https"
        kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        try:
            self._connection = kind(parts.hostname, parts.port, timeout=timeout)
        except ValueError as error:
            raise Unreadable(f"{url!r}: {error}") from error

    def __str__(self) -> str:
        return self._url

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; a later call opens it again."""
        self._connection.close()

    def read(self, path: str) -> bytes | None:
        """Return the file, or None if the server says that there is none (404 or 410); raises Unreadable."""
        most = most_bytes(path)
        if most is None:
            return None
        kept_open = self._connection.sock is not None
        try:
            try:
                return self._get(path, most)
            except (http.client.RemoteDisconnected, ConnectionError):
                # A server may close what is idle at the moment in which it is used again.
                self._connection.close()
                if not kept_open:
                    raise
                return self._get(path, most)
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            raise Unreadable(f"{self._url}/{path}: {error or type(error).__name__}") from error
        except BaseException:
            self._connection.close()
            raise

    def _get(self, path: str, most: int) -> bytes | None:
        until = time.monotonic() + self._timeout
        self._connection.request("GET", f"{self._path}/{path}", headers={"Accept-Encoding": "identity"})
        response = self._connection.getresponse()
        missing = response.status in (404, 410)
        if response.status != 200 and not missing:
            raise Unreadable(f"{self._url}/{path}: the server answered {response.status}")
        if response.getheader("Content-Encoding", "identity").lower() != "identity":
            raise Unreadable(f"{self._url}/{path}: the server sent it in an encoding nobody asked for")
        parts: list[bytes] = []
        length = 0
        while part := response.read1(65_536):
            parts.append(part)
            length += len(part)
            if length > (most if not missing else MAX_NOTE_BYTES):
                raise Unreadable(f"{self._url}/{path}: is longer than the {most} bytes it may have")
            if time.monotonic() > until:
                raise Unreadable(f"{self._url}/{path}: took more than {self._timeout} seconds")
        if response.length:
            raise Unreadable(f"{self._url}/{path}: ended {response.length} bytes too early")
        response.close()  # what was read with read1 is not known to be over; the connection stays open
        return None if missing else b"".join(parts)


def open_source(where: str | Path) -> Directory | Remote:
    """Return the log at the address, or in the directory; raises Unreadable for an address that is none."""
    if isinstance(where, str) and re.match(r"https?://", where, re.IGNORECASE):
        return Remote(where)
    return Directory(where)
