"""The third parties around the newspaper: ads, analytics, a social network, videos, one undeclared.

They behave as such services do: they set cookies of their own, read what comes with each request, put two
and two together, and keep it. In memory only; `GET /_hits` tells all of it, `POST /_reset` forgets it.
"""

from .app import build

__all__ = ["build"]
