"""Selection of turns by text in a place file: ``"Phố Huế"``, ``"Trần Hưng Đạo @W"``, ``"Phố Huế: left, through"``."""

from __future__ import annotations

from denxanh.networks.place import names
from denxanh.networks.place.geometry import bearing
from denxanh.networks.place.place import Edge, Node, Turn
from denxanh.sim.errors import InputError
from denxanh.sim.movements import compass


class Approaches:
    """The edges that arrive at one junction, selected by street name and by side."""

    def __init__(self, node: Node, arriving: list[Edge], location: str) -> None:
        self._location = location
        self._sides = {e.id: compass(bearing(node.at, e.line[-2])) for e in arriving}
        self._keys = {e.id: names.key(e.street) for e in arriving}
        self._streets = {e.id: e.street for e in arriving}
        self._known = sorted(f"{e.street} @{self._sides[e.id]}" for e in arriving)

    def select(self, text: str, turns: list[Turn]) -> list[Turn]:
        """Return the turns that ``text`` names.

        Raises:
            InputError: it names none.
        """
        approach, _, directions = text.partition(":")
        wanted = {d.strip() for d in directions.split(",")} if directions else {"left", "through", "right"}
        edges = self._named(approach)
        found = [t for t in turns if t.start in edges and t.direction in wanted]
        if not found:
            raise InputError(
                f"'{text}' names no turn of this junction",
                location=self._location,
                remedy="write 'Street', 'Street @W' or 'Street @W: left, through, right'; approaches are "
                + ", ".join(self._known),
            )
        return found

    def edge(self, text: str) -> str:
        """Return the edge that ``text``, "Street" or "Street @W", names.

        Raises:
            InputError: it names none, or more than one.
        """
        found = self._named(text)
        if len(found) != 1:
            raise InputError(
                f"'{text}' names {len(found) or 'no'} approach{'es' if found else ''} of this junction",
                location=self._location,
                remedy="write 'Street' or 'Street @W'; approaches are " + ", ".join(self._known),
            )
        return found.pop()

    def name(self, edge: str) -> str:
        """Return the shortest text that names ``edge``: "Huế", or "Trần Hưng Đạo @W"."""
        street = names.bare(self._streets[edge])
        alone = sum(1 for key in self._keys.values() if key == self._keys[edge]) == 1
        return street if alone else f"{street} @{self._sides[edge]}"

    def _named(self, text: str) -> set[str]:
        street, _, side = text.partition("@")
        return {
            id
            for id, key in self._keys.items()
            if key == names.key(street.strip()) and (not side or self._sides[id] == side.strip())
        }
