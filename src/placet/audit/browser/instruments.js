// Put into every frame and worker before its own scripts: tells of what a script writes on the terminal, reads
// from it, and asks of the browser to tell one from another. What a page changes afterwards must not change
// this, and a page that looks at a function must find the browser's own: so everything needed is taken here
// first, and each function is wrapped so that its name, its length and its text stay what they were.
((binding) => {
  const self = globalThis;
  const report = self[binding];
  delete self[binding];
  if (!report) return;

  const { apply, construct, getOwnPropertyDescriptor, defineProperty, getPrototypeOf } = Reflect;
  const [ErrorHere, ProxyHere, StringHere, MapHere, WeakMapHere] = [Error, Proxy, String, Map, WeakMap];
  const { captureStackTrace } = Error;
  const { stringify } = JSON;
  const { now } = performance;
  const clock = () => apply(now, performance, []);
  const bare = (prototype, name) => {
    const own = prototype[name];
    return (me, ...rest) => apply(own, me, rest);
  };
  const [slice, replaceAll, includes, indexOf, trim, lower] =
    ["slice", "replaceAll", "includes", "indexOf", "trim", "toLowerCase"].map((name) => bare(String.prototype, name));
  const then = bare(Promise.prototype, "then");
  const listen = bare(EventTarget.prototype, "addEventListener");
  const [mapGet, mapSet] = [bare(Map.prototype, "get"), bare(Map.prototype, "set")];
  const [weakGet, weakSet] = [bare(WeakMap.prototype, "get"), bare(WeakMap.prototype, "set")];

  // ---- what is told

  const BETWEEN = "\u001f";
  const MOST = 4000;      // reports of one document
  const AGAIN = 300;      // milliseconds before the same read is told again
  let told = 0;
  const cut = (value, most) => {
    try { return replaceAll(slice(typeof value === "string" ? value : StringHere(value), 0, most), BETWEEN, " "); }
    catch { return ""; }
  };
  const stack = (above) => {
    const holder = {};
    const limit = getOwnPropertyDescriptor(ErrorHere, "stackTraceLimit");
    const prepare = getOwnPropertyDescriptor(ErrorHere, "prepareStackTrace");
    try {
      if (prepare) delete ErrorHere.prepareStackTrace;
      ErrorHere.stackTraceLimit = 10;
      captureStackTrace(holder, above);
      return cut(holder.stack, 3000);
    } catch { return ""; } finally {
      try {
        if (limit) defineProperty(ErrorHere, "stackTraceLimit", limit);
        if (prepare) defineProperty(ErrorHere, "prepareStackTrace", prepare);
      } catch {}
    }
  };
  const tell = (kind, act, key, value, found, trace) => {
    if (told++ > MOST) return;
    try {
      report(kind + BETWEEN + act + BETWEEN + cut(key, 1024) + BETWEEN + cut(value, 4096) + BETWEEN +
        (found ? "1" : "") + BETWEEN + trace + BETWEEN + slice(StringHere(self.location?.href ?? ""), 0, 2048));
    } catch {}
  };
  const lately = new MapHere();
  let held = 0;
  const again = (what) => {
    const time = clock();
    const last = mapGet(lately, what);
    if (last !== undefined && time - last < AGAIN) return true;
    if (last === undefined && held++ > 5000) return true;
    mapSet(lately, what, time);
    return false;
  };
  const read = (kind, key, value, found, above) => {
    const trace = stack(above);
    if (!again("r" + kind + key + trace)) tell(kind, "read", key, value, found, trace);
  };
  const write = (kind, act, key, value, above) => tell(kind, act, key, value, true, stack(above));
  const calls = new MapHere();
  const call = (api, detail, above) => {
    const trace = stack(above);
    const what = api + BETWEEN + detail + BETWEEN + trace;
    const count = (mapGet(calls, what) ?? 0) + 1;
    if (count === 1 && held++ > 5000) return;
    mapSet(calls, what, count);
    if (count === 1 || count === 10 || count === 100 || count === 1000 || !again("c" + what))
      tell("call", api, detail, StringHere(count), true, trace);
  };
  const say = (value) => {
    if (typeof value !== "object" || value === null) return cut(value, 1024);
    let left = 100;
    try { return cut(stringify(value, (_, inner) => (left-- > 0 ? inner : undefined)), 1024); }
    catch { return "[object]"; }
  };

  // ---- how a function is wrapped

  const natives = new WeakMapHere();
  const wrap = (own, apply_) => {
    const wrapped = new ProxyHere(own, { apply: apply_ });
    weakSet(natives, wrapped, own);
    return wrapped;
  };
  const redefine = (holder, name, change) => {
    try {
      const now_ = getOwnPropertyDescriptor(holder, name);
      if (now_ && now_.configurable) defineProperty(holder, name, change(now_));
    } catch {}
  };
  // `before` and `after` get what the function is called on and with; whatever they raise is nobody's concern.
  const method = (type, name, before, after) => {
    const holder = typeof type === "string" ? self[type]?.prototype : type;
    if (!holder) return;
    redefine(holder, name, (is) => {
      if (typeof is.value !== "function") return is;
      const wrapped = wrap(is.value, function hook(own, me, given) {
        if (before) try { before(me, given, hook); } catch {}
        const result = apply(own, me, given);
        if (after) try { after(me, given, result, hook); } catch {}
        return result;
      });
      return { ...is, value: wrapped };
    });
  };
  const getter = (type, name, after) => {
    const holder = typeof type === "string" ? self[type]?.prototype : type;
    if (!holder) return;
    redefine(holder, name, (is) => {
      if (!is.get) return is;
      const wrapped = wrap(is.get, function hook(own, me, given) {
        const result = apply(own, me, given);
        try { after(me, result, hook); } catch {}
        return result;
      });
      return { ...is, get: wrapped };
    });
  };
  const made = (name, after) => {
    redefine(self, name, (is) => {
      const own = is.value;
      if (typeof own !== "function") return is;
      const wrapped = new ProxyHere(own, {
        construct: function hook(_, given, target) {
          const result = construct(own, given, target === wrapped ? own : target);
          try { after(given, result, hook); } catch {}
          return result;
        },
      });
      weakSet(natives, wrapped, own);
      try { defineProperty(own.prototype, "constructor", { ...getOwnPropertyDescriptor(own.prototype, "constructor"), value: wrapped }); } catch {}
      return { ...is, value: wrapped };
    });
  };
  redefine(Function.prototype, "toString", (is) => {
    const wrapped = wrap(is.value, (own, me, given) => apply(own, (typeof me === "function" && weakGet(natives, me)) || me, given));
    return { ...is, value: wrapped };
  });

  // ---- cookies

  if (self.Document) {
    redefine(Document.prototype, "cookie", (is) => ({
      ...is,
      get: wrap(is.get, function hook(own, me, given) {
        const result = apply(own, me, given);
        try { read("cookie", "", result, result !== "", hook); } catch {}
        return result;
      }),
      set: wrap(is.set, function hook(own, me, given) {
        const before = apply(is.get, me, []);
        const result = apply(own, me, given);
        try {
          const line = cut(given[0], 4096);
          const after = apply(is.get, me, []);
          const pair = trim(slice(line, 0, indexOf(line + ";", ";")));
          const small = lower(line);
          // What is deleted, or set for another path, would not be seen here if it was kept either.
          const elsewhere = includes(small, "max-age") || includes(small, "expires") || includes(small, "path=/");
          const kept = before !== after || includes("; " + after + ";", "; " + pair + ";");
          tell("cookie", "write", line, kept || (elsewhere && !includes(small, "domain")) ? "" : "unseen", true, stack(hook));
        } catch {}
        return result;
      }),
    }));
  }
  const line = (given, gone) => {
    const asked = given[0];
    const one = typeof asked === "object" && asked !== null ? asked : { name: asked, value: given[1] };
    let text = StringHere(one.name) + "=" + (gone ? "" : StringHere(one.value ?? ""));
    if (one.domain) text += "; Domain=" + one.domain;
    text += "; Path=" + (one.path ?? "/");
    if (gone) text += "; Max-Age=0";
    else if (one.expires !== undefined && one.expires !== null)
      text += "; Max-Age=" + Math.round((+one.expires - Date.now()) / 1000);
    if (one.partitioned) text += "; Partitioned";
    return text + "; Secure; SameSite=" + (one.sameSite ?? "strict");
  };
  method("CookieStore", "set", (me, given, above) => write("cookiestore", "write", line(given, false), "", above));
  method("CookieStore", "delete", (me, given, above) => write("cookiestore", "write", line(given, true), "", above));
  for (const name of ["get", "getAll"])
    method("CookieStore", name, (me, given, above) => {
      const key = given[0] === undefined ? "" : StringHere(given[0]?.name ?? given[0]);
      read("cookie", key, "", true, above);
    });

  // ---- local and session storage

  if (self.Storage) {
    const areas = {};
    for (const [name, kind] of [["localStorage", "local"], ["sessionStorage", "session"]])
      try { areas[kind] = getOwnPropertyDescriptor(self, name)?.get ?? null; } catch {}
    const known = new WeakMapHere();
    const kindOf = (me) => {
      let kind = weakGet(known, me);
      if (!kind) {
        kind = "local";
        try { if (apply(areas.session, self, []) === me) kind = "session"; } catch {}
        weakSet(known, me, kind);
      }
      return kind;
    };
    method("Storage", "setItem", null, (me, given, result, above) => write(kindOf(me), "write", given[0], given[1], above));
    method("Storage", "removeItem", (me, given, above) => write(kindOf(me), "delete", given[0], "", above));
    method("Storage", "clear", (me, given, above) => write(kindOf(me), "delete", "", "", above));
    method("Storage", "getItem", null, (me, given, result, above) =>
      read(kindOf(me), StringHere(given[0]), result ?? "", result !== null, above));
    method("Storage", "key", null, (me, given, result, above) => { if (result !== null) read(kindOf(me), result, "", true, above); });
  }

  // ---- IndexedDB

  const place = (store) => store.transaction.db.name + "/" + store.name;
  method("IDBFactory", "open", null, (me, given, request, above) => {
    const trace = stack(above);
    const name = StringHere(given[0]);
    listen(request, "upgradeneeded", () => tell("indexeddb", "write", name, "", true, trace));
  });
  method("IDBFactory", "deleteDatabase", (me, given, above) => write("indexeddb", "delete", given[0], "", above));
  for (const name of ["put", "add"])
    method("IDBObjectStore", name, (me, given, above) => {
      let key = given[1];
      if (key === undefined && typeof me.keyPath === "string") key = given[0]?.[me.keyPath];
      write("indexeddb", "write", place(me) + "/" + (key === undefined ? "" : say(key)), say(given[0]), above);
    });
  for (const name of ["get", "getAll", "getKey", "getAllKeys", "openCursor", "openKeyCursor", "count"]) {
    const seen = (store, given, above) => read("indexeddb", place(store) + "/" + (given[0] === undefined ? "" : say(given[0])), "", true, above);
    method("IDBObjectStore", name, (me, given, above) => seen(me, given, above));
    method("IDBIndex", name, (me, given, above) => seen(me.objectStore, given, above));
  }
  method("IDBObjectStore", "delete", (me, given, above) => write("indexeddb", "delete", place(me) + "/" + say(given[0]), "", above));
  method("IDBObjectStore", "clear", (me, given, above) => write("indexeddb", "delete", place(me), "", above));

  // ---- Cache Storage, service workers, files

  const caches_ = new WeakMapHere();
  const address = (asked) => cut(asked?.url ?? asked, 1024);
  const inCache = (me, asked) => (weakGet(caches_, me) ?? "") + " " + address(asked);
  method("CacheStorage", "open", null, (me, given, result) => {
    then(result, (cache) => weakSet(caches_, cache, StringHere(given[0])), () => {});
  });
  method("Cache", "put", (me, given, above) => write("cache", "write", inCache(me, given[0]), "", above));
  method("Cache", "add", (me, given, above) => write("cache", "write", inCache(me, given[0]), "", above));
  method("Cache", "addAll", (me, given, above) => {
    for (const one of given[0]) write("cache", "write", inCache(me, one), "", above);
  });
  method("Cache", "delete", (me, given, above) => write("cache", "delete", inCache(me, given[0]), "", above));
  method("CacheStorage", "delete", (me, given, above) => write("cache", "delete", given[0], "", above));
  method("Cache", "match", (me, given, above) => read("cache", inCache(me, given[0]), "", true, above));
  method("CacheStorage", "match", (me, given, above) => read("cache", " " + address(given[0]), "", true, above));
  method("ServiceWorkerContainer", "register", (me, given, above) => {
    write("worker", "write", new URL(StringHere(given[0]), self.document?.baseURI ?? self.location.href).href, "", above);
  });
  for (const name of ["getFileHandle", "getDirectoryHandle"])
    method("FileSystemDirectoryHandle", name, (me, given, above) =>
      given[1]?.create ? write("opfs", "write", given[0], "", above) : read("opfs", StringHere(given[0]), "", true, above));
  method("FileSystemDirectoryHandle", "removeEntry", (me, given, above) => write("opfs", "delete", given[0], "", above));
  method("FileSystemFileHandle", "getFile", (me, given, above) => read("opfs", me.name, "", true, above));

  // ---- what tells one browser from another

  const drawn = new WeakMapHere();
  const fonts = new MapHere();
  let tried = 0;
  const font = (name, above) => {
    if (!name || tried > 500 || mapGet(fonts, name)) return;
    mapSet(fonts, name, 1);
    tried++;
    if (tried === 30 || tried === 60 || tried === 200) call("fonts", tried + " fonts", above);
  };
  for (const type of ["CanvasRenderingContext2D", "OffscreenCanvasRenderingContext2D"]) {
    for (const name of ["fillText", "strokeText"])
      method(type, name, (me, given) => weakSet(drawn, me.canvas, cut(given[0], 100)));
    method(type, "getImageData", (me, given, above) => call("canvas.getImageData", weakGet(drawn, me.canvas) ?? "", above));
    method(type, "measureText", (me, given, above) => font(me.font, above));
    method(type, "isPointInPath", (me, given, above) => call("canvas.isPointInPath", "", above));
  }
  method("HTMLCanvasElement", "toDataURL", (me, given, above) => call("canvas.toDataURL", weakGet(drawn, me) ?? "", above));
  method("HTMLCanvasElement", "toBlob", (me, given, above) => call("canvas.toBlob", weakGet(drawn, me) ?? "", above));
  method("OffscreenCanvas", "convertToBlob", (me, given, above) => call("canvas.convertToBlob", weakGet(drawn, me) ?? "", above));
  const parameters = { 37445: "UNMASKED_VENDOR_WEBGL", 37446: "UNMASKED_RENDERER_WEBGL", 7936: "VENDOR", 7937: "RENDERER", 7938: "VERSION", 35724: "SHADING_LANGUAGE_VERSION" };
  for (const type of ["WebGLRenderingContext", "WebGL2RenderingContext"]) {
    method(type, "getParameter", (me, given, above) => call("webgl.getParameter", parameters[given[0]] ?? "other", above));
    method(type, "readPixels", (me, given, above) => call("webgl.readPixels", "", above));
    method(type, "getSupportedExtensions", (me, given, above) => call("webgl.getSupportedExtensions", "", above));
    method(type, "getShaderPrecisionFormat", (me, given, above) => call("webgl.getShaderPrecisionFormat", "", above));
  }
  method("GPU", "requestAdapter", (me, given, above) => call("webgpu.requestAdapter", "", above));
  method("OfflineAudioContext", "startRendering", (me, given, above) => call("audio", "startRendering", above));
  for (const name of ["offsetWidth", "offsetHeight"])
    getter("HTMLElement", name, (me, result, above) => font(me.style.fontFamily, above));
  method("FontFaceSet", "check", (me, given, above) => font(cut(given[0], 200), above));
  const scope = self.Navigator ? "Navigator" : "WorkerNavigator";
  for (const name of ["plugins", "mimeTypes", "hardwareConcurrency", "deviceMemory", "languages", "platform", "oscpu", "doNotTrack", "maxTouchPoints"])
    getter(scope, name, (me, result, above) => call("navigator." + name, "", above));
  for (const name of ["colorDepth", "availWidth", "availHeight", "isExtended"])
    getter("Screen", name, (me, result, above) => call("screen." + name, "", above));
  method("NavigatorUAData", "getHighEntropyValues", (me, given, above) => call("userAgentData.getHighEntropyValues", cut(given[0], 300), above));
  method("Navigator", "getBattery", (me, given, above) => call("navigator.getBattery", "", above));
  method("MediaDevices", "enumerateDevices", (me, given, above) => call("mediaDevices.enumerateDevices", "", above));
  method("SpeechSynthesis", "getVoices", (me, given, above) => call("speechSynthesis.getVoices", "", above));
  method("Keyboard", "getLayoutMap", (me, given, above) => call("keyboard.getLayoutMap", "", above));
  made("RTCPeerConnection", (given, result, above) => {
    let servers = "";
    const asked = given[0]?.iceServers ?? [];
    for (let i = 0; i < asked.length && i < 5; i++) servers += (i ? " " : "") + (asked[i].urls ?? asked[i].url);
    call("webrtc", servers, above);
    tell("webrtc", "write", servers, "", true, stack(above));
  });
})
