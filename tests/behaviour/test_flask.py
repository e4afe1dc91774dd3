"""What is Flask's own: the extension, templates, views of both kinds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from flask import Blueprint, Flask, Response, render_template_string, request, stream_with_context

from placet.errors import PlacetError, PolicyError, UnknownName
from placet.web.integrations.flask import Placet, consent, requires
from tests.web.gazette import NAVIGATION, ORIGIN, PAGE, POLICY, Visitor

TEMPLATE = (
    '{% if "comments" is open %}form{% else %}{{ explain("comments", "en") }}{% endif %}'
    '{% if "profiles" is granted %} kept{% endif %}{% if consent.allows("ads") %} ads{% endif %}'
)


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Flask:
    monkeypatch.setenv("PLACET_DATA", str(tmp_path))
    app = Flask(__name__)
    app.config["PLACET_POLICY"] = str(POLICY)

    @app.get("/template")
    def template() -> str:
        return render_template_string(TEMPLATE)

    @app.get("/asked")
    def asked() -> str:
        return str(consent.allows("profiles"))

    @app.get("/unknown")
    @requires("nothing")
    def unknown() -> str:
        return "never"

    @app.get("/reached")
    @requires("comments")
    def reached() -> str:
        return "reached"

    return app


@pytest.fixture
def visitor(app: Flask) -> Iterator[Visitor]:
    Placet(app)
    with httpx.Client(transport=httpx.WSGITransport(app), base_url=ORIGIN) as client:
        yield Visitor(client)
    app.extensions["placet"].close()


def test_templates_ask_as_the_visitor_chose(visitor: Visitor) -> None:
    before = visitor.fetch("/template").text
    assert "turned off" in before or "off" in before
    assert "kept" not in before
    visitor.choose("accept")
    assert visitor.fetch("/template").text == "form kept ads"


def test_a_view_asks_for_the_visitor_of_its_request(visitor: Visitor) -> None:
    assert visitor.fetch("/asked").text == "False"
    visitor.choose("accept")
    assert visitor.fetch("/asked").text == "True"


def test_a_program_is_refused_in_json_and_a_person_on_a_page(visitor: Visitor) -> None:
    told = visitor.client.get("/reached", headers={"accept": "application/json"})
    assert (told.status_code, told.headers["content-type"]) == (403, "application/json")
    assert "Réseaux sociaux" in told.json()["detail"]
    page = visitor.client.get("/reached", headers=NAVIGATION)
    assert page.status_code == 403
    assert "/.placet/settings" in page.text
    assert page.headers["cache-control"].endswith("no-store")


def test_a_name_that_the_policy_does_not_have_is_an_error(app: Flask, visitor: Visitor) -> None:
    app.config["PROPAGATE_EXCEPTIONS"] = True
    with pytest.raises(UnknownName):
        visitor.fetch("/unknown")


def test_a_hook_may_be_named_before_or_after_the_application(app: Flask) -> None:
    told: list[str] = []
    placet = Placet()
    placet.on_withdrawal("profiles")(lambda withdrawal: told.append("profiles"))
    placet.init_app(app)
    placet.on_withdrawal("social")(lambda withdrawal: told.append("social"))
    with httpx.Client(transport=httpx.WSGITransport(app), base_url=ORIGIN) as client:
        visitor = Visitor(client)
        visitor.choose("accept")
        visitor.choose("refuse")
    app.extensions["placet"].close()
    assert sorted(told) == ["profiles", "social"]


def test_a_hook_for_no_purpose_is_an_error_at_once(app: Flask) -> None:
    placet = Placet(app)
    with pytest.raises(UnknownName):
        placet.on_withdrawal("nothing")(lambda withdrawal: None)
    app.extensions["placet"].close()


def test_the_policy_file_is_looked_for_in_the_applications_folder(tmp_path: Path) -> None:
    app = Flask("gazette", root_path=str(tmp_path))
    (tmp_path / "placet.toml").write_text("[site]\n")
    with pytest.raises(PolicyError):
        Placet(app)


def test_without_the_extension_the_question_is_an_error(app: Flask) -> None:
    app.config["PROPAGATE_EXCEPTIONS"] = True
    with (
        httpx.Client(transport=httpx.WSGITransport(app), base_url=ORIGIN) as client,
        pytest.raises(PlacetError, match="middleware"),
    ):
        client.get("/asked")


def test_an_async_view_is_gated_too(app: Flask) -> None:
    pytest.importorskip("asgiref")

    @app.get("/later")
    @requires("comments")
    async def later() -> str:
        return "later"

    Placet(app)
    with httpx.Client(transport=httpx.WSGITransport(app), base_url=ORIGIN) as client:
        visitor = Visitor(client)
        assert visitor.fetch("/later").status_code == 403
        visitor.choose("accept")
        answer: Any = visitor.fetch("/later")
    app.extensions["placet"].close()
    assert answer.text == "later"


class TestAsPeopleUseIt:
    @pytest.fixture
    def told(self, app: Flask) -> list[str]:
        """What ran, in which order: Flask's hooks around a request, and its blueprint's."""
        told: list[str] = []
        app.config["PROPAGATE_EXCEPTIONS"] = False
        members = Blueprint("members", __name__, url_prefix="/members")

        @app.before_request
        def before() -> None:
            told.append(f"before {sorted(request.cookies)}")

        @app.after_request
        def after(response: Response) -> Response:
            response.set_cookie("_ga", "after")
            response.set_cookie("session", "after")
            told.append(f"after {'regie.test' in response.get_data(as_text=True)}")
            return response

        @app.teardown_request
        def teardown(error: BaseException | None) -> None:
            told.append(f"teardown {type(error).__name__}")

        @app.errorhandler(404)
        def lost(error: Exception) -> tuple[str, int]:
            return PAGE, 404

        @app.errorhandler(500)
        def broken(error: Exception) -> tuple[str, int]:
            return PAGE, 500

        @app.get("/page")
        def page() -> str:
            return PAGE

        @app.get("/broken")
        def breaks() -> str:
            raise RuntimeError("a mistake in a view")

        @members.before_request
        @requires("comments")
        def only_members() -> None:
            told.append("members")

        @members.get("/page")
        def of_members() -> str:
            return PAGE

        app.register_blueprint(members)
        return told

    def check_edited(self, page: str) -> None:
        assert "regie.test" not in page
        assert "/.placet/settings" in page
        assert "/local.js" in page

    def test_its_hooks_see_what_the_application_may_see_and_their_cookies_meet_the_locks(
        self, told: list[str], visitor: Visitor
    ) -> None:
        for name in ("_ga", "session"):
            visitor.client.cookies.set(name, "old", domain="www.gazette.test", path="/")
        answer = visitor.visit("/page")
        self.check_edited(answer.text)
        assert told == ["before ['session']", "after True", "teardown NoneType"]
        assert "session=after" in str(answer.headers)
        assert "_ga=after" not in str(answer.headers)

    def test_pages_that_tell_of_a_mistake_are_edited(self, told: list[str], visitor: Visitor) -> None:
        for path, status in (("/nowhere", 404), ("/broken", 500)):
            answer = visitor.visit(path)
            assert answer.status_code == status
            self.check_edited(answer.text)
        assert told[-1] == "teardown RuntimeError"

    def test_a_blueprint_is_closed_as_a_whole(self, told: list[str], visitor: Visitor) -> None:
        assert visitor.visit("/members/page").status_code == 403
        assert "members" not in told
        visitor.choose("accept")
        answer = visitor.visit("/members/page")
        assert (answer.status_code, "regie.test" in answer.text) == (200, True)
        assert "members" in told

    def test_a_stream_is_edited_and_ends_with_its_request_as_without_placet(
        self, app: Flask, told: list[str], visitor: Visitor
    ) -> None:
        @app.get("/stream")
        def stream() -> Response:
            def parts() -> Iterator[str]:
                for at in range(0, len(PAGE), 7):
                    yield PAGE[at : at + 7]
                told.append(f"streamed {request.path}")

            return Response(stream_with_context(parts()), mimetype="text/html")

        app.after_request_funcs.clear()  # which would read the stream to its end
        self.check_edited(visitor.visit("/stream").text)
        with_placet = told[:]
        told.clear()
        bare = app.extensions["placet"].app
        with httpx.Client(transport=httpx.WSGITransport(bare), base_url=ORIGIN) as client:
            assert client.get("/stream").text == PAGE
        assert with_placet == told
        assert with_placet[-2:] == ["streamed /stream", "teardown NoneType"]

    def test_flasks_own_client_meets_the_locks(self, app: Flask, visitor: Visitor, told: list[str]) -> None:
        page = app.test_client().get("/page", base_url=ORIGIN, headers=NAVIGATION)
        self.check_edited(page.get_data(as_text=True))
