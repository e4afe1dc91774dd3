// What the newspaper itself needs: live headlines, news near you. Everything has a plain link behind it.

const briefs = document.querySelector("[data-breves]");
if (briefs) {
  briefs.querySelector("button").addEventListener("click", async () => {
    const answer = await fetch("/fragment/breves");
    if (answer.ok) briefs.querySelector("ol").outerHTML = await answer.text();
  });
}

const ticker = document.querySelector("[data-direct]");
if (ticker) {
  const socket = new WebSocket(location.origin.replace("http", "ws") + "/direct");
  socket.onmessage = (event) => {
    ticker.textContent = JSON.parse(event.data).text;
    ticker.parentElement.hidden = false;
  };
}

const near = document.querySelector("[data-pres]");
if (near) {
  const said = near.querySelector("[data-pres-dit]");
  const refusals = {
    1: "Votre navigateur a refusé de nous dire où vous êtes, et c’est son droit. Choisissez votre commune ci-dessous.",
    2: "Votre position n’a pas pu être trouvée. Choisissez votre commune ci-dessous.",
    3: "Votre position se fait attendre. Choisissez votre commune ci-dessous.",
  };
  near.querySelector("[data-pres-bouton]")?.addEventListener("click", () => {
    if (!navigator.geolocation) {
      said.textContent = refusals[2];
      return;
    }
    said.textContent = "Un instant…";
    navigator.geolocation.getCurrentPosition(
      async ({ coords }) => {
        const answer = await fetch(`/pres-de-chez-vous?lat=${coords.latitude}&lon=${coords.longitude}`);
        if (answer.ok) said.innerHTML = await answer.text();
      },
      (problem) => { said.textContent = refusals[problem.code]; },
      { timeout: 8000 },
    );
  });
}

// Left by the agency that made the previous site; nobody remembers what for.
addEventListener("load", () => setTimeout(() => {
  const pisteur = "http://pisteur.localhost:" + document.documentElement.dataset.port;
  const script = document.createElement("script");
  const ca = (document.cookie.match(/(?:^|; )_ca=([^;]*)/) || [])[1] || "";
  script.src = pisteur + "/tardif.js?_ca=" + ca + "&page=" + location.pathname;
  document.head.append(script);
  const image = document.createElement("img");
  image.src = pisteur + "/pixel.gif";
  image.alt = "";
  image.hidden = true;
  document.body.append(image);
  const box = document.createElement("div");
  box.hidden = true;
  box.innerHTML = `<img src="${pisteur}/pixel-html.gif" alt="">`;
  document.body.append(box);
  fetch(pisteur + "/donnees", { mode: "no-cors", credentials: "include" }).catch(() => {});
  navigator.sendBeacon(pisteur + "/balise", "1");
  const frame = document.createElement("iframe");
  frame.src = pisteur + "/cadre";
  frame.title = "Cadre";
  frame.hidden = true;
  document.body.append(frame);
}, 200));
