"""The network's existing programs of any type, run by SUMO itself: the baseline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from denxanh.sim.controller import Policy
from denxanh.sim.network import Network


@dataclass(frozen=True)
class Program:
    """Program: the existing programs, run by SUMO. Sees nothing."""

    name: ClassVar[str] = "program"
    sees: ClassVar[frozenset[str]] = frozenset()
    leaves_signals_to_sumo: ClassVar[bool] = True

    def start(self, network: Network) -> Mapping[str, Policy]:
        """No policy: SUMO goes on with its programs."""
        return {}
