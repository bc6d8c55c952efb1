"""The page says what it was given, in both languages, and needs nothing else."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest

from denxanh.experiments.report import Comparison, Text, render, write_report
from denxanh.experiments.results.summary_row import SummaryRow
from denxanh.experiments.runs.run_row import RunRow
from denxanh.sim.errors import InputError
from denxanh.sim.metrics import METRICS

Build = Callable[..., Comparison]
Metrics = Callable[..., dict[str, float | int | None]]
STREET, CROSS = "Phố Huế", "Phố Trần Nhân Tông"
PAYLOAD = "<script>alert('x')</script>&\"\x00"


def drawings(page: str) -> list[ElementTree.Element]:
    """Every SVG of the page, parsed as XML."""
    return [ElementTree.fromstring(text) for text in re.findall(r"<svg.*?</svg>", page, re.DOTALL)]


def words(page: str, language: str) -> str:
    """What a reader of ``language`` sees, without scripts and the other language."""
    other = "en" if language == "vi" else "vi"
    body = page[page.index("<main>") : page.index("<footer>")]
    body = re.sub(rf'<(\w+)([^>]*) lang="{other}"[^>]*>.*?</\1>', "", body, flags=re.DOTALL)
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", body)))


def data(page: str) -> dict[str, object]:
    """The numbers that the page carries."""
    found = re.search(r'<script type="application/json" id="denxanh-data">(.*?)</script>', page, re.DOTALL)
    assert found
    return dict(json.loads(found[1]))


class Elements(HTMLParser):
    """Every element with its attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def test_the_numbers_of_the_summary_stand_in_the_page(page: str) -> None:
    english, vietnamese = words(page, "en"), words(page, "vi")
    # program: 41, 42, 43 s/veh; max-pressure: 23, 25, 27 s/veh
    for number in ("42.0", "25.0", "[40.8 … 43.2]", "-19.5", "[-21.8 … -17.2]"):
        assert number.replace("-", "−") in english
        assert number.replace("-", "−").replace(".", ",") in vietnamese
    assert "max-pressure: less delay than program." in english
    assert "max-pressure: trễ ít hơn program." in vietnamese
    assert "367" in english


def test_the_page_carries_all_runs_and_the_summary_unrounded(build: Build) -> None:
    comparison = build()
    carried = data(render(comparison))
    assert carried["baseline"] == "program"
    runs = carried["runs"]
    assert isinstance(runs, list)
    assert [run["metrics"] for run in runs] == [dict(run.metrics) for run in comparison.runs]
    summary = carried["summary"]
    assert isinstance(summary, list)
    assert [row["mean"] for row in summary] == [row.mean for row in comparison.summary]


def test_every_seed_is_a_mark_of_its_own(page: str) -> None:
    for seed in (1, 2, 3):
        assert f"program, seed {seed}: {40 + seed} s/veh" in page
        assert f"áp lực lớn nhất, lần mô phỏng {seed}: {21 + 2 * seed} s/xe" in page
        assert f"max-pressure, seed {seed}: −{19 - seed} s/veh" in page  # (21 + 2s) − (40 + s)


def test_counts_that_qualify_the_delay_are_told_for_every_controller(page: str) -> None:
    said = words(page, "en")
    for row in ("Finished 90 90", "Still on the road at the end 8 8", "Never inserted 2 2", "Emergency brakings 3 3",
                "Depart before begin (not simulated) 7 7", "Flagged runs 0 0"):  # fmt: skip
        assert row in said


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ({"waiting": 6, "arrived": 86}, "6.0 % of the vehicles never entered (limit 5 %)"),
        ({"fallbacks": 2}, "2 signals fell back to their fixed plan"),
        ({"teleports": 2}, "2.0 % of the vehicles were teleported (limit 1 %)"),
    ],
)
def test_a_jammed_run_is_flagged(build: Build, metrics: Metrics, counts: dict[str, int], said: str) -> None:
    comparison = build()
    jammed = replace(comparison.runs[0], metrics=metrics(41.0, **counts))
    page = words(render(replace(comparison, runs=(jammed, *comparison.runs[1:]))), "en")
    assert f"program, seed 1: {said}" in re.sub(r" +", " ", page).replace(" .", ".")
    assert "Flagged runs ⚠ 1 0" in page


def test_at_the_limit_no_run_is_flagged(build: Build, metrics: Metrics) -> None:
    comparison = build()
    limit = replace(comparison.runs[0], metrics=metrics(41.0, waiting=5, teleports=1))
    assert "⚠" not in words(render(replace(comparison, runs=(limit, *comparison.runs[1:]))), "en")


def test_vehicles_still_on_their_way_are_told_in_the_first_lines(build: Build, metrics: Metrics) -> None:
    comparison = build()
    cut = replace(comparison.runs[0], metrics=metrics(41.0, running=33, arrived=65))
    page = words(render(replace(comparison, runs=(cut, *comparison.runs[1:]))), "en")
    flag = "program: more than 10 % of the vehicles were still on their way at the end in 1/3 runs (up to 33.0 %)"
    assert flag in page
    assert page.index(flag) < page.index("Saved a day")
    assert "program, seed 1: 33.0 % of the vehicles were still on their way (limit 10 %)" in re.sub(
        " +", " ", page
    )
    limit = replace(comparison.runs[0], metrics=metrics(41.0, running=10, arrived=88))
    assert "still on their way" not in words(
        render(replace(comparison, runs=(limit, *comparison.runs[1:]))), "en"
    ).replace("more than 10 % were still on their way at the end, or", "")


def test_the_end_of_the_warm_up_is_marked_in_every_figure_over_time(page: str) -> None:
    assert page.count('stroke-dasharray="4 3"') >= 2  # a heat map for each controller
    assert page.count(">warm-up<") >= 2  # delay and queue


def test_level_of_service_is_told_by_its_letter(page: str) -> None:
    said = words(page, "en")
    # J1: w_J1 and n_J1 lose 60 × delay over 60 vehicles; mean delay 42 → D and 25 → C; J2: 50 s over 58 → A
    assert re.search(r"Phố Huế / J1 42\.0 D 25\.0 C", said)
    assert re.search(r"Phố Huế / J2 0\.9 A 0\.9 A", said)
    assert "This is not the control delay as the manual defines it" in said


def test_streets_are_named_on_the_map_and_in_its_tips(page: str) -> None:
    texts = [node.text for svg in drawings(page) for node in svg.iter("{http://www.w3.org/2000/svg}text")]
    assert STREET in texts
    assert CROSS in texts
    # 50 vehicles a run entered w_J1 and lost the delay of their run each
    assert f"{STREET} (w_J1): 42.0 s/veh, 50 veh" in page
    assert f"{STREET} (w_J1): 25,0 s/xe, 50 xe" in page
    assert f"{STREET} (w_J1): −17.0 s/veh" in page


def test_two_way_streets_are_drawn_side_by_side_driving_on_the_right(page: str) -> None:
    def start(edge: str) -> tuple[float, float]:
        drawn = re.search(rf"<title>[^<]*\({edge}\)[^<]*</title>", page)
        assert drawn
        found = re.findall(r'<path d="M([\d.]+) ([\d.]+)', page[: drawn.start()])
        return float(found[-1][0]), float(found[-1][1])

    north, south = start("J1_n"), start("n_J1")  # from y = 0 and from y = 250, both at x = 300
    assert north[0] - south[0] > 2
    assert north[1] > south[1]
    centre = re.search(r'cy="([\d.]+)"[^>]*><title>1  ', page)
    assert centre
    assert start("w_J1")[1] == start("J1_J2")[1] == float(centre[1])


def test_failed_runs_are_listed_with_their_reasons(build: Build) -> None:
    lost = RunRow("street", "max-pressure", 4, "timeout", "no answer within 600 s")
    page = words(render(build(extra=(lost,))), "en")
    assert "Runs without a result: 1 of 7" in page
    assert "max-pressure street 4 stopped by its limit of time no answer within 600 s" in page


def test_very_many_runs_are_drawn_but_not_listed(build: Build) -> None:
    comparison = build(seeds=tuple(range(1, 252)), folders=False)
    page = render(comparison)
    assert "More than 500 runs: each is listed in runs.csv." in words(page, "en")
    assert data(page)["runs"] == []
    assert "Every run" not in words(page, "en")
    chart = drawings(page)[0]
    ticks = [n for n in chart.iter("{http://www.w3.org/2000/svg}path") if n.attrib["d"].count("M") == 251]
    assert len(ticks) == 2
    assert len(page) < 200_000


def test_if_every_run_failed_the_reasons_are_still_told(build: Build) -> None:
    lost = tuple(RunRow("street", name, 1, "failed", "SUMO stopped") for name in ("program", "max-pressure"))
    page = render(build(seeds=(), extra=lost))
    assert words(page, "en").count("SUMO stopped") == 2
    assert len(drawings(page)) >= 1


def test_one_seed_has_no_interval_but_a_page(build: Build) -> None:
    page = render(build(seeds=(1,)))
    assert "[" not in words(page, "en").split("All measures")[1].split("Mean over seeds")[0]
    assert drawings(page)


def test_a_controller_alone_makes_a_page(build: Build) -> None:
    page = words(render(build(candidates=())), "en")
    assert "Where it changed" not in page
    assert "Delay by street" in page


def test_runs_without_folders_leave_out_only_what_needs_them(build: Build) -> None:
    page = words(render(build(folders=False)), "en")
    assert "Delay per vehicle" in page
    assert "Delay by street" not in page
    assert "The tables of the runs were not kept" in page


def test_a_missing_table_is_an_error_that_names_run_and_file(build: Build) -> None:
    comparison = build()
    folder = comparison.runs[0].folder
    assert folder
    (folder / "edges.parquet").unlink()
    with pytest.raises(InputError, match=r"edges\.parquet of program, seed 1, is missing"):
        render(comparison)


def test_controllers_that_read_different_files_are_not_compared_in_silence(build: Build, page: str) -> None:
    assert "Not comparable" not in page
    comparison = build()
    folder = comparison.runs[1].folder
    assert folder
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    manifest["inputs_sha256"] = {"street.net.xml": "ef" * 32}
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    assert "did not read the same input files with seed 2." in words(render(comparison), "en")


def test_a_program_that_a_controller_brings_is_not_other_traffic(build: Build) -> None:
    comparison = build()
    folder = comparison.runs[1].folder
    assert folder
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    manifest["inputs_sha256"]["plan.add.xml"] = "ef" * 32
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    assert "Not comparable" in words(render(comparison), "en")
    manifest["controller_files_sha256"] = ["ef" * 32]
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    assert "Not comparable" not in words(render(comparison), "en")


def test_the_manifests_say_how_a_run_is_repeated_with_bare_sumo(page: str) -> None:
    said = words(page, "en")
    assert "program 1 min_green=5 sumo -c run.sumocfg abababababababab…" in said
    assert f"street.net.xml : {'cd' * 32}" in said
    assert "J9 : a rail signal" in said
    assert "18 × Vehicle '…' performs emergency braking" in said  # 3 in each of 6 runs


@pytest.mark.parametrize(("seeds", "said"), [((1, 2, 3), "1…3"), ((9, 4, 5), "4, 5, 9"), ((7,), "7")])
def test_seeds_are_told_in_short(build: Build, seeds: tuple[int, ...], said: str) -> None:
    assert f"Seeds {said} Compared with" in words(render(build(seeds=seeds, folders=False)), "en")


def test_every_place_has_a_section_and_a_line_in_the_overview(build: Build) -> None:
    page = render(build(places=("street", "avenue")))
    assert 'href="#place-2"' in page
    assert 'id="place-2"' in page
    assert words(page, "en").count("All measures") == 2
    assert "program 42.0 42.0 max-pressure 25.0 −19.5 25.0 −19.5" in words(page, "en")


def test_the_scene_may_bring_its_own_headline(build: Build) -> None:
    comparison = build()
    said = Text("Holm says so.", "Holm nói vậy.")
    scenario = replace(comparison.scenarios[0], verdicts=(said,))
    page = words(render(replace(comparison, scenarios=(scenario,))), "en")
    assert "Holm says so." in page
    assert "less delay than program." not in page


def test_the_same_input_gives_the_same_bytes(build: Build, tmp_path: Path) -> None:
    for name in ("a.html", "b.html"):
        write_report(tmp_path / name, build())
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()


def test_the_report_replaces_the_old_one_at_once_and_leaves_nothing_else(
    build: Build, tmp_path: Path
) -> None:
    target = tmp_path / "out" / "report.html"
    write_report(target, build())
    write_report(target, build(title="Second"))
    assert "Second" in target.read_text(encoding="utf-8")
    assert [path.name for path in target.parent.iterdir()] == ["report.html"]


def test_names_cannot_become_markup(build: Build) -> None:
    comparison = build(candidates=(PAYLOAD,), street=PAYLOAD, title=PAYLOAD)
    scenario = replace(comparison.scenarios[0], title=Text(PAYLOAD, PAYLOAD), credit=PAYLOAD)
    lost = RunRow("street", PAYLOAD, 9, "failed", PAYLOAD)
    page = render(replace(comparison, scenarios=(scenario,), command=PAYLOAD, runs=(*comparison.runs, lost)))
    elements = Elements(page).found
    assert [dict(a).get("type") for tag, a in elements if tag == "script"] == ["application/json", None]
    assert "alert(" not in "".join(str(a) for tag, a in elements if tag not in ("svg",))
    assert "&lt;script&gt;alert(" in page
    carried = data(page)
    assert str(carried["title"]) == PAYLOAD
    assert drawings(page)


def test_nothing_is_loaded_from_anywhere(page: str) -> None:
    namespaces = page.replace('xmlns="http://www.w3.org/2000/svg"', "")
    assert not re.search(r"https?:|//cdn|url\(|@import", namespaces)
    for tag, attributes in Elements(page).found:
        assert tag not in ("link", "img", "iframe", "object", "embed", "base")
        assert not {"src", "srcset", "data", "style", "onclick", "onload"} & attributes.keys()
        assert attributes.get("href", "#").startswith("#")


def test_the_policy_admits_this_style_and_this_script_only(page: str) -> None:
    policy = next(a["content"] for tag, a in Elements(page).found if a.get("http-equiv"))
    assert policy is not None
    assert "unsafe" not in policy
    for tag in ("style", "script"):
        body = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        assert len(body) == 1
        digest = base64.b64encode(hashlib.sha256(body[0].encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy.replace("&#39;", "'")


def test_every_drawing_is_well_formed(page: str) -> None:
    found = drawings(page)
    assert len(found) >= 12
    for node in (node for svg in found for node in svg.iter()):
        coordinates = " ".join(v for k, v in node.attrib.items() if k not in ("aria-label", "class"))
        assert not re.search(r"\b(nan|inf|None)\b", coordinates)


def test_both_languages_are_complete(page: str) -> None:
    counts = [len(re.findall(rf'<\w+[^>]* lang="{language}"', page)) for language in ("en", "vi")]
    assert counts[0] == counts[1] + 1  # the page's own
    for metric in METRICS:
        assert metric.title in words(page, "en")
        assert metric.title_vi in words(page, "vi")


@pytest.mark.parametrize("language", ["en", "vi"])
def test_the_language_shown_first_can_be_chosen(build: Build, language: str) -> None:
    page = render(build(), language=language)  # type: ignore[arg-type]
    checked = [a["id"] for tag, a in Elements(page).found if tag == "input" and "checked" in a]
    assert checked == [f"language-{language}"]
    assert f'<html lang="{language}">' in page


def test_long_labels_may_break_between_their_parameters(build: Build) -> None:
    page = render(build(candidates=("max-pressure:interval=10,note=<b>",), folders=False))
    assert '<span lang="en">max-pressure:<wbr>interval=10,<wbr>note=&lt;b&gt;</span>' in page
    assert '<span lang="vi">áp lực lớn nhất (interval=10,<wbr>note=&lt;b&gt;)</span>' in page


def test_results_of_an_unknown_place_are_refused(build: Build, metrics: Metrics) -> None:
    comparison = build()
    stranger = RunRow("elsewhere", "program", 1, metrics=metrics(1.0))
    with pytest.raises(InputError, match="unknown place 'elsewhere'; the places are street"):
        replace(comparison, runs=(*comparison.runs, stranger))


def test_a_baseline_without_runs_is_refused(build: Build) -> None:
    comparison: Comparison = build()
    with pytest.raises(
        InputError, match="the baseline 'webster' has no run; choose from program, max-pressure"
    ):
        replace(comparison, baseline="webster")


def test_speeds_are_read_in_kilometres_per_hour(build: Build) -> None:
    made = build(folders=False)
    row = SummaryRow("street", "program", "speed_mps", 10.5, 9.5, 11.5, 3)
    page = render(replace(made, summary=(*made.summary, row)))
    (shown,) = re.findall(
        r"<tr><th>(?:(?!</tr>).)*Mean speed(?:(?!</tr>).)*<strong>.*?</tr>", page, re.DOTALL
    )
    assert "km/h" in shown
    assert "m/s" not in shown
    assert all(number in shown for number in ("37.8", "34.2", "41.4"))


def test_runs_of_another_demand_level_belong_to_a_place_of_their_own(build: Build) -> None:
    given = build(folders=False)
    scenario = replace(given.scenarios[0], place="street × 0.8")
    runs = tuple(replace(run, demand=0.8) for run in given.runs)
    other = replace(
        given,
        scenarios=(*given.scenarios, scenario),
        runs=(*given.runs, *runs),
        summary=(*given.summary, *(replace(row, demand=0.8) for row in given.summary)),
    )
    assert other.runs_of("street", "program") == given.runs_of("street", "program")
    assert {run.demand for run in other.runs_of("street × 0.8", "program")} == {0.8}
    assert other.row("street × 0.8", "program", "delay_s") != given.row("street", "program", "delay_s")
