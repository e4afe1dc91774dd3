"""What PHP sites run on: PHP's process manager and nginx, as a user without rights, on the loopback."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from tests.browser.grounds import PATIENCE, Arrival, until

FPM = Path("/usr/sbin/php-fpm8.2")
PHP = Path("/usr/bin/php8.2")
NGINX = Path("/usr/sbin/nginx")
UNPRIVILEGED = "www-data"

_NGINX = """
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log warn;
worker_processes 1;
events {{ worker_connections 256; }}
http {{
  include /etc/nginx/mime.types;
  client_body_temp_path {folder}/tmp/body;
  proxy_temp_path {folder}/tmp/proxy;
  fastcgi_temp_path {folder}/tmp/fastcgi;
  uwsgi_temp_path {folder}/tmp/uwsgi;
  scgi_temp_path {folder}/tmp/scgi;
  log_format arrivals escape=json
    '{{"method":"$request_method","host":"$host","address":"$request_uri",'
    '"cookies":"$http_cookie","agent":"$http_user_agent","status":$status}}';
  access_log {folder}/arrivals.log arrivals;
  gzip on;
  gzip_proxied any;
  gzip_types text/javascript application/javascript application/json;
  client_max_body_size 20m;
  server {{
    listen 127.0.0.1:{port};
    root {root};
    index index.php;
    location / {{ try_files $uri $uri/ {front}; }}
    location ~ \\.php(/|$) {{
      fastcgi_split_path_info ^(.+?\\.php)(/.*)$;
      include /etc/nginx/fastcgi_params;
      fastcgi_param HTTP_HOST $http_host;  # Debian's own leaves the port out, and the sites redirect to it
      fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name;
      fastcgi_param PATH_INFO $fastcgi_path_info;
      fastcgi_pass unix:{folder}/php.sock;
    }}
  }}
}}
"""

_FPM = """
[global]
error_log = {folder}/php-fpm.log
daemonize = no
[site]
listen = {folder}/php.sock
pm = static
pm.max_children = 5
catch_workers_output = yes
clear_env = yes
php_admin_value[error_log] = {folder}/php.log
php_admin_value[sys_temp_dir] = {folder}/tmp
php_admin_value[upload_tmp_dir] = {folder}/tmp
php_admin_value[session.save_path] = {folder}/tmp
php_admin_value[upload_max_filesize] = 20M
php_admin_value[post_max_size] = 20M
"""


def a_free_port() -> int:
    """A port of the loopback that nobody has just now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def as_unprivileged() -> dict[str, Any]:
    """How a process is started so that it has no rights; those that we have ourselves, unless we are root."""
    if os.geteuid() != 0:
        return {}
    return {"user": UNPRIVILEGED, "group": UNPRIVILEGED, "extra_groups": []}


def own(folder: Path) -> None:
    """Make everything in a folder the unprivileged user's."""
    if os.geteuid() == 0:
        who = pwd.getpwnam(UNPRIVILEGED)
        for path in [folder, *folder.rglob("*")]:
            os.chown(path, who.pw_uid, who.pw_gid, follow_symlinks=False)


@dataclass
class Machinery:
    """A site's files in a folder of its own, served."""

    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="placet-site-")))
    front: str = "=404"  # what answers for an address that is no file
    php: Mapping[str, str] = field(default_factory=dict)
    port: int = field(default_factory=a_free_port)

    def __post_init__(self) -> None:
        self._running = ExitStack()
        self._running.callback(shutil.rmtree, self.folder)
        for name in ("site", "tmp"):
            (self.folder / name).mkdir()

    @property
    def root(self) -> Path:
        """What nginx serves."""
        return self.folder / "site"

    def __enter__(self) -> Self:
        fpm = _FPM + "".join(f"php_admin_value[{name}] = {value}\n" for name, value in self.php.items())
        (self.folder / "php-fpm.conf").write_text(fpm.format(folder=self.folder))
        nginx = _NGINX.format(folder=self.folder, root=self.root, port=self.port, front=self.front)
        (self.folder / "nginx.conf").write_text(nginx)
        (self.folder / "arrivals.log").touch()
        own(self.folder)
        try:
            self.start([FPM, "--nodaemonize", "--fpm-config", self.folder / "php-fpm.conf"])
            until((self.folder / "php.sock").exists, "PHP", time.sleep)
            log = self.folder / "nginx.log"
            self.start([NGINX, "-p", self.folder, "-c", self.folder / "nginx.conf", "-e", log])
            until(lambda: self._answers(), "nginx", time.sleep)
        except BaseException:
            self._running.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._running.close()

    def start(self, command: Sequence[str | Path]) -> subprocess.Popen[bytes]:
        """Start a process without rights, which ends with the site."""
        with (self.folder / "output.log").open("ab") as output:
            process = subprocess.Popen(
                command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                **as_unprivileged(),
            )  # fmt: skip
        self._running.callback(_end, process)
        return process

    def run_php(self, script: Path, *arguments: str) -> str:
        """Run a script of PHP's as the site would, and return what it printed."""
        settings = [part for name, value in self.php.items() for part in ("-d", f"{name}={value}")]
        ran = subprocess.run(
            [PHP, *settings, script, *arguments], cwd=self.root, capture_output=True, text=True, check=False,
            **as_unprivileged(),
        )  # fmt: skip
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout

    def arrivals(self) -> list[Arrival]:
        """The requests that nginx has answered, oldest first."""
        # The last line may not be whole yet.
        lines = (self.folder / "arrivals.log").read_text().rpartition("\n")[0].splitlines()
        return [_arrival(json.loads(line)) for line in lines]

    def _answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port)).close()
        except ConnectionRefusedError:
            return False
        return True


def _arrival(line: dict[str, Any]) -> Arrival:
    parts = urlsplit(line["address"])
    return Arrival(
        where="application",
        method=line["method"],
        host=line["host"],
        path=parts.path,
        query=parts.query,
        cookies={name: one.value for name, one in SimpleCookie(line["cookies"]).items()},
        headers={"user-agent": line["agent"]},
        status=line["status"],
    )


def _end(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
