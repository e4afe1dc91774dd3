"""Sites whose banner does what it says, each in a way that a hasty inspector would object to."""

# ruff: noqa: E501 - texts and scripts as they stand in a page

from __future__ import annotations

from .banners import Banner
from .clean import AUDIENCE, COUNTED, ONLY_AFTER_YES, TRACKED, polite, same_gif
from .site import CHOSEN, Piece, Site, walks

MORE = """
addEventListener("scroll", () => { sessionStorage.hauteur = Math.round(scrollY); });
addEventListener("scroll", () => { new Image().src = "/vignette.gif"; }, {once: true});
"""
AHEAD = (
    '<link rel="prefetch" href="/draps"><link rel="preload" as="image" href="/logo.svg">'
    '<link rel="dns-prefetch" href="%images.avance%"><link rel="preconnect" href="%images.avance%">'
)
OFF = 'root.querySelectorAll("[data-li]").forEach((each) => { each.checked = false; });'
BOTH_SLOW = """
root.querySelectorAll(".couche1 .oui, .couche1 .non").forEach((each) => {
    const neuf = each.cloneNode(true);
    each.replaceWith(neuf);
    neuf.onclick = () => { neuf.textContent = "Enregistrement…"; setTimeout(() => choose(neuf.matches(".oui") ? all : []), 2000); };
});
"""
LETTER = """
if (sessionStorage.lettre !== "non") {
    const boite = document.createElement("aside");
    boite.style.cssText = "position:fixed;right:16px;bottom:16px;width:300px;padding:16px;background:#fff;color:#222;border:1px solid #345";
    boite.innerHTML = "<h2>La lettre du matin</h2><p>L’essentiel de l’Aven dans votre boîte, chaque jour à sept heures.</p>"
        + "<a href='/lettre'>Je m’inscris</a> <button type='button'>Non merci</button>";
    boite.querySelector("button").onclick = () => { sessionStorage.lettre = "non"; boite.remove(); };
    document.body.append(boite);
}
"""
BY_HAND = """
root.querySelectorAll(".oui, .non").forEach((each) => {
    each.setAttribute("role", "button"); each.tabIndex = 0; each.style.cursor = "pointer";
    each.onkeydown = (event) => { if (["Enter", " "].includes(event.key)) { event.preventDefault(); each.click(); } };
});
"""
SWITCHES = """
root.querySelectorAll(".couche2 label").forEach((label) => {
    const ligne = document.createElement("p"), input = label.querySelector("input"), bouton = document.createElement("button");
    const dire = () => { bouton.setAttribute("aria-checked", String(input.checked)); bouton.textContent = input.checked ? "Activé" : "Désactivé"; };
    bouton.type = "button"; bouton.setAttribute("role", "switch"); bouton.setAttribute("aria-label", label.querySelector("b").textContent);
    bouton.onclick = () => { input.checked = !input.checked; dire(); };
    input.hidden = true; ligne.append(bouton, ...label.childNodes); label.replaceWith(ligne);
    dire();
});
"""
SLIDES = """
const style = document.createElement("style");
style.textContent = "@keyframes monte{from{transform:translateY(100%)}} .bandeau{animation:monte .5s} "
    + "@media (prefers-reduced-motion:reduce){.bandeau{animation:none}}";
root.append(style);
"""
NO_SCRIPTS = '<noscript><p>Sans JavaScript, la carte des écoles n’est pas affichée.</p><img src="/vu.gif" width="1" height="1" alt=""></noscript>'
COMPACT = dict.fromkeys(
    ("refuse", "accept", "settings"), "font-size:13px;line-height:16px;padding:4px 10px;min-width:0;border:0"
)
RIGHTS = "Refuser ne vous prive de rien. Vous pouvez retirer votre consentement à tout moment par le lien « Gérer mes cookies » en bas de chaque page."
ONE = (
    "{who}, responsable de ce site, aimerait mesurer son audience avec un cookie, en lisant votre adresse IP. Vous pouvez accepter ou refuser. "
    f'{RIGHTS} <a href="/partenaires">Qui compte les visites</a> · <a href="/politique">Politique de cookies</a>'
)
SHORT = (
    'Avec votre accord, {who} et ses <a href="/partenaires">3 partenaires</a> mesurent l’audience et personnalisent la publicité. '
    'Refus sans conséquence, retrait à tout moment. <a href="/politique">En savoir plus</a>'
)
NAMES = (
    "{who}, responsable de ce site, et ses 3 partenaires (Harbour Analytics, Blue Ocean Advertising, The Daily Audience Company) utilisent "
    f"des cookies qui lisent votre adresse IP, pour mesurer l’audience et personnaliser la publicité. {RIGHTS}"
)
SILENT = (
    "{who}, responsable de ce site, et ses 3 partenaires utilisent des cookies qui lisent votre adresse IP, pour mesurer l’audience et "
    f"personnaliser la publicité. La poursuite de votre navigation ne vaut pas acceptation. {RIGHTS}"
)

SITES = (
    polite("sans-reponse", "Going on is no yes, and the banner says so; scrolling fetches more of the page.", "journal", ("R3",),
           pieces=(Piece(script=MORE),), routes={"/vignette.gif": same_gif}, innocent={"hauteur": "where the reader was"}, text=SILENT),
    polite("avance", "The next page and the site's own host for pictures are got ready ahead.", "boutique", ("R8",),
           pieces=(Piece(html=AHEAD, in_head=True), Piece(html='<img src="%images.avance%/photo.gif" alt="" width="9" height="9">')),
           routes={"images/photo.gif": same_gif}, innocent={"images.avance.localhost": "the site's own"}),
    polite("deux-liens", "Both answers are links.", "blog", ("R23",), tags=dict.fromkeys(("accept", "refuse", "settings"), "a")),
    polite("en-double", "Accepting is offered twice, and so is refusing.", "shop", ("R24",),
           first=("refuse", "accept", "settings", "refuse", "accept")),
    Site("une-finalite", "Yes or no, and nothing to choose: there is one purpose.", "mairie",
         Banner(first=("refuse", "accept"), second=("refuse", "accept"), toggles=False, informs=False, text=ONE), (AUDIENCE, COUNTED),
         innocent={**ONLY_AFTER_YES, "R27": "one purpose"}, looks_like=("R27",), scenarios=walks("R27")),
    polite("bref", "Two sentences say all that has to be said.", "journal", ("R29", "R30", "R31"), informs=False, text=SHORT),
    polite("lent", "Either answer takes two seconds.", "boutique", ("R34",), extra=BOTH_SLOW),
    polite("interet-eteint", "Toggles for “legitimate interest”, all off.", "journal", ("R36",), interest=True, extra=OFF),
    Site("sans-script", "A picture for who has no scripts, from the site itself; a form that needs none.", "mairie",
         Banner(make="form", memory="server"), (Piece(html=NO_SCRIPTS), *TRACKED), {"/vu.gif": same_gif},
         innocent={**ONLY_AFTER_YES, "vu.gif": "the site's own, and the same for all"}, looks_like=("R38",), scenarios=walks("R38")),
    polite("lettre", "Whoever has answered is asked on each page to subscribe to a letter.", "journal", ("R40",),
           pieces=(Piece(script=LETTER, when=CHOSEN),), innocent={"lettre": "set by the visitor's own act", "R40": "it does not ask for consent"}),
    polite("reste-utile", "After a withdrawal the library and the pictures still come from where they came.", "boutique", ("R47",),
           pieces=(Piece(html='<script src="%cdn%/bibliotheque.js"></script>'),
                   Piece(html='<img src="%images.reste-utile%/photo.gif" alt="" width="9" height="9">')),
           routes={"images/photo.gif": same_gif},
           innocent={"cdn.localhost": "serves files and keeps nothing", "images.reste-utile.localhost": "the site's own"}),
    polite("fait-main", "Boxes that are buttons in all but their tag.", "mairie", ("R103", "R115"), tags=dict.fromkeys(("accept", "refuse"), "div"), extra=BY_HAND),
    polite("compacte", "Buttons of 24 pixels.", "shop", ("R108",), styles=COMPACT),
    polite("interrupteurs", "Toggles of the site's own make, with a role, a name and words for their state.", "clinique", ("R109",), extra=SWITCHES),
    polite("marques", "A French banner that names its partners, in English.", "boutique", ("R110",), text=NAMES),
    polite("glissante", "The banner slides in, unless one has asked for less motion.", "blog", ("R112",), extra=SLIDES),
)  # fmt: skip
