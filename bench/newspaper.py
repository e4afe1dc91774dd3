"""The newspaper's own article, with Jinja2 and SQLite, over loopback: with Placet and with PLACET=off.

Each request is another visitor's, with an advertising id and a CSRF token of their own. After a refusal the
newspaper cannot read the first, so its pages are all the same, and it writes down nothing; where all is
granted each page is another, and the application does the same work with and without Placet.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from . import visitor
from .answer import compare, ratio
from .load import Rate, Server, a_visitor_each, headers_of, script, serve
from .page import ARTICLE
from .sheet import Sheet

TURNS = 4
SECONDS = 2


def measure(sheet: Sheet) -> None:
    """Print rates and their ratios."""
    sheet.part("The newspaper's article, rendered for each visitor")
    memory = (
        "/dev/shm" if Path("/dev/shm").is_dir() else None
    )  # the disk's share would be the same, and noise
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        data = Path(folder)
        scripts = {granted: _script(data, granted) for granted in (False, True)}
        with (
            serve("newspaper", data / "off") as off,
            serve("newspaper behind Placet", data) as placet,
        ):
            off.ask(ARTICLE, {})
            refused = _turns(off, placet, scripts[False])
            granted = _turns(off, placet, scripts[True])
    compare(sheet, refused, "PLACET=off", "with Placet, all refused")
    compare(sheet, granted, "PLACET=off", "with Placet, all granted")
    sheet.at_least("the article, refused: rate with Placet", ratio(refused), 0.85, "of the rate without")
    sheet.note(
        f"all granted, where the application does the same work: {ratio(granted):.2f} of the rate without"
    )
    sheet.limits("the server's one thread: the template, then the markup lock, where each page is another")


def _script(data: Path, granted: bool) -> Path:
    cookies = visitor.cookies(data, granted)
    headers = headers_of(visitor.NAVIGATION, cookies)
    return script(data / f"article-{granted}.lua", headers, a_visitor_each(cookies))


def _turns(off: Server, placet: Server, sent: Path) -> list[tuple[Rate, Rate]]:
    for server in (off, placet):
        server.load(ARTICLE, sent, 1)
    return [(off.load(ARTICLE, sent, SECONDS), placet.load(ARTICLE, sent, SECONDS)) for _ in range(TURNS)]
