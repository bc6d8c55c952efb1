"""Green states beyond the program's own: one road at a time, with every turn protected."""

from __future__ import annotations

import numpy as np

from denxanh.sim.network import Intersection, Phase


def one_road_at_a_time(
    intersection: Intersection, near_turns: frozenset[str] = frozenset("rR")
) -> tuple[str, ...]:
    """For each road that leads to the signal: all its links, and those of others that do not cross them.

    A lane shared by through and turning traffic moves without gaps only so. States that a program phase
    already gives with priority are left out, and so is a signal with crossings. Links in different junctions of a
    joined signal are green together only where the program shows them so. Of those others the ``near_turns``
    (``Network.near_turns``) come first.
    """
    if any(link.crossing for link in intersection.links):
        return ()
    direction = {link.index: link.direction for link in intersection.links}
    best = ["G" if intersection.protected(k) else "g" for k in range(intersection.n_links)]
    served = [k for k in range(intersection.n_links) if any(p.serves(k) for p in intersection.phases)]
    always = intersection.never_red()
    stay = [always.get(k, intersection.unserved(k)) for k in range(intersection.n_links)]
    apart = intersection.foes | intersection.strangers()
    roads: dict[str, set[int]] = {}
    for movement in intersection.movements:
        roads.setdefault(movement.start, set()).update(k for k in movement.links if k in served)
    out: list[str] = []
    for road in sorted(roads):
        chosen = sorted(roads[road])
        if not chosen or any(apart[a, b] for a in chosen for b in chosen):
            continue
        if any(all(_unhindered(intersection, phase, k) for k in chosen) for phase in intersection.phases):
            continue
        for k in sorted(served, key=lambda k: (direction.get(k, "") not in near_turns, k)):
            if k not in chosen and k not in always and not any(apart[k, other] for other in chosen):
                chosen.append(k)
        state = "".join(best[k] if k in chosen else stay[k] for k in range(intersection.n_links))
        if state not in out:
            out.append(state)
    return tuple(out)


def _unhindered(intersection: Intersection, phase: Phase, link: int) -> bool:
    """Whether a link is green in a phase and no foe to which it would yield is."""
    if phase.state[link] == "G" or not phase.serves(link):
        return phase.state[link] == "G"
    return not any(phase.serves(int(other)) for other in np.flatnonzero(intersection.yields[link]))
