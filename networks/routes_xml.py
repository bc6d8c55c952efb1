"""The demand as SUMO reads it: vehicle types, then one vehicle a line with its whole route."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from xml.sax.saxutils import quoteattr

from networks.demand import Vehicle
from networks.vehicles import Fidelity, VehicleType
from networks.vehicles import types as shipped


def document(
    vehicles: Iterable[Vehicle],
    fidelity: Fidelity,
    comment: str,
    *,
    types: Mapping[str, VehicleType] | None = None,
) -> str:
    """Return the ``.rou.xml`` text; ``comment`` says where the demand comes from.

    ``types`` are the vehicle types, those of data/vehicles.toml by default.
    """
    types = shipped() if types is None else types
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', f"<!-- {comment} -->", "<routes>"]
    lines += [line for t in types.values() for line in _type(t, fidelity)]
    counters: dict[str, int] = dict.fromkeys(types, 0)
    for v in vehicles:
        lines.append(
            f'    <vehicle id="{v.type}.{counters[v.type]}" type="{v.type}" depart="{v.depart:.2f}"'
            f' departLane="best" departSpeed="max"><route edges={quoteattr(" ".join(v.route))}/></vehicle>'
        )
        counters[v.type] += 1
    return "\n".join([*lines, "</routes>", ""])


def _type(vehicle_type: VehicleType, fidelity: Fidelity) -> Iterator[str]:
    """Yield the lines of a vType; its parameters say what the results have to be weighted with."""
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
