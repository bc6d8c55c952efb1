"""The Python interface: the verbs, defaults and errors of the command line; controllers as objects."""

from __future__ import annotations

import doctest
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest

import denxanh as dx
from denxanh.experiments import interface
from denxanh.experiments.compare import specify_runs
from denxanh.experiments.specification.objects import name_of
from denxanh.experiments.specification.run_specification import pack, unpack
from denxanh.sim.run.store import read_manifest


@dataclass(frozen=True)
class InTurn:
    """The next phase, every so many seconds."""

    name: ClassVar[str] = "in-turn"
    sees: ClassVar[frozenset[str]] = frozenset()
    seconds: float = 20.0

    def start(self, network: dx.Network) -> dict[str, Any]:
        """The same policy everywhere."""
        return dict.fromkeys(network.intersections, self._decide)

    def _decide(self, seen: dx.Observation) -> dx.Green:
        return dx.Green((seen.phase + 1) % len(seen.intersection.phases), self.seconds)


@pytest.fixture
def tiny(tiny_place: Any) -> dx.Scenario:
    """A street with two signals for two minutes."""
    return dx.open_scenario(tiny_place.config, end=120)


def test_every_name_of_the_face_is_there_and_sorted() -> None:
    assert dx.__all__ == sorted(dx.__all__)
    for name in dx.__all__:
        assert getattr(dx, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'Webstre'"):
        _ = dx.Webstre


def test_the_examples_of_the_docstrings_run() -> None:
    for module in (dx, interface):
        found = doctest.testmod(module)
        assert found.attempted > 0
        assert found.failed == 0


def test_each_seed_of_a_comparison_has_its_own_day_the_same_for_all_controllers(tiny: dx.Scenario) -> None:
    study = dx.compare(tiny, ["program", "max-pressure:interval=20"], seeds=2)
    inputs = {
        (row.controller, row.seed): sorted(read_manifest(row.folder)["inputs_sha256"].values())
        for row in study.rows
    }
    assert inputs["program", 1] == inputs["max-pressure:interval=20", 1]
    assert inputs["program", 1] != inputs["program", 2]
    assert "each seed has a day of its own" in study.report.read_text("utf-8")
    assert "Assumed plan: nobody has confirmed" in study.report.read_text("utf-8")
    same = dx.compare(tiny, ["program"], seeds=2, days="same", plan_is_real=True)
    assert "Assumed plan" not in same.report.read_text("utf-8")
    assert len({str(sorted(read_manifest(row.folder)["inputs_sha256"].values())) for row in same.rows}) == 1
    assert "all seeds have the same vehicles" in same.report.read_text("utf-8")
    with pytest.raises(dx.InputError, match="invalid days"):
        dx.compare(tiny, ["program"], seeds=1, days="some")


def test_a_run_gives_metrics_and_tables_and_stays_where_it_was(tiny: dx.Scenario) -> None:
    before = Path.cwd()
    result = dx.run(tiny, "max-pressure:interval=20", seed=3, warm_up=10.0)
    assert Path.cwd() == before
    assert result.manifest["seed"] == 3
    assert result.manifest["warm_up_s"] == 10.0
    assert result.manifest["parameters"]["interval"] == 20.0
    assert len(result.table("vehicles")["id"]) > 30
    folder = result.folder
    del result
    assert not folder.exists()  # a temporary folder goes with its result


def test_an_object_gives_what_its_name_gives(tiny: dx.Scenario, tmp_path: Path) -> None:
    by_name, by_object = (
        dx.run(tiny, controller, out=tmp_path / str(k)).manifest
        for k, controller in enumerate(("max-pressure:interval=20", dx.MaxPressure(interval=20)))
    )
    assert by_object["tripinfo_sha256"] == by_name["tripinfo_sha256"]
    first, second = (
        specify_runs(tiny, [controller], [1])[0]
        for controller in ("max-pressure:interval=20", dx.MaxPressure(interval=20))
    )
    assert first.identity() == second.identity()


def test_an_own_class_is_compared_and_resumed(tiny: dx.Scenario, tmp_path: Path) -> None:
    study = dx.compare(tiny, ["program", InTurn(30.0), InTurn()], seeds=[1, 2], out=tmp_path / "out", jobs=2)
    assert [row.state for row in study.rows] == ["done"] * 6
    assert {row.controller for row in study.rows} == {"program", "in-turn:seconds=30", "in-turn"}
    assert len(study.verdicts) == 2
    assert study.report.is_file()
    assert list(study.results.where(controller="in-turn").runs["seed"]) == [1, 2]
    ran: list[str] = []
    dx.compare(
        tiny,
        ["program", InTurn(30.0), InTurn()],
        seeds=3,
        out=tmp_path / "out",
        on_progress=lambda id, outcome: ran.append(id),
    )
    assert len(ran) == 3  # one more seed of each


def test_a_ledger_keeps_the_digest_of_an_object_and_no_code(tiny: dx.Scenario) -> None:
    (run,) = specify_runs(tiny, [InTurn(25.0)], [1])
    text, _, scenario = pack(run)
    assert run.given in text
    assert unpack(text, scenario) == run
    assert name_of(InTurn(25.0))[2] == run.given
    assert name_of(InTurn(26.0))[2] != run.given
    lost = unpack(text.replace(run.given, "0" * 64), scenario)
    with pytest.raises(dx.InputError, match="given as an object in another session; give it again"):
        dx.experiments.runs.worker.job(lost, Path())


def test_optimize_returns_a_plan(tiny_place: Any) -> None:
    scenario = dx.open_scenario(tiny_place.config, end=100)
    result = dx.optimize(scenario, seconds=1.0, seeds=2, only="offsets", trust=False)
    assert isinstance(result.plan, dx.Plan)
    assert result.rows


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (
            lambda s: dx.run(s, "max-presure"),
            "there is no controller 'max-presure'; did you mean 'max-pressure'",
        ),
        (lambda s: dx.run(s, "program", warmup=5), "there is no option 'warmup'; did you mean 'warm_up'"),
        (lambda s: dx.run(s, InTurn), "InTurn is no controller.*give an instance: InTurn()"),
        (lambda s: dx.run(s, object()), "object is no controller"),
        (lambda s: dx.run(s, "program", backend="sumo"), "there is no backend 'sumo'"),
        (lambda s: dx.run(s, "program", safety="min_gren=3"), "min_gren"),
        (lambda s: dx.compare(s, ["program", InTurn(), InTurn()]), "'in-turn' is named twice"),
        (lambda s: dx.compare(s, ["program", "actuated"], seeds=0), "invalid seeds: 0"),
        (lambda s: dx.optimize(s, second=3), "there is no option 'second'; did you mean 'seconds'"),
        (lambda s: dx.open_scenario("ha-noi/pho-hu"), "did you mean 'ha-noi/pho-hue'"),
        (lambda s: dx.open_scenario(s.net, demand=0), "invalid demand: 0|a network alone"),
    ],
)
def test_errors_are_the_sentences_of_the_command_line(tiny: dx.Scenario, call: Any, sentence: str) -> None:
    with pytest.raises(dx.InputError, match=sentence):
        call(tiny)


def test_demand_scales_the_traffic(tiny_place: Any) -> None:
    full = dx.run(dx.open_scenario(tiny_place.config, end=120), "program", warm_up=0).metrics["loaded"]
    half = dx.run(dx.open_scenario(tiny_place.config, end=120, demand=0.5), "program", warm_up=0).metrics[
        "loaded"
    ]
    assert full is not None
    assert half is not None
    assert abs(half - full / 2) < 1.0
