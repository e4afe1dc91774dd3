"""WordPress from Debian's package, with MariaDB, two posts and an author who has a password."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

from tests.browser.grounds import until

from . import careless
from .machinery import Machinery, own

PACKAGE = Path("/usr/share/wordpress")
CONTENT = Path("/var/lib/wordpress/wp-content")
DATABASE, INSTALL = Path("/usr/sbin/mariadbd"), Path("/usr/bin/mariadb-install-db")
NAME, PASSWORD = "odile", "des-cornes-de-brume"
HOME = "/carnet/pont/"

_SET_UP = Path(__file__).parent / "wordpress_setup.php"

_CONFIG = """<?php
define('DB_NAME', 'wordpress');
define('DB_USER', 'root');
define('DB_PASSWORD', '');
define('DB_HOST', 'localhost:{folder}/maria.sock');
define('DB_CHARSET', 'utf8mb4');
define('DB_COLLATE', '');
$table_prefix = 'wp_';
{keys}
// The same site with and without a proxy in front.
define('WP_HOME', 'http://' . ($_SERVER['HTTP_HOST'] ?? 'www.courrier.localhost'));
define('WP_SITEURL', WP_HOME);
define('WP_HTTP_BLOCK_EXTERNAL', true);
define('AUTOMATIC_UPDATER_DISABLED', true);
define('DISABLE_WP_CRON', true);
define('WP_DEFAULT_THEME', 'twentytwentytwo');
if (!defined('ABSPATH')) define('ABSPATH', __DIR__ . '/');
require_once ABSPATH . 'wp-settings.php';
"""
_KEYS = ("AUTH", "SECURE_AUTH", "LOGGED_IN", "NONCE")


def installed() -> bool:
    """Whether the packages are there."""
    return all(path.exists() for path in (PACKAGE / "wp-login.php", DATABASE, INSTALL))


def build(third_port: int) -> Machinery:
    """The site, ready to be entered."""
    machinery = Machinery(front="/index.php?$args")
    shutil.copytree(PACKAGE, machinery.root, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".htaccess"))
    (machinery.root / "wp-content" / "uploads").mkdir()
    keys = "".join(
        f"define('{key}_{kind}', 'of the test’s alone: {key} {kind}');\n"
        for key in _KEYS
        for kind in ("KEY", "SALT")
    )
    config = _CONFIG.format(folder=machinery.folder, keys=keys)
    (machinery.root / "wp-config.php").write_text(config)
    plugins = machinery.root / "wp-content" / "mu-plugins"
    plugins.mkdir()
    shutil.copy(Path(__file__).with_name("one_address.php"), plugins)
    shutil.copy(careless.HERE / "wordpress.php", plugins / "habits.php")
    careless.write_habits(plugins / "habits", third_port, zone="/carnet")
    own(machinery.folder)
    try:
        _start_database(machinery)
        machinery.run_php(_SET_UP, NAME, PASSWORD)
    except BaseException:
        machinery.__exit__()
        raise
    return machinery


def _start_database(machinery: Machinery) -> None:
    data, socket = machinery.folder / "maria", machinery.folder / "maria.sock"
    made = machinery.start(
        [
            INSTALL,
            "--no-defaults",
            f"--datadir={data}",
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
        ]
    )
    assert made.wait() == 0, (machinery.folder / "output.log").read_text()
    machinery.start(
        [
            DATABASE,
            "--no-defaults",
            f"--datadir={data}",
            f"--socket={socket}",
            f"--pid-file={machinery.folder}/maria.pid",
            "--skip-networking",
            "--innodb-flush-log-at-trx-commit=0",
            "--innodb-buffer-pool-size=64M",
        ]
    )
    until(socket.exists, "MariaDB", time.sleep)
