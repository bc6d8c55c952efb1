"""The table of a benchmark as Markdown and LaTeX, with what it was measured from."""

from __future__ import annotations

from dataclasses import dataclass, replace

from denxanh.experiments.benchmark.outside_rows import OutsideRow, Source
from denxanh.experiments.benchmark.suite import Suite
from denxanh.experiments.results.measured_window import MOST_UNFINISHED
from denxanh.experiments.results.pivot import (
    BEST,
    MARKS,
    POSSIBLE,
    Cell,
    Pivot,
    cell_marks,
    cell_value,
    heading,
    markdown,
)
from denxanh.sim.language.text import Text, joined

STATISTICS = (
    "Best subset: J. C. Hsu, Constrained simultaneous confidence intervals for multiple comparisons with the best, "
    "Annals "
    "of Statistics 12 (1984) 1136–1144; B. L. Nelson, F. J. Matejcik, Using common random numbers for "
    "indifference-zone "
    "selection and multiple comparisons in simulation, Management Science 41 (1995) 1935–1945."
)
DELAY = (
    "Delay: time lost on the way and waiting before insertion, of all vehicles, over all vehicles, those that did not "
    "arrive or never entered included."
)


@dataclass(frozen=True)
class Input:
    """A file of a scenario and the SHA-256 of its content."""

    scenario: str
    file: str
    sha256: str


@dataclass(frozen=True)
class Benchmark:
    """What a benchmark's files show."""

    suite: Suite
    days: str  # "each": a day of its own for each seed; "same"
    table: Pivot
    inputs: tuple[Input, ...]
    digests: dict[str, str]  # SHA-256 over the files of a scenario, by its name
    controllers: tuple[tuple[str, str], ...]  # label, first line of its description
    sources: tuple[Source, ...]  # of rows measured elsewhere
    versions: dict[str, str]
    command: str


def conditions(found: Benchmark) -> Text:
    """Seeds, days, time and versions as one sentence."""
    seeds, duration = found.suite.seeds, found.suite.duration
    listed = ", ".join(map(str, seeds)) if len(seeds) <= 12 else f"{min(seeds)}…{max(seeds)} ({len(seeds)})"
    days = (
        Text(
            "each seed has a day of its own (departures drawn anew)",
            "mỗi lần mô phỏng một ngày riêng (rút lại giờ đi)",
        )
        if found.days == "each"
        else Text("all seeds have the same vehicles", "mọi lần mô phỏng cùng các xe như nhau")
    )
    time = (
        Text("the scenario's own time", "thời gian của từng kịch bản")
        if duration is None
        else f"{duration:g} s"
    )
    made = ", ".join(f"{name} {found.versions[name]}" for name in ("denxanh", "sumo", "platform"))
    return joined([Text(f"seeds {listed}", f"lần mô phỏng {listed}"), days, time, made], "; ")


def unfinished(found: Benchmark) -> Text | None:
    """A sentence on cells with many vehicles still on their way; their marks say how many. None if there is none."""
    cells = [cell for row in found.table.cells for cell in row if cell.mean is not None]
    many, all_ = sum(cell.unfinished > MOST_UNFINISHED for cell in cells), len(cells)
    if not many:
        return None
    return Text(
        f"In {many} of {all_} cells more than {MOST_UNFINISHED:.0%} of the vehicles of a run were still on their way "
        f"at "
        "its end (r): their delay still to come is in no mean, and longer runs may order controllers otherwise.",
        f"Ở {many} trong {all_} ô, hơn {MOST_UNFINISHED:.0%} số xe của một lượt còn trên đường khi kết thúc (r): "
        f"phần chậm "
        "trễ còn lại không nằm trong trung bình nào, và lượt chạy dài hơn có thể xếp thứ tự khác.",
    )


def same_inputs(found: Benchmark, row: OutsideRow) -> bool | None:
    """Whether a row from elsewhere was measured on the files that were used here; None where it does not say."""
    return None if not row.inputs else row.inputs == found.digests.get(row.scenario)


def outside_value(row: OutsideRow) -> str:
    """The delay of a row with the counts that it tells."""
    value = f"{row.delay_s:.1f}" if row.half_width is None else f"{row.delay_s:.1f} ± {row.half_width:.1f}"
    marks = [f"{mark}{amount:.3g}" for mark, amount in (("u", row.waiting), ("t", row.teleports)) if amount]
    if row.gridlocked:
        marks.append(f"g{row.gridlocked}/{row.runs or '?'}")
    return " ".join([value, *marks])


def markdown_text(found: Benchmark) -> str:
    """benchmark.md."""
    lines = [
        f"# Benchmark {found.suite.name}",
        "",
        f"{found.suite.title.en}: {conditions(found).en}.",
        "",
        markdown(replace(found.table, flags=())),
        "",
        *([few.en, ""] if (few := unfinished(found)) else []),
        DELAY,
        "",
        "## Measured elsewhere",
        "",
        *(_outside(found) or ["No row is known for these scenarios."]),
        "",
        "## Controllers",
        "",
        *(f"- `{name}`: {line}" for name, line in found.controllers),
        "",
        "## Inputs",
        "",
        "| scenario | file | SHA-256 |",
        "|---|---|---|",
        *(f"| {one.scenario} | {one.file} | `{one.sha256}` |" for one in found.inputs),
        "",
        "Files of resampled days, and everything else that determines a run, are in its manifest.json.",
        "",
        "## Sources",
        "",
        f"- {STATISTICS}",
        *(f"- {source.title}: {source.source} {source.url}" for source in found.sources),
        "",
        "```",
        found.command,
        "```",
        "",
    ]
    return "\n".join(lines)


def _outside(found: Benchmark) -> list[str]:
    lines: list[str] = []
    for source in found.sources:
        scenarios = list(dict.fromkeys(row.scenario for row in source.rows))
        values = {(row.controller, row.scenario): row for row in source.rows}
        lines += [
            f"**{source.title}** (SUMO {source.sumo}). {source.comparable}",
            "",
            "| controller | " + " | ".join(scenarios) + " |",
            "|---|" + "---|" * len(scenarios),
        ]
        for name in dict.fromkeys(row.controller for row in source.rows):
            cells = [values.get((name, scenario)) for scenario in scenarios]
            lines.append(
                f"| {name} | " + " | ".join("–" if c is None else _marked(found, c) for c in cells) + " |"
            )
        lines.append("")
    return lines


def _marked(found: Benchmark, row: OutsideRow) -> str:
    return f"{outside_value(row)} (other files)" if same_inputs(found, row) is False else outside_value(row)


_LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "±": r"$\pm$", "–": "--", "×": r"$\times$",
}  # fmt: skip


def latex_escaped(text: str) -> str:
    """A text that LaTeX prints as it is."""
    return "".join(_LATEX.get(letter, letter) for letter in text)


def latex_text(found: Benchmark) -> str:
    """benchmark.tex: a tabular for ``\\input``, scenarios down and controllers across; no package is needed."""
    table = found.table
    head = " & ".join(["scenario", *table.controllers])
    lines = [
        *(f"% {line}" for line in (f"{heading(table)}; {conditions(found).en}", found.command, STATISTICS)),
        rf"\begin{{tabular}}{{l{'r' * len(table.controllers)}}}",
        r"\hline",
        " & ".join(latex_escaped(name) for name in head.split(" & ")) + r" \\",
        r"\hline",
    ]
    for j, place in enumerate(table.places):
        cells = [_latex_cell(row[j]) for row in table.cells]
        lines.append(" & ".join([latex_escaped(place), *cells]) + r" \\")
    note = f"Bold: {BEST}; ?: {POSSIBLE}. {MARKS}"
    return "\n".join([*lines, r"\hline", r"\end{tabular}", *_latex_sources(found, note), ""])


def _latex_cell(cell: Cell) -> str:
    if cell.mean is None:
        return "--"
    value = latex_escaped(cell_value(cell))
    shown = (
        rf"\textbf{{{value}}}"
        if cell.best and not cell.gridlocked
        else f"{value} ?"
        if cell.possible
        else value
    )
    return " ".join(
        [shown, *([rf"{{\scriptsize {latex_escaped(' '.join(m))}}}"] if (m := cell_marks(cell)) else [])]
    )


def _latex_sources(found: Benchmark, note: str) -> list[str]:
    return [
        f"% {line}" for line in (note, *(f"{one.title}: {one.source} {one.url}" for one in found.sources))
    ]
