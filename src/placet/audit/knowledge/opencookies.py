"""Makes `opencookies.tsv` of the Open Cookie Database: `python -m placet.audit.knowledge.opencookies CSV`.

Only names that can hardly be anybody else's are taken: of those that a site might give to a cookie of its own
("id", "session", "lang"), none, unless the database says of which domain it is.
"""

from __future__ import annotations

import csv
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

OUT = Path(__file__).with_name("opencookies.tsv")
KINDS = {"Marketing": "advertising", "Analytics": "analytics"}

_COMMON = re.compile(
    r"(?i)(?:.*(?:consent|opt_?in|opt_?out|privacy|debug|csrf|auth_token|locale|lang).*"
    r"|[a-z]{1,5}|[a-z]\d{0,2}|i18n|ref-?|c-[a-z]+|prism_|recs-|mp_|europe|lantern|session|user|visitor|cart|"
    r"basket|token|theme|country|currency|referrer|queryString|PageReferrer|SiteReferrer|SearchTerm|"
    r"BlurTime|FocusTime|CMSUserPage|CurrentContact|VisitorStatus|visitor_id|obsessionid-?|calViewState|"
    r"CPSessID|SISessID|_schn|BCSessionID|X-FD-.*|cognito\..*|auid|ucid|gmid|ctkgen|shop_analytics|dst)"
)
_DOMAIN = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)+")


def rows(lines: Iterable[str]) -> Iterator[tuple[str, str, str, str]]:
    """Yield name (a final * stands for more), domain (empty: the site's own), purpose and platform."""
    for row in csv.DictReader(lines):
        purpose = KINDS.get(row["Category"].strip())
        name = row["Cookie / Data Key name"].strip()
        domain = _DOMAIN.search(row["Domain"].strip().lower())
        if purpose is None or not name or len(name) > 60 or "%" in name or not name.isprintable():
            continue
        wild = row["Wildcard match"].strip() == "1"
        if domain is None and (_COMMON.fullmatch(name) or (wild and len(name) < 4)):
            continue
        yield name + "*" * wild, domain[0] if domain else "", purpose, row["Platform"].strip()


def main(path: str) -> None:
    """Write the data file."""
    with Path(path).open(encoding="utf-8", newline="") as source:
        found = sorted({row[:2]: row for row in rows(source)}.values())
    OUT.write_text("".join("\t".join(row) + "\n" for row in found), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
