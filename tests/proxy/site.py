"""The site behind, as a raw server: it writes down what it was sent, and answers as a test says."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\r\nok\n"


@dataclass(frozen=True)
class Asked:
    """One request as it arrived, its body without its framing."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> list[str]:
        return [value for known, value in self.headers if known == name]


class Conversation:
    """One connection, read strictly: whatever a proxy sends here has to be beyond doubt."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self._buffer = b""

    def until(self, end: bytes) -> bytes:
        while end not in self._buffer:
            self._more()
        found, _, self._buffer = self._buffer.partition(end)
        return found

    def exactly(self, count: int) -> bytes:
        while len(self._buffer) < count:
            self._more()
        found, self._buffer = self._buffer[:count], self._buffer[count:]
        return found

    def _more(self) -> None:
        data = self.connection.recv(65_536)
        if not data:
            raise EOFError
        self._buffer += data

    def head(self) -> tuple[str, tuple[tuple[str, str], ...]]:
        first, *lines = self.until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        headers = []
        for line in lines:
            name, colon, value = line.partition(": ")
            assert colon, line
            assert name == name.strip(), line
            headers.append((name.lower(), value))
        return first, tuple(headers)

    def body(self, headers: tuple[tuple[str, str], ...]) -> bytes:
        named = [(name, value) for name, value in headers if name in ("content-length", "transfer-encoding")]
        assert len(named) <= 1, named
        if not named:
            return b""
        name, value = named[0]
        if name == "content-length":
            return self.exactly(int(value))
        assert value == "chunked"
        body = b""
        while size := int(self.until(b"\r\n"), 16):
            body += self.exactly(size)
            assert self.exactly(2) == b"\r\n"
        assert self.exactly(2) == b"\r\n"
        return body


Answer = Callable[[Asked, socket.socket], None]


def ok(asked: Asked, connection: socket.socket) -> None:
    connection.sendall(OK[: -len("ok\n")] if asked.method == "HEAD" else OK)


class Site:
    """What it was asked, and how it answers: `answer` may be set by a test."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.address = f"http://127.0.0.1:{port}"
        self.asked: list[Asked] = []
        self.faults: list[str] = []
        self.gone = threading.Semaphore(0)  # released for each connection that ended
        self.answer: Answer = ok
        self.tls: ssl.SSLContext | None = None  # for the connections that come from now on
        self.connections: list[socket.socket] = []

    def leave(self) -> None:
        """Close all connections."""
        for connection in self.connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self.connections.clear()

    def converse(self, connection: socket.socket) -> None:
        conversation = Conversation(connection)
        try:
            with connection:
                while True:
                    first, headers = conversation.head()
                    method, target, version = first.split(" ")
                    assert version in ("HTTP/1.1", "HTTP/1.0")
                    asked = Asked(method, target, headers, conversation.body(headers))
                    self.asked.append(asked)
                    self.answer(asked, connection)
        except (EOFError, OSError):
            pass
        except (AssertionError, ValueError) as fault:
            self.faults.append(repr(fault))
        finally:
            self.gone.release()


@contextmanager
def site() -> Iterator[Site]:
    """Run such a site on a free port."""
    with socket.create_server(("127.0.0.1", 0), backlog=4_096) as listener:
        found = Site(listener.getsockname()[1])
        threads: list[threading.Thread] = []

        def accept() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                if found.tls is not None:  # the handshake is made by who reads first
                    connection = found.tls.wrap_socket(connection, True, do_handshake_on_connect=False)
                found.connections.append(connection)
                threads.append(threading.Thread(target=found.converse, args=(connection,), daemon=True))
                threads[-1].start()

        accepting = threading.Thread(target=accept, daemon=True)
        accepting.start()
        try:
            yield found
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            accepting.join()
            found.leave()
            for thread in threads:
                thread.join(10)
    assert found.faults == []
