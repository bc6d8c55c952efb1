"""The page of the workbench in a browser: read, drag, refuse, take back, start and cancel, in both languages."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
from collections.abc import Iterator
from typing import Any

import openpyxl
import pytest

pytest.importorskip("starlette", reason="the workbench needs the extra serve")
sync_api = pytest.importorskip(
    "playwright.sync_api", reason="pages are driven by playwright, of the extra dev"
)

from denxanh.experiments.report.pdf import find_browser  # noqa: E402
from denxanh.sim.errors import InputError  # noqa: E402

PATIENCE = 300_000  # ms, after which a test gives up; nothing is asserted of how long anything takes
expect = sync_api.expect


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    try:
        program = find_browser()
    except InputError as error:
        pytest.skip(str(error))
    with sync_api.sync_playwright() as playwright:
        one = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield one
        one.close()


@pytest.fixture
def page(browser: Any, server: Any) -> Iterator[Any]:
    """A page whose errors, and whose requests to anywhere else, fail the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-GB")
    one = context.new_page()
    one.set_default_timeout(PATIENCE)
    expect.set_options(timeout=PATIENCE)
    faults: list[str] = []
    one.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    one.on("pageerror", lambda error: faults.append(str(error)))
    own = (f"http://{server.host}/", "data:")
    one.on("request", lambda request: None if request.url.startswith(own) else faults.append(request.url))
    one.goto(server.address)
    expect(one.locator(".card").first).to_be_visible()
    yield one
    context.close()
    assert not faults


def edit(page: Any, place: str) -> None:
    """Open the editor, and wait for the figures of all three plans."""
    card = page.locator(".card", has_text=place)
    card.get_by_role("button").first.click()
    for plan in ("existing", "1", "2"):
        expect(page.locator(f"[data-figure='delay-{plan}']")).to_have_text(re.compile(r"\d"))


def drag(page: Any, target: Any, pixels: float, *, at: float = 0.5) -> None:
    target.scroll_into_view_if_needed()
    box = target.bounding_box()
    x, y = box["x"] + at * box["width"], box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + pixels / 2, y)
    page.mouse.move(x + pixels, y)
    page.mouse.up()


def contrast(colour: str, behind: str) -> float:
    """WCAG 2.1 contrast of two ``rgb()`` colours."""

    def luminance(text: str) -> float:
        parts = [int(v) / 255 for v in re.findall(r"\d+", text)[:3]]
        linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(colour), luminance(behind)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_the_key_leaves_the_address_and_a_page_without_it_says_so(
    page: Any, browser: Any, server: Any
) -> None:
    assert "token" not in page.url
    other = browser.new_page()
    other.goto(f"http://{server.host}/")
    expect(other.locator("#main")).to_contain_text("denxanh serve")
    other.close()


def test_both_languages_without_a_word_of_the_other(page: Any) -> None:
    page.locator("#language-vi").click()
    expect(page.locator("html")).to_have_attribute("lang", "vi")
    expect(page.locator("#rooms")).to_contain_text("Địa điểm")
    text = page.locator("body").inner_text().replace("English", "")
    for word in ("Places", "Compare", "Edit", "Import", "signals", "Study"):
        assert word not in text
    page.reload()
    expect(page.locator("#rooms")).to_contain_text("Địa điểm")
    page.locator("#language-en").click()
    expect(page.locator("#rooms")).to_contain_text("Places")


def test_a_drag_of_an_offset_moves_the_number_and_undo_takes_it_back(page: Any) -> None:
    edit(page, "pho-hue")
    row, delay = page.locator(".signal").nth(2), page.locator("[data-figure='delay-1']")
    stops = page.locator("[data-figure='stops-1']")
    before, number, stopped = row.get_attribute("aria-valuenow"), delay.inner_text(), stops.inner_text()
    drag(page, row, 150)
    expect(row).not_to_have_attribute("aria-valuenow", before)
    expect(stops).not_to_have_text(stopped)
    expect(page.locator("[data-figure='delay-existing']")).to_have_text(number)
    expect(page.locator("#undo")).to_be_enabled()
    page.keyboard.press("Control+z")
    expect(row).to_have_attribute("aria-valuenow", before)
    expect(delay).to_have_text(number)
    page.locator("#redo").click()
    expect(row).not_to_have_attribute("aria-valuenow", before)
    page.locator("#undo").click()
    expect(row).to_have_attribute("aria-valuenow", before)


def test_the_keyboard_moves_an_offset_and_keeps_its_place(page: Any) -> None:
    edit(page, "pho-hue")
    row = page.locator(".signal").nth(4)
    before = float(row.get_attribute("aria-valuenow"))
    row.focus()
    page.keyboard.press("ArrowRight")
    expect(row).to_have_attribute("aria-valuenow", f"{before + 1:g}")
    expect(row).to_be_focused()
    expect(page.locator("#undo")).to_have_attribute("data-steps", "1")
    page.keyboard.press("Shift+ArrowLeft")
    expect(row).to_have_attribute("aria-valuenow", f"{(before - 4) % 70:g}")
    expect(page.locator("#undo")).to_have_attribute("data-steps", "2")
    page.locator("#undo").click()
    expect(row).to_have_attribute("aria-valuenow", f"{before + 1:g}")
    page.locator("#undo").click()
    expect(row).to_have_attribute("aria-valuenow", f"{before:g}")


def test_a_drag_against_a_rule_is_refused_with_its_reason(page: Any) -> None:
    edit(page, "hoang-dao-thuy")
    handle, state = page.locator(".handle").first, page.locator("#state")
    green = handle.get_attribute("aria-valuenow")
    drag(page, handle, -450)
    expect(state).to_contain_text("minimum green")
    expect(handle).to_have_attribute("aria-valuenow", green)
    page.locator("#language-vi").click()
    field = page.locator("table.stages input").nth(1)
    field.fill("1")
    field.press("Enter")
    expect(state).to_contain_text("vàng ngắn hơn")
    expect(field).to_have_value("3")


def test_the_cycle_of_all_signals_changes_together(page: Any) -> None:
    edit(page, "pho-hue")
    cycle, row = page.locator("#cycle"), page.locator(".signal").first
    cycle.fill("20")
    cycle.press("Enter")
    expect(page.locator("#state")).to_contain_text("too short")
    cycle.fill("84")
    cycle.press("Enter")
    expect(row).to_have_attribute("aria-valuemax", "84")
    assert {one.get_attribute("aria-valuemax") for one in page.locator(".signal").all()} == {"84"}
    page.locator("#undo").click()
    expect(row).to_have_attribute("aria-valuemax", "70")


def test_two_own_plans_side_by_side(page: Any) -> None:
    edit(page, "pho-hue")
    page.locator("[data-slot='2']").click()
    row = page.locator(".space .signal").nth(1)
    before = row.get_attribute("aria-valuenow")
    row.focus()
    page.keyboard.press("Shift+ArrowRight")
    expect(row).not_to_have_attribute("aria-valuenow", before)
    page.locator("#beside").click()
    assert page.locator(".space svg").count() == 2
    assert page.locator(".signal.fixed").count() == 10
    page.locator("#load").focus()
    page.locator("#load").select_option("existing")
    expect(row).to_have_attribute("aria-valuenow", before)


@pytest.mark.parametrize("language", ["en", "vi"])
def test_a_phone_shows_all_of_it(page: Any, language: str) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    page.locator(f"#language-{language}").click()
    for room in range(4):
        page.locator("#rooms button").nth(room).click()
        if room == 1:
            page.locator("#main button").first.click()
            edit(page, "pho-hue")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.locator("#rooms button").nth(1).click()
    boxes = page.evaluate(
        """[...document.querySelectorAll('.space svg text')].filter(e => e.checkVisibility()).map(e => {
            const b = e.getBoundingClientRect(); return [b.left, b.top, b.right, b.bottom]; })"""
    )
    for k, a in enumerate(boxes):
        assert a[0] >= 0
        assert a[2] <= 360
        for b in boxes[k + 1 :]:
            assert a[2] <= b[0] + 1 or b[2] <= a[0] + 1 or a[3] <= b[1] + 3 or b[3] <= a[1] + 3, (a, b)


def test_words_can_be_told_from_what_is_behind_them(page: Any) -> None:
    """AA of WCAG 2.1: 4.5 to 1."""
    edit(page, "hoang-dao-thuy")
    pairs = page.evaluate(
        """[...document.querySelectorAll('body *')].filter(e => e.checkVisibility() && !e.disabled &&
             !e.closest('svg') && [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim())).map(e => {
            let behind = e;
            const clear = (one) => getComputedStyle(one).backgroundColor.endsWith(', 0)');
            while (clear(behind) && behind !== document.documentElement) { behind = behind.parentElement; }
            const found = clear(behind) ? 'rgb(255, 255, 255)' : getComputedStyle(behind).backgroundColor;
            return [e.textContent.slice(0, 30), getComputedStyle(e).color, found]; })"""
    )
    assert len(pairs) > 30
    assert [pair for pair in pairs if contrast(pair[1], pair[2]) < 4.5] == []


def test_a_job_is_started_and_cancelled_on_the_page(page: Any) -> None:
    card = page.locator(".card", has_text="hoang-dao-thuy")
    card.get_by_role("button", name="Compare").click()
    form = page.locator("form.panel").first
    form.locator("input[type=number]").first.fill("30")
    form.get_by_role("button", name="Start").click()
    job = page.locator(".job").first
    expect(job).to_have_attribute("data-state", re.compile("running|waiting"))
    job.get_by_role("button", name="Cancel").click()
    expect(job).to_have_attribute("data-state", "cancelled")
    job.get_by_role("button", name="Take off").click()
    expect(page.locator(".job")).to_have_count(0)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no files of these names")
def test_hostile_names_are_shown_as_letters(page: Any, server: Any) -> None:
    for k, name in enumerate(
        ("<img src=x onerror=alert(1)>", "=cmd|' C'!A0", "\u202egnp.exe", "n" * 200, "a&b'\"")
    ):
        folder = server.folder / name
        folder.mkdir(exist_ok=True)
        (folder / "report.html").write_text("x", encoding="utf-8")
        (folder / "study.json").write_text("{}", encoding="utf-8")
        (folder / f"<b>{k}.csv").write_text("x", encoding="utf-8")
    page.locator("#rooms button").nth(2).click()
    expect(page.locator(".card")).to_have_count(5)
    assert page.locator(".card img, .card b").count() == 0
    expect(page.locator(".card", has_text="<img src=x onerror=alert(1)>")).to_have_count(1)
    link = page.locator(".card", has_text="<img").locator("a", has_text="report.html")
    with page.context.expect_page() as opened:
        link.click()
    assert opened.value.evaluate("window.origin") == "null"


@pytest.mark.slow
def test_an_edited_plan_is_checked_in_sumo_and_becomes_a_sheet(
    page: Any, server: Any, tiny_place: Any
) -> None:
    """From the drag to the report of the comparison and the sheet for the cabinet, by the buttons of the page."""
    folder = server.folder / "tiny-street"
    folder.mkdir()
    for file in (tiny_place.net, tiny_place.routes, tiny_place.config):
        shutil.copy(file, folder)
    page.reload()
    edit(page, "tiny-street")
    row = page.locator(".signal").first
    before = row.get_attribute("aria-valuenow")
    drag(page, row, 120)
    expect(row).not_to_have_attribute("aria-valuenow", before)
    expect(page.locator("#undo")).to_have_attribute("data-steps", "1")
    page.locator("#check").click()
    job = page.locator(".job").first
    expect(job).to_have_attribute("data-state", "done")
    with page.context.expect_page() as opened:
        job.locator("a", has_text="report.html").click()
    report = opened.value
    report.wait_for_load_state()
    figures = report.evaluate(
        "JSON.parse(document.querySelector('script[type=\"application/json\"]').textContent)"
    )
    controllers = {run["controller"] for run in figures["runs"]}
    assert "program" in controllers
    assert any(name.startswith("fixed-time:plan=") and name.endswith("plan-1.json") for name in controllers)
    assert {run["status"] for run in figures["runs"]} == {"ok"}
    assert len({run["seed"] for run in figures["runs"]}) == 5
    report.close()
    page.locator("#rooms button").nth(1).click()
    page.locator("#sheet").click()
    sheets = page.locator(".job", has_text="tiny-street").first
    expect(sheets.locator("h3")).to_contain_text("Timing sheet")
    expect(sheets).to_have_attribute("data-state", "done")
    for name in ("sheet-vi.pdf", "sheet-en.pdf", "sheet-vi.xlsx", "sheet-en.xlsx"):
        expect(sheets.locator("a", has_text=name)).to_have_count(1)
    with page.expect_download() as downloaded:
        sheets.locator("a", has_text="sheet-en.xlsx").click()
    book = openpyxl.load_workbook(io.BytesIO(downloaded.value.path().read_bytes()))
    cells = [cell.value for sheet in book for line in sheet.iter_rows() for cell in line]
    offset = json.loads(next(server.folder.glob("sheet-*/plan.json")).read_text(encoding="utf-8"))
    moved = next(iter(offset["intersections"].values()))["offset"]
    assert moved in cells
