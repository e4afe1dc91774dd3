"""The newspaper without Placet is as careless as it claims: the control of every zero."""

from __future__ import annotations

import json
from datetime import date
from http.cookies import SimpleCookie

import httpx2 as httpx

from newsroom.careless import visit_dates
from newsroom.thirdparties.memory import Memory

from .conftest import Press

DAY = 86_400


def set_cookies(answer: httpx.Response) -> dict[str, dict[str, str]]:
    """Cookie name to its attributes, lower case, as the heads have them."""
    found = {}
    for line in answer.headers.get_list("set-cookie"):
        for name, morsel in SimpleCookie(line).items():
            found[name] = {key: str(value) for key, value in morsel.items() if value}
    return found


def test_every_page_sets_the_cookies_of_refused_purposes_by_header(press: Press) -> None:
    for path in ("/", "/article/train-de-dornes", "/pour-vous", "/en/", "/nulle-part"):
        cookies = set_cookies(press.visit().get(path))
        assert {"ad_id", "ad_seg", "ad_zone", "ca_parent", "ab_profile", "mystery"} <= set(cookies), path
        assert "httponly" in cookies["ad_seg"]
        assert cookies["ad_zone"]["path"] == "/article"
        assert cookies["ca_parent"]["domain"] == "courrier.localhost"
        assert "httponly" in cookies["ab_profile"]
        assert cookies["ab_profile"]["max-age"] == str(730 * DAY)
        assert "httponly" not in cookies["ad_id"]


def test_scripts_set_the_two_others(press: Press) -> None:
    assert 'document.cookie = "_ca=' in press.visit().get("/").text
    assert 'document.cookie = "_ca_session=' in press.third("regie", "/pub.js").text


def test_a_revalidated_article_and_json_differ_only_as_intended(press: Press) -> None:
    client = press.visit()
    client.get("/article/train-de-dornes")
    etag = client.get("/article/train-de-dornes").headers["etag"]
    again = client.get("/article/train-de-dornes", headers={"if-none-match": etag})
    assert again.status_code == 304
    assert "ad_id" in set_cookies(again)
    assert set_cookies(client.get("/api/articles")) == {}


def test_a_known_value_is_kept(press: Press) -> None:
    answer = press.visit().get("/", headers={"cookie": "ad_id=connu"})
    assert "ad_id=connu;" in " ".join(answer.headers.get_list("set-cookie"))


def test_pages_are_full_of_third_parties(press: Press) -> None:
    page = press.visit().get("/article/train-de-dornes")
    for trace in (
        'rel="preconnect"',
        'rel="dns-prefetch"',
        'rel="preload"',
        "/annonces.css",
        "courrierTag(",
        "/tag.js",
        "/pub.js",
        "regie.localhost",
        "/pixel.gif",
        "<noscript><img",
        "ping=",
        "/cadre",
        "/mesure/compte",
        "/static/mesure.js",
        "/embed.js",
        "/jaime",
    ):
        assert trace in page.text, trace
    assert "/embed/pont" in press.visit().get("/article/pont-de-la-maladrerie").text
    assert "rel=preload" in press.visit().get("/").headers["link"]


def test_the_first_party_tracker_counts_what_reaches_it(press: Press) -> None:
    client = press.visit()
    client.post("/mesure/collect", content=b'{"page": "/"}')
    assert client.get("/_debug/received").json()["collected"] == 1
    client.post("/_debug/reset")
    assert client.get("/_debug/received").json()["collected"] == 0


def test_the_application_says_which_cookies_it_could_read(press: Press) -> None:
    client = press.visit()
    client.get("/", headers={"cookie": "ad_id=1; session=2"})
    assert client.get("/_debug/received").json()["received"] == [
        {"method": "GET", "path": "/", "cookies": ["ad_id", "session"]}
    ]


def test_the_exempt_counter_knows_a_visit_from_a_page_view_and_nobody_by_name(press: Press) -> None:
    one, other = press.visit(), press.visit()
    first = one.get("/mesure/compte?page=/")
    one.get("/mesure/compte?page=/")
    other.get("/mesure/compte?page=/")
    today = date.fromisoformat(one.cookies["audience"].partition(".")[0])
    assert one.cookies["audience"] == other.cookies["audience"] == f"{today}.{today}"
    assert int(set_cookies(first)["audience"]["max-age"]) <= 396 * DAY
    assert press.app.state.store.audience() == [(today.isoformat(), "/", 3, 2)]


def test_the_exempt_cookie_is_never_prolonged() -> None:
    today = date(2026, 11, 24)
    assert visit_dates("2026-01-01.2026-11-23", today) == (date(2026, 1, 1), date(2026, 11, 23))
    assert visit_dates("2025-01-01.2026-11-23", today) == (today, None)
    assert visit_dates("2027-01-01.2027-01-01", today) == (today, None)
    assert visit_dates("n'importe quoi", today) == (today, None)


def test_a_third_party_sets_reads_and_joins_what_it_is_told(press: Press) -> None:
    agent = {"user-agent": "Essai", "referer": "http://www.courrier.localhost/"}
    pixel = press.third("regie", "/pixel.gif?page=/article/train-de-dornes&ad_id=ad.1", headers=agent)
    lines = pixel.headers.get_list("set-cookie")
    assert all("SameSite=None; Secure" in line for line in lines)
    assert "Partitioned" in lines[1]
    uid = lines[0].partition(";")[0]
    press.third("mesure", "/ping?_ca=CA1.2&page=/article/eloge-du-banc", headers={"user-agent": "Autre"})
    assert press.third("regie", "/").text.count('<article class="file') == 2
    told = json.dumps({"_ca": "CA1.2", "ad_id": "ad.1", "appareil": {"Dessin": "abc"}})
    press.third("regie", "/empreinte", method="POST", content=told, headers=agent | {"cookie": uid})
    page = press.third("regie", "/", headers={"cookie": uid}).text
    assert page.count('<article class="file') == 1
    assert "C’est ce navigateur" in page
    for known in ("/article/train-de-dornes", "/article/eloge-du-banc", "CA1.2", "Dessin", "Essai", "Autre"):
        assert known in page.partition('class="log"')[0], known


def test_hits_tell_host_path_cookies_and_referer_and_can_be_forgotten(press: Press) -> None:
    heads = {"cookie": "pisteur_uid=p-1", "referer": "http://www.courrier.localhost/"}
    press.third("pisteur", "/balise", method="POST", content=b"1", headers=heads)
    (hit,) = press.third("regie", "/_hits").json()["hits"]
    assert (hit["host"], hit["method"], hit["path"]) == ("pisteur", "POST", "/balise")
    assert hit["cookies"] == {"pisteur_uid": "p-1"}
    assert hit["referer"] == "http://www.courrier.localhost/"
    assert hit["time"]
    press.third("regie", "/_reset", method="POST")
    assert press.third("regie", "/_hits").json() == {"hits": []}
    assert "Elle ne sait rien" in press.third("regie", "/").text


def test_looking_at_what_the_network_knows_teaches_it_nothing(press: Press) -> None:
    for path in ("/", "/apprises", "/regie.css", "/_hits"):
        assert press.third("regie", path).status_code == 200
    assert press.third("regie", "/_hits").json()["hits"] == []


def test_two_strangers_stay_two(press: Press) -> None:
    for agent in ("Un", "Deux"):
        press.third("regie", "/pixel.gif?page=/", headers={"user-agent": agent})
    assert press.third("regie", "/").text.count('<article class="file') == 2
    assert Memory().visitors() == []
