"""Little pages with banners of every make we could think of, made from a few templates, and who serves them.

A page keeps what its visitor said in the cookie `choice`: "accepted", "refused", or "only:" and purposes.
"""

# ruff: noqa: E501 -- markup reads best a line an element

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

FILL = "<p>Un paragraphe de la page, avec assez de mots pour en être un vraiment.</p>" * 30

SCRIPT = """
function kept() { return document.cookie.includes("choice="); }
function choose(value) {
  document.cookie = "choice=" + value + "; path=/; max-age=15552000";
  document.querySelectorAll("[data-banner]").forEach((one) => one.remove());
  document.documentElement.style.overflow = "";
}
function show(layer, root) {
  root.querySelectorAll("[data-layer]").forEach((one) => { one.hidden = one.dataset.layer !== layer; });
}
function bind(root, answer) {
  root.addEventListener("click", (event) => {
    const line = event.composedPath().find((one) => one.dataset && one.dataset.line);
    if (line) root.querySelectorAll(`[data-line=${line.dataset.line}]`).forEach((one) => one.classList.toggle("on", one === line));
    const pressed = event.composedPath().find((one) => one.dataset && one.dataset.act);
    if (!pressed) return;
    const act = pressed.dataset.act;
    if (act === "accept") answer("accepted");
    if (act === "refuse") answer("refused");
    if (act === "close") { document.querySelectorAll("[data-banner]").forEach((one) => one.remove()); }
    if (act === "settings") show("2", root);
    if (act === "done") { const on = [...root.querySelectorAll("[data-on].on")]; answer(on.length ? "only:" + on.map((one) => one.dataset.line).join("+") : "refused"); }
    if (act === "deeper") show("3", root);
    if (act === "tab") show("4", root);
    if (act === "none") root.querySelectorAll("input[type=checkbox]:not(:disabled)").forEach((one) => { one.checked = false; });
    if (act === "save") {
      const on = [...root.querySelectorAll("input[type=checkbox]:not(:disabled), [role=switch]")]
        .filter((one) => one.checked || one.getAttribute("aria-checked") === "true").map((one) => one.id || one.dataset.id);
      const radios = [...root.querySelectorAll("input[type=radio]:checked")].filter((one) => one.value === "yes").map((one) => one.name);
      const all = on.concat(radios);
      answer(all.length ? "only:" + all.join("+") : "refused");
    }
    if (pressed.getAttribute("role") === "switch")
      pressed.setAttribute("aria-checked", pressed.getAttribute("aria-checked") !== "true");
    if (pressed.localName === "a") event.preventDefault();
  });
}
"""

FIXED = "position:fixed;bottom:0;left:0;right:0;background:#fff;padding:20px;border-top:1px solid #888;z-index:999"
CENTRE = "position:fixed;top:20%;left:25%;width:50%;background:#fff;padding:20px;border:1px solid;z-index:999"

TEXT = {
    "fr": "Nous utilisons des cookies et d'autres traceurs, avec nos partenaires, pour mesurer l'audience.",
    "en": "We and our partners use cookies and similar technologies to measure our audience. You can choose.",
    "de": "Wir verwenden Cookies und ähnliche Technologien, um die Nutzung unserer Website zu messen.",
    "es": "Utilizamos cookies propias y de terceros para medir la audiencia de nuestro sitio web.",
    "it": "Utilizziamo i cookie e tecnologie simili per misurare le visite del nostro sito.",
    "nl": "Wij gebruiken cookies en vergelijkbare technieken om het bezoek aan onze site te meten.",
    "pl": "Używamy plików cookie i podobnych technologii, aby mierzyć ruch na naszej stronie.",
    "el": "Χρησιμοποιούμε cookies και παρόμοιες τεχνολογίες για τη μέτρηση της επισκεψιμότητας.",
    "bg": "Използваме бисквитки и подобни технологии, за да измерваме посещенията на сайта.",
    "fi": "Käytämme evästeitä ja vastaavia tekniikoita sivuston kävijöiden mittaamiseen.",
    "hu": "Sütiket és hasonló technológiákat használunk az oldal látogatottságának mérésére.",
    "sv": "Vi använder kakor och liknande teknik för att mäta besöken på vår webbplats.",
}  # fmt: skip

LABELS = {
    "fr": ("Tout accepter", "Tout refuser", "Paramétrer mes choix", "Enregistrer mes choix"),
    "en": ("Accept all", "Reject all", "Manage preferences", "Save my choices"),
    "de": ("Alle akzeptieren", "Alle ablehnen", "Einstellungen", "Auswahl speichern"),
    "es": ("Aceptar todas", "Rechazar todas", "Configurar", "Guardar selección"),
    "it": ("Accetta tutti", "Rifiuta tutti", "Personalizza", "Salva le preferenze"),
    "nl": ("Alles accepteren", "Alles weigeren", "Instellingen", "Voorkeuren opslaan"),
    "pl": ("Zaakceptuj wszystkie", "Odrzuć wszystkie", "Ustawienia", "Zapisz ustawienia"),
    "el": ("Αποδοχή όλων", "Απόρριψη όλων", "Ρυθμίσεις", "Αποθήκευση επιλογών"),
    "bg": ("Приемам всички", "Отказвам всички", "Настройки", "Запази избора"),
    "fi": ("Hyväksy kaikki", "Hylkää kaikki", "Asetukset", "Tallenna valinnat"),
    "hu": ("Összes elfogadása", "Összes elutasítása", "Beállítások", "Mentés"),
    "sv": ("Godkänn alla", "Avvisa alla", "Inställningar", "Spara val"),
}


def button(act: str, label: str, kind: str = "button", style: str = "") -> str:
    """A control of one of the kinds that sites use."""
    mark = f'data-act="{act}" style="{style}"'
    pointer = f'data-act="{act}" style="cursor:pointer;display:inline-block;padding:8px;{style}"'
    return {
        "button": f"<button type=button {mark}>{label}</button>",
        "a": f'<a href="#" {mark}>{label}</a>',
        "role": f"<div role=button tabindex=0 {pointer}>{label}</div>",
        "onclick": f'<div onclick="void 0" {pointer}>{label}</div>',
        "bare": f"<div {pointer}><span>{label}</span></div>",
        "input": f'<input type=button value="{label}" {mark}>',
        "icon": f'<button type=button aria-label="{label}" {mark}><svg width=20 height=20><circle r=8 cx=10 cy=10 /></svg></button>',
        "title": f'<a href="#" title="{label}" {pointer}><i style="display:block;width:20px;height:20px;background:#080"></i></a>',
        "image": f'<input type=image alt="{label}" width=60 height=30 {mark} src="data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA=">',
        "label": f"<label {pointer}>{label}</label>",
        "custom": f"<cmp-button {pointer}>{label}</cmp-button>",
    }[kind]


def layers(
    language: str = "fr",
    kind: str = "button",
    refuse: str = "button",
    settings: bool = True,
    second: str = "",
    text: str = "",
    labels: tuple[str, ...] = (),
    third: str = "",
) -> str:
    """The inside of a banner: a first layer and, if given, further ones."""
    yes, no, more, save = labels or LABELS[language]
    first = f"<p>{text or TEXT[language]}</p>" + button("accept", yes, kind)
    first += button("refuse", no, refuse) if refuse else ""
    first += button("settings", more, kind) if settings else ""
    inner = f"<div data-layer=1>{first}</div>"
    if second:
        inner += f"<div data-layer=2 hidden>{second.replace('SAVE', button('save', save, kind))}</div>"
    if third:
        inner += f"<div data-layer=3 hidden>{third.replace('SAVE', button('save', save, kind))}</div>"
    return inner


def toggles(*ids: str, ticked: bool = False) -> str:
    """A checkbox for each purpose."""
    mark = "checked" if ticked else ""
    return "".join(f"<p><label><input type=checkbox id={one} {mark}> {one}</label></p>" for one in ids)


def page(body: str, script: str = "", head: str = "") -> str:
    """A page with some text around."""
    return (
        f"<!doctype html><html lang=fr><head><meta charset=utf-8><title>Le journal</title>{head}</head><body>"
        f"<header><h1>Le journal</h1></header><script>{SCRIPT}</script>{body}<main>{FILL}</main>"
        f"<footer><a href='/contact'>Contact</a></footer><script>{script}</script></body></html>"
    )


def simple(inner: str, style: str = FIXED, extra: str = "") -> str:
    """A page with a banner in a box of its own."""
    return page(
        f'<div data-banner id=b style="{style}" {extra}>{inner}</div>',
        "if (kept()) b.remove(); else bind(b, choose);",
    )


@contextmanager
def serving(pages: dict[str, str]) -> Iterator[str]:
    """Serve the pages on loopback, each under its name; yields the address without a path.

    A POST to /choose keeps the field `choice` in an HttpOnly cookie and leads back to `to`.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path.strip("/").split("?")[0]
            body = pages.get(name)
            if body is None:
                self.send_error(404)
                return
            if "SERVERSIDE" in body and "choice=" in self.headers.get("Cookie", ""):
                body = body[: body.index("<!--SERVERSIDE")] + body[body.rindex("SERVERSIDE-->") + 13 :]
            data = body.replace("PORT", str(server.server_address[1])).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def do_POST(self) -> None:
            fields = parse_qs(self.rfile.read(int(self.headers.get("Content-Length", 0))).decode())
            self.send_response(303)
            self.send_header("Set-Cookie", f"choice={fields.get('choice', ['none'])[0]}; HttpOnly; Path=/")
            self.send_header("Location", fields.get("to", ["/"])[0])
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"localhost:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass(frozen=True)
class Case:
    """A page, and whether a visitor can refuse and accept on it."""

    name: str
    html: str
    refusable: bool = True
    acceptable: bool = True
    more: dict[str, str] = field(default_factory=dict)


def shadow(mode: str, declarative: bool = False, nested: bool = False) -> str:
    """A page whose banner lives in a shadow root."""
    inner = f'<div style="{FIXED}">{layers()}</div>'
    if declarative:
        host = f"<div id=host data-banner><template shadowrootmode={mode}>{inner}<script>void 0</script></template></div>"
        # A declarative closed root is bound by listening on its host: the path is cut, so buttons tell by place.
        script = (
            "if (kept()) host.remove(); else host.addEventListener('click', (event) => {"
            " const inner = host.shadowRoot; const hit = (inner || {elementFromPoint: () => null}).elementFromPoint(event.clientX, event.clientY);"
            " choose(hit && hit.dataset.act === 'refuse' ? 'refused' : hit && hit.dataset.act === 'accept' ? 'accepted'"
            " : event.clientX < 110 ? 'accepted' : 'refused'); });"
        )
        return page(host, script)
    build = (
        "const host = document.createElement('cmp-root'); host.dataset.banner = ''; document.body.append(host);"
        f"const root = host.attachShadow({{ mode: '{mode}' }}); const inner = {inner!r};"
    )
    if nested:
        build += (
            "const mid = document.createElement('div'); root.append(mid);"
            f"const deep = mid.attachShadow({{ mode: '{mode}' }}); deep.innerHTML = inner; bind(deep, choose);"
        )
    else:
        build += "root.innerHTML = inner; bind(root, choose);"
    return page("", f"if (!kept()) {{ {build} }}")


def framed(origin: str) -> tuple[str, str]:
    """A page whose banner is in a frame, and the frame's document."""
    host = "autre.localhost:PORT" if origin == "cross" else "site.localhost:PORT"
    outer = page(
        f'<iframe id=f data-banner src="http://{host}/frame-{origin}" title="Cookies"'
        ' style="position:fixed;left:10%;bottom:20px;width:80%;height:200px;border:3px solid;background:#fff"></iframe>',
        "if (kept()) f.remove(); addEventListener('message', (event) => { if (event.data.choice) choose(event.data.choice); });",
    )
    inner = (
        f"<!doctype html><meta charset=utf-8><body><script>{SCRIPT}</script><div id=b>{layers()}</div>"
        "<script>bind(b, (choice) => parent.postMessage({ choice }, '*'));</script>"
    )
    return outer, inner


def late(how: str) -> str:
    """A page whose banner comes after a while, or at the first sign of life."""
    make = (
        f"() => {{ if (kept() || document.getElementById('b')) return; const b = document.createElement('div'); b.id = 'b'; b.dataset.banner = '';"
        f" b.style.cssText = {FIXED!r}; b.innerHTML = {layers()!r}; document.body.append(b); bind(b, choose); }}"
    )
    start = {
        "timer": f"setTimeout({make}, 4000);",
        "scroll": f"addEventListener('scroll', {make}, {{ once: true }});",
        "mouse": f"addEventListener('mousemove', {make}, {{ once: true }});",
    }[how]
    return page("", start)


def form(kind: str) -> str:
    """A banner of a server's making: plain forms, no script."""
    yes, no, _, _ = LABELS["fr"]
    return (
        f"<!doctype html><html lang=fr><meta charset=utf-8><title>Le journal</title><body><!--SERVERSIDE--><form method=post action=/choose"
        f' style="{FIXED}"><p>{TEXT["fr"]}</p><input type=hidden name=to value=/{kind}>'
        f"<button name=choice value=accepted>{yes}</button><button name=choice value=refused>{no}</button></form><!--SERVERSIDE-->"
        f"<main>{FILL}</main>"
    )


RADIOS = "".join(
    f"<fieldset><legend>{one}</legend><label><input type=radio name={one} value=yes checked> Accepter</label>"
    f"<label><input type=radio name={one} value=no> Refuser</label></fieldset>"
    for one in ("audience", "publicité")
)
LINES = f"<p>{TEXT['fr']}</p>" + "".join(
    f"<div><span>{one}</span> <button type=button data-line={one} data-on=1>Autoriser</button> <button type=button data-line={one}>Interdire</button></div>"
    for one in ("audience", "publicite")
)
SWITCHES = "".join(
    f'<p>{one} <span role=switch tabindex=0 aria-checked=true aria-label="{one}" data-act=x data-id={one}'
    ' style="display:inline-block;width:40px;height:20px;background:#088"></span></p>'
    for one in ("audience", "publicite")
)


def cases() -> list[Case]:
    """All the pages that a refusal and an acceptance are tried on."""
    found = [
        Case(
            f"kind-{kind}", simple(layers(kind=kind, refuse=kind, second=toggles("audience", "pub") + "SAVE"))
        )
        for kind in (
            "button",
            "a",
            "role",
            "onclick",
            "bare",
            "input",
            "icon",
            "title",
            "image",
            "label",
            "custom",
        )
    ]
    found += [Case(f"language-{code}", simple(layers(code))) for code in LABELS if code != "fr"]
    found += [
        Case("centre", simple(layers(), CENTRE, "role=dialog aria-modal=true aria-label=Cookies")),
        Case("inline-top", simple(layers(), "padding:20px;background:#eee")),
        Case("sticky", simple(layers(), "position:sticky;top:0;background:#eee;padding:20px")),
        Case("inline-bottom", page("", f"if (!kept()) {{ const b = document.createElement('section'); b.dataset.banner = ''; b.innerHTML = {layers()!r}; document.body.append(b); bind(b, choose); }}")),
        Case("dialog", page(f"<dialog id=b data-banner>{layers()}</dialog>", "if (!kept()) { b.showModal(); bind(b, choose); }")),
        Case("popover", page(f"<div popover=manual id=b data-banner>{layers()}</div>", "if (!kept()) { b.showPopover(); bind(b, choose); }")),
        Case("veil", page(f'<div data-banner id=v style="position:fixed;inset:0;background:#0008;z-index:998"></div><div data-banner id=b style="{CENTRE}">{layers()}</div>', "if (kept()) { v.remove(); b.remove(); } else { document.documentElement.style.overflow = 'hidden'; bind(b, choose); }")),
        Case("wrapper", page(f'<div data-banner id=b><div style="{FIXED}">{layers()}</div></div>', "if (kept()) b.remove(); else bind(b, choose);")),
        Case("shadow-open", shadow("open")), Case("shadow-closed", shadow("closed")),
        Case("shadow-nested", shadow("closed", nested=True)), Case("shadow-declared", shadow("closed", declarative=True)),
        Case("late-timer", late("timer")), Case("late-scroll", late("scroll")), Case("late-mouse", late("mouse")),
        Case("form", form("form")),
        Case("without-accepting", simple(layers(labels=("Accepter et fermer", "Continuer sans accepter →", "En savoir plus", "Valider"), refuse="a"))),
        Case("necessary-only", simple(layers("en", labels=("Accept all cookies", "Only necessary cookies", "Details", "Save")))),
        Case("second-refuse", simple(layers(refuse="", second=toggles("audience", "pub", ticked=True) + button("refuse", "Tout refuser") + "SAVE"))),
        Case("second-save", simple(layers(refuse="", second=toggles("audience", "pub", ticked=True) + "SAVE"))),
        Case("second-switches", simple(layers(refuse="", second=SWITCHES + "SAVE"))),
        Case("second-radios", simple(layers(refuse="", second=RADIOS + "SAVE"))),
        Case("second-lines", simple(layers(refuse="", second=LINES + button("done", "Enregistrer mes choix")))),
        Case("third", simple(layers(refuse="", second=f"<p>{TEXT['fr']}</p>" + button("deeper", "Personnaliser mes choix") + button("accept", "Tout accepter"), third=toggles("audience", ticked=True) + "SAVE"))),
        Case("refuse-then-save", simple(layers(refuse="", second=toggles("audience", "pub", ticked=True) + button("none", "Tout refuser") + "SAVE"))),
        Case("only-accept", simple(layers(refuse="", settings=False)), refusable=False),
        Case("ok-only", simple(layers(labels=("OK", "", "", ""), refuse="", settings=False)), refusable=False),
        Case("cross", simple(button("close", "×") + layers())),
        Case("newsletter-too", page(f'<div id=n style="{CENTRE}"><form><p>Inscrivez-vous à notre newsletter</p><input type=email><button type=button>S\'inscrire</button><button type=button>Non merci</button></form></div><div data-banner id=b style="{FIXED}">{layers()}</div>', "if (kept()) b.remove(); else bind(b, choose);")),
    ]  # fmt: skip
    for origin in ("same", "cross"):
        outer, inner = framed(origin)
        found.append(Case(f"frame-{origin}-page", outer, more={f"frame-{origin}": inner}))
    return found


def reopening(entry: str, opened: str = "") -> str:
    """A page with a banner, and with an entry that opens the settings again."""
    inner = layers(second=toggles("audience", "publicite") + "SAVE")
    return page(
        f"<div id=place></div>{entry}",
        f"""
        const draw = (layer) => {{ place.innerHTML = `<div data-banner id=b style="{FIXED}">{inner}</div>`; const b = document.getElementById('b'); bind(b, choose); show(layer, b); }};
        if (!kept()) draw("1");
        document.querySelectorAll("[data-entry]").forEach((one) => one.addEventListener("click", (event) => {{ event.preventDefault(); draw("{opened or 1}"); }}));
        """,
    )


def only_of(choice: str) -> str:
    """What a page keeps when one purpose alone was granted."""
    return f"only:{choice}"


SETTINGS_PAGE = (
    "<!doctype html><html lang=fr><meta charset=utf-8><title>Vos cookies</title><main><h1>Vos cookies</h1><p>Nous utilisons des cookies.</p>"
    "<form method=post action=/choose><input type=hidden name=to value=/entry-page><p><label><input type=checkbox name=a> Audience</label></p>"
    "<button name=choice value=accepted>Tout accepter</button><button name=choice value=refused>Tout refuser</button>"
    "<button name=choice value=saved>Enregistrer mes choix</button></form></main>"
)

ENTRIES = {
    "link": reopening('<a href="#" data-entry>Gérer mes cookies</a>'),
    "second-layer": reopening('<a href="#" data-entry>Paramètres des cookies</a>', "2"),
    "icon": reopening(
        '<button data-entry aria-label="Préférences cookies" style="position:fixed;left:10px;bottom:10px;width:40px;height:40px;border-radius:50%"></button>'
    ),
    "details": reopening(
        "<details><summary>Informations</summary><p>Voir aussi.</p><button data-entry>Gérer mon consentement</button></details>"
    ),
    "page": page('<a href="/settings-page">Gérer mes cookies</a>'),
}
NO_ENTRIES = {
    "none": page("<a href='/mentions'>Mentions légales</a>"),
    "words": page("<p>Vous pouvez supprimer les cookies dans les paramètres de votre navigateur.</p>"),
    "policy": page("<a href='/policy-page'>Politique de cookies</a>"),
    "named-policy": page("<a href='/policy-page'>Cookies</a>"),
}
POLICY_PAGE = page(
    "<h2>Nos cookies</h2><p>Nous utilisons des cookies. Videz les cookies dans votre navigateur pour les refuser.</p>"
)

NOT_BANNERS = {
    "article": page(
        "<main><article><h2>Les cookies</h2><p>Un cookie est un traceur que les sites déposent avec votre consentement.</p><a href=#>Lire la suite</a> <button>Partager</button></article></main>"
    ),
    "recipe": page(
        "<main><h2>Cookies aux pépites de chocolat</h2><p>Mélangez le beurre, la farine et le chocolat : les cookies vont au four.</p><button>OK</button></main>"
    ),
    "newsletter": simple(
        "<p>Inscrivez-vous à notre newsletter. Politique de confidentialité.</p><input type=email><button>S'inscrire</button><button>Non merci</button>",
        CENTRE,
    ),
    "age": simple(
        "<p>Avez-vous plus de 18 ans ?</p><button>J'ai 18 ans</button><button>Non</button>", CENTRE
    ),
    "placeholder": page(
        "<main><article><div style='width:400px;height:200px;background:#ddd'><p>Cette vidéo dépose des cookies de YouTube.</p><button>Accepter et voir la vidéo</button></div></article></main>"
    ),
    "policy": page(
        "<main><h2>Politique de cookies</h2><p>Nous utilisons des cookies pour mesurer l'audience.</p></main><footer><a href=#>Gérer mes cookies</a></footer>"
    ),
    "settings-page": SETTINGS_PAGE,
    "footer": page(
        "<footer style='position:sticky;bottom:0;background:#eee'>© Le journal <a href=#>Politique de cookies</a> <a href=#>Gérer mes cookies</a></footer>"
    ),
    "offer": simple(
        "<p>Profitez de notre offre : 20 % de remise.</p><button>J'accepte l'offre</button><button>Refuser l'offre</button><button aria-label=Fermer>×</button>",
        CENTRE,
    ),
    "hidden": simple(layers(), FIXED + ";display:none"),
    "off-screen": simple(layers(), "position:fixed;top:-500px;left:0"),
    "chat": simple(
        "<p>Bonjour ! Une question ?</p><button>Oui</button><button>Non merci</button><button aria-label=Fermer>×</button>",
        "position:fixed;right:10px;bottom:10px;width:250px;background:#fff",
    ),
    "terms": simple("<p>Nos conditions générales ont changé.</p><button>J'accepte</button>", CENTRE),
}


MEASURED = simple(
    f"<div role=group tabindex=0 aria-label=Explications><p>{TEXT['fr']} Vous pouvez tout accepter, choisir, ou <a href='#' data-act=refuse style='color:#666;text-decoration:underline'>continuer sans accepter</a> en gardant la même page.</p></div>"
    + button("accept", "Tout accepter", style="background:#008000;color:#fff;font-size:20px;border:0"),
    FIXED.replace("#fff", "#fffff0"),
)

# Banners that do not do what they say, and pages that stand in the way.
TRAPS = {
    "forgets": page(f'<div data-banner id=b style="{FIXED}">{layers(settings=False)}</div>', "b.addEventListener('click', () => b.remove());"),
    "returns": page(
        f'<div data-banner id=b style="{FIXED}">{layers(settings=False)}</div>',
        "b.addEventListener('click', () => { b.style.display = 'none'; setTimeout(() => { b.style.display = ''; }, 300); });",
    ),
    "inert": page(f'<div data-banner id=b style="{FIXED}">{layers(settings=False)}</div>'),
    "lying": simple(layers()).replace(
        "<header>",
        "<script>document.elementFromPoint = () => null; Element.prototype.getBoundingClientRect = () => ({}); Array.prototype.map = () => { throw 1; };"
        " window.getComputedStyle = () => { throw 1; }; Element.prototype.matches = () => { throw 1; };</script><header>",
    ),
    "deep": page("<script>let at = document.body; for (let i = 0; i < 300; i++) { const one = document.createElement('div'); at.append(one); at = one; } at.textContent = 'cookies';</script>"),
    "many": page("<div style='position:fixed;bottom:0;background:#fff'>Nous utilisons des cookies. " + "<button>OK</button>" * 300 + "</div>"),
    "long-name": simple(f"<p>{TEXT['fr']}</p><button>{'Accepter ' * 3000}</button>"),
    "moving": page(f'<style>@keyframes m {{ to {{ transform: translateX(300px) }} }}</style><div data-banner id=b style="{FIXED};animation:m 1s infinite">{layers(settings=False)}</div>'),
    "leaving": page(f'<div data-banner id=b style="{FIXED}">{layers(settings=False)}</div>', "b.addEventListener('click', () => { location.href = 'about:blank'; });"),
}  # fmt: skip

SLOW = page(
    f'<div id=b style="{FIXED}"><p>{TEXT["fr"]}</p><button id=n>Tout refuser</button><button>Tout accepter</button></div>',
    "n.onclick = () => { n.textContent = 'Un instant…'; setTimeout(() => { document.cookie = 'choice=refused; path=/'; b.remove(); }, 4000); };",
)
AT_ONCE = page(
    f'<div id=b style="{FIXED}"><p>{TEXT["fr"]}</p><label><input type=checkbox id=a> audience</label>'
    "<label><input type=checkbox> publicité</label><button>Tout refuser</button><button>Tout accepter</button></div>",
    "a.onchange = () => { document.cookie = 'choice=only:audience; path=/'; };",
)
UNMARKED = simple(
    f"<p>{TEXT['fr']}</p><style>#b * {{ outline: none !important }}</style>"
    + button("accept", "Tout accepter") + "<span data-act=refuse style='cursor:pointer'>Tout refuser</span>"
)  # fmt: skip
TRAP = page(
    f'<div data-banner id=b style="{FIXED}">{layers()}</div><a href="#">Suite</a>',
    "b.addEventListener('keydown', (event) => { if (event.key !== 'Tab') return; event.preventDefault();"
    " const all = [...b.querySelectorAll('button')]; all[(all.indexOf(document.activeElement) + 1) % all.length].focus(); }); b.querySelector('button').focus();",
)

# The marks by which rules of autoconsent know a maker; our own markup around them.
MAKER = page(
    f'<div id=tarteaucitronRoot data-banner><div id=tarteaucitronAlertBig style="{FIXED}"><p>{TEXT["fr"]}</p>'
    + button("accept", "OK, tout accepter").replace("<button", "<button id=tarteaucitronPersonalize2")
    + button("refuse", "Interdire tous les cookies").replace("<button", "<button id=tarteaucitronAllDenied2") + "</div></div>",
    "if (kept()) tarteaucitronRoot.remove(); else bind(tarteaucitronRoot, choose);",
)  # fmt: skip
MAKER_MUTE = page(
    f'<div id=cmplz-cookiebanner-container data-banner><div class=cmplz-cookiebanner style="{FIXED}"><p>{TEXT["fr"]}</p>'
    "<button class=cmplz-accept data-act=accept>Miam</button><button class=cmplz-deny data-act=refuse>Beurk</button>"
    "<button>J'accepte</button></div></div>",
    "const top_ = document.getElementById('cmplz-cookiebanner-container'); if (kept()) top_.remove(); else bind(top_, choose);",
)

BOX = "display:inline-block;padding:8px 16px;border:1px solid #234;background:#234;color:#fff"


def answered(refusal: str, script: str = "", before: str = "") -> str:
    """A banner with two buttons and a third thing; who has `data-own` listens to presses on itself."""
    inner = f"<p>{TEXT['fr']}</p>{before}" + button("accept", "Tout accepter") + button("settings", "Choisir")
    own = "document.querySelectorAll('[data-own]').forEach((one) => one.addEventListener('click', () => choose('refused')));"
    return page(f'<div data-banner id=b style="{FIXED}">{inner}{refusal}</div>', own + script)


BINDS = "bind(b, choose);"
BY_MOUSE = {  # refusals of the first layer that no key reaches
    "div": answered(f'<div data-own style="{BOX}">Tout refuser</div>'),
    "underlined": answered('<span data-own style="text-decoration:underline">Tout refuser</span>'),
    "li": answered(f'<ul><li data-own style="{BOX}">Tout refuser</li></ul>'),
    "a": answered("<a data-own>Tout refuser</a>"),
    "custom": answered(f'<cmp-answer data-own style="{BOX}">Tout refuser</cmp-answer>'),
    "in-label": answered(f'<label><div data-own style="{BOX}">Tout refuser</div></label>'),
    "inner": answered(f'<div style="{BOX}"><b data-own>Tout refuser</b></div>'),
    "onclick": answered(f"""<div onclick="choose('refused')" style="{BOX}">Tout refuser</div>"""),
    "delegated": answered("<div data-act=refuse style=cursor:pointer>Tout refuser</div>", "bind(document, choose);"),
    "delegated-box": answered(f'<div data-act=refuse style="{BOX}">Tout refuser</div>', BINDS),
    "one-hand": answered("<div style=cursor:pointer><span data-own>Tout refuser</span> <span>Plus tard</span></div>"),
    "all": page(f'<div data-banner id=b style="{FIXED}"><p>{TEXT["fr"]}</p><div data-act=accept style="{BOX}">Tout accepter</div>'
                f'<div data-act=refuse style="{BOX}">Tout refuser</div></div>', BINDS),
}  # fmt: skip
WORDS_ALONE = {  # the same words, and nothing to press
    "sentence": answered("", BINDS, "<p>Dans les réglages, vous pouvez aussi <strong>Tout refuser</strong> en une fois.</p>"),
    "paragraph": answered("<p><strong>Tout refuser</strong></p>", BINDS),
    "title": answered(f'<h3 style="{BOX}">Tout refuser</h3>', BINDS),
    "columns": answered(f'<table><tr><td></td><th style="{BOX}">Accepter</th><th style="{BOX}">Refuser</th></tr></table>', BINDS),
    "key": answered(f'<p>Pressez la touche <kbd style="{BOX}">Tout refuser</kbd> de la page suivante.</p>', BINDS),
    "plain": answered("<div>Tout refuser</div>", BINDS),
    "option": answered(f'<label><input type=radio name=a><span style="{BOX}">Refuser</span></label>', BINDS),
    "rows": answered("".join(f'<p>{one} <span data-own style="{BOX}">Interdire</span></p>' for one in ("Audience", "Publicité"))),
}  # fmt: skip


def listing(row: str, *acts: tuple[str, str]) -> str:
    """A banner with a list of three thousand partners, and the buttons after it."""
    rows = "".join(row.format(at=at) for at in range(3000))
    buttons = "".join(button(act, label) for act, label in acts)
    return simple(f"<p>{TEXT['fr']}</p><ul>{rows}</ul>{buttons}", CENTRE + ";max-height:70vh;overflow:auto")


TICKED = "<li><label><input type=checkbox id=p{at} checked> Partenaire {at}</label> <a href=/p{at}>Sa politique de vie privée</a></li>"
LISTS = {
    "list-pairs": listing(
        "<li>Partenaire {at} <button type=button>Autoriser</button> <button type=button>Interdire</button></li>",
        ("accept", "Tout accepter"), ("refuse", "Tout refuser"),
    ),
    "list-ticked": listing(TICKED, ("accept", "Tout accepter"), ("save", "Enregistrer mes choix")),
}  # fmt: skip
OTHERS = {
    "measured": MEASURED,
    "slow": SLOW,
    "at-once": AT_ONCE,
    "unmarked": UNMARKED,
    "trap": TRAP,
    "maker": MAKER,
    "maker-mute": MAKER_MUTE,
}
