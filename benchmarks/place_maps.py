"""Draw the maps of the built-in places: streets with names and directions, signals.

python benchmarks/place_maps.py docs/places
"""

from __future__ import annotations

import argparse
from pathlib import Path

from denxanh import networks
from denxanh.networks.build.building import load_place
from denxanh.networks.place.geometry import length
from denxanh.networks.place.place import Edge, Place

SIZE = 11.0  # inches, the longer side


def draw(place: Place, path: Path) -> None:
    """Draw a map of ``place`` to ``path``; the file extension (.png, .svg) selects the format.

    Line width follows the lanes, arrows show one-way streets, red dots are signals; north is up.
    """
    from matplotlib.figure import Figure

    xs = [n.at[0] for n in place.nodes.values()]
    ys = [n.at[1] for n in place.nodes.values()]
    scale = SIZE / max(max(xs) - min(xs), max(ys) - min(ys))
    size = ((max(xs) - min(xs)) * scale + 1.5, (max(ys) - min(ys)) * scale + 1.5)
    figure = Figure(figsize=size, layout="tight")
    axes = figure.add_subplot()
    longest: dict[str, Edge] = {}
    for edge in place.edges.values():
        x, y = zip(*edge.line, strict=True)
        axes.plot(x, y, lw=1.1 * edge.lanes, color="0.72", solid_capstyle="round", zorder=1)
        if length(edge.line) > length(longest.get(edge.street, edge).line) or edge.street not in longest:
            longest[edge.street] = edge
        if (edge.id[1:] if edge.id.startswith("-") else f"-{edge.id}") not in place.edges:
            third = [
                tuple(a + (b - a) * k for a, b in zip(*edge.line[:2], strict=True)) for k in (0.35, 0.65)
            ]
            axes.annotate(
                "", third[1], third[0], arrowprops={"arrowstyle": "->", "color": "tab:blue"}, zorder=2
            )
    for street, edge in longest.items():
        middle = tuple((a + b) / 2 for a, b in zip(*edge.line[:2], strict=True))
        axes.annotate(street, middle, fontsize=7, ha="center", va="bottom", zorder=4)
    signals = [place.nodes[s.node].at for s in place.signals]
    axes.scatter([x for x, _ in signals], [y for _, y in signals], s=28, color="tab:red", zorder=3)
    axes.set_aspect("equal")
    axes.set_axis_off()
    axes.set_title(f"{place.title_vi}\n{place.credit}", fontsize=9)
    figure.savefig(path, dpi=80, metadata={"Software": None} if path.suffix == ".png" else None)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="folder of the PNG files, one per place")
    folder = parser.parse_args().folder
    for place in networks.list_places():
        draw(load_place(place.name), folder / f"{place.name.replace('/', '-')}.png")


if __name__ == "__main__":
    main()
