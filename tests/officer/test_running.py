"""The officer's commands while servers run and visitors choose: nobody has to stop for anybody."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from ..ledger.given import PATIENCE
from ..web.served import RECEIPT, Served, serve
from .site import POLICY, Ran, run


def accept(served: Served) -> str:
    """Accept everything, and return the number of the receipt."""
    found = RECEIPT.search(served.choose_once("accept").headers["set-cookie"])
    assert found
    return found[1]


def until_published(directory: Path, *command: str) -> Ran:
    """Run a command until the servers have published what it needs."""
    until = time.monotonic() + PATIENCE
    while True:
        ran = run(directory, *command)
        if "O012" not in ran.err or time.monotonic() > until:
            return ran


def test_a_choice_made_over_http_is_proved_shown_erased_and_the_log_still_holds(tmp_path: Path) -> None:
    data, desk = tmp_path / "data", tmp_path / "desk"
    desk.mkdir()
    (desk / "placet.toml").write_text(f'{POLICY.read_text()}\n[server]\ndata = "{data}"\n')
    with serve(data) as served:
        numbers = [accept(served) for _ in range(3)]
        assert served.choose_once("refuse").status_code == 303
        stop = threading.Event()
        visitor = threading.Thread(target=lambda: [accept(served) for _ in iter(stop.is_set, True)])
        visitor.start()
        try:
            proved = until_published(desk, "ledger", "prove", numbers[1], "--out", "p.tlog-proof")
            assert proved.status == 0, proved
            assert run(desk, "receipt", "verify", "p.tlog-proof").status == 0
            shown = until_published(desk, "evidence", "--receipt", numbers[1], "--out", "e.zip")
            assert shown.status == 0, shown
            erased = run(desk, "erase", numbers[1], "--yes")
            assert erased.status == 0, erased
        finally:
            stop.set()
            visitor.join()
        exported = run(desk, "export")
        assert numbers[0] in exported.out
        assert numbers[1] not in exported.out
        kept = run(desk, "retention", "run", "--apply")
        assert (kept.status, "Nothing was due." in kept.out) == (0, True)
    checked = run(desk, "ledger", "verify")
    assert checked.status == 0, checked
    assert run(desk, "receipt", "verify", "p.tlog-proof").status == 0
