"""The log's files over HTTP: the same for everybody, for ever, and nothing else of the data directory."""

from __future__ import annotations

import itertools
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.responses import Response
from starlette.testclient import TestClient

from placet import ConsentMiddleware
from placet.config import read_config, read_signer
from placet.ledger.note import Signer, format_signer, open_checkpoint, open_note, parse_verifier
from placet.ledger.published import Directory, prove
from placet.ledger.sqlite import SqliteStore
from placet.ledger.tiles import Tile, format_bundle, parse_bundle
from placet.ledger.tree import HASH_BYTES, check_inclusion, leaf_hash
from placet.web.logfiles import LogFiles
from tests.ledger import tsa
from tests.ledger.answering import answering
from tests.ledger.fakewitness import Witness

from .gazette import ORIGIN, POLICY, Gazette, Visitor

PREFIX = "/.placet/"
PATIENCE = 30


@pytest.fixture
def published(site: Any, visitor: Visitor) -> Any:
    """The site, once a choice is in its published log."""
    visitor.choose("accept")
    assert site.placet.publisher.wait_for(1, PATIENCE)
    return site


def test_a_stranger_proves_a_choice_from_what_is_served(published: Any, visitor: Visitor) -> None:
    class Served:
        def read(self, path: str) -> bytes | None:
            answer = visitor.client.get(f"{PREFIX}log/{path}")
            return answer.content if answer.status_code == 200 else None

    line = visitor.client.get(f"{PREFIX}log/policy").text.splitlines()[0]
    word, vkey, address = line.split(" ")
    assert (word, address) == ("log", "https://www.gazette.test/.placet/log")
    log = parse_verifier(vkey)
    assert log == read_signer(read_config(POLICY)).verifier
    note = Served().read("checkpoint")
    assert note is not None
    checkpoint = open_checkpoint(note, log)
    assert checkpoint.origin == "www.gazette.test/.placet/log"
    proof = prove(Served(), 1, note, log)
    bundle = Served().read(Tile(None, 0, checkpoint.size).path)
    assert bundle is not None
    entry = parse_bundle(Tile(None, 0, checkpoint.size), bundle)[1]
    assert entry[0] == 1
    check_inclusion(leaf_hash(entry), 1, checkpoint.size, proof.path, checkpoint.root)


class TestHeads:
    def test_a_checkpoint_is_fresh_and_a_tile_stays(self, published: Any, visitor: Visitor) -> None:
        size = published.placet.publisher.latest.size
        checkpoint = visitor.client.get(f"{PREFIX}log/checkpoint")
        assert checkpoint.headers["content-type"] == "text/plain; charset=utf-8"
        assert checkpoint.headers["cache-control"] == "public, max-age=1"
        for path in (Tile(0, 0, size).path, Tile(None, 0, size).path):
            tile = visitor.client.get(f"{PREFIX}log/{path}")
            assert tile.headers["content-type"] == "application/octet-stream"
            assert "immutable" in tile.headers["cache-control"]

    def test_every_site_may_read_them_and_nobody_gets_a_cookie(
        self, published: Any, visitor: Visitor
    ) -> None:
        for name in ("checkpoint", "policy", "tile/0/000.p/1", "nothing"):
            answer = visitor.client.get(f"{PREFIX}log/{name}", headers={"origin": "https://elsewhere.test"})
            assert answer.headers["access-control-allow-origin"] == "*"
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert not {"set-cookie", "vary", "access-control-allow-credentials"} & set(answer.headers)

    def test_they_are_the_same_whatever_the_cookies(self, published: Any, visitor: Visitor) -> None:
        size = published.placet.publisher.latest.size
        for name in ("checkpoint", "policy", Tile(0, 0, size).path, "nothing"):
            chosen = visitor.client.get(f"{PREFIX}log/{name}")
            visitor.client.cookies.clear()
            unknown = visitor.client.get(f"{PREFIX}log/{name}", headers={"cookie": "__Host-Http-placet=x"})
            assert (chosen.content, dict(chosen.headers)) == (unknown.content, dict(unknown.headers))

    def test_head_says_what_get_would(self, published: Any, visitor: Visitor) -> None:
        for name in ("checkpoint", "policy", "nothing"):
            got, head = (visitor.client.request(method, f"{PREFIX}log/{name}") for method in ("GET", "HEAD"))
            assert head.content == b""
            assert (head.status_code, head.headers) == (got.status_code, got.headers)

    def test_what_is_known_already_is_not_sent_again(self, published: Any, visitor: Visitor) -> None:
        size = published.placet.publisher.latest.size
        for name in ("checkpoint", "policy", Tile(0, 0, size).path):
            tag = visitor.client.get(f"{PREFIX}log/{name}").headers["etag"]
            for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
                answer = visitor.client.get(f"{PREFIX}log/{name}", headers={"if-none-match": known})
                assert (answer.status_code, answer.content) == (304, b"")
                assert answer.headers["etag"] == tag
            answer = visitor.client.get(f"{PREFIX}log/{name}", headers={"if-none-match": '"other"'})
            assert answer.status_code == 200

    def test_nothing_can_be_put_there(self, published: Any, visitor: Visitor) -> None:
        for method in ("POST", "PUT", "DELETE", "OPTIONS"):
            answer = visitor.client.request(method, f"{PREFIX}log/checkpoint")
            assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")


def test_those_whom_the_policy_file_names_see_each_checkpoint(tmp_path: Path) -> None:
    log = Signer("www.gazette.test/.placet/log", b"k" * 32)
    witness = Witness([log.verifier], b"w" * 32)
    authority = tsa.Authority(tmp_path / "authority")

    def answer(path: str, _kind: str, body: bytes) -> tuple[int, str, bytes]:
        if path == "/add-checkpoint":
            return witness.answer(body)
        return 200, "application/timestamp-reply", authority.answer(body)

    with answering(answer) as address:
        path = tmp_path / "placet.toml"
        path.write_text(
            f"""{POLICY.read_text()}
[log]
quorum = 1
witnesses = [{{ url = "{address}", key = "{witness.key}" }}]
timestamp = {{ url = "{address}/tsa", ca = "authority/root.pem" }}
"""
        )
        (tmp_path / "placet-data").mkdir()
        key = tmp_path / "placet-data" / "ledger.key"
        key.touch(0o600)
        key.write_text(format_signer(log))
        app = ConsentMiddleware(Gazette().app, path)
        with TestClient(app, base_url=ORIGIN) as client:
            Visitor(client).choose("accept")
            assert app.placet.publisher.wait_for(1, PATIENCE)
            note = client.get(f"{PREFIX}log/checkpoint").content
            said = client.get(f"{PREFIX}log/policy").text
        with closing(SqliteStore(tmp_path / "placet-data" / "ledger.db")) as store:
            (stamped, *_) = store.stamped()
        with TestClient(app, base_url=ORIGIN) as client:
            served = client.get(f"{PREFIX}log/timestamp/{stamped.size}.tsr")
    assert [key for key, _ in open_note(note, [log.verifier, witness.key]).signed_by] == [
        log.verifier,
        witness.key,
    ]
    assert said.splitlines() == [
        f"log {log.verifier} https://www.gazette.test/.placet/log",
        f"witness w1 {witness.key} {address}",
        "group witnesses 1 w1",
        "quorum witnesses",
    ]
    assert served.content == stamped.token
    assert authority.accepts(served.content, stamped.note)


def test_before_the_first_checkpoint_there_is_none(tmp_path: Path) -> None:
    files = LogFiles(Directory(tmp_path / "log"), PREFIX, "log x\n")
    assert asked(files, "checkpoint").status_code == 404
    assert asked(files, "tile/0/000.p/1").status_code == 404
    assert asked(files, "policy").body == b"log x\n"


def asked(files: LogFiles, name: str) -> Response:
    return files.answer({"method": "GET", "path": f"{PREFIX}log/{name}", "headers": []})


@pytest.fixture(scope="module")
def laid_out(tmp_path_factory: pytest.TempPathFactory) -> tuple[LogFiles, dict[str, bytes]]:
    """A data directory with a log and secrets in it, and the files of the log by name."""
    data = tmp_path_factory.mktemp("data")
    entries = [bytes((1,)) + sha256(b"%d" % number).digest() for number in range(256)]
    hashes = b"".join(sha256(entry).digest() for entry in entries)
    public = {
        "checkpoint": b"signed\n",
        "tile/0/000": hashes,
        "tile/0/x001/234.p/7": hashes[: 7 * HASH_BYTES],
        "tile/entries/000": format_bundle(entries),
        "timestamp/256.tsr": b"token",
    }
    Directory(data / "log").write(public)
    secret = ("ledger.key", "log/.lock", "log/notes.txt", "log/tile/0/001.bak", "log/timestamp/x.tsr")
    for name in secret:
        path = data / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"SECRET")
    return LogFiles(Directory(data / "log"), PREFIX, "log x\n"), public


def test_each_published_file_is_served(laid_out: tuple[LogFiles, dict[str, bytes]]) -> None:
    files, public = laid_out
    for name, content in public.items():
        assert (asked(files, name).status_code, asked(files, name).body) == (200, content)


def test_a_partial_tile_that_is_gone_is_cut_from_the_full_one(
    laid_out: tuple[LogFiles, dict[str, bytes]],
) -> None:
    files, public = laid_out
    assert asked(files, "tile/0/000.p/3").body == public["tile/0/000"][: 3 * HASH_BYTES]
    cut = asked(files, "tile/entries/000.p/3").body
    entries = parse_bundle(Tile(None, 0), public["tile/entries/000"])
    assert parse_bundle(Tile(None, 0, 3), bytes(cut)) == entries[:3]
    for name in ("tile/0/000.p/256", "tile/0/000.p/0", "tile/0/001.p/3", "tile/0/x001/234"):
        assert asked(files, name).status_code == 404, name


STEPS = [
    "..", ".", "", "log", "checkpoint", "tile", "entries", "0", "000", "00", "x000", "x001", "234.p", "7",
    "000.p", "timestamp", "256.tsr", "ledger.key", ".lock", "notes.txt", "001.bak", "x.tsr", "%2e%2e",
    "\\..", "~", "\0", "٠٠٠", "policy", "000\n",
]  # fmt: skip


@given(st.lists(st.sampled_from(STEPS) | st.text(max_size=4), max_size=6))
def test_whatever_is_asked_for_only_the_logs_files_are_given(
    laid_out: tuple[LogFiles, dict[str, bytes]], steps: list[str]
) -> None:
    files, public = laid_out
    name = "/".join(steps)
    answer = asked(files, name)
    if answer.status_code == 200:
        known = {**public, "policy": b"log x\n"}
        assert name in known or name.startswith("tile/")
        assert bytes(answer.body) == known.get(name, answer.body)
    assert b"SECRET" not in bytes(answer.body)


def test_a_file_that_cannot_be_read_is_no_answer_about_the_log(tmp_path: Path) -> None:
    (tmp_path / "checkpoint").mkdir()
    files = LogFiles(Directory(tmp_path), PREFIX, "log x\n")
    answer = asked(files, "checkpoint")
    assert (answer.status_code, answer.headers["cache-control"]) == (503, "no-store")


def test_no_step_up_leads_out(laid_out: tuple[LogFiles, dict[str, bytes]]) -> None:
    files, _ = laid_out
    for depth, target in itertools.product(range(4), ("ledger.key", "log/.lock", "log/checkpoint")):
        for start in ("", "tile/0/", "timestamp/"):
            assert asked(files, start + "../" * depth + target).status_code == 404


def test_the_application_never_sees_them(published: Gazette, visitor: Visitor) -> None:
    published.requests.clear()
    visitor.client.get(f"{PREFIX}log/tile/0/999")
    assert published.requests == []
