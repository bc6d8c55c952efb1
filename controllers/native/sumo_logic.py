"""SUMO's own signal logic for comparison: actuated, delay_based and NEMA on any network, with working detectors.

SUMO lays its detectors itself: actuated measures gaps at a loop ``detector-gap`` s before the stop line, as far
upstream as a lane has one predecessor; delay_based sums lost time over a range; NEMA watches an area at the
stop line (https://sumo.dlr.de/docs/Simulation/Traffic_Lights.html and …/NEMA.html).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from denxanh.controllers.actuated.dual_ring import Rings, rings_of
from denxanh.controllers.actuated.ring_pattern import Pattern, clearance, own_pattern, patterns
from denxanh.sim.controller import Policy
from denxanh.sim.network import GREEN, Intersection, Network

PROGRAM = "denxanh-sumo"  # the program id


@dataclass(frozen=True)
class SumoActuated:
    """SUMO's actuated logic, gap-based, on the network's own phases. Sees nothing: SUMO runs it.

    SUMO judges a phase only by lanes that may go in all their directions in it; a phase without such a
    lane would always end at its minimum (SUMO warns that it has no controlling detector), so it keeps the
    duration that the network's own plan gives it.
    """

    name: ClassVar[str] = "sumo:actuated"
    sees: ClassVar[frozenset[str]] = frozenset()
    leaves_signals_to_sumo: ClassVar[bool] = True

    max_gap: float = 3.0  # s, SUMO's default
    detector_gap: float = 2.0  # s before the stop line at the speed limit, SUMO's default
    max_green: float = 50.0  # s, as netconvert writes it

    def programs(self, network: Network) -> str:
        """SUMO's additional file with SUMO's actuated logic for every signal."""
        root = Element("additional")
        for intersection in network.intersections.values():
            options = {"max-gap": f"{self.max_gap:g}", "detector-gap": f"{self.detector_gap:g}"}
            _add(root, intersection, "actuated", options, self.max_green, _controlled(intersection, network))
        return _text(root)

    def start(self, network: Network) -> Mapping[str, Policy]:
        """No policy: SUMO goes on with these programs."""
        return {}


@dataclass(frozen=True)
class SumoDelayBased:
    """SUMO's delay_based logic on the network's own phases. Sees nothing: SUMO runs it."""

    name: ClassVar[str] = "sumo:delay_based"
    sees: ClassVar[frozenset[str]] = frozenset()
    leaves_signals_to_sumo: ClassVar[bool] = True

    reach: float = 100.0  # m, SUMO's default detectorRange
    lost: float = 1.0  # s, SUMO's default minTimeLoss
    max_green: float = 50.0  # s, as netconvert writes it

    def programs(self, network: Network) -> str:
        """SUMO's additional file with SUMO's delay-based logic for every signal."""
        root = Element("additional")
        options = {"detectorRange": f"{self.reach:g}", "minTimeLoss": f"{self.lost:g}"}
        for intersection in network.intersections.values():
            _add(
                root, intersection, "delay_based", options, self.max_green, [True] * len(intersection.phases)
            )
        return _text(root)

    def start(self, network: Network) -> Mapping[str, Policy]:
        """No policy: SUMO goes on with these programs."""
        return {}


@dataclass(frozen=True)
class SumoNema:
    """SUMO's NEMA logic, coordinated where the signal is on an arterial. Sees flow; SUMO runs it.

    Phases, cycle, splits and offsets are those of ``nema``. Signals without dual rings, which SUMO's NEMA
    cannot run, get its actuated logic.
    """

    name: ClassVar[str] = "sumo:NEMA"
    sees: ClassVar[frozenset[str]] = frozenset({"flow"})
    leaves_signals_to_sumo: ClassVar[bool] = True

    passage: float = 2.0  # s, vehext
    detector_length: float = 20.0  # m at the stop line
    longest: float = 120.0  # s, the longest cycle

    def programs(self, network: Network) -> str:
        """SUMO's additional file with SUMO's NEMA logic for every signal."""
        root = Element("additional")
        rings = {
            name: rings_of(intersection, network) for name, intersection in network.intersections.items()
        }
        coordinated = patterns(network, rings, longest=self.longest)
        for name, intersection in network.intersections.items():
            if rings[name].single:
                _add(
                    root,
                    intersection,
                    "actuated",
                    {},
                    SumoActuated.max_green,
                    _controlled(intersection, network),
                )
                continue
            pattern = coordinated.get(name) or own_pattern(intersection, rings[name], longest=self.longest)
            self._rings(root, intersection, rings[name], pattern, coordinate=name in coordinated)
        return _text(root)

    def _rings(
        self, root: Element, intersection: Intersection, rings: Rings, pattern: Pattern, *, coordinate: bool
    ) -> None:
        letters, split = dict(rings.letters), dict(pattern.split)
        for a, b in (
            (2, 6),
            (4, 8),
            (6, 2),
            (8, 4),
        ):  # SUMO wants both rings at each barrier: a lone phase twice
            if a not in letters and a - 1 not in letters:
                letters[a], split[a] = letters[b], split[b]
        both = [2, 6]
        zero = (pattern.offset + pattern.force_off[both[0]]) % pattern.cycle  # Type 170: the yield point
        logic = SubElement(
            root,
            "tlLogic",
            id=intersection.id,
            type="NEMA",
            programID=PROGRAM,
            offset=f"{zero if coordinate else 0:g}",
        )
        numbers = [[p if p in letters else 0 for p in ring] for ring in ((1, 2, 3, 4), (5, 6, 7, 8))]
        last = [max(ring) for ring in numbers]
        options = {
            "detector-length": f"{self.detector_length:g}",
            "detector-length-leftTurnLane": f"{self.detector_length:g}",
            "total-cycle-length": f"{pattern.cycle:g}",
            "ring1": _listed(numbers[0]),
            "ring2": _listed(numbers[1]),
            "barrierPhases": _listed(last),
            "barrier2Phases": _listed(both),
            "coordinate-mode": "true" if coordinate else "false",
            "minRecall": _listed(both),
            "maxRecall": "",
            "fixForceOff": "true",
            "show-detectors": "false",
        }
        for key, value in options.items():
            SubElement(logic, "param", key=key, value=value)
        for phase, state in sorted(letters.items()):
            green = split[phase] - clearance(intersection)
            SubElement(
                logic,
                "phase",
                duration=f"{green:g}",
                minDur=f"{min(intersection.phases[0].min_green, green):g}",
                maxDur=f"{green:g}",
                vehext=f"{self.passage:g}",
                yellow=f"{intersection.yellow:g}",
                red=f"{clearance(intersection) - intersection.yellow:g}",
                name=str(phase),
                state=state,
            )

    def start(self, network: Network) -> Mapping[str, Policy]:
        """No policy: SUMO goes on with these programs."""
        return {}


def _listed(numbers: Sequence[int]) -> str:
    return ",".join(map(str, numbers))


def _add(
    root: Element,
    intersection: Intersection,
    kind: str,
    options: Mapping[str, str],
    longest: float,
    free: list[bool],
) -> None:
    """The network's own phases under one of SUMO's logics; where not ``free`` a phase keeps its duration."""
    timing = intersection.program
    logic = SubElement(
        root, "tlLogic", id=intersection.id, type=kind, programID=PROGRAM, offset=f"{timing.offset:g}"
    )
    for key, value in {**options, "show-detectors": "false", "file": "NUL"}.items():
        SubElement(logic, "param", key=key, value=value)
    for stage, phase, judged in zip(timing.stages, intersection.phases, free, strict=True):
        green = SubElement(logic, "phase", duration=f"{stage.green:g}", state=stage.state)
        if judged:
            least = phase.min_green
            green.set("minDur", f"{least:g}")
            green.set("maxDur", f"{max(min(phase.max_green, longest), least):g}")
        for interval in stage.change:
            SubElement(logic, "phase", duration=f"{interval.duration:g}", state=interval.state)


def _controlled(intersection: Intersection, network: Network) -> list[bool]:
    """By phase, whether SUMO finds a loop to judge it by: MSActuatedTrafficLightLogic::init, check 1."""
    major = {k for phase in intersection.phases for k in range(intersection.n_links) if phase.state[k] == "G"}
    of_road: dict[str, int] = {}
    for road in network.lanes.values():
        of_road[road.edge] = of_road.get(road.edge, 0) + road.vehicles
    out = []
    for phase in intersection.phases:
        found = False
        for lane in intersection.approaches:
            alone = of_road[network.lanes[lane.lane].edge] == 1
            some = any(phase.state[k] == "G" for k in lane.links)
            found |= all(
                phase.state[k] == "G" or (phase.state[k] in GREEN and ((k not in major and some) or alone))
                for k in lane.links
            )
        out.append(found)
    return out


def _text(root: Element) -> str:
    ElementTree.indent(root, "    ")
    return ElementTree.tostring(root, encoding="unicode") + "\n"
