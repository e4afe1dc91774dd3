"""An archive to hand to an authority: what explains and checks it, and its bytes, equal for equal files."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from importlib import resources
from string import Template

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from placet.ledger.note import Verifier

from .records import moment, plain

_EXPLANATIONS = ("LISEZ-MOI.txt", "README.txt", "check.sh")
_KINDS: tuple[tuple[str, str, str], ...] = (  # the first that fits says what a file is
    (r"manifest\.json", "La liste de ce qui était montré", "The list of what was shown"),
    (r"receipt\.json", "L'enregistrement du choix", "The record of the choice"),
    (r".*\.tlog-proof", "La preuve d'inclusion au journal", "The proof that the log has it"),
    (r".*\.checkpoint", "L'état signé du journal", "The signed state of the log"),
    (r".*\.tsr", "L'horodatage RFC 3161 de cet état", "The RFC 3161 time stamp of that state"),
    (r"keys\.txt", "Les clés publiques", "The public keys"),
    (r"log-key\.pem", "La clé du journal, pour openssl", "The log's key, for openssl"),
    (r"authority\.pem", "Les certificats de l'horodateur", "The time-stamping authority's certificates"),
    (r"check\.sh", "La vérification, en un programme", "The check, as a program"),
    (r"SHA256SUMS", "Les empreintes de tous les fichiers", "The hashes of all files"),
    (r"CONTENTS\.sha256", "Les empreintes de ce qui était montré", "The hashes of what was shown"),
    (r"contents/notice\..*", "Le bandeau, à la première visite", "The notice, on a first visit"),
    (r"contents/settings\..*", "La page des réglages", "The settings page"),
    (r"contents/cookies\..*", "La page sur les traceurs", "The page on trackers"),
    (r"contents/(placet\.toml|policy\.json)", "La politique du site", "The site's policy"),
    (r"contents/(own|templates)/.*", "Un modèle de page", "A template"),
    (r"contents/locale/.*", "Une traduction", "A translation"),
    (r"contents/.*\.(css|js)", "Du code envoyé au navigateur", "Code that the browser gets"),
    (r"contents/.*", "Montré ou utilisé alors", "Shown or used then"),
    (r".*", "Ce texte, en deux langues", "This text, in two languages"),
)


@dataclass(frozen=True, slots=True)
class Facts:
    """What the explanations say of one archive."""

    site: str
    since: int  # milliseconds since 1970
    index: int
    log: Verifier


def explained(facts: Facts, files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the texts that say, in French and in English, what each file is, and the program that checks."""
    names = sorted([*files, *_EXPLANATIONS, "SHA256SUMS"])
    said = {
        "site": plain(facts.site),
        "since": moment(facts.since),
        "index": f"{facts.index}",
        "origin": plain(facts.log.name),
        "vkey": str(facts.log),
        "fichiers": _listed(names, 1),
        "files": _listed(names, 2),
    }
    folder = resources.files(__package__)
    texts = {name: (folder / name).read_text("utf-8") for name in _EXPLANATIONS}
    return {
        name: (text if name == "check.sh" else Template(text).substitute(said)).encode()
        for name, text in texts.items()
    }


def _listed(names: Iterable[str], language: int) -> str:
    width = max(map(len, names))
    kinds = ((name, next(kind for kind in _KINDS if re.fullmatch(kind[0], name))) for name in names)
    return "\n".join(f"  {name:<{width}}  {kind[language]}" for name, kind in kinds)


def content_paths(contents: Iterable[str]) -> dict[str, str]:
    """Return, for each content's name, a path that any machine can have, below the folder it is put into."""
    paths: dict[str, str] = {}
    files: set[str] = set()
    folders: set[str] = set()
    for name in sorted(contents):
        parts = [part for part in re.sub(r"[^A-Za-z0-9._/-]", "_", name).split("/") if part.strip(".")]
        path = "/".join(parts)
        above = {"/".join(parts[:depth]).casefold() for depth in range(1, len(parts))}
        if not path or path.casefold() in files | folders or above & files:
            path, above = f"{sha256(name.encode()).hexdigest()[:16]}-{parts[-1] if parts else 'file'}", set()
        files.add(path.casefold())
        folders |= above
        paths[name] = path
    return paths


def key_pem(key: Verifier) -> bytes:
    """Return the public key as PEM, which openssl reads."""
    return Ed25519PublicKey.from_public_bytes(key.public).public_bytes(
        Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
    )


def folder_name(site: str, milliseconds: int) -> str:
    """Return the name of the folder that the archive opens to."""
    time = datetime.fromtimestamp(milliseconds // 1_000, UTC)
    return f"evidence-{re.sub(r'[^A-Za-z0-9.-]', '_', site)}-{time:%Y%m%dT%H%M%SZ}"


def zipped(folder: str, files: Mapping[str, bytes]) -> bytes:
    """Return the archive, the same bytes for the same files whenever and wherever it is made."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name in sorted(files):
            # Stored: what two versions of a compressor make of the same bytes may differ.
            entry = zipfile.ZipInfo(f"{folder}/{name}", (1980, 1, 1, 0, 0, 0))
            entry.create_system = 3
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, files[name])
    return made.getvalue()
