"""What the newsroom keeps, in one SQLite file: comments, logged-in readers, readings, counts of visits."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

SCHEMA = """
create table if not exists comments (
    id integer primary key, article text not null, author text not null, body text not null, at text not null
);
create index if not exists comments_of_article on comments (article, id);
create table if not exists sessions (token text primary key, name text not null);
create table if not exists readings (
    reader text not null, article text not null, times integer not null, at text not null,
    primary key (reader, article)
) without rowid;
create table if not exists visits (day text not null, page text not null, views integer not null,
    visits integer not null, primary key (day, page)
) without rowid;
"""


@dataclass(frozen=True)
class Comment:
    author: str
    body: str
    at: datetime


class Store:
    """One connection, used from the event loop's thread: every query here takes microseconds."""

    def __init__(self, file: Path) -> None:
        self._db = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
        self._db.execute("pragma journal_mode = wal")
        self._db.execute("pragma synchronous = normal")
        self._db.executescript(SCHEMA)

    def close(self) -> None:
        """Close the file; nothing works afterwards."""
        self._db.close()

    # Comments

    def seed(self, comments: Iterable[tuple[str, Comment]]) -> None:
        """Put the first comments in, if there are none at all."""
        if self._db.execute("select 1 from comments limit 1").fetchone():
            return
        for article, comment in comments:
            self.add_comment(article, comment.author, comment.body, comment.at)

    def comments(self, article: str) -> list[Comment]:
        """The comments under an article, oldest first."""
        query = "select author, body, at from comments where article = ? order by id"
        rows = self._db.execute(query, (article,))
        return [Comment(author, body, datetime.fromisoformat(at)) for author, body, at in rows]

    def last_comment(self, article: str) -> tuple[int, datetime | None]:
        """How many comments an article has, and when the last one came."""
        count, at = self._db.execute(
            "select count(*), max(at) from comments where article = ?", (article,)
        ).fetchone()
        return count, datetime.fromisoformat(at) if at else None

    def add_comment(self, article: str, author: str, body: str, at: datetime | None = None) -> None:
        """Keep a comment."""
        stamp = (at or datetime.now(UTC)).isoformat(timespec="seconds")
        query = "insert into comments (article, author, body, at) values (?, ?, ?, ?)"
        self._db.execute(query, (article, author, body, stamp))

    # Sessions

    def open_session(self, name: str) -> str:
        """A token for a reader who gave a name."""
        token = secrets.token_urlsafe(18)
        self._db.execute("insert into sessions values (?, ?)", (token, name))
        return token

    def session_name(self, token: str | None) -> str | None:
        """The name behind a session token, or None."""
        if not token:
            return None
        row = self._db.execute("select name from sessions where token = ?", (token,)).fetchone()
        return row[0] if row else None

    def close_session(self, token: str) -> None:
        """Forget a session."""
        self._db.execute("delete from sessions where token = ?", (token,))

    # Reading histories

    def record_reading(self, reader: str, article: str) -> None:
        """One more reading of an article by a reader."""
        self._db.execute(
            "insert into readings values (?, ?, 1, ?) on conflict (reader, article) "
            "do update set times = times + 1, at = excluded.at",
            (reader, article, datetime.now(UTC).isoformat(timespec="seconds")),
        )

    def history(self, reader: str) -> list[tuple[str, int]]:
        """The articles a reader has read and how many times, last read first."""
        return self._db.execute(
            "select article, times from readings where reader = ? order by at desc, article", (reader,)
        ).fetchall()

    def erase_profile(self, reader_id: str) -> int:
        """Forget all that was kept about a reader; returns how many rows went."""
        return self._db.execute("delete from readings where reader = ?", (reader_id,)).rowcount

    # The audience, without anyone in it

    def count_visit(self, day: str, page: str, first_today: bool) -> None:
        """One more page view and, the first time in a day, one more visit."""
        self._db.execute(
            "insert into visits values (?, ?, 1, ?) on conflict (day, page) "
            "do update set views = views + 1, visits = visits + excluded.visits",
            (day, page, int(first_today)),
        )

    def audience(self) -> list[tuple[str, str, int, int]]:
        """Day, page, views, visits."""
        return self._db.execute("select day, page, views, visits from visits order by day, page").fetchall()
