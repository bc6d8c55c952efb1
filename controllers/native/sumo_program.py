"""Programs that SUMO runs itself, from an additional file: such as a plan.add.xml of denxanh optimize."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from denxanh.sim.controller import Policy
from denxanh.sim.errors import InputError
from denxanh.sim.network import Network


@dataclass(frozen=True)
class SumoProgram:
    """SUMO's own logic (static, actuated, …) with the programs of an additional file (``file``). Sees nothing."""

    name: ClassVar[str] = "sumo-program"
    sees: ClassVar[frozenset[str]] = frozenset()
    leaves_signals_to_sumo: ClassVar[bool] = True

    file: str

    def additional_files(self) -> tuple[Path, ...]:
        """The file, which SUMO loads after the scenario's own; the program loaded last is the one that runs."""
        path = Path(self.file)
        if not path.is_file():
            raise InputError(
                "there is no such file of programs", location=self.file, remedy="give a plan.add.xml"
            )
        return (path,)

    def start(self, network: Network) -> Mapping[str, Policy]:
        """No policy: SUMO goes on with these programs."""
        return {}
