"""Write the demand as a SUMO route file: vehicle types, then vehicles with their whole routes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from xml.sax.saxutils import quoteattr

from denxanh.networks.place.vehicles import Fidelity, VehicleType
from denxanh.networks.place.vehicles import types as built_in_types
from denxanh.networks.traffic.synthetic_demand import Vehicle


def document(
    vehicles: Iterable[Vehicle],
    fidelity: Fidelity,
    comment: str,
    *,
    types: Mapping[str, VehicleType] | None = None,
) -> str:
    """Return the ``.rou.xml`` text; ``comment`` states the origin of the demand.

    ``types`` are the vehicle types, those of data/vehicles.toml by default.
    """
    types = built_in_types() if types is None else types
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', f"<!-- {comment} -->", "<routes>"]
    lines += [line for t in types.values() for line in _type(t, fidelity)]
    counters: Counter[str] = Counter()
    for v in vehicles:
        family = f"line-{v.line}" if v.line else v.type
        stops = "".join(f'<stop busStop={quoteattr(s)} duration="{v.dwell:g}"/>' for s in v.stops)
        lines.append(
            f'    <vehicle id="{family}.{counters[family]}" type="{v.type}" depart="{v.depart:.2f}"'
            f' departLane="best" departSpeed="max"><route edges={quoteattr(" ".join(v.route))}/>{stops}</vehicle>'
        )
        counters[family] += 1
    return "\n".join([*lines, "</routes>", ""])


def _type(vehicle_type: VehicleType, fidelity: Fidelity) -> Iterator[str]:
    """Yield the lines of a vType; its parameters are the weights of one simulated vehicle in the results."""
    attributes = {"id": vehicle_type.id, **vehicle_type.attributes(fidelity)}
    text = " ".join(f"{k}={quoteattr(str(v))}" for k, v in attributes.items())
    yield f"    <vType {text}>"
    represents = vehicle_type.represents(fidelity)
    for key, value in (
        ("pcu", vehicle_type.pcu * represents),
        ("mcu", vehicle_type.mcu * represents),
        ("persons", vehicle_type.occupancy * represents),
        ("represents", represents),
    ):
        yield f'        <param key="{key}" value="{value:.4g}"/>'
    yield "    </vType>"
