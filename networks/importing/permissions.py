"""Permissions of vehicle classes on lanes of a SUMO network, given by ``allow`` or ``disallow``."""

from __future__ import annotations

import xml.etree.ElementTree as ET


def allows(lane: ET.Element, vehicle_class: str) -> bool:
    """Return whether a lane admits a SUMO vehicle class."""
    allowed = lane.get("allow")
    if allowed is not None:
        return vehicle_class in allowed.split() or allowed == "all"
    banned = lane.get("disallow", "")
    return banned != "all" and vehicle_class not in banned.split()


def close(lane: ET.Element, classes: tuple[str, ...]) -> None:
    """Close a lane to vehicle classes; a lane that would admit none keeps its permissions."""
    if (allowed := lane.get("allow")) is not None and allowed != "all":
        kept = [c for c in allowed.split() if c not in classes]
        if kept:
            lane.set("allow", " ".join(kept))
        return
    lane.attrib.pop("allow", None)
    lane.set("disallow", " ".join(sorted({*lane.get("disallow", "").split(), *classes})))
