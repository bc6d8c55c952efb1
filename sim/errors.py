"""The exceptions of denxanh: every one is a sentence for the person at the keyboard.

DenxanhError
├── InputError      a file, name or number given by the user cannot be used
├── ControlError    a controller asked for something illegal
│   └── SafetyError a signal state that must not be shown was stopped
├── WorldError      the engine behind the World (SUMO, TraCI) failed
└── RunError        a run ended without the proof that it is complete
"""

from __future__ import annotations


class DenxanhError(Exception):
    """Root of all errors that denxanh raises on purpose; ``str()`` is one clear sentence."""


class InputError(DenxanhError):
    """A user's input cannot be used.

    Parameters: ``what`` is wrong, ``where`` (file, line, id), and the ``remedy``.
    """

    def __init__(self, what: str, *, where: str = "", remedy: str = "") -> None:
        self.what = what.rstrip(".")
        self.where = where
        self.remedy = remedy.rstrip(".")
        place = f"{where}: " if where else ""
        advice = f"; {self.remedy}" if self.remedy else ""
        sentence = f"{place}{self.what}{advice}"
        super().__init__(sentence if sentence.endswith("?") else f"{sentence}.")


class ControlError(DenxanhError):
    """A controller's answer is illegal; says where, when, what was asked and which rule it breaks."""


class SafetyError(ControlError):
    """A signal state that must not be shown was stopped before it reached the world."""


class WorldError(DenxanhError):
    """The engine behind the world failed; says what it printed last."""


class RunError(DenxanhError):
    """A run gave no believable result; says which proof is missing."""
