"""Sentences for findings, grounds, rules and reports, in French and in English.

Each part of the audit keeps its own in `<part>.en.toml` and `<part>.fr.toml`, with the same keys and
placeholders in both: `[kinds.<kind>]` has `title`, `seen` and `mend`, `[grounds.<ground>]` has `text`. What a
placeholder holds came from a page; whoever shows a sentence escapes it.

A placeholder is `{name}`, or `{name:form}` where the value is to be put into words: `life` (seconds),
`state`, `purpose`, `percent` (0.5 is half), `said` (an answer). A value of another form is shown as it is.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from placet.audit.judgement import Finding, Pass

from .durations import duration

LANGUAGES = ("fr", "en")
PLACEHOLDER = re.compile(r"\{(\w+)(?::(\w+))?\}")
UNKNOWN = "…"  # in the place of a value that nobody gave

Texts = Mapping[str, Mapping[str, Any]]


@cache
def texts(language: str) -> Texts:
    """Return all tables of a language's files, those of the same name as one."""
    joined: dict[str, dict[str, Any]] = {}
    for file in sorted(files(__name__).iterdir(), key=lambda file: file.name):
        if file.name.endswith(f".{language}.toml"):
            for table, entries in tomllib.loads(file.read_text("utf-8")).items():
                joined.setdefault(table, {}).update(entries)
    return joined


class Words:
    """What a report says in one language; a kind, a ground or a value that has no words never raises."""

    def __init__(self, language: str) -> None:
        self.language = language if language in LANGUAGES else "en"
        self._texts = texts(self.language)
        self._forms: Mapping[str, Callable[[str], str]] = {
            "life": self._life,
            "state": self.state,
            "purpose": self.purpose,
            "percent": self._percent,
            "said": lambda said: self.of("said", said).lower(),
        }

    def title(self, finding: Finding) -> str:
        """What is wrong, in a line."""
        return self._of_kind(finding, "title") or finding.kind.replace("-", " ").capitalize()

    def seen(self, finding: Finding) -> str:
        """What was seen, in a sentence or two."""
        listed = "; ".join(f"{name}: {value}" for name, value in finding.values.items())
        return self._of_kind(finding, "seen") or listed or finding.subject

    def mend(self, finding: Finding) -> str:
        """How it is mended; empty if nobody wrote that down."""
        return self._of_kind(finding, "mend")

    def ground(self, allowed: Pass) -> str:
        """Why it is let pass."""
        text = self._look("grounds", allowed.ground, "text")
        return self._filled(text, {"subject": allowed.subject, **allowed.values}) or allowed.ground

    def rule(self, number: str) -> str:
        """What a rule asks, in a sentence; empty for one that no audit tests."""
        return str(self._texts.get("rules", {}).get(number, ""))

    def state(self, state: str) -> str:
        """The choice that was in force."""
        return str(self._texts.get("states", {}).get(state, state))

    def purpose(self, purpose: str) -> str:
        """What a tracker is for."""
        return str(self._texts.get("purposes", {}).get(purpose, purpose))

    def subject(self, subject: str) -> str:
        """What a finding is about; its first word says of which kind that is."""
        kind, space, name = subject.partition(" ")
        return f"{self.of('subjects', kind)}{space}{name}"

    def reason(self, why: str) -> str:
        """Why something was not tried or not finished, as far as it is one of the reasons that are known."""
        for pattern, text in self._texts.get("reasons", {}).items():
            parts = (re.escape(part) for part in pattern.split("*"))
            if match := re.fullmatch("(.*)".join(parts), why, re.DOTALL):
                return self._filled(str(text), {str(n): part for n, part in enumerate(match.groups(), 1)})
        return why

    def scenario(self, scenario: str) -> str:
        """What the visitor did, in a few words."""
        return str(self._texts.get("scenarios", {}).get(scenario, scenario))

    def phase(self, name: str) -> str:
        """The name of a phase; a variant that is a purpose is as the site calls it."""
        scenario, space, variant = name.partition(" ")
        return f"{scenario}{space}{self.of('variants', variant)}"

    def of(self, table: str, key: str) -> str:
        """A word of one of the report's small tables; the key itself if it is not there."""
        return str(self._texts.get(table, {}).get(key, key))

    def say(self, key: str, /, **values: object) -> str:
        """A sentence of the report itself."""
        return self._filled(str(self._texts.get("ui", {}).get(key, key)), _strings(values))

    def count(self, key: str, number: int) -> str:
        """A number of something; in French, none is singular."""
        singular = number <= 1 if self.language == "fr" else number == 1
        forms = self._texts.get("counts", {}).get(key, {})
        return self._filled(
            str(forms.get("one" if singular else "many", key)), {"number": self.number(number)}
        )

    def number(self, number: int) -> str:
        """A number with its thousands apart."""
        return f"{number:,}".replace(",", "\u202f" if self.language == "fr" else ",")

    def life(self, seconds: float | None) -> str:
        """How long something is kept."""
        return self.say("life_session") if seconds is None else duration(seconds, self.language)

    def _life(self, value: str) -> str:
        return self.life(float(value)) if value else self.life(None)

    def _percent(self, value: str) -> str:
        space = "\u00a0" if self.language == "fr" else ""
        return f"{float(value) * 100:.0f}{space}%"

    def _of_kind(self, finding: Finding, part: str) -> str:
        values = {
            "subject": finding.subject,
            "service": finding.service,
            "purpose": self.purpose(finding.purpose),
            **finding.values,
        }
        return self._filled(self._look("kinds", finding.kind, part), values)

    def _look(self, table: str, key: str, part: str) -> str:
        return str(self._texts.get(table, {}).get(key, {}).get(part, ""))

    def _filled(self, text: str, values: Mapping[str, str]) -> str:
        def put(match: re.Match[str]) -> str:
            value = values.get(match[1])
            form = self._forms.get(match[2] or "")
            if value is None:
                return UNKNOWN
            try:
                return form(value) if form else value
            except (ValueError, OverflowError):
                return value

        return PLACEHOLDER.sub(put, text)


def _strings(values: Mapping[str, object]) -> dict[str, str]:
    return {name: str(value) for name, value in values.items()}
