"""What was shown at a time, in an archive that is checked without Placet."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import subprocess
import zipfile
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest

from placet.consent.receipt import Shown, event_id_of
from placet.ledger.note import parse_verifier
from placet.ledger.timestamp import Authority
from placet.officer.archive import content_paths, zipped

from ..ledger import tsa
from .site import Ran, Site, run, site


def unpacked(archive: Path, into: Path) -> Path:
    """Unpack the archive; return the one folder that it opens to."""
    with zipfile.ZipFile(archive) as file:
        file.extractall(into)
    (folder,) = into.iterdir()
    return folder


def shell(folder: Path, command: str) -> Ran:
    """Run a command as the archive's reader does: Placet is not on the path."""
    ran = subprocess.run(
        ["sh", "-c", command],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    return Ran(ran.returncode, ran.stdout, ran.stderr)


@pytest.fixture
def folder(lived: Site, tmp_path: Path) -> Path:
    """The archive of a choice, unpacked."""
    granted = next(iter(lived.entries))
    assert lived.run("evidence", "--receipt", granted, "--out", "e.zip").status == 0
    return unpacked(lived.directory / "e.zip", tmp_path / "unpacked")


def test_what_was_shown_is_in_it_byte_for_byte(either: Site, tmp_path: Path) -> None:
    contents = either.show("2026-01-06T08:00")
    either.publish()
    ran = either.run("evidence", "--at", "2026-01-07T10:00")
    assert ran.status == 0
    assert "from 2026-01-06 08:00:00 UTC on" in ran.out
    folder = unpacked(either.directory / "evidence-www.gazette.test-20260106T080000Z.zip", tmp_path / "there")
    assert folder.name == "evidence-www.gazette.test-20260106T080000Z"
    for name, content in contents.items():
        assert (folder / "contents" / name).read_bytes() == content
    assert {"placet.toml", "notice.fr.html", "notice.en.html", "placet.js", "placet.css"} <= contents.keys()
    assert len(list((folder / "contents").rglob("*.*"))) == len(contents)
    assert parse_verifier((folder / "keys.txt").read_text().split()[1]) == parse_verifier(either.vkey)
    assert shell(folder, "sh check.sh").status == 0


def test_it_is_checked_with_tools_that_are_not_placet(folder: Path) -> None:
    ran = shell(folder, "sh check.sh")
    assert (ran.status, ran.err) == (0, "")
    said = [line.split(":")[0] for line in ran.out.splitlines()]
    assert said[:-1] == ["contents/", "manifest", "manifest.checkpoint", "receipt", "receipt.checkpoint"]
    assert said[-1] == "All is right. / Tout est exact."


@pytest.mark.parametrize("text", ["README.txt", "LISEZ-MOI.txt"])
def test_the_commands_in_the_explanations_work(folder: Path, text: str) -> None:
    said = (folder / text).read_text("utf-8")
    commands = re.findall(r"^     ?(\S.*)$", said, re.MULTILINE)
    commands = [line for line in commands if re.match(r"sha256sum|sed|openssl", line)]
    assert len(commands) == 6
    for command in commands[:-1]:  # the last one is for a time stamp
        ran = shell(folder, command)
        assert ran.status == 0, (command, ran)
    assert "Signature Verified Successfully" in ran.out
    for file in folder.rglob("*"):
        if file.is_file() and file.name not in ("text", "signature"):
            assert f"  {file.relative_to(folder)} " in said


@pytest.mark.parametrize(
    "file",
    [
        "manifest.json",
        "receipt.json",
        "manifest.checkpoint",
        "receipt.tlog-proof",
        "contents/placet.toml",
        "keys.txt",
    ],
)
def test_a_changed_file_is_found_even_where_the_sums_were_changed_too(folder: Path, file: str) -> None:
    path = folder / file
    data = path.read_text("utf-8")
    changed = data.replace("gazette", "gazelle", 1) if "gazette" in data else data[:-9] + "AAAA" + data[-5:]
    assert changed != data
    path.write_text(changed, "utf-8")
    assert shell(folder, "sh check.sh").status != 0
    everything = sorted(str(each.relative_to(folder)) for each in folder.rglob("*") if each.is_file())
    sums = [
        f"{sha256((folder / name).read_bytes()).hexdigest()}  {name}\n"
        for name in everything
        if name != "SHA256SUMS"
    ]
    (folder / "SHA256SUMS").write_text("".join(sums))
    if file.startswith("contents/"):
        old, new = sha256(data.encode()).hexdigest(), sha256(changed.encode()).hexdigest()
        listed = folder / "CONTENTS.sha256"
        listed.write_text(listed.read_text().replace(old, new))
    ran = shell(folder, "sed -i '/CONTENTS/d' SHA256SUMS; sh check.sh")
    assert ran.status == 1
    assert ran.err.startswith("NO / NON: ")


def test_another_key_in_the_folder_does_not_check(folder: Path) -> None:
    shell(folder, "openssl genpkey -algorithm ed25519 | openssl pkey -pubout > log-key.pem")
    shell(folder, "sed -i /log-key/d SHA256SUMS")
    ran = shell(folder, "sh check.sh")
    assert (ran.status, ran.err) == (1, "NO / NON: manifest.checkpoint: signature\n")


def test_placet_reads_the_proofs_in_it(folder: Path, lived: Site) -> None:
    for name, words in (("manifest", "a list of documents"), ("receipt", "a visitor's choice")):
        ran = lived.run("receipt", "verify", folder / f"{name}.tlog-proof", "--key", folder / "keys.txt")
        assert ran.status == 0, ran.out
        assert f"{name}.tlog-proof holds {words}." in ran.out
        assert "holds the same record" in ran.out


def test_the_version_is_the_one_of_that_time(empty: Site, tmp_path: Path) -> None:
    for day, text in ((6, b"one"), (8, b"two"), (10, b"three")):
        empty.show(f"2026-01-{day:02}T08:00", **{"notice.fr.html": text})
    empty.publish()
    for time, text in (
        ("2026-01-06T09:00+01:00", b"one"),
        ("2026-01-08T07:59:59Z", b"one"),
        ("2026-01-08T08:00Z", b"two"),
        ("2027-01-01", b"three"),
    ):
        out = f"{len(list(empty.directory.iterdir()))}.zip"
        assert empty.run("evidence", "--at", time, "--out", out).status == 0
        folder = unpacked(empty.directory / out, tmp_path / out)
        assert (folder / "contents/notice.fr.html").read_bytes() == text
    ran = empty.run("evidence", "--at", "2026-01-06T07:59:59Z", "--out", "none.zip")
    assert (ran.status, ran.out, ran.err[:5]) == (1, "", "O016 ")
    assert not (empty.directory / "none.zip").exists()


def test_for_a_choice_it_is_the_version_with_the_notice_that_it_names(empty: Site, tmp_path: Path) -> None:
    """Two servers, one of them not yet restarted: the later version is not what this visitor saw."""
    empty.show("2026-01-06T08:00", **{"notice.fr.html": b"one"})
    seen = empty.notice
    empty.show("2026-01-08T08:00", **{"notice.fr.html": b"two"})
    empty.notice = seen
    number = empty.choose(time="2026-01-08T08:01")
    unshown = empty.choose("refused", time="2026-01-08T08:02", shown=Shown(None, "fr", "notice"))
    empty.notice = "0" * 64
    unknown = empty.choose(time="2026-01-08T08:03")
    empty.publish()
    for receipt, text in ((number, b"one"), (unshown, b"two")):
        assert empty.run("evidence", "--receipt", receipt, "--out", f"{receipt}.zip").status == 0
        folder = unpacked(empty.directory / f"{receipt}.zip", tmp_path / receipt)
        assert (folder / "contents/notice.fr.html").read_bytes() == text
        assert json.loads((folder / "receipt.json").read_text())["id"] == event_id_of(receipt).hex()  # type: ignore[union-attr]
    ran = empty.run("evidence", "--receipt", unknown)
    assert (ran.status, ran.err[:5]) == (1, "O016 ")
    assert empty.run("evidence", "--receipt", "A" * 22).status == 1


def test_the_archive_of_equal_things_has_equal_bytes(lived: Site) -> None:
    umask = os.umask(0o027)
    try:
        for out in ("a.zip", "b.zip"):
            assert lived.run("evidence", "--at", "2026-01-07", "--out", out).status == 0
            os.umask(0o077)
    finally:
        os.umask(umask)
    assert (lived.directory / "a.zip").read_bytes() == (lived.directory / "b.zip").read_bytes()
    with zipfile.ZipFile(lived.directory / "a.zip") as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    assert zipped("f", {"b": b"2", "a": b"1"}) == zipped("f", {"a": b"1", "b": b"2"})


def test_one_time_is_named_and_one_alone(lived: Site) -> None:
    for arguments in ([], ["--at", "2026-01-07", "--receipt", "A" * 22]):
        ran = lived.run("evidence", *arguments)
        assert ran.status == 2
        assert "name one of --at and --receipt" in ran.err
    assert lived.run("evidence", "--at", "then").err.startswith("O002 ")


def test_a_version_that_is_not_published_yet_is_told(empty: Site) -> None:
    empty.show("2026-01-06T08:00")
    empty.choose(time="2026-01-06T09:00")
    ran = empty.run("evidence", "--at", "2026-01-07")
    assert (ran.status, ran.err[:5]) == (2, "O012 ")  # there is no checkpoint at all
    empty.publish()
    empty.show("2026-01-08T08:00", more=b"!")
    ran = empty.run("evidence", "--at", "2026-01-09")
    assert (ran.status, ran.err[:5]) == (2, "O012 ")


def test_what_the_ledger_has_lost_is_told(lived: Site) -> None:
    with closing(sqlite3.connect(lived.config.data / "ledger.db")) as database:
        database.execute("UPDATE content SET bytes = x'00' WHERE rowid = 3")
        database.commit()
    ran = lived.run("evidence", "--at", "2026-01-07")
    assert (ran.status, ran.err[:5]) == (3, "O017 ")


def test_no_name_leads_out_of_the_folder() -> None:
    names = [
        "a.txt",
        "A.TXT",
        "../../etc/passwd",
        "/etc/passwd",
        "a\\b",
        "a\nb",
        "own/é",
        "own/è",
        "",
        "..",
        "./.",
    ]
    names += ["x", "x/y", "X/z", "y/a", "Y"]
    paths = content_paths(names)
    assert paths["Y"] == "Y"
    assert len({path.casefold() for path in paths.values()}) == len(names)
    for path in paths.values():
        assert re.fullmatch(r"[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*", path)
        assert ".." not in path.split("/")
    files = {path.casefold() for path in paths.values()}
    assert not any(other.startswith(f"{path}/") for path in files for other in files)


def test_a_long_log_is_looked_through_slice_by_slice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("placet.officer.evidence._LEAVES", 32)
    with site(tmp_path / "site") as made:
        for _ in range(40):
            made.choose()
        made.show("2026-01-06T08:00")
        for _ in range(300):
            made.choose()
        made.publish()
        assert made.run("evidence", "--at", "2026-02-01", "--out", "e.zip").status == 0
        folder = unpacked(made.directory / "e.zip", tmp_path / "there")
        assert "entry 40 of" in shell(folder, "sh check.sh").out


def test_a_time_stamp_is_handed_out_and_checked(tmp_path: Path) -> None:
    """The first checkpoint after the choice that has a stamp is proved, not the last one, which has none."""
    theirs = tsa.Authority(tmp_path / "authority")
    stamper = Authority(
        "https://tsa.example", 86_400, post=lambda _, __, body, ___: (200, theirs.answer(body))
    )
    stamps = '[log.timestamp]\nurl = "https://tsa.example"\nca = "../authority/root.pem"'
    with site(tmp_path / "site", more=stamps, stamper=stamper) as made:
        made.show("2026-01-06T08:00")
        number = made.choose()
        made.publish()
        late = made.choose()
        made.publish()
        assert "time stamp" in made.run("ledger", "prove", number, "--out", "p.tlog-proof").out
        assert "time stamp" not in made.run("ledger", "prove", late, "--out", "late.tlog-proof").out
        ran = made.run("receipt", "verify", "p.tlog-proof")
        assert ran.status == 0
        assert "The time-stamping authority saw this checkpoint at 2" in ran.out
        assert made.run("receipt", "verify", "late.tlog-proof", "--timestamp", "p.tsr").status == 1
        alone = run(
            made.directory, "receipt", "verify", "p.tlog-proof", "--key", made.vkey, "--policy", "none"
        )
        assert (alone.status, "not checked: O019" in alone.out) == (2, True)
        made.run("evidence", "--receipt", number, "--out", "e.zip")
        folder = unpacked(made.directory / "e.zip", tmp_path / "there")
    ran = shell(folder, "sh check.sh")
    assert ran.status == 0, ran
    assert re.search(r"^manifest.tsr: OK, .* GMT$", ran.out, re.MULTILINE)
    assert re.search(r"^receipt.tsr: OK, .* GMT$", ran.out, re.MULTILINE)
    (command,) = re.findall(r"^     (openssl ts .*)$", (folder / "README.txt").read_text(), re.MULTILINE)
    assert shell(folder, command).status == 0
    shell(folder, "sed -i '/tsr/d' SHA256SUMS; head -c 400 manifest.tsr > cut; mv cut manifest.tsr")
    assert shell(folder, "sh check.sh").err.startswith("NO / NON: manifest.tsr")
