"""R101: no grant without its record, whatever happens to the server or to the disk."""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2 as httpx
import pytest

from .served import RECEIPT, Served, serve, until

NOBODY = 65_534


async def acknowledged(served: Served, kill_after: int) -> set[str]:
    """Send a thousand grants at once, kill the server after some; return the receipts it gave."""
    receipts: set[str] = set()

    async def accept(client: httpx.AsyncClient) -> None:
        try:
            answer = await served.choose(client, "accept")
        except httpx.HTTPError:
            return
        if found := RECEIPT.search(answer.headers.get("set-cookie", "")):
            receipts.add(found[1])
            if len(receipts) == kill_after:
                served.process.kill()

    async with served.client() as client:
        await asyncio.gather(*(accept(client) for _ in range(1_000)))
    return receipts


def check_a_crash(data: Path, seed: int) -> None:
    kill_after = random.Random(seed).randrange(50, 600)
    with serve(data) as served:
        receipts = asyncio.run(acknowledged(served, kill_after))
        assert len(receipts) >= kill_after
        kept = {found for record in served.records() if (found := _receipt(record))}
    assert receipts <= kept


def _receipt(record: str) -> str | None:
    return record.partition('"receipt":"')[2].partition('"')[0] or None


@pytest.mark.parametrize("seed", range(2))
def test_no_grant_given_before_a_crash_lacks_its_record(tmp_path: Path, seed: int) -> None:
    check_a_crash(tmp_path, seed)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(10))
def test_no_grant_given_before_any_of_ten_crashes_lacks_its_record(tmp_path: Path, seed: int) -> None:
    check_a_crash(tmp_path, 100 + seed)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of one megabyte."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m,mode=0777", "tmpfs", str(place)]
    if os.getuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a small disk can be mounted by root only")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def check_while_down(served: Served, mend: Callable[[], None]) -> None:
    """A grant is refused with a sentence, a refusal works, and is in the ledger once it can be."""
    before = served.records()
    answer = served.choose_once("accept")
    assert answer.status_code == 503
    assert "set-cookie" not in answer.headers
    assert "n’a pas" in answer.text or "n’ont pas" in answer.text
    answer = served.choose_once("refuse")
    assert answer.status_code == 303
    assert answer.headers["set-cookie"].startswith("__Host-Http-placet=1.")
    assert served.records() == before
    mend()
    assert until(lambda: served.records() != before)
    [record] = served.records()[len(before) :]
    assert '"event":"refused"' in record


def test_on_a_full_disk_nothing_is_granted_and_everything_is_refused(small_disk: Path) -> None:
    with serve(small_disk) as served:
        assert served.choose_once("refuse").status_code == 303
        ballast = small_disk / "ballast"
        with ballast.open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(b"\0" * 4_096)
            except OSError:
                pass
        check_while_down(served, ballast.unlink)


@pytest.fixture
def open_ground() -> Iterator[Path]:
    """A directory that a stranger can reach, as pytest's own are not."""
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o755)
        yield Path(place)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody who may not write")
def test_on_a_ledger_that_may_not_be_written_nothing_is_granted(open_ground: Path) -> None:
    data = open_ground / "data"
    with serve(data) as served:
        assert served.choose_once("refuse").status_code == 303
    for path in (data, *data.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o600 if "key" in path.suffix else 0o644)

    def mend() -> None:
        for path in (data, *data.rglob("*")):
            os.chown(path, NOBODY, NOBODY)

    with serve(data, GAZETTE_UID=str(NOBODY)) as served:
        check_while_down(served, mend)
