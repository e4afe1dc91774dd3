// The ad network's script, as a site pastes it in: it runs in the site's page, with the site's cookies.
(function () {
  const script = document.currentScript;
  const home = new URL(script.src).origin;
  const cookie = (name) => (document.cookie.match(new RegExp("(?:^|; )" + name + "=([^;]*)")) || [])[1];

  if (!cookie("_ca_session")) {
    document.cookie = "_ca_session=CAS." + Math.random().toString(36).slice(2) + "; Path=/; SameSite=Lax";
  }

  // A drawing that comes out slightly different on each machine.
  function drawing() {
    const canvas = document.createElement("canvas");
    canvas.width = 240;
    canvas.height = 60;
    const pen = canvas.getContext("2d");
    pen.font = "17px Georgia, serif";
    pen.fillStyle = "#b2392b";
    pen.fillRect(90, 3, 62, 22);
    pen.fillStyle = "#1d4d57";
    pen.fillText("Voix ambiguë d’un cœur qui préfère", 2, 32);
    let sum = 0;
    for (const letter of canvas.toDataURL()) sum = (sum * 31 + letter.charCodeAt(0)) >>> 0;
    return sum.toString(16);
  }

  const device = {
    Langues: navigator.languages.join(", "),
    Écran: screen.width + " × " + screen.height + ", densité " + devicePixelRatio,
    Fuseau: Intl.DateTimeFormat().resolvedOptions().timeZone,
    Processeurs: navigator.hardwareConcurrency,
    Plateforme: navigator.platform,
    Thème: matchMedia("(prefers-color-scheme: dark)").matches ? "sombre" : "clair",
    Dessin: drawing(),
  };
  const told = () => ({
    page: location.href,
    rubrique: script.dataset.rubrique,
    _ca: cookie("_ca"),
    ad_id: cookie("ad_id"),
    ca_parent: cookie("ca_parent"),
    _ca_session: cookie("_ca_session"),
  });

  fetch(home + "/empreinte", {
    method: "POST", mode: "no-cors", credentials: "include", body: JSON.stringify({ ...told(), appareil: device }),
  });

  const socket = new WebSocket(home.replace("http", "ws") + "/flux");
  socket.onopen = () => socket.send(JSON.stringify(told()));

  addEventListener("pagehide", () => navigator.sendBeacon(home + "/adieu", JSON.stringify(told())));
})();
