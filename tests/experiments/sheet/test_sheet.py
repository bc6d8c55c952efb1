"""The timing sheet: what it says, that nothing overlaps on paper, and that a workbook computes nothing."""

from __future__ import annotations

import csv
import io
import json
import math
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from denxanh.experiments.formats.geojson_layers import geojson_layers
from denxanh.experiments.formats.plan_source import PlanSource, PlanSwitch
from denxanh.experiments.formats.plan_writers import written_plans
from denxanh.experiments.formats.signal_groups import intergreens, signal_groups
from denxanh.experiments.sheet.sheet_content import SignalSheet, clean, signal_sheets
from denxanh.experiments.sheet.sheet_drawing import Language, shortened, text_width, wrapped
from denxanh.experiments.sheet.sheet_pages import sheet_pages, write_pages
from denxanh.experiments.sheet.sheet_workbook import write_workbook
from denxanh.sim.language.text import Text
from denxanh.sim.signals.waivers import waivers

Call = Callable[..., subprocess.CompletedProcess[str]]
LANGUAGES: tuple[Language, ...] = ("en", "vi")


def sheets_of(source: PlanSource) -> list[SignalSheet]:
    return signal_sheets(source, date="2026-01-31")


def texts_of(sheet: SignalSheet, language: Language) -> str:
    tables = [sheet.group_table, sheet.matrix, sheet.day, *([sheet.pedestrians] if sheet.pedestrians else [])]
    for part in sheet.parts:
        tables += [part.stages, part.groups]
    cells = [
        c
        for t in tables
        for c in (t.title, *(x.head for x in t.columns), *(y for r in t.rows for y in r), *t.notes)
    ]
    found = (
        [c for c in cells if isinstance(c, Text)]
        + [x for fact in sheet.facts for x in fact]
        + list(sheet.notes)
    )
    return "\n".join(getattr(text, language) for text in found)


def test_the_stages_and_greens_are_those_of_the_plan(street: PlanSource) -> None:
    for sheet in sheets_of(street):
        timing = street.plans[0].timings[sheet.id]
        rows = sheet.parts[0].stages.rows
        assert [row[3] for row in rows[:-1]] == [stage.green for stage in timing.stages]
        total = [row[3] + row[5] + row[6] + row[7] for row in rows]  # type: ignore[operator]
        assert total[-1] == sum(total[:-1]) == timing.cycle
        assert "offset" in texts_of(sheet, "en").casefold()
        assert "(assumed: " in texts_of(sheet, "en")  # nobody has seen the plan of this place
        assert "giả định" in texts_of(sheet, "vi")
        assert "hiện trạng" not in texts_of(sheet, "vi")


def test_a_plan_seen_in_the_street_is_called_existing(street: PlanSource) -> None:
    seen = replace(street, scenario=replace(street.scenario, plan_source="cabinet sheet"))
    for sheet in sheets_of(seen):
        assert "(existing: " in texts_of(sheet, "en")
        assert "hiện trạng" in texts_of(sheet, "vi")


def test_no_id_of_an_edge_is_printed(street: PlanSource) -> None:
    for sheet in sheets_of(street):
        for language in LANGUAGES:
            text = texts_of(sheet, language)
            assert not [edge for edge in street.network.edges if edge in text]


def test_the_matrix_is_that_of_the_network_and_the_plan(walked: PlanSource) -> None:
    intersection = next(iter(walked.planned(0).intersections.values()))
    groups = signal_groups(walked.network, intersection.id, [intersection.program])
    matrix = intergreens(intersection, groups)
    kinds = {kind for row in matrix for kind, _ in row}
    assert kinds >= {"plan", "permitted", ""}
    for a, row in zip(groups, matrix, strict=True):
        for b, (kind, value) in zip(groups, row, strict=True):
            foes = intersection.foes[list(a.links)][:, list(b.links)].any()
            assert kind == "" or foes or intersection.foes[list(b.links)][:, list(a.links)].any()
            if kind == "plan":
                # the end of a's green to the next start of b's, by the lamps alone
                cycle = intersection.program.cycle
                gaps = [(start - end) % cycle for _, end in a.greens(intersection.program)
                        for start, _ in b.greens(intersection.program)]  # fmt: skip
                assert value == pytest.approx(min(gaps))
            else:
                assert kind == "usual" or math.isnan(value)


def test_pedestrian_times_are_compared_with_the_walk(walked: PlanSource) -> None:
    (sheet,) = sheets_of(walked)
    assert sheet.pedestrians is not None
    assert len(sheet.pedestrians.rows) == 4
    for row in sheet.pedestrians.rows:
        name, length, green, clearance, _, needed, result = row
        assert isinstance(name, Text)
        assert name.en.startswith("P")
        assert needed == math.ceil(length / 1.07)  # type: ignore[operator]
        enough = green >= 7 and clearance >= needed  # type: ignore[operator]
        assert isinstance(result, Text)
        assert result.en == ("sufficient" if enough else "short")


def test_a_clearance_of_crossings_is_no_all_red(walked: PlanSource) -> None:
    (sheet,) = sheets_of(walked)
    (intersection,) = walked.network.intersections.values()
    crossings = sorted(intersection.crossings)
    for row, stage in zip(sheet.parts[0].stages.rows, intersection.program.stages, strict=False):
        red = [i for i in stage.change if not set(i.state) & set("Ggy")]
        walking = [i for i in stage.change if "y" not in i.state and i not in red]
        assert all(i.state[k] == "r" for i in walking for k in crossings)
        assert row[6:8] == (sum(i.duration for i in red), sum(i.duration for i in walking))
    assert sheet.group_table.rows[4][1].en == "pedestrian crossing of street without a name, north arm"  # type: ignore[union-attr]


def test_the_day_plan_has_the_hours(street: PlanSource) -> None:
    switches = (PlanSwitch(6 * 3600.0, 0), PlanSwitch(9 * 3600.0, 0), PlanSwitch(16.5 * 3600, 0))
    sheet = sheets_of(replace(street, switches=switches))[0]
    assert [row[0].en for row in sheet.day.rows] == ["06:00–09:00", "09:00–16:30", "16:30–06:00"]  # type: ignore[union-attr]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("place", ["street", "walked"])
def test_no_text_covers_another_or_leaves_the_page(
    place: str, language: Language, request: pytest.FixtureRequest
) -> None:
    source: PlanSource = request.getfixturevalue(place)
    for page in sheet_pages(source.network, sheets_of(source), language):
        page.figure.draw_without_rendering()
        boxes = [
            (label.get_text(), label.get_window_extent()) for label in page.labels if label.get_text().strip()
        ]
        whole = page.figure.bbox
        for k, (text, box) in enumerate(boxes):
            assert whole.x0 <= box.x0 <= box.x1 <= whole.x1, text
            assert whole.y0 <= box.y0 <= box.y1 <= whole.y1, text
            for other, beside in boxes[:k]:
                wide = min(box.x1, beside.x1) - max(box.x0, beside.x0)
                high = min(box.y1, beside.y1) - max(box.y0, beside.y0)
                assert wide < 1.0 or high < 0.25 * min(box.height, beside.height), (text, other)


def test_the_pdf_is_vector_with_embedded_fonts(street: PlanSource, tmp_path: Path) -> None:
    file = tmp_path / "sheet.pdf"
    pages = write_pages(file, street.network, sheets_of(street), "vi")
    content = file.read_bytes()
    assert content.count(b"/Type /Page\n") + content.count(b"/Type /Page ") == pages
    assert b"/FontFile2" in content
    assert b"DejaVuSans" in content
    assert b"/Subtype /Image" not in content


def test_a_measured_width_is_that_of_the_drawn_text(street: PlanSource) -> None:
    page = sheet_pages(street.network, sheets_of(street)[:1], "vi")[0]
    page.text(20, 20, "Đường Nguyễn Thị Minh Khai, từ phía đông bắc", 8.0)
    page.figure.draw_without_rendering()
    drawn = page.labels[-1].get_window_extent().width / page.figure.dpi * 25.4
    assert text_width("Đường Nguyễn Thị Minh Khai, từ phía đông bắc", 8.0) == pytest.approx(drawn, rel=0.02)
    assert text_width(shortened("x" * 10_000, 8.0, 30.0), 8.0) <= 30.0
    assert all(text_width(line, 8.0) <= 30.0 for line in wrapped("some words and " + "y" * 500, 8.0, 30.0))


def test_the_workbook_holds_numbers(street: PlanSource, tmp_path: Path) -> None:
    file = tmp_path / "sheet.xlsx"
    sheets = sheets_of(street)
    write_workbook(file, sheets, "en")
    book = openpyxl.load_workbook(file)
    assert len(book.sheetnames) == 1 + len(sheets)
    values = [cell.value for row in book.worksheets[1].iter_rows() for cell in row]
    for stage in street.plans[0].timings[sheets[0].id].stages:
        assert stage.green in values
    assert "Intergreen matrix (s): row = ending group, column = starting group" in values


def test_the_command_writes_both_files_beside_the_plan(
    street: PlanSource, tiny_place: Any, cli: Call
) -> None:
    done = cli("sheet", street.files[0], "--place", tiny_place.config, "--lang", "en")
    assert done.returncode == 0, done.stderr
    folder = street.files[0].parent
    assert (folder / "sheet-en.pdf").read_bytes().startswith(b"%PDF")
    assert (folder / "sheet-en.xlsx").read_bytes().startswith(b"PK")
    for arguments, said in ((("--lang", "fr"), "--lang 'fr' is not known; choose vi or en"),):
        bad = cli("sheet", street.files[0], "--place", tiny_place.config, *arguments)
        assert bad.returncode == 2
        assert said in bad.stderr
    alone = cli("sheet", street.files[0])
    assert "a plan alone does not name its place; add --place PLACE" in alone.stderr


HOSTILE = (
    "<script>alert(1)</script>", "=cmd|' /C calc'!A0", "../../etc/passwd", "x" * 10_000, "Phố \u202eHuế\u202c",
    "\u200f\u200eabc", "$\\frac{1}{2}$", "a\nb\r\nc", "tab\there", "\x00\x07nul", "'quoted\"", "+1+1", "@SUM(A1)",
    "-2+3", "%s %d {0}", "\\input{x}", "日本語の通り", "شارع", "😀 street", "a;b,c", "[x]:*?/\\", " ", "\ufeffbom",
    "Pho\u0302\u0301 Hue\u0302\u0301",
)  # fmt: skip


def named(source: PlanSource, names: Sequence[str]) -> PlanSource:
    """The place with these names for the streets of its approaches, in turn, and for its signals."""
    network = source.network
    entries = [m.start for i in network.intersections.values() for m in i.movements]
    streets = dict(zip(dict.fromkeys(entries), [*names] * 8, strict=False))
    edges = {id: replace(edge, name=streets.get(id, names[0])) for id, edge in network.edges.items()}
    intersections = {id: replace(i, name=names[k]) for k, (id, i) in enumerate(network.intersections.items())}
    return replace(source, network=replace(network, edges=edges, intersections=intersections, name=names[-1]))


@pytest.mark.parametrize("begin", range(0, len(HOSTILE), 8))
def test_hostile_names_are_texts(
    street: PlanSource, begin: int, tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    names = HOSTILE[begin : begin + 8]
    source = named(street, names)
    sheets = sheets_of(source)
    write_pages(tmp_path / "sheet.pdf", source.network, sheets, "vi")
    assert not [str(warning.message) for warning in recwarn.list]  # no glyph is missing
    write_workbook(tmp_path / "sheet.xlsx", sheets, "vi")
    book = openpyxl.load_workbook(tmp_path / "sheet.xlsx")
    cells = [cell for sheet in book.worksheets for row in sheet.iter_rows() for cell in row]
    assert not [cell for cell in cells if cell.data_type in ("f", "e")]
    texts = [str(cell.value) for cell in cells]
    for name in names:
        assert [text for text in texts if clean(name, 60) in text], name
        assert len(clean(name)) <= 200
        assert clean(name).isprintable()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["sheet.pdf", "sheet.xlsx"]


@pytest.mark.parametrize("begin", range(0, len(HOSTILE), 8))
def test_hostile_names_come_through_the_formats(street: PlanSource, begin: int) -> None:
    source = named(street, HOSTILE[begin : begin + 8])
    texts = written_plans(source, ["csv", "utdf", "gmns", "sumo"]).texts
    texts |= geojson_layers(source.network, source.plans[0], lambda point: (105.0 + point[0] * 1e-5, 21.0))
    for file, text in texts.items():
        assert ".." not in file
        if file.endswith(".geojson"):
            features = json.loads(text)["features"]
            streets = {f["properties"].get("name", f["properties"].get("from_street")) for f in features}
            known = {edge.name for edge in source.network.edges.values()}
            assert streets <= known | {i.name for i in source.network.intersections.values()}
        elif file.endswith(".csv"):
            separator = ";" if file.startswith("gian") else ","
            for row in csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), delimiter=separator):
                assert not [
                    c for c in row if c.startswith(("=", "@", "+", "\t")) and not c.lstrip("+").isdigit()
                ]


def test_a_short_yellow_and_unchecked_crossings_are_said(street: PlanSource) -> None:
    """With no pedestrian signals and a yellow below ITE's formula, whoever installs the plan is told."""
    said = {note.vi for sheet in sheets_of(street) for note in sheet.notes}
    timings = street.planned(0).intersections.values()
    short = any(one.rule == "short-yellow" for intersection in timings for one in waivers(intersection))
    assert any(note.startswith("Thời gian vàng ngắn hơn công thức ITE") for note in said) == short
    assert any("chưa kiểm tra thời gian họ cần để qua đường" in note for note in said)
