"""The third parties of the replica sites. They are told much and remember nothing: each answer is alone."""

from __future__ import annotations

import secrets
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response

GIF = bytes.fromhex("47494638396101000100800000ffffff00000021f90401000000002c00000000010001000002024401003b")
THIRD = "Path=/; SameSite=None; Secure"

# Scripts that their owners serve to any site; `%host%` is the address that they came from.
SCRIPTS = {
    # A measurement tool of the common sort: an identifier for two years, and a hit for each page.
    "mesure": """
const found = document.cookie.match(/(?:^|; )_mtid=([^;]+)/);
const id = found ? found[1] : crypto.randomUUID();
document.cookie = "_mtid=" + id + "; path=/; max-age=63072000";
new Image().src = "%host%/collect?cid=" + id +
    "&dl=" + encodeURIComponent(location.href) + "&sr=" + screen.width;
""",
    # A network that has no cookie of its own on the site, but shows its frame and its pixel.
    "regie": """
const frame = document.createElement("iframe");
frame.title = "Publicité"; frame.width = 300; frame.height = 60; frame.src = "%host%/cadre";
document.body.append(frame);
new Image().src = "%host%/px.gif?u=" + encodeURIComponent(location.href);
""",
    # A tag manager: it loads what its container says.
    "conteneur": """
window.dataLayer = window.dataLayer || [];
dataLayer.push({"gtm.start": Date.now(), event: "gtm.js"});
""",
    # A recorder of sessions: every movement of the mouse, by a socket.
    "seance": """
const id = sessionStorage.rejeu || (sessionStorage.rejeu = crypto.randomUUID());
const socket = new WebSocket("%host%/flux?s=".replace("http", "ws") + id);
socket.onopen = () => {
    socket.send(JSON.stringify({s: id, html: document.documentElement.outerHTML.slice(0, 400)}));
    addEventListener("mousemove", (event) => socket.send(JSON.stringify([event.clientX, event.clientY])));
};
""",
    # A library that does nothing but what it is for.
    "bibliotheque": "window.formater = (prix) => prix.toFixed(2).replace('.', ',') + ' €';",
}


def answer(request: Request, host: str) -> Response:
    """Answer for the third party that is called `host`."""
    path, own = request.url.path, f"http://{request.headers['host']}"
    if path.endswith(".js"):
        name = path.rpartition("/")[2].removesuffix(".js")
        text = SCRIPTS.get(name, "").replace("%host%", own)
        return Response(text, media_type="text/javascript", headers={"Cache-Control": "max-age=3600"})
    if path.endswith(".css"):
        return Response("body{letter-spacing:0}", media_type="text/css", headers=_OPEN)
    if path == "/sync":
        to = request.query_params.get("vers", "partenaire")
        port = request.headers["host"].rpartition(":")[2]
        known = request.cookies.get("uid") or secrets.token_hex(12)
        passed = urlencode({"uid": known, "de": host})
        return _with_id(
            RedirectResponse(f"http://{to}.localhost:{port}/px.gif?{passed}", 302), request, "uid"
        )
    if path in ("/px.gif", "/tr", "/bat.gif"):
        return _with_id(
            Response(GIF, media_type="image/gif", headers=_FRESH), request, _ID_OF.get(host, "uid")
        )
    if path in ("/compte.gif", "/logo.gif"):
        return Response(GIF, media_type="image/gif", headers=_FRESH)
    if path in ("/collect", "/g/collect"):
        return Response(status_code=204, headers=_FRESH)
    if path.startswith(("/cadre", "/embed", "/plugins")):
        return _with_id(HTMLResponse(_FRAMES.get(host, "<p>Annonce</p>")), request, _ID_OF.get(host, "uid"))
    if path == "/partition":
        answer = HTMLResponse("<p>Encart</p>")
        answer.headers.append(
            "Set-Cookie", f"pid={secrets.token_hex(12)}; {THIRD}; Max-Age=31536000; Partitioned"
        )
        return answer
    if path == "/sans":  # a frame that keeps nothing
        return HTMLResponse(_FRAMES.get(host, "<p>Contenu</p>"))
    return PlainTextResponse("…", headers=_OPEN)


def _with_id(response: Response, request: Request, name: str) -> Response:
    if name and name not in request.cookies:
        value = secrets.token_hex(12)
        response.headers.append("Set-Cookie", f"{name}={value}; {THIRD}; Max-Age=33696000")
    return response


_OPEN = {"Access-Control-Allow-Origin": "*", "Cache-Control": "max-age=3600"}
_FRESH = {"Cache-Control": "no-store", "Access-Control-Allow-Origin": "*"}
_ID_OF = {
    "video": "VISITOR_INFO1_LIVE",
    "social": "fr",
    "paiement": "__stripe_mid",
    "carte": "NID",
    "cdn": "",
}
_FRAMES = {
    "video": "<body style='background:#000;color:#fff'><button>Lire la vidéo</button>",
    "social": "<button>J’aime</button>",
    "paiement": "<label>Numéro de carte <input inputmode='numeric'></label>",
    "carte": "<p>Plan du quartier</p>",
    "regie": """<p>Annonce</p><script>
if (!localStorage.visiteur) localStorage.visiteur = crypto.randomUUID();
fetch("/collect?v=" + localStorage.visiteur);
</script>""",
}
