"""Sites whose banner is not as it should be, and some whose banner only looks so."""

# ruff: noqa: E501 - texts and scripts as they stand in a page

from __future__ import annotations

from .banners import Banner
from .clean import ONLY_AFTER_YES, TRACKED, polite
from .site import Expected, Piece, Site, walks


def designed(
    name: str,
    about: str,
    theme: str,
    *found: Expected,
    knows: dict[str, str] | None = None,
    pieces: tuple[Piece, ...] = (),
    unverifiable: tuple[str, ...] = (),
    **banner: object,
) -> Site:
    """Return a site that tracks only after a yes, with a banner that an inspector would object to."""
    made = Banner(**banner)  # type: ignore[arg-type]
    return Site(
        name, about, theme, made, pieces + TRACKED, expects=frozenset(found), knows=knows or {},
        innocent=ONLY_AFTER_YES, unverifiable=frozenset(unverifiable), scenarios=walks(*(e.rule for e in found)),
    )  # fmt: skip


NEEDED = """
const boite = root.querySelector(".couche2 label");
if (boite) boite.insertAdjacentHTML("beforebegin",
    '<label><input type="checkbox" checked disabled> <b>Cookies nécessaires</b> : session et sécurité, toujours actifs.</label>');
"""
IN_TEXT = """
const p = root.querySelector(".couche1 p"), lien = document.createElement("a");
lien.href = "#"; lien.textContent = "continuer sans accepter"; lien.style.color = "inherit";
lien.onclick = (event) => { event.preventDefault(); choose([]); };
p.append(" Vous pouvez aussi ", lien, " si vous le souhaitez, la visite restera possible.");
"""
SLOW = """
const non = root.querySelector(".couche1 .non"), neuf = non.cloneNode(true);
non.replaceWith(neuf);
neuf.onclick = () => { neuf.textContent = "Traitement de votre demande…"; setTimeout(() => choose([]), 7000); };
"""
TRAP = """
const stops = [...root.querySelectorAll("button, a, input")];
root.addEventListener("keydown", (event) => {
    if (event.key !== "Tab") return;
    const shown = stops.filter((each) => each.offsetParent);
    event.preventDefault();
    shown[(shown.indexOf(document.activeElement) + (event.shiftKey ? shown.length - 1 : 1)) % shown.length].focus();
});
stops[0].focus();
"""
GONE = "setTimeout(() => hide(), 5000);"
SUBSCRIBE = """
const offre = root.querySelector(".choisir");
offre.replaceWith(offre.cloneNode(true));
root.querySelector(".choisir").onclick = () => { location.href = "/abonnement"; };
"""
WALL = Piece(
    html='<div style="position:fixed;inset:0;z-index:98;background:#fff;padding:120px 40px;text-align:center">'
    "<h2>Contenu indisponible</h2><p>Vous avez refusé les cookies : pour lire la suite, acceptez-les ou abonnez-vous.</p></div>",
    when=frozenset({"refused"}),
)
PAYWALL = Piece(
    html='<aside style="border:1px solid #345;padding:16px;max-width:728px;margin:0 auto"><h2>La suite est réservée à nos abonnés</h2>'
    '<p>Lisez tout pour 5 € par mois. <a href="/abonnement">Je m’abonne</a></p></aside>'
)
COLOURED = """
root.querySelectorAll(".oui, .non").forEach((each) => {
    each.style.backgroundColor = each.classList.contains("oui") ? "#14532d" : "#7f1d1d";
});
"""
BLIND = """
root.querySelectorAll(".couche2 label").forEach((label) => {
    const input = label.querySelector("input"), bouton = document.createElement("span");
    input.style.display = "none"; input.tabIndex = -1;
    bouton.style.cssText = "display:inline-block;width:40px;height:20px;border-radius:10px;background:#b91c1c";
    bouton.onclick = (event) => { event.preventDefault(); input.checked = !input.checked;
        bouton.style.background = input.checked ? "#15803d" : "#b91c1c"; };
    label.prepend(bouton);
});
"""

SITES = (
    designed("profond", "Refusing takes a second layer; accepting does not.", "journal",
             Expected("R21"), first=("accept", "settings")),
    designed("sans-non", "There is no way to refuse.", "boutique", Expected("R21", or_rules=("R27",)),
             knows={"R27": "no choice at all", "R30": "", "R45": "nothing to refuse with", "R29": "how to refuse", "R24": "", "R25": ""},
             first=("accept",), second=("accept",), toggles=False, unverifiable=("refuse", "withdraw"), way_back="none",
             text="{who} et ses 3 partenaires utilisent des cookies qui lisent votre adresse IP pour la mesure d’audience et la publicité."),
    designed("enregistrer-seul", "A second layer with toggles and a button to save: no “refuse”, but saving nothing refuses.", "shop",
             Expected("R21"), first=("accept", "settings"), second=("accept", "save")),
    designed("pale", "The refusal is grey on grey.", "journal", Expected("R22"),
             knows={"R107": "contrast"}, styles={"refuse": "background:#eee;color:#bbb;border-color:#eee"}),
    designed("menu", "The refusal is half as large.", "paper", Expected("R22"), knows={"R108": "small"},
             styles={"refuse": "font-size:10px;padding:3px 6px;min-width:0", "accept": "font-size:18px;padding:14px 40px"}),
    designed("simple-lien", "The refusal is a link beside a button.", "boutique", Expected("R22"),
             knows={"R108": "small", "R23": "a link"}, tags={"refuse": "a"}),
    designed("noye", "The refusal is a word of the text.", "journal", Expected("R23", or_rules=("R22", "R21")),
             knows={"R22": "a word beside a button", "R108": "small", "R21": "hidden in the text", "R25": ""},
             first=("accept", "settings"), extra=IN_TEXT),
    designed("deux-fois", "Accepting is offered twice, refusing once.", "shop", Expected("R24"),
             first=("accept", "refuse", "settings", "accept")),
    designed("plus-tard", "“Plus tard” is all that there is against “Accepter”.", "blog", Expected("R25", or_rules=("R21",)),
             knows={"R21": "it is no refusal"}, labels={"refuse": "Plus tard"}),
    designed("non-essentielles", "The refusal speaks of declining what is not essential.", "banque", Expected("R25"),
             labels={"refuse": "Je décline les finalités non essentielles"}),
    designed("precoche", "Every purpose is ticked beforehand.", "boutique", Expected("R26"), ticked=True),
    designed("precoche-en", "The same in English, in a shadow tree.", "shop", Expected("R26"), ticked=True, make="open"),
    designed("precoche-formulaire", "The same on the page of a form.", "mairie", Expected("R26"), ticked=True, make="form", memory="server"),
    polite("obligatoires", "What is necessary is ticked and cannot be unticked, and nothing else is.", "mairie", ("R11", "R26"), extra=NEEDED),
    designed("tout-ou-rien", "Yes to everything or no to everything.", "blog", Expected("R27"),
             first=("refuse", "accept"), toggles=False, second=("refuse", "accept"), knows={"R30": ""},
             text="{who}, responsable de ce site, et ses 3 partenaires utilisent des cookies qui permettent de lire votre adresse IP et vos données de navigation, pour mesurer l’audience et pour personnaliser la publicité. Vous pouvez accepter ou refuser. Refuser ne vous prive de rien. Vous pouvez retirer votre consentement à tout moment par le lien « Gérer mes cookies » en bas de chaque page."),
    designed("un-pour-tous", "One purpose alone opens all of them.", "boutique", Expected("R27", or_rules=("R1", "R2", "R4", "R5")),
             knows={"regie.localhost": "advertising without a yes to it", "uid": "the same", "_ga": "measurement without a yes to it",
                    "mesure-tiers.localhost": "the same"}, partial="all"),
    designed("laconique", "“To improve your experience.” Nothing else is said.", "boutique", Expected("R29"),
             knows={"R30": "no purpose is named", "R31": "no list", "R27": "none named"}, informs=False,
             text="Nous utilisons des cookies pour améliorer votre expérience."),
    designed("foule", "125 partners, and no list of them.", "journal", Expected("R31"), informs=False, knows={"R29": "", "R30": ""},
             text="{who}, responsable de ce site, et ses 125 partenaires utilisent des cookies qui permettent de lire votre adresse IP et vos données de navigation, pour mesurer l’audience et pour personnaliser la publicité. Vous pouvez accepter, refuser ou choisir. Refuser ne vous prive de rien. Vous pouvez retirer votre consentement à tout moment par le lien « Gérer mes cookies » en bas de chaque page."),
    designed("mur", "Who refuses sees nothing any more.", "journal", Expected("R33"), pieces=(WALL,), knows={"R51": "after a withdrawal too"}),
    designed("payer", "Accept, or pay.", "journal", Expected("R33", or_rules=("R21",)), knows={"R21": "no refusal", "R27": "", "R25": "", "R22": "", "R45": "what opens takes nothing back"},
             make="wall", first=("accept", "settings"), second=("accept",), labels={"settings": "S’abonner pour 2 € par mois"},
             extra=SUBSCRIBE, toggles=False, unverifiable=("refuse", "withdraw")),
    Site("abonnes", "A newspaper whose articles end at a paywall, whatever one answers.", "journal", Banner(), (PAYWALL, *TRACKED),
         innocent={**ONLY_AFTER_YES, "R33": "the paywall does not depend on the choice"}, looks_like=("R33", "R51")),
    designed("culpabilise", "Refusing is called a harm to the press.", "journal", Expected("R34", or_rules=("R25",)), knows={"R25": "", "R22": ""},
             labels={"refuse": "Non, je ne veux pas soutenir la presse libre", "accept": "Oui, je soutiens le journal"}),
    designed("sablier", "Refusing takes seven seconds, accepting none.", "boutique", Expected("R34"), extra=SLOW),
    designed("croix-oui", "The cross means yes.", "blog", Expected("R35", or_rules=("R3",)),
             knows={"R3": "the same", "_ga": "after the cross", "uid": "", "regie.localhost": "", "mesure-tiers.localhost": ""},
             first=("refuse", "accept", "settings", "close"), closing="accept"),
    designed("poursuivre", "Scrolling means yes.", "boutique", Expected("R3", or_rules=("R1", "R2", "R4", "R5")),
             knows={"_ga": "after scrolling", "uid": "", "regie.localhost": "", "mesure-tiers.localhost": "", "R112": "it goes by itself",
                    "R40": ""}, scrolling="accept",
             text="{who} et ses 3 partenaires utilisent des cookies (adresse IP, données de navigation) pour mesurer l’audience et personnaliser la publicité. En poursuivant votre navigation, vous acceptez leur dépôt. Vous pouvez refuser, sans conséquence, et retirer votre consentement à tout moment par « Gérer mes cookies »."),
    designed("interet", "Toggles for “legitimate interest”, all on.", "journal", Expected("R36", or_rules=("R26",)), knows={"R26": "on beforehand"}, interest=True),
    designed("chez-un-tiers", "The banner's script comes from someone else.", "boutique", Expected("R37"),
             knows={"cmp.localhost": "where it comes from"}, script_from="cmp"),
    designed("pixel-de-repli", "Who has no scripts gets no banner, and a pixel with its cookie.", "journal", Expected("R38"), Expected("R1", "uid", {"none"}, ("R2", "R4", "R5")),
             knows={"regie.localhost": "whose cookie it is"}, pieces=(Piece(html='<noscript><img src="%regie%/px.gif?noscript=1" width="1" height="1" alt=""></noscript>'),)),
    polite("chez-soi", "The banner's script comes from a name of the site's own.", "boutique", ("R37",), script_from="fichiers.chez-soi"),
    designed("fuyante", "The banner goes after five seconds.", "paper", Expected("R112", or_rules=("R34",)), knows={"R34": ""}, extra=GONE),
    designed("sans-clavier", "The refusal is a box that no key reaches.", "mairie", Expected("R103"), Expected("R115"),
             knows={"R22": "another kind of control", "R105": "no role"}, tags={"refuse": "div"}),
    designed("souriciere", "The keyboard never leaves the banner.", "museum", Expected("R104"), extra=TRAP),
    designed("etrangere", "An English banner on a French site.", "boutique", Expected("R110", or_rules=("R34",)),
             knows={"R34": "another language"}, language="en"),
    designed("debordante", "At 320 pixels the refusal is out of sight.", "shop", Expected("R111"),
             first=("accept", "settings", "refuse"), knows={"R22": ""},
             styles={"box": "min-width:900px;white-space:nowrap"}),
    designed("aveugle", "Toggles that are a colour and nothing else.", "clinique", Expected("R109", or_rules=("R103",)),
             knows={"R103": "no key reaches them", "R105": ""}, extra=BLIND),
    designed("sans-finalites", "It names no purpose at all.", "shop", Expected("R30", or_rules=("R29",)), knows={"R29": "", "R31": "", "R27": ""}, informs=False,
             text="{who}, who is responsible for this site, and its 3 partners use cookies to read your IP address and browsing data. You can accept, refuse or choose. Refusing costs you nothing. You can withdraw your consent at any time through the link “Cookie settings” at the foot of every page."),
    designed("anonyme", "A wall that no screen reader is told of.", "clinique", Expected("R105"), make="wall",
             extra="['role', 'aria-modal', 'aria-label'].forEach((each) => root.removeAttribute(each));", knows={"R104": "", "R103": "", "R106": ""}),
    designed("couvrante", "It lies over the links that the keyboard reaches.", "museum", Expected("R106"), knows={"R111": "high"},
             styles={"box": "top:0;bottom:auto;border:0;border-bottom:2px solid #345"}),
    designed("illisible", "Both answers are grey on grey.", "banque", Expected("R107"),
             styles={"accept": "background:#ddd;color:#aaa;border-color:#ddd", "refuse": "background:#ddd;color:#aaa;border-color:#ddd"}, knows={"R22": ""}),
    designed("minuscule", "Both answers are fourteen pixels high, and touch each other.", "shop", Expected("R108"), labels={"accept": "Yes", "refuse": "No"},
             styles=dict.fromkeys(("accept", "refuse"), "font-size:9px;line-height:12px;padding:0 2px;min-width:0;height:14px;margin:0 -3px"), knows={"R107": "", "R22": "", "R25": ""}),
    polite("deux-teintes", "Two colours that are read equally well.", "banque", ("R22", "R107"), extra=COLOURED),
    polite("etroite", "A card in the corner.", "shop", ("R106", "R111"), styles={"box": "left:auto;right:16px;bottom:16px;width:380px;max-width:90vw"}),
)  # fmt: skip
