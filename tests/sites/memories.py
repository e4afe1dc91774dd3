"""Sites that remember a choice too long, too short, or with more than the choice; and signals of other kinds."""

# ruff: noqa: E501 - texts and scripts as they stand in a page

from __future__ import annotations

import base64

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from .banners import Banner
from .before_choice import TRACKER
from .clean import MATOMO, ONLY_AFTER_YES, TRACKED, polite, same_gif
from .designs import designed
from .site import DAY, MONTH, Expected, Piece, Site, by_script, cookie, pixel, walks


def tc_string(purposes: int, vendors: int, *, disclosed: bool = True, platform: int = 300) -> str:
    """Return a string as the Transparency and Consent Framework has it: so many purposes and vendors are granted.

    Since its version 2.3 the vendors that were shown must be in it.
    """
    now = 1_764_000_000 * 10 // 864_000 * 864_000
    language = (ord("F") - 65) << 6 | (ord("R") - 65)
    fields = (
        (2, 6), (now, 36), (now, 36), (platform, 12), (2, 12), (1, 6), (language, 12), (178, 12), (5, 6), (1, 1), (0, 1),
        (0, 12), (int("1" * purposes + "0" * (24 - purposes), 2), 24), (0, 24), (0, 1), (language, 12),
        (vendors or 1, 16), (0, 1), ((1 << vendors) - 1, vendors or 1), (0, 16), (0, 1), (0, 12),
    )  # fmt: skip
    core = "".join(f"{value:0{width}b}" for value, width in fields)
    return _packed(core) + (f".{_packed(f'{1:03b}{20:016b}0' + '1' * 20)}" if disclosed else "")


def _packed(bits: str) -> str:
    bits += "0" * (-len(bits) % 8)
    raw = int(bits, 2).to_bytes(len(bits) // 8, "big")
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _gpc_in_words(request: Request, site: Site) -> Response:
    return JSONResponse({"gpc": "oui", "lastUpdate": "mars 2026"})


def _gpc(request: Request, site: Site) -> Response:
    return JSONResponse({"gpc": True, "lastUpdate": "2026-01-12"})


API = "window.__tcfapi = (command, version, done) => done({tcString: '%s', gdprApplies: true, eventStatus: 'tcloaded'}, true);"
ALL, NOTHING, OLD = tc_string(10, 20), tc_string(0, 0), tc_string(0, 0, disclosed=False)
HOMEMADE = tc_string(0, 0, platform=1)
GTAG = """
window.dataLayer = window.dataLayer || []; function gtag() { dataLayer.push(arguments); }
gtag("consent", "default", {ad_storage: "granted", analytics_storage: "granted", ad_user_data: "granted", ad_personalization: "granted"});
new Image().src = "%mesure-tiers%/g/collect?v=2&tid=G-4X7KQ2M9TB&gcs=G111&gcd=11t1t1t1t5&en=page_view&cid=" + Math.floor(Math.random() * 2e9);
"""
WAITING = """
window.dataLayer = window.dataLayer || []; function gtag() { dataLayer.push(arguments); }
gtag("consent", "default", {ad_storage: "denied", analytics_storage: "denied", ad_user_data: "denied", ad_personalization: "denied"});
"""

SITES = (
    designed("un-jour", "A refusal is kept for a day, an acceptance for thirteen months.", "boutique", Expected("R39", or_rules=("R40",)),
             knows={"R40": "it asks again the next day"}, life=13 * MONTH, refused_life=DAY),
    designed("cinq-ans", "Either choice is kept for five years.", "journal", Expected("R39"), life=5 * 365 * DAY),
    designed("refus-de-session", "A refusal is forgotten with the window, an acceptance is not.", "paper",
             Expected("R40", or_rules=("R39",)), knows={"R39": "different lives", "R40": "asked again"}, refused_life=0),
    designed("redemande", "A refusal is not kept at all.", "journal", Expected("R40"), knows={"R39": "different lives"}, refused_life=-1),
    designed("amnesique", "No choice is kept at all.", "blog", Expected("R40"),
             knows={"R45": "nothing to take back", "R34": "", "R39": ""}, memory="nothing", unverifiable=("refuse", "accept", "withdraw")),
    designed("numerote", "The memory of a refusal holds an identifier.", "shop", Expected("R42"),
             knows={"choix-cookies": "the identifier in it", "cid": "where it comes from"}, value="localStorage.cid || (localStorage.cid = crypto.randomUUID())"),
    designed("numerote-serveur", "The same, set by the server; another choice keeps it.", "mairie", Expected("R42"),
             knows={"choix-cookies": "the identifier in it"}, make="form", memory="server", value="id"),
    polite("recu", "The memory of a yes holds a receipt's number, new each time; that of a no holds none.", "paper", ("R42",),
           value="granted.length ? crypto.randomUUID() : ''"),
    polite("dates", "The memory holds when the choice was made, and the version of the text.", "shop", ("R42",), memory="local",
           key="consentement", value="({date: new Date().toISOString(), version: '2026-03'})"),
    polite("six-mois", "Six months for either choice, by the server.", "mairie", ("R39",), memory="server", life=182 * DAY),
    Site("tcf-avant", "A string that says yes to everything, before anyone said so.", "journal", Banner(),
         (Piece(script=API % ALL), cookie(f"euconsent-v2={ALL}; Path=/; Max-Age=31536000"), *TRACKED),
         expects=frozenset({Expected("R84", "", {"none"})}), knows={"euconsent-v2": "the string"}, innocent=ONLY_AFTER_YES),
    Site("tcf-vide", "The same kind of string, that says no to everything.", "journal", Banner(),
         (Piece(script=API % NOTHING), cookie(f"euconsent-v2={NOTHING}; Path=/; Max-Age=15552000"), *TRACKED),
         innocent={**ONLY_AFTER_YES, "euconsent-v2": "the memory of no choice", "R84": "no bit is set"}, looks_like=("R82", "R83", "R84")),
    Site("tcf-sans-liste", "It says no to everything, and not which vendors were shown.", "journal", Banner(),
         (Piece(script=API % OLD), cookie(f"euconsent-v2={OLD}; Path=/; Max-Age=15552000"), *TRACKED), remarks=frozenset({Expected("R83", "euconsent-v2")}),
         innocent={**ONLY_AFTER_YES, "euconsent-v2": "the memory of no choice"}),
    Site("tcf-maison", "A string of the site's own making, under a number that is no platform's.", "paper", Banner(),
         (Piece(script=API % HOMEMADE), cookie(f"euconsent-v2={HOMEMADE}; Path=/; Max-Age=15552000"), *TRACKED), remarks=frozenset({Expected("R82", "euconsent-v2")}),
         innocent={**ONLY_AFTER_YES, "euconsent-v2": "the memory of no choice"}),
    Site("mode-accorde", "Consent Mode says “granted” by default.", "boutique", Banner(), (Piece(script=GTAG), *TRACKED),
         expects=frozenset({Expected("R77", "", {"none"}, TRACKER)}),
         knows={"mesure-tiers.localhost": "told without a yes"}, innocent={"uid": "after a yes"}),
    Site("mode-basique", "Consent Mode says “denied”, and nothing is sent until a yes.", "boutique", Banner(),
         (Piece(script=WAITING, in_head=True), pixel("%mesure-tiers%/g/collect?v=2&gcs=G111&tid=G-4X7KQ2M9TB", needs="audience"), *TRACKED),
         innocent={**ONLY_AFTER_YES, "R77": "nothing is sent before"}, looks_like=("R6", "R77", "R78")),
    Site("gpc-promis", "It says that it honours the signal, and does not.", "paper", Banner(),
         (by_script("_fbp", life=90 * DAY, value="'fb.1.' + Date.now() + '.' + Math.floor(Math.random() * 1e10)"), *TRACKED),
         {"/.well-known/gpc.json": _gpc}, expects=frozenset({Expected("R1", "_fbp", {"none"}, ("R75", *TRACKER)), Expected("R75", "_fbp", {"none"})}),
         innocent=ONLY_AFTER_YES, scenarios=walks("R75")),
    Site("gpc-tenu", "It says so, and does.", "paper", Banner(), TRACKED, {"/.well-known/gpc.json": _gpc}, innocent=ONLY_AFTER_YES,
         looks_like=("R74", "R75"), scenarios=walks("R74", "R75")),
    Site("gpc-bancal", "It says so in words that no machine reads.", "boutique", Banner(), TRACKED, {"/.well-known/gpc.json": _gpc_in_words},
         expects=frozenset({Expected("R74", "gpc.json")}), innocent=ONLY_AFTER_YES, scenarios=walks("R74")),
    Site("mesure-filmee", "Matomo of its own, which records what visitors do on the page.", "clinique", None,
         (Piece(script=MATOMO + "document.cookie = '_pk_hsr.1.a3f4=1; path=/; max-age=1800; samesite=lax';"),), {"/matomo.php": same_gif},
         expects=frozenset({Expected("R12", "_pk_id", {"none"})}), knows={"_pk_ses": "the same", "_pk_hsr": "of the recording"}),
    Site("mesure-connue", "Matomo of its own, which is told the customer's number.", "banque", None,
         (Piece(script=MATOMO.replace("&rec=1", "&rec=1&uid=client-20817")),), {"/matomo.php": same_gif},
         expects=frozenset({Expected("R13", "_pk_id", {"none"})}), knows={"_pk_ses": "the same", "matomo.php": "where it is told"}),
    Site("pk-long", "Matomo of its own, but for two years and one month.", "mairie", None,
         (by_script("_pk_id.1.a3f4", life=25 * 30 * DAY, value="'9f3a'+Math.random().toString(16).slice(2,14)+'.'+Math.floor(Date.now()/1000)+'.'"),),
         expects=frozenset({Expected("R15", "_pk_id", {"none"}, TRACKER)}), knows={"_pk_id": ""}),
    Site("pk-prolonge", "Matomo of its own, whose identifier gets thirteen new months at each page.", "mairie", None,
         (Piece(script="const m=document.cookie.match(/_pk_id.1.b5c6=([0-9a-f]{16})/); const v=m?m[1]:crypto.randomUUID().replaceAll('-','').slice(0,16);"
                       "document.cookie='_pk_id.1.b5c6='+v+'.1764000000.; path=/; max-age=33955200';"),),
         expects=frozenset({Expected("R15", "_pk_id", {"none"}, TRACKER)}), knows={"_pk_id": ""}),
)  # fmt: skip
