"""Sites with which an inspector would be content, though some of what they do looks otherwise."""

# ruff: noqa: E501 - texts and scripts as they stand in a page

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from .banners import Banner
from .pages import page
from .parties import GIF
from .site import DAY, Expected, Piece, Route, Site, by_script, cookie, pixel, tag, walks

# What asks for consent, and gets going only then.
AUDIENCE = by_script("_ga", needs="audience")
COUNTED = pixel("%mesure-tiers%/compte.gif?page=1", needs="audience")
ADVERTS = tag("%regie%/regie.js", needs="pub")
TRACKED = (AUDIENCE, COUNTED, ADVERTS)
ONLY_AFTER_YES = {
    "_ga": "written only after a yes, and deleted with it",
    "mesure-tiers.localhost": "reached only after a yes",
    "regie.localhost": "reached only after a yes; what it keeps elsewhere is its own to answer for",
    "choix-cookies": "the memory of the choice, without an identifier",
}


def polite(
    name: str,
    about: str,
    theme: str = "journal",
    looks_like: tuple[str, ...] = (),
    *,
    pieces: tuple[Piece, ...] = (),
    routes: Mapping[str, Route] | None = None,
    innocent: Mapping[str, str] | None = None,
    remarks: tuple[Expected, ...] = (),
    **banner: object,
) -> Site:
    """Return a site whose banner does what it says, whatever rules it seems to break."""
    made = Banner(**banner)  # type: ignore[arg-type]
    return Site(name, about, theme, made, pieces + TRACKED, routes or {}, remarks=frozenset(remarks), looks_like=looks_like,
                innocent={**ONLY_AFTER_YES, **(innocent or {})}, scenarios=walks(*looks_like))  # fmt: skip


def _basket(request: Request, site: Site) -> Response:
    answer = RedirectResponse("/draps", 303)
    answer.headers.append("Set-Cookie", "panier=8f3c1b7e92d04a65b1c7; Path=/; Max-Age=604800; SameSite=Lax")
    return answer


def _language(request: Request, site: Site) -> Response:
    answer = RedirectResponse("/collection", 303)
    answer.headers.append(
        "Set-Cookie", f"lang={request.query_params.get('l', 'en')[:2]}; Path=/; Max-Age=31536000"
    )
    return answer


def same_gif(request: Request, site: Site) -> Response:
    return Response(GIF, media_type="image/gif", headers={"Cache-Control": "max-age=86400", "ETag": '"v3"'})


def _matomo(request: Request, site: Site) -> Response:
    return Response(GIF, media_type="image/gif", headers={"Cache-Control": "no-store"})


def _objection(request: Request, site: Site) -> Response:
    return page(
        request,
        site,
        "<h1>Confidentialité</h1><p>Nous mesurons l’audience de ce site pour notre seul compte, avec Matomo. "
        "Vous pouvez vous y opposer :</p><label><input type='checkbox' onchange=\"document.cookie='mtm_optout=1; "
        "path=/; max-age=31536000'\"> Je m’oppose à la mesure d’audience</label>",
    )


MATOMO = """
if (!document.cookie.includes("mtm_optout=1")) {
    let id = (document.cookie.match(/_pk_id\\.1\\.a3f4=([0-9a-f]{16})/) || [])[1];
    if (!id) {
        id = crypto.randomUUID().replaceAll("-", "").slice(0, 16);
        document.cookie = "_pk_id.1.a3f4=" + id + "." + Math.floor(Date.now() / 1000) + ".; path=/; max-age=33955200; samesite=lax";
    }
    document.cookie = "_pk_ses.1.a3f4=1; path=/; max-age=1800; samesite=lax";
    new Image().src = "/matomo.php?idsite=1&rec=1&_id=" + id + "&url=" + encodeURIComponent(location.href);
}
"""

EMOJI = """
const c = document.createElement("canvas"); c.width = c.height = 20;
const p = c.getContext("2d"); p.textBaseline = "top"; p.font = "16px sans-serif"; p.fillText("\\u{1F600}", 0, 0);
const drawn = c.toDataURL(); p.clearRect(0, 0, 20, 20); p.fillText("\\u{1F9D1}\\u200D\\u{1F680}", 0, 0);
if (drawn === c.toDataURL()) document.documentElement.classList.add("sans-emoji");
"""

THEME = """
const bouton = document.createElement("button"); bouton.type = "button"; bouton.textContent = "Thème sombre";
bouton.onclick = () => { localStorage.theme = "sombre"; document.body.style.background = "#222"; };
document.querySelector("header").append(bouton);
if (localStorage.theme === "sombre") document.body.style.background = "#222";
"""

PAY = """
const payer = document.createElement("button"); payer.type = "button"; payer.textContent = "Payer par carte";
payer.onclick = () => document.querySelector("main").insertAdjacentHTML("afterbegin",
    '<iframe title="Paiement" src="%paiement%/cadre" width="320" height="80"></iframe>');
document.querySelector("main").append(payer);
"""

SHARE = (
    '<p><a href="https://www.facebook.com/sharer/sharer.php?u=https%3A%2F%2Fcarnet.example%2F">Partager sur Facebook</a> '
    '<a href="https://x.com/intent/post?url=https%3A%2F%2Fcarnet.example%2F">Partager sur X</a> '
    '<a href="mailto:elise@carnet.example">M’écrire</a></p>'
)

NOTICE = """
if (sessionStorage.annonce !== "fermee") {
    const boite = document.createElement("p");
    boite.innerHTML = 'La bibliothèque ferme à midi ce samedi. <button type="button">Masquer</button>';
    boite.querySelector("button").onclick = () => { sessionStorage.annonce = "fermee"; boite.remove(); };
    document.querySelector("main").prepend(boite);
}
"""

SITES = (
    Site("silence", "No banner, and nothing that would need one.", "blog"),
    polite("placard", "A bar at the foot of the window that keeps its word.", remarks=(Expected("R41", "choix-cookies"),)),
    Site(
        "formulaire", "A form that the server answers; works without scripts.", "mairie",
        Banner(make="form", memory="server"), TRACKED, innocent=ONLY_AFTER_YES,
    ),
    Site(
        "panier", "A shop without a banner: a session, and a basket once something is put in it.", "boutique",
        pieces=(
            cookie("PHPSESSID=%id%; Path=/; HttpOnly; SameSite=Lax"),
            Piece(html='<form method="post" action="/ajouter"><button>Ajouter au panier</button></form>'),
        ),
        routes={"/ajouter": _basket},
        innocent={"PHPSESSID": "session", "panier": "basket, set at the visitor's own act"},
        looks_like=("R1",),
    ),
    Site(
        "guichet", "A town hall's forms: a token against forgery that lives for a year, and a session.", "mairie",
        pieces=(
            cookie("csrftoken=%id%; Path=/; Max-Age=31449600; SameSite=Lax"),
            cookie("sessionid=%id%; Path=/; HttpOnly; SameSite=Lax"),
            Piece(html='<form method="post" action="/recherche"><input type="hidden" name="csrfmiddlewaretoken" value="x">'
                       '<label>Recherche <input name="q"></label></form>'),
        ),
        innocent={"csrftoken": "protection against forged requests", "sessionid": "session"},
        looks_like=("R2",),
    ),
    Site(
        "repartiteur", "Behind a load balancer whose cookies are renewed at each answer.", "banque",
        pieces=(
            cookie("AWSALB=%id%%id%%id%; Path=/; Max-Age=604800", again=True),
            cookie("AWSALBCORS=%id%%id%%id%; Path=/; Max-Age=604800; SameSite=None; Secure", again=True),
            cookie("SERVERID=web-3; Path=/"),
        ),
        innocent={"AWSALB": "balancer", "AWSALBCORS": "balancer", "SERVERID": "balancer"},
    ),
    Site(
        "langues", "A language that the visitor chose, and a theme.", "museum",
        pieces=(Piece(html='<p><a href="/langue?l=fr">Français</a> <a href="/langue?l=en">English</a></p>'),
                Piece(script=THEME)),
        routes={"/langue": _language},
        innocent={"lang": "a language set by the visitor", "theme": "a look set by the visitor"},
        looks_like=("R4",),
    ),
    Site(
        "mesure-exempte", "Matomo on the site's own server, for 13 months, with a box to object.", "mairie",
        pieces=(Piece(script=MATOMO),),
        routes={"/matomo.php": _matomo, "/politique": _objection},
        innocent={"_pk_id": "exempt measurement", "_pk_ses": "exempt measurement", "matomo.php": "the site's own"},
        looks_like=("R12", "R13", "R15"),
    ),
    Site(
        "essai", "Two versions of a page: which one is kept, and no more.", "shop",
        pieces=(cookie(f"variant=B; Path=/; Max-Age={30 * DAY}; SameSite=Lax"),),
        innocent={"variant": "a bucket that half of all visitors share"},
    ),
    Site(
        "reseau-propre", "Pictures from the site's own CDN and a library from another's; no cookie anywhere.", "journal",
        pieces=(
            Piece(html='<script src="%cdn%/bibliotheque.js"></script>'),
            Piece(html='<link rel="stylesheet" href="%cdn%/site.css">', in_head=True),
            Piece(html='<img src="http://images.reseau-propre.localhost:%port%/photo.gif" alt="" width="9" height="9">'),
        ),
        routes={"images/photo.gif": same_gif},
        innocent={"cdn.localhost": "serves files and keeps nothing", "images.reseau-propre.localhost": "own CDN"},
        looks_like=("R5",),
    ),
    Site(
        "caisse", "A frame for payment, once the visitor asks to pay.", "boutique",
        pieces=(Piece(script=PAY, pages=("/draps",)),),
        innocent={"paiement.localhost": "asked for by the visitor", "__stripe_mid": "payment that the visitor asked for"},
        looks_like=("R7",),
    ),
    Site("liens", "Plain links to social networks.", "blog", pieces=(Piece(html=SHARE),),
         innocent={"facebook.com": "a link is not a request", "x.com": "a link is not a request"}, looks_like=("R79",)),
    Site("emoji", "A canvas that asks whether the browser can draw a new emoji.", "blog",
         pieces=(Piece(script=EMOJI),), innocent={"canvas": "nothing is kept or sent of it"}),
    Site("annonce", "A notice of its own that can be hidden, and stays so for the session.", "mairie",
         pieces=(Piece(script=NOTICE),), innocent={"annonce": "set by the visitor's own act; no banner about cookies"}),
    polite("dialogue", "A modal dialog.", "banque", ("R104", "R105"), make="dialog"),
    polite("ombre-ouverte", "A banner in an open shadow tree.", "clinique", make="open"),
    polite("ombre-fermee", "A banner in a closed shadow tree.", "clinique", make="closed"),
    polite("cadre", "A banner in a frame of the site's own.", "journal", make="frame"),
    polite("icones", "Buttons with nothing but a drawing, and names for whoever cannot see it.", "blog", ("R21",),
           tags={"accept": "icon", "refuse": "icon"}, styles={"accept": "min-width:60px", "refuse": "min-width:60px"}),
    polite("tardif", "A banner that comes after four seconds.", "boutique", late=4),
    polite("en-tete", "A banner in the flow at the top of the page.", "mairie", make="top"),
    polite("cote-serveur", "A script's banner whose choice the server keeps.", "paper", ("R41",), memory="server"),
    polite("stockage", "The choice kept in localStorage, with its date.", "shop", memory="local", key="consent"),
    polite("pastille", "A small round button is the way back.", "blog", ("R45", "R114"), way_back="icon"),
    polite("croix", "A cross that means no.", "journal", ("R35",), closing="refuse",
           first=("refuse", "accept", "settings", "close")),
    polite("sans-accepter", "“Continuer sans accepter”, as large as the rest.", "journal", ("R25",),
           labels={"refuse": "Continuer sans accepter", "accept": "Accepter et continuer"}),
    polite("teehaus", "In German.", "laden"),
    polite("ceramica", "In Spanish.", "tienda", make="dialog"),
    polite("corriere", "In Italian.", "giornale", memory="local"),
    polite("fietsen", "In Dutch.", "krant"),
    polite("ksiazki", "In Polish.", "ksiegarnia", make="open"),
    polite("mercearia", "In Portuguese.", "loja"),
    polite("garn", "In Swedish.", "butik", make="top"),
)  # fmt: skip
