"""benchmark.html: the table, rows measured elsewhere, inputs and sources on one page in English and Vietnamese."""

from __future__ import annotations

from collections.abc import Iterable

from markupsafe import Markup, escape

from denxanh.experiments.benchmark.outside_rows import OutsideRow
from denxanh.experiments.benchmark.table_files import (
    STATISTICS,
    Benchmark,
    conditions,
    difference,
    outside_value,
    unfinished,
    window,
)
from denxanh.experiments.results.pivot import Cell, cell_marks, cell_value
from denxanh.experiments.statistics import INDIFFERENCE
from denxanh.sim.language import switch
from denxanh.sim.language.text import Text

_STYLE = """body { font: 16px/1.5 system-ui, "Noto Sans", "DejaVu Sans", sans-serif; color: var(--ink);
  max-width: 75rem; margin: 2rem auto; padding: 0 1rem; }
p, li { max-width: 75ch; overflow-wrap: anywhere; } .table { overflow-x: auto; margin: 1rem 0; }
table { border-collapse: collapse; font-size: .92rem; font-variant-numeric: tabular-nums; }
th, td { border-bottom: 1px solid var(--line); padding: .3rem .7rem; text-align: right; white-space: nowrap; }
thead th { border-bottom: 2px solid var(--ink); vertical-align: bottom; }
th:first-child { text-align: left; font-weight: inherit; position: sticky; left: 0; background: #fff; }
.files td { text-align: left; } td small { display: block; color: var(--faint); }
td.best { font-weight: 700; } td.best small { font-weight: 400; }
pre { background: #f4f4f4; padding: .7em 1em; white-space: pre-wrap; overflow-wrap: anywhere; }
code { overflow-wrap: anywhere; font-size: .85rem; }
@media (max-width: 600px) { th:first-child { white-space: normal; min-width: 6rem; max-width: 36vw; } }
"""
_CONTROLLER = Text("controller", "bộ điều khiển")
_SCENARIO = Text("scenario", "kịch bản")
_LEGEND = Text(
    f"Delay, s/veh: mean ± half the 95 % interval of the mean over seeds. Bold: with 95 % confidence at most "
    f"{INDIFFERENCE:.0%} above the best; ?: it may be the best, but its runs do not show it. Means per run: u "
    f"vehicles never "
    "inserted, t teleports, f signals that fell back to their plan, so that the cell is not judged; x runs "
    "that failed, "
    "l runs that met a limit of "
    "time, "
    "g runs that gridlocked, with the median in place of the mean; r largest share of vehicles still on their way.",
    f"Thời gian chậm trễ, s/xe: trung bình ± nửa khoảng tin cậy 95 % qua các lần mô phỏng. In đậm: với độ tin cậy "
    f"95 %, cao hơn "
    f"tốt nhất không quá {INDIFFERENCE:.0%}; ?: có thể là tốt nhất, nhưng các lượt chạy chưa chứng tỏ. Trung bình "
    f"mỗi lượt: u "
    "xe không vào được mạng, t xe bị dịch chuyển, f nút phải về phương án cố định, ô đó không được xếp "
    "hạng; x lượt hỏng, "
    "l lượt chạm giới hạn "
    "thời "
    "gian, g lượt tắc cứng, khi đó ghi trung vị thay cho trung bình; r tỷ lệ xe còn trên đường lớn nhất.",
)
_DELAY = Text(
    "Delay is the time lost on the way and waiting before insertion, of all vehicles over all vehicles, those that "
    "did not "
    "arrive or never entered included.",
    "Thời gian chậm trễ gồm thời gian mất trên đường và thời gian chờ vào mạng, của mọi xe chia cho mọi xe, kể cả xe "
    "chưa "
    "đến nơi hay không vào được.",
)


def page(found: Benchmark) -> str:
    """The page as HTML; equal input gives equal text."""
    table = found.table
    body = [
        _p(found.suite.title + ": " + conditions(found) + ". " + window(found)),
        _table(
            [_CONTROLLER, *table.places],
            [[name, *map(_cell, cells)] for name, cells in zip(table.controllers, table.cells, strict=True)],
        ),
        *([_list(flag + "." for flag in found.fallen)] if found.fallen else []),
        *([_p(few)] if (few := unfinished(found)) else []),
        _p(_LEGEND),
        _p(_DELAY),
        _h2(Text("Measured elsewhere", "Đo ở nơi khác")),
        *_outside(found),
        _h2(Text("Controllers", "Bộ điều khiển")),
        _list(Markup("<code>{}</code>: {}").format(name, line) for name, line in found.controllers),
        _h2(Text("Inputs", "Dữ liệu vào")),
        Markup('<div class="files">{}</div>').format(
            _table(
                [_SCENARIO, Text("file", "tệp"), "SHA-256"],
                [
                    [one.scenario, _td(one.file), _td(Markup("<code>{}</code>").format(one.sha256))]
                    for one in found.inputs
                ],
            )
        ),
        _h2(Text("Sources", "Nguồn")),
        _list([STATISTICS, *(f"{one.title}: {one.source} {one.url}" for one in found.sources)]),
        Markup("<pre>{}</pre>").format(found.command),
    ]
    return switch.page(f"denxanh benchmark: {found.suite.name}", _STYLE, body)


def _p(text: Text | str) -> Markup:
    return Markup("<p>{}</p>").format(text)


def _h2(text: Text) -> Markup:
    return Markup("<h2>{}</h2>").format(text)


def _list(items: Iterable[object]) -> Markup:
    return Markup("<ul>{}</ul>").format(Markup("").join(Markup("<li>{}</li>").format(item) for item in items))


def _td(content: object) -> Markup:
    return Markup("<td>{}</td>").format(content)


def _table(head: list[Text | str], rows: list[list[object]]) -> Markup:
    """A table; the first cell of a row is its name, the others are cells already."""
    names = Markup("").join(Markup("<th>{}</th>").format(name) for name in head)
    lines = Markup("\n").join(
        Markup("<tr><th>{}</th>{}</tr>").format(row[0], Markup("").join(map(escape, row[1:]))) for row in rows
    )
    return Markup(
        '<div class="table"><table><thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>'
    ).format(names, lines)


def _cell(cell: Cell) -> Markup:
    if cell.mean is None:
        return _td(f"– x{cell.failed}" if cell.failed else "–")
    best = cell.best and not cell.gridlocked
    value = cell_value(cell) if best or not cell.possible else f"{cell_value(cell)} ?"
    marks = Markup("<small>{}</small>").format(" ".join(marked)) if (marked := cell_marks(cell)) else ""
    return Markup('<td class="best">{}{}</td>' if best else "<td>{}{}</td>").format(value, marks)


def _outside(found: Benchmark) -> Iterable[Markup]:
    if not found.sources:
        yield _p(
            Text("No row is known for these scenarios.", "Chưa có kết quả nào khác cho các kịch bản này.")
        )
    for source in found.sources:
        yield _p(
            Markup("<strong>{}</strong> (SUMO {}). {}").format(source.title, source.sumo, source.comparable)
        )
        scenarios = list(dict.fromkeys(row.scenario for row in source.rows))
        values = {(row.controller, row.scenario): row for row in source.rows}
        names = dict.fromkeys(row.controller for row in source.rows)
        yield _table(
            [_CONTROLLER, *scenarios],
            [
                [name, *(_outside_cell(found, values.get((name, place))) for place in scenarios)]
                for name in names
            ],
        )


def _outside_cell(found: Benchmark, row: OutsideRow | None) -> Markup:
    if row is None:
        return _td("–")
    other = difference(found, row)
    return _td(
        Markup("{}{}").format(outside_value(row), Markup("<small>{}</small>").format(other) if other else "")
    )
