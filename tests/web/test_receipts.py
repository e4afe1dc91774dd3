"""The visitor's receipt: theirs alone, true, and proved."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import turbohtml
from starlette.responses import Response

from placet.config import read_config
from placet.consent.choice import DAY, Choice, Keys, format_choice
from placet.consent.policy import Policy
from placet.consent.receipt import Record, Shown, canonical, event_of, number_of
from placet.consent.visit import Gate, RequestHead, Visit
from placet.errors import LedgerDown
from placet.ledger.note import Signer, open_checkpoint, parse_proof
from placet.ledger.published import Directory
from placet.ledger.publisher import Publisher
from placet.ledger.sqlite import SqliteStore
from placet.ledger.store import ACTION, EVENT, Entry, Kept, leaf_bytes
from placet.ledger.tree import check_inclusion, leaf_hash
from placet.web.choice import choose
from placet.web.clock import Clock
from placet.web.pages import Pages
from placet.web.receiptfile import format_receipt, schema
from placet.web.receipts import EARLIER, SECONDS, SOON, Receipts

from .gazette import HOST, NAVIGATION, POLICY, Gazette, Visitor

NOW = 1_795_521_600_000  # 2026-11-24T12:00:00Z
ADDRESS = f"https://{HOST}/.placet/"
SIGNER = Signer(f"{HOST}/.placet/log", bytes(range(32)))
FILES = ("receipt.json", "receipt.tlog-proof")
CONSENT = ("ads", "social", "profiles", "geolocation")


class Office:
    """A ledger whose checkpoints come when the test says so, and the receipts of those who chose."""

    def __init__(self, data: Path, policy: Policy) -> None:
        self.policy = policy
        self.now = NOW
        self.pages = Pages(policy)
        self.store = SqliteStore(data / "ledger.db")
        published = Directory(data / "log")
        self.publisher = Publisher(self.store, SIGNER, published, on_fork=pytest.fail)
        clock = Clock(lambda: self.now * 1_000_000)
        self.receipts = Receipts(self.pages, ADDRESS, self.store, published, SIGNER.verifier, clock)
        self._keys = Keys([bytes(32)], policy.cookie_name, HOST)
        self._chosen = 0

    def choose(
        self, *granted: str, previous: str | None = None, recorded: bool = True, **more: Any
    ) -> Choice:
        """Record a choice, without a checkpoint yet; return what the visitor's cookie says."""
        self._chosen += 1
        id = NOW.to_bytes(6) + b"\x70\x00\x80" + self._chosen.to_bytes(7)
        answers = {id: id in granted for id in CONSENT} | {"audience": not more.get("objects", False)}
        receipt = number_of(id) if granted else None
        choice = choose(answers, self.policy, False, NOW // 1_000, receipt)
        notice = self.pages.notice_hash("fr")
        record = Record(
            id=id.hex(),
            site=HOST,
            event=event_of(frozenset(granted), frozenset(more.get("before", ()))),
            act=more.get("act", "save"),
            answers=answers,
            policy=self.policy.fingerprint,
            shown=Shown(more.get("notice", notice), "fr", more.get("layer", "settings")),
            gpc=more.get("gpc", False),
            time=NOW,
            until=(choice.day + 183) * DAY,
            receipt=receipt,
            previous=previous,
        )
        if recorded:
            self.store.append_batch([Entry(id, EVENT, canonical(record, self.policy), os.urandom(32))])
        return choice

    def kept(self, choice: Choice) -> Kept:
        """What the ledger has of it."""
        (found,) = [
            kept
            for kept in self.store.read(0, self.store.size())
            if kept.entry and json.loads(kept.entry.record)["receipt"] == choice.receipt
        ]
        return found

    def erase(self, choice: Choice) -> None:
        entry = self.kept(choice).entry
        assert entry is not None
        self.store.erase([entry.event_id], Entry(os.urandom(16), ACTION, b"{}", os.urandom(32)))

    def visit(self, choice: Choice | None, language: str = "fr") -> Visit:
        cookie = f"{self.policy.cookie_name}={format_choice(choice, self._keys)}" if choice else "a=b"
        head = RequestHead("GET", "/", "https", [(b"host", HOST.encode()), (b"cookie", cookie.encode())])
        gate = Gate(self.policy, self._keys, self.pages, "/.placet/report")
        visit = gate.open(head, NOW // 1_000)
        visit.prefer(language)
        return visit

    def ask(self, name: str, choice: Choice | None, language: str = "fr") -> Response:
        """What the holder of a cookie gets at one of the addresses."""

        async def nothing() -> Any:
            raise AssertionError("a receipt reads no body")

        return asyncio.run(self.receipts.handlers[name](self.visit(choice, language), {}, nothing))  # type: ignore[arg-type]


@contextmanager
def opened(data: Path, policy: Policy) -> Iterator[Office]:
    office = Office(data, policy)
    try:
        yield office
    finally:
        office.publisher.close()
        office.store.close()


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with opened(tmp_path, read_config(POLICY, {}).policy) as office:
        yield office


def read(response: Response) -> Any:
    return turbohtml.parse(bytes(response.body).decode())


def words(response: Response) -> str:
    return " ".join(read(response).select_one("main").text.split())


def answers(response: Response) -> dict[str, list[str]]:
    """Under each purpose's title, what the page says of it."""
    return {
        paragraphs[0]: paragraphs[1:]
        for item in read(response).select(".placet-purpose")
        if (paragraphs := [" ".join(p.text.split()) for p in item.select("p")])
    }


class TestWhoseItIs:
    def test_before_a_grant_nothing_leads_to_it_and_there_is_none(self, visitor: Visitor) -> None:
        assert "receipt" not in visitor.visit("/.placet/settings").text
        for name in ("receipt", *FILES, "receipt/notice"):
            answer = visitor.visit(f"/.placet/{name}")
            assert answer.status_code == 404
            assert "Vous n’avez pas encore choisi" in answer.text

    def test_after_a_grant_the_settings_lead_to_it(self, visitor: Visitor) -> None:
        visitor.choose("accept")
        page = turbohtml.parse(visitor.visit("/.placet/settings").text)
        links: dict[str, Any] = {link.text: link.attrs["href"] for link in page.select("main a")}
        assert links["Mon reçu"] == "/.placet/receipt?lang=fr"
        assert visitor.visit(links["Mon reçu"]).status_code == 200

    def test_after_a_refusal_there_is_none_and_the_page_says_why(self, visitor: Visitor) -> None:
        visitor.choose("refuse")
        assert "receipt" not in visitor.visit("/.placet/settings").text
        answer = visitor.visit("/.placet/receipt")
        assert answer.status_code == 404
        assert "Un refus ne laisse aucun numéro" in answer.text

    def test_a_number_in_the_address_says_nothing(self, office: Office) -> None:
        mine, other = office.choose("ads"), office.choose("social")
        assert mine.receipt
        assert other.receipt
        page = bytes(office.ask("receipt", mine).body).decode()
        assert mine.receipt in page
        assert other.receipt not in page
        assert office.ask("receipt", None).status_code == 404

    def test_a_forged_cookie_holds_no_receipt(self, site: Gazette, visitor: Visitor) -> None:
        visitor.choose("accept")
        (cookie,) = [c for c in visitor.client.cookies.jar if c.name == "__Host-Http-placet"]
        assert cookie.value
        visitor.client.cookies.clear()
        forged = f"{cookie.name}={cookie.value[:-1]}{'A' if cookie.value[-1] != 'A' else 'B'}"
        assert visitor.visit("/.placet/receipt", cookie=forged).status_code == 404
        whole = f"{cookie.name}={cookie.value}"
        assert visitor.visit("/.placet/receipt", cookie=whole).status_code == 200

    def test_nothing_of_it_is_kept_by_a_cache_or_read_by_another_site(
        self, site: Gazette, visitor: Visitor
    ) -> None:
        visitor.choose("accept")
        assert site.placet.publisher.wait_for(1, 10)  # type: ignore[attr-defined]
        for name in ("receipt", *FILES, "receipt/notice"):
            answer = visitor.visit(f"/.placet/{name}", origin="https://elsewhere.test")
            assert answer.status_code == 200
            assert answer.headers["cache-control"] == "no-store"
            assert answer.headers["cross-origin-resource-policy"] == "same-origin"
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
            assert "access-control-allow-origin" not in answer.headers
            assert "etag" not in answer.headers

    def test_it_takes_get_and_head_alone(self, visitor: Visitor) -> None:
        visitor.choose("accept")
        head = visitor.client.head("/.placet/receipt", headers=NAVIGATION)
        assert (head.status_code, head.content) == (200, b"")
        posted = visitor.client.post("/.placet/receipt", headers=NAVIGATION)
        assert (posted.status_code, posted.headers["allow"]) == (405, "GET, HEAD")


class TestThePage:
    def test_it_says_what_was_chosen_when_how_and_until_when(self, office: Office) -> None:
        choice = office.choose("social", act="save", layer="notice", gpc=True, objects=True)
        office.publisher.step()
        page = office.ask("receipt", choice)
        assert answers(page) == {
            "Publicité": ["Refusé"],
            "Réseaux sociaux": ["Autorisé"],
            "Profils": ["Refusé"],
            "Position": ["Refusé"],
            "Audience": ["Opposition de votre part"],
        }
        said = words(page)
        for sentence in (
            "24 novembre 2026 à 12:00:00 (UTC)",
            "25 mai 2027, sauf si vous changez d’avis avant",
            "avec le bouton « Enregistrer mes choix » du bandeau",
            "le bandeau, tel qu’il était affiché",
            "Votre navigateur l’envoyait (GPC).",
            "La Gazette SARL",
            "vie-privee@gazette.test",
            "aussi simplement que vous l’avez donné",
            "Faire effacer cet enregistrement",
            str(choice.receipt),
            office.policy.fingerprint,
        ):
            assert sentence in said

    def test_it_speaks_the_visitors_language(self, office: Office) -> None:
        choice = office.choose("social", act="accept")
        said = words(office.ask("receipt", choice, "en"))
        assert "November 24, 2026 at 12:00:00 (UTC)" in said
        assert "with the button “Accept all”, on the page of your choices" in said
        assert "Social networks Allowed" in said

    def test_the_record_on_it_is_that_of_the_ledger_to_the_byte(self, office: Office) -> None:
        choice = office.choose("ads")
        entry = office.kept(choice).entry
        assert entry is not None
        assert read(office.ask("receipt", choice)).select_one("#placet-record").text.encode() == entry.record

    def test_it_lets_the_visitor_refuse_all_on_the_spot(self, site: Gazette, visitor: Visitor) -> None:
        visitor.choose("accept")
        form: Any = turbohtml.parse(visitor.visit("/.placet/receipt").text).select_one("form")
        fields = {each.attrs["name"]: each.attrs["value"] for each in form.select("input[type=hidden]")}
        (button,) = form.select("button[name=answer]")
        data = {**fields, "answer": button.attrs["value"]}
        sent = {**NAVIGATION, "origin": f"https://{HOST}"}
        visitor.client.post(form.attrs["action"], data=data, headers=sent, follow_redirects=False)
        assert "Un refus ne laisse aucun numéro" in visitor.visit("/.placet/receipt").text

    def test_a_withdrawal_is_a_receipt_of_its_own_that_names_the_one_before(self, office: Office) -> None:
        # R52
        first = office.choose("ads", "social", act="accept")
        second = office.choose("social", previous=first.receipt, before=("ads", "social"))
        page = words(office.ask("receipt", second))
        assert "Vos choix précédents" in page
        assert "Autorisé : Publicité et Réseaux sociaux. Refusé : Profils et Position." in page
        # And the earlier one still says what it said.
        assert answers(office.ask("receipt", first))["Publicité"][0] == "Autorisé"

    def test_an_earlier_choice_that_was_erased_is_told_as_erased(self, office: Office) -> None:
        first = office.choose("ads")
        second = office.choose("social", previous=first.receipt)
        office.erase(first)
        assert "Celui d’avant a été effacé." in words(office.ask("receipt", second))

    def test_of_many_earlier_choices_the_page_says_that_there_are_more(self, office: Office) -> None:
        choice = office.choose("ads")
        for _ in range(EARLIER):
            choice = office.choose("ads", previous=choice.receipt)
        assert "plus anciens" not in words(office.ask("receipt", choice))
        choice = office.choose("ads", previous=choice.receipt)
        assert "plus anciens" in words(office.ask("receipt", choice))

    def test_what_was_taken_back_while_the_ledger_was_down_is_told_beside_it(self, office: Office) -> None:
        # The cookie stands on the recorded grant, and says less than it.
        recorded = office.choose("ads", "social")
        less = office.choose("social", recorded=False)
        cookie = Choice(less.policy, less.day, less.said, receipt=recorded.receipt)
        said = answers(office.ask("receipt", cookie))
        assert said["Publicité"] == ["Autorisé", "Aujourd’hui : Refusé."]
        assert said["Réseaux sociaux"] == ["Autorisé"]

    def test_a_policy_that_has_changed_since_is_told(self, tmp_path: Path) -> None:
        changed = tmp_path / "placet.toml"
        written = POLICY.read_text("utf-8")
        written = written.replace("[purposes.geolocation]", "[purposes.whereabouts]")
        changed.write_text(written.replace("SARL", "SAS"), "utf-8")
        with opened(tmp_path, read_config(POLICY, {}).policy) as before:
            choice = before.choose("social", "geolocation")
            before.publisher.step()
        with opened(tmp_path, read_config(changed, {}).policy) as now:
            page = now.ask("receipt", choice)
            assert "La politique du site a changé depuis" in words(page)
            assert "La Gazette SARL" in words(page)
            assert answers(page)["geolocation"] == ["Autorisé", "Le site n’a plus cette finalité."]
            receipt = json.loads(bytes(now.ask("receipt.json", choice).body))
        assert {"purpose": "social", "decision": "granted"} in receipt["processing"]["purposes"]
        (party,) = receipt["parties"]
        assert party == {
            "party_id": "controller",
            "party_type": "pii_controller",
            "party_name": "La Gazette SARL",
        }
        jsonschema.validate(receipt, json.loads(schema()))


class TestTheNotice:
    def test_it_is_shown_byte_for_byte_and_can_do_nothing(self, site: Gazette, visitor: Visitor) -> None:
        visitor.choose("accept")
        page: Any = turbohtml.parse(visitor.visit("/.placet/receipt").text)
        record = json.loads(page.select_one("#placet-record").text)
        answer = visitor.visit("/.placet/receipt/notice")
        assert hashlib.sha256(answer.content).hexdigest() == record["shown"]["notice"]
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("sandbox; default-src 'none';")
        assert "script-src" not in policy
        assert "allow-" not in policy

    def test_one_that_is_not_kept_is_not_found(self, office: Office) -> None:
        for notice in ("ab" * 32, None):
            choice = office.choose("ads", notice=notice)
            assert office.ask("receipt/notice", choice).status_code == 404


class TestTheFiles:
    def test_the_proof_opens_the_leaf_and_leads_to_a_signed_root(self, office: Office) -> None:
        for _ in range(5):
            office.choose("ads")
        choice = office.choose("social")
        office.publisher.step()
        answer = office.ask("receipt.tlog-proof", choice)
        proof = parse_proof(bytes(answer.body))
        kept = office.kept(choice)
        assert kept.entry is not None
        assert proof.extra == kept.entry.salt + kept.entry.record
        checkpoint = open_checkpoint(proof.checkpoint, SIGNER.verifier)
        leaf = leaf_hash(leaf_bytes(kept.entry))
        check_inclusion(leaf, proof.index, checkpoint.size, proof.path, checkpoint.root)
        assert answer.headers["content-disposition"] == f'attachment; filename="{HOST}-2026-11-24.tlog-proof"'

    def test_the_data_follow_their_schema_and_hold_the_record_unchanged(self, office: Office) -> None:
        first = office.choose("ads")
        choice = office.choose("social", "geolocation", previous=first.receipt)
        office.publisher.step()
        answer = office.ask("receipt.json", choice)
        receipt = json.loads(bytes(answer.body))
        jsonschema.validate(receipt, json.loads(schema()))
        entry = office.kept(choice).entry
        assert entry is not None
        again = json.dumps(receipt["record"], ensure_ascii=False, separators=(",", ":"), sort_keys=True)
        assert again.encode() == entry.record
        assert receipt["receipt_id"] == receipt["pii_principal_id"] == choice.receipt
        assert receipt["events"][0]["event_time"] == "2026-11-24T12:00:00.000Z"
        assert receipt["privacy_notice"]["url"] == f"https://{HOST}/confidentialite"
        assert answer.headers["content-disposition"].startswith("attachment;")
        assert bytes(32).hex() not in bytes(answer.body).decode()
        assert entry.salt.hex() not in bytes(answer.body).decode()

    def test_a_record_with_more_in_it_than_is_known_today_is_handed_out_whole(self, office: Office) -> None:
        entry = office.kept(office.choose("ads")).entry
        assert entry is not None
        more = Entry(entry.event_id, EVENT, entry.record.replace(b'"v":1', b'"v":1,"zeal":2'), entry.salt)
        made = format_receipt(Kept(0, leaf_bytes(more), more), office.policy, ADDRESS, SIGNER.verifier)
        assert json.loads(made)["record"] == json.loads(more.record)

    def test_its_schema_is_for_everybody(self, visitor: Visitor) -> None:
        answer = visitor.fetch("/.placet/receipt.schema.json")
        assert answer.headers["content-type"] == "application/schema+json"
        assert answer.content == schema()
        jsonschema.Draft202012Validator.check_schema(answer.json())

    def test_who_granted_nothing_has_no_file(self, office: Office) -> None:
        refused = office.choose()
        (kept,) = office.store.read(0, 1)
        assert [office.ask(name, refused).status_code for name in FILES] == [404, 404]
        with pytest.raises(ValueError, match="granted nothing"):
            format_receipt(kept, office.policy, ADDRESS, SIGNER.verifier)


class TestWhenItIsNotThere:
    def test_until_a_checkpoint_has_it_the_page_says_so_and_comes_again(self, office: Office) -> None:
        choice = office.choose("ads")
        page = office.ask("receipt", choice)
        assert page.status_code == 200
        assert page.headers["refresh"] == "2"
        assert "Sa preuve sera prête dans une seconde ou deux" in words(page)
        assert answers(page)["Publicité"] == ["Autorisé"]
        assert not read(page).select("#placet-check")
        for name in FILES:
            answer = office.ask(name, choice)
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
            assert "sa preuve n’est pas encore prête" in words(answer)
        office.publisher.step()
        page = office.ask("receipt", choice)
        assert "refresh" not in page.headers
        assert read(page).select("#placet-check")
        assert [office.ask(name, choice).status_code for name in FILES] == [200, 200]

    def test_a_checkpoint_from_before_the_choice_is_not_enough(self, office: Office) -> None:
        office.choose("ads")
        office.publisher.step()
        later = office.choose("ads")
        assert office.ask("receipt.tlog-proof", later).status_code == 503

    def test_where_the_checkpoint_does_not_come_the_page_does_not_reload_for_ever(
        self, office: Office
    ) -> None:
        choice = office.choose("ads")
        office.now += SOON
        page = office.ask("receipt", choice)
        assert "refresh" not in page.headers
        assert "sa preuve tarde" in words(page)

    def test_files_of_the_log_that_are_not_right_give_no_proof(self, office: Office, tmp_path: Path) -> None:
        first, choice = office.choose("ads"), office.choose("ads")
        office.publisher.step()
        tile = tmp_path / "log" / "tile" / "0" / "000.p" / "2"
        tile.write_bytes(bytes(64))
        assert office.ask("receipt.tlog-proof", choice).status_code == 503
        (tmp_path / "log" / "checkpoint").write_bytes(b"nothing of the kind")
        assert office.ask("receipt.tlog-proof", first).status_code == 503
        assert office.ask("receipt", first).status_code == 200

    def test_once_erased_the_page_says_so(self, office: Office) -> None:
        choice = office.choose("ads")
        office.publisher.step()
        office.erase(choice)
        for name in ("receipt", *FILES, "receipt/notice"):
            answer = office.ask(name, choice)
            assert answer.status_code == 410
            assert "il a été effacé" in words(answer)

    def test_while_the_ledger_is_down_the_page_says_so(
        self, office: Office, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        choice = office.choose("ads")

        def down(*_: object) -> None:
            raise LedgerDown("the disk is gone")

        monkeypatch.setattr(office.store, "find", down)
        for name in ("receipt", *FILES, "receipt/notice"):
            answer = office.ask(name, choice)
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "30")
            assert "ne peut pas être lu pour le moment" in words(answer)
        assert "the disk is gone" in caplog.text

    def test_a_ledger_that_does_not_answer_is_waited_for_no_longer_than_a_grant_is(
        self, office: Office, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        choice = office.choose("ads")
        answered = threading.Event()
        monkeypatch.setattr(office.store, "find", lambda _: answered.wait(30))
        monkeypatch.setattr("placet.web.receipts.SECONDS", 0.01)
        assert SECONDS == 10

        async def ask() -> Response:
            try:
                return await office.receipts.handlers["receipt"](office.visit(choice), {}, None)  # type: ignore[arg-type]
            finally:
                answered.set()

        assert asyncio.run(ask()).status_code == 503
