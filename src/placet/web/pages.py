"""What the visitor sees, rendered: the policy's words and a decision, put into the client's templates.

pages = Pages(policy)
pages.page(decision)["fr"].body     # the notice, or the entry, for the markup lock to put in
pages.settings(decision, "fr", "/") # a page of its own, UTF-8
pages.contents                      # what all of it is made of, for the ledger to keep
"""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import msgspec
from jinja2 import Environment, TemplateSyntaxError
from markupsafe import Markup, escape

from placet import client
from placet.consent.choice import Fault
from placet.consent.decision import Decision, decide
from placet.consent.markup import Insertion
from placet.consent.policy import Policy
from placet.consent.receipt import Layer
from placet.consent.response import Assets
from placet.errors import SetupError
from placet.ledger.store import Kept

from .placeholders import Placeholders
from .receiptfile import Recorded
from .wording import Wording, filters, typeset

# Placet's own pages need nothing but their own style, their own client, and the way back.
PAGE_HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
}

# The first paint waits for the notice, which is in the same bytes: one frame shows both, and nothing
# jumps (HTML, link type "expect"; a browser without it paints the notice a frame later).
_EXPECT = b'<link rel="expect" href="#placet" blocking="render">'


class Pages:
    """All that Placet shows for one policy; the `Fragments` that the road puts into pages."""

    def __init__(self, policy: Policy, prefix: str = "/.placet/", templates: Path | None = None) -> None:
        """Read templates and translations; files in `templates` replace the shipped ones by name.

        Raises `SetupError` for a language of the site that has no translation, and for a template that
        cannot be read.
        """
        self._policy = policy
        self._prefix = prefix
        self._own = templates
        self.languages = policy.site.languages
        self._wordings = {language: Wording(policy, language) for language in self.languages}
        self._explaining = lru_cache(maxsize=1_024)(self._explained)
        self._environments = {language: self._environment(language) for language in self.languages}
        self._placeholders = Placeholders(policy, self._wordings, self._render)
        style = client.bare_style(client.text("placet.css", templates))
        script = client.text("placet.js", templates).encode()
        sheet = client.bare_style(style + "\n" + client.text("pages.css", templates)).encode()
        self.assets = Assets(style=_digest(style.encode()), script=_digest(script))
        self._style = b"<style>" + style.encode("ascii") + b"</style>"
        checker = client.text("receipt.js", templates).encode()
        self._script = f"client.{_name(script)}.js"
        self._checker = f"receipt.{_name(checker)}.js"
        self._sheet = f"pages.{_name(sheet)}.css"
        self.files: Mapping[str, tuple[bytes, str]] = {
            self._script: (script, "text/javascript"),
            self._checker: (checker, "text/javascript"),
            self._sheet: (sheet, "text/css"),
        }
        self._client = (
            f'<script type="module" src="{escape(prefix)}{self._script}" '
            f'integrity="{self.assets.script}"></script>'
        ).encode("ascii")
        written = msgspec.json.encode(policy.written)
        sources = client.sources(templates)
        seen = b"\0".join([*sources.values(), prefix.encode()])
        self.version = hashlib.sha256(written + seen).hexdigest()[:12]
        first = decide(policy, Fault.ABSENT, gpc=False)
        notices = {
            language: self._kept(language, style, written, self._notice(first, language, ""))
            for language in self.languages
        }
        placeholders = {
            language: self._kept(language, style, written, self._placeholders.every(language))
            for language in self.languages
        }
        self._hashes = {
            (of_placeholders, language): hashlib.sha256(kept).hexdigest()
            for of_placeholders, kept_ones in ((False, notices), (True, placeholders))
            for language, kept in kept_ones.items()
        }
        self.contents: Mapping[str, bytes] = {
            **sources,
            "policy.json": written,
            **{f"notice.{language}.html": kept for language, kept in notices.items()},
            **{f"placeholders.{language}.html": kept for language, kept in placeholders.items()},
            **self._kept_pages(),
        }

    def notice_hash(self, language: str) -> str:
        """Return the SHA-256, hex, of `notice.<language>.html` in `contents`.

        That is the notice as a first visit reads it, and the hash of the policy behind it.
        """
        return self._hashes[False, language]

    def shown_hash(self, layer: Layer, language: str) -> str:
        """Return the hash of what a visitor read on a layer: of the notice, or of the placeholders.

        The settings say what the notice says. The placeholders' is that of `placeholders.<language>.html`
        in `contents`: one for each purpose and provider.
        """
        return self._hashes[layer == "placeholder", language]

    def page(self, decision: Decision) -> Mapping[str, Insertion]:
        """Return, for each language, style, notice or entry, and client."""
        return {language: self._insertion(decision, language) for language in self.languages}

    def frame(self, decision: Decision) -> Mapping[str, Insertion]:
        """Return, for each language, what a page within a page gets: the placeholders and their style."""
        return {
            language: Insertion(self._style, b"", self._placeholders.of(language, framed=True))
            for language in self.languages
        }

    def settings(self, decision: Decision, language: str, back: str, *, receipt: bool = False) -> bytes:
        """Return the settings page; `back` is where the visitor came from, a path.

        `receipt` says whether they have one.
        """
        asking = self._asking(decision, language, self.notice_hash(language))
        return self._full("settings.html", language, back, receipt=receipt, **asking)

    def cookie_policy(self, decision: Decision, language: str, back: str) -> bytes:
        """Return the page that lists every tracker: its purpose, its life and who sets it."""
        wording = self._wordings[language]
        listed = self._asking(decision, language, "") | {"own_tracker": wording.own_tracker()}
        return self._full("cookies.html", language, back, **listed)

    def receipt(
        self,
        decision: Decision,
        language: str,
        record: Recorded,
        *,
        kept: Kept,
        earlier: Sequence[Recorded | None],
        proof: Literal["there", "soon", "late"],
    ) -> bytes:
        """Return the receipt of a choice, with the choices that it replaced, the last first."""
        wording = self._wordings[language]
        asking = self._asking(decision, language, self.notice_hash(language))
        return self._full(
            "receipt.html",
            language,
            "/",
            record=record,
            answered=wording.answered(record.answers, decision),
            changed_policy=record.policy != self._policy.fingerprint,
            earlier=[each and (each, wording.answered(each.answers, decision)) for each in earlier],
            older=bool(earlier and earlier[-1] and earlier[-1].previous),
            written=kept.entry.record.decode() if kept.entry else "",
            kept=kept,
            leaf=b64encode(kept.leaf).decode(),
            proof=proof,
            checker=self._checker,
            **asking,
        )

    def no_receipt(self, why: str, language: str) -> bytes:
        """Return the page that says why there is no receipt, by the name of an `Absence`."""
        return self._full("no_receipt.html", language, "/", why=why)

    def refused(self, name: str, language: str) -> bytes:
        """Return the page that says why a feature or a purpose's address is closed."""
        return self._full("refused.html", language, "/", explanation=self.explain(name, language))

    def unavailable(self, language: str, back: str) -> bytes:
        """Return the page that says that a grant could not be recorded, and so is not given (R101)."""
        return self._full("unavailable.html", language, back)

    def unchanged(self, language: str) -> bytes:
        """Return the page that says that a request was not the visitor's own click."""
        return self._full("unchanged.html", language, "/")

    def unknown(self, language: str) -> bytes:
        """Return the page for an address that Placet does not have."""
        return self._full("unknown.html", language, "/")

    def explain(self, name: str, language: str) -> Markup:
        """Return the sentence that stands in for a feature, or a purpose's use, that is off.

        Raises `UnknownName` where the policy has neither.
        """
        return self._explaining(name, language)

    def _explained(self, name: str, language: str) -> Markup:
        feature = self._policy.written.features.get(name)
        wording = self._wordings[language]
        purpose = feature.purpose if feature else name
        # The operator's reason is written once, in the site's first language.
        reason = typeset(feature.reason, language) if feature and language == self.languages[0] else ""
        sentence = self._render(
            "explain.html",
            language,
            feature=wording.feature(name) if feature else "",
            reason=reason,
            purpose=purpose,
            title=wording.title(purpose),
        )
        return Markup(sentence)  # noqa: S704 - the template has escaped its parts

    def _insertion(self, decision: Decision, language: str) -> Insertion:
        head = self._style
        if decision.asks:
            head += _EXPECT
            body = self._notice(decision, language, self.notice_hash(language))
        else:
            data = self._wordings[language].client_data(decision)
            body = self._render("entry.html", language, overall=decision.overall, client_data=data)
        if any(self._policy.purposes[id].basis == "consent" for id in decision.refused):
            body += self._render("allow.html", language, shown=self.shown_hash("placeholder", language))
        placeholder = self._placeholders.of(language, framed=False)
        return Insertion(head, _ascii(body) + self._client, placeholder)

    def _kept(self, language: str, style: str, written: bytes, shown: str) -> bytes:
        """Return what was shown as a document that can be opened alone, years later."""
        document = self._render(
            "kept.html",
            language,
            style=Markup(style),  # noqa: S704 - ours, or the operator's own file
            policy=hashlib.sha256(written).hexdigest(),
            notice=Markup(shown),  # noqa: S704 - the templates have escaped their parts
        )
        return document.encode()

    def _kept_pages(self) -> dict[str, bytes]:
        """Return the settings and the cookie policy as a first visit reads them."""
        first = decide(self._policy, Fault.ABSENT, gpc=False)
        return {
            name: page(first, language, "/")
            for language in self.languages
            for name, page in (
                (f"settings.{language}.html", self.settings),
                (f"cookies.{language}.html", self.cookie_policy),
            )
        }

    def _notice(self, decision: Decision, language: str, shown: str) -> str:
        return self._render("notice.html", language, **self._asking(decision, language, shown))

    def _asking(self, decision: Decision, language: str, shown: str) -> dict[str, Any]:
        return {**self._wordings[language].asking(decision), "shown": shown}

    def _full(self, template: str, language: str, back: str, **context: Any) -> bytes:
        context.setdefault("client_data", "")
        page = self._render(
            template, language, back=back, stylesheet=self._sheet, script=self._script, **context
        )
        return page.encode()

    def _render(self, template: str, language: str, /, **context: Any) -> str:
        shown = (
            self._environments[language]
            .get_template(template)
            .render(
                site=self._policy.site,
                prefix=self._prefix,
                language=language,
                # A page in one language leads to settings in the same, whatever the browser prefers.
                settings_address=f"{self._prefix}settings?lang={language}",
                cookies_address=f"{self._prefix}cookies?lang={language}",
                receipt_address=f"{self._prefix}receipt?lang={language}",
                **context,
            )
        )
        return re.sub(r"\s*\n\s*", "\n", shown).strip()

    def _environment(self, language: str) -> Environment:
        try:
            made = client.environment(language, self._own)
        except FileNotFoundError:
            raise SetupError(
                f'S006 placet.toml: site.languages has "{language}", which has no translation; '
                f"put locale/{language}.po into the directory of your templates."
            ) from None
        made.filters.update(filters(language))
        try:
            for name in made.list_templates(filter_func=_is_ours):
                made.get_template(name)
        except TemplateSyntaxError as problem:
            where = f"{problem.name}, line {problem.lineno}"
            raise SetupError(f"S007 {where}: the template cannot be read ({problem.message}).") from problem
        return made


def _is_ours(template: str) -> bool:
    return template.endswith(".html") and not template.startswith("inspector")


def _ascii(text: str) -> bytes:
    """Return the text right in any encoding that is a superset of ASCII."""
    return text.encode("ascii", "xmlcharrefreplace")


def _digest(data: bytes) -> str:
    return "sha256-" + b64encode(hashlib.sha256(data).digest()).decode()


def _name(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:12]
