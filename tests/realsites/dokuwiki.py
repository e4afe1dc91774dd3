"""DokuWiki from Debian's package, with two pages and an editor who has a password."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from . import careless
from .machinery import PHP, Machinery, own

PACKAGE = Path("/usr/share/dokuwiki")
CONF = Path("/etc/dokuwiki")
NAME, PASSWORD = "odile", "des-cornes-de-brume"
HOME = "/doku.php?id=start"

_LOCAL = """<?php
$conf['title'] = 'Le wiki de la vallée';
$conf['lang'] = 'fr';
$conf['useacl'] = 1;
$conf['authtype'] = 'authplain';
$conf['superuser'] = '@admin';
$conf['disableactions'] = 'register';
$conf['savedir'] = '{data}';
$conf['updatecheck'] = 0;
$conf['license'] = '';
"""

# Debian's preload keeps the settings in /etc; this is how it lets one say otherwise.
_PRELOAD = "<?php define('DOKU_MAIN_CONF', '{conf}/'); define('DOKU_CONF', '{conf}/');\n"

_PAGES = {
    "start": "====== La vallée ======\n\nLe pont de la Maladrerie a trois arches. Voir [[orgue]].\n",
    "orgue": "====== L’orgue ======\n\nL’orgue de Sainte-Foy a trente-deux jeux.\n",
}


def installed() -> bool:
    """Whether the package is there."""
    return (PACKAGE / "doku.php").exists()


def build(third_port: int) -> Machinery:
    """The site, ready to be entered."""
    machinery = Machinery()
    conf, data = machinery.folder / "conf", machinery.folder / "data"
    # Links are followed: Debian spreads the files over several places.
    shutil.copytree(PACKAGE, machinery.root, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".htaccess"))
    shutil.copytree(CONF, conf, ignore=shutil.ignore_patterns("*.auth.php", ".htaccess"))
    for name in (
        *("attic", "cache", "index", "locks", "log", "media", "media_attic", "media_meta", "meta"),
        *("pages", "tmp"),
    ):
        (data / name).mkdir(parents=True)
    for name, text in _PAGES.items():
        (data / "pages" / f"{name}.txt").write_text(text)
    (conf / "local.php").write_text(_LOCAL.format(data=data))
    (conf / "acl.auth.php").write_text("# <?php exit()?>\n*\t@ALL\t1\n*\t@user\t16\n")
    (conf / "users.auth.php").write_text(
        f"# <?php exit()?>\n{NAME}:{_hash(PASSWORD)}:Odile:odile@courrier.example:admin,user\n"
    )
    preload = machinery.folder / "preload.php"
    preload.write_text(_PRELOAD.format(conf=conf))
    machinery.php = {"auto_prepend_file": str(preload)}

    habits = machinery.root / "lib" / "plugins" / "habits"
    shutil.copytree(careless.HERE / "habits", habits)
    careless.write_habits(habits, third_port, zone="/doku.php")
    # DokuWiki's own hooks: files that every page takes in.
    (habits / "head.html").rename(conf / "meta.html")
    (habits / "foot.html").rename(conf / "footer.html")
    own(machinery.folder)
    machinery.run_php(machinery.root / "bin" / "indexer.php", "--quiet")
    return machinery


def _hash(password: str) -> str:
    code = "echo password_hash($argv[1], PASSWORD_BCRYPT);"
    return subprocess.run(
        [PHP, "-r", code, "--", password], capture_output=True, text=True, check=True
    ).stdout.strip()
