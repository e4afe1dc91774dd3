"""A real browser tells, in observe mode, what a page loads from others; it is loaded, and written down."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser

from placet.observed import read_observed
from tests.browser.conftest import browser_with  # noqa: F401
from tests.web.served import until

from .servers import POLICY, placet
from .site import Asked, Site, site

OBSERVING = '\n[server]\nmode = "observe"\n'
# The image is put there by a script, so that nobody but the browser can tell of it.
PAGE = """<!doctype html><html lang=fr><title>Une</title><body><script>
document.body.append(Object.assign(new Image(), {{src: "http://inconnu.localhost:{port}/pixel.gif?who=1"}}))
</script></body></html>"""


def test_an_image_of_a_third_party_is_reported_and_written_down(
    browser_with: Callable[[bool], Browser],  # noqa: F811
    behind: Site,
    tmp_path: Path,
) -> None:
    policy = POLICY.read_text("utf-8").replace("gazette.test", "gazette.localhost") + OBSERVING
    (tmp_path / "placet.toml").write_text(policy, "utf-8")
    with site() as other, placet(tmp_path, behind.address) as made:
        page = PAGE.format(port=other.port).encode()

        def answer(asked: Asked, connection: socket.socket) -> None:
            head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n"
            connection.sendall(head % len(page) + page)

        behind.answer = answer
        context = browser_with(False).new_context()
        try:
            context.new_page().goto(f"http://www.gazette.localhost:{made.port}/")
            assert until(lambda: '"path":"/.placet/report"' in made.out.read_text())
        finally:
            context.close()
        assert made.end() == 0
    assert "/pixel.gif?who=1" in [asked.target for asked in other.asked]
    found = read_observed(tmp_path / "placet-data" / "observations.json")
    (image,) = [one for one in found.seen if one.name.startswith("inconnu.localhost")]
    assert (image.what, image.name, image.seen, image.refused) == ("img-src", "inconnu.localhost", 1, 1)
