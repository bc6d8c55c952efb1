"""The loop: a SimPy agenda that drives the world's clock, asks policies and switches their signals.

Time on the agenda counts whole steps of the world since begin. ``Simulation`` is iterated for questions; the loop,
not the controller, takes a signal from green through yellow and all-red to the next green.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Generator, Iterable, Iterator
from typing import Any

import numpy as np
import simpy

from denxanh.sim.controller import Array, Controller, Green, Ints, Observation
from denxanh.sim.errors import ControlError, WorldError
from denxanh.sim.frozen import Snapshot
from denxanh.sim.network import GREEN, Bools, Intersection, Network
from denxanh.sim.sensing import Ideal, Sensing, Shown
from denxanh.sim.signals.legal_answers import LegalAnswers, whole_steps
from denxanh.sim.signals.monitor import FLASHING, ConflictMonitor, SignalMemory
from denxanh.sim.world import World

Process = Generator[simpy.Event, Any, None]
RECOVERY = 6.0  # s of all-red after flashing, for the vehicles on the junction to leave it
_CLOSE = 1e-6  # s: tolerance for a duration as a multiple of the step


def run(world: World, controller: Controller, end: float) -> None:
    """Let a controller drive a world until ``end`` (s). This is the whole loop."""
    given = Snapshot(world.network).copy()
    policies = controller.start(given)
    for question in Simulation(world, end, policies, sees=controller.sees, given=given):
        question.answer(policies[question.intersection.id](question.seen))


class Question:
    """The question of one intersection: what to show next. ``seen`` is made when it is read, at the same instant."""

    def __init__(self, signal: _Signal, event: simpy.Event) -> None:
        self.intersection = signal.intersection
        self._signal = signal
        self._event = event
        self._accepted: Green | None = None  # an answer that was found legal

    @property
    def seen(self) -> Observation:
        """What the intersection looks like now."""
        return self._signal.simulation.observe(self.intersection.id)

    @property
    def reading(self) -> bool:
        """Whether the world is being read at this instant, when an interrupt must not happen."""
        return self._signal.simulation.reading > 0

    @property
    def phase(self) -> int:
        """The phase that is green now."""
        return self._signal.phase

    @property
    def bare(self) -> Observation:
        """The observation from the loop's own data alone: no sensing, no vehicles."""
        shown, simulation = self._signal.shown(), self._signal.simulation
        return Observation(
            self.intersection,
            simulation.now,
            shown.phase,
            shown.elapsed,
            red=shown.red,
            step=simulation.world.step,
        )

    def accepted(self, green: Green) -> Green:
        """The answer in plain numbers, each read once. Raises ControlError if it is illegal."""
        self._accepted = self._signal.accept(green)
        return self._accepted

    def answer(self, green: Green) -> None:
        """Answer the question. Raises ControlError if the answer is illegal; then the signal is unchanged."""
        known = self._accepted is not None and green is self._accepted
        self._event.succeed(green if known else self._signal.accept(green))

    @property
    def answered(self) -> bool:
        """Whether an answer was given."""
        return bool(self._event.triggered)

    def permitted(self) -> Bools:
        """The phases that an answer may show now, shape (phases,): the present one, and those that may follow it."""
        return self._signal.permitted()

    def change_time(self, phase: int) -> float:
        """The time from now until ``phase`` is green, s: 0 for the present one. Waits for foes may prolong it."""
        return self._signal.change_time(phase)


class Simulation:
    """One run. Iterate over it for Questions; each must be answered before the next is drawn.

    ``ask`` are the intersections that a policy answers for; all others keep the network's own program.
    Observations come from ``sensing``, with errors drawn by ``seed``, and from ``calls``, the pedestrian calls
    (``PedestrianCalls.at``). They show the intersections of ``given``, the copy of the network that the controller has,
    so that nothing a policy does to it changes the loop's own. ``memories`` is filled with what was found out about
    each signal; another simulation on the same network may be given it. Further processes (sampling, events) join the
    agenda.
    """

    def __init__(
        self,
        world: World,
        end: float,
        ask: Collection[str],
        *,
        sees: frozenset[str] = frozenset(),
        sensing: Sensing | None = None,
        seed: int = 0,
        calls: Callable[[Intersection], Array] | None = None,
        given: Network | None = None,
        memories: dict[str, SignalMemory] | None = None,
    ) -> None:
        self.world = world
        self.memories = {} if memories is None else memories
        self._given = (given or world.network).intersections
        self._steps = world.steps
        self.env = simpy.Environment()
        self.sensor = (sensing or Ideal()).start(world, sees, seed)
        self._calls = calls
        self._begin, self._step = world.begin, world.step
        self._end = self.in_steps(end - world.begin, "the end of the run")
        unknown = sorted(set(ask) - set(world.network.intersections))
        if unknown:
            raise ControlError(
                f"the controller answers for {unknown[0]!r}, which is not a controlled intersection"
            )
        self.reading = 0  # observations that are being made
        self.on_change: list[Callable[[Intersection, int, tuple[int, ...]], None]] = []
        """Called when a signal begins to change, with the phase that follows and the steps of each interval."""
        self._open: list[Question] = []
        self._asked: list[Question] = []  # those that advance() has returned last
        self._seen: dict[str, Observation] = {}
        self._seen_at = -1
        self.signals = {name: _Signal(self, world.network.intersections[name]) for name in sorted(ask)}
        for signal in self.signals.values():
            signal.process = self.env.process(signal.walk())

    @property
    def now(self) -> float:
        """The scenario's clock, s."""
        return self._begin + float(self.env.now) * self._step

    def __iter__(self) -> Iterator[Question]:
        """Questions in time order until the end; the world follows the agenda (as simpy.rt does the clock)."""
        while (due := self.env.peek()) < self._end:
            if self.world.steps < due:
                self._advance(int(due))
            self.env.step()
            while self._open:
                question = self._open.pop()
                yield question
                self._check_answered(question)
        self._advance(self._end)

    def advance(self, time: float) -> list[Question]:
        """Advance to the next instant with questions, at most to ``time`` (s), and return all of that instant.

        The list is empty where no signal asks until ``time``, or until the end of the run; the world is then at that
        time. Each question must be answered before the next call; the order of the answers does not matter. This is
        the loop of ``__iter__``, driven from outside: use one of them.
        """
        for question in self._asked:
            self._check_answered(question)
        self._asked = []
        last = min(self.in_steps(time - self.world.begin, "the time to advance to"), self._end)
        while True:
            due = self.env.peek()
            if self._open and due > self.env.now:
                self._asked, self._open = self._open, []
                return list(self._asked)
            if due > last or due >= self._end:
                break
            if self.world.steps < due:
                self._advance(int(due))
            self.env.step()
        if self.world.steps < last:
            self._advance(last)
        if self.env.now < last:
            self.env.run(until=last)  # sets the clock: nothing is due before
        return []

    @property
    def over(self) -> bool:
        """Whether the world is at the end of the run."""
        return self.world.steps >= self._end

    def _check_answered(self, question: Question) -> None:
        if not question.answered:
            raise ControlError(
                f"{question.intersection.id} at t={self.now:g} s: the question was not answered"
            )

    def _advance(self, steps: int) -> None:
        """Advance the world, and verify that nothing else did and that it shows the states that were set."""
        if self.world.steps != self._steps:
            raise WorldError(
                f"the world is at step {self.world.steps} where the run is at step {self._steps}: something beside "
                "the run has advanced it; a controller must not"
            )
        if self.sensor.every_step:  # detectors work between questions
            for step in range(self.world.steps + 1, steps + 1):
                self.world.advance(step)
                self.sensor.sample()
        self.world.advance(steps)
        self._steps = self.world.steps
        for signal in self.signals.values():
            signal.verify()

    def every(self, seconds: float, action: Callable[[], None]) -> None:
        """Call ``action`` every ``seconds`` from the first step on."""
        pause = self.in_steps(seconds, "a sampling interval")

        def process() -> Process:
            while True:
                yield self.env.timeout(pause)
                action()

        self.env.process(process())

    def agenda(self, spans: Iterable[tuple[float, float, Callable[[], None], Callable[[], None]]]) -> None:
        """For each (begin, end, start, stop) call ``start`` at ``begin`` and ``stop`` at ``end``.

        Times are s of the scenario's clock, rounded up to a step. Within a step all ends come before all begins, so
        that one span may follow another directly.
        """
        entries: list[tuple[int, int, Callable[[], None]]] = []
        for begin, end, start, stop in spans:
            first, last = self._step_at(begin), self._step_at(end)
            entries += [(first, 1, start), (last, 0 if first < last else 2, stop)]
        entries.sort(key=lambda entry: entry[:2])

        def process() -> Process:
            for step, _, action in entries:
                yield self.env.timeout(max(step - int(self.env.now), 0))
                action()

        self.env.process(process())

    def _step_at(self, time: float) -> int:
        return math.ceil((time - self.world.begin) / self.world.step - _CLOSE)

    def flash(self, name: str, failed: bool) -> None:
        """Start or end flashing yellow at a signal that a policy controls."""
        self.signals[name].flash(failed)

    def observe(self, name: str) -> Observation:
        """The observation of an intersection at this instant, made once."""
        if self._seen_at != self.env.now:
            self._seen.clear()
            self._seen_at = int(self.env.now)
        if name not in self._seen:
            self.reading += 1
            try:
                self._seen[name] = self._observe(self.world.network.intersections[name])
            finally:
                self.reading -= 1
        return self._seen[name]

    def _observe(self, intersection: Intersection) -> Observation:
        signal = self.signals.get(intersection.id)
        shown = signal.shown() if signal else Shown(0, 0.0, np.zeros(intersection.n_links))
        seen = self.sensor.observe(intersection, shown, self.observe)
        calls = self._calls(intersection) if self._calls and intersection.crossings else None
        return seen.sealed(self._given[intersection.id], calls)

    def in_steps(self, seconds: float, what: str) -> int:
        """A duration as whole steps; a fraction is refused, since SUMO would round it."""
        return whole_steps(seconds, self.world.step, what)


class _Signal:
    """The process of one signal: a green, and the change to the next green."""

    def __init__(self, simulation: Simulation, intersection: Intersection) -> None:
        self.simulation = simulation
        self.intersection = intersection
        self.phase = 0
        self.since = 0  # step at which the phase became green
        self.green_until = np.full(
            intersection.n_links, -1, dtype=np.int64
        )  # last step each link was seen green
        self.state = ""
        if intersection.id not in simulation.memories:
            simulation.memories[intersection.id] = SignalMemory(intersection)
        self._memory = simulation.memories[intersection.id]
        self.monitor = ConflictMonitor(intersection, simulation.world.begin, self._memory)
        self._answers = LegalAnswers(intersection, simulation.world.step, self.monitor, self._memory)
        self.process: simpy.Process | None = None
        self._repaired: simpy.Event | None = None  # triggered when flashing ends

    def walk(self) -> Process:
        """The SimPy process of this signal, which a failure may interrupt at any point."""
        begin = self._begin()
        while True:
            try:
                yield from begin
                yield from self._reach_minimum()
                yield from self._follow_policy()
            except simpy.Interrupt:
                begin = self._flash()

    def flash(self, failed: bool) -> None:
        """Start to flash, or end flashing."""
        if failed and self.process is not None and self._repaired is None:
            self._repaired = self.simulation.env.event()
            self.process.interrupt()
        elif not failed and self._repaired is not None:
            self._repaired.succeed()
            self._repaired = None

    def _flash(self) -> Process:
        """Flash at once, as a cabinet does, until the failure ends; then all-red, and the phase by the clock."""
        assert self._repaired is not None  # set by flash()
        intersection = self.intersection
        self._put(FLASHING * intersection.n_links)
        self.monitor.flash(self.simulation.now)
        yield self._repaired
        self._show("r" * intersection.n_links)
        yield self._hold(RECOVERY)
        phase = intersection.program.at(self.simulation.now).stage
        while self.monitor.fault(intersection.phases[phase].state, self.simulation.now):
            yield self._hold(self.simulation.world.step)
        self._turn_green(phase)

    def _follow_policy(self) -> Process:
        while True:
            green: Green = yield from self._ask()
            if green.phase != self.phase:
                began = self.simulation.now
                for call in self.simulation.on_change:
                    call(self.intersection, green.phase, self._answers.change_steps(self.phase, green.phase))
                for interval in self._answers.change(self.phase, green.phase):
                    self._show(interval.state)
                    yield self._hold(interval.duration)
                after = self.intersection.phases[green.phase].state
                if wait := self.monitor.wait_for_foes(after, self.simulation.now, began):
                    self._show(self.monitor.cleared())
                    yield self._hold(wait)
                self._turn_green(green.phase)
            yield self._hold(green.seconds)

    def _begin(self) -> Process:
        """Start from the position of the network's own program at begin."""
        world = self.simulation.world
        timing = self.intersection.program
        moment = timing.at(world.begin)
        stage = timing.stages[moment.stage]
        if moment.step == 0:
            self._turn_green(moment.stage)
            self.since = -math.floor((stage.green - moment.left) / world.step + _CLOSE)
            return
        for step, interval in enumerate(stage.change[moment.step - 1 :]):
            self._show(interval.state)
            left = moment.left if step == 0 else interval.duration
            yield self._hold(left)
        self._turn_green((moment.stage + 1) % len(timing.stages))

    def _reach_minimum(self) -> Process:
        """Wait until the phase has had its minimum green, before the first question."""
        elapsed = int(self.simulation.env.now) - self.since
        least = math.ceil(
            self.intersection.phases[self.phase].min_green / self.simulation.world.step - _CLOSE
        )
        if elapsed < least:
            yield self.simulation.env.timeout(least - elapsed)

    def _ask(self) -> Generator[simpy.Event, Any, Green]:
        event = self.simulation.env.event()
        self.simulation._open.append(Question(self, event))
        green: Green = yield event
        return green

    def _turn_green(self, phase: int) -> None:
        self.phase = phase
        self.since = int(self.simulation.env.now)
        self._show(self.intersection.phases[phase].state)

    def _show(self, state: str) -> None:
        if state == self.state:
            return
        self.monitor.check(state, self.simulation.now)
        self._put(state)
        self.monitor.note(state, self.simulation.now)

    def _put(self, state: str) -> None:
        """Show a state in the world."""
        simulation, now = self.simulation, int(self.simulation.env.now)
        self.verify()
        self.green_until[self._green_links()] = now
        self.state = state
        simulation.world.show(self.intersection.id, state)

    def _hold(self, seconds: float) -> simpy.Event:
        """Keep the state for ``seconds``, rounded up to whole steps."""
        return self.simulation.env.timeout(max(math.ceil(seconds / self.simulation.world.step - _CLOSE), 0))

    def verify(self) -> None:
        """Raise WorldError if the world does not show the state set, where one was set."""
        if not self.state:
            return
        shows = self.simulation.world.shows(self.intersection.id)
        if shows != self.state:
            raise WorldError(
                f"{self.intersection.id} at t={self.simulation.now:g} s: the world shows {shows!r}, "
                f"it was told to show {self.state!r}"
            )

    def _green_links(self) -> Ints:
        greens = self._memory.greens
        if self.state not in greens:
            found = [link for link, letter in enumerate(self.state) if letter in GREEN]
            greens[self.state] = np.array(found, dtype=np.int64)
        return greens[self.state]

    def shown(self) -> Shown:
        """The green phase, its elapsed time, and the red time of each link now."""
        now, step = int(self.simulation.env.now), self.simulation.world.step
        until = self.green_until.copy()
        until[self._green_links()] = now
        return Shown(self.phase, self._elapsed(), (now - until).astype(np.float64) * step)

    def _elapsed(self) -> float:
        """How long the phase has been green, s."""
        return (int(self.simulation.env.now) - self.since) * self.simulation.world.step

    def accept(self, green: object) -> Green:
        """The answer in plain numbers, each read once. Raises ControlError for one that cannot be carried out."""
        return self._answers.accept(green, self.phase, self._elapsed(), self.simulation.now)

    def permitted(self) -> Bools:
        """The phases that ``accept`` takes now, shape (phases,)."""
        return self._answers.permitted(self.phase, self._elapsed(), self.simulation.now)

    def change_time(self, phase: int) -> float:
        """The time that the change from the present phase to ``phase`` takes, in whole steps, s."""
        return self._answers.change_time(self.phase, phase)
