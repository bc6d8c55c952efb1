"""Links between pages of the repository lead to files and headings; user pages are short."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
LINK = re.compile(r"(?<!\\)\[[^\]\n]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
USER_PAGES = sorted(
    page
    for page in DOCS.rglob("*.md")
    if page.relative_to(DOCS).parts[0] not in ("research", "reference", "decisions")
)
LONGEST = 1500  # words of a page outside research, reference and decisions


def anchors(page: Path) -> set[str]:
    """Anchors of the headings of a page, as GitHub and MyST make them."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text("utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def links(page: Path) -> list[str]:
    return LINK.findall(FENCE.sub("", page.read_text("utf-8")))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_link_leads_somewhere(page: Path) -> None:
    lost = []
    for link in links(page):
        path, _, anchor = link.partition("#")
        if re.match(r"[a-z]+:", link):
            continue
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and target.suffix == ".md" and anchor not in anchors(target)):
            lost.append(link)
    assert not lost


def test_a_link_to_nowhere_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# A page\n[a](#a-page) [b](missing.md)\n```\n[c](no-link.md)\n```\n", encoding="utf-8")
    assert links(page) == ["#a-page", "missing.md"]
    assert anchors(page) == {"a-page"}


@pytest.mark.parametrize("room", ["decisions", "research"])
def test_the_index_of_a_room_names_every_page(room: str) -> None:
    named = {link.partition("#")[0] for link in links(DOCS / room / "README.md")}
    assert sorted(page.name for page in (DOCS / room).glob("*.md") if page.name not in named) == ["README.md"]


@pytest.mark.parametrize("page", USER_PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_user_page_has_no_more_than_1500_words(page: Path) -> None:
    words = [word for word in page.read_text("utf-8").split() if re.search(r"\w", word)]
    assert len(words) <= LONGEST, "move measurements to docs/research/"


PROMISING = [
    page
    for page in USER_PAGES
    if page.stem
    not in ("index", "README", "house", "contributing", "releases")  # lists, and the repository's
]


@pytest.mark.parametrize("page", PROMISING, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_user_page_begins_with_what_the_reader_will_have(page: Path) -> None:
    paragraphs = [part for part in page.read_text("utf-8").split("\n\n") if not part.startswith("#")]
    assert re.match(r"At the end |Cuối ", paragraphs[0]), paragraphs[0][:80]


@pytest.mark.parametrize("page", sorted((DOCS / "reference").glob("*.md")), ids=lambda page: page.stem)
def test_a_page_made_from_the_code_says_at_its_top_where_to_read_it(page: Path) -> None:
    text = page.read_text("utf-8")
    if "<!-- from the code:" in text:
        top = text[: text.index("<!-- from the code:")].partition("\n## ")[0]
        assert "`sphinx-build docs site`" in top
        assert f"`site/reference/{page.stem}.html`" in top


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_page_has_a_gap_that_was_to_be_filled(page: Path) -> None:
    assert "@@" not in page.read_text("utf-8")
