"""The table of a benchmark as Markdown and LaTeX, with what it was measured from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from denxanh.experiments.benchmark.outside_rows import OutsideRow, Source
from denxanh.experiments.benchmark.suite import Suite
from denxanh.experiments.results.measured_window import MOST_UNFINISHED
from denxanh.experiments.results.pivot import (
    BEST,
    GAIN_HEADS,
    GAIN_NOTE,
    LEGEND,
    Cell,
    Pivot,
    cell_marks,
    cell_value,
    gain_text,
    heading,
    markdown,
)
from denxanh.sim.language.text import Text, joined, same

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
class Span:
    """What tells whether a scenario of the same name is the same: hashes of its files, and its times."""

    inputs: str  # SHA-256 over all files
    network: str  # SHA-256 of the network's file
    begin: float  # s
    end: float  # s


@dataclass(frozen=True)
class Benchmark:
    """What a benchmark's files show."""

    suite: Suite
    days: str  # "each": a day of its own for each seed; "same"
    table: Pivot
    inputs: tuple[Input, ...]
    spans: dict[str, Span]  # by the name of a scenario
    controllers: tuple[tuple[str, str], ...]  # label, first line of its description
    sources: tuple[Source, ...]  # of rows measured elsewhere
    versions: dict[str, str]
    command: str
    unmeasured: tuple[Text, ...] = ()  # a sentence on warm-up and flush, or one for each scenario
    fallen: tuple[Text, ...] = ()  # a sentence for each scenario and controller that fell back to its plan


WHOLE_RUN = Text(
    "Measured is the whole run, without warm-up and flush, as in RESCO's results and other than in 'denxanh "
    "compare' (--warm-up auto --flush auto measures as compare does)",
    "Đo toàn bộ lượt chạy, không khởi động và không xả, như kết quả của RESCO và khác 'denxanh compare' (--warm-up "
    "auto --flush auto đo như compare)",
)


def window(found: Benchmark) -> Text:
    """What of a run is measured, as a sentence."""
    if not found.unmeasured:
        return WHOLE_RUN + "."
    return joined([one.capitalised() for one in found.unmeasured], "; ") + "."


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
        else same(f"{duration:g} s")
    )
    if end := found.suite.window.end:
        time = Text(f"until {end}", f"đến {end}")
    if len(found.spans) == 1:
        (span,) = found.spans.values()
        time += f" ({span.begin:g}…{span.end:g} s)"
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


OTHER_FILES = Text("other files", "tệp khác")
OTHER_TIMES = Text("other times", "thời gian khác")


def difference(found: Benchmark, row: OutsideRow) -> Text | None:
    """Why a row from elsewhere is not known to be of the scenario that was used here; None where it is.

    It is where the hash of its files is the same, or of its network with begin and end.
    """
    here = found.spans.get(row.scenario)
    if here is None:
        return OTHER_FILES
    known = (
        row.inputs == here.inputs if row.inputs else None not in (row.begin, row.end) and row.network != ""
    )
    if not known or (not row.inputs and row.network != here.network):
        return OTHER_FILES
    times = ((row.begin, here.begin), (row.end, here.end))
    return OTHER_TIMES if any(given is not None and given != time for given, time in times) else None


def outside_value(row: OutsideRow) -> str:
    """The delay of a row with the marks of a cell, of what it tells."""
    value = f"{row.delay_s:.1f}" if row.half_width is None else f"{row.delay_s:.1f} ± {row.half_width:.1f}"
    return " ".join([value, *cell_marks(row)])


def markdown_text(found: Benchmark) -> str:
    """benchmark.md."""
    lines = [
        f"# Benchmark {found.suite.name}",
        "",
        f"{found.suite.title.en}: {conditions(found).en}. {window(found).en}",
        "",
        markdown(replace(found.table, flags=found.fallen)),
        "",
        *([few.en, ""] if (few := unfinished(found)) else []),
        DELAY,
        "",
        "| mark | meaning |",
        "|---|---|",
        f"| **bold** | {BEST} |",
        *(f"| {mark} | {meaning} |" for mark, meaning in LEGEND),
        "",
        "## Measured elsewhere",
        "",
        *(_outside(found) or ["No row is known for these scenarios."]),
        "Marks as above, of what a source tells.",
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
    other = difference(found, row)
    return outside_value(row) if other is None else f"{outside_value(row)} ({other.en})"


_LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "±": r"$\pm$", "–": "--", "×": r"$\times$",
    "−": "$-$", "…": r"\ldots{}",
}  # fmt: skip


def latex_escaped(text: str) -> str:
    """A text that LaTeX prints as it is."""
    return "".join(_LATEX.get(letter, letter) for letter in text)


def latex_text(found: Benchmark) -> str:
    """benchmark.tex: a tabular for ``\\input``, scenarios down and controllers across, the last row its legend.

    After a controller stand its gains over the conventional plan and over the existing one, where they ran. No package
    is needed.
    """
    table = found.table
    kinds = [_kinds(cells) for cells in table.cells]
    heads = [
        head
        for name, own in zip(table.controllers, kinds, strict=True)
        for head in (name, *(f"{GAIN_HEADS[kind]}, %" for kind in own))
    ]
    note = f"Bold: {BEST}; {'; '.join(f'{mark}: {meaning}' for mark, meaning in LEGEND)}."
    if any(kinds):
        note += f" {GAIN_NOTE}"
    fallen = " ".join(f"{flag.en}." for flag in found.fallen)
    legend = " ".join(filter(None, (f"{heading(table)}. {window(found).en}", note, fallen)))
    lines = [
        *(f"% {line}" for line in (f"{heading(table)}; {conditions(found).en}", found.command, STATISTICS)),
        rf"\begin{{tabular}}{{l{'r' * len(heads)}}}",
        r"\hline",
        " & ".join(latex_escaped(head) for head in ("scenario", *heads)) + r" \\",
        r"\hline",
    ]
    for j, place in enumerate(table.places):
        cells = [
            text
            for row, own in zip(table.cells, kinds, strict=True)
            for text in (
                _latex_cell(row[j]),
                *(latex_escaped(gain_text(getattr(row[j], kind))) for kind in own),
            )
        ]
        lines.append(" & ".join([latex_escaped(place), *cells]) + r" \\")
    last = rf"\multicolumn{{{len(heads) + 1}}}{{p{{0.95\linewidth}}}}{{\scriptsize {latex_escaped(legend)}}}"
    return "\n".join([*lines, r"\hline", last, r"\end{tabular}", *_latex_sources(found), ""])


def _kinds(cells: Sequence[Cell]) -> list[str]:
    """The gains that a controller has at some place, as fields of Cell."""
    return [kind for kind in GAIN_HEADS if any(getattr(cell, kind) for cell in cells)]


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


def _latex_sources(found: Benchmark) -> list[str]:
    return [f"% {one.title}: {one.source} {one.url}".rstrip() for one in found.sources]
