"""What all tests share."""

from __future__ import annotations

from hypothesis import settings

# On a shared machine the time that one example takes says nothing of the code.
settings.register_profile("placet", deadline=None)
settings.load_profile("placet")
