"""Content codings of pages: decoded before the markup lock, encoded behind it (RFC 9110 section 8.4)."""

from __future__ import annotations

import sys
import zlib
from types import ModuleType
from typing import Protocol

try:
    import brotli
except ImportError:  # the `brotli` extra is not installed
    brotli = None

zstd: ModuleType | None
try:
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
except ImportError:  # the `proxy` extra is not installed
    zstd = None


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
        decoded = b""
        while data:
            if self._decoder.eof:
                # One body may be several members (RFC 1952 section 2.2); what follows them is no part of it.
                if not data.startswith(b"\x1f"):
                    break
                self._decoder = zlib.decompressobj(47)
            decoded += self._decoder.decompress(data)
            data = self._decoder.unused_data
        return decoded

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


class Zstandard:
    """zstd (RFC 8878), with Python 3.14 or the `proxy` extra."""

    def __init__(self, zstd: ModuleType) -> None:
        """Start both directions."""
        self._zstd = zstd
        self._decoder = zstd.ZstdDecompressor()
        self._encoder = zstd.ZstdCompressor(level=3)

    def decode(self, data: bytes) -> bytes:
        """Return what more can be decoded; raises `ZstdError` for data that is not in the coding."""
        decoded = b""
        while data:
            if self._decoder.eof:  # several frames are one body (RFC 8878 section 3.1)
                self._decoder = self._zstd.ZstdDecompressor()
            decoded += self._decoder.decompress(data)
            data = self._decoder.unused_data
        return decoded

    def encode(self, data: bytes) -> bytes:
        """Return what is ready, flushed, so that a streamed page is not held up."""
        return bytes(self._encoder.compress(data, mode=self._encoder.FLUSH_BLOCK))

    def finish(self) -> bytes:
        """Return the end of the stream."""
        return bytes(self._encoder.flush())


KNOWN = frozenset(
    ("identity", "gzip", "deflate", *(["br"] if brotli is not None else []), *(["zstd"] if zstd else []))
)


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
        case "zstd" if zstd is not None:
            return Zstandard(zstd)
        case _:
            return None


def acceptable(accept: str) -> str:
    """Return an `Accept-Encoding` without the codings that could not be decoded here."""
    kept = [part.strip() for part in accept.split(",") if part.partition(";")[0].strip().lower() in KNOWN]
    return ", ".join(kept) or "identity"
