// The links of a page to pages of the same host, in reading order: those of the site's content before those of
// its small print, and none that would end a session, start a download or leave.
() => {
  const ends = /log-?out|sign-?out|d[eé]connexion|abmelden|unsubscribe|d[eé]sabonne|\.(pdf|zip|docx?|xlsx?|mp[34]|exe|dmg|xml|rss|ics)$/i;
  const small = /cookie|privac|confidential|mentions|legal|impressum|datenschutz|cgu|cgv|terms|contact|login|connexion|account|compte|rgpd|gdpr/i;
  const here = location.origin + location.pathname;
  const found = [];
  for (const link of document.querySelectorAll("a[href]")) {
    if (found.length > 400) break;
    let to;
    try { to = new URL(link.getAttribute("href"), document.baseURI); } catch { continue; }
    if (to.origin !== location.origin || link.hasAttribute("download")) continue;
    const address = to.origin + to.pathname + to.search;
    if (to.origin + to.pathname === here || ends.test(to.pathname)) continue;
    if (!link.getClientRects().length) continue;
    if (!found.some((other) => other.address === address))
      found.push({ address, small: small.test(to.pathname + " " + link.textContent) });
  }
  return [...found.filter((link) => !link.small), ...found.filter((link) => link.small)]
    .slice(0, 12).map((link) => link.address);
}
