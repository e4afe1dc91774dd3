"""Server processes forked from one that has made the site already, as `gunicorn --preload` does.

`python -m tests.web.preforked --fd N …` runs three, which take turns on one socket, until it is told to end.
"""

from __future__ import annotations

import os
import signal
import sys

import uvicorn

from .serve import app

NUMBER = 3


def main() -> None:
    """Fork, wait, and pass the word on."""
    children = [child for _ in range(NUMBER) if (child := _server())]

    def end(*_: object) -> None:
        for child in children:
            os.kill(child, signal.SIGTERM)

    signal.signal(signal.SIGTERM, end)
    for child in children:
        os.waitpid(child, 0)


def _server() -> int:
    child = os.fork()
    if child == 0:
        uvicorn.run(app, fd=int(sys.argv[2]), log_level="warning")
        os._exit(0)
    return child


if __name__ == "__main__":
    main()
