// The colours in which a control is seen: of its label, of what it stands on, and of what is around it.
(() => {
  if (Object.hasOwn(globalThis, "placetPaint")) return;
  const { bare, children, parent, style, texts } = placetDrawn;

  // As [red, green, blue, alpha]; a gradient by its first one.
  const colour = (text) => {
    const found = /rgba?\(([^)]+)\)/.exec(text || "");
    if (!found) return /color\(srgb ([^)]+)\)/.test(text || "") ? RegExp.$1.split(/[\s/]+/).map((part, at) => at < 3 ? +part * 255 : +part).concat(1).slice(0, 4) : [0, 0, 0, 0];
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
  const deepest = (element) => { let inner = element; while (inner.children.length === 1 && !bare(texts(inner).map((node) => node.data).join(""))) inner = inner.children[0]; return style(inner); };

  const surface = (element) => { let inner = element; for (let far = 0; far < 6 && colour(style(inner).backgroundColor)[3] === 0 && children(inner).length === 1; far++) inner = children(inner)[0]; return inner; };
  globalThis.placetPaint = { bordered, colour, deepest, ground, over, surface };
})();
