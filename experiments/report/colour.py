"""Colours that people with a colour vision deficiency can tell apart, and that survive a grey printer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

# Okabe & Ito (2008), "Color Universal Design"; the yellow is left out, it does not show on white paper.
BLACK, ORANGE, SKY, GREEN = "#000000", "#e69f00", "#56b4e9", "#009e73"
BLUE, VERMILLION, PURPLE = "#0072b2", "#d55e00", "#cc79a7"
_CATEGORIES = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY)
_DASHES = ("", "7 3", "2 3")
_MARKERS = ("circle", "square", "triangle", "diamond")

# viridis (van der Walt & Smith 2015), 9 stops, from light to dark: much delay is dark on white paper.
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
    """How one controller is drawn everywhere: colour, dash and marker each tell it apart on their own."""

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
