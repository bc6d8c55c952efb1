"""Colours of pictures as people with deuteranopia see them, and the contrast of every word with what is behind it."""

from __future__ import annotations

import itertools
import re
from typing import Any

import numpy as np
import pytest

from denxanh.experiments.report.drawing.colour import (
    BLUE,
    FAINT,
    GREEN,
    INK,
    ORANGE,
    PURPLE,
    SERVICE,
    SKY,
    VERMILLION,
    WHITE,
    diverging,
    ink_on,
    sequential,
    styles,
)
from denxanh.experiments.report.pictures.picture import Cell, Label, Picture
from denxanh.experiments.report.pictures.picture_svg import svg_of
from denxanh.experiments.report.pictures.signal_pictures import plans_picture, ring_picture
from denxanh.networks.scenarios import open_scenario
from denxanh.sim.language.text import same
from denxanh.sim.network_reader import network_of, timings

# Machado, Oliveira & Fernandes (2009), severity 1.0, on linear RGB
DEUTERANOPIA = np.array(
    [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
)
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
APART = 15.0  # of CIELAB's difference: 2.3 can just be seen


def linear(colour: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    values = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def seen(colour: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    """CIELAB of a colour as it looks with deuteranopia."""
    xyz = TO_XYZ @ np.clip(DEUTERANOPIA @ linear(colour), 0.0, 1.0) / np.array([0.9505, 1.0, 1.089])
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def contrast(a: str, b: str) -> float:
    """The contrast ratio of WCAG 2."""
    low, high = sorted(float(np.array([0.2126, 0.7152, 0.0722]) @ linear(colour)) for colour in (a, b))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize(
    "together",
    [
        (GREEN, ORANGE, VERMILLION),  # what a signal shows
        (BLUE, PURPLE, VERMILLION),  # vehicles up, vehicles down, queues
        (BLUE, GREEN, VERMILLION),  # arrivals, begin and end of green
        (GREEN, SKY),  # through and left phases, odd and even stages
        tuple(one.colour for one in styles([str(k) for k in range(6)]).values()),
        tuple(SERVICE.values()),
    ],
    ids=["signal", "street", "purdue", "stages", "controllers", "service"],
)
def test_colours_that_stand_side_by_side_are_told_apart_with_deuteranopia(together: tuple[str, ...]) -> None:
    for a, b in itertools.combinations(together, 2):
        assert float(np.linalg.norm(seen(a) - seen(b))) > APART, (a, b)


def test_scales_keep_their_order_with_deuteranopia() -> None:
    lightness = [seen(sequential(k / 20))[0] for k in range(21)]
    assert (np.diff(lightness) < 0).all()
    both = [seen(diverging(k / 20)) for k in range(21)]
    assert np.argmax([one[0] for one in both]) == 10  # no change is the lightest
    assert float(np.linalg.norm(both[0] - both[-1])) > 3 * APART


def pictures() -> list[Picture]:
    """Pictures with words on colours: all plans and all rings of a place."""
    network = network_of(open_scenario("ha-noi/pho-hue"))
    plans = plans_picture(network, [(same("program"), timings(network))])
    assert plans is not None
    rings = [
        ring_picture(one, one.program, network, same("program")) for one in network.intersections.values()
    ]
    return [plans, *rings]


def test_every_word_has_the_contrast_of_level_aa() -> None:
    found = 0
    for picture in pictures():
        for layer in picture.layers:
            if isinstance(layer, Label):
                behind = [
                    cell.colour
                    for cell in picture.layers
                    if isinstance(cell, Cell)
                    and cell.left <= layer.x <= cell.right
                    and min(cell.low, cell.high) <= layer.y <= max(cell.low, cell.high)
                ]
                assert contrast(layer.colour, behind[-1] if behind else WHITE) >= 4.5, layer
                found += 1
        drawn = svg_of(picture)
        on_white = set(re.findall(r'<text[^>]*fill="(#[0-9a-f]{6})"', drawn)) - {
            layer.colour for layer in picture.layers if isinstance(layer, Label)
        }
        assert all(contrast(colour, WHITE) >= 4.5 for colour in on_white | {INK, FAINT})
    assert found > 20


def test_ink_reads_on_every_colour() -> None:
    colours = [*SERVICE.values(), GREEN, SKY, ORANGE, VERMILLION, BLUE, PURPLE]
    assert all(contrast(ink_on(colour), colour) >= 4.5 for colour in colours)
