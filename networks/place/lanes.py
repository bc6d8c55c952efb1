"""Lanes of an approach by turn: from turn arrows where given, else by a fixed rule.

Lanes are numbered as SUMO does, 0 at the kerb (right-hand traffic).
"""

from __future__ import annotations

from denxanh.networks.place.place import Direction
from denxanh.sim.errors import InputError

Pairs = tuple[tuple[int, int], ...]  # (lane of the approach, lane of the street turned into)


def from_arrows(arrows: str, lanes: int, location: str) -> dict[Direction, list[int]]:
    """Return the lanes of each direction from OpenStreetMap's turn:lanes, e.g. ``"left|through;right"``.

    The text reads from the centre line to the kerb.
    """
    parts = arrows.split("|")
    if len(parts) != lanes:
        raise InputError(
            f"turn_lanes '{arrows}' has {len(parts)} lanes, the street has {lanes}", location=location
        )
    found: dict[Direction, list[int]] = {"left": [], "through": [], "right": []}
    for lane, part in enumerate(reversed(parts)):
        for word in part.split(";"):
            if word not in found:
                raise InputError(
                    f"turn_lanes '{arrows}': '{word}' is not left, through or right", location=location
                )
            found[word].append(lane)
    return found


def by_rule(lanes: int, targets: dict[Direction, int]) -> dict[Direction, list[int]]:
    """Return the lanes of each direction of an unmarked approach.

    ``targets`` has the number of lanes of the street each direction leads into. Through traffic uses as
    many lanes as continue; a lane that does not continue serves left turns first, then right turns. Otherwise
    turns share the outermost through lane.
    """
    every = list(range(lanes))
    if "through" not in targets:
        left = 0 if "left" not in targets else lanes if "right" not in targets else max(1, lanes // 2)
        return {"through": [], "left": every[lanes - left :], "right": every[: max(lanes - left, 1)]}
    through = min(lanes, targets["through"])
    spare = lanes - through
    first = 1 if "right" in targets and spare >= (2 if "left" in targets else 1) else 0
    if "left" not in targets:
        first = spare if "right" in targets else 0
    middle = every[first : first + through]
    return {
        "through": middle if "left" in targets or "right" in targets else every,
        "right": every[: max(first, 1)],
        "left": every[min(first + through, lanes - 1) :],
    }


def pairs(direction: Direction, lanes: list[int], target: int) -> Pairs:
    """Return the lane-to-lane connections of a turn: right turns from the kerb, left turns from the centre line.

    Surplus lanes end in the outermost lane of the target; if the target has one lane more, the last through
    lane leads into it too.
    """
    if direction == "left":
        return tuple((lane, max(target - len(lanes) + i, 0)) for i, lane in enumerate(lanes))
    straight = [(lane, min(i, target - 1)) for i, lane in enumerate(lanes)]
    if direction == "through" and len(lanes) < target:
        straight.append((lanes[-1], len(lanes)))
    return tuple(straight)
