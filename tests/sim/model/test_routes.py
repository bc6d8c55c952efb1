"""Lanes along a route: what is worked out once for many routes."""

from collections.abc import Iterator

import numpy as np

from denxanh.sim.model.lane_choice import lane_choice
from denxanh.sim.network import Link


class Counted(list[Link]):
    """Links that count how often somebody goes through all of them."""

    times = 0

    def __iter__(self) -> Iterator[Link]:
        self.times += 1
        return super().__iter__()


def test_the_links_are_sorted_once_for_all_routes_of_a_class(hand):
    street = hand.street(signals=2)
    links = Counted(link for place in street.intersections.values() for link in place.links)
    way = tuple(street.edges)
    routes = [(way[k:], vclass) for vclass in ("passenger", "bus") for k in (0, 1, 0)]
    choice = lane_choice(street, links, routes, 500.0)
    assert links.times == 2
    again = [lane_choice(street, links, [route], 500.0) for route in routes]
    for r, alone in enumerate(again):
        own = choice.block[choice.start[r] : choice.start[r + 1] - 1]
        np.testing.assert_array_equal(
            choice.lane[choice.first[own]], alone.lane[alone.first[alone.block[:-1]]]
        )
