"""How a banner stands in a window of another size (rules R103 to R112)."""

from __future__ import annotations

from typing import Literal

from placet.audit.browser.seeing import Eyes, Found
from placet.audit.evidence import Act, Box, View


async def look_in_size(eyes: Eyes, name: Literal["narrow", "zoomed", "reduced", "forced"], step: int) -> View:
    """Return how the banner stands in the window as it is now."""
    found = await eyes.see()
    documents = await eyes.documents.all()
    frame = (await documents[0].call("frame") if documents else None) or {}
    viewport = Box(x=0, y=0, width=frame.get("width", 0), height=frame.get("height", 0))
    return View(
        step=step,
        name=name,
        viewport=viewport,
        found=found is not None,
        accept=_in_sight(found, viewport, "accept"),
        refuse=_in_sight(found, viewport, "refuse"),
        height=round(_height(found, viewport), 3),
        sideways=bool(frame.get("sideways")),
        moving=tuple(frame.get("moving", ()))[:20],
        shot=await eyes.shoot(name),
    )


def _in_sight(found: Found | None, viewport: Box, act: Act) -> bool:
    """Tell whether a control can be had without scrolling sideways: all of its width is in the window."""
    return found is not None and any(
        control.box.x >= -1 and control.box.x + control.box.width <= viewport.width + 1
        for control, _ in found.find(act)
    )


def _height(found: Found | None, viewport: Box) -> float:
    if found is None or not viewport.height:
        return 0.0
    box = found.layer.box
    inside = min(box.y + box.height, viewport.height) - max(box.y, 0)
    return max(0.0, inside / viewport.height)
