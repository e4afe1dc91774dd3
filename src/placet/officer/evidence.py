"""What the site showed at a time, in one archive that can be checked without Placet.

The log has a manifest for each version that was shown: the names and the SHA-256 of the policy file, the
notice in each language, the templates and the code. Their bytes are kept beside the log, and a record of a
choice names the notice that the visitor had before their eyes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated

import msgspec

from placet.errors import OfficerError
from placet.ledger.note import format_proof
from placet.ledger.store import DOCUMENT, Kept, Store

from .archive import Facts, content_paths, explained, key_pem
from .proofs import Published, proof_of
from .records import Progress, moment, read_record

_LEAVES = 65_536

_Digest = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$(?!\n)")]


class Manifest(msgspec.Struct, frozen=True):
    """What was shown from a time on, by name."""

    contents: dict[str, _Digest]
    site: str
    time: Annotated[int, msgspec.Meta(ge=0, le=253_402_300_799_999)]  # milliseconds since 1970


@dataclass(frozen=True, slots=True)
class Version:
    """A manifest, and the entry of the log that it is."""

    kept: Kept
    manifest: Manifest


def shown_at(store: Store, at: int, progress: Progress) -> Version:
    """Return what was shown at a time, in milliseconds since 1970; raises OfficerError O016 (1)."""
    found = [version for version in _versions(store, progress) if version.manifest.time <= at]
    if not found:
        raise OfficerError(f"O016 nothing had been published at {moment(at)}.", 1)
    return max(found, key=lambda version: (version.manifest.time, version.kept.index))


def shown_for(store: Store, choice: Kept, progress: Progress) -> Version:
    """Return what was shown when a choice was made: the last version before it, with the notice it names.

    Raises OfficerError O016 (1).
    """
    record = None if choice.entry is None else read_record(choice.entry.record)
    if record is None:
        raise OfficerError(f"O016 entry {choice.index:,} is no choice of a visitor's.", 1)
    notice = record.shown.notice
    if notice is None:
        return shown_at(store, record.time, progress)
    found = [
        version
        for version in _versions(store, progress)
        if version.kept.index < choice.index and notice in version.manifest.contents.values()
    ]
    if not found:
        raise OfficerError(f"O016 no version that was published before it has the notice {notice}.", 1)
    return found[-1]


def _versions(store: Store, progress: Progress) -> Iterator[Version]:
    size = store.size()
    for start in range(0, size, _LEAVES):
        leaves = store.leaves(start, min(start + _LEAVES, size))
        for index, leaf in enumerate(leaves, start):
            if leaf[0] == DOCUMENT:
                yield from map(_version, store.read(index, index + 1))
        progress(start + len(leaves), size)


def _version(kept: Kept) -> Version:
    try:
        return Version(kept, msgspec.json.decode(kept.entry.record if kept.entry else b"", type=Manifest))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as problem:
        raise OfficerError(f"O017 the manifest at {kept.index:,} is damaged: {problem}.") from problem


def evidence(store: Store, version: Version, choice: Kept | None, published: Published) -> dict[str, bytes]:
    """Return the files of the archive by name, the same for the same log, version and choice.

    Raises OfficerError O012 to O014, and O017 for a content that the ledger has lost.
    """
    record = b"" if version.kept.entry is None else version.kept.entry.record
    files = {"manifest.json": record, **_proved("manifest", version.kept, published)}
    paths = content_paths(version.manifest.contents)
    for name, digest in version.manifest.contents.items():
        files[f"contents/{paths[name]}"] = _content(store, name, digest)
    if choice is not None and choice.entry is not None:
        files |= {"receipt.json": choice.entry.record, **_proved("receipt", choice, published)}
    files |= _keys(published)
    lines = [f"{digest}  contents/{paths[name]}\n" for name, digest in version.manifest.contents.items()]
    files["CONTENTS.sha256"] = "".join(sorted(lines)).encode()
    facts = Facts(version.manifest.site, version.manifest.time, version.kept.index, published.keys.log)
    files |= explained(facts, files)
    sums = [f"{sha256(data).hexdigest()}  {name}\n" for name, data in sorted(files.items())]
    return {**files, "SHA256SUMS": "".join(sums).encode()}


def _content(store: Store, name: str, digest: str) -> bytes:
    content = store.content(bytes.fromhex(digest))
    if content is None or sha256(content).hexdigest() != digest:
        raise OfficerError(f"O017 the ledger has lost what was published as {name!r}, SHA-256 {digest}.")
    return content


def _proved(name: str, kept: Kept, published: Published) -> dict[str, bytes]:
    found = proof_of(kept, published)
    files = {f"{name}.tlog-proof": format_proof(found.proof), f"{name}.checkpoint": found.proof.checkpoint}
    return files | ({f"{name}.tsr": found.token} if found.token else {})


def _keys(published: Published) -> Mapping[str, bytes]:
    keys = published.keys
    lines = [f"log {keys.log}", *(f"witness {witness.name} {witness}" for witness in keys.witnesses)]
    files = {"keys.txt": "\n".join([*lines, ""]).encode(), "log-key.pem": key_pem(keys.log)}
    return files | ({"authority.pem": published.authority} if published.authority else {})
