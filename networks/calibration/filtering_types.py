"""Vehicle types with which two-wheelers pass to the front on red in `sublane`, not shipped yet (decision 0814)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from denxanh.networks.place.vehicles import VehicleType

RESOLUTION = "0.25"  # m, lateral; with 0.8 m any touch occupies most of the room beside a car

# Narrow two-wheelers that decide on the gap ahead instead of that of the next seconds (lcSpeedGainLookahead).
_TWO_WHEELED: Mapping[str, str | float] = {
    "width": 0.65,
    "minGapLat": 0.1,
    "latAlignment": "nice",
    "lcSpeedGain": 5,
    "lcSpeedGainRight": 1,
    "lcSpeedGainLookahead": 0,
    "lcKeepRight": 0,
}
# Four-wheelers that keep their place in the lane: by yielding sideways they close the channel beside them.
_FOUR_WHEELED: Mapping[str, str | float] = {
    "minGapLat": 0.1,
    "latAlignment": "center",
    "lcLaneDiscipline": 1,
    "lcSublane": 100,
    "lcMaxSpeedLatStanding": 0,
    "lcMaxSpeedLatFactor": 0.2,
}
_ATTRIBUTES: Mapping[str, Mapping[str, str | float]] = {
    "motorbike": {
        **_TWO_WHEELED,
        "tau": 1.5,
    },  # s; 1.5 brings motorbikes alone back to 1 800–2 000 /h per metre
    "ebike": {**_TWO_WHEELED, "tau": 1.5},
    "bicycle": _TWO_WHEELED,
    "car": {**_FOUR_WHEELED, "width": 1.8},
    "minibus": {**_FOUR_WHEELED, "width": 2.1},
    "bus": _FOUR_WHEELED,
    "truck": _FOUR_WHEELED,
}


def filtering_types(types: Mapping[str, VehicleType]) -> dict[str, VehicleType]:
    """Return the types with the attributes of `sublane` by which two-wheelers filter; others unchanged."""
    return {id: replace(t, sublane={**t.sublane, **_ATTRIBUTES.get(id, {})}) for id, t in types.items()}
