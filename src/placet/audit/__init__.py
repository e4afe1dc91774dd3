"""The witness: visits any site with a real browser, and says what it saw.

    site ── browser ──▶ evidence ──▶ findings ──▶ judgement ──▶ report

`browser` is the only part that does anything: it opens the pages, presses the buttons and writes down, in
the words of `evidence`, what the browser set, read and sent meanwhile. The rest is pure: `findings` reads
evidence (and the site's policy file, where there is one) and returns a `judgement`; `report` shows it. So a
judgement can be made again, years later, from the evidence alone.

Needs the extra `audit`. Knows nothing of the room `web`: a site that runs Placet is a site like any other.
"""
