"""What may be different in a test: no Placet, no script, pages kept alive behind the back button."""

from __future__ import annotations

import pytest

without_placet = pytest.mark.parametrize("placet", [False], indirect=True, ids=["PLACET=off"])
without_script = pytest.mark.parametrize("script", [False], indirect=True, ids=["JavaScript off"])
with_and_without_script = pytest.mark.parametrize(
    "script", [True, False], indirect=True, ids=["script", "no script"]
)
with_bfcache = pytest.mark.parametrize("bfcache", [True], indirect=True, ids=["bfcache"])
with_allowlist = pytest.mark.parametrize("allowlist", [True], indirect=True, ids=["allowlist"])
