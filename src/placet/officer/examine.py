"""A proof to keep, checked step by step, offline: what it shows is independent of the site that gave it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Literal

from placet.ledger import timestamp
from placet.ledger.note import (
    Checkpoint,
    NoteError,
    Proof,
    Verifier,
    open_note,
    parse_checkpoint,
    parse_proof,
    split_note,
)
from placet.ledger.store import ACTION, DOCUMENT, EVENT, SALT_BYTES, Entry, leaf_bytes
from placet.ledger.timestamp import TimestampError
from placet.ledger.tree import ProofError, check_inclusion, leaf_hash

from .given import Keys
from .records import moment, plain

Outcome = Literal["right", "wrong", "not checked"]

NO_KEY = "O006 not checked: nobody said which public key is the log's; name it with --key."


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was looked at, and what came of it."""

    outcome: Outcome
    words: str


@dataclass(frozen=True, slots=True)
class Examination:
    """All that was looked at in a proof, in order; nothing is looked at after what is wrong."""

    steps: tuple[Step, ...]
    type: int | None = None  # the entry's, once its record is known to be the one in the log
    record: bytes = b""

    @property
    def status(self) -> int:
        """0 where everything is right, 1 where something is wrong, 2 where something could not be checked."""
        outcomes = {step.outcome for step in self.steps}
        return 1 if "wrong" in outcomes else 2 if "not checked" in outcomes else 0


@dataclass(frozen=True, slots=True)
class Beside:
    """What was handed in with a proof."""

    data: bytes | None = None  # the receipt as JSON, which has to hold the same record
    token: bytes | None = None  # a time stamp's, over the proof's checkpoint
    roots: bytes | None = None  # certificates that answer for who stamped it, PEM


def examine(data: bytes, keys: Keys | None, beside: Beside = Beside()) -> Examination:
    """Check a `.tlog-proof` file, and what was handed in with it.

    Without the log's key all but the signature is checked. Raises SetupError S015 for a time stamp where the
    library that reads it is not installed.
    """
    if data.lstrip().startswith(b"{"):
        return Examination(
            (Step("not checked", "O007 this is a receipt as data: name the .tlog-proof file."),)
        )
    steps: list[Step] = []
    try:
        proof = parse_proof(data)
        text, _ = split_note(proof.checkpoint)
        checkpoint = parse_checkpoint(text)
        steps.append(Step("right", _file_words(proof, checkpoint)))
        if not proof.extra:
            steps.append(
                Step("not checked", "O007 the file holds no record, so there is nothing to compare.")
            )
            return Examination((*steps, *_signed(proof.checkpoint, checkpoint, keys)))
        type, record = _open(proof.extra, proof, checkpoint)
        steps += _led(type, proof, checkpoint)
        steps += _same(record, beside.data)
        steps += _signed(proof.checkpoint, checkpoint, keys)
        steps += _stamped(proof.checkpoint, beside)
    except (NoteError, ProofError, TimestampError) as problem:
        return Examination((*steps, Step("wrong", plain(str(problem)))))
    return Examination(tuple(steps), type, record)


def named(type: int) -> str:
    """Name what an entry of this type is."""
    return {EVENT: "a visitor's choice", ACTION: "what the operator did", DOCUMENT: "a list of documents"}[
        type
    ]


def _file_words(proof: Proof, checkpoint: Checkpoint) -> str:
    return (
        f"The file is a proof: entry {proof.index:,} of the log {plain(checkpoint.origin)}, "
        f"as it was with {checkpoint.size:,} entries."
    )


def _open(extra: bytes, proof: Proof, checkpoint: Checkpoint) -> tuple[int, bytes]:
    """Return the type and the record with which what is in the file leads to the checkpoint's root.

    Raises ProofError where there is none. A leaf begins with its type, so that one commitment cannot be read
    as another's.
    """
    problem = ProofError("the file holds fewer bytes than a salt has")
    for type, start in ((EVENT, SALT_BYTES), (ACTION, SALT_BYTES), (DOCUMENT, 0)):
        if len(extra) < start:
            continue
        try:
            leaf = leaf_bytes(Entry(bytes(16), type, extra[start:], extra[:start]))
            check_inclusion(leaf_hash(leaf), proof.index, checkpoint.size, proof.path, checkpoint.root)
        except ValueError as error:
            problem = ProofError(str(error))
        except ProofError as error:
            problem = error
        else:
            return type, extra[start:]
    raise ProofError(f"the record, its salt and the path do not belong to this checkpoint: {problem}")


def _led(type: int, proof: Proof, checkpoint: Checkpoint) -> list[Step]:
    opened = "The record" if type == DOCUMENT else "The record, with its salt,"
    led = f"{len(proof.path)} hashes lead from it to the root of those {checkpoint.size:,} entries."
    return [Step("right", f"{opened} gives the commitment that the log has there."), Step("right", led)]


def _same(record: bytes, beside: bytes | None) -> list[Step]:
    """Return the step that compares the receipt as JSON with the record; raises ProofError if it differs."""
    if beside is None:
        return []
    try:
        data = json.loads(beside)
        written = data.get("record", data)
        said = json.dumps(written, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()
    except (ValueError, AttributeError, RecursionError):
        said = b""
    if said != record:
        raise ProofError("the receipt as data beside the file says something else than the record in the log")
    return [Step("right", "The receipt as data beside the file holds the same record.")]


def _stamped(note: bytes, beside: Beside) -> list[Step]:
    """Return the step that looks at the time stamp; raises TimestampError where it is not right."""
    if beside.token is None:
        return []
    if beside.roots is None:
        said = "O019 the time stamp: name the certificates of who made it with --authority."
        return [Step("not checked", said)]
    seconds = timestamp.verify(beside.token, note, beside.roots).timestamp()
    said = f"The time-stamping authority saw this checkpoint at {moment(int(seconds * 1_000))}."
    return [Step("right", said)]


def _signed(note: bytes, checkpoint: Checkpoint, keys: Keys | None) -> list[Step]:
    """Return the steps that look at signatures; raises NoteError where one of a known key is not right."""
    if keys is None:
        return [Step("not checked", f"{NO_KEY} It calls itself {plain(checkpoint.origin)}.")]
    signed = dict(open_note(note, keys.all).signed_by)
    if keys.log not in signed:
        raise NoteError("no signature is by the log's key")
    if checkpoint.origin != keys.log.name:
        raise NoteError(f"line 1: the checkpoint is of {checkpoint.origin!r}, not of {keys.log.name!r}")
    log = f"The checkpoint is signed by {plain(keys.log.name)}, key {keys.log.key_id.hex()}."
    seen = [_seen(witness, seconds) for witness, seconds in signed.items() if seconds is not None]
    return [Step("right", words) for words in (log, *seen)]


def _seen(witness: Verifier, seconds: int) -> str:
    return (
        f"The witness {plain(witness.name)} saw it, and no other of that size, at {moment(seconds * 1_000)}."
    )
