"""The command line: parse, call a room, print.

    audit       placet audit
    begin       placet init, draft
    policy      placet check, explain, schema
    serve       placet serve
    receipts    placet receipt verify
    ledger      placet ledger verify, prove, key, migrate
    records     placet evidence, export, erase
    retention   placet retention run
    screen      what all of them share

A new command is a function in a module here, and a line below.
"""

from __future__ import annotations

import typer

from . import audit, begin, ledger, policy, receipts, records, retention, serve

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Consent on the web, enforced on the server."
)
for command in (
    begin.init,
    begin.draft,
    policy.check,
    policy.explain,
    policy.schema,
    serve.serve,
    audit.audit,
    records.evidence,
    records.export,
    records.erase,
):
    app.command()(command)
for name, group in (("receipt", receipts.app), ("ledger", ledger.app), ("retention", retention.app)):
    app.add_typer(group, name=name)


def main() -> None:
    """Run the command line."""
    app()
