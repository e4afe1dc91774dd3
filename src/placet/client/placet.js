// @ts-check
/**
 * What makes the notice and the settings pleasant; none of it is a lock. Without it the forms post,
 * the server decides, and nothing is lost.
 *
 * Accepting is always the form's own navigation: the server takes a grant from nothing else.
 */

/** @typedef {Record<string, string>} Names  kind of tracker → regular expression over its names */
/** @typedef {{path: string, y: number, chosen?: boolean}} Place  where the visitor was, and will be again */

const root = /** @type {HTMLElement} */ (document.getElementById("placet"));
const state = root.dataset.state ?? "";
/** What is refused now. @returns {Names} */
const refused = () => JSON.parse(root.dataset.refused ?? "{}");
/** What may yet be withdrawn, by purpose. @returns {Record<string, Names>} */
const granted = () => JSON.parse(root.dataset.granted ?? "{}");
const form = root.querySelector("form");
const page = root.classList.contains("placet-page");
// Come from a page of this site, or from the click on a choice: else this tab has kept nothing of ours,
// and storage, which costs more than all the rest, need not be opened.
const [navigation] = /** @type {PerformanceNavigationTiming[]} */ (performance.getEntriesByType("navigation"));
const inside = document.referrer.startsWith(`${location.origin}/`) || navigation?.redirectCount > 0;
const channel = "BroadcastChannel" in self ? new BroadcastChannel("placet") : null;

/** Let nothing more leave this document. A policy can't be taken back: a new document must follow. */
function stop() {
  const meta = document.createElement("meta");
  meta.httpEquiv = "Content-Security-Policy";
  meta.content = "default-src 'none'; form-action 'self'";
  document.head.append(meta);
}

/** @param {string} now  the state of a newer page: does it take something from this one? */
const takes = (now) => [...state].some((answer, at) => answer === "g" && now[at] !== "g");

/** @param {string} names */
const pattern = (names) => new RegExp(`^(?:${names})$`, "s");

/**
 * Delete what is declared, where it is there.
 * @param {Names} names
 */
function clear(names) {
  /** @param {string} kind @param {(named: RegExp) => unknown} act */
  const each = (kind, act) => {
    try {
      // Storage that the visitor has closed throws: then there is nothing in it either.
      if (names[kind]) Promise.resolve(act(pattern(names[kind]))).catch(() => {});
    } catch {}
  };
  /** @param {Storage} area @returns {(named: RegExp) => void} */
  const keys = (area) => (named) =>
    Object.keys(area).forEach((key) => named.test(key) && area.removeItem(key));
  each("local_storage", (named) => keys(localStorage)(named));
  each("session_storage", (named) => keys(sessionStorage)(named));
  each("indexed_db", async (named) => {
    for (const { name } of await indexedDB.databases())
      if (name && named.test(name)) indexedDB.deleteDatabase(name);
  });
  each("cache_storage", async (named) => {
    for (const name of await caches.keys()) if (named.test(name)) caches.delete(name);
  });
  each("service_worker", async (named) => {
    for (const worker of await navigator.serviceWorker.getRegistrations()) {
      const script = worker.active ?? worker.waiting ?? worker.installing;
      if (script && named.test(new URL(script.scriptURL).pathname)) worker.unregister();
    }
  });
}

/**
 * The visitor's place, kept in the tab only from their own click until the next page of the site.
 * @param {Place} place
 */
function keep(place) {
  try {
    sessionStorage.setItem("placet", JSON.stringify(place));
  } catch {}
}

/** @returns {Place | null} */
function kept() {
  try {
    const place = sessionStorage.getItem("placet");
    if (place && !page) sessionStorage.removeItem("placet");
    return place && JSON.parse(place);
  } catch {
    return null;
  }
}

const here = () => location.pathname + location.search + location.hash;
const place = inside ? kept() : null;

form?.addEventListener("submit", (event) => {
  const act = /** @type {HTMLButtonElement | null} */ (event.submitter)?.value;
  if (!act) return;
  const back = /** @type {HTMLInputElement} */ (form.elements.namedItem("back"));
  back.value = page ? place?.path || back.value : here();
  keep({ path: back.value, y: page ? place?.y ?? 0 : scrollY, chosen: true });
  const names = granted();
  const taken = Object.keys(names).filter((purpose) => {
    const box = /** @type {HTMLInputElement} */ (form.querySelector(`[type=checkbox][value="${purpose}"]`));
    return box.name === "object" ? act === "save" && box.checked : act === "refuse" || (act === "save" && !box.checked);
  });
  if (act !== "refuse" && !taken.length) return;
  stop();
  channel?.postMessage("stop");
  for (const purpose of taken) clear(names[purpose]);
});

// The button of a placeholder belongs to a form of its own, which takes nothing back.
const allow = /** @type {HTMLFormElement | null} */ (document.getElementById("placet-allow"));
allow?.addEventListener("submit", () => {
  /** @type {HTMLInputElement} */ (allow.elements.namedItem("back")).value = here();
  keep({ path: here(), y: scrollY, chosen: true });
});

// Escape folds the list, and means nothing else.
form?.addEventListener("keydown", (event) => {
  const details = form.querySelector("details[open]");
  if (event.key !== "Escape" || !details) return;
  details.removeAttribute("open");
  details.querySelector("summary")?.focus();
});

if (!page && !form)
  root.querySelector("a")?.addEventListener("click", () => keep({ path: here(), y: scrollY }));

if (place && !page && place.path.split("#")[0] === location.pathname + location.search) {
  scrollTo({ top: place.y, behavior: "instant" });
  if (place.chosen) {
    channel?.postMessage(state);
    const said = /** @type {HTMLElement | null} */ (root.querySelector("[role=status]"));
    if (said) said.textContent = said.dataset.said ?? "";
    if (!form) root.querySelector("a")?.focus({ preventScroll: true });
  }
}

channel?.addEventListener("message", ({ data }) => {
  if (data === "stop") {
    // The choice is on its way. The page that comes after it says so; if none does, ask all the same.
    stop();
    setTimeout(() => location.reload(), 9000);
  } else if (takes(data)) {
    stop();
    location.reload();
  }
});

// A page that Back brings to life again, or a tab that the system had frozen, may be older than the
// choice, and its trackers wake with it. Nothing may run before the answer: hence one request that
// waits, for a few milliseconds, where a reload each time would cost more. Chromium has "resume", which
// comes before any "pageshow"; elsewhere ours takes its turn among the page's own.
let asked = false;
function wake() {
  asked = true;
  try {
    const request = new XMLHttpRequest();
    request.open("GET", new URL("state", import.meta.url), false);
    request.send();
    if (JSON.parse(request.responseText).state === state) return;
    stop();
    location.reload();
  } catch {
    stop(); // out of reach: what is here can be read, and nothing leaves
  }
}

document.addEventListener("resume", wake);
addEventListener("pageshow", (event) => {
  if (event.persisted && !asked) wake();
  asked = false;
});

// A courtesy to the visitor's cookie jar, not a lock: the server hides and expires them anyway.
const cookie = Object.getOwnPropertyDescriptor(Document.prototype, "cookie");
if (cookie?.get && cookie.set) {
  const { get, set } = cookie;
  Object.defineProperty(document, "cookie", {
    configurable: true,
    get: () => get.call(document),
    /** @param {string} line */
    set: (line) => {
      const names = refused().cookie;
      if (!names || !pattern(names).test(`${line}`.split("=", 1)[0].trim())) set.call(document, line);
    },
  });
}

// What an earlier consent left goes after a choice, and whenever the visitor arrives.
if (place?.chosen || !inside) (self.requestIdleCallback ?? setTimeout)(() => clear(refused()));
