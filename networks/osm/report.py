"""What an import had to guess: counted, named where it matters, and written beside the place."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Guesses:
    """Notes taken during one import: how often each kind of guess was made, and single findings."""

    counts: Counter[str] = field(default_factory=Counter)
    findings: list[str] = field(default_factory=list)

    def count(self, kind: str, number: int = 1) -> None:
        """Note ``number`` more guesses of one kind."""
        self.counts[kind] += number

    def find(self, sentence: str) -> None:
        """Note one thing a person should look at, once."""
        if sentence not in self.findings:
            self.findings.append(sentence)


@dataclass(frozen=True, slots=True)
class ImportReport:
    """The outcome of an import."""

    name: str
    source: str
    signals: int
    edges: int
    vehicles: int
    guesses: Guesses

    def markdown(self) -> str:
        """Return the report as the place's ``about.md``."""
        counted = [f"- {kind}: {number}" for kind, number in sorted(self.guesses.counts.items())]
        found = [f"- {sentence}" for sentence in self.guesses.findings]
        return "\n".join(
            [
                f"# {self.name}",
                "",
                f"Imported from `{self.source}`: {self.signals} signals, {self.edges} edges.",
                "",
                "Map data © OpenStreetMap contributors, ODbL 1.0 (openstreetmap.org/copyright); the network built",
                "from it is under the same licence.",
                "",
                f"The demand is synthetic, not counted: {self.vehicles} simulated vehicles in an hour between the",
                "ends of the streets, on shortest ways, few enough that signals keep up. The plans are guessed.",
                "",
                "## Guessed",
                "",
                *(counted or ["Nothing."]),
                "",
                "## To be looked at",
                "",
                *(found or ["Nothing."]),
                "",
            ]
        )
