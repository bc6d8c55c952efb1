"""The table of controllers against places: means, who is best, and what is said beside them."""

from __future__ import annotations

import csv
from dataclasses import replace

import pytest

from denxanh.experiments.results.pivot import as_csv, markdown, pivot
from denxanh.experiments.results.run_tables import write_summary
from denxanh.experiments.results.summary import summarise_rows
from denxanh.experiments.runs.run_row import RunRow
from denxanh.sim.errors import InputError

SAME = (1.0, -1.0, 0.5, -0.5, 0.0)


def row(place, controller, seed, delay, *, state="done", **more):
    metrics = {} if state != "done" else {"delay_s": delay, "speed_mps": 1 / delay, **more}
    return RunRow(
        id=f"{place}{controller}{seed}",
        number=0,
        place=place,
        demand=1.0,
        controller=controller,
        seed=seed,
        state=state,
        attempts=1,
        reason="",
        wall_s=1.0,
        cpu_s=1.0,
        sha256="",
        metrics=metrics,
    )


def town(place, means):
    """Five seeds of each controller; the seeds' ups and downs differ between a and b, c is shifted as a whole."""
    noise = {"a": SAME, "b": SAME[::-1], "c": SAME}
    return [
        row(place, name, seed, mean + noise[name][seed - 1], teleports=2 if name == "c" else 0, waiting=0)
        for seed in range(1, 6)
        for name, mean in means.items()
    ]


def test_which_are_shown_to_be_best_and_which_may_be():
    found = pivot(
        [*town("x", {"a": 20.0, "b": 20.1, "c": 23.0}), *town("y", {"a": 30.0, "b": 20.0, "c": 40.0})]
    )
    assert found.places == ("x", "y")
    assert found.controllers == ("a", "b", "c")
    # at x the difference of a and b has an sd of 1.5 over 5 seeds: neither is shown to be within 1 s of the other
    assert [[cell.best for cell in cells] for cells in found.cells] == [
        [False, False],
        [False, True],
        [False, False],
    ]
    assert [[cell.possible for cell in cells] for cells in found.cells] == [
        [True, False],
        [True, False],
        [False, False],
    ]
    assert found.cells[2][1].mean == pytest.approx(40.0)
    # sd of SAME is 0.79, t(4, 97.5 %) is 2.776
    assert found.cells[0][0].half_width == pytest.approx(2.776 * 0.7906 / 5**0.5, abs=1e-3)


def test_where_more_is_better():
    found = pivot(town("x", {"a": 20.0, "b": 30.0, "c": 40.0}), "speed_mps")
    assert [cells[0].best for cells in found.cells] == [True, False, False]


def test_markdown_tells_what_a_mean_hides():
    rows = town("x", {"a": 20.0, "b": 29.0, "c": 23.0})
    text = markdown(pivot([*rows, row("x", "b", 6, 0.0, state="failed")]))
    assert "| a | **20.0 ± 1.0** |" in text
    assert "| b | 29.0 ± 1.0 x1 |" in text
    assert "| c | 23.0 ± 1.0 t2 |" in text
    assert "over 5 seeds" in text


def test_a_limited_run_counts_and_is_marked():
    rows = [replace(one, state="limited") if one.seed == 1 else one for one in town("x", {"a": 20.0})]
    found = pivot(rows)
    assert (found.cells[0][0].runs, found.cells[0][0].limited) == (5, 1)
    assert "| a | 20.0 ± 1.0 l1 |" in markdown(found)
    assert next(csv.DictReader(as_csv(found).splitlines()))["limited"] == "1"


def test_gridlock_is_counted_and_takes_the_place_of_the_mean():
    jam = {"loaded": 100, "waiting": 20, "teleports": 0}
    rows = [
        row("x", "a", seed, 20.0 + 100 * (seed == 3), **(jam if seed == 3 else {"loaded": 100}))
        for seed in (1, 2, 3)
    ]
    rows += [row("x", "b", seed, 30.0, loaded=100) for seed in (1, 2, 3)]
    text = markdown(
        pivot([replace(one, metrics={"waiting": 0, "teleports": 0, **one.metrics}) for one in rows])
    )
    assert "| a | median 20.0 ? u6.67 g1/3 |" in text
    assert "| b | 30.0 ± 0.0 ? |" in text


def test_csv_has_a_row_for_each_pair():
    lines = as_csv(pivot(town("x", {"a": 20.0, "c": 23.0}))).splitlines()
    kinds = ("gain_conventional", "gain_existing")
    units = ("_s", "_per_cent")
    gains = ",".join(kind + end + unit for unit in units for kind in kinds for end in ("", "_low", "_high"))
    assert lines[0].startswith(f"controller,place,{gains},delay_s,half_width_95_s,runs,best,possible")
    assert lines[1].startswith("a,x,,,,,,,,,,,,,20.0,")  # neither the conventional nor the existing plan ran
    assert lines[1].split(",")[:2] == ["a", "x"]
    assert lines[2].split(",")[17] == "0"


def test_nothing_to_show():
    with pytest.raises(InputError, match="no metric 'delays'"):
        pivot(town("x", {"a": 20.0}), "delays")
    with pytest.raises(InputError, match="no runs"):
        pivot([])
    only_failed = pivot([row("x", "a", 1, 0.0, state="failed")])
    assert only_failed.cells[0][0].mean is None
    assert "– x1" in markdown(only_failed)


def test_vehicles_still_on_their_way_are_flagged_in_the_table_and_the_summary(tmp_path):
    rows = [
        row("p", name, seed, 10.0 + seed, loaded=100, running=n)
        for name, n in (("a", 33), ("b", 10))
        for seed in (1, 2)
    ]
    table = pivot(rows)
    text = markdown(table)
    a, b = (line for line in text.splitlines() if line.startswith(("| a", "| b")))
    assert a.endswith("r33% |")
    assert "r10%" not in b
    assert (
        "**Flagged**: a: more than 10 % of the vehicles were still on their way at the end in 2/2 runs"
        in text
    )
    assert text.count("Flagged") == 1
    first = next(csv.DictReader(as_csv(table).splitlines()))
    assert (first["unfinished_share"], first["limited"]) == ("0.33", "0")
    write_summary(tmp_path, summarise_rows(rows))
    with (tmp_path / "summary.csv").open(encoding="utf-8", newline="") as stream:
        flags = {
            (line["controller"], line["unfinished_share"], line["flagged"]) for line in csv.DictReader(stream)
        }
    assert flags == {("a", "0.33", "1"), ("b", "0.1", "0")}


def test_the_gain_over_the_conventional_plan_comes_first_and_the_existing_plan_second(tmp_path):
    delays = {"program": (50.0, 50.0, 50.0), "conventional": (40.0, 40.0, 40.0), "a": (29.0, 30.0, 31.0)}
    rows = [
        row("p", name, seed, delay, waiting=0)
        for name, known in delays.items()
        for seed, delay in enumerate(known)
    ]
    # t(0.975; 2) = 4.303; sd 1: the half-width is 4.303 / sqrt(3) = 2.484 s, 6 % of 40 and 5 % of 50
    text = markdown(pivot([*rows, *town("q", {"a": 20.0})])).splitlines()
    assert text[0] == "| controller | p: gain over conventional | p: over the existing plan | p | q |"
    assert next(line for line in text if line.startswith("| a")).startswith(
        "| a | +25 % (+19…+31) | +40 % (+35…+45) |"
    )
    assert next(line for line in text if line.startswith("| conv")).startswith(
        "| conventional | – | +20 % (+20…+20) |"
    )
    assert "A gain over an existing plan that is only assumed is no forecast" in "\n".join(text)
    write_summary(tmp_path, summarise_rows(rows))
    with (tmp_path / "summary.csv").open(encoding="utf-8", newline="") as stream:
        lines = {(line["controller"], line["metric"]): line for line in csv.DictReader(stream)}
    assert list(lines["a", "delay_s"])[4:8] == [
        "gain_conventional", "gain_conventional_low", "gain_conventional_high", "gain_existing"
    ]  # fmt: skip
    assert float(lines["a", "delay_s"]["gain_conventional"]) == 10.0
    assert float(lines["a", "delay_s"]["gain_conventional_low"]) == pytest.approx(10 - 2.484, abs=1e-3)
    assert float(lines["a", "delay_s"]["gain_existing"]) == 20.0
    # more speed is better: a gain is above 0 there too
    assert float(lines["a", "speed_mps"]["gain_existing"]) > 0
    assert lines["program", "delay_s"]["gain_existing"] == ""
