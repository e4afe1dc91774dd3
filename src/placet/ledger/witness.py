"""Witnesses: others who see that the log only grows, and sign when they saw it (C2SP tlog-witness v1.0.0).

    Witness      one of them: asks it to cosign a checkpoint, and believes nothing that it did not sign
    Witnesses    all of them at once, and how many have to sign before a checkpoint is shown to the public

A witness that fails is left alone for a while, ever longer, so that one who is gone costs the log next to
nothing. Only a quorum that is not reached keeps a checkpoint back, and never an append.
"""

import logging
import re
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue

from placet.errors import PlacetError
from placet.ledger.note import (
    COSIGNATURE,
    MAX_PATH,
    NoteError,
    Verifier,
    parse_checkpoint,
    signature_line,
    split_note,
)
from placet.ledger.post import NoAnswer, Post, post

_log = logging.getLogger(__name__)

Grow = Callable[[int], list[bytes]]
"""Returns the proof that the log begins with what it was at so many leaves."""

_ROUNDS = 3
_LONGEST_REST_SECONDS = 30.0
_SIZE = re.compile(rb"(0|[1-9][0-9]{0,18})\n")
_REFUSALS = {
    400: "says that the request is malformed",
    403: "does not take our key for the log's",
    404: "does not know the log",
    422: "says that the log is not the one that it saw before",
}


class NotCosigned(PlacetError):
    """A witness did not cosign a checkpoint; the message says why."""


class Witness:
    """A witness at `url`, its submission prefix, who signs with `key`; raises ValueError unless a cosigner's.

    Remembers the size that the witness has seen, for the proof in the next request. For one thread at a time.
    """

    def __init__(self, url: str, key: Verifier, post: Post = post) -> None:
        if key.type != COSIGNATURE:
            raise ValueError(f"the key of {key.name} is not a cosigner's")
        self.key = key
        self._address = f"{url.rstrip('/')}/add-checkpoint"
        self._post = post
        self._seen = 0

    def cosign(self, note: bytes, grow: Grow, timeout: float) -> bytes:
        """Return the witness's signature line for the checkpoint of the note; raises NotCosigned or NoAnswer.

        `timeout` is in seconds for each of up to three requests: a witness whom nobody has asked yet, or who
        was asked by another process too, says which size it knows. What `grow` raises is passed on.
        """
        size = parse_checkpoint(split_note(note)[0]).size
        for _ in range(_ROUNDS):
            body = _request(self._seen, grow(self._seen), note)
            status, answer = self._post(self._address, "text/plain; charset=utf-8", body, timeout)
            if status == 200:
                line = self._own_line(note, answer)
                self._seen = size
                return line
            if status != 409:
                raise NotCosigned(_REFUSALS.get(status, f"answered with the status {status}"))
            self._seen = _known_size(answer, size, self._seen)
        raise NotCosigned("named another size each time that it was asked")

    def _own_line(self, note: bytes, answer: bytes) -> bytes:
        text, ours = split_note(note)
        try:
            _, lines = split_note(note + answer)
            for name, id, signature in lines[len(ours) :]:
                if (name, id) == (self.key.name, self.key.key_id):
                    self.key.check(text, signature)
                    return signature_line(name, id, signature)
        except NoteError as error:
            raise NotCosigned(f"sent no signature of its own: {error}") from error
        raise NotCosigned("sent no signature of its own")


class Witnesses:
    """All witnesses of a log, of whom `quorum` have to cosign; raises ValueError for a quorum beyond them.

    They are asked at the same time, and waited for `timeout` seconds at most. For one thread at a time.
    """

    def __init__(self, witnesses: Sequence[Witness], quorum: int = 0, *, timeout: float = 2.0) -> None:
        if not 0 <= quorum <= len(witnesses):
            raise ValueError(f"a quorum of {quorum} among {len(witnesses)} witnesses")
        self._asked = [_Asked(witness, timeout) for witness in witnesses]
        self._quorum = quorum
        self._timeout = timeout

    def cosign(self, note: bytes, grow: Grow) -> bytes | None:
        """Return the note with the lines of those who cosigned it; None if they are fewer than the quorum.

        Never raises: what a witness did not do is logged, once.
        """
        until = time.monotonic() + self._timeout
        answers: _Answers = SimpleQueue()
        waiting = sum(asked.begin(note, grow, answers) for asked in self._asked)
        lines: dict[_Asked, bytes] = {}
        with suppress(Empty):
            for _ in range(waiting):
                asked, line = answers.get(timeout=max(until - time.monotonic(), 0))
                if line is not None:
                    lines[asked] = line
        signed = [lines[asked] for asked in self._asked if asked in lines]
        return note + b"".join(signed) if len(signed) >= self._quorum else None


class _Asked:
    """One witness, and how it went the last times."""

    def __init__(self, witness: Witness, timeout: float) -> None:
        self._witness = witness
        self._timeout = timeout
        # Not a lock: in a process that was forked meanwhile the thread is dead, and a lock would be held.
        self._thread: threading.Thread | None = None
        self._rests_until = self._rest = 0.0
        self._trouble: str | None = None

    def begin(self, note: bytes, grow: Grow, answers: "_Answers") -> bool:
        """Begin to ask, unless the witness is still busy or left alone; an answer will come then."""
        busy = self._thread is not None and self._thread.is_alive()
        if busy or time.monotonic() < self._rests_until:
            return False
        self._thread = threading.Thread(
            target=self._ask, args=(note, grow, answers), name="placet-witness", daemon=True
        )
        self._thread.start()
        return True

    def _ask(self, note: bytes, grow: Grow, answers: "_Answers") -> None:
        line = None
        try:
            line = self._witness.cosign(note, grow, self._timeout)
        except (NotCosigned, NoAnswer) as error:
            self._failed(str(error))
        except Exception as error:
            self._failed(f"could not be asked: {error!r}")
        else:
            self._worked()
        self._thread = None  # before the answer: with it, the next question may come
        answers.put((self, line))

    def _failed(self, trouble: str) -> None:
        self._rest = min(max(2 * self._rest, 1.0), _LONGEST_REST_SECONDS)
        self._rests_until = time.monotonic() + self._rest
        if trouble != self._trouble:
            self._trouble = trouble
            _log.error("witness %s: %s", self._witness.key.name, trouble)

    def _worked(self) -> None:
        if self._trouble is not None:
            _log.warning("witness %s: cosigns again", self._witness.key.name)
        self._trouble, self._rest = None, 0.0


_Answers = SimpleQueue[tuple[_Asked, bytes | None]]


def format_policy(log: Verifier, address: str, witnesses: Sequence[tuple[Verifier, str]], quorum: int) -> str:
    """Return what verifiers are to trust, as a file of C2SP tlog-policy: the log, its witnesses, how many."""
    lines = [f"log {log} {address}"]
    lines += [f"witness w{number} {key} {url}" for number, (key, url) in enumerate(witnesses, 1)]
    if quorum:
        names = " ".join(f"w{number}" for number in range(1, len(witnesses) + 1))
        lines.append(f"group witnesses {quorum} {names}")
    lines.append(f"quorum {'witnesses' if quorum else 'none'}")
    return "".join(f"{line}\n" for line in lines)


def _request(old: int, proof: Sequence[bytes], note: bytes) -> bytes:
    if len(proof) > MAX_PATH:
        raise NotCosigned(f"would be sent {len(proof)} hashes, and may be sent {MAX_PATH}")
    lines = [b"old %d" % old, *map(b64encode, proof), b""]
    return b"\n".join(lines) + b"\n" + note


def _known_size(answer: bytes, size: int, asked: int) -> int:
    """Return the size that the witness says it has seen."""
    match = _SIZE.fullmatch(answer)
    if match is None or int(match[1]) == asked:
        raise NotCosigned("refused the size that it was asked from, and named no other")
    if int(match[1]) > size:
        raise NotCosigned(f"has seen {int(match[1])} leaves of a log that now has {size}")
    return int(match[1])
