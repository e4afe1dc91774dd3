"""What such sites have in their hooks: analytics, an advertiser, a pixel, a video, a social network."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tests.browser.scenes import FIVE

HERE = Path(__file__).parent


def hosts(third_port: int) -> dict[str, str]:
    """Those around the site, by name, as origins."""
    names = ("regie", "mesure", "social", "video", "pisteur")
    return {name: f"http://{name}.localhost:{third_port}" for name in names}


def write_habits(folder: Path, third_port: int, zone: str) -> None:
    """Write `head.html`, `foot.html` and `cookies.php`; `zone` is the path of one of the cookies."""
    folder.mkdir(exist_ok=True)
    around = hosts(third_port)
    (folder / "head.html").write_text(_filled("head.html", around))
    five = FIVE.format(third=around["pisteur"], tag="")
    (folder / "foot.html").write_text(_filled("foot.html", around) + five)
    (folder / "cookies.php").write_text(_filled("cookies.php", {"zone": zone}))


def _filled(name: str, values: Mapping[str, str]) -> str:
    text = (HERE / name).read_text()
    for key, value in values.items():
        text = text.replace("{" + key + "}", value)
    return text
