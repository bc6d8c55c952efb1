"""Who gains and who loses between two controllers: delay by approach and by vehicle type, paired over the runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from denxanh.experiments.report.decision.names import direction_title, turn_title, vehicle_title
from denxanh.experiments.runs.run_row import RunRow
from denxanh.experiments.statistics import compare_cases
from denxanh.sim.language.text import Text, joined, same
from denxanh.sim.network import Network
from denxanh.sim.run.store import read_manifest, read_table
from denxanh.sim.sumo.tripinfo import vehicle_delay, wanted_departure
from denxanh.sim.timing.hcm_delay import level_of_service

if TYPE_CHECKING:
    from denxanh.sim.movements import SignalMovement

Array = NDArray[np.float64]
Totals = Mapping[str, tuple[float, float]]  # by group: delay of all its vehicles, s, and their number
MOVEMENTS, VEHICLES, TYPES = "movements.parquet", "vehicles.parquet", "vehicle_types.parquet"


@dataclass(frozen=True)
class GroupChange:
    """The mean delay of one group of travellers under two controllers, s per vehicle or person.

    ``proven``: the 95 % interval of the paired differences leaves out zero; None with fewer than two pairs.
    """

    name: Text
    number: float  # vehicles or persons of a run
    before: float
    after: float
    proven: bool | None
    service: tuple[str, str] | None = None  # levels before and after, where the delay is control delay

    @property
    def change(self) -> float:
        """After minus before; above zero the group loses."""
        return self.after - self.before


def approach_changes(
    before: Sequence[RunRow], after: Sequence[RunRow], network: Network | None
) -> list[GroupChange]:
    """Control delay by approach, the largest increase first; empty without tables of movements."""
    names = _approach_names(network) if network is not None else {}
    found = _changes(
        before, after, lambda row: _movement_totals(row, "approach"), lambda key: names.get(key, same(key))
    )
    return [
        GroupChange(
            one.name,
            one.number,
            one.before,
            one.after,
            one.proven,
            (level_of_service(one.before), level_of_service(one.after)),
        )
        for one in found
    ]


def movement_changes(
    before: Sequence[RunRow], after: Sequence[RunRow], network: Network | None
) -> dict[str, list[GroupChange]]:
    """Control delay by movement, the largest increase first, by the name of its approach."""
    found: dict[str, list[GroupChange]] = {}
    names = _movement_names(network) if network is not None else {}
    for one in _changes(before, after, lambda row: _movement_totals(row, "movement"), same):
        if one.name.en in names:
            approach, title = names[one.name.en]
            levels = (level_of_service(one.before), level_of_service(one.after))
            found.setdefault(approach.en, []).append(replace(one, name=title, service=levels))
    return found


def type_changes(before: Sequence[RunRow], after: Sequence[RunRow]) -> list[GroupChange]:
    """Delay of whole trips by vehicle type, and the wait of people on foot; the largest increase first."""
    found = _changes(before, after, _type_totals, vehicle_title)
    walking = _changes(before, after, _walking_totals, lambda key: Text("people on foot", "người đi bộ"))
    return sorted([*found, *walking], key=lambda one: -one.change)


def signal_delay(rows: Iterable[RunRow]) -> float | None:
    """Control delay per signal passed, s/veh, over all intersections and runs; None without tables of movements."""
    loss = number = 0.0
    for row in rows:
        for lost, count in _movement_totals(row, "intersection").values():
            loss, number = loss + lost, number + count
    return loss / number if number > 0 else None


def persons(row: RunRow) -> float:
    """The persons aboard the vehicles of a run that its metrics count; 0 without its tables."""
    if row.folder is None or not (row.folder / VEHICLES).is_file():
        return 0.0
    return sum(_persons_by_type(row.folder).values())


def _changes(
    before: Sequence[RunRow],
    after: Sequence[RunRow],
    totals_of: Callable[[RunRow], Totals],
    title: Callable[[str], Text],
) -> list[GroupChange]:
    ours = {row.seed: totals_of(row) for row in after}
    pairs = [(totals_of(row), ours[row.seed]) for row in before if row.seed in ours]
    found = []
    for key in dict.fromkeys(key for one, _ in pairs for key in one):
        both = [(one[key], other[key]) for one, other in pairs if key in one and key in other]
        values = np.array(both, dtype=np.float64)  # (pairs, 2 controllers, delay and number)
        if not len(both) or (values[:, :, 1] <= 0).any():
            continue
        means = values[:, :, 0].sum(axis=0) / values[:, :, 1].sum(axis=0)
        proven = None
        if len(both) > 1:
            single = values[:, :, 0] / values[:, :, 1]
            ends = compare_cases(single[:, 1].tolist(), single[:, 0].tolist()).interval
            proven = ends is not None and not ends.low <= 0.0 <= ends.high
        found.append(
            GroupChange(title(key), float(values[:, 0, 1].mean()), float(means[0]), float(means[1]), proven)
        )
    return sorted(found, key=lambda one: -one.change)


def _movement_totals(row: RunRow, level: str) -> Totals:
    if row.folder is None or not (row.folder / MOVEMENTS).is_file():
        return {}
    table = read_table(row.folder / MOVEMENTS, ("level", "signal", "name", "arrivals", "control_delay_s"))
    return {
        f"{signal}\n{name}": (float(delay) * float(arrivals), float(arrivals))
        for kind, signal, name, arrivals, delay in zip(*table.values(), strict=True)
        if kind == level and arrivals > 0 and delay is not None and np.isfinite(delay)
    }


def _approach_names(network: Network) -> dict[str, Text]:
    """The name of each approach by signal and edge: the intersection, the street and its direction."""
    from denxanh.sim.movements import signal_movements

    found: dict[str, Text] = {}
    for signal, movements in signal_movements(network).items():
        for movement in movements.movements:
            edge = movement.name.partition(">")[0]
            found[f"{signal}\n{edge}"] = _approach_name(network, signal, movement)
    return found


def _approach_name(network: Network, signal: str, movement: SignalMovement) -> Text:
    edge = movement.name.partition(">")[0]
    street = network.edges[edge].name if edge in network.edges else edge
    intersection = network.intersections[signal].name
    parts = [same(intersection), *([same(street)] if street else []), direction_title(movement.bound)]
    return joined(parts, ", ")


def _movement_names(network: Network) -> dict[str, tuple[Text, Text]]:
    """The name of the approach of each movement and its own, by signal and edges."""
    from denxanh.sim.movements import signal_movements

    found: dict[str, tuple[Text, Text]] = {}
    for signal, movements in signal_movements(network).items():
        for movement in movements.movements:
            approach = _approach_name(network, signal, movement)
            turn = turn_title(movement.label)
            found[f"{signal}\n{movement.name}"] = approach, joined([approach, turn], ", ")
    return found


def _type_totals(row: RunRow) -> Totals:
    """Delay and number of the real vehicles of each type that wanted to depart in the measured window."""
    if row.folder is None or not (row.folder / VEHICLES).is_file():
        return {}
    return {kind: (delay, vehicles) for kind, (delay, vehicles, _) in _by_type(row.folder).items()}


def _persons_by_type(folder: Path) -> dict[str, float]:
    aboard = (read_manifest(folder) or {}).get("persons", {})
    # the persons of a vehicle type are those of one simulated vehicle, see denxanh.sim.demand.equivalents
    return {kind: simulated * aboard.get(kind, 1.0) for kind, (_, _, simulated) in _by_type(folder).items()}


def _by_type(folder: Path) -> dict[str, tuple[float, float, float]]:
    """Delay of all real vehicles (s), their number, and that of the simulated ones, by type.

    From the run's table of vehicle types; results of earlier versions have none, so there from the vehicles.
    """
    if (folder / TYPES).is_file():
        table = read_table(folder / TYPES, ("level", "name", "vehicles", "simulated", "delay_s"))
        return {
            str(name): (float(delay) * float(vehicles), float(vehicles), float(simulated))
            for level, name, vehicles, simulated, delay in zip(*table.values(), strict=True)
            if level == "type" and delay is not None and np.isfinite(delay)
        }
    kinds, kept, delay = _measured(folder)
    real = (read_manifest(folder) or {}).get("represents", {})
    found = {}
    for kind in map(str, np.unique(kinds)):
        chosen = kept & (kinds == kind)
        factor, count = real.get(kind, 1.0), float(chosen.sum())
        found[kind] = float(delay[chosen].sum()) * factor, count * factor, count
    return found


def _measured(folder: Path) -> tuple[NDArray[np.str_], NDArray[np.bool_], Array]:
    """Type, whether it is measured, and delay (s) of each simulated vehicle of a run."""
    table = read_table(folder / VEHICLES)
    if "type" not in table:
        return np.zeros(0, dtype=np.str_), np.zeros(0, dtype=np.bool_), np.zeros(0)
    manifest = read_manifest(folder) or {}
    begin, end = (float(manifest.get("scenario", {}).get(name, 0.0)) for name in ("begin", "end"))
    inserted = table["depart_s"] >= 0
    wanted = wanted_departure(inserted, table["depart_s"], table["depart_delay_s"], end)
    warm_up, flush = (float(manifest.get(name, 0.0)) for name in ("warm_up_s", "flush_s"))
    kept = np.asarray(
        (wanted >= (begin + warm_up - 1e-6 if warm_up > 0 else -np.inf))
        & (wanted < (end - flush - 1e-6 if flush > 0 else np.inf))
    )
    delay = vehicle_delay(inserted, table["time_loss_s"], table["depart_delay_s"])
    return table["type"].astype(np.str_), kept, delay


def _walking_totals(row: RunRow) -> Totals:
    walkers, wait = row.metrics.get("walkers"), row.metrics.get("walk_wait_s")
    return {} if not walkers or wait is None else {"walk": (wait * walkers, float(walkers))}
