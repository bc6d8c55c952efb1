"""The panels of pictures of a section: a street, arrivals, queues, failures, plans, curves, under two controllers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from denxanh.experiments.report.contents import Panel
from denxanh.experiments.report.drawing.stage_diagram import phase_diagram
from denxanh.experiments.report.figures import FigureInputs
from denxanh.experiments.report.pictures.picture import Picture
from denxanh.experiments.report.pictures.picture_svg import svg_of
from denxanh.experiments.report.pictures.purdue import arrivals_of, busiest, purdue_picture
from denxanh.experiments.report.pictures.queue_pictures import failure_pictures, queue_heat_pictures
from denxanh.experiments.report.pictures.recorded import check_size, recording_of
from denxanh.experiments.report.pictures.run_curves import cumulative_picture, mfd_picture
from denxanh.experiments.report.pictures.shown_timing import shown_timings
from denxanh.experiments.report.pictures.signal_pictures import plans_picture, ring_picture
from denxanh.experiments.report.pictures.street_picture import street_picture
from denxanh.experiments.report.pictures.timing_table import timing_table
from denxanh.sim.errors import InputError, RunError
from denxanh.sim.language.text import Text, same
from denxanh.sim.network import Network
from denxanh.sim.plan import Timing
from denxanh.sim.run.recording import Recording, read_history
from denxanh.sim.timing.arterials import arterials

_SIGNALS = 3  # with stage and ring-barrier diagrams, those whose plans differ most
_PURDUE = 2  # movements with a Purdue diagram
Sides = Sequence[tuple[Text, Mapping[str, Timing]]]


def picture_panels(inputs: FigureInputs, sides: Sequence[str]) -> tuple[Panel, ...]:
    """The panels of a section; ``sides`` are the controllers to compare, the first before, the second after.

    What needs the way of each vehicle is drawn where the section is ``recorded``: the first run of each side is
    simulated again, and where that is not possible the page says why.
    """
    network = inputs.scenario.network
    sides = [name for name in sides if name in inputs.series]
    if network is None or not sides:
        return ()
    panels: list[Panel] = []
    if inputs.scenario.pictures == "recorded":
        panels += _recorded(inputs, sides, network)
    failures = failure_pictures(inputs, sides)
    if failures:
        note = Text(
            "Each lane group of each approach, by its number on the map. What an average hides: greens that do not "
            "clear their queue, and queues longer than their road. (NE): traffic from the north-east.",
            "Từng nhóm làn của mỗi nhánh, theo số nút trên bản đồ. Những điều số trung bình che mất: đèn xanh không "
            "giải tỏa hết hàng chờ, và hàng chờ dài hơn đoạn đường. (ĐB): đến từ phía đông bắc.",
        )
        panels.append(
            _panel(
                Text("Cycle failures and spillback", "Chu kỳ không giải tỏa hết và tràn hàng chờ"),
                failures,
                note,
            )
        )
    panels.append(
        _panel(
            Text("Traffic in the network", "Giao thông trong mạng"),
            [cumulative_picture(inputs), mfd_picture(inputs)],
            wide=False,
        )
    )
    panels += _plans(inputs, sides, network)
    return tuple(panels)


def _panel(
    heading: Text, pictures: Sequence[Picture], note: Text | None = None, *, wide: bool = True
) -> Panel:
    return Panel(heading, tuple((svg_of(one), _sentence(one.caption)) for one in pictures), note, wide=wide)


def _sentence(caption: Text) -> Text:
    """A caption as a sentence."""
    return (caption if caption.en.endswith(".") else caption + ".").capitalised()


def _recorded(inputs: FigureInputs, sides: Sequence[str], network: Network) -> list[Panel]:
    street = Text("Along the street", "Dọc tuyến")
    try:
        rows = [inputs.comparison.runs_of(inputs.place, name)[0] for name in sides]
        for row in rows:
            check_size(row)
        found = [recording_of(row, network) for row in rows]
    except (InputError, RunError) as error:
        why = Text(
            "Not drawn, because runs cannot be simulated again: ",
            "Không vẽ được vì không mô phỏng lại được: ",
        )
        return [Panel(Text("Time-space, Purdue and queues in metres", "Thời gian – khoảng cách, Purdue, hàng chờ (m)"),
                      (), why + str(error) + ".")]  # fmt: skip
    clock, labels = inputs.scenario.clock, [inputs.label(name) for name in sides]
    panels = []
    streets = arterials(network)
    if streets:
        note = Text(
            "Bars: what the signals showed (thick: green); thin lines: vehicles; red areas: standing queues; shaded "
            "strips: a vehicle at the speed limit meets no red.",
            "Vạch: đèn đã hiển thị (dày: xanh); nét mảnh: xe; vùng đỏ: hàng chờ đứng yên; dải tô: xe chạy đúng tốc độ "
            "giới hạn không gặp đèn đỏ.",
        )
        drawn = [
            street_picture(one, streets[0], clock, label) for one, label in zip(found, labels, strict=True)
        ]
        panels.append(_panel(street, drawn, note))
    purdue = _purdue(found, labels, inputs)
    if purdue:
        panels.append(_panel(Text("Arrivals in the cycle", "Thời điểm xe đến trong chu kỳ"), purdue))
    heading = Text("Queues in metres", "Hàng chờ tính bằng mét")
    panels.append(_panel(heading, queue_heat_pictures(found, labels, clock)))
    return panels


def _purdue(found: Sequence[Recording], labels: Sequence[Text], inputs: FigureInputs) -> list[Picture]:
    """The busiest through movements, each under all sides."""
    first = found[0]
    ranked = [one for signal in first.network.intersections if (one := busiest(first, signal)) is not None]
    ranked.sort(key=lambda one: -one.vehicles)
    return [
        purdue_picture(
            recording, arrivals_of(recording, one.signal, one.movement), inputs.scenario.clock, label
        )
        for one in ranked[:_PURDUE]
        if one.vehicles > 0
        for recording, label in zip(found, labels, strict=True)
    ]


def _plans(inputs: FigureInputs, sides: Sequence[str], network: Network) -> list[Panel]:
    """Timings as table and bars, and the diagrams of the signals whose plans differ most."""
    shown: list[tuple[Text, Mapping[str, Timing]]] = []
    for name in sides:
        run = inputs.comparison.runs_of(inputs.place, name)[0]
        if run.folder is not None:
            history = read_history(run.folder / "signals.parquet")
            windows = inputs.scenario.measured, (inputs.scenario.begin, inputs.scenario.end)
            shown.append((inputs.label(name), shown_timings(network, history, *windows)))
    table = timing_table(network, shown)
    bars = plans_picture(network, shown)
    if table is None or bars is None:
        return []
    note = Text(
        "As the signals repeated them in the first run.",
        "Theo chu kỳ mà đèn lặp lại trong lần mô phỏng đầu.",
    )
    items: list[tuple[Markup, Text]] = [(Markup('<div class="table">') + table + Markup("</div>"), same(""))]
    items.append((svg_of(bars), _sentence(bars.caption)))
    panels = [
        Panel(
            Text("Timings before and after", "Thời gian tín hiệu trước và sau"), tuple(items), note, wide=True
        )
    ]
    drawn: list[tuple[Markup, Text]] = []
    for name in _most_different(network, shown):
        for label, timings in shown:
            if name in timings:
                one = network.intersections[name]
                drawn.append((phase_diagram(one, timings[name], network), same(f"{one.name}: ") + label))
                ring = ring_picture(one, timings[name], network, label)
                drawn.append((svg_of(ring), _sentence(ring.caption)))
    chosen = len(_most_different(network, shown))
    more = len(network.intersections) - chosen
    note = Text(
        f"The {chosen} signals whose plans differ most; the other {more} stand in the table of timings.",
        f"{chosen} nút có phương án khác nhau nhiều nhất; {more} nút còn lại có trong bảng thời gian.",
    )
    heading = Text("Stages and rings", "Các pha và vòng pha")
    panels.append(Panel(heading, tuple(drawn), note if more else None))
    return panels


def _most_different(network: Network, shown: Sides) -> list[str]:
    """The signals whose greens and offsets differ most between the sides, s; those of the first where there is one."""

    def change(name: str) -> float:
        timings = [timings[name] for _, timings in shown if name in timings]
        if len(timings) < 2:
            return 0.0
        before, after = timings[0], timings[-1]
        greens = sum(abs(a.green - b.green) for a, b in zip(before.stages, after.stages, strict=False))
        return abs(before.cycle - after.cycle) + greens + abs(before.offset - after.offset)

    known = [name for name in network.intersections if any(name in timings for _, timings in shown)]
    return sorted(known, key=lambda name: -change(name))[:_SIGNALS]
