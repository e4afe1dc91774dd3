// The social network's script: it turns each quoted message into a frame of its own.
(function () {
  const home = new URL(document.currentScript.src).origin;
  const ca = (document.cookie.match(/(?:^|; )_ca=([^;]*)/) || [])[1] || "";
  for (const quote of document.querySelectorAll("blockquote.social-message")) {
    const frame = document.createElement("iframe");
    frame.src = home + "/post/" + quote.dataset.message + "?page=" + encodeURIComponent(location.href) + "&_ca=" + ca;
    frame.title = "Message publié sur Agora";
    frame.className = "social-frame";
    quote.replaceWith(frame);
  }
})();
