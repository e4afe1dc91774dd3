// The links of a page to pages of the same host, and none that would end a session, start a download or leave.
// `pages` are in the order in which a visitor who looks around would follow them: one of each part of the site,
// the second a page where maps and players usually are, then more of the same, the small print last; not those
// where the choice is set, which rightly ask again. `statements` say what is stored and why, and who reads it:
// about cookies, about privacy, and the list of partners.
() => {
  const ends = /log-?out|sign-?out|d[eé]connexion|abmelden|unsubscribe|d[eé]sabonne|\.(pdf|zip|docx?|xlsx?|mp[34]|exe|dmg|xml|rss|ics)$/i;
  const cookies = /cookie|traceur|t[eé]moin|kakor|ev[aä]ste|s[uü]ti\b|slapuk|ciastecz/i;
  const privacy = /privac|vie-?\s?priv|politique|policy|confidential|donn[eé]es|datenschutz|gegevens|personuppgift|persondata|tietosuoja|prywatno|soukrom|adatv[eé]d|zasebnost|privatnost|protecci[oó]n|proteç|riservatezza|rgpd|gdpr/i;
  const partners = /partenaire|partner|vendor|socios|fornitori|anbieter/i;
  const sets = /pr[eé]f[eé]rence|settings|r[eé]glages|param[eè]tr|einstellung|ajustes|impostazioni|\b(choix|choices|consent|consentement)\b/i;
  const small = /mentions|legal|impressum|cg[uv]\b|terms|login|connexion|account|compte/i;
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
    const states = cookies.test(words) ? 1 : privacy.test(words) ? 2 : partners.test(words) ? 3 : 0;
    const rank = states === 1 || sets.test(words) ? 3 : states || small.test(words) ? 2 : parts.has(part) ? 1 : 0;
    found.push({ address, states, rank, rich: rich.test(words) });
    if (rank < 2) parts.add(part);
  }
  const pages = [0, 1, 2].flatMap((rank) => found.filter((link) => link.rank === rank));
  const second = pages.findIndex((link) => link.rich && link.rank < 2);
  if (second > 1) pages.splice(1, 0, ...pages.splice(second, 1));
  const stating = [1, 2, 3].map((states) => found.find((link) => link.states === states)).filter(Boolean);
  return {
    pages: pages.slice(0, 12).map((link) => link.address),
    statements: stating.map((link) => link.address),
  };
}
