"""Sites with a policy file: what it declares is held against what they do."""

# ruff: noqa: E501 - texts and scripts as they stand in a page

from __future__ import annotations

from .banners import Banner
from .clean import ADVERTS, COUNTED, ONLY_AFTER_YES
from .site import DAY, Expected, Site, by_script, cookie, pixel

POLICY = """
[site]
name = "Au Fil du Lin"
controller = "Atelier du Lin SARL"
address = "4, rue des Rouissoirs, 59000 Lille"
contact = "vie-privee@lin.example"
privacy_policy = "/politique"
hosts = ["au-registre.localhost", "oubli-au-registre.localhost"]
languages = ["fr"]
updated = "2026-03-12"

[purposes.necessary]
basis = "necessary"
[purposes.necessary.text.fr]
title = "Faire fonctionner la boutique"
description = "Votre session et votre panier."

[purposes.audience]
basis = "consent"
data = ["ip_address", "browsing"]
[purposes.audience.text.fr]
title = "Mesure d’audience"
description = "Compter les visites et savoir ce qui est lu."
refusal_effect = "Refuser ne vous prive de rien."

[purposes.pub]
basis = "consent"
shares = true
data = ["ip_address", "browsing"]
[purposes.pub.text.fr]
title = "Publicité personnalisée"
description = "Afficher des annonces choisies d’après votre navigation."
refusal_effect = "Refuser ne vous prive de rien : les annonces seront moins adaptées."

[providers.mesure]
name = "Mesure Tiers SA"
purpose = "audience"
hosts = ["mesure-tiers.localhost"]
privacy = "http://mesure-tiers.localhost/confidentialite"
country = "FR"

[providers.regie]
name = "Régie Alpha SAS"
purpose = "pub"
hosts = ["regie.localhost"]
privacy = "http://regie.localhost/confidentialite"
country = "FR"

[[trackers]]
name = "PHPSESSID"
purpose = "necessary"

[[trackers]]
name = "_ga*"
purpose = "audience"
provider = "mesure"
life = "13 months"
"""

# What the file names: a session, and a measurement by another party for those who agreed.
NAMED = (
    cookie("PHPSESSID=%id%; Path=/; HttpOnly; SameSite=Lax"),
    by_script("_ga", needs="audience"),
    by_script("_ga_7KQ2M9", needs="audience"),
    COUNTED,
    ADVERTS,
)

SITES = (
    Site("oubli-au-registre", "After a yes come a cookie and a network that its policy file does not name.", "boutique", Banner(),
         (by_script("_fbp", needs="pub", life=90 * DAY, value="'fb.1.' + Date.now() + '.' + Math.floor(Math.random() * 1e10)"),
          pixel("%social%/tr?id=771204", needs="pub"), *NAMED), policy=POLICY,
         expects=frozenset({Expected("R94", "_fbp", {"accepted"}), Expected("R94", "social.localhost", {"accepted"})}),
         innocent={**ONLY_AFTER_YES, "PHPSESSID": "a session"}),
    Site("au-registre", "Its policy file names all that comes after a yes, some by a pattern, and for as long as it lives.", "boutique", Banner(),
         NAMED, policy=POLICY, innocent={**ONLY_AFTER_YES, "PHPSESSID": "a session", "_ga_7KQ2M9": "declared as “_ga*”"}, looks_like=("R94", "R95")),
)  # fmt: skip
