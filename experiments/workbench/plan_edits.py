"""What may be edited in a plan: offsets, greens, change intervals and the cycle, as far as the rules allow it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from denxanh.experiments.report.drawing.stage_diagram import approach_name
from denxanh.sim.language.text import Text
from denxanh.sim.network import Intersection, Network
from denxanh.sim.plan import Plan, Stage, Timing
from denxanh.sim.signals.plan_check import plan_fault
from denxanh.sim.signals.planned_network import with_plan
from denxanh.sim.sumo.program import least_green

_CLOSE = 1e-6  # s
_KEPT = 20_000  # timings whose verdict is kept


class EditRules:
    """The rules of one place; what a timing was found to be is kept, since a drag changes one signal at a time.

    ``network`` has the existing programs. ``streets`` are the signals of each street: where the existing cycles make a
    green wave possible, those of an edited plan must too.
    """

    def __init__(self, network: Network, streets: Sequence[Sequence[str]]) -> None:
        self.network = network
        self.streets = tuple(tuple(street) for street in streets)
        self._known: dict[tuple[str, Timing], Text | None] = {}

    def fault(self, plan: Plan) -> Text | None:
        """Why an edited plan must not run, in one sentence; None where it may.

        Checked are the minimum and maximum greens, the common cycle, and what ``checked_plan`` checks of every plan:
        yellow, clearance, greens of conflicting movements. Raises InputError for states of another signal.
        """
        for name, timing in plan.timings.items():
            if name not in self.network.intersections:
                return Text(f"there is no signal {name!r} here", f"ở đây không có nút {name!r}")
            key = name, replace(timing, offset=0.0)  # no rule of one signal depends on its offset
            if key not in self._known:
                if len(self._known) >= _KEPT:
                    self._known.clear()
                self._known[key] = self._fault_of(name, key[1])
            if fault := self._known[key]:
                return fault
        return _cycle_fault(self.network, self.streets, plan.timings)

    def _fault_of(self, name: str, timing: Timing) -> Text | None:
        intersection = self.network.intersections[name]
        if timing == replace(intersection.program, offset=0.0):
            return None
        base = replace(self.network, intersections={name: intersection})
        planned = with_plan(base, Plan({name: timing}))  # refuses states of another width
        if fault := _stage_fault(intersection, timing):
            return fault
        found = plan_fault(base, planned)
        if found is None:
            return None
        lanes = (link.start for link in intersection.links if link.index == found.link)
        edge = next((self.network.lanes[lane].edge for lane in lanes if lane in self.network.lanes), None)
        if edge is None:
            return intersection.name + ": " + found.reason
        return intersection.name + ": " + found.reason + " (" + approach_name(edge, self.network) + ")"


def minimum_greens(intersection: Intersection, timing: Timing) -> list[float]:
    """Minimum green of each stage of a timing, s: of the program's own stages as it has them, else by their links."""
    if _states(intersection.program) == _states(timing):
        return [phase.min_green for phase in intersection.phases]
    return [least_green(stage.state, intersection.phases) for stage in timing.stages]


def _stage_fault(intersection: Intersection, timing: Timing) -> Text | None:
    name = intersection.name
    same = _states(intersection.program) == _states(timing)
    most = [phase.max_green for phase in intersection.phases] if same else [math.inf] * len(timing.stages)
    rows = zip(timing.stages, minimum_greens(intersection, timing), most, strict=True)
    for number, (stage, low, high) in enumerate(rows, start=1):
        if stage.green < low - _CLOSE:
            return _too_short(name, number, stage.green, low)
        if stage.green > high + _CLOSE:
            return Text(
                f"{name}, stage {number}: a green of {stage.green:g} s is above the maximum green of {high:g} s",
                f"{name}, pha {number}: thời gian xanh {_vi(stage.green)} s dài hơn thời gian xanh tối đa "
                f"{_vi(high)} s",
            )
    return None


def _too_short(name: str, number: int, green: float, least: float) -> Text:
    return Text(
        f"{name}, stage {number}: a green of {green:g} s is below the minimum green of {least:g} s",
        f"{name}, pha {number}: thời gian xanh {_vi(green)} s ngắn hơn thời gian xanh tối thiểu {_vi(least)} s",
    )


def green_fault(network: Network, data: object) -> Text | None:
    """Why a plan as JSON data cannot be read where a drag has left a stage no green at all; None where it has."""
    plan = data.get("intersections") if isinstance(data, dict) else None
    for name, one in plan.items() if isinstance(plan, dict) else ():
        stages = one.get("stages") if isinstance(one, dict) and name in network.intersections else None
        for number, stage in enumerate(stages if isinstance(stages, list) else (), start=1):
            green, state = (
                (stage.get("green"), stage.get("state")) if isinstance(stage, dict) else (None, None)
            )
            intersection = network.intersections[name]
            if not isinstance(state, str) or len(state) != intersection.n_links:
                continue
            if isinstance(green, int | float) and green <= 0:
                return _too_short(intersection.name, number, green, least_green(state, intersection.phases))
    return None


def _states(timing: Timing) -> list[str]:
    return [state for state, _ in timing.steps()]


def _cycle_fault(
    network: Network, streets: Sequence[Sequence[str]], timings: Mapping[str, Timing]
) -> Text | None:
    for street in streets:
        own = [network.intersections[name].program.cycle for name in street]
        new = [timings[name].cycle if name in timings else old for name, old in zip(street, own, strict=True)]
        if _off_beat(own) is None and (k := _off_beat(new)) is not None:
            name, common = network.intersections[street[k]].name, max(new)
            return Text(
                f"{name}: a cycle of {new[k]:g} s does not divide the {common:g} s of its street, which would end "
                "the green wave; change the cycle of all its signals together",
                f"{name}: chu kỳ {_vi(new[k])} s không chia hết chu kỳ {_vi(common)} s của tuyến, làn sóng xanh sẽ "
                "mất; hãy đổi chu kỳ của mọi nút trên tuyến cùng lúc",
            )
    return None


def _off_beat(cycles: Sequence[float]) -> int | None:
    """The first signal whose cycle does not divide the longest one."""
    longest = max(cycles)
    for k, cycle in enumerate(cycles):
        if abs(longest / cycle - round(longest / cycle)) > 1e-6:
            return k
    return None


def with_cycle(intersection: Intersection, timing: Timing, cycle: float) -> Timing | Text:
    """The timing with another cycle in whole seconds of green, or why there is none.

    What the cycle leaves beyond minimum greens and change intervals is divided among the stages as it was before; the
    offset keeps its share of the cycle.
    """
    least = minimum_greens(intersection, timing)
    change = timing.cycle - sum(stage.green for stage in timing.stages)
    spare = cycle - change - sum(least)
    if spare < -_CLOSE:
        need = change + sum(least)
        return Text(
            f"{intersection.name}: a cycle of {cycle:g} s is too short for its minimum greens and change intervals, "
            f"which take {need:g} s",
            f"{intersection.name}: chu kỳ {_vi(cycle)} s quá ngắn cho các thời gian xanh tối thiểu và thời gian "
            f"chuyển pha, cần {_vi(need)} s",
        )
    before = [stage.green - low for stage, low in zip(timing.stages, least, strict=True)]
    total = sum(before)
    share = [b / total for b in before] if total > _CLOSE else [1 / len(before)] * len(before)
    exact = [spare * part for part in share]
    whole = [float(int(value + _CLOSE)) for value in exact]
    for k in sorted(range(len(exact)), key=lambda k: whole[k] - exact[k])[: round(spare - sum(whole))]:
        whole[k] += 1.0  # the largest remainders
    whole[0] += spare - sum(whole)  # a fraction of a second that minima or changes bring
    stages = tuple(
        Stage(stage.state, low + extra, stage.change)
        for stage, low, extra in zip(timing.stages, least, whole, strict=True)
    )
    return Timing(stages, float(round(timing.offset * cycle / timing.cycle)) % cycle)


def _vi(value: float) -> str:
    return f"{value:g}".replace(".", ",")
