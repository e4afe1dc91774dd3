// Where a site says what it stores and why: its page about cookies first, then the one about privacy.
() => {
  const kinds = [
    /cookie|traceur|t[eé]moin|kakor|ev[aä]ste|s[uü]ti\b|slapuk|ciastecz/i,
    /privac|vie-?\s?priv|confidential|donn[eé]es|datenschutz|gegevens|personuppgift|persondata|tietosuoja|prywatno|soukrom|adatv[eé]d|zasebnost|privatnost|protecci[oó]n|prote[cç][cç]?[aã]o|riservatezza/i,
  ];
  const here = location.origin + location.pathname, found = [];
  for (const link of [...document.querySelectorAll("a[href]")].slice(0, 2000)) {
    let to;
    try { to = new URL(link.getAttribute("href"), document.baseURI); } catch { continue; }
    const address = to.origin + to.pathname + to.search;
    if (to.origin !== location.origin || link.hasAttribute("download") || address === here || /\.pdf$/i.test(to.pathname)) continue;
    const rank = kinds.findIndex((kind) => kind.test(to.pathname + " " + link.textContent));
    if (rank >= 0 && !found.some((other) => other.address === address)) found.push({ address, rank });
  }
  const first = (rank) => found.filter((link) => link.rank === rank).slice(0, 1);
  const ordered = [...first(0), ...first(1)];
  return (ordered.length < 2 ? [...ordered, ...found.filter((link) => !ordered.includes(link)).slice(0, 1)] : ordered).map((link) => link.address);
}
