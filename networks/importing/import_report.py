"""Report of an import: contents, assumptions, omissions and findings, written in three formats.

The page is in English and Vietnamese; ``about.md`` and ``import.json`` are in English.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from markupsafe import Markup

from denxanh.sim.language import switch
from denxanh.sim.language.text import Text, number, same

_STYLE = """body { font: 16px/1.5 system-ui, "Noto Sans", "DejaVu Sans", sans-serif; color: var(--ink);
  max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; } td { border-bottom: 1px solid var(--line); padding: .2rem .8rem .2rem 0; }
td.n { text-align: right; font-variant-numeric: tabular-nums; } li { margin: .2rem 0; }
"""
_TO_CHECK = Text("To check", "Cần xem lại")
_NOTHING = Text("Nothing.", "Không có gì.")


@dataclass(slots=True)
class ImportNotes:
    """Notes of one import: numbers of contents, assumptions and omissions by kind, and findings to check."""

    assumptions: dict[Text, int] = field(default_factory=dict)
    contents: dict[Text, int] = field(default_factory=dict)
    omissions: dict[Text, int] = field(default_factory=dict)
    findings: list[Text] = field(default_factory=list)

    def add_assumption(self, kind: Text, number: int = 1) -> None:
        """Add ``number`` assumptions or corrections of one kind."""
        if number:
            self.assumptions[kind] = self.assumptions.get(kind, 0) + number

    def add_content(self, kind: Text, number: int = 1) -> None:
        """Add ``number`` elements of one kind that the source contains."""
        if number:
            self.contents[kind] = self.contents.get(kind, 0) + number

    def add_omission(self, kind: Text, number: int = 1) -> None:
        """Add ``number`` elements of one kind that the place does not contain."""
        if number:
            self.omissions[kind] = self.omissions.get(kind, 0) + number

    def add_finding(self, sentence: Text) -> None:
        """Add a finding for the user to check, unless it is already there."""
        if sentence not in self.findings:
            self.findings.append(sentence)


@dataclass(frozen=True, slots=True)
class ImportReport:
    """The report of an import."""

    name: str
    source: str  # file name and its format
    licence: Text  # conditions of the source's licence; empty if unknown
    signals: int
    edges: int
    length_km: float
    demand: Text  # one sentence: origin of the vehicles
    vehicles: int
    notes: ImportNotes

    def write(self, folder: Path) -> None:
        """Write the report as ``about.md``, ``import.json`` and ``import.html``."""
        (folder / "about.md").write_text(self.markdown(), encoding="utf-8", newline="\n")
        (folder / "import.html").write_text(self.html(), encoding="utf-8", newline="\n")
        text = json.dumps(self.record(), ensure_ascii=False, indent=1)
        (folder / "import.json").write_text(text + "\n", encoding="utf-8", newline="\n")

    def record(self) -> dict[str, object]:
        """Return the report as JSON values, texts in English."""
        noted = self.notes

        def plain(counts: Mapping[Text, int]) -> dict[str, int]:
            return {kind.en: n for kind, n in counts.items()}

        return {
            "name": self.name,
            "source": self.source,
            "licence": self.licence.en,
            "signals": self.signals,
            "edges": self.edges,
            "length_km": self.length_km,
            "demand": self.demand.en,
            "vehicles": self.vehicles,
            "guesses": {
                "counts": plain(noted.assumptions),
                "contents": plain(noted.contents),
                "left_out": plain(noted.omissions),
                "findings": [f.en for f in noted.findings],
            },
        }

    def markdown(self) -> str:
        """Return the report as Markdown, in English."""
        lines = [f"# {self.name}", "", self.summary().en, ""]
        for paragraph in self._paragraphs():
            lines += [paragraph.en, ""]
        for title, counts in self._tables():
            lines += [f"## {title.en}", "", *(f"- {kind.en}: {n}" for kind, n in counts), ""]
        findings = self.notes.findings or [_NOTHING]
        lines += [f"## {_TO_CHECK.en}", "", *(f"- {f.en}" for f in findings), ""]
        return "\n".join(lines)

    def html(self) -> str:
        """Return the report as a page in both languages without references to other files."""
        parts = [Markup("<p>{}</p>").format(p) for p in (self.summary(), *self._paragraphs())]
        for title, counts in self._tables():
            rows = Markup("\n").join(
                Markup('<tr><td>{}</td><td class="n">{}</td></tr>').format(kind, n) for kind, n in counts
            )
            parts.append(Markup("<h2>{}</h2>\n<table>\n{}\n</table>").format(title, rows))
        items = Markup("\n").join(Markup("<li>{}</li>").format(f) for f in self.notes.findings or [_NOTHING])
        parts.append(Markup("<h2>{}</h2>\n<ul>\n{}\n</ul>").format(_TO_CHECK, items))
        return switch.page(self.name, _STYLE, parts)

    def summary(self) -> Text:
        """Return the result of the import in one sentence."""
        km = number(self.length_km, 1)
        return Text(
            f"Imported from {self.source}: {self.signals} signals, {self.edges} edges, {km.en} km,"
            f" {self.vehicles} vehicles.",
            f"Nhập từ {self.source}: {self.signals} nút có đèn tín hiệu, {self.edges} đoạn đường, {km.vi} km,"
            f" {self.vehicles} xe.",
        )

    def _paragraphs(self) -> list[Text]:
        return [p for p in (self.licence, self.demand) if p != same("")]

    def _tables(self) -> list[tuple[Text, list[tuple[Text, int]]]]:
        tables = [
            (Text("Contents", "Có trong dữ liệu"), self.notes.contents),
            (Text("Assumed", "Phỏng đoán"), self.notes.assumptions),
            (Text("Omitted", "Đã loại bỏ"), self.notes.omissions),
        ]
        return [(title, sorted(c.items(), key=lambda row: row[0].en)) for title, c in tables if c]
