"""What SUMO says when it ends: its messages as one sentence."""

from __future__ import annotations

import itertools
from pathlib import Path

from denxanh.sim.errors import DenxanhError, InputError, WorldError

WITHOUT_REASON = "Process Error"  # libsumo's text where SUMO has printed the reason


def refusal(message: str, when: str) -> DenxanhError:
    """SUMO's message as one sentence: an InputError, except where SUMO cannot write a file."""
    text = " ".join(message.removeprefix("Error: ").split()).rstrip(".")
    if "output file" in text:
        return WorldError(f"SUMO stopped {when}: {text}.")
    return InputError(f"SUMO stopped {when}: {text}", remedy="correct the input that it names")


def last_error(log: Path) -> str:
    """The errors that SUMO printed, or its last line."""
    return printed_errors(log) or (_lines(log) or ["it printed nothing"])[-1]


def _lines(log: Path) -> list[str]:
    return [line for line in log.read_text("utf-8", errors="replace").splitlines() if line.strip()]


def printed_errors(log: Path) -> str:
    """The errors that SUMO printed, each once and with the lines that belong to it: the first often says why."""
    lines = _lines(log)
    found: dict[str, None] = {}
    for i, line in enumerate(lines):
        if line.startswith("Error"):
            following = itertools.takewhile(lambda text: text.startswith(" "), lines[i + 1 :])
            found["\n".join([line.removeprefix("Error: "), *following])] = None
    return " ".join(found)
