"""What is Django's own: checks, template tags, views of both kinds, the command."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from django.core.checks import run_checks
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse
from django.template import TemplateSyntaxError, engines
from django.test import RequestFactory, override_settings
from django.urls import path

from placet.errors import PlacetError, UnknownName
from placet.web.integrations.django.consent import consent_of, requires
from placet.web.integrations.django.middleware import _set_head
from tests.web.gazette import ORIGIN, POLICY, Visitor

from .sites import django_site

GATE = '{% load placet %}{% placet_gate "comments" %}form{% endplacet_gate %}'
EITHER = "{% load placet %}{% placet_gate name %}form{% else %}closed{% endplacet_gate %}"
MIDDLEWARE = "placet.web.integrations.django.middleware.ConsentMiddleware"


def shown(request: HttpRequest, template: str) -> HttpResponse:
    return HttpResponse(engines["django"].from_string(template).render({"name": "comments"}, request))


async def later(request: HttpRequest) -> HttpResponse:
    return HttpResponse("later")


urlpatterns = [
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
