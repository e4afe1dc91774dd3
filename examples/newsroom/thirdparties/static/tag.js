// The analytics tool's script: it keeps its own identifiers in the site's storage, and reports for ever.
(function () {
  const home = new URL(document.currentScript.src).origin;
  const ca = () => (document.cookie.match(/(?:^|; )_ca=([^;]*)/) || [])[1];
  const tell = (more) =>
    fetch(home + "/ping?" + new URLSearchParams({ page: location.href, _ca: ca() || "", ...more }), {
      mode: "no-cors", credentials: "include", keepalive: true,
    }).catch(() => {});

  localStorage.setItem("ca_store", JSON.stringify({ visites: (JSON.parse(localStorage.ca_store || "{}").visites || 0) + 1 }));

  const opening = indexedDB.open("ca_db", 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore("pages", { autoIncrement: true });
  opening.onsuccess = () => {
    opening.result.transaction("pages", "readwrite").objectStore("pages").add({ page: location.pathname });
    opening.result.close();
  };

  if ("serviceWorker" in navigator) navigator.serviceWorker.register("/sw-mesure.js").catch(() => {});

  tell({ debut: 1 });
  let seconds = 0;
  setInterval(() => tell({ lecture: (seconds += 0.3).toFixed(1) }), 300);
})();
