"""What scripts do after the page has loaded: six kinds of request to refused hosts, and trackers at work."""

from __future__ import annotations

import pytest

from .circumstances import with_allowlist, without_placet
from .people import CHOICE, Site, ThirdParties, Visitor, nothing_left
from .test_zero_of_five import path_of

ARTICLE = "/article/terrain-de-foot"
SIX = {"/tardif.js", "/pixel.gif", "/pixel-html.gif", "/donnees", "/balise", "/cadre"}
# As a policy names what it stops: of a frame, only the origin.
SIX_TRIES = SIX - {"/cadre"} | {"/"}

# What a script of the site may do, to a host that is declared but refused.
INJECT = """(third) => {
    const script = document.createElement("script");
    script.src = third + "/tardif.js";
    document.head.append(script);
    const image = document.createElement("img");
    image.src = third + "/pixel.gif";
    document.body.append(image);
    document.body.insertAdjacentHTML("beforeend", `<img src="${third}/pixel-html.gif">`);
    fetch(third + "/donnees", {mode: "no-cors", credentials: "include"}).catch(() => {});
    navigator.sendBeacon(third + "/balise", "1");
    const frame = document.createElement("iframe");
    frame.src = third + "/cadre";
    document.body.append(frame);
}"""


# A worker without an address has the page's policy, and says so itself when it was stopped.
WORK = """const work = (code) => {
    const body = `(async () => { try { ${code} } catch { postMessage(0) } })()`;
    const worker = new Worker(URL.createObjectURL(new Blob([body])));
    worker.onmessage = () => console.debug("telltale blocked work");
}"""


def tries(visitor: Visitor) -> set[str]:
    """The paths that a policy kept the page from asking for."""
    return set(map(path_of, visitor.wire.blocked))


@without_placet
def test_control_without_placet_all_six_leave_late(site: Site, third_parties: ThirdParties) -> None:
    site.visit(ARTICLE)
    site.until(lambda: third_parties.paths("pisteur") == SIX, "all six")


@pytest.mark.parametrize("choice", ["unasked", "refused"])
def test_none_of_six_leaves_when_the_sites_own_script_adds_it(site: Site, choice: str) -> None:
    site.visit(ARTICLE)
    if choice == "refused":
        site.notice.refuse()
        site.visitor.wire.forget()
        site.visit(ARTICLE)
    site.until(lambda: tries(site.visitor) >= SIX_TRIES, "six tries")
    nothing_left(site.visitor, bare_connections=True)


@pytest.mark.parametrize("host", ["regie", "mesure", "social", "inconnu"])
def test_none_of_six_leaves_for_a_declared_host_either(site: Site, host: str) -> None:
    site.visit("/essai/vide")
    site.notice.refuse()
    site.page.evaluate(INJECT, site.visitor.grounds.url("", f"{host}.localhost"))
    site.until(lambda: tries(site.visitor) >= SIX_TRIES, "six tries")
    nothing_left(site.visitor, bare_connections=True)


OTHER_WAYS = [
    "new WebSocket('{socket}/flux')",
    "new EventSource('{third}/donnees')",
    "work(`importScripts('{third}/tardif.js')`)",
    "work(`await fetch('{third}/donnees', {{mode: 'no-cors'}})`)",
    "work(`await import('{third}/tardif.js')`)",
    "work(`await new Promise((_, no) => {{ new WebSocket('{socket}/flux').onerror = no }})`)",
    "import('{third}/tardif.js').catch(() => {{}})",
    "document.head.append(Object.assign(document.createElement('link'),"
    " {{rel: 'stylesheet', href: '{third}/css'}}))",
    "document.head.append(Object.assign(document.createElement('link'),"
    " {{rel: 'prefetch', href: '{third}/prefetch'}}))",
    "document.body.style.background = 'url({third}/background)'",
    "new FontFace('x', 'url({third}/font)').load().catch(() => {{}})",
    "document.body.append(Object.assign(document.createElement('object'), {{data: '{third}/object'}}))",
    "document.body.append(Object.assign(document.createElement('iframe'),"
    " {{srcdoc: `<img src='{third}/srcdoc'>`}}))",
    "document.body.append(document.createElement('iframe')),"
    " frames[0].fetch('{third}/donnees', {{mode: 'no-cors'}}).catch(() => {{}})",
    "(() => {{ const link = document.body.appendChild(document.createElement('a')); link.href = '#';"
    " link.ping = '{third}/clic'; link.click(); }})()",
    "fetchLater('{third}/donnees', {{activateAfter: 0}})",
]


def test_a_socket_a_worker_a_font_leave_no_more_than_an_image(site: Site) -> None:
    site.visit("/essai/vide")
    site.notice.refuse()
    third = site.visitor.grounds.url("", "regie.localhost")
    for way in OTHER_WAYS:
        site.visit("/essai/vide")
        site.visitor.wire.blocked.clear()
        act = way.format(third=third, socket=third.replace("http", "ws", 1))
        site.page.evaluate(f"() => {{ {WORK}; {act}; }}")
        site.until(lambda: site.visitor.wire.blocked, f"{way} to be tried")
    nothing_left(site.visitor)


ADD_A_FRAME = """(third) => document.body.append(Object.assign(document.createElement("iframe"),
    {src: third + "/cadre"}))"""
ADD_SPECULATION = """(third) => document.head.append(Object.assign(document.createElement("script"), {
    type: "speculationrules",
    text: JSON.stringify({prefetch: [{urls: [third + "/cadre"], eagerness: "immediate"}]}),
}))"""
LEAVE = """(third) => { location.href = third + "/parti" }"""


@pytest.mark.xfail(strict=True, reason="no policy but the allowlist stops these")
@pytest.mark.parametrize(
    "act", [ADD_A_FRAME, ADD_SPECULATION, LEAVE], ids=["a connection for a frame", "prefetch", "leaving"]
)
def test_limit_what_a_policy_does_not_keep_a_script_from(
    site: Site, third_parties: ThirdParties, act: str
) -> None:
    site.visit("/essai/vide")
    site.notice.refuse()
    site.page.evaluate(act, site.visitor.grounds.url("", "regie.localhost"))
    site.page.wait_for_load_state("networkidle")
    nothing_left(site.visitor)


@with_allowlist
@pytest.mark.parametrize(
    "act", [ADD_A_FRAME, ADD_SPECULATION, LEAVE], ids=["a connection for a frame", "prefetch", "leaving"]
)
def test_with_the_allowlist_not_even_that(site: Site, act: str) -> None:
    site.visit("/essai/vide")
    site.notice.refuse()
    site.page.evaluate(act, site.visitor.grounds.url("", "regie.localhost"))
    if act is LEAVE:
        site.page.wait_for_url("chrome-error://**")  # or the browser still leaves when the fence is put up
    site.page.wait_for_load_state("networkidle")
    nothing_left(site.visitor)


def accepted(site: Site, third_parties: ThirdParties) -> None:
    """Read an article, all being accepted, and wait until the analytics tool is at work."""
    known = len(pings(third_parties))
    site.visit(ARTICLE)
    if site.notice.asks:
        site.notice.accept()
    site.until(lambda: len(pings(third_parties)) >= known + 2, "the tracker's pings")
    site.until(lambda: set(site.stored()) == {"local", "databases", "workers"}, "what it keeps here")
    site.until(
        lambda: site.page.evaluate("() => !!navigator.serviceWorker.controller"), "its worker to take over"
    )


def pings(third_parties: ThirdParties) -> list[str]:
    """What the analytics tool was told, in order."""
    return [hit.query for hit in third_parties.hits("mesure") if hit.path == "/ping"]


def refuse_in_another_tab(site: Site, door_shut: bool = True) -> Site:
    """Press « Tout refuser » in a second tab; while the door is shut, the answer does not come."""
    other = site.visitor.tab()
    other.visit("/mentions-legales")
    other.settings.open()
    site.page.evaluate(
        "() => { new BroadcastChannel('placet').onmessage ="
        " ({data}) => console.debug('telltale heard ' + data) }"
    )
    if door_shut:
        site.visitor.grounds.door.shut(CHOICE)
    other.settings.button("refuse").click(no_wait_after=True)
    return other


def test_a_running_tracker_stops_at_the_click_itself(site: Site, third_parties: ThirdParties) -> None:
    """The answer to the click is kept back until the tracker has tried in vain three times."""
    accepted(site, third_parties)
    other = refuse_in_another_tab(site)
    site.until(lambda: len(pings_stopped(site)) >= 3, "three pings in vain")
    assert site.visitor.wire.sent(since="stop") == []
    known = list(map(str, third_parties.hits()))

    site.visitor.grounds.door.open()
    site.until(lambda: site.stands == other.stands == "refused", "both tabs to be as chosen")
    site.until(lambda: not site.stored(), "all that it kept here to go")
    site.visit("/mentions-legales")
    site.visitor.leave()
    assert list(map(str, third_parties.hits())) == known
    assert site.visitor.wire.sent(since="stop") == []


def pings_stopped(site: Site) -> list[str]:
    """The pings that a policy stopped."""
    return [address for address in site.visitor.wire.blocked if "/ping" in address]


def test_control_without_the_client_a_tracker_goes_on_until_the_next_page(
    site: Site, third_parties: ThirdParties
) -> None:
    """It is the client that stops it early, and the new page that stops it in any case."""
    site.block_client()
    accepted(site, third_parties)
    refuse_in_another_tab(site, door_shut=False)
    known = len(pings(third_parties))
    site.until(lambda: len(pings(third_parties)) > known + 2, "three pings more")
    site.visit(ARTICLE)
    assert site.stands == "refused"
    nothing_more(site, third_parties)


def nothing_more(site: Site, third_parties: ThirdParties) -> None:
    """Assert that from here on nobody is told anything."""
    known = len(third_parties.hits())
    site.visitor.wire.forget()
    site.visit("/article/train-de-dornes")
    site.until(lambda: tries(site.visitor) >= SIX_TRIES, "the late scripts' tries")
    site.visit("/mentions-legales")
    assert site.visitor.wire.sent() == []
    site.visitor.leave()
    assert len(third_parties.hits()) == known


def test_what_a_tracker_kept_here_is_gone_after_withdrawal(site: Site, third_parties: ThirdParties) -> None:
    accepted(site, third_parties)
    assert site.stored() == {"local": ["ca_store"], "databases": ["ca_db"], "workers": ["/sw-mesure.js"]}
    site.page.evaluate("() => { localStorage.theme = 'dark' }")
    site.withdraw()
    site.until(lambda: site.stored() == {"local": ["theme"]}, "only what is nobody's tracker to be left")
    nothing_more(site, third_parties)


@without_placet
def test_control_without_placet_storage_and_pings_stay(site: Site, third_parties: ThirdParties) -> None:
    site.visit(ARTICLE)
    site.until(lambda: len(pings(third_parties)) >= 3, "pings")
    site.until(lambda: set(site.stored()) == {"local", "databases", "workers"}, "what it keeps here")
