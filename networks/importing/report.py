"""What an import had to guess: counted, named where it matters, and written beside the place in three forms."""

from __future__ import annotations

import html
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title><style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 56rem; margin: 2rem auto; padding: 0 1rem; }}
table {{ border-collapse: collapse; }} td {{ border-bottom: 1px solid #ddd; padding: .2rem .8rem .2rem 0; }}
td.n {{ text-align: right; font-variant-numeric: tabular-nums; }} li {{ margin: .2rem 0; }}
@media (prefers-color-scheme: dark) {{ body {{ background: #16181c; color: #e6e6e6; }} td {{ border-color: #444; }} }}
</style></head><body>
<h1>{title}</h1>
{body}
</body></html>
"""


@dataclass(slots=True)
class Guesses:
    """Notes taken during one import: how often each kind of guess was made, and single findings."""

    counts: dict[str, int] = field(default_factory=dict)
    contents: dict[str, int] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)
    findings: list[str] = field(default_factory=list)

    def count(self, kind: str, number: int = 1) -> None:
        """Note ``number`` more guesses of one kind."""
        if number:
            self.counts[kind] = self.counts.get(kind, 0) + number

    def contain(self, kind: str, number: int = 1) -> None:
        """Note ``number`` more things of one kind that the source holds."""
        if number:
            self.contents[kind] = self.contents.get(kind, 0) + number

    def leave_out(self, kind: str, number: int = 1) -> None:
        """Note ``number`` more things of the source that the place does not hold."""
        if number:
            self.left_out[kind] = self.left_out.get(kind, 0) + number

    def find(self, sentence: str) -> None:
        """Note one thing a person should look at, once."""
        if sentence not in self.findings:
            self.findings.append(sentence)


@dataclass(frozen=True, slots=True)
class ImportReport:
    """The outcome of an import."""

    name: str
    source: str  # file name and its format
    licence: str  # what the source asks of those who pass it on; "" if it is the user's own
    signals: int
    edges: int
    length_km: float
    demand: str  # one sentence: where the vehicles come from
    vehicles: int
    guesses: Guesses

    def write(self, folder: Path) -> None:
        """Write the report as ``about.md``, ``import.json`` and ``import.html``."""
        (folder / "about.md").write_text(self.markdown(), encoding="utf-8", newline="\n")
        (folder / "import.html").write_text(self.html(), encoding="utf-8", newline="\n")
        text = json.dumps(asdict(self), ensure_ascii=False, indent=1)
        (folder / "import.json").write_text(text + "\n", encoding="utf-8", newline="\n")

    def markdown(self) -> str:
        """Return the report as Markdown."""
        lines = [f"# {self.name}", "", self.summary(), ""]
        for paragraph in self._paragraphs():
            lines += [paragraph, ""]
        for title, counts in self._tables():
            lines += [f"## {title}", "", *(f"- {kind}: {number}" for kind, number in counts), ""]
        lines += ["## To be looked at", "", *(f"- {f}" for f in self.guesses.findings or ["Nothing."]), ""]
        return "\n".join(lines)

    def html(self) -> str:
        """Return the report as a page that needs no other file."""
        parts = [f"<p>{html.escape(p)}</p>" for p in (self.summary(), *self._paragraphs())]
        for title, counts in self._tables():
            rows = "\n".join(
                f'<tr><td>{html.escape(kind)}</td><td class="n">{number}</td></tr>' for kind, number in counts
            )
            parts.append(f"<h2>{title}</h2>\n<table>\n{rows}\n</table>")
        items = "\n".join(f"<li>{html.escape(f)}</li>" for f in self.guesses.findings or ["Nothing."])
        parts.append(f"<h2>To be looked at</h2>\n<ul>\n{items}\n</ul>")
        return _PAGE.format(title=html.escape(self.name), body="\n".join(parts))

    def summary(self) -> str:
        """Return what came of it in one sentence."""
        return (
            f"Imported from {self.source}: {self.signals} signals, {self.edges} edges, {self.length_km:.1f} km,"
            f" {self.vehicles} vehicles."
        )

    def _paragraphs(self) -> list[str]:
        return [p for p in (self.licence, self.demand) if p]

    def _tables(self) -> list[tuple[str, list[tuple[str, int]]]]:
        tables = [
            ("Held", self.guesses.contents),
            ("Guessed", self.guesses.counts),
            ("Left out", self.guesses.left_out),
        ]
        return [(title, sorted(counts.items())) for title, counts in tables if counts]
