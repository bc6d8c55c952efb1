"""A controller whose policies are watched: a base for benchmarks that measure what a run does not record."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar

from denxanh.sim.controller import Controller, Policy, capabilities
from denxanh.sim.network import Network


class Watched(ABC):
    """The controller ``inner``; ``watched`` wraps each of its policies."""

    name: ClassVar[str] = "watched"

    def __init__(self, inner: Controller) -> None:
        self.inner = inner

    @property
    def sees(self) -> frozenset[str]:
        """As the controller, and the vehicles."""
        return self.inner.sees | {"vehicles"}

    def more_phases(self, network: Network) -> Mapping[str, Sequence[str]]:
        """As the controller."""
        return capabilities(self.inner).more_phases(network)

    def start(self, network: Network) -> Mapping[str, Policy]:
        """The controller's policies, watched."""
        return {name: self.watched(policy) for name, policy in self.inner.start(network).items()}

    @abstractmethod
    def watched(self, policy: Policy) -> Policy:
        """A policy that answers as ``policy`` does."""
