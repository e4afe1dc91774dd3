"""What is Django's own: checks, template tags, views of both kinds, the command."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from django.conf.urls.i18n import i18n_patterns
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.checks import run_checks
from django.core.management import call_command
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse
from django.template import TemplateSyntaxError, engines
from django.test import RequestFactory, override_settings
from django.urls import path
from django.utils.translation import gettext

from placet.errors import PlacetError, UnknownName
from placet.web.integrations.django.consent import consent_of, requires
from placet.web.integrations.django.middleware import _set_head
from tests.web.gazette import ORIGIN, PAGE, POLICY, Visitor

from .sites import django_site

GATE = '{% load placet %}{% placet_gate "comments" %}form{% endplacet_gate %}'
EITHER = "{% load placet %}{% placet_gate name %}form{% else %}closed{% endplacet_gate %}"
MIDDLEWARE = "placet.web.integrations.django.middleware.ConsentMiddleware"


def shown(request: HttpRequest, template: str) -> HttpResponse:
    return HttpResponse(engines["django"].from_string(template).render({"name": "comments"}, request))


async def later(request: HttpRequest) -> HttpResponse:
    return HttpResponse("later")


def welcome(request: HttpRequest) -> HttpResponse:
    response = HttpResponse(f"<html><body><p>{gettext('Monday')}</p>{PAGE * 20}</body></html>")
    response.set_cookie("_ga", "1")
    return response


def broken(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("a mistake in a view")


def server_error(request: HttpRequest) -> HttpResponse:
    return HttpResponse(PAGE, status=500)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return HttpResponse(PAGE, status=404)


handler404, handler500 = not_found, server_error

urlpatterns = [
    path("welcome", welcome),
    path("broken", broken),
    *i18n_patterns(path("monday", welcome)),
    path("gate", lambda request: shown(request, GATE)),
    path("either", lambda request: shown(request, EITHER)),
    path("asked", lambda request: shown(request, "{% if consent.profiles %}yes{% else %}no{% endif %}")),
    path("explained", lambda request: shown(request, '{% load placet %}{% placet_explain "comments" %}')),
    path("unknown", lambda request: shown(request, '{% load placet %}{% placet_explain "nothing" %}')),
    path("later", requires("comments")(later)),
]


@pytest.fixture
def visitor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Visitor]:
    monkeypatch.setenv("PLACET_DATA", str(tmp_path))
    with (
        override_settings(ROOT_URLCONF=__name__, DEBUG_PROPAGATE_EXCEPTIONS=True),
        django_site.served({}, get_wsgi_application) as (_, handler),
        httpx.Client(transport=httpx.WSGITransport(handler), base_url=ORIGIN) as client,
    ):
        yield Visitor(client)


def test_a_gate_shows_its_part_or_why_not(visitor: Visitor) -> None:
    assert "Commenting" in visitor.fetch("/gate").text
    assert visitor.fetch("/either").text == "closed"
    visitor.choose("accept")
    assert visitor.fetch("/gate").text == visitor.fetch("/either").text == "form"


def test_a_template_asks_by_name(visitor: Visitor) -> None:
    assert visitor.fetch("/asked").text == "no"
    visitor.choose("accept")
    assert visitor.fetch("/asked").text == "yes"


def test_the_sentence_is_safe_html_in_the_pages_language(visitor: Visitor) -> None:
    with override_settings(LANGUAGE_CODE="en"):
        assert "Comment" in visitor.fetch("/explained").text
        assert "&lt;" not in visitor.fetch("/explained").text


def test_a_name_that_the_policy_does_not_have_is_an_error(visitor: Visitor) -> None:
    with pytest.raises(UnknownName):
        visitor.fetch("/unknown")


def test_a_gate_takes_one_name() -> None:
    with pytest.raises(TemplateSyntaxError, match="one name"):
        engines["django"].from_string("{% load placet %}{% placet_gate %}{% endplacet_gate %}")


def test_an_async_view_is_gated_too(visitor: Visitor) -> None:
    assert visitor.fetch("/later").status_code == 403
    visitor.choose("accept")
    assert visitor.fetch("/later").text == "later"


def test_without_the_middleware_the_question_is_an_error() -> None:
    with pytest.raises(PlacetError, match="middleware"):
        consent_of(RequestFactory().get("/"))


def ids(**changed: Any) -> list[str | None]:
    with override_settings(**changed):
        return [message.id for message in run_checks(tags=["placet"])]


def test_a_good_setup_has_nothing_to_mend() -> None:
    assert ids() == []


def test_each_problem_of_the_policy_file_is_a_check_with_its_number(tmp_path: Path) -> None:
    (tmp_path / "placet.toml").write_text(
        POLICY.read_text().replace('purpose = "necessary"', 'purpose = "x"', 1)
    )
    found = ids(PLACET_POLICY=tmp_path / "placet.toml")
    assert found
    assert all(str(id).startswith("placet.P") for id in found)
    assert ids(PLACET_POLICY=tmp_path / "none.toml") == ["placet.S001"]


def test_a_hook_that_is_not_there_is_found_before_it_is_needed() -> None:
    assert ids(PLACET_ON_WITHDRAWAL={"profiles": "nowhere.forget"}) == ["placet.D001"]
    assert ids(PLACET_ON_WITHDRAWAL={"nothing": "os.getcwd"}) == ["placet.D002"]


def test_what_stands_before_the_locks_is_warned_of() -> None:
    common = "django.middleware.common.CommonMiddleware"
    assert ids(MIDDLEWARE=[common]) == ["placet.D003"]
    assert ids(MIDDLEWARE=[common, MIDDLEWARE]) == ["placet.D004"]


GZIP = "django.middleware.gzip.GZipMiddleware"
CONDITIONAL = "django.middleware.http.ConditionalGetMiddleware"
LOCALE = "django.middleware.locale.LocaleMiddleware"


@contextmanager
def behind(*middleware: str, **changed: Any) -> Iterator[Visitor]:
    with (
        override_settings(ROOT_URLCONF=__name__, MIDDLEWARE=middleware, **changed),
        django_site.served({}, get_wsgi_application) as (_, handler),
        httpx.Client(transport=httpx.WSGITransport(handler), base_url=ORIGIN) as client,
    ):
        yield Visitor(client)


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLACET_DATA", str(tmp_path))


def check_edited(page: str) -> None:
    assert 'value="accept"' in page
    assert "regie.test" not in page
    assert "/local.js" in page


class TestOtherMiddleware:
    @pytest.mark.parametrize("order", [(MIDDLEWARE, GZIP), (GZIP, MIDDLEWARE)], ids=["inside", "outside"])
    def test_a_compressed_page_is_edited(self, order: tuple[str, ...]) -> None:
        with behind(*order) as visitor:
            answer = visitor.visit("/welcome", **{"accept-encoding": "gzip"})
        assert answer.headers["content-encoding"] == "gzip"
        assert int(answer.headers["content-length"]) < len(answer.content)
        assert {"Accept-Encoding", "Cookie"} <= set(re.split(", *", answer.headers["vary"]))
        check_edited(answer.text)
        assert "set-cookie" not in answer.headers

    # Outside of ours it is not asked with what the browser knows: then the whole page is sent each time.
    @pytest.mark.parametrize(
        ("order", "again"),
        [((MIDDLEWARE, CONDITIONAL), 304), ((CONDITIONAL, MIDDLEWARE), 200)],
        ids=["inside", "outside"],
    )
    def test_a_copy_is_confirmed_for_as_long_as_the_choice_is_the_same(
        self, order: tuple[str, ...], again: int
    ) -> None:
        with behind(*order) as visitor:
            first = visitor.visit("/welcome")
            check_edited(first.text)
            known = {"if-none-match": first.headers["etag"]}
            assert visitor.visit("/welcome", **known).status_code == again
            visitor.choose("accept")
            after = visitor.visit("/welcome", **known)
            assert after.status_code == 200
            assert "regie.test" in after.text
            known = {"if-none-match": after.headers["etag"]}
            assert visitor.visit("/welcome", **known).status_code == again
            visitor.choose("refuse")
            assert visitor.visit("/welcome", **known).status_code == 200

    @pytest.mark.parametrize("order", [(MIDDLEWARE, LOCALE), (LOCALE, MIDDLEWARE)], ids=["inside", "outside"])
    def test_the_language_is_djangos_to_choose(self, order: tuple[str, ...]) -> None:
        with behind(*order, USE_I18N=True, LANGUAGES=[("fr", "Fr"), ("en", "En")]) as visitor:
            moved = visitor.visit("/monday", **{"accept-language": "en"})
            assert (moved.status_code, moved.headers["location"]) == (302, "/en/monday")
            french = visitor.visit("/fr/monday", **{"accept-language": "en"})
            assert "lundi" in french.text
            assert french.headers["content-language"] == "fr"
            check_edited(french.text)
            assert "Accept-Language" in french.headers["vary"]

    def test_pages_that_tell_of_a_mistake_are_edited(self) -> None:
        with behind(MIDDLEWARE, DEBUG_PROPAGATE_EXCEPTIONS=False) as visitor:
            for path_, status in (("/broken", 500), ("/nowhere", 404)):
                answer = visitor.visit(path_)
                assert answer.status_code == status
                check_edited(answer.text)


def test_the_development_server_serves_static_files_and_edits_pages(tmp_path: Path) -> None:
    (tmp_path / "static").mkdir()
    (tmp_path / "static" / "site.css").write_text("p { color: green }")
    static = {
        "STATIC_URL": "/static/",
        "STATICFILES_DIRS": [tmp_path / "static"],
        "INSTALLED_APPS": ["django.contrib.staticfiles", "placet.web.integrations.django"],
    }
    with (
        override_settings(ROOT_URLCONF=__name__, DEBUG=True, **static),
        django_site.served({}, get_wsgi_application) as (_, handler),
        ThreadedWSGIServer(("127.0.0.1", 0), WSGIRequestHandler) as server,
    ):
        server.set_app(StaticFilesHandler(handler))
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            address = f"http://localhost:{server.server_port}"
            with httpx.Client(base_url=address) as client:
                visitor = Visitor(client)
                assert "green" in visitor.fetch("/static/site.css").text
                check_edited(visitor.visit("/welcome").text)
                answer = visitor.choose("accept", origin=address, referer=f"{address}/welcome")
                assert (answer.status_code, answer.headers["location"]) == (303, "/welcome")
        finally:
            server.shutdown()
            thread.join()


def test_the_command_is_placets_own_with_the_projects_policy(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    call_command("placet", "check")
    assert "nothing to mend" in capfd.readouterr().out
    with override_settings(PLACET_POLICY="/nowhere.toml"), pytest.raises(SystemExit) as ended:
        call_command("placet", "check")
    assert ended.value.code == 1
    assert "S001" in capfd.readouterr().err


def test_the_application_can_be_imported_without_django_being_set_up() -> None:
    command = [sys.executable, "-c", "import placet.web.integrations.django"]
    assert subprocess.run(command, check=False).returncode == 0


def test_the_applications_cookies_stay_under_their_names_and_every_line_is_sent() -> None:
    response = HttpResponse()
    response.set_cookie("session", "s")
    own = response.cookies["session"].OutputString()
    lines = [own, "_ga=; Max-Age=0; Path=/", "_ga=; Max-Age=0; Path=/; Domain=gazette.test"]
    _set_head(response, [(b"set-cookie", line.encode()) for line in lines])
    assert (response.cookies["session"].value, response.cookies["_ga"].value) == ("s", "")
    assert [morsel.OutputString() for morsel in response.cookies.values()] == lines
