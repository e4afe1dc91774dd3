// The links of a page to pages of the same host, in the order in which a visitor who looks around would follow
// them: one of each part of the site, the second a page where maps and players usually are, then more of the
// same, the small print last; and none that would end a session, start a download or leave.
() => {
  const ends = /log-?out|sign-?out|d[eé]connexion|abmelden|unsubscribe|d[eé]sabonne|\.(pdf|zip|docx?|xlsx?|mp[34]|exe|dmg|xml|rss|ics)$/i;
  const small = /cookie|privac|vie-?priv|politique|policy|confidential|mentions|legal|impressum|datenschutz|cg[uv]\b|terms|login|connexion|account|compte|rgpd|gdpr|traceur|t[eé]moins|donn[eé]es|pr[eé]f[eé]rence|settings|r[eé]glages|partenaire|partner/i;
  const rich = /\bplans?\b|carte|\bmaps?\b|acc[eè]s\b|venir|find-?us|directions|anfahrt|contact|kontakt|vid[eé]o|player|podcast|\blive\b|direct\b|galerie|gallery/i;
  const here = location.origin + location.pathname;
  const found = [], parts = new Set();
  for (const link of document.querySelectorAll("a[href]")) {
    if (found.length > 400) break;
    let to;
    try { to = new URL(link.getAttribute("href"), document.baseURI); } catch { continue; }
    if (to.origin !== location.origin || link.hasAttribute("download")) continue;
    const address = to.origin + to.pathname + to.search;
    if (to.origin + to.pathname === here || ends.test(to.pathname)) continue;
    if (!link.getClientRects().length || found.some((other) => other.address === address)) continue;
    const words = to.pathname + " " + link.textContent, part = to.pathname.split("/")[1];
    found.push({ address, rank: small.test(words) ? 2 : parts.has(part) ? 1 : 0, rich: rich.test(words) });
    if (!small.test(words)) parts.add(part);
  }
  const ordered = [0, 1, 2].flatMap((rank) => found.filter((link) => link.rank === rank));
  const second = ordered.findIndex((link) => link.rich && link.rank < 2);
  if (second > 1) ordered.splice(1, 0, ...ordered.splice(second, 1));
  return ordered.slice(0, 12).map((link) => link.address);
}
