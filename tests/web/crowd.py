"""Many visitors at once, who choose over HTTP and say what they were given."""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit

from .gazette import HOST, NAVIGATION
from .served import RECEIPT

_COOKIE = re.compile(r"set-cookie: (__Host-Http-placet=[^;]+)", re.IGNORECASE)
_LENGTH = re.compile(r"content-length: (\d+)", re.IGNORECASE)

# What each visitor does, one after the other; a withdrawal needs a grant before it.
LIVES: Sequence[Sequence[tuple[str, ...]]] = (
    [("accept",)],
    [("refuse",)],
    [("save", "ads", "profiles")],
    [("accept",), ("refuse",)],
)


@dataclass
class Acknowledged:
    """What visitors were told is done."""

    granted: list[str] = field(default_factory=list)  # receipt numbers
    withdrawn: list[str] = field(default_factory=list)  # receipt numbers of what was taken back
    refused: int = 0
    unavailable: int = 0  # answered with 503

    @property
    def choices(self) -> int:
        return len(self.granted) + len(self.withdrawn) + self.refused

    def check_in(self, records: Sequence[str]) -> None:
        """Every acknowledged choice is in the ledger, exactly once, and there is no other.

        Of a choice that was answered with 503 nobody was told that it is not there.
        """
        found = [json.loads(record) for record in records]
        by_event = Counter(record["event"] for record in found)
        granted = [record["receipt"] for record in found if record["event"] == "granted"]
        withdrawn = [record["previous"] for record in found if record["event"] == "withdrawn"]
        assert len({record["id"] for record in found}) == len(found)
        assert not Counter(self.granted) - Counter(granted)
        assert len(granted) <= len(self.granted) + self.unavailable
        assert len(set(granted)) == len(granted)
        assert sorted(withdrawn) == sorted(self.withdrawn)
        assert by_event["refused"] == self.refused


def choose(addresses: Sequence[str], shown: str, number: int, at_once: int) -> Acknowledged:
    """Have `number` choices or a few more made, by `at_once` connections spread over the addresses."""
    return asyncio.run(_choose(addresses, shown, number, at_once))


async def _choose(addresses: Sequence[str], shown: str, number: int, at_once: int) -> Acknowledged:
    done = Acknowledged()
    lives = _lives(number)
    each = (_visitors(addresses[at % len(addresses)], shown, lives, done) for at in range(at_once))
    await asyncio.gather(*each)
    return done


def _lives(number: int) -> Iterator[Sequence[tuple[str, ...]]]:
    """Yield what one visitor after the other does, until that makes `number` choices."""
    made = 0
    while made < number:
        for life in LIVES:
            yield life
            made += len(life)


async def _visitors(
    address: str, shown: str, lives: Iterator[Sequence[tuple[str, ...]]], done: Acknowledged
) -> None:
    parts = urlsplit(address)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    try:
        for life in lives:
            cookie = ""
            for answer, *purposes in life:
                writer.write(_click(shown, answer, purposes, cookie))
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                length = _LENGTH.search(head)
                assert length, head
                await reader.readexactly(int(length[1]))
                cookie = _note(done, head, answer, cookie)
    finally:
        writer.close()
        await writer.wait_closed()


def _click(shown: str, answer: str, purposes: Sequence[str], cookie: str) -> bytes:
    fields = {"answer": answer, "purpose": purposes, "shown": shown, "language": "fr", "layer": "notice"}
    body = urlencode(fields, doseq=True)
    heads = {
        **NAVIGATION,
        "host": HOST,
        "origin": f"http://{HOST}",
        "content-type": "application/x-www-form-urlencoded",
        "content-length": str(len(body)),
        **({"cookie": cookie} if cookie else {}),
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in heads.items())
    return f"POST /.placet/choice HTTP/1.1\r\n{lines}\r\n{body}".encode()


def _note(done: Acknowledged, head: str, answer: str, before: str) -> str:
    """Note what a response acknowledges, and return the consent cookie that the visitor has now."""
    if head.startswith("HTTP/1.1 503"):
        done.unavailable += 1
        return before
    found = _COOKIE.search(head)
    assert head.startswith("HTTP/1.1 303"), head
    assert found, head
    if answer != "refuse":
        receipt = RECEIPT.search(found[1])
        assert receipt, head
        done.granted.append(receipt[1])
    elif taken_back := RECEIPT.search(before):
        done.withdrawn.append(taken_back[1])
    else:
        done.refused += 1
    return found[1]
