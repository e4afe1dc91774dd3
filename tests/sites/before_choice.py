"""Sites that read, write or tell something before anyone has said yes, each in its own way."""

# ruff: noqa: E501 - texts and scripts as they stand in a page

from __future__ import annotations

import secrets

from starlette.requests import Request
from starlette.responses import Response

from .banners import Banner
from .clean import ADVERTS, COUNTED
from .parties import GIF
from .site import (
    DAY,
    Expected,
    Piece,
    Site,
    by_script,
    cookie,
    pixel,
    tag,
)

BEFORE = {"none", "refused"}
TRACKED = (by_script("_clck", needs="audience"), COUNTED, ADVERTS)  # what waits for a yes
TRACKER = ("R1", "R2", "R3", "R4", "R5")


def tracker(subject: str, rule: str = "R1", states: set[str] | None = None) -> Expected:
    """Expect an objection to a tracker, under whichever of the rules on trackers before the choice."""
    return Expected(rule, subject, states or BEFORE, TRACKER)


def hasty(
    name: str, about: str, theme: str, *pieces: Piece, found: tuple[Expected, ...], **more: object
) -> Site:
    """Return a site whose banner is in order, and that does not wait for it."""
    banner = more.pop("banner", Banner())
    return Site(name, about, theme, banner, pieces + TRACKED, expects=frozenset(found), **more)  # type: ignore[arg-type]


def _etag(request: Request, site: Site) -> Response:
    known = request.headers.get("if-none-match") or f'"{secrets.token_hex(12)}"'
    heads = {"ETag": known, "Cache-Control": "private, no-cache"}
    if "if-none-match" in request.headers:
        return Response(status_code=304, headers=heads)
    return Response(GIF, media_type="image/gif", headers=heads)


def _cloaked(request: Request, site: Site) -> Response:
    answer = Response(GIF, media_type="image/gif", headers={"Cache-Control": "no-store"})
    if "_mvid" not in request.cookies:
        answer.headers.append(
            "Set-Cookie",
            f"_mvid={secrets.token_hex(16)}; Domain={site.name}.localhost; Path=/; Max-Age=33696000; HttpOnly",
        )
    return answer


def _sw(request: Request, site: Site) -> Response:
    text = """
addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil(clients.claim()));
addEventListener("fetch", (event) => { if (event.request.mode === "navigate") event.waitUntil(tell(event.request.url)); });
const tell = async (page) => {
    const kept = await caches.open("profil");
    let id = await kept.match("/id");
    id = id ? await id.text() : crypto.randomUUID();
    await kept.put("/id", new Response(id));
    await fetch("http://mesure-tiers.localhost:" + location.port + "/collect?sw=" + id + "&u=" + encodeURIComponent(page), {mode: "no-cors"});
};
"""
    return Response(text, media_type="text/javascript", headers={"Cache-Control": "no-cache"})


SEND = 'fetch("%mesure-tiers%/collect?v=" + id + "&p=" + encodeURIComponent(location.pathname), {mode: "no-cors"});'

LOCAL = "const id = localStorage.lecteur || (localStorage.lecteur = crypto.randomUUID());" + SEND
SESSION = "const id = sessionStorage.visite || (sessionStorage.visite = crypto.randomUUID());" + SEND
INDEXED = """
const asked = indexedDB.open("reglages", 1);
asked.onupgradeneeded = () => asked.result.createObjectStore("cles");
asked.onsuccess = () => {
    const store = asked.result.transaction("cles", "readwrite").objectStore("cles"), got = store.get("appareil");
    got.onsuccess = () => { const id = got.result || crypto.randomUUID(); store.put(id, "appareil"); %send% };
};
""".replace("%send%", SEND)
CACHED = """
(async () => {
    const kept = await caches.open("ressources"), found = await kept.match("/police-7");
    const id = found ? await found.text() : crypto.randomUUID();
    await kept.put("/police-7", new Response(id));
    %send%
})();
""".replace("%send%", SEND)
FINGERPRINT = """
const c = document.createElement("canvas"); c.width = 240; c.height = 60;
const p = c.getContext("2d"); p.textBaseline = "alphabetic"; p.fillStyle = "#f60"; p.fillRect(100, 1, 62, 20);
p.fillStyle = "#069"; p.font = "14px Arial"; p.fillText("Cwm fjordbank glyphs vext quiz, \\u{1F603}", 2, 15);
p.fillStyle = "rgba(102,204,0,.7)"; p.font = "18px Times"; p.fillText("Cwm fjordbank glyphs vext quiz", 4, 45);
const gl = document.createElement("canvas").getContext("webgl");
const info = gl && gl.getExtension("WEBGL_debug_renderer_info");
const card = info ? gl.getParameter(info.UNMASKED_RENDERER_WEBGL) : "";
const traits = [c.toDataURL(), card, navigator.hardwareConcurrency, navigator.languages.join(), screen.width + "x" + screen.height,
    screen.colorDepth, new Date().getTimezoneOffset(), [...navigator.plugins].map((each) => each.name).join()].join("~");
crypto.subtle.digest("SHA-256", new TextEncoder().encode(traits)).then((hash) => {
    const id = [...new Uint8Array(hash)].map((each) => each.toString(16).padStart(2, "0")).join("").slice(0, 32);
    fetch("%mesure-tiers%/collect?fp=" + id, {mode: "no-cors"});
});
"""
DECORATE = """
const id = (document.cookie.match(/cli=([0-9a-f]+)/) || [])[1] || [...crypto.getRandomValues(new Uint8Array(12))]
    .map((each) => each.toString(16).padStart(2, "0")).join("");
document.cookie = "cli=" + id + "; path=/; max-age=31536000";
document.querySelectorAll("a[href*='partenaire']").forEach((each) => { each.href += "?clid=" + id; });
"""
FAREWELL = """
addEventListener("pagehide", () => {
    const id = localStorage.parcours || (localStorage.parcours = crypto.randomUUID());
    navigator.sendBeacon("%mesure-tiers%/collect", JSON.stringify({id, duree: Math.round(performance.now()), page: location.pathname}));
});
"""
FIRST_SCROLL = "addEventListener('scroll', () => { %do% }, {once: true});"
GA = by_script("_ga").script
FBP = "document.cookie = '_fbp=fb.1.' + Date.now() + '.' + Math.floor(Math.random() * 1e10) + '; path=/; max-age=7776000';"
STORE = "cookieStore.get('_uetvid').then((it) => it || cookieStore.set({name: '_uetvid', value: crypto.randomUUID(), expires: Date.now() + 3e10}));"
PING = """
window.dataLayer = window.dataLayer || []; function gtag() { dataLayer.push(arguments); }
gtag("consent", "default", {ad_storage: "denied", analytics_storage: "denied", ad_user_data: "denied", ad_personalization: "denied"});
navigator.sendBeacon("%mesure-tiers%/g/collect?v=2&tid=G-4X7KQ2M9TB&gcs=G100&gcd=13p3p3p3p5l1&cid=" + Math.floor(Math.random() * 2e9) +
    "&dl=" + encodeURIComponent(location.href) + "&en=page_view");
"""

SITES = (
    hasty("impatient", "_ga is written by a script as soon as the page is there.", "journal",
          by_script("_ga", life=730 * DAY), found=(tracker("_ga"), Expected("R95", "_ga", {"none"}, ("R15",)))),
    hasty("pixel-presse", "A pixel of Meta's sort: its cookie from the server, and a request to another.", "boutique",
          cookie("_fbp=fb.1.1764000000000.%id%; Path=/; Max-Age=7776000"),
          pixel("%social%/tr?id=771204&ev=PageView&dl=%site%"),
          found=(tracker("_fbp"), tracker("social.localhost", "R2")), knows={"fr": "the cookie that its pixel sets"}),
    hasty("discret", "A tracker that calls itself a preference: an identifier for a year, sent to another.", "blog",
          cookie("pref_v=%id%; Path=/; Max-Age=31536000"),
          Piece(script='new Image().src = "%mesure-tiers%/collect?k=" + document.cookie.match(/pref_v=(\\w+)/)[1];'),
          found=(tracker("pref_v"),), knows={"mesure-tiers.localhost": "it gets the identifier"}),
    hasty("seconde-page", "The first page is clean, and the second is not.", "journal",
          Piece(script=GA, pages=("/sport", "/culture", "/meteo")), found=(tracker("_ga"),)),
    hasty("defilement", "Scrolling starts it.", "journal", Piece(script=FIRST_SCROLL.replace("%do%", GA)),
          found=(tracker("_ga", "R3"),)),
    hasty("premier-clic", "Any click starts it.", "paper",
          Piece(script="addEventListener('click', () => { " + FBP + " });"), found=(tracker("_fbp", "R3"),)),
    hasty("six-secondes", "It waits for six seconds.", "boutique", Piece(script="setTimeout(() => { " + GA + " }, 6000);"),
          found=(tracker("_ga", states={"none"}),)),
    hasty("local", "An identifier in localStorage.", "paper", Piece(script=LOCAL),
          found=(tracker("lecteur", "R4"),), knows={"mesure-tiers.localhost": "it gets the identifier"}),
    hasty("le-temps-d-une-visite", "An identifier in sessionStorage, sent to another.", "shop", Piece(script=SESSION),
          found=(tracker("visite", "R4"),), knows={"mesure-tiers.localhost": "it gets the identifier"}),
    hasty("indexee", "An identifier in IndexedDB.", "banque", Piece(script=INDEXED),
          found=(tracker("appareil", "R4"),), knows={"mesure-tiers.localhost": "it gets the identifier"}),
    hasty("en-cache", "An identifier in Cache Storage.", "journal", Piece(script=CACHED),
          found=(tracker("police-7", "R4"),), knows={"mesure-tiers.localhost": "it gets the identifier"}),
    hasty("ouvrier", "A service worker that keeps an identifier and tells of each page.", "journal",
          Piece(script="navigator.serviceWorker.register('/sw.js');"), routes={"/sw.js": _sw},
          found=(tracker("profil", "R4"), tracker("mesure-tiers.localhost", "R5")),
          knows={"sw.js": "the worker itself"}),
    hasty("etiquette", "An identifier as the ETag of an image.", "blog", pixel("/p.gif"), routes={"/p.gif": _etag},
          found=(tracker("p.gif", "R4"),)),
    hasty("masque", "A tracker behind a name of the site's own, with a cookie for the whole domain.", "boutique",
          Piece(html='<img src="http://metrics.masque.localhost:%port%/e.gif?ev=view" alt="" width="1" height="1">'),
          routes={"metrics/e.gif": _cloaked}, found=(tracker("_mvid"),),
          knows={"metrics.masque.localhost": "the cloaked host"}),
    hasty("decore", "Links to a partner carry an identifier.", "blog",
          Piece(html='<p><a href="%partenaire%/boutique">Notre partenaire</a></p>'), Piece(script=DECORATE),
          found=(tracker("cli"), Expected("R4", "partenaire", BEFORE, ("R79", "R5", "R1")), Expected("R79", "partenaire", BEFORE))),
    hasty("empreinte", "A fingerprint, sent to another.", "banque", Piece(script=FINGERPRINT),
          found=(tracker("canvas", "R4"),), knows={"mesure-tiers.localhost": "it gets the fingerprint",
                                                    "fingerprint": "the same", "webgl": "part of it"}),
    hasty("adieu", "It tells when the visitor leaves.", "paper", Piece(script=FAREWELL),
          found=(tracker("parcours", "R4"),), knows={"mesure-tiers.localhost": "it gets the identifier"}),
    hasty("prechargement", "A page of the network is fetched ahead, which sets its cookie.", "journal",
          Piece(html='<link rel="prefetch" href="%regie%/cadre">', in_head=True),
          found=(Expected("R8", "regie.localhost", BEFORE, (*TRACKER, "R7")),), knows={"uid": "the network's cookie"}),
    hasty("regie-tierce", "An advertiser's pixel with a cookie of its own.", "journal", pixel("%regie%/px.gif"),
          found=(tracker("uid"),), knows={"regie.localhost": "whose cookie it is"}),
    hasty("synchro", "Two advertisers tell each other whom they see.", "journal", pixel("%regie%/sync?vers=partenaire"),
          found=(tracker("uid"), tracker("partenaire.localhost", "R4")), knows={"regie.localhost": "the first of them"}),
    hasty("cloison", "A third party's cookie in a partition of its own.", "paper",
          Piece(html='<iframe title="Encart" src="%encart%/partition" width="90" height="40"></iframe>'),
          found=(tracker("pid"),), knows={"encart.localhost": "whose cookie it is"}),
    hasty("cine", "A video that nobody asked for yet.", "museum",
          Piece(html='<iframe title="Video" src="%video%/embed/Xa9" width="300" height="160"></iframe>'),
          found=(Expected("R7", "video.localhost", BEFORE, TRACKER),), knows={"VISITOR_INFO1_LIVE": "the player's cookie"}),
    hasty("j-aime", "A button of a social network.", "blog",
          Piece(html='<iframe title="J’aime" src="%social%/plugins/like.php?href=%site%" width="90" height="30"></iframe>'),
          found=(Expected("R7", "social.localhost", BEFORE, TRACKER),), knows={"fr": "the network's cookie"}),
    hasty("conteneur", "A tag manager, before anyone agreed.", "boutique", tag("%balises%/gtm.js?id=GTM-5K8W3QZ"),
          found=(Expected("R6", "balises.localhost", BEFORE, TRACKER),)),
    hasty("sans-cookie", "Pings without a cookie, that say that consent was denied.", "shop", Piece(script=PING),
          found=(Expected("R5", "mesure-tiers.localhost", BEFORE, ("R77", "R78", *TRACKER)), Expected("R78", "mesure-tiers.localhost", BEFORE))),
    hasty("rejeu", "Every movement is sent through a socket.", "banque", tag("%enregistreur%/seance.js"),
          found=(tracker("enregistreur.localhost", "R5"),), knows={"rejeu": "the identifier of the session that is recorded"}),
    hasty("magasin", "An identifier written by CookieStore.", "shop", Piece(script=STORE), found=(tracker("_uetvid"),)),
    hasty("fichier-mesure", "Another's measurement script, with an identifier for two years.", "clinique",
          tag("%mesure-tiers%/mesure.js"), found=(tracker("_mtid"),), knows={"mesure-tiers.localhost": "it gets the identifier"}),
)  # fmt: skip
