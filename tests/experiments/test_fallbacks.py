"""Controllers that fall back to their plan: every comparison names them, and none judges them."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest

import denxanh as dx
from denxanh.experiments.benchmark.benchmark_page import page
from denxanh.experiments.benchmark.suite import suites
from denxanh.experiments.benchmark.table_files import Benchmark, latex_text, markdown_text
from denxanh.experiments.cli import printing
from denxanh.experiments.report.decision.recommendation import recommend
from denxanh.experiments.results.pivot import markdown, pivot
from denxanh.experiments.results.statistics_file import experiment_statistics
from denxanh.experiments.results.summary import groups, headline
from denxanh.experiments.runs.fallbacks import fallback_flags
from denxanh.experiments.runs.run_row import RunRow


@dataclass(frozen=True)
class Bad:
    """Asks for a phase that there is not."""

    name: ClassVar[str] = "bad"
    sees: ClassVar[frozenset[str]] = frozenset()
    phase: int = 17

    def start(self, network: dx.Network) -> dict[str, Any]:
        """The same policy everywhere."""
        return dict.fromkeys(network.intersections, self._decide)

    def _decide(self, seen: dx.Observation) -> dx.Green:
        return dx.Green(self.phase, 10.0)


@pytest.fixture(scope="module")
def study(tiny_place: Any, tmp_path_factory: pytest.TempPathFactory) -> dx.Comparison:
    """The program, and a controller of which every run is the program's."""
    tiny = dx.open_scenario(tiny_place.config, end=120)
    out = tmp_path_factory.mktemp("fallen") / "out"
    return dx.compare(tiny, ["program", Bad()], seeds=2, days="same", out=out, jobs=1, warm_up=0.0)


def test_the_verdict_of_a_controller_that_fell_back_names_it_and_judges_nothing(study: dx.Comparison) -> None:
    (said,) = study.verdicts
    assert "no verdict against program" in said
    assert "fell back to its plan in 2 of 2 runs" in said
    assert "asked for phase 17; there are 0…" in said
    assert "identical" not in said
    assert any("asked for phase 17" in one for one in study.warnings)


def test_the_files_say_it_too(study: dx.Comparison) -> None:
    with (study.folder / "summary.csv").open(encoding="utf-8") as stream:
        rows = [row for row in csv.DictReader(stream) if row["controller"].startswith("bad")]
    of_delay = next(row for row in rows if row["metric"] == "delay_s")
    assert "fell back to its plan in 2 of 2 runs" in of_delay["verdict"]
    (group,) = experiment_statistics(study.rows, ["delay_s"])["groups"]
    assert "no verdict" in json.dumps(group["pairs"])
    assert "asked for phase 17" in study.report.read_text(encoding="utf-8")


def test_the_terminal_says_it_and_recommends_nothing(
    study: dx.Comparison, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines: list[str] = []
    monkeypatch.setattr(printing.out, "print", lambda text: lines.append(str(text)))
    scenario = dx.open_scenario("ha-noi/pho-hue")
    monkeypatch.setattr("denxanh.experiments.report.decision.conclusions.conclusions", lambda *_: [])
    printing.print_comparison(scenario, study.rows, study.folder, study.report)
    assert any(line.startswith("flagged: bad") and "asked for phase 17" in line for line in lines)
    assert recommend(groups(study.rows)[0], assumed_plan=False) is None


def test_a_table_names_it_and_marks_no_such_cell(study: dx.Comparison) -> None:
    table = pivot(study.rows)
    cell = next(c for n, (c,) in zip(table.controllers, table.cells, strict=True) if n.startswith("bad"))
    assert not cell.best
    assert not cell.possible
    assert cell.over_existing is None
    assert "**Flagged**: bad" in markdown(table)


def test_every_file_of_a_benchmark_names_it(study: dx.Comparison) -> None:
    table = pivot(study.rows)
    shown = Benchmark(
        suites()["small"], "same", table, (), {}, (), (), {"denxanh": "1", "sumo": "1", "platform": "p"}, "",
        fallen=tuple(fallback_flags(study.rows)),
    )  # fmt: skip
    for text in (markdown_text(shown), latex_text(shown), page(shown)):
        assert "fell back to its plan in 2 of 2 runs" in text
        assert "asked for phase 17" in text


def row(controller: str, seed: int, delay: float, fallbacks: int = 0, folder: Path | None = None) -> RunRow:
    """A complete run."""
    metrics = {"delay_s": delay, "fallbacks": fallbacks, "loaded": 100, "running": 0}
    return RunRow("p", controller, seed, metrics=metrics, folder=folder)


def test_one_run_of_many_is_enough_and_others_are_judged_as_before() -> None:
    delays = {
        "program": [30.0, 31.0, 29.0, 30.5],
        "good": [20.0, 21.5, 19.0, 20.5],
        "bad": [10.0, 11.0, 9.0, 10.0],
    }
    rows = [
        row(name, seed, value, fallbacks=int(name == "bad" and seed == 3))
        for name, values in delays.items()
        for seed, value in enumerate(values, 1)
    ]
    said = [english for english, _ in headline(rows)]
    assert said[0].endswith("better.")
    assert "bad fell back to its plan in 1 of 4 runs" in said[1]
    assert "better" not in said[1]
    found = recommend(groups(rows)[0], assumed_plan=False)
    assert found is not None
    assert found.candidate == "good"
    assert [flag.vi for flag in fallback_flags(rows)] == [
        "bad phải về phương án cố định ở 1 trên 4 lượt chạy"
    ]
