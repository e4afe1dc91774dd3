// What is done with the elements that were numbered, and what is asked of the page around them.
(() => {
  if (Object.hasOwn(globalThis, "placet")) return;
  const { TOGGLED, at, bare, flat, inside, inView, kept, name, number, parent, renew, root, seen, shape, skipped, style, styles, surplus,
    walk } = placetDrawn;
  const { PRESSED, admit, amid, covers, detail, face, focusable, pointed, scan, toggle, wall } = placetControls;

  // Where to press: the element is brought into view first, and the point is one at which it is really hit.
  const aim = (at_) => {
    styles.clear();
    const element = kept[at_];
    if (!element || !element.isConnected) return null;
    const shownOne = element.matches(TOGGLED) ? face(element) : element;
    if (!shownOne) return null;
    let box = shownOne.getBoundingClientRect();
    if (!inView(box)) { shownOne.scrollIntoView({ block: "center", inline: "nearest", behavior: "instant" }); box = shownOne.getBoundingClientRect(); }
    for (const [across, down] of [[0.5, 0.5], [0.25, 0.5], [0.75, 0.5], [0.5, 0.25], [0.5, 0.75]]) {
      const x = box.left + box.width * across, y = box.top + box.height * down, hit = at(x, y);
      if (hit && (inside(hit, shownOne) || inside(shownOne, hit) && !kept.some((other) => other !== element && other === hit))) return { x, y, free: true };
    }
    return { x: box.left + box.width / 2, y: box.top + box.height / 2, free: false };
  };
  // Opens what an element is folded away in, as a visitor would first.
  const unfold = (at_) => {
    let opened = false;
    for (let outer = kept[at_]; outer; outer = parent(outer)) if (outer.localName === "details" && !outer.open) { outer.open = true; opened = true; }
    return opened;
  };
  const focus = (at_) => { const element = kept[at_]; if (!element) return false; element.focus(); return element.getRootNode().activeElement === element; };
  const click = (at_) => { const element = kept[at_]; if (!element) return false; element.click(); return true; };
  // Sets at once what is too much to press one by one: the elements with these numbers, and all in the rows of a
  // long list that were not looked at. Toggles become on or off, but the one of that name; of radio buttons and
  // buttons those with one of the names are pressed. Returns how many were pressed.
  const settle = (top, given, on, names, but) => {
    const rows = [...surplus].filter((row) => inside(row, kept[top]));
    const held = rows.flatMap((row) => [...row.querySelectorAll(TOGGLED + "," + PRESSED)]).filter((element) =>
      element.matches(TOGGLED) && !element.matches("[type=radio],[role=radio]") || names.includes(name(element)));
    const pressed = [...given.map((at) => kept[at]), ...held].filter((element) => {
      if (!element.matches(TOGGLED)) return true;
      const is = toggle(element);
      return !is.disabled && is.checked !== (is.kind === "radio" || on) && is.name !== but;
    });
    for (const element of pressed) element.click();
    return pressed.length;
  };
  const state = (at_) => kept[at_] ? toggle(kept[at_]) : null;
  // The element of a banner that was pressed, to see whether it is still there after all else has changed.
  let held = null;
  const hold = (at_) => { held = kept[at_] || null; return Boolean(held); };
  const holding = () => Boolean(held && held.isConnected && (styles.clear(), held.checkVisibility({ visibilityProperty: true, opacityProperty: true })) && shape(held).width > 4);
  const stored = async () => {
    const all = (store) => { try { return Object.keys(store).sort().map((key) => [key, store[key].slice(0, 4000)]); } catch { return []; } };
    let databases = []; try { databases = (await indexedDB.databases()).map((database) => `${database.name} ${database.version}`); } catch { /* not allowed here */ }
    let local = [], session = [];
    try { local = all(localStorage); } catch { /* not allowed here */ }
    try { session = all(sessionStorage); } catch { /* not allowed here */ }
    return JSON.stringify([local, session, databases]);
  };
  // All that can be pressed on a page, also in what is shut: details, menus, footers.
  const entries = () => {
    renew();
    const found = { controls: [], text: bare(document.body ? document.body.innerText : "").slice(0, 60000) };
    if (!document.body) return found;
    walk(document.body, (element) => {
      if (skipped.has(element.localName)) return false;
      if ((element.matches(PRESSED) || pointed(element)) && !element.matches(TOGGLED)) {
        const words = name(element) || bare(element.textContent);
        if (!words || words.length > 110 || hiddenForGood(element)) return true;
        const address = element.localName === "a" ? element.href : "";
        found.controls.push({ number: number(element), name: words, role: element.getAttribute("role") || element.localName, seen: seen(element),
          box: flat(element.getBoundingClientRect()), focusable: focusable(element), in_text: amid(element), href: address,
          elsewhere: Boolean(address) && new URL(address, location.href).href.split("#")[0] !== location.href.split("#")[0] });
      }
      return found.controls.length < 2000;
    }, true);
    return found;
  };
  // Not to be had even by opening what a visitor may open.
  const hiddenForGood = (element) => {
    for (let outer = element; outer; outer = parent(outer)) {
      if (outer.localName === "details" && !outer.open) return false;
      if (/menu|nav|footer/.test(`${outer.getAttribute("role") || ""} ${outer.localName}`)) return false;
      if (style(outer).display === "none" || style(outer).visibility === "hidden") return true;
    }
    return false;
  };
  // What has the focus, and whether the one before showed that it had it.
  let last = null;
  const marks = (element) => [element, parent(element), ...element.children].filter(Boolean).slice(0, 6).map((one) => {
    const own = getComputedStyle(one);
    return [own.outlineStyle !== "none" && parseFloat(own.outlineWidth) > 0 ? own.outline : "", own.boxShadow, own.border, own.backgroundColor, own.color, own.textDecorationLine, own.transform, own.opacity].join(";");
  }).join("|");
  const stop = (top) => {
    let element = document.activeElement;
    for (let deep = 0; element && deep < 20; deep++) { const inner = root(element) && root(element).activeElement; if (!inner) break; element = inner; }
    styles.clear();
    let before = "";
    if (last && last.element !== element && last.inside && last.element.isConnected && marks(last.element) === last.marks) before = last.name || last.element.localName;
    if (!element || element === document.body || element === document.documentElement || element.localName === "iframe" || !document.hasFocus()) { last = null; return null; }
    const box = element.getBoundingClientRect(), banner = kept[top];
    const within = Boolean(banner) && inside(element, banner);
    const hidden = Boolean(banner) && !within && box.width > 0 && [[0.5, 0.5], [0.1, 0.2], [0.9, 0.8]].every(([across, down]) => {
      const x = box.left + box.width * across, y = box.top + box.height * down;
      if (x < 0 || y < 0 || x >= innerWidth || y >= innerHeight) return false;
      const hit = at(x, y); return hit && inside(hit, banner);
    });
    last = { element, name: name(element), inside: within, marks: marks(element) };
    return { name: last.name, role: element.getAttribute("role") || element.localName, key: number(element), inside: within, covered: hidden, before_unseen: before };
  };
  const frame = () => ({ width: innerWidth, height: innerHeight, sideways: document.documentElement.scrollWidth > innerWidth + 1,
    moving: document.getAnimations().filter((animation) => animation.playState === "running" && animation.effect && Number(animation.effect.getComputedTiming().duration) > 0)
      .map((/** @type {any} */ animation) => animation.animationName || animation.transitionProperty || animation.id || "animation") });
  globalThis.placet = { admit, click, covers, detail, entries, focus, frame, hold, holding, aim, scan, settle, state, stop, stored, unfold, wall };
})();
