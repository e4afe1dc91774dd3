"""What is written on a command line, read: receipts' numbers, times and keys."""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

from placet.consent.receipt import event_id_of
from placet.errors import OfficerError
from placet.ledger.note import COSIGNATURE, ED25519, NoteError, Verifier, parse_verifier

from .files import read_file
from .records import plain

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def parse_receipt(text: str) -> bytes:
    """Return the event id that a receipt's number names: 22 characters of base64url, or a UUID.

    Raises OfficerError O001 for anything else.
    """
    if (event_id := event_id_of(text)) is not None:
        return event_id
    try:
        if len(text) == 36:
            return uuid.UUID(text).bytes
    except ValueError:
        pass
    raise OfficerError(f"O001 {plain(text)}: is no receipt number: 22 letters, digits, - or _, or a UUID.")


def parse_time(text: str, *, end: bool = False) -> int:
    """Return the time in milliseconds since 1970; without a zone it is this machine's local time.

    A day alone means its first moment or, with `end`, that of the day after. Raises OfficerError O002.
    """
    try:
        found = datetime.fromisoformat(text)
        if _DAY.fullmatch(text):
            found = datetime.combine(found.date() + timedelta(days=end), time())
        elapsed = found.astimezone() - datetime(1970, 1, 1, tzinfo=UTC)
    except (ValueError, OverflowError):
        raise OfficerError(
            f"O002 {plain(text)}: is no time; write 2026-11-24, 2026-11-24T09:30 or 2026-11-24T09:30+01:00."
        ) from None
    return elapsed // timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Keys:
    """The public keys by which signatures are checked: the log's, and those of its witnesses."""

    log: Verifier
    witnesses: tuple[Verifier, ...] = ()

    @property
    def all(self) -> tuple[Verifier, ...]:
        """Every one of them."""
        return (self.log, *self.witnesses)


def read_keys(given: str, witnesses: Sequence[str] = ()) -> Keys:
    """Return the keys that are written, or that a file of this name holds.

    The file holds one public key of a log, or a log's policy (C2SP tlog-policy: `log` and `witness` lines).
    Raises OfficerError O003.
    """
    text = _text_of(given)
    lines = [words for line in text.splitlines() if (words := line.split()) and not words[0].startswith("#")]
    try:
        if len(lines) == 1 and len(lines[0]) == 1:
            logs, found = [parse_verifier(lines[0][0])], []
        else:
            logs = [parse_verifier(words[1]) for words in lines if words[0] == "log" and len(words) > 1]
            found = [parse_verifier(words[2]) for words in lines if words[0] == "witness" and len(words) > 2]
        found += [parse_verifier(_text_of(witness)) for witness in witnesses]
    except NoteError as problem:
        raise OfficerError(f"O003 the key cannot be read: {problem}.") from problem
    if len(logs) != 1 or logs[0].type != ED25519 or any(key.type != COSIGNATURE for key in found):
        raise OfficerError(
            "O003 the key cannot be read: wanted is one Ed25519 key of a log, and of witnesses a cosigner's."
        )
    return Keys(logs[0], tuple(found))


def _text_of(given: str) -> str:
    """Return the key itself, or what the file of this name holds."""
    if "+" in given and not Path(given).is_file():
        return given
    try:
        return read_file(Path(given)).decode("ascii")
    except UnicodeDecodeError:
        raise OfficerError(f"O003 {given}: holds no public key.") from None
