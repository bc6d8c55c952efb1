"""The exceptions of denxanh; the text of each is one sentence for the user.

DenxanhError
├── InputError      a file, name or number given by the user cannot be used
├── ControlError    a controller asked for something illegal
│   └── SafetyError an unsafe signal state was stopped
├── WorldError      the engine behind the World (SUMO, TraCI) failed
│   └── LimitError  a limit of time was met, which depends on the machine
└── RunError        a run ended without proof that it is complete
"""

from __future__ import annotations

import re


class DenxanhError(Exception):
    """Root of all errors that denxanh raises on purpose; ``str()`` is one clear sentence."""


class InputError(DenxanhError):
    """A user's input cannot be used.

    Parameters: ``what`` is wrong, its ``location`` (file, line, id), and the ``remedy``.
    """

    def __init__(self, what: str, *, location: str = "", remedy: str = "") -> None:
        self.what = what.rstrip(".")
        self.location = location
        self.remedy = remedy.rstrip(".")
        place = f"{location}: " if location else ""
        advice = f"; {self.remedy}" if self.remedy else ""
        sentence = _shortened(f"{place}{self.what}{advice}")
        super().__init__(sentence if sentence.endswith("?") else f"{sentence}.")


def _shortened(text: str) -> str:
    """The text with every word of more than 1000 characters cut, so that a message stays a sentence."""
    return _LONG_WORD.sub(lambda word: f"{word[0][:100]}… ({len(word[0])} characters)", text)


_LONG_WORD = re.compile(r"[^\s/]{1000,}")


class ControlError(DenxanhError):
    """A controller's answer is illegal; names the intersection, the time, the answer and the rule it breaks."""


class SafetyError(ControlError):
    """An unsafe signal state was stopped before it reached the world."""


class WorldError(DenxanhError):
    """The engine behind the world failed; quotes what it printed last."""


class LimitError(WorldError):
    """A limit of time was met. Whether it is depends on the machine, so the run is repeated once."""


class RunError(DenxanhError):
    """A run gave no complete result; names what is missing."""
