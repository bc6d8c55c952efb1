"""A street with two signals and runs on it, all made by hand: no SUMO in these tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from denxanh.experiments.report import Comparison, ScenarioResults, Text, render
from denxanh.experiments.results.summary_row import SummaryRow
from denxanh.experiments.runs.run_row import RunRow
from denxanh.sim.metrics import METRICS
from denxanh.sim.network import Approach, Edge, Intersection, Lane, Link, Network, Segment
from denxanh.sim.plan import Stage, Timing
from denxanh.sim.run import store

STREET = "Phố Huế"
CROSS = "Phố Trần Nhân Tông"


def make_network(street: str = STREET) -> Network:
    """gate → J1 → J2 → gate along ``street``, a two-way cross street at J1."""
    points = {"w": (0.0, 0.0), "J1": (300.0, 0.0), "J2": (500.0, 0.0), "e": (800.0, 0.0), "n": (300.0, 250.0)}
    ways = [
        ("w", "J1", street),
        ("J1", "J2", street),
        ("J2", "e", street),
        ("n", "J1", CROSS),
        ("J1", "n", CROSS),
    ]
    edges, lanes = {}, {}
    for start, end, name in ways:
        key, shape = f"{start}_{end}", (points[start], points[end])
        lanes[f"{key}_0"] = Lane(f"{key}_0", key, 200.0, 13.9, shape, (), True, frozenset())
        edges[key] = Edge(key, name, start, end, (f"{key}_0",), 200.0, 13.9, 1, shape)
    crossings = {
        "J1": make_intersection("J1", points["J1"], ("w_J1", "n_J1"), "J1_J2"),
        "J2": make_intersection("J2", points["J2"], ("J1_J2",), "J2_e"),
    }
    return Network("street", edges, lanes, crossings, {})


def make_intersection(name: str, at: tuple[float, float], starts: tuple[str, ...], end: str) -> Intersection:
    """An intersection with one stop-line lane for each edge of ``starts``."""
    approaches = tuple(
        Approach(f"{edge}_0", (i,), 13.9, 200.0, (Segment(f"{edge}_0", 0.0, 1.0),), 0.5)
        for i, edge in enumerate(starts)
    )
    n = len(starts)
    foes = np.zeros((n, n), dtype=np.bool_)
    return Intersection(
        id=name,
        name=f"{STREET} / {name}",
        position=at,
        junctions=(name,),
        links=tuple(Link(i, f"{e}_0", f"{end}_0", "", "s", 10.0, 10.0, False) for i, e in enumerate(starts)),
        n_links=n,
        approaches=approaches,
        exits=(f"{end}_0",),
        movements=(),
        phases=(),
        program=Timing((Stage("G" * n, 30.0),)),
        program_id="0",
        yellow=3.0,
        all_red=2.0,
        foes=foes,
        yields=foes,
    )


def make_metrics(delay: float, **more: float | int | None) -> dict[str, float | int | None]:
    """Every metric, with ``delay`` s/veh and 100 vehicles."""
    values: dict[str, float | int | None] = {metric.name: 1.5 for metric in METRICS}
    counts = {"loaded": 100, "arrived": 90, "running": 8, "waiting": 2, "lost": 0, "before_begin": 7}
    events = {"teleports": 0, "collisions": 0, "fallbacks": 0, "emergency_brakings": 3}
    return values | counts | events | {"delay_s": delay} | more


def write_run(folder: Path, delay: float) -> Path:
    """The tables and the manifest of a run from 0 to 600 s in which every vehicle lost ``delay`` s."""
    folder.mkdir(parents=True)
    wanted = np.arange(0.0, 600.0, 6.0)
    inserted = np.arange(100) < 98
    store.write_table(
        folder / "vehicles.parquet",
        {
            "depart_s": np.where(inserted, wanted, -1.0),
            "depart_delay_s": np.where(inserted, 0.0, 600.0 - wanted),
            "time_loss_s": np.where(inserted, delay, -1.0),
        },
    )
    begins = np.repeat(np.arange(0.0, 600.0, 60.0), 2)
    store.write_table(
        folder / "intervals.parquet",
        {
            "begin_s": begins,
            "intersection": ["J1", "J2"] * 10,
            "queue_mean_veh": np.where(np.arange(20) % 2 == 0, delay / 10, 1.0),
        },
    )
    store.write_table(
        folder / "edges.parquet",
        {
            "edge": ["J1_J2", "J2_e", "n_J1", "w_J1"],
            "time_loss_s": np.array([50.0, 0.0, 10 * delay, 50 * delay]),
            "entered": np.array([60.0, 58.0, 10.0, 50.0]),
            "left": np.array([58.0, 58.0, 10.0, 50.0]),
        },
    )
    store.write_json(
        folder / "manifest.json",
        {
            "parameters": {"min_green": 5},
            "sumo_command": ["sumo", "-c", "run.sumocfg"],
            "tripinfo_sha256": "ab" * 32,
            "inputs_sha256": {"street.net.xml": "cd" * 32},
            "left_to_sumo": {"J9": "a rail signal"},
            "warnings": {"Vehicle '…' performs emergency braking": 3},
        },
    )
    return folder


Build = Callable[..., Comparison]


@pytest.fixture(scope="session")
def metrics() -> Callable[..., dict[str, float | int | None]]:
    """Every metric of an invented run."""
    return make_metrics


@pytest.fixture
def build(tmp_path: Path) -> Build:
    """A comparison made to order, see ``builder``."""
    return builder(tmp_path)


@pytest.fixture(scope="session")
def comparisons(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """As ``build``, for fixtures that several tests share."""
    return builder(tmp_path_factory.mktemp("comparisons"))


@pytest.fixture(scope="session")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The page of the standard comparison, for tests that only read it."""
    return render(builder(tmp_path_factory.mktemp("report"))())


def builder(folder: Path) -> Build:
    """A comparison of ``program`` (40 s + seed) with max-pressure (21 s + 2 × seed), its runs in ``folder``."""

    def make(
        *,
        seeds: tuple[int, ...] = (1, 2, 3),
        candidates: tuple[str, ...] = ("max-pressure",),
        places: tuple[str, ...] = ("street",),
        street: str = STREET,
        folders: bool = True,
        extra: tuple[RunRow, ...] = (),
        title: str = "A comparison",
    ) -> Comparison:
        runs, summary = list(extra), []
        for place in places:
            for i, controller in enumerate(("program", *candidates)):
                delays = [40.0 + seed if i == 0 else 20.0 + 2 * seed + i for seed in seeds]
                for seed, delay in zip(seeds, delays, strict=True):
                    at = folder / place / f"{i}-{seed}"
                    if folders and not at.exists():
                        write_run(at, delay)
                    runs.append(
                        RunRow(
                            place,
                            controller,
                            seed,
                            metrics=make_metrics(delay),
                            folder=at if folders else None,
                        )
                    )
                summary += make_summary(place, controller, delays, baseline=i == 0)
        return Comparison(
            title=Text(title, "Một phép so sánh"),
            baseline="program",
            scenarios=tuple(
                ScenarioResults(
                    place,
                    Text(f"The {place}", f"Nơi {place}"),
                    0.0,
                    600.0,
                    60.0,
                    make_network(street),
                    notes=(Text("The demand is synthetic.", "Nhu cầu là tổng hợp."),),
                    credit="© OpenStreetMap contributors",
                )
                for place in places
            ),
            runs=tuple(runs),
            summary=tuple(summary),
            command="denxanh compare street -c program -c max-pressure --seeds 3",
            versions={"denxanh": "0.1.0", "sumo": "1.28.0"},
        )

    return make


def make_summary(place: str, controller: str, delays: list[float], *, baseline: bool) -> list[SummaryRow]:
    """Rows for the delay (differences invented) and for CO2."""
    if not delays:
        return []
    mean = float(np.mean(delays))
    several = len(delays) > 1
    ends = (mean - 1.25, mean + 1.25) if several else (None, None)
    if baseline:
        row = SummaryRow(place, controller, "delay_s", mean, *ends, len(delays))
    else:
        said = Text(f"{controller}: less delay than program.", f"{controller}: trễ ít hơn program.")
        change = (-19.5, -21.75, -17.25) if several else (-19.5, None, None)
        row = SummaryRow(place, controller, "delay_s", mean, *ends, len(delays), *change, said)
    return [
        row,
        SummaryRow(place, controller, "co2_kg", 367.18, *((360.0, 374.4) if several else (None, None)), 3),
    ]
