// What one document shows that might be a banner, for whoever asks from a world of scripts that the page cannot see.
// Nothing here knows what a label means, nor any maker: it names, measures and keeps elements by number.
(() => {
  if (Object.hasOwn(globalThis, "placet")) return; // an element with that id is not ours
  const MOST = 60000, LONGEST = 300;
  const PRESSED = "a,button,summary,[role=button],[role=link],[role=menuitem],[role=tab],[role=option],[onclick],"
    + "input[type=submit],input[type=button],input[type=image],input[type=reset]";
  const TOGGLED = "input[type=checkbox],input[type=radio],[role=switch],[role=checkbox],[role=radio],[role=menuitemcheckbox]";
  let roots = new Map(), parents = new Map(), kept = [], numbers = new Map(), styles = new Map();

  const style = (element) => styles.get(element) || (styles.set(element, getComputedStyle(element)), styles.get(element));
  const root = (element) => element.shadowRoot || roots.get(element);
  const parent = (element) => parents.get(element) || element.parentElement;
  const inside = (element, outer) => { for (; element; element = parent(element)) if (element === outer) return true; return false; };
  const number = (element) => {
    if (!numbers.has(element)) { numbers.set(element, kept.length); kept.push(element); }
    return numbers.get(element);
  };
  const children = (element) => {
    const shadow = root(element);
    if (shadow) return shadow.children;
    if (element.localName === "slot") { const given = element.assignedElements(); if (given.length) return given; }
    return element.children;
  };
  const texts = (element) => root(element) ? [] : element.localName === "slot" && element.assignedNodes().length
    ? [...element.assignedNodes()].filter((node) => node.nodeType === 3)
    : [...element.childNodes].filter((node) => node.nodeType === 3);
  const skipped = new Set(["script", "style", "noscript", "template", "head", "svg", "canvas", "iframe", "option"]);
  const fold = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  const bare = (text) => (text || "").replace(/\s+/g, " ").trim();

  // Walks the tree as it is drawn: into shadow roots, through slots.
  const walk = (top, visit) => {
    const stack = [top]; let count = 0;
    while (stack.length && count++ < MOST) {
      const element = stack.pop();
      if (visit(element) === false) continue;
      const inner = children(element);
      for (let at = inner.length - 1; at >= 0; at--) { parents.set(inner[at], element); stack.push(inner[at]); }
    }
  };
  const shown = (element) => {
    const box = element.getBoundingClientRect();
    if (box.width * box.height <= 4 && style(element).overflow !== "visible") return false;
    if (!element.checkVisibility({ visibilityProperty: true, opacityProperty: true })) return false;
    return box.width * box.height > 4 || style(element).display === "contents";
  };
  const seen = (element) => {
    if (!shown(element)) return false;
    const box = element.getBoundingClientRect(), tall = Math.max(document.documentElement.scrollHeight, innerHeight);
    if (box.right <= 0 || box.bottom + scrollY <= 0 || box.left >= Math.max(innerWidth, document.documentElement.scrollWidth)) return false;
    if (fixed(element) && (box.top >= innerHeight || box.bottom <= 0) && !scrolled(element)) return false;
    if (box.top + scrollY >= tall) return false;
    return style(element).clip !== "rect(0px, 0px, 0px, 0px)" && !clipped(element, box);
  };
  const fixed = (element) => { for (; element; element = parent(element)) if (style(element).position === "fixed") return element; return null; };
  // Lies in a part that scrolls by itself, up to the one that is fixed: a bar too long for a narrow window.
  const scrolled = (element) => {
    for (; element; element = parent(element)) {
      if (/auto|scroll/.test(style(element).overflowY) && element.scrollHeight > element.clientHeight + 1) return true;
      if (style(element).position === "fixed") return false;
    }
    return false;
  };
  // Hidden by an ancestor of no height or width: an accordion that is shut.
  const clipped = (element, box) => {
    for (let outer = parent(element), far = 0; outer && far < 12; outer = parent(outer), far++) {
      if (style(outer).overflow === "visible" && style(outer).overflowY === "visible") continue;
      const room = outer.getBoundingClientRect();
      if (room.height < 2 || room.width < 2) return style(outer).display !== "contents";
    }
    return false;
  };
  const said = (element, deep = 0) => {
    if (deep > 60) return "";
    if (element.nodeType === 3) return element.data;
    if (element.nodeType !== 1 || element.getAttribute("aria-hidden") === "true" && deep) return "";
    if (deep && element.getAttribute("aria-label")) return " " + element.getAttribute("aria-label") + " ";
    if (element.localName === "img") return " " + (element.alt || "") + " ";
    if (element.localName === "svg") { const title = element.querySelector("title"); return title ? " " + title.textContent + " " : ""; }
    if (skipped.has(element.localName)) return "";
    if (deep && (style(element).display === "none" || style(element).visibility === "hidden")) return "";
    const shadow = root(element);
    let nodes = shadow ? shadow.childNodes : element.childNodes;
    if (element.localName === "slot" && element.assignedNodes().length) nodes = element.assignedNodes();
    let text = "";
    for (const node of nodes) { text += said(node, deep + 1); if (text.length > 20000) break; }
    return /inline|contents/.test(style(element).display) ? text : " " + text + " ";
  };
  const labels = (element) => [...(element.labels || [])].map((label) => bare(said(label))).filter(Boolean).join(" ");
  const name = (element) => {
    const by = (element.getAttribute("aria-labelledby") || "").split(/\s+/).filter(Boolean)
      .map((id) => (element.getRootNode().getElementById || document.getElementById).call(element.getRootNode().getElementById ? element.getRootNode() : document, id))
      .filter(Boolean).map((other) => bare(said(other))).join(" ");
    if (bare(by)) return bare(by).slice(0, LONGEST);
    if (bare(element.getAttribute("aria-label"))) return bare(element.getAttribute("aria-label")).slice(0, LONGEST);
    if (element.localName === "input") {
      const own = /^(submit|button|reset|image)$/.test(element.type) ? element.value || element.alt : labels(element);
      return bare(own || element.title || around(element)).slice(0, LONGEST);
    }
    const text = bare(said(element)) || bare(labels(element));
    return (text || bare(element.title) || (element.matches(TOGGLED) ? around(element) : "")).slice(0, LONGEST);
  };
  // The words of the line that an unnamed toggle stands in.
  const around = (element) => {
    for (let outer = parent(element), far = 0; outer && far < 4; outer = parent(outer), far++) {
      const text = bare(said(outer));
      if (text) return text.slice(0, 120);
    }
    return bare(element.name || element.id);
  };
  const flat = (box) => ({ x: box.left, y: box.top, width: box.width, height: box.height });

  // Colours, as [red, green, blue, alpha]; a gradient by its first one.
  const colour = (text) => {
    const found = /rgba?\(([^)]+)\)/.exec(text || "");
    if (!found) return /color\(srgb ([^)]+)\)/.test(text || "") ? RegExp.$1.split(/[\s/]+/).map((part, at) => at < 3 ? part * 255 : +part).concat(1).slice(0, 4) : [0, 0, 0, 0];
    const parts = found[1].split(/[,\s/]+/).filter(Boolean).map(Number);
    return [parts[0], parts[1], parts[2], parts.length > 3 ? parts[3] : 1];
  };
  const over = (front, back) => [0, 1, 2].map((at) => Math.round(front[at] * front[3] + back[at] * (1 - front[3])));
  const ground = (element) => {
    const layers = [];
    for (let outer = element; outer; outer = parent(outer)) {
      const own = style(outer), fill = colour(own.backgroundColor);
      if (/gradient/.test(own.backgroundImage)) { const first = colour(own.backgroundImage); if (first[3]) { layers.push(first); if (first[3] >= 1) break; } }
      layers.push(fill);
      if (fill[3] >= 1) break;
    }
    return layers.reverse().reduce((back, front) => over(front, back), [255, 255, 255]);
  };
  const bordered = (element, around) => ["Top", "Right", "Bottom", "Left"].some((side) => {
    const own = style(element), ink = colour(own[`border${side}Color`]);
    return parseFloat(own[`border${side}Width`]) > 0 && own[`border${side}Style`] !== "none" && ink[3] > 0.1
      && over(ink, around).some((part, at) => Math.abs(part - around[at]) > 24);
  });
  // A link or the like with words of the same paragraph before or after it.
  const amid = (element) => {
    if (!/^inline/.test(style(element).display)) return false;
    let block = parent(element);
    for (let far = 0; block && style(block).display === "inline" && far < 5; far++) block = parent(block);
    if (!block || style(block).display.includes("flex") || style(block).display.includes("grid")) return false;
    if (block.childNodes.length > 200) return false;
    let words = "";
    const gather = (node) => {
      if (node.nodeType === 3) words += node.data;
      else if (node.nodeType === 1 && node !== element && !node.matches(PRESSED) && /^inline/.test(style(node).display)) node.childNodes.forEach(gather);
    };
    block.childNodes.forEach(gather);
    return bare(words).length >= 25;
  };
  const at = (x, y) => {
    let hit = document.elementFromPoint(x, y);
    for (let deep = 0; hit && root(hit) && deep < 20; deep++) {
      const inner = root(hit).elementFromPoint(x, y);
      if (!inner || inner === hit) break;
      hit = inner;
    }
    return hit;
  };
  const inView = (box) => box.top >= -1 && box.left >= -1 && box.bottom <= innerHeight + 1 && box.right <= innerWidth + 1;
  const covered = (element) => {
    const box = element.getBoundingClientRect();
    const x = box.left + box.width / 2, y = box.top + box.height / 2;
    if (x < 0 || y < 0 || x >= innerWidth || y >= innerHeight) return false;
    const hit = at(x, y);
    return Boolean(hit) && !inside(hit, element) && !inside(element, hit) && !(element.labels && [...element.labels].some((label) => inside(hit, label)));
  };
  const toggle = (element) => {
    const role = element.getAttribute("role") || "";
    const aria = element.getAttribute("aria-checked");
    return {
      number: number(element), name: name(element),
      kind: element.type === "radio" || role === "radio" ? "radio" : role === "switch" ? "switch" : "checkbox",
      group: element.type === "radio" ? element.name : "",
      checked: aria === null || element.localName === "input" ? Boolean(element.checked) : aria === "true",
      disabled: Boolean(element.disabled) || element.getAttribute("aria-disabled") === "true" || element.matches(":disabled"),
      line: around(element), legend: element.type === "radio" || role === "radio" ? legend(element) : "",
    };
  };
  // What a group of radio buttons is about: its legend, or the words beside the options.
  const legend = (element) => {
    const outer = element.closest("fieldset,[role=radiogroup],[role=group]");
    const title = outer && outer.querySelector("legend");
    if (title) return bare(said(title)).slice(0, 120);
    if (outer && outer.matches("[aria-label],[aria-labelledby]")) return name(outer);
    for (let around = parent(element), far = 0; around && far < 5; around = parent(around), far++) {
      let text = said(around);
      for (const option of around.querySelectorAll("input[type=radio],[role=radio]")) text = text.replace(labels(option) || name(option), " ");
      if (bare(text).length > 2) return bare(text).slice(0, 120);
    }
    return "";
  };
  // The line that a pair of buttons stands in: the smallest element around with two controls, and its other words.
  const pair = (element) => {
    for (let outer = parent(element), far = 0; outer && far < 5; outer = parent(outer), far++) {
      const all = outer.querySelectorAll(PRESSED);
      if (all.length > 12) return null;
      const held = [...all].filter(shown);
      if (held.length < 2) continue;
      for (let wider = outer; wider && far < 7; wider = parent(wider), far++) {
        const more = wider.querySelectorAll(PRESSED);
        if (more.length > 40 || [...more].filter(shown).length > held.length) return null;
        let text = said(wider);
        for (const one of held) text = text.replace(bare(said(one)), " ");
        if (bare(text).length > 2) return { number: number(outer), words: bare(text).slice(0, 120) };
      }
      return null;
    }
    return null;
  };
  // What a press on a toggle has to hit: the input is often hidden behind its label.
  const face = (element) => {
    if (shown(element)) return element;
    for (const label of element.labels || []) if (shown(label)) return label;
    const next = element.nextElementSibling;
    if (next && shown(next)) return next;
    const outer = parent(element);
    return outer && shown(outer) && outer.getBoundingClientRect().height < 80 ? outer : null;
  };
  const control = (element) => {
    const own = style(element), box = element.getBoundingClientRect(), outer = parent(element);
    const back = ground(element), beside = outer ? ground(outer) : [255, 255, 255];
    return {
      number: number(element), name: name(element), tag: element.localName, role: element.getAttribute("role") || "",
      hint: bare(`${element.id} ${element.getAttribute("class") || ""}`).slice(0, 160),
      box: flat(box), in_view: inView(box), in_text: amid(element),
      focusable: element.tabIndex >= 0 && !element.disabled, disabled: Boolean(element.disabled) || element.getAttribute("aria-disabled") === "true",
      font_size: parseFloat(own.fontSize) || 16, font_weight: parseInt(own.fontWeight) || 400,
      colour: over(colour(deepest(element).color), back), background: back, around: beside, border: bordered(element, beside),
      underlined: /underline/.test(own.textDecorationLine), covered: covered(element), href: element.localName === "a" ? element.href || "" : "",
      seen: seen(element), pair: pair(element), unfolds: element.hasAttribute("aria-expanded"),
    };
  };
  const deepest = (element) => { let inner = element; while (inner.children.length === 1 && !bare(texts(inner).map((node) => node.data).join(""))) inner = inner.children[0]; return style(inner); };

  const pointed = (element) => {
    if (style(element).cursor !== "pointer" && element.tabIndex < 0) return false;
    const outer = parent(element);
    if (style(element).cursor === "pointer" && outer && style(outer).cursor === "pointer") return false;
    return (element.textContent || "").length < 200 || Boolean(root(element));
  };

  // All the controls, the texts that may speak of consent, and the elements around them.
  const scan = (closed, stems) => {
    roots = new Map(closed.map((shadow) => [shadow.host, shadow]));
    parents = new Map(); styles = new Map(); kept = []; numbers = new Map();
    const found = { controls: [], toggles: [], topics: [], nodes: [], at: performance.now(), width: innerWidth, height: innerHeight,
      title: document.title, language: document.documentElement.lang || "", heading: bare((document.querySelector("h1") || {}).textContent).slice(0, 200), tall: document.documentElement.scrollHeight };
    if (!document.body) return found;
    const pressed = [], topics = [], toggles = [];
    walk(document.body, (element) => {
      if (skipped.has(element.localName)) return false;
      if (style(element).display === "none") return false;
      const words = texts(element).map((node) => node.data).join(" ") + " " + (element.getAttribute("aria-label") || "");
      if (words.length > 3 && stems.some((stem) => fold(words).includes(stem)) && shown(element)) topics.push(element);
      if (element.matches(TOGGLED)) toggles.push(element);
      else if (element.matches(PRESSED)) pressed.push(element);
      else if (element !== document.body && pointed(element) && !element.matches("input,select,textarea") && !(element.control && element.control.matches(TOGGLED))) pressed.push(element);
      return true;
    });
    const firm = new Set(pressed.filter((element) => element.matches(PRESSED)));
    const holds = new Set();
    for (const element of firm) for (let outer = parent(element); outer; outer = parent(outer)) holds.add(outer);
    for (const element of pressed) {
      if (!firm.has(element) && holds.has(element)) continue;
      if (!seen(element)) continue;
      found.controls.push({ number: number(element), name: name(element), tag: element.localName, role: element.getAttribute("role") || "",
        hint: bare(`${element.id} ${element.getAttribute("class") || ""}`).slice(0, 160) });
      if (found.controls.length > 600) break;
    }
    for (const element of topics.slice(0, 400)) found.topics.push(number(element));
    for (const element of toggles.slice(0, 600)) if (seen(element) || face(element)) found.toggles.push(number(element));
    for (let at = 0; at < kept.length; at++) { const outer = parent(kept[at]); if (outer) number(outer); }
    found.nodes = kept.map(node);
    return found;
  };
  const node = (element) => {
    const outer = parent(element), own = style(element), box = element.getBoundingClientRect(), role = element.getAttribute("role") || "";
    return {
      parent: outer ? number(outer) : -1, tag: element.localName, role, box: flat(box), position: own.position, z: parseInt(own.zIndex) || 0,
      dialog: /dialog/.test(role) || element.localName === "dialog" || element.getAttribute("aria-modal") === "true" || element.matches(":popover-open"),
      modal: element.getAttribute("aria-modal") === "true" || element.matches(":modal"),
      hint: /cookie|consent|gdpr|rgpd|\bcmp\b|tarteaucitron|privacy/i.test(`${element.id} ${element.getAttribute("class") || ""} ${element.localName}`),
      main: /^(main|article|figure)$/.test(element.localName) || role === "main", long: (element.textContent || "").length,
      fields: element.localName === "form" ? [...element.elements].filter((field) => /^(text|email|password|tel|search)$/.test(field.type)).length : 0,
    };
  };
  // One of the numbered elements in full, with all that it holds.
  const detail = (at) => {
    const top = kept[at], controls = [], toggles = [], links = [];
    const scanned = new Set();
    walk(top, (element) => {
      if (skipped.has(element.localName) || style(element).display === "none") return false;
      if (element.matches(TOGGLED)) { if (seen(element) || face(element)) toggles.push(toggle(element)); return true; }
      if (element !== top && (element.matches(PRESSED) || (numbers.has(element) && pointed(element) && !holdsPressed(element))) && !scanned.has(element)) {
        scanned.add(element);
        if (seen(element)) controls.push(control(element));
        if (element.localName === "a" && element.href) links.push([name(element), element.href]);
      }
      return controls.length < 400;
    });
    let lang = ""; for (let outer = top; outer && !lang; outer = parent(outer)) lang = outer.lang || "";
    return { text: bare(said(top)).slice(0, 20000), lang: lang || document.documentElement.lang || "", page_lang: document.documentElement.lang || "", box: flat(shape(top)), width: innerWidth, height: innerHeight,
      role: top.getAttribute("role") || (top.localName === "dialog" ? "dialog" : ""), name: bare(top.getAttribute("aria-label") || top.hasAttribute("aria-labelledby") && name(top) || ""),
      modal: top.getAttribute("aria-modal") === "true" || top.matches(":modal"), covers: covers(top), position: (fixed(top) ? "fixed" : style(top).position), background: ground(surface(top)),
      shadow: shadowOf(top), controls, toggles, links: links.slice(0, 200) };
  };
  const holdsPressed = (element) => Boolean(element.querySelector(PRESSED)) || Boolean(root(element) && root(element).querySelector(PRESSED));
  // The box of what is drawn: a wrapper of no height has children that stand out of it.
  const shape = (element) => {
    const own = element.getBoundingClientRect();
    if (own.width * own.height > 4) return own;
    const boxes = []; walk(element, (inner) => { const box = inner.getBoundingClientRect(); if (inner !== element && box.width * box.height > 4) boxes.push(box); return boxes.length < 200; });
    if (!boxes.length) return own;
    const left = Math.min(...boxes.map((box) => box.left)), top = Math.min(...boxes.map((box) => box.top));
    return new DOMRect(left, top, Math.max(...boxes.map((box) => box.right)) - left, Math.max(...boxes.map((box) => box.bottom)) - top);
  };
  const surface = (element) => { let inner = element; for (let far = 0; far < 6 && colour(style(inner).backgroundColor)[3] === 0 && children(inner).length === 1; far++) inner = children(inner)[0]; return inner; };
  const shadowOf = (element) => {
    for (let inner = element; inner; inner = parent(inner)) { const of = inner.getRootNode(); if (of instanceof ShadowRoot) return of.mode; }
    let held = ""; walk(element, (inner) => { if (root(inner)) held = held || root(inner).mode; return !held; });
    return held;
  };
  // Share of the viewport, by a grid of points, in which a press reaches the banner or a veil instead of the page.
  const covers = (top) => {
    const modal = document.querySelector(":modal");
    let reached = 0; const points = 12;
    for (let row = 0; row < points; row++) for (let column = 0; column < points; column++) {
      const hit = at((column + 0.5) * innerWidth / points, (row + 0.5) * innerHeight / points);
      if (modal) { reached += 1; continue; }
      if (!hit) continue;
      const veil = fixed(hit);
      if (top && inside(hit, top)) reached += 1;
      else if (veil && screen(veil)) reached += 1;
    }
    return reached / (points * points);
  };
  const screen = (element) => { const box = element.getBoundingClientRect(); return box.width * box.height >= 0.6 * innerWidth * innerHeight && element !== document.body && !(element.textContent || "").slice(3000); };
  const wall = () => {
    const locked = [document.documentElement, document.body].some((element) => element && /hidden|clip/.test(getComputedStyle(element).overflowY))
      && Math.max(document.documentElement.scrollHeight, document.body.scrollHeight) > innerHeight * 1.2;
    styles = new Map(); parents = new Map();
    return { covers: covers(null), locked, letters: (document.body ? document.body.innerText : "").replace(/\s+/g, "").length };
  };
  // Where to press: the element is brought into view first, and the point is one at which it is really hit.
  const aim = (at_) => {
    styles = new Map();
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
  const state = (at_) => kept[at_] ? toggle(kept[at_]) : null;
  // The element of a banner that was pressed, to see whether it is still there after all else has changed.
  let held = null;
  const hold = (at_) => { held = kept[at_] || null; return Boolean(held); };
  const holding = () => Boolean(held && held.isConnected && (styles = new Map(), held.checkVisibility({ visibilityProperty: true, opacityProperty: true })) && shape(held).width > 4);
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
    parents = new Map(); styles = new Map(); kept = []; numbers = new Map();
    const found = { controls: [], text: bare(document.body ? document.body.innerText : "").slice(0, 60000) };
    if (!document.body) return found;
    walk(document.body, (element) => {
      if (skipped.has(element.localName)) return false;
      if ((element.matches(PRESSED) || pointed(element)) && !element.matches(TOGGLED)) {
        const words = name(element) || bare(element.textContent);
        if (!words || words.length > 110 || hiddenForGood(element)) return true;
        const address = element.localName === "a" ? element.href : "";
        found.controls.push({ number: number(element), name: words, role: element.getAttribute("role") || element.localName, seen: seen(element),
          box: flat(element.getBoundingClientRect()), focusable: element.tabIndex >= 0, in_text: amid(element), href: address,
          elsewhere: Boolean(address) && new URL(address, location.href).href.split("#")[0] !== location.href.split("#")[0] });
      }
      return found.controls.length < 2000;
    });
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
    styles = new Map();
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
    moving: document.getAnimations().filter((animation) => animation.playState === "running" && animation.effect && animation.effect.getComputedTiming().duration > 0)
      .map((animation) => animation.animationName || animation.transitionProperty || animation.id || "animation") });
  globalThis.placet = { entries, unfold, stop, frame, scan, detail, aim, focus, click, state, hold, holding, covers, wall, stored };
})();
