// @ts-check
/**
 * Checks a receipt where the visitor can watch (RFC 6962 and 9162; C2SP tlog-proof, signed-note, tlog-policy).
 * Whoever will not rely on a module from the site itself has the file checked elsewhere.
 */

/** @typedef {Uint8Array<ArrayBuffer>} Bytes */
/** @typedef {{extra: Bytes, index: bigint, path: Bytes[], note: string}} Proof */
/** @typedef {{name: string, id: Bytes, key: Bytes}} Key  of a log */
/** @typedef {{text: string, origin: string, size: bigint, root: Bytes, signatures: string[][]}} Checkpoint */

const encode = (/** @type {string} */ text) => new TextEncoder().encode(text);

/** @param {(Bytes | number[])[]} parts @returns {Bytes} */
const join = (...parts) => Uint8Array.from(parts.flatMap((part) => [...part]));

/** @param {Bytes} data @returns {Promise<Bytes>} */
const sha256 = async (data) => new Uint8Array(await crypto.subtle.digest("SHA-256", data));

/** @param {Bytes | undefined} a @param {Bytes} b */
const same = (a, b) => `${a}` === `${b}`;

/** @param {unknown} holds @returns {asserts holds} */
function must(holds) {
  if (!holds) throw new Error("malformed");
}

/** @param {string} text @param {number} [size] @returns {Bytes} */
function base64(text, size) {
  const binary = atob(text);
  // One spelling only: atob takes spaces, and bits that lead nowhere.
  must(btoa(binary) === text && (size ?? binary.length) === binary.length);
  return Uint8Array.from(binary, (byte) => byte.charCodeAt(0));
}

/** @param {string} text */
function decimal(text) {
  must(/^(0|[1-9]\d{0,18})$/.test(text));
  return BigInt(text);
}

/** The hash of a leaf that holds `entry`. @param {Bytes} entry */
export const leafHash = (entry) => sha256(join([0], entry));

/** The entry that commits to a consent's record, without telling it. @param {Bytes} opening  salt, record */
export const commit = async (opening) => join([1], await sha256(join(encode("consent-ledger/v1\n"), opening)));

/** @param {Bytes} left @param {Bytes} right */
const node = (left, right) => sha256(join([1], left, right));

/**
 * Climb from a node to the root (RFC 9162 sections 2.1.3.2 and 2.1.4.2). Return the root over all that is
 * to the left of where the way began, and the root over everything; nothing if the path is too long or short.
 * @param {Bytes | undefined} start @param {bigint} index @param {bigint} last @param {Bytes[]} path
 */
async function climb(start, index, last, path) {
  let [before, after] = [start, start];
  for (const hash of path) {
    if (last === 0n || !before || !after) return [];
    if (index & 1n || index === last) {
      [before, after] = [await node(hash, before), await node(hash, after)];
      while (index && !(index & 1n)) [index, last] = [index >> 1n, last >> 1n];
    } else after = await node(after, hash);
    [index, last] = [index >> 1n, last >> 1n];
  }
  return last === 0n ? [before, after] : [];
}

/**
 * Whether the leaf is in the tree of `size` leaves with this root, as number `index`.
 * @param {Bytes} leaf @param {bigint} index @param {bigint} size @param {Bytes[]} path @param {Bytes} root
 */
export async function includes(leaf, index, size, path, root) {
  const [, reached] = await climb(leaf, index, size - 1n, path);
  return index >= 0n && index < size && leaf.length === 32 && same(reached, root);
}

/**
 * Whether the tree of `size` leaves begins with the one of `old`.
 * @param {bigint} old @param {bigint} size @param {Bytes} oldRoot @param {Bytes} root @param {Bytes[]} path
 */
export async function grows(old, size, oldRoot, root, path) {
  if (old < 0n || old > size || (!old && !same(oldRoot, await sha256(join())))) return false;
  if (!old || old === size) return !path.length && (old < size ? root.length === 32 : same(oldRoot, root));
  // A complete old tree is where the way begins, and so is left out of the path.
  if (!(old & (old - 1n))) path = [oldRoot, ...path];
  let [index, last] = [old - 1n, size - 1n];
  while (index & 1n) [index, last] = [index >> 1n, last >> 1n];
  const [before, after] = await climb(path[0], index, last, path.slice(1));
  return same(before, oldRoot) && same(after, root);
}

/** What a `.tlog-proof` holds; throws for any other text. @param {string} text @returns {Proof} */
export function parseProof(text) {
  const at = text.indexOf("\n\n");
  const [header, ...lines] = text.slice(0, at).split("\n");
  must(at > 0 && header === "c2sp.org/tlog-proof@v1");
  const extra = lines[0]?.startsWith("extra ") ? base64(/** @type {string} */ (lines.shift()).slice(6)) : join();
  const index = lines.shift() ?? "";
  must(index.startsWith("index ") && lines.length < 64);
  return {
    extra,
    index: decimal(index.slice(6)),
    path: lines.map((line) => base64(line, 32)),
    note: text.slice(at + 2),
  };
}

/** A checkpoint, not yet checked; throws for what is none. @param {string} note @returns {Checkpoint} */
export function parseCheckpoint(note) {
  const at = note.lastIndexOf("\n\n") + 1;
  const text = note.slice(0, at);
  const [origin, size, root, ...more] = text.split("\n");
  const lines = note.slice(at + 1).split("\n");
  must(origin && more.pop() === "" && !more.includes("") && lines.pop() === "" && lines.length);
  const signatures = lines.map((line) => {
    const [, ...parts] = /^\u2014 ([^\s+]+) (\S+)$/.exec(line) ?? [];
    must(parts.length);
    return parts;
  });
  return { text, origin, size: decimal(size), root: base64(root, 32), signatures };
}

/** The log's key in a tlog-policy; throws where it has none. @param {string} policy @returns {Promise<Key>} */
export async function parsePolicy(policy) {
  const [, name, hex, encoded] = /^log ([^\s+]+)\+([\da-f]{8})\+(\S+)/m.exec(policy) ?? [];
  const typed = base64(encoded ?? "", 33);
  const id = (await sha256(join(encode(name), [10], typed))).slice(0, 4);
  must(typed[0] === 1 && hex === [...id].map((byte) => byte.toString(16).padStart(2, "0")).join(""));
  return { name, id, key: typed.slice(1) };
}

/**
 * Whether the log with this key has signed the checkpoint; undefined in a browser without Ed25519.
 * @param {Checkpoint} checkpoint @param {Key} key
 */
export async function isSigned({ text, origin, signatures }, key) {
  const mine = signatures
    .filter(([name]) => name === key.name)
    .map(([, line]) => base64(line))
    .filter((line) => same(line.slice(0, 4), key.id));
  if (origin !== key.name || !mine.length) return false;
  const imported = await crypto.subtle.importKey("raw", key.key, "Ed25519", false, ["verify"]).catch(() => {});
  if (!imported) return undefined;
  for (const line of mine)
    if (!(await crypto.subtle.verify("Ed25519", imported, line.slice(4), encode(text)))) return false;
  return true;
}

/**
 * Check the receipt on the page, and say of each step how it went: "yes", "no", or "unknown" where this
 * browser cannot check it.
 * @param {HTMLElement} check  where the steps are, and what the page says of the receipt
 */
export async function checkPage(check) {
  const entry = base64(check.dataset.entry ?? "");
  check.hidden = false;
  const load = async (/** @type {string | undefined} */ address) => {
    const answer = await fetch(address ?? "", { cache: "no-store" });
    return answer.ok ? answer.arrayBuffer() : Promise.reject();
  };
  const read = (/** @type {ArrayBuffer | Bytes} */ data) =>
    new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(data);
  const [file, keys] = await Promise.all([load(check.dataset.proof), load(check.dataset.policy)]).catch(() => []);
  const proof = () => parseProof(read(file));
  /** @type {Record<string, () => Promise<boolean | undefined>>} */
  const steps = {
    record: async () => read(proof().extra.slice(32)) === document.getElementById("placet-record")?.textContent,
    entry: async () => same(await commit(proof().extra), entry),
    path: async () => {
      const { index, path, note } = proof();
      const { size, root } = parseCheckpoint(note);
      return includes(await leafHash(entry), index, size, path, root);
    },
    signature: async () => isSigned(parseCheckpoint(proof().note), await parsePolicy(read(keys))),
  };
  let all = "yes";
  /** @param {string} name @param {string} outcome */
  const say = (name, outcome) => {
    const place = /** @type {HTMLElement} */ (check.querySelector(`[data-step=${name}]`));
    place.dataset.outcome = outcome;
    place.append(place.dataset[outcome] ?? "");
  };
  for (const [name, step] of Object.entries(steps)) {
    const held = file && crypto.subtle ? await step().catch(() => false) : undefined;
    const outcome = held ? "yes" : held === false ? "no" : "unknown";
    if (all === "yes" || outcome === "no") all = outcome;
    say(name, outcome);
  }
  say("all", all);
}

const check = globalThis.document?.getElementById("placet-check");
if (check) checkPage(check);
