"""Sites with names that everybody knows, and banners that look like those of well-known makers.

A host such as `www.googletagmanager.com.localhost` stands for the one that it names. The banners imitate the
makers' names of elements and nothing else: words and behaviour are those of the other sites.
"""

# ruff: noqa: E501 - texts and scripts as they stand in a page

from __future__ import annotations

import secrets

from starlette.requests import Request
from starlette.responses import Response

from .banners import Banner
from .before_choice import TRACKER, hasty, tracker
from .clean import ONLY_AFTER_YES, TRACKED
from .designs import designed
from .site import DAY, Expected, Piece, Site, by_script, cookie, pixel, tag

BEFORE = {"none", "refused"}


def maker(top: str, inner: str, second: str) -> str:
    """Return the markup of a banner: its place, the first layer, the second."""
    place = "position:fixed;left:0;right:0;bottom:0;z-index:9999;background:#fff;color:#222;padding:18px;border-top:1px solid #999"
    return f'<div {top} style="{place}">{inner}</div><div {second}</div>'


TOGGLES = (
    '<label><input type="checkbox" name="audience"> Mesure d’audience : compter les visites.</label> '
    '<label><input type="checkbox" name="pub"> Publicité personnalisée : annonces choisies d’après votre navigation.</label>'
)
INFO = (
    "<p>{text}</p><ul><li>Mesure d’audience : compter les visites.</li><li>Publicité personnalisée : annonces choisies d’après votre "
    'navigation.</li></ul><p><a href="/partenaires">Nos 3 partenaires</a> · <a href="/politique">Politique de cookies</a></p>'
)
SECOND_STYLE = 'style="position:fixed;left:20%;top:10%;width:60%;z-index:9999;background:#fff;border:1px solid #999;padding:18px" hidden>'

MAKERS: dict[str, tuple[str, tuple[str, str], dict[str, str]]] = {
    "confiance-une": (
        maker('id="onetrust-banner-sdk" role="region" aria-label="Cookies"',
              INFO + '<button id="onetrust-pc-btn-handler">Paramétrer</button> <button id="onetrust-reject-all-handler">Tout refuser</button> '
              '<button id="onetrust-accept-btn-handler">Tout accepter</button>',
              f'id="onetrust-pc-sdk" role="dialog" aria-label="Réglages" {SECOND_STYLE}{TOGGLES}<button class="ot-pc-refuse-all-handler">Tout refuser</button> '
              '<button class="save-preference-btn-handler">Confirmer mes choix</button> <button id="accept-recommended-btn-handler">Tout accepter</button>'),
        ("#onetrust-banner-sdk", "#onetrust-pc-sdk"),
        {"#onetrust-accept-btn-handler": "accept", "#accept-recommended-btn-handler": "accept", "#onetrust-reject-all-handler": "refuse",
         ".ot-pc-refuse-all-handler": "refuse", "#onetrust-pc-btn-handler": "settings", ".save-preference-btn-handler": "save"},
    ),
    "dis-oui": (
        maker('id="didomi-popup" role="dialog" aria-label="Cookies"',
              INFO + '<button id="didomi-notice-learn-more-button">Choisir mes finalités</button> <button id="didomi-notice-disagree-button">Continuer sans accepter</button> '
              '<button id="didomi-notice-agree-button">Accepter et fermer</button>',
              f'class="didomi-consent-popup-preferences" {SECOND_STYLE}{TOGGLES}<button class="refuse-all">Tout refuser</button> '
              '<button class="accept-all">Tout accepter</button> <button class="save">Enregistrer</button>'),
        ("#didomi-popup", ".didomi-consent-popup-preferences"),
        {"#didomi-notice-agree-button": "accept", ".accept-all": "accept", "#didomi-notice-disagree-button": "refuse", ".refuse-all": "refuse",
         "#didomi-notice-learn-more-button": "settings", ".save": "save"},
    ),
    "boite-a-biscuits": (
        maker('id="CybotCookiebotDialog" role="dialog" aria-label="Cookies"',
              INFO + '<button id="CybotCookiebotDialogBodyButtonDecline">Refuser</button> <button id="CybotCookiebotDialogBodyLevelButtonCustomize">Personnaliser</button> '
              '<button id="CybotCookiebotDialogBodyLevelButtonLevelOptinAllowAll">Autoriser tous les cookies</button>',
              f'id="CybotCookiebotDialogBodyLevel" {SECOND_STYLE}{TOGGLES}<button class="decline">Refuser</button> '
              '<button id="CybotCookiebotDialogBodyLevelButtonLevelOptinAllowallSelection">Autoriser la sélection</button> <button class="allow">Autoriser tous les cookies</button>'),
        ("#CybotCookiebotDialog", "#CybotCookiebotDialogBodyLevel"),
        {"#CybotCookiebotDialogBodyLevelButtonLevelOptinAllowAll": "accept", ".allow": "accept", "#CybotCookiebotDialogBodyButtonDecline": "refuse",
         ".decline": "refuse", "#CybotCookiebotDialogBodyLevelButtonCustomize": "settings", "#CybotCookiebotDialogBodyLevelButtonLevelOptinAllowallSelection": "save"},
    ),
    "axe-bleu": (
        maker('id="axeptio_overlay" role="dialog" aria-label="Cookies"',
              INFO + '<button id="axeptio_btn_dismiss">Non merci</button> <button id="axeptio_btn_configure">Je choisis</button> <button id="axeptio_btn_acceptAll">OK pour moi</button>',
              f'class="axeptio_widget" {SECOND_STYLE}{TOGGLES}<button class="non-merci">Non merci</button> <button class="suite">Enregistrer</button> <button class="ok">OK pour moi</button>'),
        ("#axeptio_overlay", ".axeptio_widget"),
        {"#axeptio_btn_acceptAll": "accept", ".ok": "accept", "#axeptio_btn_dismiss": "refuse", ".non-merci": "refuse", "#axeptio_btn_configure": "settings", ".suite": "save"},
    ),
}  # fmt: skip


def imitation(
    name: str, *pieces: Piece, found: tuple[Expected, ...] = (), knows: dict[str, str] | None = None
) -> Site:
    """Return a site whose banner has a maker's names of elements."""
    html, layers, hooks = MAKERS[name]
    banner = Banner(make="", html=html, layers=layers, hooks=hooks)
    return Site(name, "A banner with a well-known maker's names.", "journal", banner, pieces + TRACKED,
                expects=frozenset(found), knows=knows or {}, innocent=ONLY_AFTER_YES)  # fmt: skip


def _same_for_all(request: Request, site: Site) -> Response:
    """Hand out the third party's own identifier, for each site to keep as its own."""
    known = request.cookies.get("gid") or secrets.token_hex(10)
    answer = Response(
        f"document.cookie = '_mid={known}; path=/; max-age=33696000';", media_type="text/javascript"
    )
    answer.headers["Cache-Control"] = "no-store"
    answer.headers.append("Set-Cookie", f"gid={known}; Path=/; SameSite=None; Secure; Max-Age=31536000")
    return answer


TWIN = tag("http://commun.jumeaux-a.localhost:%port%/mid.js")
ALWAYS_ON = """
const boite = root.querySelector(".couche2 label");
if (boite) boite.insertAdjacentHTML("beforebegin", '<label><input type="checkbox" checked disabled> <b>Cookies strictement '
    + 'nécessaires</b> : sécurité du site et publicité (_secu_ads), toujours actifs.</label>');
"""

SITES = (
    *(imitation(name) for name in MAKERS),
    hasty("vrai-gtm", "Google Tag Manager before a choice.", "boutique", tag("%www.googletagmanager.com%/gtm.js?id=GTM-5K8W3QZ"),
          found=(Expected("R6", "googletagmanager.com", BEFORE, TRACKER),)),
    hasty("vraies-polices", "Fonts from Google.", "mairie",
          Piece(html='<link rel="stylesheet" href="%fonts.googleapis.com%/css2?family=Inter.css">', in_head=True),
          found=(Expected("R7", "fonts.googleapis.com", BEFORE, TRACKER),)),
    hasty("vraie-video", "A player of YouTube's, though of the kind “without cookies”.", "museum",
          Piece(html='<iframe title="Film" src="%www.youtube-nocookie.com%/sans" width="300" height="160"></iframe>'),
          found=(Expected("R7", "youtube-nocookie.com", BEFORE, TRACKER),)),
    hasty("vrai-pixel", "Meta's pixel.", "shop", pixel("%www.facebook.com%/tr?id=99118822&ev=PageView&noscript=1"),
          found=(Expected("R2", "facebook.com", BEFORE, (*TRACKER, "R7")),), knows={"uid": "its cookie"}),
    hasty("preconnexion", "An early connection to an advertiser.", "journal",
          Piece(html='<link rel="preload" as="image" href="%securepubads.g.doubleclick.net%/compte.gif">', in_head=True),
          found=(Expected("R8", "doubleclick.net", BEFORE, TRACKER),)),
    designed("faux-necessaire", "An advertiser's identifier that is said to be necessary.", "boutique",
             Expected("R11", "_secu_ads", {"none"}, TRACKER), extra=ALWAYS_ON, knows={"regie.localhost": "it gets the identifier", "uid": "", "R26": "", "_secu_ads": ""},
             pieces=(by_script("_secu_ads", life=400 * DAY, value="crypto.randomUUID()"),
                     Piece(script='new Image().src = "%regie%/px.gif?s=" + document.cookie.match(/_secu_ads=([^;]+)/)[1];'))),
    Site("jumeaux-a", "A site whose “exempt” measurement knows the visitor from another site of the same operator.", "journal", Banner(), (TWIN, *TRACKED),
         {"commun/mid.js": _same_for_all}, expects=frozenset({Expected("R14", "_mid", or_rules=TRACKER), Expected("R72", "_mid")}), knows={"commun.": "where it comes from", "gid": "its cookie there", "_mid": ""},
         siblings=("jumeaux-b",)),
    Site("jumeaux-b", "The other site.", "paper", Banner(), (TWIN, *TRACKED), expects=frozenset({tracker("_mid")}), knows={"commun.": "where it comes from", "gid": "its cookie there"}),
    Site("voisins-a", "Two sites of one operator, each with a session of its own.", "mairie", Banner(),
         (cookie("PHPSESSID=%id%; Path=/; HttpOnly; SameSite=Lax"), *TRACKED), innocent={**ONLY_AFTER_YES, "PHPSESSID": "a session"}, siblings=("gpc-tenu",), looks_like=("R14", "R72")),
)  # fmt: skip
