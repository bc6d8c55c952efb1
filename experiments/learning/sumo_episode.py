"""Episodes on SUMO; a process runs one at a time, in the folder of its run."""

from __future__ import annotations

from pathlib import Path

from denxanh.experiments.learning.environment_options import Draw, EnvironmentOptions
from denxanh.experiments.learning.episode import Episode, Learner, learner_of
from denxanh.experiments.learning.model_episode import scenario_of
from denxanh.sim.run.preparation import PreparedRun, limits_of, prepare_run
from denxanh.sim.run.run import open_simulation, open_world
from denxanh.sim.run.run_description import Run
from denxanh.sim.signals.monitor import Found, SignalMemory
from denxanh.sim.sumo.run_input import MEASURES
from denxanh.sim.supervisor import Supervisor

NOTHING = "nothing.add.xml"
"""An additional file in place of those that only measure."""


class SumoEpisodes:
    """Starts episodes of a scenario in SUMO; ``folder`` receives SUMO's input, one folder for each day."""

    def __init__(self, options: EnvironmentOptions, folder: Path) -> None:
        self._options, self._folder = options, folder
        self._prepared: dict[int, tuple[PreparedRun, Learner, Path]] = {}
        self.memories: dict[str, SignalMemory] = {}  # shared by all episodes

    def prepare(self, day: int) -> Path:
        """Write SUMO's input for a day, once, and return its folder. Raises InputError."""
        if day not in self._prepared:
            options, folder = self._options, self._folder / f"day-{day}"
            folder.mkdir()
            run = Run(
                scenario_of(options, day, self._folder),
                sensing=options.sensing,
                events=options.events,
                rules=options.rules,
            )
            learner = learner_of(options)
            self._prepared[day] = prepare_run(run, learner, folder), learner, folder
            (folder / NOTHING).write_text("<additional/>\n", encoding="utf-8")
            for name in options.signals:
                if name not in self.memories:
                    self.memories[name] = SignalMemory(self._prepared[day][0].network.intersections[name])
        return self._prepared[day][2]

    def sizes(self) -> dict[str, tuple[int, int, int]]:
        """How much is known about each signal."""
        return {name: memory.sizes() for name, memory in self.memories.items()}

    def found_since(self, sizes: dict[str, tuple[int, int, int]]) -> dict[str, Found]:
        """What was found out beyond earlier ``sizes``."""
        return {name: memory.found_since(sizes[name]) for name, memory in self.memories.items()}

    def learn(self, found: dict[str, Found]) -> None:
        """Add what an episode in another process has found out."""
        for name, of_signal in found.items():
            self.memories[name].learn(of_signal)

    def start(self, drawn: Draw) -> Episode:
        """A new episode; the working directory must be the folder of its day."""
        prepared, learner, _ = self._prepared[drawn.day]
        learner.answers.clear()
        scale = float(prepared.scenario.options.get("scale", "1")) * drawn.demand
        additional = [name for name in prepared.sumo_input.additional if name != MEASURES]
        arguments = ["--seed", str(drawn.seed), "--additional-files", ",".join(additional) or NOTHING]
        if scale != 1.0:
            arguments += ["--scale", f"{scale:g}"]
        world = open_world(prepared, arguments=arguments)
        simulation = open_simulation(prepared, world, seed=drawn.seed, memories=self.memories)
        limits = limits_of(prepared.run)
        supervisor = Supervisor(prepared.network, prepared.policies, limits, timed=False)
        return Episode(self._options, world, simulation, learner, supervisor, limits)
