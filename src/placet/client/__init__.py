"""The browser's room: templates, styles, translations and the ES module, and the few lines that load them.

It knows nothing of consent: it is told what to say, and says it.
"""

from __future__ import annotations

import gettext
import re
from importlib import resources
from io import BytesIO
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from jinja2 import BaseLoader, ChoiceLoader, Environment, FileSystemLoader, PackageLoader, StrictUndefined

SOURCE_LANGUAGE = "en"  # what the templates are written in
FILES = ("placet.css", "pages.css", "placet.js", "receipt.js")
_HERE = resources.files(__name__)


def text(name: str, own: Path | None = None) -> str:
    """Return a file of this room, or the operator's file of that name in `own`, which replaces it.

    Raises `FileNotFoundError` where there is neither.
    """
    if own is not None and (replaced := own / name).is_file():
        return replaced.read_text(encoding="utf-8")
    return (_HERE / name).read_text(encoding="utf-8")


def bare_style(css: str) -> str:
    """Return a stylesheet without its comments and indentation, in ASCII, as it goes into a page."""
    bare = re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)
    bare = re.sub(r"\s*\n\s*", "\n", bare).strip()
    return "".join(c if c.isascii() else f"\\{ord(c):x} " for c in bare)


def translations(language: str, own: Path | None = None) -> gettext.NullTranslations:
    """Return the catalogue of a language, read from its `.po` file.

    Raises `FileNotFoundError` where the language has none and is not the templates' own.
    """
    try:
        written = text(f"locale/{language}.po", own)
    except FileNotFoundError:
        if language == SOURCE_LANGUAGE:
            return gettext.NullTranslations()
        raise
    compiled = BytesIO()
    write_mo(compiled, read_po(BytesIO(written.encode()), locale=language))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def environment(language: str, own: Path | None = None) -> Environment:
    """Return a Jinja2 environment that speaks one language; templates in `own` replace ours by name."""
    loaders: list[BaseLoader] = [PackageLoader(__name__, "templates")]
    if own is not None:
        loaders.insert(0, FileSystemLoader(own))
    made = Environment(
        loader=ChoiceLoader(loaders),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,  # read once: what is shown is what was hashed at start-up
        extensions=["jinja2.ext.i18n"],
    )
    catalogue = translations(language, own)
    made.install_gettext_translations(catalogue, newstyle=True)  # type: ignore[attr-defined]
    return made


def sources(own: Path | None = None) -> dict[str, bytes]:
    """Return all that can be seen of this room by name, in a fixed order: what a page shows depends on it."""
    found = {
        f"{folder}/{entry.name}": entry.read_bytes()
        for folder in ("templates", "locale")
        for entry in sorted((_HERE / folder).iterdir(), key=lambda entry: entry.name)
    }
    if own is not None:
        paths = (path for path in sorted(own.rglob("*")) if path.is_file())
        found |= {f"own/{path.relative_to(own)}": path.read_bytes() for path in paths}
    return found | {name: text(name, own).encode() for name in FILES}
