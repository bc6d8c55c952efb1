"""A percentage of gain on a page for users can be made again: beside it stand the command, the seeds and the date."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
PER_CENT = re.compile(r"\d\s?%|\bper cent\b|\bphần trăm\b")
CONFIDENCE = re.compile(r"95 %")  # of an interval: no gain
GAIN = re.compile(
    r"\b(gain(s|ed)?|less|fewer|better|worse|loses?|lost|saves?|reduce[sd]?|faster|slower|(below|above) the best"
    r"|giảm|tăng|cải thiện|tốt hơn|kém hơn|thấp hơn|cao hơn|ít hơn)\b|[−-]\d[\d.,…]*\s?%",
    re.IGNORECASE,
)
OTHERS = re.compile(r"police|VnExpress|Việt Nam News|doi\b|https?://|reported", re.IGNORECASE)
"""Figures of others name who says so instead."""
NEEDED = {
    "the command that makes it again": re.compile(
        r"denxanh \w|python benchmarks/|python -m pytest|tests/\w+/"
    ),
    "the seeds": re.compile(r"\bseeds?\b|lần mô phỏng|\bsamples\b|\bexperiments\b", re.IGNORECASE),
    "the date": re.compile(rf"({_MONTHS}) 20\d\d|tháng \d+ năm 20\d\d|20\d\d-\d\d-\d\d"),
    "the baseline": re.compile(
        r"\b(over|than|against|below|above|with|without) (the |a |an )?[`\w]|so với", re.IGNORECASE
    ),
}
STATISTICS = {"docs/statistics.md", "docs/metrics.md", "docs/report.md"}
"""Pages that explain intervals, coverage and flags: their percentages are no gains of a plan."""


def pages() -> list[Path]:
    """Pages for users: what was tried and decided lies apart, with its own rules."""
    apart = {"research", "decisions"}
    found = [path for path in (ROOT / "docs").rglob("*.md") if path.relative_to(ROOT).parts[1] not in apart]
    names = [ROOT / "README.md", ROOT / "README.vi.md", *sorted(found)]
    return [path for path in names if path.relative_to(ROOT).as_posix() not in STATISTICS]


def faults(text: str) -> list[str]:
    """A sentence for each gain in per cent that lacks something in its section or at the top of its page."""
    sections = re.split(r"(?m)^(?=## )", text)
    out = []
    for number, section in enumerate(sections):
        around = section if number == 0 else sections[0] + section
        for line in section.splitlines():
            gain = PER_CENT.search(CONFIDENCE.sub("", line)) and GAIN.search(line)
            if not gain or OTHERS.search(line):
                continue
            missing = [what for what, pattern in NEEDED.items() if not pattern.search(around)]
            if missing:
                out.append(f"{line.strip()[:100]} … lacks {', '.join(missing)}")
    return out


@pytest.mark.parametrize("page", pages(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_gain_in_per_cent_names_command_seeds_date_and_baseline(page: Path) -> None:
    assert faults(page.read_text("utf-8")) == []


def test_a_gain_without_its_source_is_found() -> None:
    bare = "# Page\n\nThe plan gains 37 % on Phố Huế.\n"
    (fault,) = faults(bare)
    assert all(what in fault for what in NEEDED)
    told = (
        "`denxanh optimize ha-noi/pho-hue`, held-out seeds 101–110, November 2026, over the conventional plan: "
        "8 % less delay."
    )
    assert faults(told) == []
    assert faults("# P\n\n" + told.replace("November 2026", "recently")) != []
    assert faults("Journey time −31 % (city police, before and after)") == []
    assert faults("mean and 95 % interval, less is better") == []
    # what another section says is not beside it
    assert faults(f"# P\n\n## A\n{told}\n\n## B\nIt gains 9 %.\n") != []
