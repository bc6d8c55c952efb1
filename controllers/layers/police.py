"""Police override as a layer over any strategy: an officer holds a phase, or switches phases by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from denxanh.controllers.fixed.time_of_day import seconds_of
from denxanh.controllers.layers.layer import Layer, Remembered
from denxanh.sim.controller import Green, Observation, Policy
from denxanh.sim.errors import InputError
from denxanh.sim.input.text_files import read_json
from denxanh.sim.network import Network

FORM = '[{"signal": "J0", "from": "07:30", "to": "07:45", "phases": [[0, 60], [2, 90]]}]'


@dataclass(frozen=True)
class Order:
    """From ``begin`` to ``end`` (s) the phases are shown in turn, each for its green time (s)."""

    signal: str
    begin: float
    end: float
    phases: tuple[tuple[int, float], ...]


@dataclass(frozen=True)
class Police(Layer):
    """Police override: phases held by hand over another strategy (``over=NAME``). Sees as that one.

    ``orders`` is a JSON file like ``[{"signal": "J0", "from": "07:30", "to": "07:45", "phases": [[0, 60],
    [2, 90]]}]``: times of the scenario's clock (or s), phases by number with the s of green each time. One
    phase alone, ``[[0, 60]]``, is held throughout. ``hold`` is one order in a short form: ``SIGNAL@PHASE@FROM-TO``.
    """

    name: ClassVar[str] = "police"
    sees: ClassVar[frozenset[str]] = frozenset()

    over: str = "program"
    orders: str = ""
    hold: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "sees", self.below().sees)

    def start(self, network: Network) -> Mapping[str, Policy]:
        """A policy for every intersection. Raises InputError for an order that cannot be followed."""
        orders = self._read()
        for order in orders:
            _check(order, network, self.orders or f"hold={self.hold}")
        return {
            name: _overridden(policy, [o for o in orders if o.signal == name])
            for name, policy in self.policies(network).items()
        }

    def _read(self) -> list[Order]:
        location = self.orders or f"hold={self.hold}"
        rows: Any = []
        try:
            if self.orders:
                rows = read_json(Path(self.orders), kind="file of orders", remedy=f"write {FORM}")
            if self.hold:
                signal, phase, times = self.hold.rsplit("@", 2)
                begin, end = times.split("-")
                rows = [*rows, {"signal": signal, "from": begin, "to": end, "phases": [[int(phase), 1]]}]
            return [_order(row) for row in rows]
        except (ValueError, TypeError, KeyError) as error:
            raise InputError(
                f"this is no order ({error!r})", location=location, remedy=f"write {FORM}"
            ) from None


def _order(row: Mapping[str, Any]) -> Order:
    begin, end = (_time(row[key]) for key in ("from", "to"))
    phases = tuple((int(phase), float(green)) for phase, green in row["phases"])
    if not begin < end or not phases or any(not 0 < green < 1e6 for _, green in phases):
        raise ValueError("it names no time or no phase")
    return Order(str(row["signal"]), begin, end, phases)


def _time(value: Any) -> float:
    return seconds_of(value) if isinstance(value, str) and ":" in value else float(value)


def _check(order: Order, network: Network, location: str) -> None:
    if order.signal not in network.intersections:
        raise InputError(
            f"there is no signal {order.signal!r}",
            location=location,
            remedy="take one that 'denxanh check' lists",
        )
    count = len(network.intersections[order.signal].phases)
    wrong = [phase for phase, _ in order.phases if not 0 <= phase < count]
    if wrong:
        raise InputError(
            f"signal {order.signal!r} has no phase {wrong[0]}",
            location=location,
            remedy=f"give 0…{count - 1}",
        )


def _overridden(policy: Policy, orders: list[Order]) -> Policy:
    """The strategy below, except during an order; it is asked anew after the order."""
    below, now = Remembered(policy), 0  # which phase of the order is shown

    def answer(seen: Observation) -> Green:
        nonlocal now
        order = next((o for o in orders if o.begin <= seen.time < o.end), None)
        if order is None:
            now = 0
            return Green(below.request(seen).phase, seen.step)
        below.forget()
        if seen.minimum_left > 0:
            return Green(seen.phase, seen.step)
        phase, green = order.phases[now]
        if seen.phase == phase and seen.elapsed >= green:
            now = (now + 1) % len(order.phases)
            phase, _ = order.phases[now]
        return Green(phase, seen.step)

    return answer
