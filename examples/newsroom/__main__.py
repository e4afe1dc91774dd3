"""`python -m newsroom`: the newspaper and the third parties around it, in one process."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import tempfile
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from . import site, thirdparties

POLICY = Path(__file__).with_name("placet.toml")


def bind(variable: str, default: int) -> socket.socket:
    """A listening socket on the port asked for, or on any free one when it is taken."""
    for port in (int(os.environ.get(variable, default)), 0):
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            listener.close()
            if port == 0:
                raise
        else:
            listener.listen(128)
            return listener
    raise AssertionError("a free port always binds")


def newspaper(third_party_origin: str, data: Path) -> ASGIApp:
    """The site, with Placet in front of it unless `PLACET=off`."""
    app = site.build(third_party_origin, data, debug=os.environ.get("NEWSROOM_DEBUG") == "1")
    if os.environ.get("PLACET") == "off":
        return app
    from placet.web.asgi import ConsentMiddleware

    os.environ.setdefault("PLACET_DATA", str(data / "placet"))  # kept, or gone, with the newspaper's own data
    return ConsentMiddleware(app, POLICY, on_withdrawal={"profiles": app.state.erase})


def announce(port: int, third_port: int) -> None:
    """Say where everything is."""
    off = os.environ.get("PLACET") == "off"
    front = "SANS Placet / without it" if off else "avec Placet (PLACET=off : le même site sans / without it)"
    print(
        f"\n  Le Courrier du Val, {front}\n\n"
        f"  Le journal / the newspaper        http://www.courrier.localhost:{port}/\n"
        f"  En anglais / in English           http://www.courrier.localhost:{port}/en/\n"
        f"  Ce que la régie a appris de vous  http://regie.localhost:{third_port}/\n"
        f"  (what the ad network has learned of you)\n\n"
        f"  Ctrl+C pour arrêter / to stop\n",
        flush=True,
    )


async def run(data: Path) -> None:
    """Serve both until a signal comes."""
    listener, third_listener = bind("NEWSROOM_PORT", 8000), bind("THIRD_PORT", 8001)
    port, third_port = listener.getsockname()[1], third_listener.getsockname()[1]
    apps = (newspaper(f"http://localhost:{third_port}", data), thirdparties.build())
    servers = [
        uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1)) for app in apps
    ]
    announce(port, third_port)
    tasks = [
        asyncio.create_task(server.serve(sockets=[sock]))
        for server, sock in zip(servers, (listener, third_listener), strict=True)
    ]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for server in servers:
        server.should_exit = True
    await asyncio.gather(*tasks)


def main() -> None:
    """Serve from NEWSROOM_DATA, or from a folder that goes with the process."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        if kept := os.environ.get("NEWSROOM_DATA"):
            Path(kept).mkdir(parents=True, exist_ok=True)
            asyncio.run(run(Path(kept)))
        else:
            with tempfile.TemporaryDirectory(prefix="courrier-") as fresh:
                asyncio.run(run(Path(fresh)))
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
