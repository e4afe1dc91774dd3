"""What readers send, and what is kept of what they read."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import httpx2 as httpx
from starlette.requests import Request

from newsroom.consent import EVERYTHING, consent_of

from .conftest import Press

ARTICLE = "/article/terrain-de-foot"


@dataclass
class Withdrawal:
    """What a hook is given."""

    purposes: tuple[str, ...] = ("profiles",)
    cookies: dict[str, str] = field(default_factory=dict)


def post_comment(client: httpx.Client, **changes: Any) -> httpx.Response:
    form = {"csrftoken": client.cookies.get("csrftoken"), "author": "Zoé", "body": "Bravo <b>!</b>"} | changes
    return client.post(f"{ARTICLE}/commenter", data=form)


def test_a_comment_with_its_token_is_kept_and_escaped(press: Press) -> None:
    client = press.visit()
    client.get(ARTICLE)
    answer = post_comment(client)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{ARTICLE}#commentaires")
    page = press.visit().get(ARTICLE).text
    assert "Bravo &lt;b&gt;!&lt;/b&gt;" in page
    assert "La maman de la numéro 8" in page


def test_a_comment_without_its_token_is_refused(press: Press) -> None:
    client = press.visit()
    assert post_comment(client, csrftoken="").status_code == 403
    client.get(ARTICLE)
    assert post_comment(client, csrftoken="autre").status_code == 403
    assert post_comment(client, csrftoken="é").status_code == 403
    assert "Bravo" not in client.get(ARTICLE).text


def test_an_empty_comment_is_refused(press: Press) -> None:
    client = press.visit()
    client.get(ARTICLE)
    assert post_comment(client, body="  ").status_code == 400


def test_a_reader_logs_in_signs_comments_and_comes_back_where_they_were(press: Press) -> None:
    client = press.visit()
    client.get("/connexion")
    form = {"csrftoken": client.cookies["csrftoken"], "name": "Ménie", "retour": ARTICLE}
    answer = client.post("/connexion", data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, ARTICLE)
    assert "session" in client.cookies
    assert '<span class="reader">Ménie</span>' in client.get(ARTICLE).text
    assert post_comment(client, author="Quelqu'un d'autre").status_code == 303
    assert [c.author for c in press.app.state.store.comments("terrain-de-foot")][-1] == "Ménie"
    client.post("/deconnexion", data={"csrftoken": client.cookies["csrftoken"]})
    assert "Ménie</span>" not in client.get(ARTICLE).text


def test_logging_in_never_leads_to_another_site(press: Press) -> None:
    for away in ("//ailleurs.example", "https://ailleurs.example", "/\\ailleurs.example"):
        client = press.visit()
        client.get("/connexion")
        form = {"csrftoken": client.cookies["csrftoken"], "name": "Z", "retour": away}
        assert client.post("/connexion", data=form).headers["location"] == "/"


def test_reading_makes_a_profile_that_suggests_what_was_not_read(press: Press) -> None:
    client = press.visit()
    assert "Nous ne savons rien de vos lectures" in client.get("/pour-vous").text
    client.get("/article/chauves-souris-de-la-mine")
    client.get("/article/chauves-souris-de-la-mine")
    page = client.get("/pour-vous").text
    suggested, _, read = page.partition("Vous avez lu")
    assert "2 fois" in read
    assert "/article/chauves-souris-de-la-mine" in read
    assert "/article/chauves-souris-de-la-mine" not in suggested
    first = suggested.split('class="card"')[1]
    assert "/article/haies-de-brissac" in first
    assert "D’après ce que vous avez lu" in client.get("/").text


def test_withdrawing_erases_one_profile_and_no_other(press: Press) -> None:
    one, other = press.visit(), press.visit()
    for client in (one, other):
        client.get(ARTICLE)
    store = press.app.state.store
    asyncio.run(press.app.state.erase(Withdrawal(cookies={"reader_id": one.cookies["reader_id"]})))
    assert store.history(one.cookies["reader_id"]) == []
    assert store.history(other.cookies["reader_id"]) == [("terrain-de-foot", 1)]
    asyncio.run(press.app.state.erase(Withdrawal()))


def test_without_placet_everything_is_taken_as_allowed() -> None:
    assert consent_of(Request({"type": "http"})) is EVERYTHING
