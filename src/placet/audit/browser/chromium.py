"""The system's Chromium as a visitor has it: third-party cookies, prefetching, the back/forward cache.

Debian's Chromium blocks third-party cookies and never prefetches, and Playwright turns off the partitioning
of third-party storage and the blocking of popups: with either, one sees what no visitor's browser does.

Two things are unlike a visitor's browser. Nothing is prerendered: Chromium does not while it is listened to,
and fetches the page ahead, which is seen. And unless the back/forward cache is asked for, a page that is left
is replaced in its own process, so that its last words are heard.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from playwright.async_api import BrowserContext, Error, Playwright

from placet.audit.browser import limits
from placet.audit.plan import Plan
from placet.errors import AuditError

_UNLIKE_A_VISITORS = ["--disable-popup-blocking", "--disable-ipc-flooding-protection", "--enable-automation"]

# Instead of Playwright's list, which has the partitioning of storage in it. These would let the browser send
# requests of its own, or try https for an address that says http.
_OFF = (
    "AimEnabled", "AvoidUnnecessaryBeforeUnloadCheckSync", "DestroyProfileOnBrowserClose",
    "HttpsFirstBalancedModeAutoEnable", "HttpsUpgrades", "LensOverlay", "MediaRouter",
    "NetworkTimeServiceQuerying", "OptimizationHints", "PreconnectToSearch",
)  # fmt: skip
_SWAPPING = ("BackForwardCache", "ProactivelySwapBrowsingInstance", "RenderDocument")
_LOG_SIZE = 100  # megabytes


@dataclass(frozen=True)
class Manner:
    """Who comes: how their browser is set."""

    scripts: bool = True
    gpc: bool = False
    third_party_cookies: bool = True
    viewport: tuple[int, int] = (1280, 800)  # CSS pixels
    language: str = "fr-FR"
    zoom: float = 1.0
    reduced_motion: bool = False
    forced_colours: bool = False
    back_forward_cache: bool = False


async def version_of(executable: str) -> str:
    """Which browser it is: "Chromium 156.0.8078.79". Raises AuditError A001 if there is none there."""
    return await asyncio.to_thread(_version, executable)


@cache  # the answer costs a process, and each browser that is opened needs it
def _version(executable: str) -> str:
    if not shutil.which(executable):
        raise AuditError(f"A001 there is no browser at {executable}; install Chromium, or say where it is")
    said = subprocess.run([executable, "--version"], capture_output=True, check=False).stdout  # noqa: S603
    if not (found := re.search(rb"\d+(\.\d+){2,3}", said)):
        raise AuditError(f"A001 {executable} does not say which version of Chromium it is; give another")
    return f"Chromium {found[0].decode()}"


async def launch(
    playwright: Playwright, plan: Plan, profile: Path, manner: Manner, log: Path
) -> BrowserContext:
    """A browser with this profile, new or used before. Raises AuditError A001 if it does not start.

    Its network's log goes to `log`.
    """
    agent = _agent(await version_of(plan.executable))
    if not (profile / "Default").exists():
        (profile / "Default").mkdir(parents=True)
        (profile / "Default" / "Preferences").write_text(json.dumps(_preferences(manner)))
    (profile / "DevToolsActivePort").unlink(missing_ok=True)
    width, height = manner.viewport
    try:
        return await playwright.chromium.launch_persistent_context(
            profile,
            executable_path=plan.executable,
            timeout=limits.LAUNCH * 1000,
            args=[*_arguments(plan, manner, agent), f"--log-net-log={log}"],
            ignore_default_args=_UNLIKE_A_VISITORS
            + ["--disable-back-forward-cache"] * manner.back_forward_cache,
            viewport={"width": width, "height": height},
            device_scale_factor=manner.zoom,
            java_script_enabled=manner.scripts,
            reduced_motion="reduce" if manner.reduced_motion else None,
            forced_colors="active" if manner.forced_colours else None,
            accept_downloads=False,
        )
    except Error as error:
        raise AuditError(
            f"A001 {plan.executable} does not start: {limits.cut(error.message, 500)}"
        ) from error


def _preferences(manner: Manner) -> dict[str, Any]:
    language = manner.language.partition("-")[0]
    blocked = not manner.third_party_cookies
    return {
        "profile": {
            "cookie_controls_mode": int(blocked),
            "block_third_party_cookies": blocked,
            "default_content_setting_values": {
                "geolocation": 2,
                "notifications": 2,
                "media_stream_camera": 2,
                "media_stream_mic": 2,
            },
        },
        "net": {"network_prediction_options": 0},
        "intl": {"accept_languages": f"{manner.language},{language}"},
    }


def _arguments(plan: Plan, manner: Manner, agent: str) -> list[str]:
    arguments = [
        "--remote-debugging-port=0",
        "--disable-blink-features=AutomationControlled",
        "--disable-component-update",
        "--disable-quic",
        f"--disable-features={','.join(_OFF + (() if manner.back_forward_cache else _SWAPPING))}",
        "--net-log-capture-mode=IncludeSensitive",  # cookies
        f"--net-log-max-size-mb={_LOG_SIZE}",
        f"--user-agent={agent}",
        f"--lang={manner.language}",
    ]
    if plan.resolve:
        rules = ",".join("MAP {} {}".format(*one.partition(":")[::2]) for one in plan.resolve)
        arguments.append(f"--host-resolver-rules={rules}")
    if plan.trust:
        arguments.append(f"--ignore-certificate-errors-spki-list={','.join(plan.trust)}")
    if os.geteuid() == 0:
        arguments.append("--no-sandbox")
    return arguments


def _agent(version: str) -> str:
    """What a Chromium with a window says it is: sites show robots another face."""
    major = version.partition(" ")[2].partition(".")[0]
    like = "AppleWebKit/537.36 (KHTML, like Gecko)"
    return f"Mozilla/5.0 (X11; Linux x86_64) {like} Chrome/{major}.0.0.0 Safari/537.36"
