"""The canonical names behind hosts: what a first party's name may stand for."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterable
from urllib.parse import urlsplit

WAIT = 3.0  # seconds, for all of them together
HOSTS = 100  # that are looked up, at most


async def aliases_of(addresses: Iterable[str], resolved: Iterable[str] = ()) -> dict[str, tuple[str, ...]]:
    """Return the canonical names of the hosts of addresses, where the resolver tells of any in time.

    Hosts of this machine have none, and those in `resolved` ("host:address") are not to be looked up.
    """
    known = {rule.partition(":")[0] for rule in resolved}
    hosts = sorted({urlsplit(address).hostname or "" for address in addresses} - known - {""})
    found: dict[str, str] = {}
    # Not a pool's threads: the interpreter waits for those at its end, and a resolver may take its time.
    threads = [
        threading.Thread(target=_look_up, args=(host, found), daemon=True)
        for host in hosts[:HOSTS]
        if "." in host and not host.endswith(".localhost") and not host[-1].isdigit()
    ]
    for thread in threads:
        thread.start()
    await asyncio.to_thread(_join, threads)
    return {host: (name,) for host, name in sorted(found.items()) if name and name != host}


def _join(threads: Iterable[threading.Thread]) -> None:
    until = time.monotonic() + WAIT
    for thread in threads:
        thread.join(max(0, until - time.monotonic()))


def _look_up(host: str, found: dict[str, str]) -> None:
    try:
        answers = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_CANONNAME)
    except OSError:
        return
    found[host] = next((answer[3].rstrip(".").lower() for answer in answers if answer[3]), "")
