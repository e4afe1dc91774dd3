(() => {
const C = $CONFIG, D = document, all = C.purposes, waiting = [];
const write = (granted) => granted.length ? granted.join("+") : "aucun";
const raw = () => {
    if (C.memory === "local") {
        const kept = JSON.parse(localStorage.getItem(C.key) || "null");
        return kept && kept.until > Date.now() ? kept.choice : null;
    }
    if (C.memory === "nothing") return null;
    const found = D.cookie.split("; ").find((each) => each.startsWith(C.key + "="));
    return found ? decodeURIComponent(found.slice(C.key.length + 1)).split("|")[0] : null;
};
const given = () => {
    const kept = C.memory === "server" ? window.siteChoice ?? null : raw();
    return kept === null ? null : kept.split("+").filter((each) => all.includes(each));
};
const keep = (granted) => {
    const life = granted.length ? C.life : C.refusedLife, more = $VALUE;
    if (C.memory === "local")
        localStorage.setItem(C.key, JSON.stringify({choice: write(granted), until: Date.now() + life * 1000, more}));
    else if (C.memory === "cookie")
        D.cookie = C.key + "=" + encodeURIComponent(write(granted) + (more ? "|" + more : "")) + "; path=/; samesite=lax" +
            (life ? "; max-age=" + Math.round(life) : "");
    else if (C.memory === "server")
        return fetch("/choix", {method: "POST", headers: {"content-type": "application/x-www-form-urlencoded"},
            body: "fetch=1&" + granted.map((each) => each + "=on").join("&")});
};
const state = (granted) => granted === null ? "none" : !granted.length ? "refused" :
    granted.length === all.length ? "accepted" : "partial";
const fire = (granted) => waiting.forEach((each) => {
    const there = each.needs ? (granted || []).includes(each.needs) : each.when.includes(state(granted));
    if (there && !each.ran) { each.ran = true; each.run(); }
    if (!there && granted !== null && each.undo && each.needs) each.undo();
});
window.quand = (when, needs, run, undo) => waiting.push({when, needs, run, undo, ran: false});
let root = null, box = null, chosen = given();
const choose = async (granted) => {
    const before = chosen || [];
    if (C.partial === "all" && granted.length) granted = all;
    chosen = granted;
    const kept = keep(granted);
    hide();
    await kept;
    if (granted.length < all.length)
        C.forgets.forEach((name) => D.cookie = name + "=; path=/; max-age=0");
    fire(granted);
    if (C.memory === "server" || (C.reloads && before.some((each) => !granted.includes(each)))) location.reload();
};
const hide = () => { if (box) { if (box.close) box.close(); box.remove(); box = root = null; } };
const layer = (number) => C.layers.forEach((selector, at) => {
    const found = root.querySelector(selector);
    if (found) found.hidden = at !== number;
});
const acts = {
    accept: () => choose(all), refuse: () => choose([]),
    settings: () => layer(1),
    save: () => choose(all.filter((each) => root.querySelector(`input[name="${each}"]`)?.checked)),
    close: () => C.closing === "accept" ? choose(all) : C.closing === "refuse" ? choose([]) : hide(),
};
const wire = (second) => {
    Object.entries(C.hooks).forEach(([selector, act]) => root.querySelectorAll(selector).forEach((each) =>
        each.addEventListener("click", (event) => { event.preventDefault(); acts[act](); })));
    all.forEach((each) => {
        const input = root.querySelector(`input[name="${each}"]`);
        if (input && chosen) input.checked = chosen.includes(each);
    });
    layer(second ? 1 : 0);
    $EXTRA
};
const show = (second) => {
    hide();
    const style = "<style>" + C.style + "</style>";
    box = D.createElement(C.make === "dialog" ? "dialog" : C.make === "frame" ? "iframe" :
        ["open", "closed"].includes(C.make) ? "site-cookies" : "div");
    if (C.make === "frame") {
        box.title = C.title;
        box.style.cssText = "position:fixed;left:0;right:0;bottom:0;width:100%;height:46vh;border:0;z-index:99";
        box.srcdoc = `<html lang="${C.lang}"><body style="margin:0"><div class="bandeau" style="max-height:none;min-height:100%">` +
            style + C.html + "</div></body></html>";
        box.onload = () => { root = box.contentDocument; wire(second); };
        D.body.append(box);
        return;
    }
    if (["open", "closed"].includes(C.make)) {
        root = box.attachShadow({mode: C.make});
        root.innerHTML = style + `<div class="bandeau" role="region" aria-label="${C.title}">` + C.html + "</div>";
    } else {
        root = box;
        box.className = "bandeau" + (C.make === "top" ? " haut" : C.make === "wall" ? " milieu" : "");
        box.setAttribute("role", ["dialog", "wall"].includes(C.make) ? "dialog" : "region");
        box.setAttribute("aria-label", C.title);
        if (["dialog", "wall"].includes(C.make)) box.setAttribute("aria-modal", "true");
        box.style.cssText = C.box;
        box.innerHTML = C.html;
    }
    if (C.make === "top" || C.make === "bar") D.body.prepend(box); else D.body.append(box);
    if (C.make === "dialog") box.showModal();
    wire(second);
};
window.ouvrirCookies = () => show(true);
D.addEventListener("DOMContentLoaded", () => {
    const opener = D.querySelector("#gerer-cookies");
    if (opener) opener.addEventListener("click", (event) => { event.preventDefault(); show(true); });
    fire(chosen);
    if (chosen === null) {
        setTimeout(() => show(false), C.late);
        if (C.scrolling) addEventListener("scroll", () => choose(all), {once: true});
    }
});
})();
