"""The network's own plan, run by SUMO itself, whatever its type: the baseline that nobody tuned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from sim.network import Network
from sim.protocol import Policy


@dataclass(frozen=True)
class Program:
    """Leave every signal alone. It sees nothing."""

    name: ClassVar[str] = "program"
    sees: ClassVar[frozenset[str]] = frozenset()

    def start(self, network: Network) -> Mapping[str, Policy]:
        """No policy: SUMO goes on with its programs."""
        return {}
