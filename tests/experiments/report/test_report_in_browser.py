"""The report in a browser: both languages, a phone, texts that do not cover each other, contrast, hostile names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from denxanh.experiments.report import Comparison, render
from denxanh.experiments.report.pdf import find_browser, print_page
from denxanh.sim.errors import InputError

Build = Callable[..., Comparison]

HOSTILE = (
    "<script>alert(1)</script>",
    "</script><script>alert(2)</script>",
    "<img src=x onerror=alert(3)>",
    '"><svg onload=alert(4)>',
    "' onmouseover='alert(5)",
    "</title></style><b>",
    "<!-- ",
    "]]>",
    "{{ 7 * 7 }}",
    "{% raw %}",
    "=cmd|' /C calc'!A0",
    "+1+1",
    "@SUM(A1)",
    "../../etc/passwd",
    "C:\\con\\nul",
    "%3Cscript%3E",
    "&lt;b&gt;",
    "a\u202egnp.exe",
    "\u2066isolated",
    "line\u2028break",
    "zero\u200bwidth",
    "ngã tư 🚦 交差点",
    "tab\tand\nnewline",
    "n" * 10_000,
)

CHECKS = Path(__file__).with_name("page_checks.js").read_text("utf-8")


def check(browser: Any, name: str) -> Any:
    """What a function of page_checks.js finds in the page."""
    return browser.value(f"(() => {{ {CHECKS}\nreturn {name}(); }})()")


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory, comparisons: Build) -> Path:
    """The report of a small comparison."""
    target = tmp_path_factory.mktemp("browser") / "report.html"
    target.write_text(render(comparisons()), encoding="utf-8")
    return target


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("language", ["en", "vi"])
def test_the_page_fits_and_can_be_read(page: Path, browser: Any, width: int, language: str) -> None:
    browser.problems.clear()
    browser.open(page, width=width, anchor=f"#{language}")
    assert browser.value("document.documentElement.scrollWidth <= innerWidth")
    assert check(browser, "overlaps") == []
    assert check(browser, "lowContrast") == []
    browser.value("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    assert browser.value("document.documentElement.scrollWidth <= innerWidth")
    assert check(browser, "overlaps") == []
    assert check(browser, "lowContrast") == []
    assert browser.problems == []


def test_the_language_is_switched_everywhere(page: Path, browser: Any) -> None:
    browser.problems.clear()
    browser.open(page)
    said = "document.querySelector('.advice').innerText"
    assert browser.value(said).startswith("What to do:")
    browser.value("document.querySelector('label[for=language-vi]').click()")
    assert browser.value(said).startswith("Việc cần làm:")
    assert browser.value("document.documentElement.lang") == "vi"
    assert browser.value("document.title") == "Nơi street: Một phép so sánh"
    assert "What to do" not in browser.value("document.body.innerText")
    assert browser.problems == []


def test_statistics_are_folded_and_stay_so_in_print(page: Path, browser: Any) -> None:
    browser.open(page)
    folded = "[...document.querySelectorAll('details.working')].filter((d) => d.open).length"
    assert browser.value(folded) == 0
    browser.value("dispatchEvent(new Event('beforeprint'))")
    assert browser.value(folded) == 0


def test_hostile_names_stay_text(browser: Any, comparisons: Build, tmp_path: Path) -> None:
    comparison = comparisons(
        seeds=(1, 2), candidates=HOSTILE, street=HOSTILE[0], title=HOSTILE[1], folders=False
    )
    target = tmp_path / "hostile.html"
    target.write_text(render(comparison), encoding="utf-8")
    browser.problems.clear()
    browser.open(target, width=390)
    assert browser.problems == []
    assert browser.value("document.querySelectorAll('script').length") == 2  # data, and the page's own
    assert browser.value("document.querySelectorAll('img, main b').length") == 0
    assert browser.value("document.documentElement.scrollWidth <= innerWidth")
    shown = "".join(browser.value("document.body.textContent").split())
    for name in HOSTILE:
        assert "".join(name.split()) in shown
    print_page(target, tmp_path / "hostile.pdf", "vi")
    assert (tmp_path / "hostile.pdf").read_bytes().startswith(b"%PDF")


def test_without_a_browser_a_pdf_is_one_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("denxanh.experiments.report.pdf._PLACES", ())
    with pytest.raises(InputError, match="no browser that prints to PDF is installed"):
        find_browser()
