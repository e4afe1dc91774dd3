"""A policy and a decision in the words of one language, as the client's templates take them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, get_args

from babel import Locale
from babel.dates import format_date, format_time
from babel.lists import format_list
from markupsafe import Markup, escape

from placet.consent.choice import LIFE
from placet.consent.decision import Answer, Decision, Reason
from placet.consent.policy import Policy
from placet.consent.policyfile import Data, Provider, Tracker

from .receiptfile import moment

# What there is to choose comes first.
ORDER = ("consent", "measurement", "necessary")


@dataclass(frozen=True, slots=True)
class ShownTracker:
    """One line of the cookie policy."""

    name: str
    kind: str
    set_by: str
    domain: str
    life: tuple[int, str]  # a number and its unit; the unit "session" has none


@dataclass(frozen=True, slots=True)
class ShownPurpose:
    """A purpose as the notice, the settings and the cookie policy show it."""

    id: str
    basis: str
    title: str
    description: str
    refusal_effect: str
    data: tuple[str, ...]
    features: tuple[str, ...]
    providers: tuple[Provider, ...]
    trackers: tuple[ShownTracker, ...]
    standing: str
    band: str
    ticked: bool  # the visitor's own answer in force: a grant, or an objection to measurement


@dataclass(frozen=True, slots=True)
class ShownAnswer:
    """What a receipt says of one purpose."""

    id: str
    title: str  # today's; the id, where the policy has no such purpose any more
    basis: str
    granted: bool
    standing: str  # where it stands now, if that is not as it was chosen


class Wording:
    """A policy in one language."""

    def __init__(self, policy: Policy, language: str) -> None:
        """Take the policy and one of its languages."""
        self._policy = policy
        self._language = language
        self._order = [id for basis in ORDER for id, p in policy.purposes.items() if p.basis == basis]

    def asking(self, decision: Decision) -> dict[str, Any]:
        """Return what the notice, the settings and the cookie policy say."""
        purposes = [self._purpose(decision, id) for id in self._order]
        asked = [purpose for purpose in purposes if purpose.basis == "consent"]
        data = {kind for purpose in asked for kind in purpose.data}
        return {
            "purposes": purposes,
            "asked": asked,
            "asked_data": [kind for kind in get_args(Data) if kind in data],
            "partners": sum(len(purpose.providers) for purpose in asked),
            "measured": any(purpose.basis == "measurement" for purpose in purposes),
            "closed": [feature for purpose in asked for feature in purpose.features],
            "gpc": decision.gpc and any(p.shares for p in self._policy.purposes.values()),
            "changed": any(reason is Reason.CHANGED for _, reason in decision.answers.values()),
            "overall": decision.overall,
            "client_data": self.client_data(decision),
        }

    def answered(self, answers: Mapping[str, str], decision: Decision) -> list[ShownAnswer]:
        """Return what was answered once, by purpose id, with where that stands by today's decision."""
        order = [*self._order, *answers]
        return [
            self._answered(id, answers[id] == "granted", decision) for id in sorted(answers, key=order.index)
        ]

    def _answered(self, id: str, granted: bool, decision: Decision) -> ShownAnswer:
        purpose = self._policy.purposes.get(id)
        if purpose is None:
            return ShownAnswer(id, id, "consent", granted, "gone")
        answer, reason = decision.answers[id]
        standing = "" if (answer is Answer.GRANTED) == granted else _standing(answer, reason)
        return ShownAnswer(id, self.title(id), purpose.basis, granted, standing)

    def title(self, purpose: str) -> str:
        """Return a purpose's title; raises `UnknownName` where the policy has none such."""
        return typeset(self._policy.purpose(purpose).text[self._language].title, self._language)

    def feature(self, id: str) -> str:
        """Return a feature's name; raises `UnknownName` likewise."""
        return typeset(self._policy.feature(id).text[self._language], self._language)

    def reach(self, purpose: str, provider: str | None) -> list[str]:
        """List what a purpose allows beside one provider: the others by name, then the features."""
        others = [each.name for id, each in self._policy.of_purpose(purpose) if id != provider]
        return others + self._features(purpose)

    def client_data(self, decision: Decision) -> Markup:
        """Return the root's attributes for the client: the state, and what is kept on the terminal."""
        refusable = [id for id in self._order if self._policy.purposes[id].basis != "necessary"]
        refused = self._kept(id for id in refusable if id in decision.barred)
        granted = {id: self._kept([id]) for id in refusable if id not in decision.refused}
        for id, kept in granted.items():
            kept.pop("cookie", None)  # the server expires what is withdrawn
            if id in decision.observed:
                kept.clear()  # it stays, whatever is withdrawn
        return Markup('data-state="{}" data-refused="{}" data-granted="{}"').format(
            decision.state, json.dumps(refused), json.dumps(granted)
        )

    def own_tracker(self) -> ShownTracker:
        """Return the consent cookie, which is a tracker too."""
        site = self._policy.site
        domain = site.cookie_domain or site.hosts[0]
        return ShownTracker(self._policy.cookie_name, "cookie", site.name, domain, (LIFE, "day"))

    def _purpose(self, decision: Decision, id: str) -> ShownPurpose:
        purpose = self._policy.purposes[id]
        words = purpose.text[self._language]
        answer, reason = decision.answers[id]
        objected = purpose.basis == "measurement" and answer is Answer.DENIED
        granted = purpose.basis == "consent" and answer is Answer.GRANTED
        return ShownPurpose(
            id=id,
            basis=purpose.basis,
            title=self.title(id),
            description=typeset(words.description, self._language),
            refusal_effect=typeset(words.refusal_effect, self._language),
            data=purpose.data,
            features=tuple(self._features(id)),
            providers=tuple(provider for _, provider in self._policy.of_purpose(id)),
            trackers=tuple(self._tracker(t) for t in self._policy.written.trackers if t.purpose == id),
            standing=_standing(answer, reason),
            band="allowed" if answer is Answer.GRANTED else "refused",
            ticked=objected or granted,
        )

    def _features(self, purpose: str) -> list[str]:
        return [self.feature(id) for id, f in self._policy.written.features.items() if f.purpose == purpose]

    def _tracker(self, tracker: Tracker) -> ShownTracker:
        site = self._policy.site
        provider = self._policy.providers[tracker.provider].name if tracker.provider else site.name
        number, _, unit = tracker.life.partition(" ")
        life = (int(number), unit.rstrip("s")) if unit else (0, "session")
        domain = tracker.domain or site.hosts[0]
        return ShownTracker(tracker.name, tracker.kind, provider, domain + tracker.path.rstrip("/"), life)

    def _kept(self, purposes: Iterable[str]) -> dict[str, str]:
        """Return, for each kind of tracker that a script can reach, a regular expression over its names."""
        wanted = frozenset(purposes)
        names: dict[str, list[str]] = {}
        for tracker in (declared.written for declared in self._policy.trackers if declared.own):
            if tracker.purpose in wanted and tracker.kind not in ("pixel", "fingerprint"):
                pattern = ".*".join(map(_quoted, tracker.name.split("*")))
                names.setdefault(tracker.kind, []).append(pattern)
        return {kind: "|".join(patterns) for kind, patterns in names.items()}


def filters(language: str) -> Mapping[str, Callable[..., Any]]:
    """Return the filters that the templates use: lists, days and countries as the language writes them."""
    locale = Locale.parse(language)

    def listed(items: Iterable[object]) -> Markup:
        joined = format_list([str(escape(item)) for item in items], locale=locale)
        return Markup(joined)  # noqa: S704 - its parts are escaped

    return {
        "listed": listed,
        "word": lambda id, named: named(id),
        "day": lambda day: format_date(date.fromisoformat(day), "long", locale=locale),
        "iso": lambda milliseconds: moment(milliseconds).isoformat(timespec="seconds"),
        "date_of": lambda milliseconds: format_date(moment(milliseconds), "long", locale=locale),
        "time_of": lambda milliseconds: format_time(moment(milliseconds), "HH:mm:ss", locale=locale),
        "country": lambda code: locale.territories.get(code.upper(), code),
    }


def typeset(text: str, language: str) -> str:
    """Return the operator's text with the spaces that French keeps from breaking a line (U+202F)."""
    return re.sub(r" (?=[;:!?»])|(?<=«) ", "\u202f", text) if language == "fr" else text


def _standing(answer: Answer, reason: Reason) -> str:
    if reason is Reason.CHOSEN:
        return str(answer)
    known = (Reason.NECESSARY, Reason.EXEMPT, Reason.SIGNAL, Reason.CHANGED, Reason.EXPIRED)
    return str(reason) if reason in known else "unasked"


def _quoted(name: str) -> str:
    return re.sub(r"[.*+?^${}()|[\]\\/]", r"\\\g<0>", name)
