"""Every network is read as SUMO runs it: the same program, the same state at every second, or a reason why not."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from denxanh.sim.errors import InputError
from denxanh.sim.network import Network
from denxanh.sim.network_reader import load_network, network_of
from denxanh.sim.plan import Timing
from denxanh.sim.scenario import Scenario
from denxanh.sim.sumo.netfile import RawPhase, RawProgram, read_net
from denxanh.sim.sumo.phase_sequence import repeated
from denxanh.sim.sumo.program import read_program
from denxanh.sim.sumo.wheel import sumo_environment

PROBE = """
import json, sys
import libsumo
seen = []
for case in json.load(open(sys.argv[1])):
    more = ["-a", case["additional"]] if case["additional"] else []
    libsumo.start(["sumo", "-n", case["net"], *more, "--begin", str(case["begin"]), "--no-step-log",
                   "--no-warnings", "--xml-validation", "never"])
    programs, states = {}, {}
    for _ in range(case["seconds"]):
        libsumo.simulationStep()
        for name in libsumo.trafficlight.getIDList():
            programs.setdefault(name, libsumo.trafficlight.getProgram(name))
            states.setdefault(name, []).append(libsumo.trafficlight.getRedYellowGreenState(name))
    libsumo.close()
    seen.append({"programs": programs, "states": states})
json.dump(seen, open(sys.argv[2], "w"))
"""


@dataclass(frozen=True)
class Shown:
    """What SUMO did with one network."""

    programs: dict[str, str]
    states: dict[str, list[str]]  # one a second from begin on


def ask_sumo(folder: Path, cases: list[tuple[Path, Path | None, float, int]]) -> list[Shown]:
    """Let SUMO itself run networks (net, additional file, begin, seconds), in a process of its own."""
    asked = [
        {"net": str(net), "additional": str(more) if more else "", "begin": begin, "seconds": seconds}
        for net, more, begin, seconds in cases
    ]
    (folder / "asked.json").write_text(json.dumps(asked))
    command = [sys.executable, "-c", PROBE, "asked.json", "seen.json"]
    subprocess.run(command, cwd=folder, env=sumo_environment(), check=True, capture_output=True, timeout=240)
    return [Shown(**row) for row in json.loads((folder / "seen.json").read_text())]


def state_at(timing: Timing, time: float) -> str:
    """The letters that a timing shows."""
    moment = timing.at(time)
    stage = timing.stages[moment.stage]
    return stage.state if moment.step == 0 else stage.change[moment.step - 1].state


def two_cycles(network: Network) -> int:
    return int(
        max((2 * intersection.program.cycle for intersection in network.intersections.values()), default=1)
    )


def differences(network: Network, shown: Shown, begin: float, static: Callable[[str], bool]) -> list[str]:
    """Where our reading and SUMO's doing part."""
    found = [
        f"nothing is said of {name}"
        for name in set(shown.programs) - set(network.intersections) - set(network.left_to_sumo)
    ]
    for name, intersection in network.intersections.items():
        if intersection.program_id != shown.programs[name]:
            found.append(f"{name}: program {intersection.program_id}, SUMO runs {shown.programs[name]}")
        elif static(name):
            found += [
                f"{name} at {begin + k} s: {state_at(intersection.program, begin + k)}, SUMO shows {state}"
                for k, state in enumerate(shown.states[name])
                if state_at(intersection.program, begin + k) != state
            ][:1]
    return found


SIGNALS = ("--default-junction-type", "traffic_light")
THREE = ("--grid", "--grid.number", "3", "--default.lanenumber", "2")
GENERATED = {
    "grid": ("--grid", "--grid.number", "4", *SIGNALS),
    "spider": ("--spider", *SIGNALS),
    "random, joined": ("--rand", "--rand.iterations", "60", "--tls.guess", "--tls.join", "--seed", "7"),
    "close together, joined": ("--grid", "--grid.number", "4", "--grid.length", "25", *SIGNALS, "--tls.join"),
    "crossings": (*THREE, *SIGNALS, "--sidewalks.guess", "--crossings.guess"),
    "turn right on red": (*THREE, "--default-junction-type", "traffic_light_right_on_red"),
    "unregulated": (*THREE, "--default-junction-type", "traffic_light_unregulated"),
    "actuated": (*THREE, *SIGNALS, "--tls.default-type", "actuated"),
    "delay based": (*THREE, *SIGNALS, "--tls.default-type", "delay_based"),
    "NEMA": (*THREE, *SIGNALS, "--tls.default-type", "NEMA"),
    "one arm after the other": (*THREE, *SIGNALS, "--tls.layout", "incoming"),
    "all-red": (*THREE, *SIGNALS, "--tls.allred.time", "2", "--tls.left-green.time", "8"),
}  # fmt: skip


@pytest.fixture(scope="module")
def generated(sumo_tool: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Networks of every kind that netgenerate makes."""
    folder = tmp_path_factory.mktemp("nets")
    return {
        name: sumo_tool("netgenerate", folder / f"{i}.net.xml", *options)
        for i, (name, options) in enumerate(GENERATED.items())
    }


def test_what_we_read_is_what_sumo_runs(
    generated: dict[str, Path], wheel_networks: list[Path], tmp_path: Path
) -> None:
    once = {hashlib.sha256(path.read_bytes()).digest(): path for path in wheel_networks}
    assert len(once) >= 20
    paths = [*generated.values(), *once.values()]
    networks = [load_network(path) for path in paths]
    shown = ask_sumo(tmp_path, [(p, None, 137, two_cycles(n)) for p, n in zip(paths, networks, strict=True)])
    for path, network, seen in zip(paths, networks, shown, strict=True):
        programs = read_net(path).programs
        found = differences(network, seen, 137, lambda tl, rows=programs: rows[tl][-1].type == "static")
        assert not found, path
    assert sum(len(network.intersections) for network in networks) > 150


def test_what_is_left_to_sumo_has_its_reason(generated: dict[str, Path], wheel_networks: list[Path]) -> None:
    assert set(load_network(generated["NEMA"]).left_to_sumo.values()) == {"its program is of type 'NEMA'"}
    unregulated = load_network(generated["unregulated"])
    assert not unregulated.intersections
    assert set(unregulated.left_to_sumo.values()) == {"it has one green phase: there is nothing to decide"}
    (rail,) = (path for path in wheel_networks if path.parent.name == "rail_demo")
    assert set(load_network(rail).left_to_sumo.values()) == {"it is a rail signal"}


def test_crossings_are_links_but_no_approaches(generated: dict[str, Path]) -> None:
    network = load_network(generated["crossings"])
    for intersection in network.intersections.values():
        walks = [link for link in intersection.links if link.crossing]
        assert walks
        assert not {link.start for link in walks} & {approach.lane for approach in intersection.approaches}
        for link in walks:  # a crossing conflicts with the vehicles that drive over it
            assert intersection.foes[link.index].any()


def test_a_joined_signal_is_one_intersection_of_several_junctions(generated: dict[str, Path]) -> None:
    network = load_network(generated["close together, joined"])
    assert any(len(intersection.junctions) > 1 for intersection in network.intersections.values())


@pytest.mark.parametrize(
    ("name", "signals", "links", "foes", "clashes", "permissive"),
    [
        ("arterial4x4", 16, 192, 384, 0, 32),
        ("cologne1", 1, 20, 64, 0, 16),
        ("cologne3", 3, 49, 131, 0, 38),
        ("grid4x4", 16, 576, 4032, 0, 0),
        ("ingolstadt1", 1, 8, 8, 0, 3),
    ],
)
def test_the_benchmark_networks_hold_what_an_audit_by_other_means_found(
    name: str, signals: int, links: int, foes: int, clashes: int, permissive: int, resco: Any
) -> None:
    network = load_network(resco(name).with_name(f"{name}.net.xml"))
    assert not network.left_to_sumo
    wheres = network.intersections.values()
    assert len(wheres) == signals
    assert sum(len({link.index for link in intersection.links}) for intersection in wheres) == links
    assert sum(int(intersection.foes.sum()) // 2 for intersection in wheres) == foes
    both, yielding = set(), set()
    for intersection in wheres:
        for phase in intersection.phases:
            for a in range(intersection.n_links):
                for b in range(a):
                    letters = {phase.state[a], phase.state[b]}
                    if intersection.foes[a, b] and letters == {"G"}:
                        both.add((intersection.id, a, b))
                    elif intersection.foes[a, b] and letters == {"G", "g"}:
                        yielding.add((intersection.id, a, b))
    assert len(both) == clashes
    assert len(yielding) == permissive


LETTERS = ("GGGgrrrrGGGgrrrr", "yyyyrrrryyyyrrrr", "rrrrGGGgrrrrGGGg", "rrrryyyyrrrryyyy")


def logic(tl: str, program: str, offset: str, green: int = 20, second: int = 31, next_: str = "") -> str:
    """A program of 60 s or so."""
    rows = "".join(
        f'<phase duration="{d}" state="{s}" {next_ if i == 0 else ""}/>'
        for i, (d, s) in enumerate(zip((green, 4, second, 5), LETTERS, strict=True))
    )
    return f'<tlLogic id="{tl}" type="static" programID="{program}" offset="{offset}">{rows}</tlLogic>'


WAUT = """<WAUT refTime="50" id="w" startProg="0">
    <wautSwitch time="100" to="noon"/><wautSwitch time="900" to="0"/>
</WAUT><wautJunction wautID="w" junctionID="A0"/>"""

SEVERAL = {
    "the last one loaded runs, whatever its name": logic("A0", "z", "7") + logic("A0", "a", "-13", 25),
    "an offset may count from the begin": logic("A0", "with-run", "begin"),
    "an offset may be a time of day": logic("A0", "clock", "00:00:42"),
    "switching times choose the program": logic("A0", "noon", "7") + WAUT,
}


@pytest.mark.parametrize("name", SEVERAL)
def test_programs_of_additional_files(name: str, tiny_place: Any, tmp_path: Path) -> None:
    more = tmp_path / "more.add.xml"
    more.write_text(f"<additional>{SEVERAL[name]}</additional>")
    begins = (0.0, 137.0, 1000.0)
    networks = [
        network_of(Scenario("tiny", tiny_place.net, (), (more,), begin=begin, end=begin + 100))
        for begin in begins
    ]
    seconds = [12 if "WAUT" in SEVERAL[name] else two_cycles(network) for network in networks]
    shown = ask_sumo(tmp_path, [(tiny_place.net, more, b, s) for b, s in zip(begins, seconds, strict=True)])
    for network, seen, begin in zip(networks, shown, begins, strict=True):
        assert not differences(network, seen, begin, lambda tl: True)


def test_a_program_that_jumps_is_left_to_sumo(tiny_place: Any, tmp_path: Path) -> None:
    more = tmp_path / "more.add.xml"
    jumps = logic("A0", "jumps", "0", next_='next="2"')
    more.write_text(f"<additional>{jumps}</additional>")
    network = network_of(Scenario("tiny", tiny_place.net, (), (more,)))
    assert list(network.intersections) == ["B0"]
    assert "another order" in network.left_to_sumo["A0"]


def test_a_signal_without_program_is_refused(tiny_place: Any, tmp_path: Path) -> None:
    text = tiny_place.net.read_text()
    start, end = text.index("<tlLogic"), text.index("</tlLogic>") + len("</tlLogic>")
    net = tmp_path / "x.net.xml"
    net.write_text(text[:start] + text[end:])
    with pytest.raises(InputError, match="no <tlLogic>"):
        load_network(net)


def test_a_network_without_internal_lanes_has_the_same_conflicts(sumo_tool: Any, tmp_path: Path) -> None:
    options = (
        "--grid",
        "--grid.number",
        "2",
        "--grid.attach-length",
        "100",
        "-L",
        "2",
        "-j",
        "traffic_light",
    )
    whole = load_network(sumo_tool("netgenerate", tmp_path / "whole.net.xml", *options))
    bare = load_network(sumo_tool("netgenerate", tmp_path / "bare.net.xml", *options, "--no-internal-links"))
    assert len(whole.intersections) == 4
    for name, intersection in whole.intersections.items():
        other = bare.intersections[name]
        assert other.foes.any()
        assert (other.foes == intersection.foes).all()
        assert other.open_foes == intersection.open_foes


def test_links_whose_conflicts_nobody_wrote_down_are_foes_of_all(tiny_place: Any, tmp_path: Path) -> None:
    text = re.sub(r"<request [^>]*/>", "", tiny_place.net.read_text("utf-8"))
    net = tmp_path / "unknown.net.xml"
    net.write_text(text, encoding="utf-8")
    for intersection in load_network(net).intersections.values():
        off_diagonal = ~np.eye(intersection.n_links, dtype=bool)
        assert (intersection.foes == off_diagonal).all()


def test_a_program_without_phases_only_moves_the_offset(tiny_place: Any, tmp_path: Path) -> None:
    """tlsCoordinator.py of SUMO writes it so."""
    more = tmp_path / "offsets.add.xml"
    more.write_text('<additional><tlLogic id="A0" programID="0" offset="20"/></additional>')
    network = network_of(Scenario("tiny", tiny_place.net, (), (more,)))
    before = load_network(tiny_place.net).intersections["A0"].program
    assert network.intersections["A0"].program.stages == before.stages
    assert network.intersections["A0"].program.offset == before.offset + 20.0
    (shown,) = ask_sumo(tmp_path, [(tiny_place.net, more, 0, 60)])
    assert not differences(network, shown, 0, lambda tl: True)


def test_a_static_program_never_ends_a_green_early_so_its_min_dur_is_no_longer(
    tiny_place: Any, tmp_path: Path
) -> None:
    text = tiny_place.net.read_text("utf-8").replace("<phase duration=", '<phase minDur="500" duration=')
    net = tmp_path / "min.net.xml"
    net.write_text(text, encoding="utf-8")
    for intersection in load_network(net).intersections.values():
        greens = [stage.green for stage in intersection.program.stages]
        assert [phase.min_green for phase in intersection.phases] == greens


GREEN_A, YELLOW_A = ("GGGgrrrrGGGgrrrr", 20), ("yyyyrrrryyyyrrrr", 4)
GREEN_B, YELLOW_B = ("rrrrGGGgrrrrGGGg", 31), ("rrrryyyyrrrryyyy", 5)
DARK = ("r" * 16, 7)
LOOP = (GREEN_A, YELLOW_A, GREEN_B, YELLOW_B)


def ordered(rows: tuple[tuple[str, int], ...], following: dict[int, str], *, kind: str = "static") -> str:
    """A program of signal A0 whose offset is 13 s; ``following`` holds ``next`` by phase."""
    text = "".join(
        f'<phase duration="{duration}" state="{state}"'
        + (f' next="{following[i]}"/>' if i in following else "/>")
        for i, (state, duration) in enumerate(rows)
    )
    return (
        f'<additional><tlLogic id="A0" type="{kind}" programID="x" offset="13">{text}</tlLogic></additional>'
    )


LOOPS = {
    "the last names the first": ordered(LOOP, {3: "0"}),
    "all name their successor": ordered(LOOP, {0: "1", 1: "2", 2: "3", 3: "0"}),
    "only the first of a list counts": ordered(LOOP, {0: "1 0"}),
    "phases after the loop": ordered((*LOOP, DARK, DARK), {3: "0"}),
    "phases before the loop": ordered((DARK, *LOOP), {4: "1"}),
    "phases before and after it": ordered((DARK, *LOOP, DARK), {4: "1"}),
    "delay-based does not read it": ordered((*LOOP, *LOOP), {1: "7", 3: "0"}, kind="delay_based"),
}


def with_program(tiny_place: Any, folder: Path, text: str, begin: float = 0.0) -> Scenario:
    """The tiny place with a program of its own for A0."""
    more = folder / "more.add.xml"
    more.write_text(text)
    return Scenario("tiny", tiny_place.net, (), (more,), begin=begin, end=begin + 100)


@pytest.mark.parametrize("name", LOOPS)
def test_a_loop_that_next_closes_is_read_as_sumo_shows_it(name: str, tiny_place: Any, tmp_path: Path) -> None:
    begins = (0.0, 137.0, 25200.0)
    scenarios = [with_program(tiny_place, tmp_path, LOOPS[name], begin) for begin in begins]
    networks = [network_of(scenario) for scenario in scenarios]
    once = 14 if "phases" in name else 0  # s for which SUMO may show what it never repeats
    seconds = [once + two_cycles(network) for network in networks]
    more = scenarios[0].additional[0]
    shown = ask_sumo(tmp_path, [(tiny_place.net, more, b, s) for b, s in zip(begins, seconds, strict=True)])
    for network, seen, begin in zip(networks, shown, begins, strict=True):
        assert "A0" in network.intersections
        later = Shown(seen.programs, {tl: states[once:] for tl, states in seen.states.items()})
        assert not differences(network, later, begin + once, lambda tl: "delay" not in name)


@pytest.mark.parametrize("following", [{0: "2"}, {1: "3"}, {0: "2", 1: "0", 2: "3", 3: "1"}])
def test_phases_in_another_order_than_they_stand_in_are_left_to_sumo(
    following: dict[int, str], tiny_place: Any, tmp_path: Path
) -> None:
    network = network_of(with_program(tiny_place, tmp_path, ordered(LOOP, following)))
    assert "another order" in network.left_to_sumo["A0"]


def test_an_actuated_phase_that_may_stay_or_go_on_is_a_phase_like_others(
    tiny_place: Any, tmp_path: Path
) -> None:
    """As netconvert writes a mid-block crossing with --tls.default-type actuated."""
    stays = network_of(with_program(tiny_place, tmp_path, ordered(LOOP, {0: "0 1"}, kind="actuated")))
    plain = network_of(with_program(tiny_place, tmp_path, ordered(LOOP, {}, kind="actuated")))
    assert stays.intersections["A0"].program == plain.intersections["A0"].program
    chooses = network_of(with_program(tiny_place, tmp_path, ordered(LOOP, {1: "2 0"}, kind="actuated")))
    assert "A0" in chooses.left_to_sumo


def test_a_static_phase_that_names_itself_first_never_ends(tiny_place: Any, tmp_path: Path) -> None:
    network = network_of(with_program(tiny_place, tmp_path, ordered(LOOP, {0: "0 1"})))
    assert "one green phase" in network.left_to_sumo["A0"]


@pytest.mark.parametrize("text", ["", " ", "4", "-1", "x", "1.0", "1,2", "9" * 5000])
def test_a_next_at_which_sumo_stops_is_refused(text: str, tiny_place: Any, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="'A0', phase 0, next"):
        network_of(with_program(tiny_place, tmp_path, ordered(LOOP, {0: text})))


def test_a_program_without_next_is_not_touched() -> None:
    phases = tuple(RawPhase(state, float(seconds), None, None, (), "") for state, seconds in LOOP)
    program = RawProgram("J", "0", "static", 13.0, phases)
    assert repeated(program, 25200.0) is program
    assert read_program(program, 25200.0).timing.offset == 13.0


@pytest.mark.parametrize(("start", "left"), [("off", True), ("0", False)])
def test_a_signal_that_is_switched_off_at_the_begin_is_left_to_sumo(
    start: str, left: bool, tiny_place: Any, tmp_path: Path
) -> None:
    waut = WAUT.replace('startProg="0"', f'startProg="{start}"')
    network = network_of(
        with_program(tiny_place, tmp_path, f"<additional>{logic('A0', 'noon', '7')}{waut}</additional>")
    )
    assert ("A0" in network.left_to_sumo) is left
    assert "switched off" in network.left_to_sumo.get("A0", "switched off")
    (shown,) = ask_sumo(tmp_path, [(tiny_place.net, tmp_path / "more.add.xml", 0.0, 5)])
    assert (shown.programs["A0"] == "off") is left


def test_switching_times_to_a_program_that_is_not_there_are_refused(tiny_place: Any, tmp_path: Path) -> None:
    waut = WAUT.replace('startProg="0"', 'startProg="nosuch"')
    with pytest.raises(InputError, match="the program 'nosuch' of signal 'A0'"):
        network_of(with_program(tiny_place, tmp_path, f"<additional>{waut}</additional>"))
