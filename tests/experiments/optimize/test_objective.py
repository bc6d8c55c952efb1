"""What is minimised: read from the command line, guessed by the model, and told by SUMO."""

from pathlib import Path

import numpy as np
import pytest

from denxanh.experiments.optimize.evaluation.evaluator import SumoEvaluator
from denxanh.experiments.optimize.evaluation.measures import RunOutput
from denxanh.experiments.optimize.evaluation.race import Case
from denxanh.experiments.optimize.problem.objective import Objective, parse_objective, parse_pair
from denxanh.experiments.optimize.surrogate.predicted_measures import IDLE, predicted_cost
from denxanh.experiments.optimize.tuning_problem import ProblemOptions, TuningProblem, prepare_problem
from denxanh.sim.demand.equivalents import Equivalent
from denxanh.sim.errors import InputError, RunError
from denxanh.sim.plan import Plan
from denxanh.sim.scenario import Scenario


def test_a_weighted_sum_is_read_and_added_up():
    objective = parse_objective("delay + 3*stops")
    assert objective.cost(np.array([[10.0, 2.0], [12.0, 1.0]])).tolist() == [16, 15]
    assert objective.unit == "1"
    assert parse_objective("emissions").unit == "g/km"


def test_named_roads_are_read_and_everybody_elses_delay_is_not_forgotten():
    objective = parse_objective("queue: A1B1 ,-12#3+4 + 2*spillback:C")
    assert [t.name for t in objective.terms] == ["queue:A1B1,-12#3+4", "spillback:C", "delay"]
    assert [t.weight for t in objective.terms] == [1, 2, 0.1]
    assert [t.name for t in parse_objective("queue:A + stops").terms] == ["queue:A", "stops"]
    assert parse_objective("throughput").name == "throughput + 0.1*delay"


@pytest.mark.parametrize(
    "text", ["", "speed", "x*delay", "delay+", "nan*delay", "-1*delay", "queue", "delay:E1", "queue:,"]
)
def test_what_is_not_an_objective_is_refused(text: str):
    with pytest.raises(InputError, match="objective"):
        parse_objective(text)


def test_a_misspelt_objective_gets_the_nearest():
    with pytest.raises(InputError, match="did you mean 'emissions'"):
        parse_objective("emision")


def test_a_pair_is_split_between_objectives_and_not_between_roads():
    assert [o.name for o in parse_pair("delay, queue:A,B")] == ["delay", "queue:A,B + 0.1*delay"]
    with pytest.raises(InputError, match="is a single objective"):
        parse_pair("delay")
    with pytest.raises(InputError, match="did you mean 'stops'"):
        parse_pair("delay,stop")


@pytest.fixture(scope="module")
def place(tiny_place) -> TuningProblem:
    return prepare_problem(Scenario("tiny", tiny_place.net, (tiny_place.routes,), end=300.0), workers=2)


def test_the_model_guesses_and_sumo_tells_every_measure(place: TuningProblem):
    """One plan; the guess within a factor of 1.5 where the model knows the thing itself."""
    objective = parse_objective(
        "delay + delay-pcu + delay-person + stops + throughput + emissions + queue:left0A0 + spillback:left0A0"
    )
    own = place.space.existing()
    plans = place.surrogate.packer([own])
    guessed = [
        float(predicted_cost(Objective((t,)), place.surrogate.models, plans)[0]) for t in objective.terms
    ]
    told = place.evaluator.values([Plan({})], [Case(0, 1)], objective.terms)[0, 0]
    named = dict(zip([t.measure.name for t in objective.terms], zip(guessed, told, strict=True), strict=True))
    assert named["delay"] == named["delay-pcu"] == named["delay-person"]  # cars with a driver only
    for name in ("delay", "stops", "throughput", "emissions"):
        model, sumo = named[name]
        assert 1 / 1.5 < model / sumo < 1.5, name
    assert 5 <= named["queue"][1] <= 150
    assert 5 <= named["queue"][0] <= 150
    assert named["spillback"][1] == 0  # a queue of a few cars on a road of 150 m


def test_a_motorbike_counts_a_quarter_and_a_bus_its_passengers(place: TuningProblem, tmp_path: Path):
    rows = [("moto", 10.0), ("bus", 50.0)]
    body = "".join(
        f'<tripinfo id="{k}" vType="{t}" depart="0" departDelay="0" arrival="100" duration="100" routeLength="500"'
        f' waitingTime="0" waitingCount="1" stopTime="0" timeLoss="{lost}"/>'
        for k, (t, lost) in enumerate(rows)
    )
    (tmp_path / "tripinfo.xml").write_text(f"<tripinfos>{body}</tripinfos>")
    known = {"moto": Equivalent(0.25, 1.0), "bus": Equivalent(2.5, 39.0)}
    run = RunOutput(tmp_path, place.evaluator.scenarios[0], place.network, known)
    terms = parse_objective("delay + delay-pcu + delay-person").terms
    assert run.values(terms) == pytest.approx([30, (2.5 + 125) / 2.75, (10 + 39 * 50) / 40])


def test_standing_costs_what_the_model_of_emissions_says(place: TuningProblem):
    """Two plans of equal stops and other delay: CO2 differs by the idle rate over the way driven."""
    objective = parse_objective("emissions")
    plans = place.surrogate.packer([place.space.existing()])
    model = place.surrogate.models[0]
    table = model.evaluate(plans)
    slower = table + np.array([[10.0, 0, 0, 0, 0, 0, 0]])
    guess = [
        predicted_cost(objective, [_Fixed(model, m)], plans)[0]  # type: ignore[list-item]
        for m in (table, slower)
    ]
    km = sum(place.network.edges[e].length for e in ("left0A0", "A0B0", "B0right0")) / 1000
    assert (guess[1] - guess[0]) * 0.5 * km < 10 * IDLE < (guess[1] - guess[0]) * 2 * km


class _Fixed:
    """A model whose metrics are given."""

    def __init__(self, model, metrics) -> None:
        self.network, self.demand, self.begin, self.end = model.network, model.demand, model.begin, model.end
        self.metrics = metrics

    def evaluate(self, plans, threads=None):
        return self.metrics


def test_a_road_that_is_not_there_is_named_with_the_nearest(place: TuningProblem):
    with pytest.raises(InputError, match="did you mean 'left0A0'"):
        prepare_problem(
            place.evaluator.scenarios[0], ProblemOptions(objective=parse_objective("queue:left0A"))
        )


def test_an_interrupt_ends_the_runs_at_once(place: TuningProblem, monkeypatch: pytest.MonkeyPatch):
    started = []

    def job(self, program, case, what, terms, stop):
        started.append(case.seed)
        if case.seed == 1:
            raise KeyboardInterrupt
        stop.wait(30)
        raise RunError("stopped")

    monkeypatch.setattr(SumoEvaluator, "_job", job)
    with pytest.raises(KeyboardInterrupt):
        place.evaluator([Plan({})], [Case(0, seed) for seed in (1, 2, 3, 4, 5, 6)])
    assert len(started) < 6
