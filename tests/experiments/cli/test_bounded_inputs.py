"""Every number and file of a user is bounded: one sentence, before time or memory is spent."""

from __future__ import annotations

import bz2
import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import denxanh as dx
from denxanh.controllers.registry import make_controller
from denxanh.experiments.cli.app import app
from denxanh.experiments.definition.expand import expand
from denxanh.experiments.definition.experiment_file import read_experiment
from denxanh.networks.counts.count_form import HEAD, form_rows, read
from denxanh.sim.demand.demand_reader import read_demand
from denxanh.sim.errors import DenxanhError, InputError
from denxanh.sim.input import limits
from denxanh.sim.network import Network
from denxanh.sim.network_reader import network_of
from denxanh.sim.sumo.xmlfile import check_unpacked, parse, scan

DIGITS = "9" * 5000
DEEP = "<a>" * 100_000
LONG = "n" * 100_000


def said(error: BaseException | None) -> str:
    assert isinstance(error, DenxanhError), repr(error)
    text = str(error)
    assert len(text) < 2500
    assert "Traceback" not in text
    return text


def refused(*arguments: str | Path) -> str:
    """What the command line says; a usage error of an option is printed by typer with status 2."""
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if isinstance(done.exception, SystemExit):
        assert done.exit_code == 2, done.output
        return done.output
    return said(done.exception)


OPTIONS = [
    ("run", "--seed", "2147483648"),
    ("run", "--seed", "-1"),
    ("run", "--seed", DIGITS),
    ("run", "--end", "nan"),
    ("run", "--end", "inf"),
    ("run", "--end", "1e12"),
    ("run", "--end", "-1"),
    ("run", "--end", DIGITS),
    ("run", "--limit", "nan"),
    ("run", "--limit", "inf"),
    ("run", "--warm-up", "nan"),
    ("run", "--warm-up", "1e300"),
    ("run", "--lateral-resolution", "nan"),
    ("run", "--lateral-resolution", "1e9"),
    ("run", "--safety", "min_green=nan"),
    ("run", "--safety", "yellow=1e9"),
    ("run", "--safety", f"max_red={DIGITS}"),
    ("run", "--sensing", "ideal:range_m=nan"),
    ("run", "--sensing", "ideal:range_m=1e9"),
    ("run", "--sensing", "loops:latency=1e9"),
    ("run", "--sensing", f"camera:noise={DIGITS}"),
    ("run", "--sensing", LONG),
    ("run", "-c", LONG),
    ("run", "-c", "max-pressure:interval=nan"),
    ("run", "-c", "max-pressure:interval=1e300"),
    ("run", "-c", f"max-pressure:interval={DIGITS}"),
    ("run", "-c", "predictive:guesses=100000000"),
    ("run", "-c", "predictive:rounds=1000000"),
    ("run", "-c", "predictive:horizon=1000000000"),
    ("run", "-c", f"predictive:keep={DIGITS}"),
    ("run", "-c", "rolling-horizon:rounds=100000000"),
    ("run", "-c", "sotl:platoon=100000000000000000000"),
    ("run", "-c", f"priority:over={LONG}"),
    ("compare", "--seeds", "100000000"),
    ("compare", "--seeds", DIGITS),
    ("compare", "--seeds", f"1,{DIGITS}"),
    ("compare", "--seeds", "1,4294967296"),
    ("compare", "--seeds", ",".join(map(str, range(100_001)))),
    ("compare", "--jobs", "100000000"),
    ("compare", "--jobs", "-1"),
    ("optimize", "--budget", "nan"),
    ("optimize", "--budget", "inf"),
    ("optimize", "--budget", "1e300"),
    ("optimize", "--day", "100000000"),
    ("optimize", "--day-period", "nan"),
    ("optimize", "--demand-samples", "100000000"),
    ("optimize", "--demand-scale", "1,nan"),
    ("optimize", "--demand-scale", "1,1e9"),
    ("optimize", "--demand-scale", ",".join(["1", *(f"0.{k}" for k in range(1000, 2100))])),
    ("optimize", "--seeds", "100000001"),
    ("optimize", "--green", f"A0:1={DIGITS}-"),
    ("optimize", "--green", f"A0:{DIGITS}=5-10"),
    ("optimize", "--green", "A0:²=5-10"),
    ("optimize", "--objective", f"delay + {DIGITS}*stops"),
    ("optimize", "--objective", "delay + nan*stops"),
]


@pytest.mark.parametrize(("command", "option", "value"), OPTIONS, ids=lambda text: text[:30])
def test_a_number_on_the_command_line(tiny_place: Any, command: str, option: str, value: str) -> None:
    config = tiny_place.config
    more = () if option == "-c" or command == "optimize" else ("-c", "program")
    more += ("-c", "actuated") if command == "compare" else ()
    assert refused(command, config, *more, option, value)


@pytest.mark.parametrize(
    "arguments",
    [
        ("run", LONG, "-c", "program"),
        ("run", f"{LONG}.net.xml+{LONG}.rou.xml", "-c", "program"),
        ("run", f"ha-noi/pho-hue@{DIGITS}", "-c", "program"),
        ("run", f"ha-noi/pho-hue@{DIGITS}:00", "-c", "program"),
        ("places", f"ha-noi/pho-hue:{DIGITS}"),
        ("places", "--seeds", "100000000"),
        ("check", LONG),
        ("calibrate", "saturation", "--seeds", "100000000"),
        ("calibrate", "saturation", "--jobs", "100000000"),
        ("experiment", LONG),
        ("experiment", "x.toml", "--shard", f"1/{DIGITS}"),
        ("import", "osm", "x.osm", LONG, "--bbox", "nan,nan,nan,nan"),
        ("import", "osm", "x.osm", "x", "--saturation", "nan"),
        ("import", "osm", "x.osm", "x", "--seed", "99999999999"),
        ("import", "osm", "x.osm", "x", "--mix", LONG),
        ("verify", "x", "--sample", DIGITS),
        ("verify", "x", "--limit", "nan"),
        ("table", "x", "--metric", LONG),
    ],
    ids=lambda arguments: " ".join(arguments)[:50],
)
def test_a_name_or_number_of_other_commands(
    arguments: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("x.osm").write_text("<osm/>")
    done = CliRunner().invoke(app, list(arguments))
    if isinstance(done.exception, OSError):  # the command line makes a sentence of it
        assert done.exception.strerror
    elif not isinstance(done.exception, SystemExit):
        said(done.exception)
    assert done.exit_code != 0


EXPERIMENT = 'places = ["{place}"]\n'
FILES = {
    "levels": 'controllers = [{name = "max-pressure", interval = {from = 1.0, to = 2.0, levels = 1_000_000_000}}]',
    "whole range": 'controllers = [{name = "max-pressure", interval = {from = 1, to = 1_000_000_000}}]',
    "huge range": 'controllers = [{name = "max-pressure", interval = {from = 1, to = 9_000_000_000_000_000_000}}]',
    "grid": "controllers = [{name = 'max-pressure', "
    + ", ".join(
        f"{key} = {{from = 1.0, to = 2.0, levels = 200}}" for key in ("interval", "near", "downstream")
    )
    + "}]",
    "points": 'controllers = [{name = "max-pressure", interval = {from = 1.0, to = 2.0}}]\n'
    'design = {method = "sobol", points = 1_073_741_824}',
    "runs": "controllers = [{name = 'max-pressure', interval = {from = 1.0, to = 9.0, levels = 2000}}]\n"
    "seeds = 100000",
    "seeds": 'controllers = ["program"]\nseeds = 200_000_000',
    "seed": 'controllers = ["program"]\nseeds = [4_294_967_296]',
    "digits": f'controllers = ["program"]\nseeds = {DIGITS}',
    "hexadecimal": f'controllers = ["program"]\nseeds = 0x{"f" * 50_000}',
    "nan": 'controllers = ["program"]\nend = nan',
    "inf": 'controllers = ["program"]\ndemand = [inf]',
    "demand": 'controllers = ["program"]\ndemand = [1e9]',
    "end": 'controllers = ["program"]\nend = 1e15',
    "warm-up": 'controllers = ["program"]\nwarm_up = 1e300',
    "memory": 'controllers = ["program"]\nlimits = {memory_mb = 1_000_000_000_000_000}',
    "disk": 'controllers = ["program"]\nlimits = {disk_mb = 1_000_000_000_000_000}',
    "wall": 'controllers = ["program"]\nlimits = {wall = inf}',
    "max": 'controllers = ["program"]\nstop = {half_width = 0.05, max = 100_000_000}',
    "jitter": 'controllers = ["program"]\nresample = {method = "jitter", sd = 1e300}',
    "parameter": 'controllers = [{name = "predictive", guesses = 100_000_000}]',
    "event": 'controllers = ["program"]\n[[events]]\nkind = "surge"\nbegin = 0.0\nend = 100.0\nfactor = 1e9',
    "event time": 'controllers = ["program"]\n[[events]]\nkind = "rain"\nbegin = nan\nend = 100.0',
    "motorcade": 'controllers = ["program"]\n[[events]]\nkind = "motorcade"\nbegin = 0.0\nedges = ["A0B0"]\n'
    "vehicles = 100_000_000",
    "brackets": f"controllers = {'[' * 50_000}",
    "braces": f"controllers = {'{a=' * 50_000}",
    "dotted": f"controllers = ['program']\n{'a.' * 20_000}a = 1",
    "dotted quoted": "controllers = ['program']\n" + '"a" . ' * 20_000 + "a = 1",
    "dotted inline": f"controllers = ['program']\nx = {{{'a.' * 20_000}a = 1}}",
    "size": f'controllers = ["program"]\n# {"x" * 2_000_000}',
    "errors": f"controllers = [{'1, ' * 20_000}]",
    "long name": f'controllers = ["{LONG}"]',
    "null": 'controllers = ["program\\u0000"]',
    "sensing": 'controllers = ["max-pressure"]\nsensing = ["loops:outage=1e300"]',
}


@pytest.mark.parametrize("name", FILES)
def test_an_experiment_file(name: str, tiny_place: Any, tmp_path: Path) -> None:
    path = tmp_path / "experiment.toml"
    place = tiny_place.config
    path.write_text(EXPERIMENT.format(place=place) + FILES[name], encoding="utf-8")
    with pytest.raises(InputError) as caught:
        expand(read_experiment(path), path)
    assert str(path) in said(caught.value)


def bomb(path: Path) -> Path:
    """64 MB of spaces in 64 kB."""
    with gzip.open(path, "wb") as stream:
        stream.write(b"<routes>")
        for _ in range(16):
            stream.write(b" " * (4 << 20))
        stream.write(b"</routes>")
    return path


class Nothing:
    """Takes the elements of a file."""

    line: Callable[[], int]

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """An element begins."""

    def end(self, tag: str) -> None:
        """It ends."""


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return bomb(tmp_path_factory.mktemp("bomb") / "routes.rou.xml.gz")


def test_a_packed_file_that_fills_the_memory(packed: Path, tiny_place: Any) -> None:
    for attempt in (
        lambda: parse(packed, kind="route file"),
        lambda: scan(packed, Nothing(), kind="route file"),
        lambda: check_unpacked(packed, kind="route file"),
        lambda: dx.open_scenario(f"{tiny_place.net}+{packed}"),
    ):
        with pytest.raises(InputError, match="unpacks to more than 100 times"):
            attempt()


def test_what_is_packed_well_is_read(tmp_path: Path) -> None:
    path = tmp_path / "routes.rou.xml.gz"
    rows = b"".join(b'<vehicle id="%d" depart="%d"/>' % (k, k) for k in range(20_000))
    path.write_bytes(gzip.compress(b"<routes>" + rows + b"</routes>"))
    assert len(parse(path, kind="route file")) == 20_000


@pytest.mark.parametrize("ending", ["osm.gz", "osm.bz2"])
def test_a_packed_extract(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"town.{ending}"
    pack = gzip.compress if ending.endswith("gz") else bz2.compress
    path.write_bytes(pack(b"<osm>" + b" " * (32 << 20) + b"</osm>", 9))
    assert "unpacks to more than 100 times" in refused(
        "import", "osm", path, "--name", "town", "--out", tmp_path / "town"
    )


@pytest.mark.parametrize(
    ("kind", "name"), [("opendrive", "a.xodr.gz"), ("matsim", "a.xml.gz"), ("plain", "a.nod.xml.gz")]
)
def test_a_packed_network_of_another_format(kind: str, name: str, packed: Path, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(packed.read_bytes())
    assert "unpacks to more than 100 times" in refused(
        "import", kind, path, "--name", "town", "--out", tmp_path / "town"
    )


@pytest.mark.parametrize(
    "reader", [lambda p: parse(p, kind="file"), lambda p: scan(p, Nothing(), kind="file")]
)
def test_deep_elements(reader: Callable[[Path], object], tmp_path: Path) -> None:
    path = tmp_path / "deep.xml"
    path.write_text(f"<a>{DEEP}{DEEP.replace('<', '</')}</a>", encoding="utf-8")
    with pytest.raises(InputError, match="nest deeper than 100 levels"):
        reader(path)
    path.write_text("<a>" * 99 + "</a>" * 99, encoding="utf-8")
    reader(path)


def test_a_configuration_of_many_megabytes(tiny_place: Any, tmp_path: Path) -> None:
    path = tmp_path / "a.sumocfg"
    path.write_text(f"<configuration><!--{'x' * (17 << 20)}--></configuration>", encoding="utf-8")
    with pytest.raises(InputError, match="more than 16 MB"):
        dx.open_scenario(path)


@pytest.mark.parametrize(
    "options",
    [
        '<scale value="1e9"/>',
        '<scale value="nan"/>',
        '<end value="1e15"/>',
        '<end value="nan"/>',
        f'<end value="{DIGITS}"/>',
        '<begin value="inf"/>',
        '<step-length value="1e-320"/>',
        f'<max-num-vehicles value="{DIGITS}"/>',
    ],
)
def test_a_number_in_a_configuration(options: str, tiny_place: Any, tmp_path: Path) -> None:
    files = f'<net-file value="{tiny_place.net}"/><route-files value="{tiny_place.routes}"/>'
    path = tmp_path / "a.sumocfg"
    path.write_text(f"<configuration>{files}{options}</configuration>", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        dx.open_scenario(path)
    said(caught.value)


JSON = {
    "deep": "[" * 100_000,
    "digits": f"[{DIGITS}]",
    "nan": '{"schema": NaN}',
    "huge": '{"schema": 1e999}',
    "not UTF-8": b"\xff\xfe",
    "text": "9" * 200_000,
}


@pytest.fixture(scope="module")
def network(tiny_place: Any) -> Network:
    return network_of(dx.open_scenario(tiny_place.config))


def started(name: str, parameter: str, path: Path, network: Network) -> None:
    """A controller that reads its file."""
    controller: Any = make_controller(name, {parameter: str(path)})
    controller.start(network) if name == "police" else controller.make_plan(network)


@pytest.mark.parametrize(
    ("controller", "parameter"), [("fixed-time", "plan"), ("time-of-day", "schedule"), ("police", "orders")]
)
@pytest.mark.parametrize("name", JSON)
def test_a_json_file_of_a_controller(
    name: str, controller: str, parameter: str, network: Network, tmp_path: Path
) -> None:
    path = tmp_path / "file.json"
    content = JSON[name]
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError, match=r"file\.json") as caught:
        started(controller, parameter, path, network)
    said(caught.value)


def test_a_json_file_of_many_megabytes(network: Network, tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    with path.open("wb") as stream:
        stream.truncate(limits.TEXT_BYTES + 1)
    with pytest.raises(InputError, match="more than 64 MB"):
        started("fixed-time", "plan", path, network)


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        *((-1, cell) for cell in ("100000000", DIGITS, "1e5", "nan", "²", "-5", "9" * 18)),
        *((HEAD.index("begin"), time) for time in (f"{DIGITS}:00", "9999:00", "nan:00", "²:00")),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_cell_of_a_count_form(column: int, cell: str, network: Network, tmp_path: Path) -> None:
    path = tmp_path / "form.csv"
    head, cells, *_ = form_rows(network, ["car"], 25200, 28800)
    cells[-1] = "5"
    cells[column] = cell
    path.write_text(f"{','.join(head)}\n{','.join(cells)}\n", encoding="utf-8")
    with pytest.raises(InputError, match="line 2"):
        read(path, network, ["car"])


@pytest.mark.parametrize(
    "routes",
    [
        '<route id="r" edges="left0A0 A0B0" repeat="1000000000"/>',
        f'<route id="r" edges="left0A0 A0B0" repeat="{DIGITS}"/>',
        '<vType id="t" scale="1e9"/>',
        '<vType id="t" scale="inf"/>',
        '<flow id="f" begin="0" end="100" from="left0A0" to="A0B0" number="100000000"/>',
        f'<flow id="f" begin="0" end="100" from="left0A0" to="A0B0" number="{DIGITS}"/>',
        '<flow id="f" begin="0" end="100" from="left0A0" to="A0B0" period="0.0000001"/>',
        '<flow id="f" begin="0" end="100" from="left0A0" to="A0B0" vehsPerHour="1e300"/>',
        '<vehicle id="v" depart="nan"><route edges="left0A0 A0B0"/></vehicle>',
        f'<vehicle id="v" depart="{DIGITS}"><route edges="left0A0 A0B0"/></vehicle>',
    ],
    ids=lambda text: text[:70],
)
def test_a_number_in_a_route_file(routes: str, tiny_place: Any, network: Network, tmp_path: Path) -> None:
    path = tmp_path / "a.rou.xml"
    path.write_text(f"<routes>{routes}</routes>", encoding="utf-8")
    with pytest.raises(InputError, match=r"a\.rou\.xml") as caught:
        read_demand((path,), network, 0.0, 100.0, net_file=tiny_place.net)
    said(caught.value)


def test_the_python_interface(tiny_place: Any) -> None:
    place = tiny_place.config
    calls: list[Callable[[], object]] = [
        lambda: dx.compare(place, ["program", "actuated"], seeds=10**9),
        lambda: dx.compare(place, ["program", "actuated"], seeds=range(10**9)),
        lambda: dx.compare(place, ["program", "actuated"], seeds=[2**31]),
        lambda: dx.compare(place, ["program", "actuated"], jobs=10**9),
        lambda: dx.compare(place, ["program", "actuated"], jobs=-1),
        lambda: dx.run(place, "program", seed=2**31),
        lambda: dx.run(place, "program", seed=-1),
        lambda: dx.run(place, "program", warm_up=float("nan")),
        lambda: dx.run(place, "program", limit=float("inf")),
        lambda: dx.optimize(place, seconds=float("nan")),
        lambda: dx.optimize(place, day=10**9),
        lambda: dx.optimize(place, seeds=10**9),
        lambda: dx.open_scenario(place, demand=float("nan")),
        lambda: dx.open_scenario(place, demand=10**400),
        lambda: dx.open_scenario(place, end=float("inf")),
        lambda: dx.open_scenario(place, end=1e12),
    ]
    for call in calls:
        with pytest.raises(InputError) as caught:
            call()
        said(caught.value)


def test_an_events_file(tiny_place: Any, tmp_path: Path) -> None:
    path = tmp_path / "events.toml"
    for text in (
        f"a = {'[' * 50_000}",
        f"a = {DIGITS}",
        f"{'a.' * 20_000}a = 1",
        '[[events]]\nkind = "rain"\nbegin = -inf\nend = 1',
    ):
        path.write_text(text, encoding="utf-8")
        assert "events.toml" in refused("run", tiny_place.config, "-c", "program", "--events", path)


def test_a_table_of_green_limits(tiny_place: Any, tmp_path: Path) -> None:
    path = tmp_path / "greens.csv"
    for row in (f"A0,1,{DIGITS},", "A0,1,nan,", "A0,1,,1e300", f"A0,{DIGITS},5,", f'A0,"{"x" * 200_000}",5,'):
        path.write_text(f"signal,stage,min_green,max_green\n{row}\n", encoding="utf-8")
        assert refused("optimize", tiny_place.config, "--greens", path)


def test_limits_are_numbers_with_a_reason() -> None:
    """Each is documented where it stands."""
    text = Path(limits.__file__).read_text("utf-8")
    for name in [n for n in vars(limits) if n.isupper()]:
        after = text.partition(f"\n{name} = ")[2].partition("\n")[2]
        assert after.startswith('"""'), f"{name} has no reason"
    assert json.dumps(limits.SEED) == "2147483647"
