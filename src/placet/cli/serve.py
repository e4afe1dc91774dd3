"""The reverse proxy: the locks in front of any site."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from .screen import POLICY, Policy, answering


class Lines(StrEnum):
    """How a log is written."""

    TEXT = "text"
    JSON = "json"
    NONE = "none"


@answering
def serve(
    upstream: Annotated[str, typer.Option(help="The site behind: http://host:port, or https.")],
    policy: Policy = POLICY,
    listen: Annotated[str, typer.Option(help="Where visitors come: host:port.")] = "127.0.0.1:8000",
    workers: Annotated[int, typer.Option(help="Processes; one for each core.", min=1, max=256)] = 1,
    upstream_ca: Annotated[
        Path | None,
        typer.Option(help="A PEM file of who may answer for the site's certificate; else the system's."),
    ] = None,
    trusted: Annotated[
        list[str] | None, typer.Option(help="A network of proxies in front whose X-Forwarded-* is true.")
    ] = None,
    trusted_header: Annotated[
        list[str] | None, typer.Option(help="A header that they set; others of its kind are dropped.")
    ] = None,
    admin: Annotated[str, typer.Option(help="Where health and metrics are: host:port.")] = "",
    log: Annotated[Lines, typer.Option(help="How answers and problems are logged.")] = Lines.TEXT,
    addresses: Annotated[bool, typer.Option("--log-addresses", help="Log visitors' addresses too.")] = False,
    timeout: Annotated[
        float, typer.Option(help="Seconds that the site, or a visitor's body, may be silent.", min=0.1)
    ] = 60.0,
    body: Annotated[int, typer.Option(help="Bytes of a request's body, at most; 0: any.", min=0)] = 0,
) -> None:
    """Put the locks in front of any site, as a reverse proxy.

    A changed policy file is taken up without a request lost; so it is on SIGHUP. SIGTERM ends it.
    """
    try:
        from placet.web.proxy.forwarded import parse_claim
        from placet.web.proxy.serve import (
            Options,
            parse_address,
            parse_authorities,
            parse_network,
            parse_upstream,
        )
        from placet.web.proxy.serve import serve as run
        from placet.web.proxy.wire import Limits
    except ModuleNotFoundError as missing:
        typer.echo(f"{missing.name} is not installed: install placet[proxy].", err=True)
        raise typer.Exit(3) from None
    try:
        site = parse_upstream(upstream)
        options = Options(
            upstream=site,
            policy=Path(policy),
            listen=parse_address(listen),
            workers=workers,
            authorities=parse_authorities(site, upstream_ca) if upstream_ca else None,
            trusted=tuple(parse_network(network) for network in trusted or ()),
            named=tuple(parse_claim(name) for name in trusted_header or ()),
            admin=parse_address(admin) if admin else None,
            log=log.value,
            addresses=addresses,
            silent=timeout,
            limits=Limits(body=body or None),
        )
    except ValueError as problem:
        raise typer.BadParameter(str(problem)) from None
    try:
        status = run(options)
    except OSError as problem:
        typer.echo(f"cannot listen: {problem}", err=True)
        raise typer.Exit(3) from None
    raise typer.Exit(status)
