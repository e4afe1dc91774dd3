"""What the words of a banner mean: labels of controls, and texts that ask for consent, by language.

A language is a TOML file beside this one, of patterns over folded words (see `fold`); all languages are tried
together, since a page in one language often has a banner in another. Nothing here knows any maker's banner.
Source: read from banners in use, and rules R21, R25, R45.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache
from importlib import resources

import msgspec

from placet.audit.evidence import Act

_HERE = resources.files(__name__)
_LETTERS = str.maketrans(
    {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "ł": "l", "þ": "th", "ı": "i", "ς": "σ"}
)
_CROSSES = frozenset("x×✕✖✗✘❌⨯╳🗙ｘ")
_ANCHORS = ("^", r"\b", "€", "£", r"\$", ".")  # of patterns that say themselves where they start
_LONGEST, _MOST_WORDS = 110, 16  # of a label: what is longer is a sentence, whatever it says


class Words(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The words of one language. Each list but `common` is of regular expressions over folded text."""

    common: str = ""  # words that tell the language from others
    topic: tuple[str, ...] = ()  # the text is about cookies, trackers or consent
    weak: tuple[str, ...] = ()  # it may be
    accept: tuple[str, ...] = ()
    refuse: tuple[str, ...] = ()
    only: tuple[str, ...] = ()  # a refusal that speaks of accepting: "only the necessary ones"
    undo: tuple[str, ...] = ()  # the contrary of a refusal
    settings: tuple[str, ...] = ()
    save: tuple[str, ...] = ()
    close: tuple[str, ...] = ()
    partners: tuple[str, ...] = ()
    policy: tuple[str, ...] = ()
    more: tuple[str, ...] = ()
    later: tuple[str, ...] = ()  # neither yes nor no
    other: tuple[str, ...] = ()  # what is accepted or refused has nothing to do with cookies
    pay: tuple[str, ...] = ()
    reopen: tuple[str, ...] = ()  # an entry to the settings
    words_only: tuple[str, ...] = ()  # withdrawal described, not offered
    interest: tuple[str, ...] = ()  # legitimate interest
    recipe: tuple[str, ...] = ()  # cookies to eat
    newsletter: tuple[str, ...] = ()


@cache
def read_words() -> dict[str, Words]:
    """Return the words of every language, each by its code."""
    return {
        file.name.removesuffix(".toml"): msgspec.toml.decode(file.read_bytes(), type=Words)
        for file in sorted(_HERE.iterdir(), key=lambda file: file.name)
        if file.name.endswith(".toml")
    }


def fold(text: str) -> str:
    """Return the text in lower case, without accents, punctuation, emoji or double spaces.

    Letters of any script stay; the euro, pound and dollar signs stay too, as they tell a price.
    """
    plain = unicodedata.normalize("NFKD", text.casefold().translate(_LETTERS))
    kept = (
        "" if unicodedata.combining(sign) or unicodedata.category(sign) == "Cf"
        else sign if sign.isalnum() or sign in "€£$"
        else " "
        for sign in plain
    )  # fmt: skip
    return " ".join("".join(kept).translate(_LETTERS).split())


def _plain_pattern(pattern: str) -> str:
    """Return a pattern of the data with its letters folded and its signs left alone."""
    return "".join(
        sign
        for sign in unicodedata.normalize("NFKD", pattern.translate(_LETTERS))
        if not unicodedata.combining(sign)
    ).translate(_LETTERS)


@cache
def _pattern(kind: str, language: str = "") -> re.Pattern[str]:
    """Return one pattern for all that the languages list under a kind. An unanchored one starts a word."""
    found = [
        pattern
        for code, words in read_words().items()
        if language in ("", code)
        for pattern in getattr(words, kind)
    ]
    plain = [_plain_pattern(one) for one in found]
    anchored = [one for one in plain if one.startswith(_ANCHORS)]
    loose = [one for one in plain if not one.startswith(_ANCHORS)]
    return re.compile("|".join([*anchored, rf"\b(?:{'|'.join(loose)})"] if loose else anchored) or r"(?!)")


def _has(kind: str, label: str) -> bool:
    return _pattern(kind).search(label) is not None


def topic_stems() -> list[str]:
    """Return the words that make a text worth a look, for a search by substring in folded text."""
    return sorted({_plain_pattern(stem) for words in read_words().values() for stem in words.topic})


def about(text: str) -> int:
    """Return how much a text is about consent to cookies or trackers: 0 if it is not.

    A recipe for cookies is not, a newsletter that names its privacy policy is not.
    """
    plain = fold(text[:20_000])
    strong = len(_matches("topic", plain))
    weak = len(_matches("weak", plain))
    if not strong and weak < 2:
        return 0
    sweet = len(_matches("recipe", plain))
    if sweet and sweet >= strong + weak - plain.count("cookie") // 2:
        return 0
    if _has("newsletter", plain) and "cookie" not in plain and strong < 2:
        return 0
    return 2 * strong + weak


def _matches(kind: str, text: str) -> set[str]:
    return {match.group() for match in _pattern(kind).finditer(text)}


def language_of(text: str) -> str:
    """Return the code of the language that most words of a text belong to, or "" if none stands out."""
    words = fold(text[:20_000]).split()
    counts = {
        code: sum(word in common for word in words)
        for code, entry in read_words().items()
        if (common := frozenset(fold(entry.common).split()))
    }
    best = max(counts, key=lambda code: counts[code], default="")
    return best if best and counts[best] >= max(2, len(words) // 20) else ""


def act_of(name: str, role: str = "button", context: str = "") -> Act:
    """Return what a control does, as its name says, its role and the text of the banner around it.

    "Accept only what is necessary" refuses, "OK" accepts, "later" does neither (rule R25). Where a context
    is given that is not about consent, a label that does not name cookies itself is unknown.
    """
    return _act_of(name, role, not context or about(context) > 0 or about(name) > 0)


@lru_cache(maxsize=4096)
def _act_of(name: str, role: str, asked: bool) -> Act:
    if role in ("checkbox", "switch", "radio", "textbox", "searchbox", "combobox"):
        return "unknown"
    label = fold(name)
    if not label or label in _CROSSES:
        return "close" if any(sign in _CROSSES for sign in name.casefold()) else "unknown"
    if len(label) > _LONGEST or label.count(" ") >= _MOST_WORDS:
        return "unknown"
    act = _said(label)
    return act if asked or act in ("close", "policy") else "unknown"


def _said(label: str) -> Act:
    """Tell by the folded label alone."""
    named = _has("topic", label)
    if _has("later", label) or _has("pay", label) or (_has("other", label) and not named):
        return "unknown"
    if _has("undo", label):
        return "unknown"
    if answer := _answer(label):
        return answer
    for act in _REST:
        if _has(act, label) and not (act == "policy" and _has("settings", label)):
            return act
    return "unknown"


def _answer(label: str) -> Act | None:
    """Tell a yes, a no or a selection, or None where the label is none of them."""
    accept, settings = _pattern("accept").search(label), _pattern("settings").search(label)
    if _has("only", label):
        return "refuse"
    if refuse := _pattern("refuse").search(label):
        # "Accept or refuse cookies", "Refuse or choose": both at once lead on to where one chooses.
        rest = label[: refuse.start()] + " " + label[refuse.end() :]
        both = _pattern("accept").search(rest) or (settings and settings.group() not in refuse.group())
        return "settings" if both else "refuse"
    if _has("save", label) and not re.search(_ALL, label):
        return "save"
    topic = _pattern("topic").search(label)
    told = topic is not None and accept is not None and topic.start() < accept.start()  # "cookies: allowed"
    if accept and (settings is None or (accept.start() < settings.start() and not told)):
        return "accept"
    return None


_ALL = re.compile(  # what is saved with all in it is not a selection
    r"\b(?:all|alle|alles|allen|tout|tous|toutes|todas?|todos?|tutti|tutto|alla|kaikki|vse|vsechny"
    r"|wszystkie|sve|toate|osszes|visus?|koik)\b"
)

_REST: tuple[Act, ...] = ("partners", "policy", "settings", "save", "close", "more")  # the first that fits


def says_all(name: str) -> bool:
    """Tell whether a label is about everything at once."""
    return _ALL.search(fold(name)) is not None


def reopens(name: str) -> bool:
    """Tell whether a control's name says that it opens the settings of cookies (rule R45)."""
    label = fold(name)
    if not 0 < len(label) <= _LONGEST or label.count(" ") >= 10:
        return False
    named = _has("topic", label) and _has("settings", label) and not _has("policy", label)
    return named or _has("reopen", label)


def only_described(text: str) -> bool:
    """Tell whether a text says to withdraw by emptying the browser's cookies or changing its settings."""
    return _has("words_only", fold(text))


def by_interest(name: str) -> bool:
    """Tell whether a toggle or a tab is about legitimate interest (rule R36)."""
    return _has("interest", fold(name))
