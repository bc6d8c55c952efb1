"""The options of a study."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from denxanh.sim.errors import InputError
from denxanh.sim.input.limits import SECONDS, check_number

SHORTEST = 60.0  # s: less does not even hold the runs of one day of a single junction


@dataclass(frozen=True)
class StudyOptions:
    """What a study is told. Raises InputError for options that exclude each other.

    ``counts`` is a filled form of ``denxanh counts``, ``plan`` the plan that runs in the street, ``day`` the hours of a
    built-in place as 06:00-22:00, ``time`` the wall-clock seconds that the study may take.
    """

    counts: Path | None = None
    plan: Path | None = None
    day: str = ""
    time: float = 1200.0
    days_wanted: int = 10

    def __post_init__(self) -> None:
        check_number(self.time, SECONDS, "--time", least=SHORTEST)
        if self.counts is not None and self.day:
            raise InputError(
                "--day and --counts are mutually exclusive: counts have their own hours",
                remedy="leave --day out, or fill in a form for those hours (denxanh counts PLACE@06:00-22:00)",
            )
        for file, option in ((self.counts, "--counts"), (self.plan, "--plan")):
            if file is not None and not file.is_file():
                raise InputError("file not found", location=f"{option} {file}", remedy="check the path")
