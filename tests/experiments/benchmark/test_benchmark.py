"""The benchmark: suites and folders as experiments, the table in four formats, rows measured elsewhere."""

from __future__ import annotations

import csv
import html.parser
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from denxanh.experiments.benchmark import suite as suites
from denxanh.experiments.benchmark.benchmark import TABLES, inputs_digest
from denxanh.experiments.benchmark.outside_rows import (
    OutsideRow,
    Source,
    read_source,
    sources_of,
    write_source,
)
from denxanh.experiments.benchmark.suite import define, find_suite
from denxanh.experiments.benchmark.table_files import (
    Benchmark,
    Span,
    difference,
    latex_escaped,
    outside_value,
)
from denxanh.experiments.definition.expand import expand
from denxanh.experiments.definition.experiment_file import read_experiment
from denxanh.experiments.results.pivot import LEGEND
from denxanh.networks import generated, list_places
from denxanh.networks.scenarios import open_scenario
from denxanh.sim.errors import InputError
from denxanh.sim.language.text import same
from denxanh.sim.run.provenance import hash_file


@pytest.fixture(scope="module")
def folder(tiny_place: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one scenario, as a user's copy of other benchmarks."""
    found = tmp_path_factory.mktemp("suite") / "others"
    (found / "tiny").mkdir(parents=True)
    for path in (tiny_place.net, tiny_place.routes, tiny_place.config):
        (found / "tiny" / path.name).write_bytes(path.read_bytes())
    return found


@pytest.fixture(scope="module")
def ran(folder: Path, cli: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    """One benchmark of that folder: two controllers, two seeds."""
    out = tmp_path_factory.mktemp("ran") / "out"
    arguments = ("-c", "program", "-c", "actuated", "--seeds", "2", "--jobs", "1", "--out", out)
    return cli("benchmark", folder, *arguments), out


def test_it_ends_in_four_formats_and_a_file_of_rows(ran: tuple[Any, Path]) -> None:
    done, out = ran
    assert done.returncode == 0, done.stderr
    assert all((out / name).is_file() for name in TABLES)
    with (out / "benchmark.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert [(row["controller"], row["place"], row["runs"]) for row in rows] == [
        ("program", "tiny", "2"),
        ("actuated", "tiny", "2"),
    ]
    shown = f"{float(rows[0]['delay_s']):.1f} ± {float(rows[0]['half_width_95_s']):.1f}"
    text = (out / "benchmark.md").read_text(encoding="utf-8")
    assert shown in text
    assert shown in done.stdout
    assert shown in (out / "benchmark.html").read_text(encoding="utf-8")
    assert shown.replace("±", r"$\pm$") in (out / "benchmark.tex").read_text(encoding="utf-8")
    digests = re.findall(r"`([0-9a-f]{64})`", text)
    assert len(digests) == 2  # the network and the routes
    own = read_source((out / "benchmark.toml").read_text(encoding="utf-8"), "benchmark.toml")
    assert own.rows[0].delay_s == float(rows[0]["delay_s"])
    assert own.rows[0].inputs == own.rows[1].inputs != ""


def test_the_same_call_runs_nothing_and_more_controllers_are_added(
    ran: tuple[Any, Path], folder: Path, cli: Callable[..., Any]
) -> None:
    _, out = ran
    more = (
        "-c",
        "program",
        "-c",
        "actuated",
        "-c",
        "max-pressure",
        "--seeds",
        "2",
        "--jobs",
        "1",
        "--out",
        out,
    )
    again = cli("benchmark", folder, *more)
    assert again.returncode == 0, again.stderr
    assert "6 runs, 4 done, 2 to do" in again.stdout + again.stderr
    assert "| max-pressure |" in (out / "benchmark.md").read_text(encoding="utf-8")


def test_the_latex_table_is_one_tabular_with_a_cell_for_each_controller(ran: tuple[Any, Path]) -> None:
    lines = (ran[1] / "benchmark.tex").read_text(encoding="utf-8").splitlines()
    rows = [line for line in lines if line.endswith(r"\\")]
    columns = next(line for line in lines if line.startswith(r"\begin{tabular}")).count(
        "r", len(r"\begin{tabular}")
    )
    assert len(rows) == 2
    assert all(row.count("&") == columns for row in rows)


def test_the_page_is_well_formed_and_in_two_languages(ran: tuple[Any, Path]) -> None:
    class Tags(html.parser.HTMLParser):
        def __init__(self) -> None:
            super().__init__()
            self.open: list[str] = []

        def handle_starttag(self, tag: str, attrs: Any) -> None:
            if tag not in ("meta", "input"):
                self.open.append(tag)

        def handle_endtag(self, tag: str) -> None:
            assert self.open.pop() == tag

    text = (ran[1] / "benchmark.html").read_text(encoding="utf-8")
    reader = Tags()
    reader.feed(text)
    assert reader.open == []
    assert 'lang="vi"' in text
    assert 'lang="en"' in text


def test_a_folder_without_scenarios_and_an_unknown_suite_get_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"holds no \.sumocfg"):
        find_suite(str(tmp_path))
    with pytest.raises(InputError, match=r"did you mean 'small'\? Or give a place, a \.sumocfg, or a folder"):
        find_suite("smal")
    for text in ("/no/such/file.sumocfg", "missing.sumocfg", "a.net.xml"):
        with pytest.raises(InputError, match=f"there is no file '{text}'"):
            find_suite(text)
    with pytest.raises(InputError, match=r"there is no file or folder '\./nowhere'"):
        find_suite("./nowhere")


def test_configurations_of_runs_are_no_scenarios_of_a_folder(tmp_path: Path, folder: Path) -> None:
    shutil.copytree(folder, tmp_path / "suite")
    run = tmp_path / "suite" / "denxanh-results" / "run"
    run.mkdir(parents=True)
    (run / "run.sumocfg").write_text("<configuration/>", encoding="utf-8")
    (run / "manifest.json").write_text("{}", encoding="utf-8")
    found = find_suite(str(tmp_path / "suite"))
    assert [name for name, _ in found.scenarios] == [name for name, _ in find_suite(str(folder)).scenarios]


def test_an_experiment_of_ones_own_is_not_overwritten(tmp_path: Path, folder: Path) -> None:
    (tmp_path / "experiment.toml").write_text('places = ["mine"]\n', encoding="utf-8")
    with pytest.raises(InputError, match="an experiment of yours"):
        define(find_suite(str(folder)), tmp_path)


def test_files_of_controllers_are_those_of_the_working_folder(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plan.json").write_text("{}", encoding="utf-8")
    define(find_suite(str(folder)), tmp_path / "out", controllers=["program", "fixed-time:plan=plan.json"])
    written = read_experiment(tmp_path / "out" / "experiment.toml")
    assert str(tmp_path / "plan.json") in str(written.controllers)


def test_every_suite_names_scenarios_that_there_are() -> None:
    known = {place.name for place in list_places()}
    for suite in suites.suites().values():
        for _, text in suite.scenarios:
            assert text in known or generated.read_name(text)


def test_a_generated_suite_becomes_an_experiment_with_its_networks_beside_it(tmp_path: Path) -> None:
    suite = suites.Suite("one", same("One"), (("generated/arterial:3",) * 2,), ("program",), (1,), 300)
    define(suite, tmp_path, days="same")
    experiment = expand(read_experiment(tmp_path / "experiment.toml"), tmp_path / "experiment.toml")
    (scenario,) = experiment.scenarios
    assert scenario.name == "generated/arterial:3"
    assert scenario.net.is_relative_to(tmp_path / "scenarios")
    assert experiment.resampling is None
    assert scenario.end - scenario.begin == 300


def test_a_benchmark_may_be_shorter_than_its_suite(tmp_path: Path) -> None:
    written = define(find_suite("vietnam"), tmp_path, seeds=(1,), duration=900.0)
    experiment = expand(read_experiment(tmp_path / "experiment.toml"), tmp_path / "experiment.toml")
    assert written.duration == 900.0
    assert {scenario.end - scenario.begin for scenario in experiment.scenarios} == {900.0}


def test_a_duration_that_is_none_gets_one_sentence(cli: Callable[..., Any], tmp_path: Path) -> None:
    done = cli("benchmark", "small", "--duration", "soon", "--out", tmp_path / "out")
    assert done.returncode == 2
    assert "not a duration" in done.stderr


def test_the_digest_of_inputs_follows_the_files_and_not_their_names(folder: Path, tmp_path: Path) -> None:
    first = open_scenario(str(folder / "tiny"))
    for path in first.inputs():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    moved = open_scenario(f"{tmp_path / first.net.name}+{tmp_path / first.routes[0].name}", end=300)
    assert inputs_digest(first) == inputs_digest(moved)
    (tmp_path / first.routes[0].name).write_text("<routes/>", encoding="utf-8")
    assert inputs_digest(first) != inputs_digest(moved)


def test_rows_measured_elsewhere_are_read_as_they_are_written() -> None:
    rows = (
        OutsideRow("cologne1", "ours", 20.0),
        OutsideRow("cologne1", 'a "b"', 21.5, 0.5, 3, 1, 2.0, 0.0, "ab"),
    )
    source = Source("T", "S", "https://example.org", "1.28.0", "As here.", rows)
    assert read_source(write_source(source), "x.toml") == source


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text.replace("delay_s = 20.0", 'delay_s = "20"'), "row 1: invalid delay_s: '20'"),
        (lambda text: text.replace("delay_s = 20.0", ""), "row 1: 'delay_s' is missing"),
        (lambda text: text.replace("delay_s", "delay"), "there is no key 'delay'"),
        (lambda text: text.replace("title", "tilte"), "there is no key 'tilte'"),
        (lambda text: text.replace('comparable = "As here."', ""), "the text 'comparable' is missing"),
        (lambda text: text + text[text.index("\n[[row]]") :], "given twice"),
        (lambda text: text[: text.index("[[row]]")], "it has no [[row]]"),
        (lambda text: text.replace('url = ""', 'url = "docs/benchmark.md"'), "give a web address"),
    ],
)
def test_a_wrong_file_of_rows_gets_one_sentence(change: Callable[[str], str], message: str) -> None:
    text = write_source(Source("T", "S", "", "1", "As here.", (OutsideRow("x", "y", 20.0),)))
    with pytest.raises(InputError) as caught:
        read_source(change(text), "x.toml")
    assert message in str(caught.value)


def test_the_published_values_of_resco_are_there_with_their_source() -> None:
    (found,) = (one for one in sources_of(["cologne1"]) if one.title.startswith("RESCO"))
    assert {row.controller: row.delay_s for row in found.rows}["IDQN"] == 28.9
    assert "Not one to one" in found.comparable


def test_there_is_a_row_for_each_cell_of_the_small_suite() -> None:
    small = suites.suites()["small"]
    names = [name for name, _ in small.scenarios]
    (found,) = (one for one in sources_of(names) if one.title.startswith("denxanh"))
    cells = {(name, controller) for name in names for controller in small.controllers}
    assert {(row.scenario, row.controller) for row in found.rows} == cells
    assert all(re.fullmatch("[0-9a-f]{64}", row.inputs) for row in found.rows)


def test_one_place_is_a_suite(folder: Path) -> None:
    assert find_suite("ha-noi/pho-hue").scenarios == (("ha-noi/pho-hue", "ha-noi/pho-hue"),)
    path = next((folder / "tiny").glob("*.sumocfg"))
    assert find_suite(str(path)).scenarios == (("tiny", str(path.resolve())),)
    assert find_suite("generated/grid:1").scenarios == (("generated/grid:1", "generated/grid:1"),)


def test_the_window_is_written_and_that_of_runs_that_are_there_stays(tmp_path: Path, folder: Path) -> None:
    suite = find_suite(str(folder))
    define(suite, tmp_path, window=suites.Window("+2min", "auto", 30.0))
    written = read_experiment(tmp_path / "experiment.toml")
    experiment = expand(written, tmp_path / "experiment.toml")
    (scenario,) = experiment.scenarios
    assert scenario.end - scenario.begin == 120
    assert (written.warm_up, written.flush) == ("auto", 30.0)
    define(suite, tmp_path, controllers=["program"], window=suites.Window("+2min", "auto", 30.0))
    with pytest.raises(InputError, match="holds runs of other days, or of another window"):
        define(suite, tmp_path)
    with pytest.raises(InputError, match="holds runs of other days, or of another window"):
        define(suite, tmp_path, window=suites.Window("+2min", "auto", 30.0), days="same")


def test_building_networks_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generated, "build", lambda kind, seed, out: out.mkdir(parents=True))
    two = tuple((name, name) for name in ("generated/grid:1", "ha-noi/pho-hue", "generated/random:2"))
    told: list[str] = []
    suite = suites.Suite("two", same("Two"), two, ("program",), (1,), 300)
    define(suite, tmp_path, on_message=told.append)
    assert told == [
        "building network 1 of 2: generated/grid:1",
        "building network 2 of 2: generated/random:2",
    ]
    define(suite, tmp_path, on_message=told.append)
    assert len(told) == 2


def test_the_window_and_every_mark_are_explained_where_the_table_is(ran: tuple[Any, Path]) -> None:
    done, out = ran
    text = (out / "benchmark.md").read_text(encoding="utf-8")
    tex = (out / "benchmark.tex").read_text(encoding="utf-8")
    visible = "\n".join(line for line in tex.splitlines() if not line.startswith("%"))
    assert "Measured is the whole run, without warm-up and flush" in text
    assert "Measured is the whole run, without warm-up and flush" in visible
    assert "Measured is the whole run, without warm-up and flush" in done.stdout
    page = (Path(__file__).resolve().parents[3] / "docs" / "benchmark.md").read_text(encoding="utf-8")
    for mark, meaning in LEGEND:
        assert f"| {mark} | {meaning} |" in text
        assert f"{mark}: {latex_escaped(meaning)}" in visible
        assert f"| `{mark}` |" in page
    assert "before:" not in done.stdout
    assert "next:" not in done.stdout


def test_a_gain_has_a_column_in_latex_and_its_unit_in_csv(ran: tuple[Any, Path]) -> None:
    _, out = ran
    tex = (out / "benchmark.tex").read_text(encoding="utf-8")
    head = next(line for line in tex.splitlines() if line.startswith("scenario"))
    assert head.startswith(r"scenario & program & actuated & over the existing plan, \%")
    with (out / "benchmark.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert rows[0]["gain_existing_s"] == rows[0]["gain_existing_per_cent"] == ""
    program, actuated = (float(row["delay_s"]) for row in rows[:2])
    assert float(rows[1]["gain_existing_s"]) == pytest.approx(program - actuated)
    assert float(rows[1]["gain_existing_per_cent"]) == pytest.approx(100 * (program - actuated) / program)


def test_a_row_from_elsewhere_counts_as_the_same_scenario_only_by_its_files_and_times() -> None:
    span = Span("ab", "cd", 0.0, 900.0)
    shown = Benchmark(
        suites.suites()["small"],
        "each",
        None,
        (),
        {"x": span},
        (),
        (),
        {},
        "",  # type: ignore[arg-type]
    )
    for row, expected in (
        (OutsideRow("x", "c", 1.0), "other files"),  # by its name alone
        (OutsideRow("x", "c", 1.0, inputs="ab"), None),
        (OutsideRow("x", "c", 1.0, inputs="ee"), "other files"),
        (OutsideRow("x", "c", 1.0, inputs="ab", begin=0.0, end=3600.0), "other times"),
        (OutsideRow("x", "c", 1.0, network="cd", begin=0.0, end=900.0), None),
        (OutsideRow("x", "c", 1.0, network="cd"), "other files"),
        (OutsideRow("x", "c", 1.0, network="ee", begin=0.0, end=900.0), "other files"),
        (OutsideRow("x", "c", 1.0, network="cd", begin=0.0, end=3600.0), "other times"),
    ):
        found = difference(shown, row)
        assert (None if found is None else found.en) == expected, row


def test_a_row_from_elsewhere_has_the_marks_of_what_it_tells() -> None:
    row = OutsideRow("x", "c", 20.0, 0.5, 3, 1, 2.0, 1.5, fallbacks=1.0, unfinished=0.26, limited=1, failed=1)
    assert outside_value(row) == "20.0 ± 0.5 u1.5 t2 f1 x1 l1 g1/3 r26%"
    assert outside_value(OutsideRow("x", "c", 20.0)) == "20.0"


def test_the_rows_of_resco_are_those_of_its_files(resco: Callable[[str], Path]) -> None:
    (found,) = (one for one in sources_of(["cologne1"]) if one.title.startswith("RESCO"))
    scenario = open_scenario(str(resco("cologne1")))
    assert all(row.network == hash_file(scenario.net) for row in found.rows)
    assert {(row.begin, row.end) for row in found.rows} == {(scenario.begin, scenario.end)}
