"""All colours of the report: distinguishable with colour vision deficiency and in greyscale print."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

# Okabe & Ito (2008), "Color Universal Design"; without its yellow, which is invisible on white.
BLACK, ORANGE, SKY, GREEN = "#000000", "#e69f00", "#56b4e9", "#009e73"
BLUE, VERMILLION, PURPLE = "#0072b2", "#d55e00", "#cc79a7"
YELLOW, BROWN = "#f0e442", "#7a4f1d"  # on grey only: the yellow of Okabe & Ito, and a dark brown
INK, FAINT, GRID = "#222222", "#595959", "#e3e3e3"  # text and lines, secondary text, grid lines
WHITE, SHADE, NO_VALUE, OFF, GREY = "#ffffff", "#f0f0f0", "#d9d9d9", "#999999", "#8c8c8c"

# Blue to red without green, so that the level is legible without its background.
SERVICE = {"A": "#2166ac", "B": "#67a9cf", "C": "#d1e5f0", "D": "#fddbc7", "E": "#ef8a62", "F": "#b2182b"}
"""Background of each level of service."""

_CATEGORIES = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY)
_DASHES = ("", "7 3", "2 3")
_MARKERS = ("circle", "square", "triangle", "diamond")

# viridis (van der Walt & Smith 2015), 9 stops, from light to dark: long delays are dark.
_VIRIDIS = (
    "#fde725",
    "#addc30",
    "#5ec962",
    "#28ae80",
    "#21918c",
    "#2c728e",
    "#3b528b",
    "#472d7b",
    "#440154",
)
# ColorBrewer RdBu (Brewer 2003), reversed: blue is less, red is more.
_RED_BLUE = ("#2166ac", "#67a9cf", "#d1e5f0", "#f7f7f7", "#fddbc7", "#ef8a62", "#b2182b")

Ramp = Callable[[float], str]


@dataclass(frozen=True)
class Style:
    """How a controller is drawn in every figure; colour, dash and marker each identify it."""

    colour: str
    dash: str = ""
    marker: str = "circle"


def styles(names: Sequence[str]) -> dict[str, Style]:
    """A style for each name; the first, the baseline, is black."""
    out = {}
    for i, name in enumerate(names):
        if i == 0:
            out[name] = Style(BLACK)
        else:
            j = i - 1
            out[name] = Style(
                _CATEGORIES[j % len(_CATEGORIES)],
                _DASHES[j // len(_CATEGORIES) % len(_DASHES)],
                _MARKERS[i % len(_MARKERS)],
            )
    return out


def sequential(share: float) -> str:
    """Viridis from light (0) to dark (1)."""
    return _between(_VIRIDIS, share)


def diverging(share: float) -> str:
    """From blue (0) over white (0.5) to red (1)."""
    return _between(_RED_BLUE, share)


def _between(stops: Sequence[str], share: float) -> str:
    position = min(max(share, 0.0), 1.0) * (len(stops) - 1)
    i = min(int(position), len(stops) - 2)
    low, high = _rgb(stops[i]), _rgb(stops[i + 1])
    mixed = (round(a + (b - a) * (position - i)) for a, b in zip(low, high, strict=True))
    return "#" + "".join(f"{channel:02x}" for channel in mixed)


def _rgb(colour: str) -> tuple[int, ...]:
    return tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5))


def ink_on(colour: str) -> str:
    """Black or white, whichever reads better on ``colour`` (relative luminance of WCAG 2, section 1.4.3)."""
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (v / 255 for v in _rgb(colour))
    ]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "#000000" if luminance > 0.179 else "#ffffff"
