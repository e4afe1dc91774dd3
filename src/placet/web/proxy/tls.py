"""Whether the site behind is who it should be, where it is asked over TLS: by a certificate for its name."""

from __future__ import annotations

import ssl
from pathlib import Path
from urllib.parse import urlsplit


def context_for(origin: str, authorities: Path | None = None) -> ssl.SSLContext | None:
    """Return how an `https://` origin is to be asked, None for any other.

    `authorities` is a PEM file of those who may answer for its certificate; else they are the system's, or
    those of `SSL_CERT_FILE` and `SSL_CERT_DIR`. Raises ValueError for a file that has none or cannot be read.
    """
    if urlsplit(origin).scheme != "https":
        return None
    try:
        context = ssl.create_default_context(cafile=authorities)
    except OSError as problem:
        raise ValueError(f"{authorities} is no file of certificates ({_reason(problem)})") from problem
    context.set_alpn_protocols(["http/1.1"])  # which is all that is spoken here
    return context


def told(problem: BaseException) -> str:
    """Return what is wrong in words for a log: of a refused certificate, why."""
    if isinstance(problem, ssl.SSLCertVerificationError):
        return f"its certificate is refused: {problem.verify_message.rstrip('.')}"
    return str(problem) or "took too long"


def _reason(problem: OSError) -> str:
    if isinstance(problem, ssl.SSLError):
        return "no certificate in PEM was found"
    return problem.strerror or str(problem)
