// What in a document can be pressed or set, and how it stands there.
// Nothing here knows what a label means, nor any maker: it names, measures and keeps elements by number.
(() => {
  if (Object.hasOwn(globalThis, "placetControls")) return;
  const { TOGGLED, around, at, bare, children, fixed, flat, inside, inView, kept, labels, letters, name, number, numbers,
    parent, parents, renew, root, said, seen, shape, shown, skipped, style, styles, surplus, texts, walk } = placetDrawn;
  const { bordered, colour, deepest, ground, over, surface } = placetPaint;
  const MOST = 600, DETAILED = 400, SHORT = 80;
  const PRESSED = "a,button,summary,[role=button],[role=link],[role=menuitem],[role=tab],[role=option],[onclick],"
    + "input[type=submit],input[type=button],input[type=image],input[type=reset]";
  // Things that seem to be boxes for another reason than to be pressed.
  const TITLES = "h1,h2,h3,h4,h5,h6,th,td,dt,legend,caption,strong,b,em,i,kbd,code";
  const chains = new Map(); // of labels: the number of the one around that says the same
  let admitted = new Set();

  const fold = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  // The first and the last of too many: what answers stands at the top of a layer or at its foot.
  const ends = (all, most) => all.length <= most ? all : [...all.slice(0, most / 2), ...all.slice(-most / 2)];

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
      const options = around.querySelectorAll("input[type=radio],[role=radio]");
      if (options.length > 20) return "";
      let text = said(around);
      for (const option of options) text = text.replace(labels(option) || name(option), " ");
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
      focusable: focusable(element), disabled: Boolean(element.disabled) || element.getAttribute("aria-disabled") === "true",
      font_size: parseFloat(own.fontSize) || 16, font_weight: parseInt(own.fontWeight) || 400,
      colour: over(colour(deepest(element).color), back), background: back, around: beside, border: bordered(element, beside),
      underlined: /underline/.test(own.textDecorationLine), covered: covered(element), href: element.localName === "a" ? element.href || "" : "",
      seen: seen(element), pair: pair(element), unfolds: element.hasAttribute("aria-expanded"),
    };
  };
  const focusable = (element) => element.tabIndex >= 0 && !element.disabled
    && (element.localName !== "a" || element.hasAttribute("href") || element.hasAttribute("tabindex"));
  const pointed = (element) => {
    if (style(element).cursor !== "pointer" && element.tabIndex < 0) return false;
    const outer = parent(element);
    if (style(element).cursor === "pointer" && outer && style(outer).cursor === "pointer") return false;
    return (element.textContent || "").length < 200 || Boolean(root(element));
  };

  // The short text that is all an element says, if it is neither a control nor a part of one by its kind.
  const label = (element) => {
    if (!root(element) && (element.textContent || "").length > 2 * SHORT) return "";
    const text = bare(said(element));
    if (text.length < 2 || text.length > SHORT || element.querySelector(TOGGLED) || !seen(element)) return "";
    for (let outer = element; outer; outer = parent(outer)) if (outer.matches(PRESSED + "," + TOGGLED) || outer.control) return "";
    return text;
  };
  // Whether it is drawn as a control would be: a box of its own, a line under it, a hand over it.
  const looks = (element) => {
    const own = style(element), outer = parent(element), beside = outer ? ground(outer) : [255, 255, 255];
    if (element.matches(TITLES) || amid(element)) return false;
    if (own.cursor === "pointer" || /underline/.test(own.textDecorationLine)) return true;
    const filled = ground(element).some((part, at) => Math.abs(part - beside[at]) > 24);
    return (filled || bordered(element, beside)) && parseFloat(own.paddingLeft) >= 4 && parseFloat(own.paddingRight) >= 4;
  };
  // The labels that stand near words about consent, and are no controls as far as one sees.
  const unmarked = (elements, topics, controls) => {
    const told = new Set(), found = new Map();
    for (const topic of topics) for (let outer = topic, far = 0; outer && outer !== document.body && far < 6; outer = parent(outer), far++) told.add(outer);
    const near = (element) => { for (let outer = element, far = 0; outer && far < 6; outer = parent(outer), far++) if (told.has(outer)) return true; return false; };
    for (const element of elements) {
      const text = near(element) ? label(element) : "";
      if (!text || controls.some((one) => inside(element, one) && bare(said(one)) === text)) continue;
      let within = -1;
      for (let outer = parent(element), far = 0; outer && far < 3; outer = parent(outer), far++) if (found.get(outer) === text) within = number(outer);
      found.set(element, text);
      number(element);
      if (within >= 0) chains.set(element, within);
    }
    return ends([...found], MOST / 4).map(([element, text]) => ({ number: number(element), name: text, tag: element.localName, role: "", looks: looks(element), within: chains.get(element) ?? -1 }));
  };
  // Takes elements for controls from now on; returns the numbers of those that are none, as they only hold these.
  const admit = (given) => {
    admitted = new Set(given.map((at) => kept[at]));
    return kept.map((element, at) => !element.matches(PRESSED) && holdsAdmitted(element) ? at : -1).filter((at) => at >= 0);
  };
  const holdsAdmitted = (element) => [...admitted].some((one) => one !== element && inside(one, element));

  // All the controls, the texts that may speak of consent, and the elements around them.
  const scan = (closed, stems) => {
    renew(closed);
    admitted = new Set(); chains.clear();
    const found = { controls: [], toggles: [], topics: [], nodes: [], labels: [], at: performance.now(), width: innerWidth, height: innerHeight,
      title: document.title, language: document.documentElement.lang || "", heading: bare((document.querySelector("h1") || {}).textContent).slice(0, 200), tall: document.documentElement.scrollHeight };
    if (!document.body) return found;
    const pressed = [], topics = [], toggles = [], others = [];
    walk(document.body, (element) => {
      if (skipped.has(element.localName)) return false;
      if (style(element).display === "none") return false;
      const words = fold(texts(element).map((node) => node.data).join(" ") + " " + (element.getAttribute("aria-label") || ""));
      if (words.length > 3 && stems.some((stem) => words.includes(stem)) && shown(element)) topics.push(element);
      if (element.matches(TOGGLED)) toggles.push(element);
      else if (element.matches(PRESSED)) pressed.push(element);
      else if (element !== document.body && pointed(element) && !element.matches("input,select,textarea") && !(element.control && element.control.matches(TOGGLED))) pressed.push(element);
      else others.push(element);
      return true;
    });
    const firm = new Set(pressed.filter((element) => element.matches(PRESSED)));
    const holds = new Set();
    for (const element of firm) for (let outer = parent(element); outer; outer = parent(outer)) holds.add(outer);
    const controls = ends(pressed.filter((element) => (firm.has(element) || !holds.has(element)) && seen(element)), MOST);
    for (const element of controls)
      found.controls.push({ number: number(element), name: name(element), tag: element.localName, role: element.getAttribute("role") || "",
        hint: bare(`${element.id} ${element.getAttribute("class") || ""}`).slice(0, 160) });
    for (const element of topics.slice(0, 400)) found.topics.push(number(element));
    for (const element of ends(toggles, MOST)) if (seen(element) || face(element)) found.toggles.push(number(element));
    found.labels = unmarked(others.filter((element) => !holds.has(element)), topics, controls.filter((element) => !firm.has(element)));
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
      main: /^(main|article|figure)$/.test(element.localName) || role === "main", long: letters(element),
      fields: element.localName === "form" ? [...element.elements].filter((field) => /^(text|email|password|tel|search)$/.test(field.type)).length : 0,
    };
  };
  // One of the numbered elements in full, with all that it holds.
  const detail = (at) => {
    const top = kept[at], pressed = [], set = [];
    walk(top, (element) => {
      if (skipped.has(element.localName) || style(element).display === "none") return false;
      if (element.matches(TOGGLED)) set.push(element);
      else if (element !== top && (element.matches(PRESSED) || admitted.has(element)
        || numbers.has(element) && pointed(element) && !holdsPressed(element))) pressed.push(element);
      return true;
    });
    const controls = ends(pressed, DETAILED).filter(seen).map(control);
    const toggles = ends(set, DETAILED).filter((element) => seen(element) || face(element)).map(toggle);
    const links = pressed.filter((element) => element.localName === "a" && element.href).slice(0, 200).map((element) => [name(element), element.href]);
    let lang = ""; for (let outer = top; outer && !lang; outer = parent(outer)) lang = outer.lang || "";
    return { text: bare(said(top)).slice(0, 20000), lang: lang || document.documentElement.lang || "", page_lang: document.documentElement.lang || "", box: flat(shape(top)), width: innerWidth, height: innerHeight,
      role: top.getAttribute("role") || (top.localName === "dialog" ? "dialog" : ""), name: bare(top.getAttribute("aria-label") || top.hasAttribute("aria-labelledby") && name(top) || ""),
      modal: top.getAttribute("aria-modal") === "true" || top.matches(":modal"), covers: covers(top), position: (fixed(top) ? "fixed" : style(top).position), background: ground(surface(top)),
      shadow: shadowOf(top), controls, toggles, links };
  };
  const holdsPressed = (element) => Boolean(element.querySelector(PRESSED)) || Boolean(root(element) && root(element).querySelector(PRESSED)) || holdsAdmitted(element);
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
    styles.clear(); parents.clear();
    return { covers: covers(null), locked, letters: (document.body ? document.body.innerText : "").replace(/\s+/g, "").length };
  };
  globalThis.placetControls = { PRESSED, admit, amid, covers, detail, face, focusable, pointed, scan, toggle, wall };
})();
