"""The system's Chromium, with third-party cookies allowed and nothing of its own going on."""

from __future__ import annotations

import json
import os
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Playwright

EXECUTABLE = "/usr/bin/chromium"

# Debian's Chromium blocks third-party cookies, and never prefetches: a "zero" seen there would prove nothing.
PREFERENCES = {
    "profile": {"cookie_controls_mode": 0, "block_third_party_cookies": False},
    "net": {"network_prediction_options": 0},
}


def launch(playwright: Playwright, profile: Path, back_forward_cache: bool) -> Browser:
    """A browser whose every new context is a fresh profile."""
    (profile / "Default").mkdir(parents=True)
    (profile / "Default" / "Preferences").write_text(json.dumps(PREFERENCES))
    context: BrowserContext = playwright.chromium.launch_persistent_context(
        profile,
        executable_path=EXECUTABLE,
        args=["--disable-component-update", "--disable-quic"] + ["--no-sandbox"] * (os.geteuid() == 0),
        ignore_default_args=["--disable-back-forward-cache"] if back_forward_cache else None,
    )
    assert context.browser is not None
    return context.browser
