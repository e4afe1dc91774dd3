"""What is served is what Debian ships: nothing was changed for Placet, nor by what the tests did to it."""

from __future__ import annotations

from pathlib import Path

from .conftest import SITES
from .grounds import Grounds

# Debian's looks for settings in /etc; the site's own stand in its place, as in WordPress's handbook.
SETTINGS = Path("wp-config.php")


def test_every_file_is_the_packages(grounds: Grounds, name: str) -> None:
    package: Path = SITES[name].PACKAGE
    files = {path.relative_to(package) for path in shipped(package)} - {SETTINGS}
    assert len(files) > 1_000
    root = grounds.machinery.root
    changed = [file for file in files if (package / file).read_bytes() != (root / file).read_bytes()]
    assert changed == []


def shipped(folder: Path) -> list[Path]:
    """Every file in a folder but Apache's; Debian's links to other places are followed."""
    found = []
    for path in folder.iterdir():
        found += shipped(path) if path.is_dir() else [path]
    return [path for path in found if path.name != ".htaccess"]
