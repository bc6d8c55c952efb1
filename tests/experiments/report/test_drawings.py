"""Signal plans, searches and the table of before and after."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from itertools import pairwise
from xml.etree import ElementTree

import pytest

from denxanh.experiments.report import Comparison, Text
from denxanh.experiments.report.drawing.colour import Style
from denxanh.experiments.report.drawing.stage_diagram import groups, phase_diagram
from denxanh.experiments.report.optimization.before_after import Change, before_after
from denxanh.experiments.report.optimization.search_charts import (
    History,
    ParetoPoint,
    convergence_chart,
    front,
    pareto_chart,
)
from denxanh.sim.errors import InputError
from denxanh.sim.language.text import same
from denxanh.sim.network import Intersection, Network
from denxanh.sim.plan import Interval, Stage, Timing

SVG = "{http://www.w3.org/2000/svg}"
PLAN = Timing(
    (
        Stage("Gr", 30.0, (Interval("yr", 3.0), Interval("rr", 2.0))),
        Stage("rg", 20.0, (Interval("ry", 3.0), Interval("rr", 2.0))),
    )
)
BLUE = Style("#0072b2")


@pytest.fixture
def corner(build: Callable[..., Comparison]) -> tuple[Intersection, Network]:
    network = build(folders=False).scenarios[0].network
    assert network
    return network.intersections["J1"], network


def texts(svg: str) -> list[str]:
    return [node.text or "" for node in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def test_links_with_equal_letters_are_one_group(corner: tuple[Intersection, Network]) -> None:
    intersection, network = corner
    found = groups(intersection, PLAN, network)
    assert [(group.name.en, group.links) for group in found] == [
        ("Phố Huế (W) ↑", (0,)),
        ("Phố Trần Nhân Tông (N) ↑", (1,)),
    ]
    assert found[1].name.vi == "Phố Trần Nhân Tông (B) ↑"


def test_the_signal_plan_draws_every_second_of_the_cycle(corner: tuple[Intersection, Network]) -> None:
    intersection, network = corner
    drawn = phase_diagram(intersection, PLAN, network)
    tips = [node.text or "" for node in ElementTree.fromstring(drawn).iter(f"{SVG}title")]
    said = [text.splitlines()[0] for text in tips]
    assert said == [
        *(f"Phố Huế (W) ↑: {span}" for span in ("G 30 s", "y 3 s", "r 27 s")),
        *(f"Phố Trần Nhân Tông (N) ↑: {span}" for span in ("r 35 s", "g 20 s", "y 3 s", "r 2 s")),
    ]
    assert {"1: 30 s", "2: 20 s"} <= set(texts(drawn))


def test_the_best_so_far_never_rises_and_ignores_failures() -> None:
    history = History("search", BLUE, (math.nan, 5.0, 7.0, math.nan, 3.0))
    assert history.best()[1:] == [5.0, 5.0, 5.0, 3.0]
    assert math.isnan(history.best()[0])


def test_a_best_value_holds_until_the_next_evaluation() -> None:
    drawn = convergence_chart([History("climb", BLUE, (9.0, 5.0, 7.0), (10.0, 20.0, 40.0))], same("s/veh"))
    steps = max((n.attrib["d"] for n in ElementTree.fromstring(drawn).iter(f"{SVG}path")), key=len)
    xy = [tuple(map(float, pair.split())) for pair in re.split("[ML]", steps)[1:]]
    assert all(a[0] == b[0] or a[1] == b[1] for a, b in pairwise(xy))
    assert [x for x, _ in xy] == sorted(x for x, _ in xy)
    assert xy[1][0] - xy[0][0] == pytest.approx((xy[-1][0] - xy[0][0]) / 3, abs=0.02)
    with pytest.raises(InputError, match="'climb' has 1 values at 2 places"):
        History("climb", BLUE, (9.0,), (1.0, 2.0))


def test_convergence_names_searches_and_the_level_to_beat() -> None:
    drawn = convergence_chart(
        [History("climb <b>", BLUE, (9.0, 5.0, 7.0))], same("s/veh"), reference=("Webster", 6.0)
    )
    assert {"climb <b>", "Webster"} <= set(texts(drawn))
    with pytest.raises(InputError, match="no search has a value"):
        convergence_chart([History("climb", BLUE, (math.nan,))], same("s/veh"))


def test_the_front_holds_who_is_not_dominated() -> None:
    points = {"a": (1, 5), "b": (2, 3), "c": (3, 3), "d": (4, 1), "e": (2, 4), "f": (2, 3)}
    found = front([ParetoPoint(name, *at) for name, at in points.items()])
    assert [c.name for c in found] == ["a", "b", "f", "d"]


def test_every_candidate_is_drawn() -> None:
    candidates = [ParetoPoint(str(i), i, (i - 3) ** 2) for i in range(7)]
    drawn = pareto_chart(candidates, same("s/veh"), same("stops"), BLUE, named=("3",))
    assert len(list(ElementTree.fromstring(drawn).iter(f"{SVG}circle"))) == 7
    assert "3" in texts(drawn)


def test_before_and_after_tell_change_share_and_interval() -> None:
    table = before_after(
        [
            Change(Text("Delay", "Trễ"), "s/veh", 40.0, 30.5, -12.25, -6.75),
            Change(Text("<Stops>", "Dừng"), "1/veh", 0.0, 1.25),
        ]
    )
    rows = ElementTree.fromstring(table).findall("tbody/tr")
    english = [
        ["".join(t for n in cell.iter() if n.get("lang") != "vi" for t in [n.text or ""]) for cell in row]
        for row in rows
    ]
    assert english[0] == ["Delay", "s/veh", "40.0", "30.5", "−9.5 (−23.8 %)", "[−12.2 … −6.8]"]
    assert english[1] == ["<Stops>", "1/veh", "0.00", "1.25", "+1.25", "–"]
    assert re.search(r'<span lang="vi">−9,5 \(−23,8 %\)</span>', table)
