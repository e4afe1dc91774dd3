"""What may be different in a test: no Placet, no script, another framework, pages kept alive behind Back."""

from __future__ import annotations

import pytest

from . import carriers

without_placet = pytest.mark.parametrize("placet", [False], indirect=True, ids=["PLACET=off"])
without_script = pytest.mark.parametrize("script", [False], indirect=True, ids=["JavaScript off"])
with_and_without_script = pytest.mark.parametrize(
    "script", [True, False], indirect=True, ids=["script", "no script"]
)
with_bfcache = pytest.mark.parametrize("bfcache", [True], indirect=True, ids=["bfcache"])
with_allowlist = pytest.mark.parametrize("allowlist", [True], indirect=True, ids=["allowlist"])
with_every_carrier = pytest.mark.parametrize("carrier", carriers.NAMES, indirect=True)
