"""Content codings of pages: decoded before the markup lock, encoded behind it (RFC 9110 section 8.4)."""

from __future__ import annotations

import zlib
from typing import Protocol

try:
    import brotli
except ImportError:  # the `brotli` extra is not installed
    brotli = None


class Coding(Protocol):
    """One coding, both ways, for one response."""

    def decode(self, data: bytes) -> bytes:
        """Return what more can be decoded."""

    def encode(self, data: bytes) -> bytes:
        """Return what more can be encoded."""

    def finish(self) -> bytes:
        """Return the encoded end."""


class Identity:
    """No coding at all."""

    def decode(self, data: bytes) -> bytes:
        """Return the data."""
        return data

    def encode(self, data: bytes) -> bytes:
        """Return the data."""
        return data

    def finish(self) -> bytes:
        """Return nothing."""
        return b""


class Zlib:
    """gzip and deflate."""

    def __init__(self, window: int) -> None:
        """Take zlib's window bits: 31 for gzip, 15 for deflate."""
        self._decoder = zlib.decompressobj(47)  # either header
        self._encoder = zlib.compressobj(5, zlib.DEFLATED, window)

    def decode(self, data: bytes) -> bytes:
        """Return what more can be decoded; raises `zlib.error` for data that is not in the coding."""
        return self._decoder.decompress(data)

    def encode(self, data: bytes) -> bytes:
        """Return what is ready, flushed, so that a streamed page is not held up."""
        return self._encoder.compress(data) + self._encoder.flush(zlib.Z_SYNC_FLUSH)

    def finish(self) -> bytes:
        """Return the end of the stream."""
        return self._encoder.flush()


class Brotli:
    """br (RFC 7932), where the `brotli` extra is installed."""

    def __init__(self) -> None:
        """Start both directions."""
        self._decoder = brotli.Decompressor()
        self._encoder = brotli.Compressor(quality=4)

    def decode(self, data: bytes) -> bytes:
        """Return what more can be decoded; raises `brotli.error` for data that is not in the coding."""
        return bytes(self._decoder.process(data))

    def encode(self, data: bytes) -> bytes:
        """Return what is ready, flushed, so that a streamed page is not held up."""
        return bytes(self._encoder.process(data) + self._encoder.flush())

    def finish(self) -> bytes:
        """Return the end of the stream."""
        return bytes(self._encoder.finish())


KNOWN = frozenset(("identity", "gzip", "deflate")) | (frozenset(("br",)) if brotli else frozenset())


def coding(name: str) -> Coding | None:
    """Return the coding of that name, `None` for one that is not known here."""
    match name.strip().lower():
        case "" | "identity":
            return Identity()
        case "gzip" | "x-gzip":
            return Zlib(31)
        case "deflate":
            return Zlib(15)
        case "br" if brotli is not None:
            return Brotli()
        case _:
            return None


def acceptable(accept: str) -> str:
    """Return an `Accept-Encoding` without the codings that could not be decoded here."""
    kept = [part.strip() for part in accept.split(",") if part.partition(";")[0].strip().lower() in KNOWN]
    return ", ".join(kept) or "identity"
