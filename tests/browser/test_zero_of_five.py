"""Five requests to a third party that nobody declared, tagged or not: none leaves the browser."""

from __future__ import annotations

import pytest

from .circumstances import with_and_without_script, with_every_carrier, without_placet, without_script
from .people import Site, ThirdParties, nothing_left
from .scenes import FIVE_PATHS, WITHOUT_SCRIPT_PATHS

pytestmark = with_every_carrier

# What a careful author writes for other consent tools: nothing, the right purpose, a purpose that needs none.
TAGS = ["", "ads", "necessary"]


def choose(site: Site, choice: str) -> None:
    """Be before the choice, or after a refusal."""
    site.visit("/essai/vide")
    if choice == "refused":
        site.notice.refuse()
    assert site.stands == (None if choice == "unasked" else choice)


@without_placet
@pytest.mark.parametrize("tag", TAGS)
def test_control_without_placet_all_five_leave(site: Site, third_parties: ThirdParties, tag: str) -> None:
    site.visit(f"/essai/cinq?etiquette={tag}")
    site.until(lambda: third_parties.paths("pisteur") >= FIVE_PATHS, "all five")
    assert {"/tardif.js", "/pixel.gif", "/cadre"} <= set(map(path_of, site.visitor.wire.sent()))
    assert third_parties.connections > 0


@without_placet
@without_script
def test_control_without_placet_nor_script_everything_in_the_markup_leaves(
    site: Site, third_parties: ThirdParties
) -> None:
    site.visit("/essai/sans-script")
    site.until(lambda: third_parties.paths("pisteur") >= WITHOUT_SCRIPT_PATHS, "all that needs no script")


@pytest.mark.parametrize(("host", "tag"), [*(("pisteur", tag) for tag in TAGS), ("regie", "")])
@pytest.mark.parametrize("choice", ["unasked", "refused"])
def test_none_of_five_leaves(site: Site, choice: str, host: str, tag: str) -> None:
    choose(site, choice)
    site.visit(f"/essai/cinq?chez={host}&etiquette={tag}")
    if not tag or tag == "necessary":  # its inline scripts are the page's own: the browser stops what they do
        site.until(
            lambda: set(map(path_of, site.visitor.wire.blocked)) == {"/donnees", "/balise"}, "a try each"
        )
    nothing_left(site.visitor)


@with_and_without_script
@pytest.mark.parametrize(
    ("choice", "host"), [("unasked", "pisteur"), ("refused", "pisteur"), ("refused", "regie")]
)
def test_nothing_in_the_markup_leaves(site: Site, choice: str, host: str) -> None:
    choose(site, choice)
    site.visit(f"/essai/sans-script?chez={host}")
    nothing_left(site.visitor)


@with_and_without_script
@pytest.mark.parametrize("choice", ["unasked", "refused"])
def test_a_page_does_not_send_its_visitor_away(site: Site, choice: str) -> None:
    choose(site, choice)
    site.visit("/essai/ailleurs?chez=regie")
    nothing_left(site.visitor)


@without_placet
def test_control_without_placet_a_page_sends_its_visitor_away(
    site: Site, third_parties: ThirdParties
) -> None:
    site.visit("/essai/ailleurs?chez=regie")
    site.until(lambda: third_parties.paths("regie") == {"/parti"}, "the visitor")


@pytest.mark.parametrize("path", ["/", "/en/", "/article/terrain-de-foot", "/article/orgue-de-sainte-foy"])
def test_the_newsrooms_own_pages_tell_nobody_anything(site: Site, path: str) -> None:
    site.visit(path)
    site.notice.refuse()
    site.until(lambda: "/balise" in map(path_of, site.visitor.wire.blocked), "the late scripts' try")
    nothing_left(site.visitor, bare_connections=True)


def test_what_is_undeclared_stays_out_even_where_all_is_accepted(
    site: Site, third_parties: ThirdParties
) -> None:
    site.visit("/essai/vide")
    site.notice.accept()
    site.visit("/essai/cinq?chez=regie")
    site.until(lambda: third_parties.paths("regie") >= FIVE_PATHS, "all five of a declared third party")
    site.visit("/essai/cinq?chez=pisteur")
    site.until(lambda: {"/donnees", "/balise"} <= set(map(path_of, site.visitor.wire.blocked)), "a try each")
    site.visit("/essai/vide")
    site.visitor.leave()
    assert third_parties.hits("pisteur") == []
    assert site.visitor.wire.sent("pisteur.localhost") == []


def test_each_purpose_lets_only_its_own_out(site: Site, third_parties: ThirdParties) -> None:
    site.visit("/article/terrain-de-foot")
    site.notice.unfold()
    site.notice.save(social=True)
    site.until(lambda: "/post/us-vairelle" in third_parties.paths("social"), "the quoted message")
    site.until(lambda: "/balise" in map(path_of, site.visitor.wire.blocked), "the late scripts' try")
    site.visit("/mentions-legales")
    site.visitor.leave()
    assert {hit.host for hit in third_parties.hits()} == {"social.localhost"}


def path_of(address: str) -> str:
    """The path of an address that a policy stopped; a browser tells only the origin of a frame."""
    return "/" + address.partition("://")[2].partition("/")[2].partition("?")[0]
