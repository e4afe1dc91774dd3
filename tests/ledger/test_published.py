"""The files of a log: written whole, read within limits, believed only when they lead to the signed root."""

import errno
import os
import random
import socket
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from placet.ledger import published
from placet.ledger.note import NoteError, Signer
from placet.ledger.published import (
    CheckedTiles,
    Directory,
    Unreadable,
    prove,
    prove_growth,
    read_checkpoint,
    read_tile,
)
from placet.ledger.remote import Remote, open_source
from placet.ledger.tiles import Tile, TileError, format_bundle, parse_path
from placet.ledger.tree import check_consistency, check_inclusion, leaf_hash

from . import published_logs as logs

# Where the shape of the tree changes, and one in the middle of nowhere.
SIZES = (1, 2, 3, 255, 256, 257, 511, 512, 700)


# ── a directory ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def directory(tmp_path: Path) -> Directory:
    return Directory(tmp_path / "log")


def test_what_is_written_is_read(directory: Directory) -> None:
    files = logs.files(700)
    directory.write(files)
    assert {path: directory.read(path) for path in files} == files
    directory.write({"checkpoint": b"another"})
    assert directory.read("checkpoint") == b"another"


def test_a_directory_that_nobody_has_written_has_no_files(directory: Directory) -> None:
    assert directory.read("checkpoint") is None
    assert not directory.has("checkpoint")


@pytest.mark.parametrize(
    "path",
    ["../secret", "tile/../../secret", "/etc/hostname", ".lock", "", "tile", "tile/0/1", "timestamp/01.tsr"],
)
def test_no_other_file_is_read(directory: Directory, path: str) -> None:
    directory.write({"checkpoint": b"note"})
    (directory.path.parent / "secret").write_bytes(b"secret")
    assert directory.read(path) is None


def test_a_web_server_may_read_the_files_whatever_the_mask(directory: Directory) -> None:
    mask = os.umask(0o077)
    try:
        directory.write({"tile/0/x001/000": bytes(8192)})
    finally:
        os.umask(mask)
    file = directory.path / "tile/0/x001/000"
    assert stat.S_IMODE(file.stat().st_mode) == 0o644
    for folder in list(file.parents)[:4]:
        assert stat.S_IMODE(folder.stat().st_mode) == 0o755


def test_a_file_is_no_larger_than_its_kind_can_be(directory: Directory) -> None:
    directory.write({"tile/0/000": bytes(8192), "tile/0/001.p/2": bytes(64)})
    assert directory.read("tile/0/000") == bytes(8192)
    directory.write({"tile/0/000": bytes(8193), "tile/0/001.p/2": bytes(65)})
    for path in ("tile/0/000", "tile/0/001.p/2"):
        with pytest.raises(Unreadable, match=path):
            directory.read(path)


def test_a_file_that_cannot_be_read_is_not_taken_for_a_missing_one(directory: Directory) -> None:
    (directory.path / "checkpoint").mkdir(parents=True)
    with pytest.raises(Unreadable, match="checkpoint"):
        directory.read("checkpoint")


def test_a_disk_that_is_full_leaves_the_old_file_and_nothing_unfinished(
    directory: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory.write({"checkpoint": b"old", "tile/0/000": bytes(8192)})

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "no space left")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="no space"):
            directory.write({"checkpoint": b"new", "tile/0/001": bytes(8192)})
    assert directory.read("checkpoint") == b"old"
    assert directory.read("tile/0/001") is None
    assert list((directory.path / ".unfinished").iterdir()) == []


def test_what_a_killed_process_was_writing_is_removed_when_it_is_old(directory: Directory) -> None:
    directory.write({"checkpoint": b"note"})
    old, young = (directory.path / ".unfinished" / name for name in ("1-old", "2-young"))
    for file in (old, young):
        file.write_bytes(b"half")
    os.utime(old, (0, 0))
    directory.tidy()
    assert (old.exists(), young.exists()) == (False, True)


def test_a_narrow_tile_is_cut_from_a_wider_one_and_from_the_full_one(directory: Directory) -> None:
    files = logs.files(700)
    directory.write(files)
    narrower = logs.files(600)
    narrow = [path for path in narrower if ".p/" in path]
    assert narrow == ["tile/entries/002.p/88", "tile/0/002.p/88", "tile/1/000.p/2"]
    assert {path: directory.read(path) for path in narrow} == {path: narrower[path] for path in narrow}
    narrower = logs.files(300)
    for path in ("tile/entries/001.p/44", "tile/0/001.p/44"):
        assert directory.read(path) == narrower[path]
    for path in ("tile/0/002.p/189", "tile/entries/003.p/1", "tile/0/003.p/1"):
        assert directory.read(path) is None


def test_nothing_is_cut_from_a_damaged_tile(directory: Directory) -> None:
    files = logs.files(700)
    directory.write({**files, "tile/0/002.p/188": b"half", "tile/0/002.p/189": bytes(189 * 32)})
    assert directory.read("tile/0/002.p/3") == bytes(3 * 32)
    directory.write({"tile/0/002.p/189": b"half"})
    assert directory.read("tile/0/002.p/3") is None


def test_partial_tiles_go_when_told_and_no_others(directory: Directory) -> None:
    directory.write(logs.files(255, 300, 700))
    assert directory.has("tile/0/000.p/255")
    directory.remove_partial([Tile(0, 0), Tile(None, 0), Tile(1, 7)])
    assert not (directory.path / "tile/0/000.p").exists()
    assert not (directory.path / "tile/entries/000.p").exists()
    for path in ("tile/0/000", "tile/0/001.p/44", "tile/entries/001.p/44"):
        assert directory.has(path)


def test_one_at_a_time_replaces_the_checkpoint(directory: Directory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(published, "_LOCK_SECONDS", 0)
    with directory.locked(), pytest.raises(BlockingIOError), Directory(directory.path).locked():
        pass
    with directory.locked():
        pass


def test_a_process_forked_meanwhile_does_not_keep_the_lock(
    directory: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(published, "_LOCK_SECONDS", 0)
    wait, end = os.pipe()
    with directory.locked():
        child = os.fork()
        if child == 0:
            os.close(end)
            os.read(wait, 1)
            os._exit(0)
    try:
        with directory.locked():
            pass
    finally:
        os.close(end)
        os.close(wait)
        os.waitpid(child, 0)


# ── an address ──────────────────────────────────────────────────────────────────────────────────────────────


class Answers(BaseHTTPRequestHandler):
    """Serves a log below /log, and answers wrongly below /wrong."""

    protocol_version = "HTTP/1.1"
    timeout = 20
    files: dict[str, bytes]
    connections: list[int]

    def setup(self) -> None:
        super().setup()
        self.connections.append(self.client_address[1])

    def do_GET(self) -> None:
        where, _, path = self.path.lstrip("/").partition("/")
        if where == "log":
            data = self.files.get(path)
            self.answer(404 if data is None else 200, data or b"nothing here")
        elif path == "checkpoint":
            self.answer(302, b"", Location="/log/checkpoint")
        elif path == "tile/0/000":
            self.answer(200, bytes(8193))
        elif path == "tile/0/001":
            self.answer(200, bytes(10), **{"Content-Encoding": "gzip"})
        elif path == "tile/0/002":
            self.send_response(200)
            self.send_header("Content-Length", "8192")
            self.end_headers()
            self.wfile.write(bytes(100))
            self.close_connection = True
        elif path == "tile/0/005":
            self.send_response(200)
            self.send_header("Content-Length", "8192")
            self.end_headers()
            while True:  # until the client hangs up
                self.wfile.write(b"0")
                time.sleep(0.01)
        elif path == "tile/0/003":
            self.answer(404, bytes(2_000_000))
        else:
            self.answer(500, b"")

    def answer(self, status: int, body: bytes, **heads: str) -> None:
        self.send_response(status)
        for name, value in heads.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        # Says nothing of it, and so a client finds out only when it asks again.
        self.close_connection = self.path.endswith("tile/entries/000")

    def log_message(self, format: str, *args: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        pass  # a client that hangs up on a wrong answer is what is tried here


@contextmanager
def served(files: dict[str, bytes]) -> Iterator[tuple[str, list[int]]]:
    connections: list[int] = []
    handler = type("Handler", (Answers,), {"files": files, "connections": connections})
    with Server(("localhost", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://localhost:{server.server_port}", connections
        finally:
            server.shutdown()
            thread.join()


def test_an_address_has_the_files_over_one_connection() -> None:
    files = logs.files(300)
    with served(files) as (url, connections), Remote(f"{url}/log/") as remote:
        assert {path: remote.read(path) for path in files if path != "tile/entries/000"} == {
            path: data for path, data in files.items() if path != "tile/entries/000"
        }
        assert remote.read("tile/0/009") is None
        assert remote.read("../secret") is None
        assert remote.read("checkpoint") == files["checkpoint"]
        assert len(connections) == 1


def test_a_connection_that_the_server_closed_is_opened_again() -> None:
    files = logs.files(300)
    with served(files) as (url, connections), Remote(f"{url}/log") as remote:
        for _ in range(2):
            assert remote.read("tile/entries/000") == files["tile/entries/000"]
        assert len(connections) == 2


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("checkpoint", "answered 302"),
        ("tile/0/000", "longer than the 8192 bytes"),
        ("tile/0/001", "encoding"),
        ("tile/0/002", "8092 bytes too early|8092 more expected"),
        ("tile/0/003", "longer than"),
        ("tile/0/004", "answered 500"),
    ],
)
def test_a_wrong_answer_is_an_error_that_names_the_file(path: str, message: str) -> None:
    with served(logs.files(3)) as (url, _), Remote(f"{url}/wrong") as remote:
        with pytest.raises(Unreadable, match=rf"http.*/wrong/{path}: .*({message})"):
            remote.read(path)
        with pytest.raises(Unreadable):
            remote.read(path)


def test_a_server_that_says_nothing_is_given_up() -> None:
    with socket.create_server(("localhost", 0)) as silent:
        address = f"http://localhost:{silent.getsockname()[1]}"
        with Remote(address, timeout=0.05) as remote, pytest.raises(Unreadable, match="checkpoint"):
            remote.read("checkpoint")


def test_a_server_that_answers_byte_by_byte_is_given_up() -> None:
    late = pytest.raises(Unreadable, match=r"took more than 0\.5 seconds")
    with served({}) as (url, _), Remote(f"{url}/wrong", timeout=0.5) as remote, late:
        remote.read("tile/0/005")


def test_a_server_that_is_not_there_is_an_error() -> None:
    with socket.create_server(("localhost", 0)) as gone:
        port = gone.getsockname()[1]
    with Remote(f"http://localhost:{port}") as remote, pytest.raises(Unreadable):
        remote.read("checkpoint")


@pytest.mark.parametrize(
    "url", ["ftp://localhost/log", "http://", "http://localhost:port", "http://h/?a=b", "x"]
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(Unreadable):
        Remote(url)


def test_a_source_is_opened_by_its_name(tmp_path: Path) -> None:
    with closing(open_source("https://localhost/log")) as remote:
        assert isinstance(remote, Remote)
    assert isinstance(open_source(str(tmp_path)), Directory)
    assert isinstance(open_source(tmp_path), Directory)


# ── proofs ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("size", SIZES)
def test_every_leaf_is_proved(size: int) -> None:
    files = logs.files(size)
    for index in range(size):
        proof = prove(files, index, files["checkpoint"], logs.LOG, b"extra")
        assert (proof.index, proof.checkpoint, proof.extra) == (index, files["checkpoint"], b"extra")
        check_inclusion(leaf_hash(logs.leaf(index)), index, size, proof.path, logs.root(size))


@pytest.mark.parametrize("new", SIZES)
def test_growth_is_proved_from_every_size(new: int) -> None:
    files = logs.files(new)
    for old in range(new + 1):
        proof = prove_growth(files, old, logs.checkpoint(new))
        check_consistency(old, new, logs.root(old), logs.root(new), proof)


def test_an_older_checkpoint_is_proved_from_the_files_of_a_newer_one() -> None:
    files = logs.files(200, 700)
    del files["tile/0/000.p/200"]
    proof = prove(files, 199, logs.note(200), logs.LOG)
    check_inclusion(leaf_hash(logs.leaf(199)), 199, 200, proof.path, logs.root(200))


def test_only_the_tiles_that_are_needed_are_read() -> None:
    files = logs.files(70_000)
    prove(files, 1234, files["checkpoint"], logs.LOG)
    edge = {"tile/0/273.p/112", "tile/1/001.p/17", "tile/2/000.p/1"}
    assert sorted(files.asked) == sorted({*edge, "tile/0/004", "tile/1/000"})
    files.asked.clear()
    prove_growth(files, 69_999, logs.checkpoint(70_000))
    assert sorted(files.asked) == sorted(edge)


def test_what_is_outside_of_the_log_cannot_be_proved() -> None:
    files = logs.files(3)
    for index in (-1, 3):
        with pytest.raises(ValueError, match="not in a tree of 3"):
            prove(files, index, files["checkpoint"], logs.LOG)
    with pytest.raises(ValueError, match="does not begin"):
        prove_growth(files, 4, logs.checkpoint(3))


def test_a_checkpoint_that_the_log_did_not_sign_proves_nothing() -> None:
    files = logs.files(3)
    stranger = Signer(logs.SIGNER.name, bytes(32)).verifier
    with pytest.raises(NoteError):
        prove(files, 0, files["checkpoint"], stranger)
    with pytest.raises(NoteError, match="checkpoint"):
        read_checkpoint(files, stranger)
    del files["checkpoint"]
    with pytest.raises(NoteError, match="no checkpoint"):
        read_checkpoint(files, logs.LOG)


FILES = logs.files(257 * 256 + 5)
INDEXES = (0, 255, 65_535, 65_536, 65_796)
PATHS = [
    path
    for path in sorted(FILES)
    if path.endswith(("checkpoint", "/000", "/255", "/256", ".p/1", ".p/5"))  # what these indexes need
]


@given(st.sampled_from(PATHS), st.integers(0), st.sampled_from(INDEXES))
def test_a_wrong_tile_is_named_and_never_proves_anything(path: str, bit: int, index: int) -> None:
    files = FILES.with_bit_flipped(path, bit % (8 * len(FILES[path])))
    note, checkpoint = logs.note(257 * 256 + 5), logs.checkpoint(257 * 256 + 5)
    try:
        found = CheckedTiles(files, checkpoint).entries(index // 256)[index % 256]
        proof = prove(files, index, note, logs.LOG)
    except TileError as error:
        named = str(error)
    else:
        assert path not in files.asked
        assert found == logs.leaf(index)
        assert proof == prove(FILES, index, note, logs.LOG)
        return
    assert path in named


def test_every_tile_that_a_proof_reads_can_spoil_it() -> None:
    note = logs.note(257 * 256 + 5)
    FILES.asked.clear()
    prove(FILES, 1234, note, logs.LOG)
    for path in set(FILES.asked):
        bit = random.Random(path).randrange(8 * len(FILES[path]))
        with pytest.raises(TileError, match=path):
            prove(FILES.with_bit_flipped(path, bit), 1234, note, logs.LOG)


def test_a_missing_tile_is_named() -> None:
    files = logs.files(700)
    for path in ("tile/0/000", "tile/0/002.p/188", "tile/1/000.p/2"):
        without = logs.Files({name: data for name, data in files.items() if name != path})
        with pytest.raises(TileError, match=f"{path}: is not there"):
            prove(without, 5, files["checkpoint"], logs.LOG)


def test_a_tile_of_another_length_is_named() -> None:
    files = logs.files(300)
    files["tile/0/001.p/44"] += b"\0"
    with pytest.raises(TileError, match=r"tile/0/001\.p/44: has 1409 bytes"):
        prove(files, 5, files["checkpoint"], logs.LOG)


def test_a_bundle_is_read_in_place_of_its_beginning() -> None:
    files = logs.files(512)
    tile = parse_path("tile/entries/001.p/3")
    assert tile is not None
    assert format_bundle(read_tile(files, tile)) == files["tile/entries/001"][: 3 * 35]
