// A point of the page's own text that nothing covers and that does nothing when pressed.
() => {
  const interactive = "a,button,input,select,textarea,label,summary,iframe,video,audio,[role=button],[onclick],[tabindex]";
  for (const words of document.querySelectorAll("main p, article p, p, h1, h2, li, td")) {
    const box = words.getBoundingClientRect();
    if (box.width < 40 || box.height < 10 || box.top < 0 || box.bottom > innerHeight) continue;
    const [x, y] = [box.left + Math.min(box.width / 2, 60), box.top + Math.min(box.height / 2, 12)];
    const hit = document.elementFromPoint(x, y);
    if (hit && (hit === words || words.contains(hit)) && !hit.closest(interactive)) return [x, y];
  }
  return null;
}
