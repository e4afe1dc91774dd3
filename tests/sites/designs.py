"""Sites."""

from .site import Site

SITES: tuple[Site, ...] = ()
