"""What a comparison prints: whole labels while it runs, the window that is measured, and what qualifies the numbers."""

from __future__ import annotations

import html
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="module")
def compared(
    tiny_place: Any, cli: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Any]:
    """A short comparison of variants of one controller, at the end of which a third of the vehicles is on the road."""
    out = tmp_path_factory.mktemp("compared") / "out"
    variants = [f"max-pressure:interval={seconds}" for seconds in (10, 20, 30)]
    done = cli(
        *("compare", tiny_place.config, "--end", "+1min", "--warm-up", "20s", "--seeds", "1", "--out", out),
        *(part for variant in variants for part in ("-c", variant)),
    )
    assert done.returncode == 0, done.stderr
    return out, done


def test_progress_lines_tell_the_variants_of_a_controller_apart(compared: tuple[Path, Any]) -> None:
    lines = [line for line in compared[1].stderr.splitlines() if " s/veh " in line]
    for seconds in (10, 20, 30):
        assert sum(f"  max-pressure:interval={seconds}  seed 1  " in line for line in lines) == 1


def test_the_warm_up_and_the_vehicles_on_their_way_are_told(compared: tuple[Path, Any], here: Any) -> None:
    out, done = compared
    assert "the first 20 s (warm-up) of every run are not measured" in " ".join(done.stdout.split())
    flag = "max-pressure:interval=10: more than 10 % of the vehicles were still on their way at the end in 1/1 runs"
    assert f"flagged: {flag}" in done.stdout
    assert flag in here("table", out).stdout
    page = (out / "report.html").read_text("utf-8")
    assert flag in page
    assert "the first 20 s (warm-up) of every run are not measured" in page
    table = next(line for line in done.stdout.splitlines() if "mean over runs" in line)
    assert all(
        f"max-pressure:interval={seconds}" in table for seconds in (10, 20, 30)
    )  # not cut off in a pipe


def test_a_report_written_again_is_the_same_page(compared: tuple[Path, Any], here: Any) -> None:
    out, _ = compared
    before = (out / "report.html").read_bytes()
    (out / "report.html").unlink()
    assert here("report", out).status == 0
    assert (out / "report.html").read_bytes() == before


def test_one_controller_has_a_table_a_report_and_no_comparison(
    tiny_place: Any, cli: Callable[..., Any], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    done = cli("compare", tiny_place.config, "-c", "program", "--seeds", "2", "--end", "00:04", "--out", out)
    assert done.returncode == 0, done.stderr
    assert "Delay per vehicle (s/veh)" in done.stdout
    assert "distinguishable" not in done.stdout
    page = html.unescape((out / "report.html").read_text("utf-8"))
    assert "All measures" in page
    assert "Difference to" not in page
    assert "(0…240 s)" in page
    assert (out / "summary.csv").is_file()


@pytest.mark.parametrize(
    ("option", "text", "words"),
    [
        ("--end", "soon", "--end: 'soon' is not a time; write seconds, 07:30, +30min or +1800."),
        ("--warm-up", "soon", "--warm-up: 'soon' is not a duration; write seconds, 10min or 1h30min."),
        ("--limit", "never", "--limit: 'never' is not a duration; write seconds, 10min or 1h30min."),
    ],
)
def test_a_time_that_is_none_is_told_by_its_option(
    option: str, text: str, words: str, tiny_place: Any, here: Any, tmp_path: Path
) -> None:
    for command in ("run", "compare"):
        ended = here(command, tiny_place.config, "-c", "program", option, text, "--out", tmp_path / "out")
        assert (ended.status, ended.stderr.strip()) == (2, f"denxanh: {words}")
    if option != "--warm-up":
        ended = here("optimize", tiny_place.config, option, text, "--out", tmp_path / "out")
        assert (ended.status, ended.stderr.strip()) == (2, f"denxanh: {words}")
    assert not (tmp_path / "out").exists()
