// What one document draws: its tree as a visitor has it, what of it can be seen, and its words.
// The state is that of one look: `renew` begins another. Nothing here knows what is a control.
(() => {
  if (Object.hasOwn(globalThis, "placetDrawn")) return; // an element with that id is not ours
  const MOST = 60000, ALIKE = 100, LAST = 20, LONGEST = 300;
  const TOGGLED = "input[type=checkbox],input[type=radio],[role=switch],[role=checkbox],[role=radio],[role=menuitemcheckbox]";
  const ONE_THING = "a,button,summary,input,select,textarea," +
    "[role=button],[role=link],[role=img],[role=switch],[role=checkbox],[role=radio],[role=tab],[role=menuitem],[role=option]";
  const parents = new Map(), styles = new Map(), numbers = new Map(), kept = [], surplus = new Set(), spare = new Map();
  let roots = new Map();

  // Begins another look. The closed shadow roots stay known unless they are told anew.
  const renew = (closed) => {
    if (closed) roots = new Map(closed.map((shadow) => [shadow.host, shadow]));
    for (const each of [parents, styles, numbers, surplus, spare]) each.clear();
    kept.length = 0;
  };
  const number = (element) => {
    if (!numbers.has(element)) { numbers.set(element, kept.length); kept.push(element); }
    return numbers.get(element);
  };
  const style = (element) => styles.get(element) || (styles.set(element, getComputedStyle(element)), styles.get(element));
  const root = (element) => element.shadowRoot || roots.get(element);
  const parent = (element) => parents.get(element) || element.parentElement;
  const inside = (element, outer) => { for (; element; element = parent(element)) if (element === outer) return true; return false; };
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
  const bare = (text) => (text || "").replace(/\s+/g, " ").trim();

  // Walks the tree as it is drawn: into shadow roots, through slots, and past the surplus of long lists.
  const walk = (top, visit, all = false) => {
    const stack = [top]; let count = 0;
    while (stack.length && count++ < MOST) {
      const element = stack.pop();
      if (visit(element) === false) continue;
      const inner = all ? children(element) : thinned(element, children(element));
      for (let at = inner.length - 1; at >= 0; at--) { parents.set(inner[at], element); stack.push(inner[at]); }
    }
  };
  // Of a long list, the first rows tell what the others are: three thousand partners are not looked at one by one.
  // The last ones stay too, as the buttons of a layer may be built like the rows above them.
  const thinned = (list, inner) => {
    if (inner.length <= ALIKE) return inner;
    const rows = new Map();
    for (const element of inner) {
      if (!element.firstElementChild && !root(element)) continue; // alone it is no row
      const built = [element.localName, (element.getAttribute("class") || "").replace(/\d+/g, ""), ...[...element.children].map((one) => one.localName)].join(" ");
      if (rows.has(built)) rows.get(built).push(element); else rows.set(built, [element]);
    }
    for (const alike of rows.values()) {
      for (const element of alike.slice(ALIKE - LAST, -LAST)) surplus.add(element);
      if (alike.length > ALIKE && alike[0].querySelector("button,[role=button]," + TOGGLED)) spared(list, alike);
    }
    return [...inner].filter((element) => !surplus.has(element));
  };
  // Letters of long lists of things to set: they do not make a banner an article.
  const spared = (list, rows) => {
    if (spare.has(list)) return;
    const letters = rows.reduce((sum, element) => sum + element.textContent.length, 0);
    for (let outer = list; outer; outer = parent(outer)) spare.set(outer, (spare.get(outer) || 0) + letters);
  };
  const letters = (element) => (element.textContent || "").length - (spare.get(element) || 0);
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
    const out = fixed(element) ? box.top >= innerHeight || box.bottom <= 0 : box.top + scrollY >= tall;
    if (out && !(fixed(element) && scrolled(element))) return false;
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
    // The name of a group or a region is said beside its words, not in their place.
    const labelled = deep && element.getAttribute("aria-label");
    if (labelled && (element.matches(ONE_THING) || !element.textContent.trim())) return " " + labelled + " ";
    if (element.localName === "img") return " " + (element.alt || "") + " ";
    if (element.localName === "svg") { const title = element.querySelector("title"); return title ? " " + title.textContent + " " : ""; }
    if (skipped.has(element.localName) || deep && surplus.has(element)) return "";
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
  const at = (x, y) => {
    let hit = document.elementFromPoint(x, y);
    for (let deep = 0; hit && root(hit) && deep < 20; deep++) {
      const inner = root(hit).elementFromPoint(x, y);
      if (!inner || inner === hit) break;
      hit = inner;
    }
    return hit;
  };
  // The box of what is drawn: a wrapper of no height has children that stand out of it.
  const shape = (element) => {
    const own = element.getBoundingClientRect();
    if (own.width * own.height > 4) return own;
    const boxes = []; walk(element, (inner) => { const box = inner.getBoundingClientRect(); if (inner !== element && box.width * box.height > 4) boxes.push(box); return boxes.length < 200; });
    if (!boxes.length) return own;
    const left = Math.min(...boxes.map((box) => box.left)), top = Math.min(...boxes.map((box) => box.top));
    return new DOMRect(left, top, Math.max(...boxes.map((box) => box.right)) - left, Math.max(...boxes.map((box) => box.bottom)) - top);
  };
  const flat = (box) => ({ x: box.left, y: box.top, width: box.width, height: box.height });
  const inView = (box) => box.top >= -1 && box.left >= -1 && box.bottom <= innerHeight + 1 && box.right <= innerWidth + 1;
  globalThis.placetDrawn = { TOGGLED, around, at, bare, children, clipped, fixed, flat, inside, inView, kept, labels, letters, name, number, numbers,
    parent, parents, renew, root, said, seen, shape, shown, skipped, style, styles, surplus, texts, walk };
})();
