"""The supervisor: asks the policies and replaces one that fails, so that no controller can stop or endanger a run.

A policy that raises, gives an answer that is refused, or exceeds its time is replaced at once and for the rest of
the run by fixed-time control; the engine changes to it through yellow and all-red. Every replacement is an event of
the run. The other intersections keep their policies. Whether a policy exceeds its time depends on the machine: with
``stop_when_late`` the run ends there instead, to be repeated.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from denxanh.sim.controller import Green, Observation, Policy
from denxanh.sim.errors import ControlError, InputError, LimitError
from denxanh.sim.network import Network
from denxanh.sim.signals.fixed_time import fixed_time_policy
from denxanh.sim.simulation import Question
from denxanh.sim.time_limit import OverTime, limited

_CLOSE = 1e-6  # s
_LONGEST_TEXT = 300  # letters of a cause that are kept

Cause = Literal["raised", "refused", "late"]


@dataclass(frozen=True)
class Limits:
    """Limits on the answers of a policy, beside the rules of the signal itself.

    The budgets only end a policy that hangs, and no strategy comes near them. Two are CPU time of the run's process;
    the third ends a policy that waits for something. Neither a pause of the process nor other work on the machine
    uses them up. The first answer of each policy may compile or load what it needs.
    """

    decision: float = 5.0  # s of CPU time for an answer: a hundred times what 20 signals may take together
    first_decision: float = 60.0  # s of CPU time for the first one
    asleep: float = 60.0  # s that a policy may wait in one answer, as in a sleep
    max_green: float | None = None  # s that a phase may stay green (denxanh.sim.signals.rules)
    # s that a link may stay red while some phase serves it (denxanh.sim.signals.rules)
    max_red: float | None = None

    @property
    def of_greens(self) -> bool:
        """Whether the length of a green or of a red is limited."""
        return self.max_green is not None or self.max_red is not None

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if value is not None and not 0 < value < math.inf:
                raise InputError(
                    f"{name} is {value} s", location="limits", remedy="give a positive time in s"
                )


@dataclass(frozen=True)
class Fallback:
    """The replacement of an intersection's policy by fixed-time control at ``time`` (s), and its cause."""

    time: float
    intersection: str
    cause: Cause
    detail: str

    def to_json(self) -> dict[str, Any]:
        """The record in a run's manifest."""
        return {"kind": "fallback", "time_s": self.time} | {
            k: v for k, v in vars(self).items() if k != "time"
        }


class Supervisor:
    """Answers questions with ``policies`` until they fail. ``events`` lists the replacements.

    ``timed`` False is for policies that only look up an answer: their time is not limited.
    """

    def __init__(
        self,
        network: Network,
        policies: Mapping[str, Policy],
        limits: Limits | None = None,
        *,
        stop_when_late: bool = False,
        timed: bool = True,
    ) -> None:
        if not isinstance(policies, Mapping):
            raise ControlError(
                f"the controller's start gave {_words(policies)}, not policies by intersection"
            )
        self.events: list[Fallback] = []
        self._network = network
        self._policies = dict(policies)
        self._limits = limits or Limits()
        self._stop_when_late = stop_when_late
        self._timed = timed
        self._answered: set[str] = set()
        self._fixed: dict[str, Policy] = {}  # of those that fell back

    def answer(self, question: Question) -> None:
        """Answer with the policy, or by fixed time if the policy fails now or has failed before.

        Raises LimitError for a policy that exceeds its time, if the run stops there.
        """
        if question.intersection.id not in self._fixed:
            failure = self._ask(question)
            if failure is None:
                return
            self._replace(question, *failure)
        self._answer_fixed_time(question)

    @property
    def limits_met(self) -> list[str]:
        """A sentence for each policy that was replaced because it exceeded its time."""
        return [
            f"{event.intersection} at t={event.time:g} s: {event.detail}"
            for event in self.events
            if event.cause == "late"
        ]

    def _ask(self, question: Question) -> tuple[Cause, str] | None:
        """Let the policy answer; returns the cause and the detail of a failure."""
        name, seen = question.intersection.id, question.seen
        first = name not in self._answered
        self._answered.add(name)
        limits = self._limits
        try:
            if self._timed:
                given = limited(
                    lambda: self._consult(question, seen),
                    cpu=limits.first_decision if first else limits.decision,
                    asleep=limits.asleep,
                    reading=lambda: question.reading,
                )
            else:
                given = self._consult(question, seen)
        except OverTime as error:
            if self._stop_when_late:
                raise LimitError(f"{name} at t={question.bare.time:g} s: {error}") from None
            return "late", str(error)
        if not isinstance(given, Green):
            return given
        question.answer(given)
        return None

    def _consult(self, question: Question, seen: Observation) -> Green | tuple[Cause, str]:
        """The policy's answer in plain numbers, or the cause and the detail of a failure.

        All code of the policy's runs in here: its answer and its exceptions are its own classes too.
        """
        try:
            green = self._policies[question.intersection.id](seen)
        except (KeyboardInterrupt, OverTime):
            raise  # the user's, and ours, not the policy's
        except BaseException as error:  # SystemExit too: a controller must not end the run
            return "raised", _words(error)
        try:
            plain = question.accepted(green)
            if self._limits.of_greens and (fault := limit_fault(self._limits, question.bare, plain)):
                raise ControlError(fault)
        except ControlError as error:
            return "refused", _clean(str(error))
        except Exception as error:  # an answer that fails when it is looked at
            return "refused", f"its answer cannot be read: {_words(error)}"
        return plain

    def _replace(self, question: Question, cause: Cause, detail: str) -> None:
        name = question.intersection.id
        self.events.append(Fallback(question.bare.time, name, cause, detail))
        self._fixed[name] = fixed_time_policy(self._network.intersections[name])

    def _answer_fixed_time(self, question: Question) -> None:
        """Answer by fixed time, from what the loop itself knows, since the sensing may be what failed."""
        now = question.bare
        green = self._fixed[question.intersection.id](now)
        steps = max(math.ceil(green.seconds / now.step - _CLOSE), 1)
        question.answer(Green(green.phase, steps * now.step))


def limit_fault(limits: Limits, now: Observation, green: Green) -> str:
    """Why a green exceeds the maximum green, or the maximum red of another link; "" where it does not."""
    spot = f"{now.intersection.id} at t={now.time:g} s"
    lasts = green.seconds + (now.elapsed if green.phase == now.phase else 0.0)
    longest = limits.max_green
    if longest is not None and lasts > longest + _CLOSE:
        return (
            f"{spot}: phase {green.phase} would be green for {lasts:g} s, longer than the maximum of "
            f"{longest:g} s"
        )
    longest = limits.max_red
    if longest is None:
        return ""
    for link, red in enumerate(now.red):
        serving = [phase.index for phase in now.intersection.phases if phase.serves(link)]
        if serving and green.phase not in serving and red + green.seconds > longest + _CLOSE:
            return (
                f"{spot}: link {link} would be red for {red + green.seconds:g} s, longer than the maximum of "
                f"{longest:g} s"
            )
    return ""


def _words(value: object) -> str:
    """A text for any ``value`` that can be written to a file and is the same in every run."""
    try:
        return _clean(repr(value))
    except (KeyboardInterrupt, OverTime):
        raise
    except BaseException as error:
        return f"a {type(value).__name__} whose repr raises {type(error).__name__}"


def _clean(text: str) -> str:
    """``text`` without memory addresses, which differ between runs, and without surrogates."""
    text = re.sub(r" at 0x[0-9a-fA-F]+", "", text)[:_LONGEST_TEXT]
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
