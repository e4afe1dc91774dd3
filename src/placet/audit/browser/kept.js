// What one frame's origin keeps on the terminal, and, for a page, the letters it shows and the links that lead
// elsewhere. Evaluated in a world of the audit's own, where nothing of the page's is in the way.
(async (most, top) => {
  const kept = [];
  const cut = (value, length) => {
    let text;
    try { text = typeof value === "string" ? value : JSON.stringify(value) ?? String(value); } catch { text = String(value); }
    return text.slice(0, length);
  };
  const keep = (kind, key, value) => { if (kept.length < most) kept.push([kind, cut(key, 1024), cut(value, 4096)]); };
  const soon = (promise) => Promise.race([promise, new Promise((give) => setTimeout(give, 1000))]);
  const answer = (request) => new Promise((give) => {
    request.onsuccess = () => give(request.result);
    request.onerror = request.onblocked = () => give(undefined);
  });
  for (const [kind, name] of [["local", "localStorage"], ["session", "sessionStorage"]])
    try { for (const key of Object.keys(self[name]).slice(0, most)) keep(kind, key, self[name].getItem(key)); } catch {}
  const databases = async () => {
    for (const { name } of (await indexedDB.databases()).slice(0, 20)) {
      const database = await soon(answer(indexedDB.open(name)));
      if (!database) { keep("indexeddb", name, ""); continue; }
      let any = false;
      for (const store of [...database.objectStoreNames].slice(0, 20)) {
        const cursor = database.transaction(store).objectStore(store).openCursor();
        await soon(new Promise((give) => {
          let left = 50;
          cursor.onerror = give;
          cursor.onsuccess = () => {
            const at = cursor.result;
            if (!at || !left--) return give();
            any = true;
            keep("indexeddb", name + "/" + store + "/" + cut(at.key, 300), at.value);
            at.continue();
          };
        }));
      }
      if (!any) keep("indexeddb", name, "");
      database.close();
    }
  };
  const stored = async () => {
    for (const name of (await caches.keys()).slice(0, 20)) {
      const cache = await caches.open(name);
      const held = (await cache.keys()).slice(0, 100);
      if (!held.length) keep("cache", name, "");
      for (const request of held) {
        // A short one may be nothing but an identifier.
        const body = await (await cache.match(request))?.blob();
        keep("cache", name + " " + request.url, body && body.size <= 4096 ? await body.text() : "");
      }
    }
  };
  const workers = async () => {
    for (const one of (await navigator.serviceWorker.getRegistrations()).slice(0, 20))
      keep("worker", (one.active ?? one.waiting ?? one.installing)?.scriptURL ?? one.scope, one.scope);
  };
  const files = async () => {
    /** @type {any} */ const root = await navigator.storage.getDirectory();
    let left = 50;
    for await (const [name, held] of root.entries()) {
      const file = held.kind === "file" ? await held.getFile() : null;
      keep("opfs", name, file && file.size <= 4096 ? await file.text() : "");
      if (!left--) break;
    }
  };
  await Promise.all([databases, stored, workers, files].map((each) => soon(each().catch(() => {}))));
  const links = [];
  const hints = [];
  for (const one of /** @type {NodeListOf<HTMLLinkElement>} */ (document.querySelectorAll("link[rel]")))
    if (/(^| )(preconnect|dns-prefetch)( |$)/i.test(one.rel) && one.href && hints.length < 50)
      hints.push([/preconnect/i.test(one.rel) ? "Preconnect" : "DnsPrefetch", cut(one.href, 1024)]);
  if (top)
    for (const link of document.links)
      if (links.length < 500 && link.host !== location.host && /^https?:$/.test(link.protocol))
        links.push([cut(link.href, 4096), cut(link.textContent.trim(), 100)]);
  const letters = top ? (document.body?.innerText ?? "").replace(/\s+/g, "").length : 0;
  return { origin: self.origin, kept, links, hints, letters };
})
