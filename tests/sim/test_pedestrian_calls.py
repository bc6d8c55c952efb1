"""People on foot call for their green: the buttons, and that no strategy lets them wait longer than the plan would."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from denxanh.controllers.registry import make_controller, parse_controller
from denxanh.sim.controller import Green, Observation
from denxanh.sim.network import Crossing, Intersection, Network
from denxanh.sim.network_reader import load_network
from denxanh.sim.plan import Interval, Stage, Timing
from denxanh.sim.signals.pedestrian_calls import PedestrianCalls, longest_red, serve_pedestrian_calls
from denxanh.sim.signals.planned_network import with_plan
from denxanh.sim.simulation import Simulation
from denxanh.sim.testing.check_controller import corridor
from denxanh.sim.world import Pedestrian

WALK = Crossing(8.0, (":c", ":d"), (":w0", ":w1"))


@pytest.fixture(scope="module")
def network() -> Network:
    """Two phases of 27 s; link 1, which phase 1 serves, is a crossing."""
    bare = corridor(1)
    return replace(bare, intersections={"J0": replace(bare.intersections["J0"], crossings={1: WALK})})


@dataclass(frozen=True)
class Stubborn:
    """Shows phase 0 for ever; ``serves_pedestrian_calls`` and ``sees`` are of one that need not be helped, or not."""

    name: ClassVar[str] = "stubborn"
    sees: frozenset[str] = frozenset({"vehicles"})  # type: ignore[misc]
    serves_pedestrian_calls: bool = False

    def start(self, network: Network) -> dict[str, Callable[[Observation], Green]]:
        return dict.fromkeys(network.intersections, lambda seen: Green(0, seen.step))


class Street:
    """A world whose people on foot are given by a function of the time."""

    begin, step = 0.0, 1.0

    def __init__(self, network: Network, people: Callable[[float, str], list[Pedestrian]]) -> None:
        self.network, self.people, self.steps = network, people, 0
        self.shown: list[tuple[int, str]] = []

    def advance(self, steps: int) -> None:
        self.steps = steps

    def show(self, intersection: str, state: str) -> None:
        self.shown.append((self.steps, state))

    def shows(self, intersection: str) -> str:
        return self.shown[-1][1]

    def on_lane(self, lane: str) -> list[Any]:
        return []

    def next_edge(self, vehicle: str, edge: str) -> str:
        return ""

    def pedestrians(self, area: str) -> list[Pedestrian]:
        return self.people(float(self.steps), area)


def drive(street: Street, controller: Any, end: float) -> list[Observation]:
    """Run a controller as ``execute`` does; gives what was seen."""
    policies = serve_pedestrian_calls(controller.start(street.network), street.network, controller)
    seen = []
    calls = PedestrianCalls(street, street.pedestrians).at  # type: ignore[arg-type]
    for question in Simulation(street, end, policies, sees=controller.sees, calls=calls):  # type: ignore[arg-type]
        seen.append(question.seen)
        question.answer(policies["J0"](question.seen))
    return seen


def standing(since: float, area: str, bound_for: str = ":c") -> Callable[[float, str], list[Pedestrian]]:
    """Somebody who comes at ``since`` and goes on waiting."""
    return lambda now, at: [Pedestrian(bound_for, now - since)] if at == area and now > since else []


def test_the_longest_red_is_taken_around_the_cycle() -> None:
    timing = Timing(
        (
            Stage("Grr", 20.0, (Interval("yrr", 3.0),)),
            Stage("rGr", 30.0, (Interval("ryr", 3.0),)),
            Stage("Grr", 5.0, (Interval("yrr", 4.0),)),
        )
    )
    # the first is red from 20 to 56 and from 61 to 65 s, the second from 53 over the end to 23 s
    assert longest_red(timing).tolist() == [36.0, 35.0, np.inf]


def test_a_call_stands_until_the_crossing_is_green(network: Network) -> None:
    intersection = network.intersections["J0"]

    def once(now: float, area: str) -> list[Pedestrian]:
        return [Pedestrian(":c", 2.0)] if area == ":w1" and now == 10.0 else []

    street = Street(network, once)
    calls = PedestrianCalls(street, street.pedestrians)  # type: ignore[arg-type]
    said = []
    for step, state in ((9, "Gr"), (10, "Gr"), (15, "yr"), (18, "rG"), (30, "ry")):
        street.steps = step
        street.show("J0", state)
        said.append(calls.at(intersection).tolist())
    assert said == [[0.0, 0.0], [0.0, 2.0], [0.0, 7.0], [0.0, 0.0], [0.0, 0.0]]


@pytest.mark.parametrize(
    "people",
    [standing(3.0, ":elsewhere"), standing(3.0, ":w0", ":another"), lambda now, at: [Pedestrian(":c", 0.0)]],
)
def test_who_walks_or_goes_elsewhere_calls_for_nothing(network: Network, people: Any) -> None:
    assert all(not seen.calls.any() for seen in drive(Street(network, people), Stubborn(), 60.0))


def test_nobody_waits_longer_than_under_the_plan(network: Network) -> None:
    """The crossing is red for 33 s of the plan. Who comes at 3 s gets the change at 37 s, 3 s later green."""
    intersection = network.intersections["J0"]
    assert longest_red(intersection.program)[1] == 33.0
    street = Street(network, standing(3.0, ":w1"))
    drive(street, Stubborn(), 60.0)
    assert street.shown[:4] == [(0, "Gr"), (37, "yr"), (40, "rG"), (45, "ry")]


def test_the_policy_is_not_asked_where_a_call_comes_first(network: Network) -> None:
    """What it would answer is not shown, so that it must not remember it."""
    asked: list[tuple[float, int]] = []

    class Noting(Stubborn):
        def start(self, network: Network) -> dict[str, Callable[[Observation], Green]]:
            def policy(seen: Observation) -> Green:
                asked.append((seen.time, seen.phase))
                return Green(seen.phase, seen.step)

            return {"J0": policy}

    drive(Street(network, standing(3.0, ":w1")), Noting(), 50.0)
    times = [time for time, _ in asked]
    assert {(36.0, 0), (45.0, 1)} <= set(asked)
    assert not [time for time in times if 36.0 < time < 45.0]


@pytest.mark.parametrize("who", [Stubborn(sees=frozenset()), Stubborn(serves_pedestrian_calls=True)])
def test_plans_and_who_answers_calls_are_left_alone(network: Network, who: Stubborn) -> None:
    street = Street(network, standing(3.0, ":w1"))
    drive(street, who, 200.0)
    assert street.shown == [(0, "Gr")]


@pytest.mark.parametrize(
    "name",
    [
        "actuated",
        "volume-density",
        "delay-based",
        "nema",
        "max-pressure-cyclic",
        "scoot-like",
        "scats-like",
        "priority",
    ],
)
def test_strategies_that_show_their_phases_in_turn_are_not_interrupted(network: Network, name: str) -> None:
    policies = {"J0": lambda seen: Green(0, seen.step)}
    assert serve_pedestrian_calls(policies, network, make_controller(name, {})) is policies


@pytest.mark.parametrize("policies", [None, [1], {"nowhere": lambda seen: Green(0, 1.0)}])
def test_what_is_no_policy_goes_on_to_who_says_so(network: Network, policies: Any) -> None:
    assert serve_pedestrian_calls(policies, network, Stubborn()) == policies


def test_a_signal_without_crossings_keeps_its_policy() -> None:
    policies = Stubborn().start(corridor(1))
    assert serve_pedestrian_calls(policies, corridor(1), Stubborn())["J0"] is policies["J0"]


def look(intersection: Intersection, call: float, phase: int = 0, elapsed: float = 20.0) -> Observation:
    return Observation(intersection, 100.0, phase, elapsed, calls=np.array([0.0, call]), red=np.zeros(2))


@pytest.mark.parametrize("name", ["actuated", "volume-density", "delay-based", "nema:coordinate=false"])
def test_a_call_is_one_on_the_phases_that_serve_the_crossing(network: Network, name: str) -> None:
    controller = make_controller(*parse_controller(name))
    if name.startswith("nema"):
        network = with_plan(network, controller.make_plan(network))  # type: ignore[attr-defined]
    intersection = network.intersections["J0"]
    walk = next(phase.index for phase in intersection.phases if phase.serves(1))
    policy = controller.start(network)["J0"]
    assert policy(look(intersection, 0.0, phase=1 - walk)).phase == 1 - walk
    assert policy(look(intersection, 1.0, phase=1 - walk)).phase == walk
    assert policy(look(intersection, 1.0, phase=walk)).phase == walk


def test_predictive_weighs_a_call_like_a_vehicle(network: Network) -> None:
    """Nobody drives: who has called is served at once; without a call it stays."""
    intersection = network.intersections["J0"]
    policy = make_controller("predictive", {"one_road": False}).start(network)["J0"]
    assert policy(look(intersection, 0.0)).phase == 0
    assert policy(look(intersection, 1.0)).phase == 1


@pytest.fixture(scope="module")
def midblock(tmp_path_factory: pytest.TempPathFactory, sumo_tool: Any) -> str:
    """A crossing between junctions: 77 s for vehicles, 5 s for people on foot, and these call every 20 s."""
    folder: Path = tmp_path_factory.mktemp("midblock")
    files = {
        "nod": '<nodes><node id="W" x="-200" y="0"/><node id="M" x="0" y="0" type="traffic_light"/>'
        '<node id="E" x="200" y="0"/></nodes>',
        "edg": "<edges>"
        + "".join(
            f'<edge id="{a}{b}" from="{a}" to="{b}" numLanes="1" speed="13.9" sidewalkWidth="2"/>'
            for a, b in ("WM", "MW", "ME", "EM")
        )
        + "</edges>",
        "con": '<connections><crossing node="M" edges="WM MW" priority="true"/></connections>',
        "rou": '<routes><flow id="we" begin="0" end="300" vehsPerHour="700"><route edges="WM ME"/></flow>'
        '<flow id="ew" begin="0" end="300" vehsPerHour="700"><route edges="EM MW"/></flow>'
        '<personFlow id="p" begin="0" end="300" period="20" departPos="195">'
        '<walk edges="WM MW" arrivalPos="5"/></personFlow></routes>',
    }
    for kind, text in files.items():
        (folder / f"m.{kind}.xml").write_text(text, encoding="utf-8")
    given = (("-n", "nod"), ("-e", "edg"), ("-x", "con"))
    net = sumo_tool(
        "netconvert",
        folder / "m.net.xml",
        *(word for option, kind in given for word in (option, str(folder / f"m.{kind}.xml"))),
        "--no-turnarounds",
    )
    return f"{net}+{folder / 'm.rou.xml'}"


@pytest.mark.parametrize(
    "controller", ["actuated", "predictive", "priority:over=longest-queue", "scats-like"]
)
def test_people_get_over_a_road_whatever_drives_the_signal(
    midblock: str, controller: str, cli: Any, tmp_path: Path
) -> None:
    """The plan lets nobody wait longer than 85 s; before, most strategies let all 15 wait to the end."""
    done = cli("run", midblock, "-c", controller, "--end", "500", "--warm-up", "0", "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text("utf-8"))
    assert manifest["events"] == []
    assert manifest["metrics"]["walkers"] == 15
    assert 0.0 < manifest["metrics"]["walk_wait_max_s"] <= 85.0 + 20.0


def test_both_doors_hear_the_buttons(midblock: str, cli: Any, tmp_path: Path) -> None:
    hashes = set()
    for backend in ("libsumo", "traci"):
        out = tmp_path / backend
        done = cli("run", midblock, "-c", "max-pressure", "--end", "300", "--backend", backend, "--out", out)
        assert done.returncode == 0, done.stderr
        hashes.add(json.loads((out / "manifest.json").read_text("utf-8"))["tripinfo_sha256"])
    assert len(hashes) == 1


def test_a_letter_may_drive_several_crossings(midblock: str, tmp_path: Path) -> None:
    """A second crossing on the letter, and a letter of its own for who comes from the other side."""
    text = Path(midblock.partition("+")[0]).read_text("utf-8")
    row = next(line for line in text.splitlines() if 'to=":M_c0"' in line)
    back = next(line for line in text.splitlines() if 'from=":M_c0"' in line)
    edge = text[text.index('    <edge id=":M_c0"') :].partition("</edge>")[0] + "</edge>"
    twice = text.replace(edge, f"{edge}\n{edge.replace(':M_c0', ':M_c1').replace('6.40', '9.00')}").replace(
        row, f"{row}\n{row.replace(':M_c0', ':M_c1')}"
    )
    net = tmp_path / "n.net.xml"
    net.write_text(twice, encoding="utf-8")
    (intersection,) = load_network(net).intersections.values()
    assert intersection.crossings == {2: Crossing(9.0, (":M_c0", ":M_c1"), (":M_w0", ":M_w1"))}
    apart = text.replace(back, back.replace(' dir="s"', ' tl="M" linkIndex="3" dir="s"')).replace(
        "GGr", "GGrr"
    )
    for state, wider in (("yyr", "yyrr"), ("rrG", "rrGG"), ("rrr", "rrrr")):
        apart = apart.replace(f'state="{state}"', f'state="{wider}"')
    net.write_text(apart, encoding="utf-8")
    (intersection,) = load_network(net).intersections.values()
    assert {link: (walk.edges, walk.areas) for link, walk in intersection.crossings.items()} == {
        2: ((":M_c0",), (":M_w0",)),
        3: ((":M_c0",), (":M_w1",)),
    }
