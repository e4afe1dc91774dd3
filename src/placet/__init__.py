"""Placet: consent on the web, enforced on the server, proved and audited.

    request ── choice, signals ──▶ decision ──▶ (application) ──▶ response, markup ──▶ visitor
    click   ── parse ──▶ receipt ──▶ ledger.append ──▶ Set-Cookie, 303
"""
