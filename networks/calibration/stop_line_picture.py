"""Picture of a stop line at the end of red as SVG: vehicles to scale, seen from above."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from xml.sax.saxutils import escape

from denxanh.networks.calibration.saturation_flow import LANE_WIDTH, LANES
from denxanh.networks.calibration.stop_line import FRONT, Standing
from denxanh.networks.place.vehicles import VehicleType

SCALE = 20.0  # pixels per m
SHOWN = 40.0  # m before the stop line
MARGIN = 20.0  # pixels


def picture(scene: Iterable[Standing], types: Mapping[str, VehicleType], title: str) -> str:
    """Return the SVG text of the vehicles within ``SHOWN`` of the stop line, which is at the right.

    Bodies have the length and width of the types in `sublane`.
    """
    width, height = SHOWN * SCALE + 2 * MARGIN, LANES * LANE_WIDTH * SCALE + 3 * MARGIN
    right, top = MARGIN + SHOWN * SCALE, 2 * MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}" height="{height:g}"'
        f' viewBox="0 0 {width:g} {height:g}" font-family="sans-serif" font-size="12">',
        f"<title>{escape(title)}</title>",
        f'<text x="{MARGIN:g}" y="{MARGIN:g}">{escape(title)}</text>',
        f'<rect x="{MARGIN:g}" y="{top:g}" width="{SHOWN * SCALE:g}" height="{LANES * LANE_WIDTH * SCALE:g}"'
        ' fill="#e6e6e6"/>',
    ]
    for lane in range(1, LANES):
        y = top + lane * LANE_WIDTH * SCALE
        parts.append(
            f'<line x1="{MARGIN:g}" x2="{right:g}" y1="{y:g}" y2="{y:g}" stroke="#fff" stroke-dasharray="12 8"/>'
        )
    for x, colour in ((right, "#000"), (right - FRONT * SCALE, "#999")):
        parts.append(
            f'<line x1="{x:g}" x2="{x:g}" y1="{top:g}" y2="{height - MARGIN:g}" stroke="{colour}"'
            ' stroke-width="2"/>'
        )
    parts += [_body(v, types[v.type], right, top) for v in scene if v.x < SHOWN]
    return "\n".join([*parts, "</svg>", ""])


def _body(v: Standing, type_: VehicleType, right: float, top: float) -> str:
    """Return the rectangle of a vehicle; the kerb is at the bottom."""
    body = type_.attributes("sublane")
    length = min(float(body["length"]), SHOWN - v.x) * SCALE
    width = float(body["width"]) * SCALE
    x = right - v.x * SCALE - length
    y = top + (LANES * LANE_WIDTH - v.y) * SCALE - width / 2
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{length:.1f}" height="{width:.1f}" rx="3" stroke="#333"'
        f' fill="rgb({body["color"]})"><title>{escape(v.id)}</title></rect>'
    )
