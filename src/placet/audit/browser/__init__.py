"""The only part of the audit that does anything: it walks the scenarios in a real browser.

    plan ── scenarios ──▶ tours, a few side by side ──▶ phases ──▶ evidence

A `Visitor` is a person with a browser that has never been there; it writes down what the browser sets, reads
and sends. `Answers` speaks to a banner as a visitor would. A `Tour` is a walk of one by means of the other.
"""
