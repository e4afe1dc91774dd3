"""Placet: consent on the web, enforced on the server, proved and audited.

The road of a page view, which touches no database:

    request ── choice, signals ──▶ decision ──▶ (application) ──▶ response, markup ──▶ visitor

and of a click:

    form ── parse ──▶ receipt ──▶ ledger.append ──▶ Set-Cookie, 303

What people need is here; where it lives is in the rooms `consent`, `ledger`, `client` and `web`. What is done
from the command line is in `officer`, `operator` and `audit`, which visits any site with a real browser;
facts about well-known services are in `catalogue`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from placet.web.asgi import ConsentMiddleware
    from placet.web.gates import Consent, consent_of, install, requires
    from placet.web.withdrawals import Withdrawal
    from placet.web.wsgi import WSGIConsentMiddleware

__all__ = [
    "Consent",
    "ConsentMiddleware",
    "WSGIConsentMiddleware",
    "Withdrawal",
    "consent_of",
    "install",
    "requires",
]

# Resolved when asked for: whoever only reads a ledger need not load a web framework.
_HOMES = {
    "Consent": "placet.web.gates",
    "ConsentMiddleware": "placet.web.asgi",
    "WSGIConsentMiddleware": "placet.web.wsgi",
    "Withdrawal": "placet.web.withdrawals",
    "consent_of": "placet.web.gates",
    "install": "placet.web.gates",
    "requires": "placet.web.gates",
}


def __getattr__(name: str) -> Any:
    try:
        home = _HOMES[name]
    except KeyError:
        raise AttributeError(f"module 'placet' has no attribute {name!r}") from None
    return getattr(import_module(home), name)
