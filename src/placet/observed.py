"""What a site was seen to set, read and load: counts by name, in one file that several processes add to.

No value, no visitor and no query is in it. A name that carries an identifier is kept as a pattern.
"""

from __future__ import annotations

import fcntl
import os
import re
import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec
from msgspec.structs import replace

# Anyone can send a cookie or a report, so neither the list nor a name in it may grow without end.
MOST = 5_000
LONGEST = 96

_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
# A hash that ends a word, as in DokuWiki's `DW…`: of such a name there would else be nothing left but `*`.
_HASH = re.compile(r"(?<=[G-Zg-z])[0-9a-f]{32}(?![A-Za-z0-9])", re.IGNORECASE)
_WORD = re.compile(r"[A-Za-z0-9]+")
_NUMBER, _HEX = re.compile(r"\d{4,}\Z"), re.compile(r"[0-9a-f]{16,}\Z", re.IGNORECASE)
_HOST_ID = re.compile(r"\d{6,}\Z|[0-9a-f]{24,}\Z")


class Sighting(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that was seen, with what is known of it."""

    what: str  # "cookie" (read), "set-cookie", "path", "inline script", "script", "image", "img-src", …
    name: str  # of the cookie; the host, or a part of one; the path; the words of the script
    seen: int
    refused: int = 0  # of those, what would have been refused to a visitor who was not asked yet
    first: str  # day, UTC
    last: str
    domain: str | None = None  # of what is set, its attributes
    path: str | None = None
    days: int | None = None  # its longest life, rounded up; `None`: the browser session
    http_only: bool = False


class Observed(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that was seen."""

    version: int = 1
    site: str
    pages: int = 0
    unlisted: int = 0  # sightings of what the list had no room for
    seen: tuple[Sighting, ...] = ()


Key = tuple[str, str, str | None, str | None]


def key_of(sighting: Sighting) -> Key:
    """Return what two sightings of the same thing have in common."""
    return sighting.what, sighting.name, sighting.domain, sighting.path


def join(one: Sighting, other: Sighting) -> Sighting:
    """Return two sightings of the same thing as one."""
    lives = [life for life in (one.days, other.days) if life is not None]
    return replace(
        one,
        seen=one.seen + other.seen,
        refused=one.refused + other.refused,
        first=min(one.first, other.first),
        last=max(one.last, other.last),
        days=max(lives, default=None),
        http_only=one.http_only and other.http_only,
    )


def add(known: dict[Key, Sighting], more: Iterable[Sighting]) -> int:
    """Add sightings to those known, and return how many had no room."""
    unlisted = 0
    for sighting in more:
        key = key_of(sighting)
        if key in known:
            known[key] = join(known[key], sighting)
        elif len(known) < MOST:
            known[key] = sighting
        else:
            unlisted += sighting.seen
    return unlisted


def read_observed(path: Path) -> Observed:
    """Return what a file holds; raises `OSError`, and `ValueError` for what is no file of ours."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Observed)
    except msgspec.MsgspecError as problem:
        raise ValueError(str(problem)) from problem


def keep(path: Path, site: str, seen: Mapping[Key, Sighting], pages: int, unlisted: int) -> bool:
    """Add to the file what one process has seen; say whether what was there could be read.

    Processes wait for each other. The file is whole at any time; one that cannot be read is put aside.
    Raises `OSError` where nothing can be written.
    """
    with _locked(path.with_suffix(".lock")):
        readable = True
        try:
            before = read_observed(path)
        except FileNotFoundError:
            before = Observed(site=site)
        except ValueError:
            path.replace(path.with_suffix(".damaged"))
            before, readable = Observed(site=site), False
        known = {key_of(sighting): sighting for sighting in before.seen}
        unlisted += before.unlisted + add(known, seen.values())
        listed = tuple(known[key] for key in sorted(known, key=str))
        _write(path, Observed(site=site, pages=before.pages + pages, unlisted=unlisted, seen=listed))
    return readable


def fold(name: str) -> str:
    """Return the name of a cookie with `*` for each part that may be an identifier.

    Long runs of figures or of hex digits are taken for one, and words of letters with several figures.
    """
    if "@" in name:  # an address: nothing of it is kept
        return "*@*"
    folded = _HASH.sub("*", _UUID.sub("*", name))
    folded = _WORD.sub(lambda word: "*" if _identifies(word[0]) else word[0], folded)
    folded = re.sub(r"\*+", "*", folded)
    return folded if len(folded) <= LONGEST else folded[: LONGEST - 1].rstrip("*") + "*"


def _identifies(word: str) -> bool:
    figures = sum(letter.isdigit() for letter in word)
    return bool(_NUMBER.match(word) or _HEX.match(word)) or (len(word) >= 8 and figures >= 2)


def fold_host(host: str) -> str:
    """Return the host without the first labels that identify; the others stand for their subdomains."""
    while _HOST_ID.match(host.partition(".")[0]) or _UUID.fullmatch(host.partition(".")[0]):
        _, _, rest = host.partition(".")
        if "." not in rest:
            break
        host = rest
    return host[:253]


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _write(path: Path, observed: Observed) -> None:
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(observed), indent=1) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
