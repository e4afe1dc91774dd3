"""How much memory a streamed page needs: a process that passes 5 MB through, and one that passes 50 MB."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from placet import ConsentMiddleware

from . import ROOT, markup, visitor
from .sheet import Sheet

CHUNK = 64 << 10
ROOM = 1.0  # MB, within which two peaks are the same: what an allocator rounds up to


def measure(sheet: Sheet) -> None:
    """Print the peaks."""
    sheet.part("Memory for a streamed page, in chunks of 64 kB, refused")
    peaks = {size: _peak_of(size) for size in (5, 50)}
    for size, peak in peaks.items():
        sheet.line(f"peak of a process that streams {size} MB", f"{peak:.1f} MB")
    sheet.at_most("50 MB need no more memory than 5 MB", peaks[50] - peaks[5], ROOM, "MB more")
    sheet.limits("what a later byte may still decide: an unfinished tag, an inline script, at most 4 MB")


def _peak_of(size: int) -> float:
    command = [sys.executable, "-m", "bench.memory", str(size)]
    return float(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout)


async def _stream(size: int, data: Path) -> int:
    """Stream an article again and again, as one page of `size` MB; return how many bytes came out."""
    article = markup.article()
    body = article[article.index(b"<article>") : article.index(b"</article>")]
    out = 0

    async def page(scope: Any, receive: Any, send: Any) -> None:
        await send(
            {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/html")]}
        )
        waiting = bytearray(article[: article.index(b"<article>")])
        for _ in range((size << 20) // len(body)):
            waiting += body
            while len(waiting) >= CHUNK:
                await send({"type": "http.response.body", "body": bytes(waiting[:CHUNK]), "more_body": True})
                del waiting[:CHUNK]
        await send({"type": "http.response.body", "body": bytes(waiting), "more_body": False})

    async def send(message: Any) -> None:
        nonlocal out
        out += len(message.get("body", b""))

    asked = visitor.scope("/", {**visitor.NAVIGATION, "cookie": visitor.cookies(data, granted=False)})
    await ConsentMiddleware(page, visitor.config(data))(asked, None, send)  # type: ignore[arg-type]
    return out


def main() -> None:
    """Print this process's peak, in MB, after a page of as many MB as asked."""
    size = int(sys.argv[1])
    with tempfile.TemporaryDirectory() as data:
        out = asyncio.run(_stream(size, Path(data)))
    if out < size * 0.95e6:
        raise RuntimeError(f"only {out} bytes came out")
    peak = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    if peak is None:
        raise RuntimeError("this system does not tell a process's peak")
    print(int(peak[1]) / 1024)


if __name__ == "__main__":
    main()
