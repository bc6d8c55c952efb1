"""One episode: the loop of a run, advanced from one decision of the learner to the next.

The loop is ``Simulation``; its policies give it what the learner has chosen. A learner chooses at every step; a signal
that asks between two steps, after a change, keeps its phase until the next step.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, NamedTuple, Protocol

import numpy as np

from denxanh.controllers.learned.features import Vector, sees_of, vector
from denxanh.experiments.learning import rewards
from denxanh.experiments.learning.actions import Action, no_actions
from denxanh.experiments.learning.environment_options import EnvironmentOptions
from denxanh.sim.controller import Green, Observation, Policy
from denxanh.sim.network import Bools, Network
from denxanh.sim.sensing import Ideal
from denxanh.sim.simulation import Question, Simulation
from denxanh.sim.supervisor import Limits, Supervisor, limit_fault
from denxanh.sim.world import Delay, World

_CLOSE = 1e-6  # s
_HOUR = 3600.0  # s

Answered = tuple[float, int, float]
"""Time of a question, s, the phase that was answered, and its green, s."""


class DelayWorld(World, Protocol):
    """A World that knows the delay until now."""

    def delay(self) -> Delay:
        """The delay of all vehicles until now."""
        ...


class Step(NamedTuple):
    """What an episode shows at a decision, by intersection id."""

    time: float  # s, the scenario's clock
    observations: dict[str, Vector]
    rewards: dict[str, float]  # of the time since the decision before
    permitted: dict[str, Bools]  # (phases,) that an action may show now
    phases: dict[str, int]  # the phase that each signal shows, or has shown last
    asks: dict[str, bool]  # whether the signal takes an action now; it does not while it changes
    refused: dict[str, str]  # why an action of the step before was refused; its signal has kept its phase
    given: dict[str, list[Answered]]  # the greens that the loop was given since the decision before
    over: bool  # whether the episode is at its end


@dataclass(frozen=True)
class Learner:
    """The controller of an environment: its policies answer what was chosen before the loop asks."""

    name: ClassVar[str] = "learner"
    sees: ClassVar[frozenset[str]] = frozenset()  # of an instance: ``needs``

    signals: tuple[str, ...]
    needs: frozenset[str]
    answers: dict[str, Green] = field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "sees", self.needs)

    def start(self, network: Network) -> Mapping[str, Policy]:
        """A policy for each intersection that the learner controls."""
        return {name: self._policy(name) for name in self.signals}

    def _policy(self, name: str) -> Policy:
        def policy(seen: Observation) -> Green:
            return self.answers.pop(name)

        return policy


def learner_of(options: EnvironmentOptions) -> Learner:
    """The controller of an environment. Where the sensing is ideal its observations serve the rewards too."""
    sees = sees_of(options.features)
    if isinstance(options.sensing, Ideal):
        sees |= rewards.sees_of(options.terms)
    return Learner(options.signals, sees)


class Episode:
    """One episode over a world. ``start`` and ``step`` give what the learner sees."""

    def __init__(
        self,
        options: EnvironmentOptions,
        world: DelayWorld,
        simulation: Simulation,
        learner: Learner,
        supervisor: Supervisor,
        limits: Limits,
    ) -> None:
        self.options = options
        self.world = world
        self.simulation = simulation
        self._answers = learner.answers
        self._supervisor = supervisor
        self._limits = limits
        self._limited = limits.of_greens
        self._end = options.scenario.end
        self._questions: dict[str, Question] = {}
        self._permitted: dict[str, Bools] = {}
        self._target: dict[str, int] = {}  # the phase that each signal shows or changes to
        self._last: dict[tuple[str, int], float] = {}  # figures of which rewards are the increase
        self._refused: dict[str, str] = {}
        self._given: dict[str, list[Answered]] = {}
        self._shared = any(term.shared for _, term in options.terms)
        self._own = any(not term.shared for _, term in options.terms)
        separate = not isinstance(options.sensing, Ideal) and self._own
        self._ideal = Ideal().start(world, rewards.sees_of(options.terms)) if separate else None

    def start(self) -> Step:
        """What the learner sees at the begin; rewards are 0."""
        self._advance(self.options.scenario.begin)
        step = self._show()
        return step._replace(rewards=dict.fromkeys(step.rewards, 0.0))

    def step(self, actions: Mapping[str, Action]) -> Step:
        """Carry out actions by intersection id and advance to the next decision; others keep their phase."""
        self._refused, self._given = no_actions(self.options, self.world.network, actions), {}
        for name, question in self._questions.items():
            action = None if name in self._refused else actions.get(name)
            self._answer(question, self._green(name, question, action))
        self._questions = {}
        if self.options.decide == "step":
            begin, step = self.options.scenario.begin, self.options.step
            done = math.floor((self.simulation.now - begin) / step + _CLOSE)
            self._advance(min(begin + (done + 1) * step, self._end))
        else:
            self._questions = {q.intersection.id: q for q in self.simulation.advance(self._end)}
        return self._show()

    def delay(self) -> Delay:
        """The delay of all vehicles until now."""
        return self.world.delay()

    def _advance(self, time: float) -> None:
        """Advance to ``time``, where the questions of that instant are left open; earlier ones keep their phase."""
        while asked := self.simulation.advance(time):
            left = time - self.simulation.now
            if left < _CLOSE:
                self._questions = {question.intersection.id: question for question in asked}
                return
            for question in asked:
                self._answer(question, Green(question.phase, left))

    def _answer(self, question: Question, green: Green) -> None:
        name = question.intersection.id
        self._answers[name] = green
        self._target[name] = green.phase
        self._given.setdefault(name, []).append((self.simulation.now, green.phase, green.seconds))
        self._supervisor.answer(question)
        self._answers.pop(name, None)  # where a pedestrian call was served instead

    def _green(self, name: str, question: Question, action: Action) -> Green:
        """The answer for an action; the present phase for one that is not permitted, and for none."""
        now = question.phase
        phase, seconds = now, 0.0
        if action is not None:
            phase, seconds = self._read(question, action)
        if not self._permitted[name][phase]:
            self._refused[name] = f"phase {phase} is not permitted after phase {now} at this time"
            phase = now
        return Green(phase, seconds or self._until_decision(question, phase))

    def _read(self, question: Question, action: Action) -> tuple[int, float]:
        """The phase that an action asks for, and its duration, 0 until the next decision."""
        options, now = self.options, question.phase
        if options.action == "phase":
            return action, 0.0
        if options.action == "keep-change":
            return (now + 1) % len(question.intersection.phases) if action else now, 0.0
        return action[0], options.durations[action[1]]

    def _until_decision(self, question: Question, phase: int) -> float:
        """The green of ``phase`` that ends with a step, s: at least a step of the world."""
        step = self.options.step
        if self.options.decide == "signal":
            return step
        change = question.change_time(phase)
        passed = (self.simulation.now - self.options.scenario.begin) % step
        if step - passed < _CLOSE:
            passed = 0.0
        return (math.floor((passed + change) / step + _CLOSE) + 1) * step - passed - change

    def _show(self) -> Step:
        names, simulation = self.options.signals, self.simulation
        self._permitted = {name: self._permitted_at(name) for name in names}
        seen = {name: simulation.observe(name) for name in names}
        return Step(
            simulation.now,
            {name: vector(self.options.features, seen[name]) for name in names},
            self._rewards(seen),
            self._permitted,
            {name: simulation.signals[name].phase for name in names},
            {name: name in self._questions for name in names},
            self._refused,
            self._given,
            simulation.over,
        )

    def _permitted_at(self, name: str) -> Bools:
        """The phases that an action may show: only the present or coming one while the signal does not ask."""
        question = self._questions.get(name)
        if question is None:
            signal = self.simulation.signals[name]
            only = np.zeros(len(signal.intersection.phases), dtype=np.bool_)
            only[self._target.get(name, signal.phase)] = True
            return only
        permitted = question.permitted()
        if self._limited:
            bare = question.bare
            for phase in np.flatnonzero(permitted):
                green = Green(int(phase), self._until_decision(question, int(phase)))
                permitted[phase] = not limit_fault(self._limits, bare, green)
            if not permitted.any():
                permitted[question.phase] = True  # the supervisor refuses it, and fixed time takes over
        return permitted

    def _rewards(self, seen: Mapping[str, Observation]) -> dict[str, float]:
        shared = -self.world.delay().seconds / _HOUR if self._shared else 0.0
        earned = {}
        for name in self.options.signals:
            truth = self._truth(name, seen) if self._own else None
            total = 0.0
            for number, (weight, term) in enumerate(self.options.terms):
                value = shared if truth is None or term.shared else float(term.compute(truth))
                if term.increase:
                    value, self._last[name, number] = value - self._last.get((name, number), 0.0), value
                total += weight * value
            earned[name] = total
        return earned

    def _truth(self, name: str, seen: Mapping[str, Observation]) -> Observation:
        if self._ideal is None:
            return seen[name]
        signal = self.simulation.signals[name]
        return self._ideal.observe(signal.intersection, signal.shown(), self.simulation.observe)
