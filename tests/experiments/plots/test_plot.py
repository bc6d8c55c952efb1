"""Plots: every kind in both languages, the data of the report, files that are what their names say."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import denxanh as dx
from denxanh.experiments.plots.canvas import canvas, save
from denxanh.experiments.plots.plot import KINDS, plot
from denxanh.sim.errors import InputError


@pytest.fixture(scope="module")
def study(tiny_place: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two controllers, two seeds."""
    folder = tmp_path_factory.mktemp("plotted") / "study"
    dx.compare(tiny_place.config, ["program", "longest-queue"], seeds=2, jobs=1, out=folder)
    return folder


def words(figure: Any) -> str:
    found = [figure.get_suptitle()]
    for axes in figure.axes:
        texts = [axes.get_xlabel(), axes.get_ylabel()]
        ticks = [label.get_text() for label in (*axes.get_xticklabels(), *axes.get_yticklabels())]
        found += [*texts, *ticks, *(text.get_text() for text in axes.texts)]
    for legend in figure.legends:
        found += [text.get_text() for text in legend.get_texts()]
    return " | ".join(found).replace("\n", " ")


@pytest.mark.filterwarnings("error:Glyph")
@pytest.mark.parametrize(
    "kind",
    [
        pytest.param(
            kind, marks=[pytest.mark.slow] if kind in ("queue-heat", "purdue") else []
        )  # repeats the run
        for kind in KINDS
    ],
)
def test_every_kind_speaks_both_languages(study: Path, kind: str, tmp_path: Path) -> None:
    english = plot(study, kind, language="en")
    vietnamese = plot(study, kind, language="vi")
    save(vietnamese, tmp_path / "x.png")  # a letter without a glyph would warn
    assert words(english) != words(vietnamese)
    assert any(
        word in words(vietnamese) for word in ("thời gian", "Thời gian", "số xe", "hàng chờ", "số lần xanh")
    )
    assert not any(word in words(vietnamese) for word in (" veh", "time", "mean", "queue by"))


def test_the_delay_is_that_of_the_runs(study: Path) -> None:
    runs = dx.load(study)
    figure = dx.plot(runs, "delay")
    marks = [sorted(c.get_offsets()[:, 0].tolist()) for c in figure.axes[0].collections]
    for controller, drawn in zip(("program", "longest-queue"), marks, strict=True):
        assert drawn == pytest.approx(sorted(runs.where(controller=controller).runs["delay_s"].tolist()))


def test_the_cumulative_curves_end_with_the_arrivals(study: Path) -> None:
    runs = dx.load(study)
    lines = dx.plot(study, "cumulative").axes[0].lines
    ends = [line.get_ydata()[-1] for line in lines]
    of = [runs.where(controller=controller) for controller in ("program", "longest-queue")]
    arrived = [
        (one.table("vehicles")["fate"] == "arrived").sum() / len(one) for one in of
    ]  # of the whole run
    assert ends[1:] == pytest.approx(arrived)
    assert ends[0] >= max(ends[1:])
    assert all((np.diff(line.get_ydata()) >= 0).all() for line in lines)


def test_bands_are_drawn_of_a_plan_that_the_signals_followed(study: Path) -> None:
    fixed = words(plot(study, "time-space", controller="program"))
    free = words(plot(study, "time-space", controller="longest-queue"))
    assert "the signals follow no fixed plan" not in fixed
    assert "the signals follow no fixed plan" in free


@pytest.mark.parametrize(
    ("name", "begin"),
    [("a.svg", b"<?xml"), ("a.PDF", b"%PDF"), ("a.png", b"\x89PNG")],
    ids=["SVG", "PDF", "PNG"],
)
def test_a_file_is_what_its_name_says_and_the_same_each_time(
    study: Path, tmp_path: Path, name: str, begin: bytes
) -> None:
    contents = []
    for folder in ("one", "two"):
        save(plot(study, "mfd"), tmp_path / folder / name)
        contents.append((tmp_path / folder / name).read_bytes())
    assert contents[0].startswith(begin)
    assert contents[0] == contents[1]


@pytest.mark.parametrize(
    "name", ["$x^{$", "<b>&amp;", "n" * 10_000, "\u202egnp.exe", "a\nb", "=cmd|' /C'!A0"]
)
def test_hostile_names_are_drawn_as_text(name: str, tmp_path: Path) -> None:
    drawn = canvas("en")
    drawn.title(name)
    drawn.axes.plot([0, 1], [0, 1], label=drawn.short(name))
    drawn.axes.set_yticks([0], [drawn.short(name)])
    drawn.legend()
    save(drawn.figure, tmp_path / "x.svg")
    assert (tmp_path / "x.svg").stat().st_size < 200_000


def test_wrong_requests_are_one_sentence(
    study: Path, cli: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    for arguments, sentence in (
        (["delays", study], "there is no plot 'delays'"),
        (["delay", study, "--out", tmp_path / "x.gif"], "cannot be written as '.gif'"),
        (["delay", tmp_path], "no ledger found"),
    ):
        done = cli("plot", *arguments)
        assert done.returncode == 2
        assert sentence in done.stderr
        assert "Traceback" not in done.stderr
    for more, sentence in (
        ({"controller": "programm"}, "no finished run of controller 'programm'"),
        ({"place": "x"}, "there is no place 'x'"),
        ({"intersection": "x"}, "shows no single intersection"),
    ):
        with pytest.raises(InputError, match=sentence):
            plot(study, "delay", **more)
    with pytest.raises(InputError, match="there is no intersection 'x'"):
        plot(study, "stages", intersection="x")
