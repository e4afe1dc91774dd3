"""One shop, five times, with a consent tool from the npm registry each, set up as its documentation says.

The shop has what such shops have: five cookies that its scripts set, declared to the tool, two that its server
sets whatever the tool does, and a pixel that nobody told the tool of. All seven cookies are declared as asking
for consent. What each tool lets through was found by hand, in a browser of its own, and is stated here.
"""

# ruff: noqa: E501 - texts and scripts as they stand in a page

from __future__ import annotations

from pathlib import Path

from .site import DAY, Expected, Piece, Site, cookie, pixel

PACKAGES = Path(__file__).parents[2] / "node_modules"

SERVER = (
    cookie(f"lecteur=%id%; Path=/; HttpOnly; Max-Age={365 * DAY}"),
    cookie(f"recos=%id%; Path=/; Domain=%host%; Max-Age={365 * DAY}"),
)
PIXEL = pixel("%regie%/px.gif")
ID = "Math.random().toString(16).slice(2) + Math.random().toString(16).slice(2)"
LIFE = "max-age=31536000"
AUDIENCE = f"""
const une = (nom, ou) => document.cookie.includes(nom + "=") || (document.cookie = nom + "=" + {ID} + "; {LIFE}; " + ou);
une("_ga", "path=/"); une("_ga_7KQ2M9", "path=/"); une("_hjid", "path=/");
"""
ADVERTS = f"""
const pose = (nom, ou) => document.cookie.includes(nom + "=") || (document.cookie = nom + "=" + {ID} + "; {LIFE}; " + ou);
pose("_fbp", "path=/; domain=" + location.hostname); pose("_vis", "path=/draps");
"""
AUDIENCE_COOKIES, ADVERT_COOKIES = ("_ga", "_ga_7KQ2M9", "_hjid"), ("_fbp", "_vis")

TARTEAUCITRON = """
<script src="/paquets/tarteaucitronjs/tarteaucitron.js"></script>
<script>
tarteaucitron.init({privacyUrl: "/politique", bodyPosition: "bottom", hashtag: "#tarteaucitron", cookieName: "tarteaucitron",
    orientation: "middle", groupServices: false, showDetailsOnClick: true, serviceDefaultState: "wait", showAlertSmall: false,
    cookieslist: false, showIcon: true, iconPosition: "BottomRight", adblocker: false, DenyAllCta: true, AcceptAllCta: true,
    highPrivacy: true, handleBrowserDNTRequest: false, removeCredit: false, moreInfoLink: true, useExternalCss: false,
    useExternalJs: false, readmoreLink: "", mandatory: true, mandatoryCta: true});
const service = (key, name, cookies, js) => tarteaucitron.services[key] = {key, type: key === "pub" ? "ads" : "analytic", name,
    needConsent: true, cookies, js, fallback: () => {}};
const pret = setInterval(() => {
    if (!tarteaucitron.services.gtag) return;
    clearInterval(pret);
    service("mesure", "Mesure d’audience", ["_ga", "_ga_7KQ2M9", "_hjid"], () => { %audience% });
    service("pub", "Publicité", ["_fbp", "_vis"], () => { %adverts% });
    ["mesure", "pub"].forEach((each) => (tarteaucitron.job = tarteaucitron.job || []).push(each));
}, 20);
</script>
"""

KLARO = """
<script>
var klaroConfig = {version: 1, elementID: "klaro", storageMethod: "cookie", cookieName: "klaro", cookieExpiresAfterDays: 365,
    default: false, mustConsent: false, acceptAll: true, hideDeclineAll: false, lang: "fr",
    translations: {zz: {privacyPolicyUrl: "/politique"}, fr: {purposes: {analytics: "Mesure d’audience", advertising: "Publicité"}}},
    services: [
        {name: "mesure", title: "Mesure d’audience", purposes: ["analytics"], cookies: ["_ga", "_ga_7KQ2M9", "_hjid"]},
        {name: "pub", title: "Publicité", purposes: ["advertising"], cookies: ["_fbp", "_vis"]}]};
</script>
<script type="text/plain" data-type="application/javascript" data-name="mesure">{ %audience% }</script>
<script type="text/plain" data-type="application/javascript" data-name="pub">{ %adverts% }</script>
<script defer src="/paquets/klaro/dist/klaro.js"></script>
<p><a href="#" onclick="klaro.show(undefined, true); return false">Gérer mes cookies</a></p>
"""

OREJIME = """
<link rel="stylesheet" href="/paquets/orejime/dist/orejime-standard.css">
<script>
window.orejimeConfig = {privacyPolicyUrl: "/politique", purposes: [
    {id: "mesure", title: "Mesure d’audience", description: "Compter les visites.", cookies: ["_ga", "_ga_7KQ2M9", "_hjid"]},
    {id: "pub", title: "Publicité", description: "Annonces choisies pour vous.", cookies: ["_fbp", "_vis"]}]};
</script>
<template data-purpose="mesure"><script>{ %audience% }</script></template>
<template data-purpose="pub"><script>{ %adverts% }</script></template>
<script src="/paquets/orejime/dist/orejime-standard-fr.js"></script>
<p><button type="button" onclick="orejime.prompt()">Gérer mes cookies</button></p>
"""

VANILLA = """
<link rel="stylesheet" href="/paquets/vanilla-cookieconsent/dist/cookieconsent.css">
<script type="text/plain" data-category="mesure">{ %audience% }</script>
<script type="text/plain" data-category="pub">{ %adverts% }</script>
<script type="module">
import "/paquets/vanilla-cookieconsent/dist/cookieconsent.umd.js";
CookieConsent.run({
    categories: {necessaires: {enabled: true, readOnly: true},
        mesure: {autoClear: {cookies: [{name: /^_ga/}, {name: "_hjid"}]}}, pub: {autoClear: {cookies: [{name: "_fbp"}, {name: "_vis"}]}}},
    language: {default: "fr", translations: {fr: {
        consentModal: {title: "Nous utilisons des cookies", description: "Pour mesurer l’audience et personnaliser la publicité.",
            acceptAllBtn: "Tout accepter", acceptNecessaryBtn: "Tout refuser", showPreferencesBtn: "Gérer mes préférences"},
        preferencesModal: {title: "Vos préférences", acceptAllBtn: "Tout accepter", acceptNecessaryBtn: "Tout refuser",
            savePreferencesBtn: "Enregistrer", closeIconLabel: "Fermer", sections: [
                {title: "Nécessaires", description: "Toujours actifs.", linkedCategory: "necessaires"},
                {title: "Mesure d’audience", description: "Compter les visites.", linkedCategory: "mesure"},
                {title: "Publicité", description: "Annonces choisies pour vous.", linkedCategory: "pub"}]}}}}});
</script>
<p><button type="button" data-cc="show-preferencesModal">Gérer mes cookies</button></p>
"""

C15T = """
<script type="importmap">{"imports": {"c15t": "/paquets/c15t/dist/index.js", "@c15t/schema/types": "/paquets/@c15t/schema/dist/types.js",
    "@c15t/translations": "/paquets/@c15t/translations/dist/index.js", "zustand/vanilla": "/paquets/zustand/esm/vanilla.mjs"}}</script>
<div id="consent-banner" role="region" aria-label="Cookies" hidden style="position:fixed;left:0;right:0;bottom:0;background:#fff;padding:16px;border-top:2px solid #345">
<p>Nous utilisons des cookies pour mesurer l’audience et personnaliser la publicité.</p>
<button id="accept-all">Tout accepter</button> <button id="reject">Tout refuser</button></div>
<script type="module">
import {getOrCreateConsentRuntime} from "c15t";
const {consentStore} = getOrCreateConsentRuntime({mode: "offline", consentCategories: ["necessary", "measurement", "marketing"],
    scripts: [
        {id: "mesure", category: "measurement", textContent: `{ %audience% }`},
        {id: "pub", category: "marketing", textContent: `{ %adverts% }`}]});
const banner = document.getElementById("consent-banner");
const show = (state) => { banner.hidden = state.activeUI === "none"; };
consentStore.subscribe(show);
show(consentStore.getState());
document.getElementById("accept-all").onclick = () => consentStore.getState().saveConsents("all");
document.getElementById("reject").onclick = () => consentStore.getState().saveConsents("necessary");
document.getElementById("gerer").onclick = () => consentStore.getState().setActiveUI("banner", {force: true});
</script>
<p><button type="button" id="gerer">Gérer mes cookies</button></p>
"""

AT_ONCE = frozenset({"none", "refused", "withdrawn"})
AFTER = frozenset({"withdrawn"})


def with_tool(name: str, package: str, markup: str, left: tuple[str, ...]) -> Site:
    """Return the shop with this tool, which leaves these of its cookies behind when a consent is taken back."""
    html = markup.replace("%audience%", AUDIENCE).replace("%adverts%", ADVERTS)
    found = {Expected("R1", each, AT_ONCE, ("R2", "R46")) for each in ("lecteur", "recos")}
    found |= {Expected("R2", "regie.localhost", AT_ONCE, ("R1", "R5", "R7", "R47"))}
    found |= {Expected("R46", each, AFTER, ("R1", "R2")) for each in left}
    return Site(
        name, f"A shop with {package}.", "boutique", None, (*SERVER, PIXEL, Piece(html=html)), packages=PACKAGES,
        expects=frozenset(found), innocent={each: "deleted by the tool" for each in (*AUDIENCE_COOKIES, *ADVERT_COOKIES) if each not in left},
        knows={"uid": "the pixel's cookie"},
    )  # fmt: skip


SITES = (
    with_tool("tarte", "tarteaucitron", TARTEAUCITRON, ("_vis",)),
    with_tool("klaro", "Klaro", KLARO, ("_vis",)),
    with_tool("orejime", "Orejime", OREJIME, (*AUDIENCE_COOKIES, "_vis")),
    with_tool("vanille", "vanilla-cookieconsent", VANILLA, ("_vis",)),
    with_tool("c15t", "c15t", C15T, (*AUDIENCE_COOKIES, *ADVERT_COOKIES)),
)
