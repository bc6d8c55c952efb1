"""What plots are drawn from: the runs of one place of an experiment, and what its report says of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from denxanh.experiments.report import figures
from denxanh.experiments.report.comparison_report import comparison_of
from denxanh.experiments.report.contents import Comparison, ScenarioResults
from denxanh.experiments.report.drawing.colour import Style
from denxanh.experiments.report.figures import FigureInputs
from denxanh.experiments.report.pictures.recorded import recording_of
from denxanh.experiments.results.load import LEDGER
from denxanh.experiments.results.run_scenarios import read_scenarios
from denxanh.experiments.runs.ledger import Ledger
from denxanh.experiments.runs.run_row import RunRow
from denxanh.experiments.specification.controllers import make_controller
from denxanh.sim.errors import InputError
from denxanh.sim.language.text import Text
from denxanh.sim.network import Network
from denxanh.sim.run.preparation import prepare_network
from denxanh.sim.run.recording import Recording
from denxanh.sim.signals.rules import Rules
from denxanh.sim.text_values import did_you_mean


@dataclass(frozen=True)
class PlotSource:
    """The finished runs of one place; ``controller`` is the one that plots of a single run show."""

    folder: Path
    comparison: Comparison
    scenario: ScenarioResults
    controller: str

    @cached_property
    def inputs(self) -> FigureInputs:
        """The tables of the runs, as the report reads them."""
        return figures.read(self.comparison, self.scenario)

    @cached_property
    def styles(self) -> dict[str, Style]:
        """The style of each controller, as in the report."""
        return self.inputs.styles()

    def runs(self, controller: str) -> tuple[RunRow, ...]:
        """The finished runs of a controller, by seed."""
        return self.comparison.runs_of(self.scenario.place, controller)

    @cached_property
    def first(self) -> RunRow:
        """The first run of ``controller``."""
        return self.runs(self.controller)[0]

    @property
    def label(self) -> Text:
        """The label of ``controller``."""
        return self.inputs.label(self.controller)

    @cached_property
    def recording(self) -> Recording:
        """The first run of ``controller``, simulated again."""
        return recording_of(self.first, self._own_network())

    @cached_property
    def network(self) -> Network:
        """The network under the plan of ``controller`` where it makes one, else under the network's own programs."""
        with Ledger(self.folder / LEDGER, read_only=True) as ledger:
            run = ledger.specification(self.first.id)
        if run.given:  # an object of the user's: its plan is not read
            return self._own_network()
        controller = make_controller(run.controller, run.arguments)
        return prepare_network(run.simulated(), controller, Rules(**run.options.safety))

    def _own_network(self) -> Network:
        if self.scenario.network is None:
            raise InputError("the network is not on this machine", location=str(self.folder))
        return self.scenario.network


def open_source(folder: Path, *, place: str | None = None, controller: str | None = None) -> PlotSource:
    """The runs of one place, by default the first; ``controller`` by default the baseline.

    Raises InputError where there are none, or no such place or controller.
    """
    with Ledger(folder / LEDGER, read_only=True) as ledger:
        rows = list(ledger.rows())
        scenarios = read_scenarios(ledger, rows, folder)
    comparison = comparison_of(scenarios, rows)
    places = [scenario.place for scenario in comparison.scenarios]
    place = place or places[0]
    if place not in places:
        raise InputError(
            f"there is no place {place!r}", location=str(folder), remedy=did_you_mean(place, places)
        )
    known = [name for name in comparison.controllers if comparison.runs_of(place, name)]
    if not known:
        raise InputError(f"no run is done at {place}", location=str(folder), remedy="run the experiment")
    name = controller or known[0]
    if name not in known:
        raise InputError(
            f"there is no finished run of controller {name!r} at {place}",
            location=str(folder),
            remedy=did_you_mean(name, known),
        )
    return PlotSource(folder, comparison, comparison.scenarios[places.index(place)], name)
