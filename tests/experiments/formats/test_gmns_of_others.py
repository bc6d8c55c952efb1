"""GMNS signal tables that denxanh has not written: rings and barriers, splits, movements by their own ids.

The tables are those of the published example of the specification, Broadway at Ames Street in Cambridge, Massachusetts
(zephyr-data-specs/GMNS, examples/Cambridge_Intersection), with the rows of motor traffic alone.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from denxanh.experiments.formats.gmns.gmns_tables import read_gmns
from denxanh.experiments.formats.plan_readers import read_plans
from denxanh.networks.scenarios import open_scenario
from denxanh.sim.errors import InputError
from denxanh.sim.movements import signal_movements
from denxanh.sim.network import Network
from denxanh.sim.network_reader import network_of
from denxanh.sim.plan import Timing

TABLES = {
    "signal_timing_plan": """timing_plan_id,controller_id,timeday_id,time_day,cycle_length
110,11,,11111111_0000_2359,90
""",
    "signal_timing_phase": """timing_phase_id,timing_plan_id,signal_phase_num,min_green,max_green,extension,clearance,walk_time,ped_clearance,ring,barrier,position
5,110,1,25,25,,5,5,20,1,1,2
6,110,2,44,44,,5,24,20,1,1,1
9,110,5,,,,,5,20,2,1,2
7,110,6,44,44,,5,24,20,2,1,1
8,110,8,21,21,,5,5,16,2,2,1
""",  # noqa: E501
    "signal_phase_mvmt": """signal_phase_mvmt_id,timing_phase_id,mvmt_id,link_id,protection,opt_notes
1110,5,1101,,protected,Ames NB R to Broadway
1112,5,1112,,protected,Broadway WB L to Ames
1120,6,1107,,protected,Broadway EB thru @ Ames
1122,6,1111,,permitted,Broadway EB L to Volpe path
1130,7,1113,,protected,Broadway WB thru @ Ames
1140,9,,11002,permitted,Crosswalk - west side crossing Bwy
1150,8,1102,,protected,Ames NB L to Broadway
1154,8,1108,,protected,Broadway EB R to Ames
""",
    "movement": """mvmt_id,node_id,name,ib_link_id,start_ib_lane,end_ib_lane,ob_link_id,start_ob_lane,end_ob_lane,type
1101,11,,711,1,1,1122,1,1,right
1102,11,,711,-1,-1,113,1,1,left
1107,11,,311,1,1,1122,1,1,thru
1108,11,,311,2,2,117,1,1,right
1111,11,,311,3,3,1117,1,1,left
1112,11,,2211,-1,-1,117,1,1,left
1113,11,,2211,1,1,113,1,1,thru
""",
}
NODES = {"11": (0, 0), "3": (-200, 0), "22": (280, 0), "7": (0, -165)}
LINKS = {"311": "3 11", "113": "11 3", "2211": "22 11", "1122": "11 22", "711": "7 11", "117": "11 7"}
TURNS = (
    ("711", "1122"),
    ("711", "113"),
    ("311", "1122"),
    ("311", "117"),
    ("2211", "117"),
    ("2211", "113"),
)


@pytest.fixture(scope="module")
def cambridge(tmp_path_factory: pytest.TempPathFactory, sumo_tool: Callable[..., Path]) -> Network:
    """The roads of the example as a network with the same ids."""
    folder = tmp_path_factory.mktemp("cambridge")
    nodes = "".join(
        f'<node id="{id}" x="{x}" y="{y}" type="{"traffic_light" if id == "11" else "priority"}"/>'
        for id, (x, y) in NODES.items()
    )
    edges = "".join(
        f'<edge id="{id}" from="{ends.split()[0]}" to="{ends.split()[1]}" numLanes="2" speed="11.2"/>'
        for id, ends in LINKS.items()
    )
    turns = "".join(f'<connection from="{a}" to="{b}"/>' for a, b in TURNS)
    for name, text in (("nod", nodes), ("edg", edges), ("con", turns)):
        root = {"nod": "nodes", "edg": "edges", "con": "connections"}[name]
        (folder / f"c.{name}.xml").write_text(f"<{root}>{text}</{root}>", encoding="utf-8")
    inputs = [f"--{option}-files=c.{name}.xml" for option, name in
              (("node", "nod"), ("edge", "edg"), ("connection", "con"))]  # fmt: skip
    net = sumo_tool("netconvert", folder / "c.net.xml", *inputs, "--no-turnarounds")
    routes = folder / "c.rou.xml"
    routes.write_text("<routes/>", encoding="utf-8")
    return network_of(open_scenario(f"{net}+{routes}", end=60))


def tables(folder: Path, **changed: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name, text in {**TABLES, **changed}.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return folder


def greens(network: Network, timing: Timing) -> list[set[str]]:
    """The movements that are green in each stage, without those that the network's own program never shows a red."""
    never = network.intersections["11"].never_red()
    found = [one for one in signal_movements(network)["11"].movements if one.links[0] not in never]
    return [{m.name for m in found if stage.state[m.links[0]] in "Gg"} for stage in timing.stages]


def test_the_example_of_the_specification_is_read(cambridge: Network, tmp_path: Path) -> None:
    """Its greens add up to the cycle of 90 s, so they are splits; phase 5, for people on foot, fills its ring."""
    found = read_plans(tables(tmp_path / "gmns"), cambridge)
    timing = found.plans[0].timings["11"]
    assert timing.cycle == pytest.approx(90)
    assert [stage.length for stage in timing.stages] == pytest.approx([44, 25, 21])
    assert [stage.green for stage in timing.stages] == pytest.approx([39, 20, 16])
    wanted = [{"311>1122", "2211>113"}, {"711>1122", "2211>117"}, {"711>113", "311>117"}]
    known = set().union(*greens(cambridge, timing))
    assert len(known) >= 4
    assert greens(cambridge, timing) == [one & known for one in wanted]
    assert found.notes == ("not read, since their links are not in the place: movements 1111",)


def test_movements_by_controller_and_phase_number_are_read(cambridge: Network, tmp_path: Path) -> None:
    """As the schema had it before: no timing_phase_id."""
    number = {"5": "1", "6": "2", "7": "6", "8": "8", "9": "5"}
    head, *rows = TABLES["signal_phase_mvmt"].splitlines()
    assert head.startswith("signal_phase_mvmt_id,timing_phase_id")
    older = ["signal_phase_mvmt_id,controller_id,signal_phase_num,mvmt_id,link_id,protection"]
    older += [
        ",".join((id, "11", number[phase], *rest[:3])) for id, phase, *rest in (r.split(",") for r in rows)
    ]
    folder = tables(tmp_path / "older", signal_phase_mvmt="\n".join(older) + "\n")
    same = read_gmns(tables(tmp_path / "gmns"), cambridge)[0]
    assert read_gmns(folder, cambridge)[0][0].timings == same[0].timings


def test_an_offset_of_a_later_phase_is_that_of_the_first_stage(cambridge: Network, tmp_path: Path) -> None:
    plan = "timing_plan_id,controller_id,cycle_length,coord_phase,coord_ref_to,offset\n110,11,90,1,begin_of_green,50\n"
    found = read_gmns(tables(tmp_path / "gmns", signal_timing_plan=plan), cambridge)[0]
    assert found[0].timings["11"].offset == pytest.approx(50 - 44)


@pytest.mark.parametrize(
    ("table", "old", "new", "said"),
    [
        ("signal_timing_phase", "6,110,2,44,44", "6,110,2,20,44", "phase 2 has greens from 20 to 44 s"),
        (
            "signal_timing_phase",
            "7,110,6,44,44",
            "7,110,6,80,80",
            "ring 1 comes to barrier 1 .* before the other",
        ),
        ("signal_timing_plan", ",90", ",100", "cycle_length is 100 s, its phases add up to 105 s"),
        ("signal_phase_mvmt", "1112,5,", "1112,77,", "there is no timing_phase_id '77'"),
        ("signal_timing_plan", "2359,90\n", "2359,90\n110,12,,,90\n", "belongs to several controllers"),
    ],
)
def test_what_does_not_determine_a_plan_is_refused(
    cambridge: Network, tmp_path: Path, table: str, old: str, new: str, said: str
) -> None:
    assert old in TABLES[table]
    folder = tables(tmp_path / "gmns", **{table: TABLES[table].replace(old, new)})
    with pytest.raises(InputError, match=said):
        read_gmns(folder, cambridge)
