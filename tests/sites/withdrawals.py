"""Sites that do not let go: after a refusal, or once a consent was taken back."""

# ruff: noqa: E501 - texts and scripts as they stand in a page

from __future__ import annotations

from collections.abc import Mapping

from .banners import Banner
from .clean import ADVERTS, COUNTED, ONLY_AFTER_YES, TRACKED, polite
from .site import ALWAYS, DAY, REFUSED, Expected, Piece, Site, by_script, cookie, pixel, walks

AFTER = {"withdrawn"}
LEFT = ("R46", "R47", "R1", "R2", "R4", "R5")


def clinging(
    name: str,
    about: str,
    theme: str,
    *pieces: Piece,
    found: tuple[Expected, ...],
    banner: Banner | None = None,
    knows: Mapping[str, str] | None = None,
    heads: Mapping[str, str] | None = None,
    tracked: tuple[Piece, ...] = (COUNTED, ADVERTS),
) -> Site:
    """Return a site that waits for a yes, and keeps something when it is taken back."""
    return Site(name, about, theme, banner or Banner(), pieces + tracked, expects=frozenset(found), knows=knows or {},
                heads=heads or {}, scenarios=("S0", "S1", "S2", *(["S8"] if heads else [])), innocent={k: v for k, v in ONLY_AFTER_YES.items() if k not in (knows or {})})  # fmt: skip


def left(subject: str, rule: str = "R46") -> Expected:
    """Expect an objection to something that a withdrawal left."""
    return Expected(rule, subject, AFTER, LEFT)


KEPT_LOCALLY = "const id = localStorage.profil || (localStorage.profil = crypto.randomUUID());"
STILL_SENT = """
if (localStorage.profil) fetch("%mesure-tiers%/collect?p=" + localStorage.profil, {mode: "no-cors"});
"""
ONCE_IS_ALWAYS = "if (localStorage.annonces) new Image().src = '%regie%/px.gif?p=' + encodeURIComponent(location.pathname);"
PHOENIX = """
addEventListener("load", () => setTimeout(() => {
    if (localStorage.secours) document.cookie = "_hjid=" + localStorage.secours + "; path=/; max-age=31536000";
}, 300));
"""
FIRST_LIFE = """
const vie = (document.cookie.match(/_hjid=([^;]+)/) || [])[1] || crypto.randomUUID();
document.cookie = "_hjid=" + vie + "; path=/; max-age=31536000"; localStorage.secours = vie;
"""
TICKING = "setInterval(() => fetch('%mesure-tiers%/collect?cid=%id%&t=' + Math.round(performance.now()), {mode: 'no-cors'}), 1000);"
LATE_NO = "setTimeout(() => { new Image().src = '%regie%/px.gif?tard=1'; }, 2000);"
FRESH = """
const dit = () => document.cookie.match(/choix-cookies=([^;]*)/)?.[1];
const avant = dit();
addEventListener("pageshow", (event) => { if (event.persisted && dit() !== avant) location.reload(); });
"""
WALL = Piece(
    html='<div style="position:fixed;inset:0;z-index:98;background:#fff;padding:120px 40px;text-align:center"><h2>Accès suspendu</h2>'
    "<p>Vous avez retiré votre consentement. Rendez-le pour continuer votre lecture.</p></div>",
    when=REFUSED,
)
BOUGHT = """
localStorage.profil = localStorage.profil || crypto.randomUUID();
const base = indexedDB.open("lectures", 1);
base.onupgradeneeded = () => base.result.createObjectStore("pages").put(localStorage.profil, "qui");
base.onsuccess = () => base.result.close();
"""
WANDERS = "document.querySelector('#gerer-cookies').style.cssText += ';left:auto;right:12px';"
ONLY_WHO_CAME_BACK = """
if (localStorage.etait) document.body.insertAdjacentHTML("beforeend", `%html%`);
""".replace("%html%", WALL.html)

SITES = (
    clinging("httponly", "A cookie of the server's, which the script cannot delete.", "journal",
             cookie(f"vid=%id%; Path=/; HttpOnly; Max-Age={365 * DAY}", needs="audience", keeps=True), found=(left("vid"),)),
    clinging("autre-chemin", "A cookie of another path is not deleted.", "boutique",
             Piece(script=f"document.cookie = '_vis=' + crypto.randomUUID() + '; path=/draps; max-age={365 * DAY}';", needs="audience",
                   undo="document.cookie = '_vis=; path=/; max-age=0';"), found=(left("_vis"),)),
    clinging("autre-domaine", "A cookie of the whole domain is not deleted.", "paper",
             Piece(script="if (!document.cookie.includes('_ga=')) document.cookie = '_ga=GA1.1.' + Math.floor(Math.random() * 2e9) + '.1764000000; path=/; max-age=33696000; domain=autre-domaine.localhost';",
                   needs="audience", undo="document.cookie = '_ga=; path=/; max-age=0';"),
             found=(left("_ga"),), knows={"_ga": ""}),
    clinging("oubliee", "Nothing is deleted, only no longer written.", "clinique",
             Piece(script=by_script("_ga").script, needs="audience"), found=(left("_ga"),), knows={"_ga": ""}),
    clinging("tiroir", "An identifier stays in localStorage, and is still sent.", "shop",
             Piece(script=KEPT_LOCALLY, needs="audience"), Piece(script=STILL_SENT),
             found=(left("profil"), left("mesure-tiers.localhost", "R47")), knows={"mesure-tiers.localhost": ""}),
    clinging("une-fois-pour-toutes", "Once granted, advertising goes on.", "journal",
             Piece(script="localStorage.annonces = '1';", needs="pub"), Piece(script=ONCE_IS_ALWAYS),
             found=(left("regie.localhost", "R47"),), knows={"regie.localhost": "", "uid": "sent with it", "annonces": "what keeps it going"}),
    clinging("phenix", "A deleted cookie comes back from localStorage.", "boutique",
             Piece(script=PHOENIX), Piece(script=FIRST_LIFE, needs="audience", undo="document.cookie = '_hjid=; path=/; max-age=0';"),
             found=(left("_hjid"),), knows={"secours": "the copy"}),
    clinging("page-retour", "Back, and the page is alive again with its tracker.", "journal",
             Piece(script=TICKING, needs="audience"), found=(Expected("R48", or_rules=("R47", "R46")),),
             heads={"Cache-Control": "private, no-cache"}, knows={"mesure-tiers.localhost": "told by the restored page"}),
    Site("page-retour-sage", "Back, and the page that comes back sees that the choice is another.", "journal", Banner(),
         (Piece(script=FRESH), *TRACKED), heads={"Cache-Control": "private, no-cache"}, innocent=ONLY_AFTER_YES, looks_like=("R48",), scenarios=walks("R48")),
    clinging("page-gardee", "A granted page stays in the browser's cache for ten minutes.", "mairie",
             pixel("%regie%/px.gif?page=1", needs="pub"), found=(Expected("R92", or_rules=("R47", "R46")),),
             banner=Banner(make="form", memory="server"), heads={"Cache-Control": "max-age=600"},
             knows={"regie.localhost": "told by the old page", "uid": "", "mesure-tiers.localhost": "", "_ga": "", "R40": "the old page asks again",
                    "R45": "", "R39": ""}),
    Site("page-variable", "A granted page in the cache, asked for again as the choice is another.", "mairie",
         Banner(make="form", memory="server"), TRACKED, heads={"Cache-Control": "private, no-cache", "Vary": "Cookie"}, innocent=ONLY_AFTER_YES,
         looks_like=("R92",), scenarios=walks("R92")),
    clinging("sans-retour", "No way to take it back.", "blog", found=(Expected("R45"),), tracked=TRACKED,
             banner=Banner(way_back="none"), knows={"R29": "it says that there is one", "R114": ""}),
    clinging("en-paroles", "“Empty your browser's cookies.”", "mairie", found=(Expected("R45"),), tracked=TRACKED,
             banner=Banner(way_back="words"), knows={"R29": "", "R114": ""}),
    clinging("vagabonde", "The way back is on the left of the first page, and on the right of the others.", "blog",
             Piece(script=WANDERS, pages=("/lac", "/crete", "/sac")), found=(Expected("R114"),), tracked=TRACKED, banner=Banner(way_back="icon")),
    clinging("mur-apres", "Who takes it back cannot read any more.", "journal",
             Piece(script="localStorage.etait = '1';", needs="pub"), Piece(script=ONLY_WHO_CAME_BACK, when=REFUSED),
             found=(Expected("R51", or_rules=("R33",)),), tracked=TRACKED, knows={"etait": ""}),
    clinging("refus-ignore", "A no changes nothing: it starts all the same.", "boutique",
             by_script("_fbp", when=ALWAYS - {"none"}, life=90 * DAY, value="'fb.1.' + Date.now() + '.' + Math.floor(Math.random() * 1e10)"),
             pixel("%social%/tr?id=771204", when=ALWAYS - {"none"}),
             found=(Expected("R1", "_fbp", {"refused"}, LEFT), Expected("R2", "social.localhost", {"refused"}, LEFT)),
             knows={"fr": "the network's cookie", "_fbp": "", "social.localhost": ""}),
    clinging("refus-lent", "After a no it waits for two seconds, on the pages that follow.", "paper",
             Piece(script=LATE_NO, when=REFUSED), found=(Expected("R2", "regie.localhost", {"refused"}, LEFT),),
             knows={"uid": "its cookie", "regie.localhost": ""}),
    clinging("lu-quand-meme", "The server sets a cookie on a yes, and goes on getting it with each request.", "banque",
             cookie(f"client_ref=%id%; Path=/; HttpOnly; Max-Age={180 * DAY}", needs="pub", keeps=True), found=(left("client_ref"),)),
    polite("range", "All that a yes brought is put away: cookie, storage, database.", "shop", ("R46",),
           pieces=(Piece(script=BOUGHT, needs="audience", undo="localStorage.removeItem('profil'); indexedDB.deleteDatabase('lectures');"),)),
)  # fmt: skip
