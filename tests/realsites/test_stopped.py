"""Seven cookies and five requests of sites that nobody here wrote: all of them, none, all, and none again."""

from __future__ import annotations

import pytest

from tests.browser.people import Site, ThirdParties
from tests.browser.scenes import FIVE_PATHS
from tests.browser.test_zero_of_seven import SEVEN

from .grounds import Grounds

AROUND = {"regie.localhost", "mesure.localhost", "social.localhost", "video.localhost", "pisteur.localhost"}

bare = pytest.mark.parametrize("state", ["bare"], indirect=True)
observed = pytest.mark.parametrize("state", ["observed"], indirect=True)


def browse(site: Site, grounds: Grounds, home: str) -> set[str]:
    """What of the seven the site reads on a second page, and on a sub-request of it."""
    grounds.forget()
    site.visit(home)
    site.fetch(home)
    # nginx writes a request down when it has answered it.
    site.until(lambda: len(grounds.received(home.partition("?")[0])) >= 2, "both requests")
    return SEVEN & grounds.read()


def all_five(third_parties: ThirdParties) -> bool:
    return third_parties.paths("pisteur") >= FIVE_PATHS


def everything_comes(site: Site, grounds: Grounds, third_parties: ThirdParties, home: str) -> None:
    """Assert that the seven cookies are set and read, and that the five requests and the embeds leave."""
    site.visit(home)
    site.until(lambda: site.visitor.jar(*SEVEN) == SEVEN, "all seven in the jar")
    site.until(lambda: all_five(third_parties), "all five")
    site.until(lambda: {hit.host for hit in third_parties.hits()} == AROUND, "everyone around")
    site.until(lambda: "/post/us-vairelle" in third_parties.paths("social"), "the quoted message")
    assert browse(site, grounds, home) == SEVEN


def nothing_left(site: Site, grounds: Grounds, home: str) -> None:
    """Assert that nobody around was asked for anything since the journal began."""
    before = len(grounds.received())
    site.visit(home)
    site.until(lambda: len(grounds.received()) > before, "a request that is allowed")
    sent = site.visitor.wire.sent()
    site.visitor.leave()
    assert sent == []
    assert [str(hit) for hit in grounds.journal.at("third")] == []


@bare
def test_control_without_placet_all_seven_are_set_and_read_and_all_five_leave(
    site: Site, grounds: Grounds, third_parties: ThirdParties, home: str
) -> None:
    everything_comes(site, grounds, third_parties, home)


@observed
def test_observed_it_is_as_without(
    site: Site, grounds: Grounds, third_parties: ThirdParties, home: str
) -> None:
    everything_comes(site, grounds, third_parties, home)
    assert site.page.locator("#placet").count() == 0


@pytest.mark.parametrize("state", ["unasked", "refused"], indirect=True)
def test_none_of_seven_and_none_of_five(site: Site, grounds: Grounds, home: str) -> None:
    for name in SEVEN - {"ad_zone", "ca_parent"}:
        site.visitor.has(name)  # what an earlier consent left
    site.visitor.has("ca_parent", domain=".courrier.localhost")
    assert browse(site, grounds, home) == set()
    assert site.visitor.jar(*SEVEN) == set()
    assert "mystery" not in site.visitor.jar()
    nothing_left(site, grounds, home)


def test_after_accept_all_of_it_works_and_after_withdrawal_none(
    site: Site, grounds: Grounds, third_parties: ThirdParties, home: str
) -> None:
    site.visit(home)
    site.notice.accept()
    assert site.stands == "allowed"
    everything_comes(site, grounds, third_parties, home)

    site.withdraw()
    site.visit(home)
    assert site.visitor.jar(*SEVEN) == set()
    grounds.forget()
    site.visitor.wire.forget()
    assert browse(site, grounds, home) == set()
    nothing_left(site, grounds, home)
