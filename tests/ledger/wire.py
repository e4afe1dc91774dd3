"""A wire between a store and its PostgreSQL that can be cut or fall silent at the worst moment."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

_SOCKET = ".s.PGSQL.5432"


class Wire:
    """Passes everything on, until it is told otherwise."""

    def __init__(self, listener: socket.socket, server: Path, address: str) -> None:
        self.address = address
        self._listener = listener
        self._server = server
        self._silent = threading.Event()
        self._last_words: bytes | None = None
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []

    def fall_silent(self) -> None:
        """From now on no answer arrives, and nobody is told."""
        self._silent.set()

    def cut_before(self, answer: bytes) -> None:
        """Cut the connection on which this answer comes next, once, before it arrives."""
        self._last_words = answer

    def carry(self) -> None:
        """Take connections until the listener is closed."""
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            server.connect(str(self._server / _SOCKET))
            self._sockets += client, server
            for source, target, answers in ((client, server, False), (server, client, True)):
                thread = threading.Thread(target=self._pass_on, args=(source, target, answers))
                thread.start()
                self._threads.append(thread)

    def close(self) -> None:
        for each in self._sockets:
            _cut(each)
        for thread in self._threads:
            thread.join()
        for each in self._sockets:
            each.close()

    def _pass_on(self, source: socket.socket, target: socket.socket, answers: bool) -> None:
        with suppress(OSError):
            while data := source.recv(65_536):
                if answers and self._silent.is_set():
                    continue
                if answers and self._last_words is not None and self._last_words in data:
                    self._last_words = None
                    break
                target.sendall(data)
        if not self._silent.is_set():
            _cut(target)
            _cut(source)


@contextmanager
def wire(address: str, directory: Path) -> Iterator[Wire]:
    """Lay a wire to the database at this address, whose socket lies in a directory."""
    before, _, server = address.partition("?host=")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(directory / _SOCKET))
        listener.listen()
        laid = Wire(
            listener, Path(server.replace("%2F", "/")), f"{before}?host={quote(str(directory), safe='')}"
        )
        carrier = threading.Thread(target=laid.carry)
        carrier.start()
        try:
            yield laid
        finally:
            _cut(listener)
            carrier.join()
            laid.close()


def _cut(one: socket.socket) -> None:
    with suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
