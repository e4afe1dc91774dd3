"""What stands where a frame or an embed was held: what it is, why it is missing, and the ways to it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from urllib.parse import urlsplit

from placet.catalogue import read_shelves
from placet.consent.policy import Policy
from placet.consent.services import embed_at
from placet.consent.sources import Frame, Held

from .wording import Wording

# Of what else a purpose allows, so many are named; the others are counted.
NAMED = 3

_NO_FRAME = Frame()
# What does not grow with its words.
_BOUNDED = re.compile(r"(?:^|;)(?:max-(?:height|block-size):|position:\s*(?:absolute|fixed))")
# A height that words may outgrow; where there is a ratio, they do that by themselves.
_HIGH = re.compile(r"(?:^|;)(?:height|block-size):")
_SIZED = {
    side: re.compile(rf"(?:^|;)(?:(?:min-)?(?:{names})|aspect-ratio):")
    for side, names in (("width", "width|inline-size"), ("height", "height|block-size"))
}


class Placeholders:
    """The stand-ins of one policy, in each of its languages."""

    def __init__(self, policy: Policy, wordings: Mapping[str, Wording], render: Callable[..., str]) -> None:
        """Take the policy, its words by language, and what renders a template in a language."""
        self._policy = policy
        self._wordings = wordings
        self._render = render
        shelves = read_shelves()
        self._advertisers = frozenset(shelves["advertising"].services)
        # As the catalogue names the purpose, less the name that is first of all another kind's.
        first = {shelf.purposes[0] for kind, shelf in shelves.items() if kind != "advertising"}
        self._advertising = frozenset(shelves["advertising"].purposes) - first
        self._known = lru_cache(maxsize=1_024)(self._shown)  # a page's frames are few, and come again

    def of(self, language: str, *, framed: bool) -> Callable[[Held], bytes]:
        """Return what makes the stand-in of a frame that is held, ASCII with numeric references.

        `framed` says that the page is itself in a frame: there is no button there, for its page may not
        be this site's.
        """
        return partial(self._placeholder, language, framed)

    def every(self, language: str) -> str:
        """Return a stand-in for each purpose and provider that one can allow, for the records."""
        asked = [id for id, purpose in self._policy.purposes.items() if purpose.basis == "consent"]
        shown = (
            self._shown(language, False, purpose, provider, "", _NO_FRAME)
            for purpose in asked
            for provider in (None, *(id for id, _ in self._policy.of_purpose(purpose)))
        )
        return "\n".join(shown)

    def _placeholder(self, language: str, framed: bool, held: Held) -> bytes:
        frame = held.frame or _NO_FRAME
        known = held.provider or held.purpose
        host = "" if known else _host(held.source)
        shown = self._known(language, framed, held.purpose, held.provider, host, frame)
        return shown.encode("ascii", "xmlcharrefreplace")

    def _shown(
        self,
        language: str,
        framed: bool,
        purpose: str | None,
        provider: str | None,
        host: str,
        frame: Frame,
    ) -> str:
        wording = self._wordings[language]
        named = self._policy.providers[provider] if provider else None
        embed, link = (named and embed_at(named, frame.address)) or (None, None)
        purpose_title = wording.title(purpose) if purpose else ""
        link = link or (frame.address if purpose and self._leads_away(frame.address) else None)
        allowable = purpose is not None and self._policy.purposes[purpose].basis == "consent"
        if provider in self._advertisers or purpose in self._advertising:
            allowable, link = False, None  # nobody looks for an advertisement: the settings are enough
        also = wording.reach(purpose, provider) if purpose else []
        return self._render(
            "placeholder.html",
            language,
            name=named.name if named else purpose_title or host,
            content=frame.title or (embed.title.get(language, "") if embed else ""),
            purpose=purpose,
            title=purpose_title,
            link=link,
            link_host=_host(link) if link else "",
            also=also[:NAMED],
            more=len(also[NAMED:]),
            allowable=allowable and not framed,
            framed=framed,
            frame=frame,
            **_sizes(frame),
        )

    def _leads_away(self, address: str) -> bool:
        """Say whether a link to the address would show something: on this site it is refused as well."""
        try:
            parts = urlsplit(address)
        except ValueError:
            return False
        return parts.scheme in ("http", "https") and parts.hostname not in (None, *self._policy.site.hosts)


def _sizes(frame: Frame) -> dict[str, object]:
    """Return the size of the strut that holds the place open, in pixels, and the style beside it.

    A strut has its size in attributes, which no Content-Security-Policy ignores; what cannot be written
    so is in the style, like the author's own.
    """
    style = [frame.style] if frame.style else []
    strut: dict[str, str] = {}
    for side, given, usual in (("width", frame.width, "300"), ("height", frame.height, "150")):
        share = given.endswith("%")
        if share and not (side == "width" and given == "100%"):
            style.append(f"{side}:{given}")
        open_already = _SIZED[side].search(frame.style) or (share and side == "width")
        strut[f"strut_{side}"] = "0" if open_already else usual if share or not given else given
    written = ";".join(style)
    return {
        **strut,
        "style": written,
        "bounded": bool(_BOUNDED.search(written)),
        "high": bool(_HIGH.search(written)) and "aspect-ratio" not in written,
    }


def _host(source: str) -> str:
    try:
        return urlsplit(source).hostname or source[:80]
    except ValueError:
        return source[:80]
