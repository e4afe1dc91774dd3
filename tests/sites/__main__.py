"""`python -m tests.sites [port]`: serves every replica site until Ctrl+C, and says where they are."""

from __future__ import annotations

import contextlib
import sys
import threading

from . import serving


def main() -> None:
    """Print the addresses, and wait."""
    with serving(int(sys.argv[1]) if len(sys.argv) > 1 else 0) as served:
        for site in served.sites:
            broken = ", ".join(sorted({expected.rule for expected in site.expects})) or "clean"
            print(f"  {served.address(site):52} {broken:16} {site.about}", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()


if __name__ == "__main__":
    main()
