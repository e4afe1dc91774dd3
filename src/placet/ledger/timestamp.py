"""Time stamps: an authority that the operator names says when it saw a checkpoint (RFC 3161).

    request ── SHA-256 of the note, a nonce ──▶ authority ──▶ token, which is kept with the checkpoint

The library that reads and checks tokens, of placet[timestamp], is loaded when it is first needed.
"""

import logging
import time
from collections.abc import Callable
from datetime import datetime
from hashlib import sha256
from types import ModuleType
from typing import TYPE_CHECKING

from cryptography.x509 import Certificate, load_pem_x509_certificates

from placet.errors import PlacetError, SetupError
from placet.ledger.post import NoAnswer, Post, post

if TYPE_CHECKING:
    from rfc3161_client import TimeStampRequest, TimeStampResponse

_log = logging.getLogger(__name__)

_SHA256 = "2.16.840.1.101.3.4.2.1"
_GRANTED, _GRANTED_WITH_MODS = 0, 1
_SHORTEST_REST_SECONDS = 60.0
_LONGEST_REST_SECONDS = 3600.0


class TimestampError(PlacetError):
    """A time stamp is malformed, of another checkpoint, or not by who it should be."""


class Authority:
    """Asks the authority at `url` for a time stamp every so many seconds at most; `last` is the last token.

    `roots` are the certificates, PEM, that answer for the authority; without them a token is kept once it
    is over the right bytes, and whoever relies on it later checks who signed it. `timeout` is in seconds.
    Raises SetupError S015 if the library is not installed, and S016 if the certificates cannot be read.
    """

    def __init__(
        self,
        url: str,
        every: float,
        *,
        roots: bytes | None = None,
        last: bytes | None = None,
        timeout: float = 5.0,
        post: Post = post,
        monotonic: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        _library()
        try:
            self._roots = None if roots is None else _certificates(roots)
        except TimestampError as error:
            raise SetupError(f"S016 the certificates of the time stamp's authority: {error}") from error
        self._url, self._every, self._timeout = url, every, timeout
        self._post, self._monotonic = post, monotonic
        age = every if last is None else max(now() - _time_of(last), 0)
        self._due = monotonic() + every - age
        self._rest = 0.0

    def stamp(self, note: bytes) -> bytes | None:
        """Return a token over the note, DER; None if none is due or none was to be had. Never raises."""
        if self._monotonic() < self._due:
            return None
        try:
            token = self._ask(note)
        except (TimestampError, NoAnswer) as error:
            self._rest = min(max(2 * self._rest, _SHORTEST_REST_SECONDS), _LONGEST_REST_SECONDS)
            self._due = self._monotonic() + self._rest
            _log.error("no time stamp was to be had, and is asked for again in %d s: %s", self._rest, error)
            return None
        self._rest = 0.0
        self._due = self._monotonic() + self._every
        return token

    def _ask(self, note: bytes) -> bytes:
        request = _request(note)
        status, answer = self._post(
            self._url, "application/timestamp-query", request.as_bytes(), self._timeout
        )
        if status != 200:
            raise TimestampError(f"{self._url} answered with the status {status}")
        response = _response(answer)
        if response.status not in (_GRANTED, _GRANTED_WITH_MODS):
            said = "; ".join(response.status_string) or "without a word"
            raise TimestampError(f"{self._url} refused, with the status {response.status}: {said}")
        _check_imprint(response, note)
        if response.tst_info.nonce != request.nonce:
            raise TimestampError(f"{self._url} answered another request: the nonce is not ours")
        token = response.time_stamp_token()
        if self._roots is not None:
            _check_signer(token, note, self._roots)
        return token


def verify(token: bytes, note: bytes, roots: bytes) -> datetime:
    """Return when the authority says that it saw the note; the certificates, PEM, have to answer for it.

    They have to be valid at that time, not today. Raises TimestampError, and SetupError S015 if the library
    is not installed.
    """
    return _check_signer(token, note, _certificates(roots)).tst_info.gen_time


def _check_signer(token: bytes, note: bytes, roots: list[Certificate]) -> "TimeStampResponse":
    library = _library()
    response = _response(_granted(token))
    _check_imprint(response, note)
    try:
        library.VerifierBuilder(roots=roots).build().verify_message(response, note)
    except (library.VerificationError, ValueError) as error:
        raise TimestampError(f"the time stamp is not by who it should be: {error}") from error
    return response


def _check_imprint(response: "TimeStampResponse", note: bytes) -> None:
    try:
        imprint = response.tst_info.message_imprint
    except ValueError as error:
        raise TimestampError(f"there is no time stamp in it: {error}") from error
    if imprint.hash_algorithm.dotted_string != _SHA256 or imprint.message != sha256(note).digest():
        raise TimestampError("the time stamp is of something else than this checkpoint")


def _request(note: bytes) -> "TimeStampRequest":
    """Return a request for the note, with a nonce, that asks for the signer's certificate too."""
    library = _library()
    builder = library.TimestampRequestBuilder(data=note, hash_algorithm=library.HashAlgorithm.SHA256)
    built: TimeStampRequest = builder.build()
    return built


def _response(data: bytes) -> "TimeStampResponse":
    try:
        read: TimeStampResponse = _library().decode_timestamp_response(data)
    except ValueError as error:
        raise TimestampError(f"the time stamp cannot be read: {error}") from error
    return read


def _time_of(token: bytes) -> float:
    """Return the time that a token of our own names, in seconds since 1970; 0 if it cannot be read."""
    try:
        return _response(_granted(token)).tst_info.gen_time.timestamp()
    except (TimestampError, ValueError):
        return 0.0


def _granted(token: bytes) -> bytes:
    """Return the token in the response in which it came, TimeStampResp with the status granted."""
    body = bytes.fromhex("3003020100") + token
    length = len(body)
    if length < 0x80:
        return b"\x30" + bytes((length,)) + body
    size = length.to_bytes((length.bit_length() + 7) // 8)
    return b"\x30" + bytes((0x80 | len(size),)) + size + body


def _certificates(pem: bytes) -> list[Certificate]:
    try:
        return load_pem_x509_certificates(pem)
    except ValueError as error:
        raise TimestampError(f"there are no certificates in it: {error}") from error


def _library() -> ModuleType:
    try:
        import rfc3161_client
    except ImportError as error:
        raise SetupError(
            f"S015 the library for time stamps cannot be loaded ({error}); install placet[timestamp]."
        ) from error
    return rfc3161_client
