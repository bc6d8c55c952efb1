"""Pictures of a plan: the ring-and-barrier diagram of a signal, and the greens of all signals before and after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from denxanh.controllers.actuated.dual_ring import Rings, rings_of
from denxanh.experiments.report.drawing.colour import BLUE, GREEN, NO_VALUE, SKY, WHITE, ink_on
from denxanh.experiments.report.drawing.stage_diagram import ARROWS
from denxanh.experiments.report.drawing.svg import WIDTH, Axis, steps
from denxanh.experiments.report.pictures.picture import Cell, Label, Layer, Line, Picture
from denxanh.sim.language.text import Text, number, same
from denxanh.sim.network import GREEN as LETS_GO
from denxanh.sim.network import Intersection, Network
from denxanh.sim.plan import Timing

_MOST_SIGNALS = 24  # rows of the picture of all signals
_TIGHT = 0.07  # of the cycle: a narrower box has no room for its words
_TIGHT_RING = 0.1  # the same in the narrower ring diagram


def ring_picture(intersection: Intersection, timing: Timing, network: Network, label: Text) -> Picture:
    """Ring-and-barrier diagram: the phases of each ring over the cycle, with their greens in seconds.

    Phase numbers after NEMA; a junction without dual rings has its stages as one ring, and the caption says why.
    """
    rings = rings_of(intersection, network)
    cycle = timing.cycle
    layers: list[Layer] = []
    names = []
    if rings.single:
        rows: list[Sequence[int]] = [tuple(range(1, len(timing.stages) + 1))]
        greens = {k: [(start, start + s.green)] for k, (s, start) in
                  enumerate(zip(timing.stages, timing.starts(), strict=True), 1)}  # fmt: skip
        arrows = dict.fromkeys(greens, "")
    else:
        rows = [[p for side in rings.sides for p in side[ring]] for ring in (0, 1)]
        greens = {phase: phase_greens(timing, rings, phase) for row in rows for phase in row}
        arrows = {phase: _arrows(intersection, rings, phase) for phase in greens}
    for r, row in enumerate(rows):
        names.append((float(r), Text(f"ring {r + 1}", f"vòng {r + 1}")))
        layers.append(Cell(0.0, cycle, r - 0.42, r + 0.42, NO_VALUE))
        for phase in row:
            for start, end in greens[phase]:
                for a, b in ((start, min(end, cycle)), (0.0, end - cycle)):
                    if b <= a:
                        continue
                    layers.append(Cell(a, b, r - 0.42, r + 0.42, GREEN if phase % 2 == 0 or rings.single else SKY,
                                       same(f"{phase} {arrows[phase]}: {end - start:g} s"), outline=WHITE))  # fmt: skip
                    said = (
                        f"{phase} {arrows[phase]}: {end - start:g} s"
                        if b - a > 2 * _TIGHT_RING * cycle
                        else f"{phase}"
                    )
                    if b - a > 0.3 * _TIGHT_RING * cycle:
                        ink = ink_on(GREEN if phase % 2 == 0 or rings.single else SKY)
                        layers.append(Label((a + b) / 2, float(r), same(said.replace(" :", ":")), ink))
    barriers = [] if rings.single else [
        min(starts) for side in rings.sides
        if (starts := [start for ring in side for phase in ring for start, _ in greens[phase]])
    ]  # fmt: skip
    layers += [Line([at, at], [-0.6, len(rows) - 0.4], BLUE, 3.0) for at in barriers]
    why = Text(
        f". No dual rings: {rings.single}; its stages in order",
        ". Không có dạng hai vòng; vẽ các pha theo thứ tự",
    )
    return Picture(
        Text("Ring-and-barrier diagram", "Sơ đồ vòng và rào chắn pha"),
        _cycle_axis(cycle),
        Axis(len(rows) - 0.4, -0.6, same(""), ()),
        tuple(layers),
        same(intersection.name)
        + ", "
        + label
        + (
            why
            if rings.single
            else Text(
                "; blue lines: barriers; green: through phases, sky blue: left-turn phases; grey: change or red; "
                "phase numbers are NEMA's, stages of the timing sheet are numbered in the other diagram",
                "; vạch xanh dương: rào chắn; xanh lục: pha đi thẳng, xanh nhạt: pha rẽ; xám: chuyển pha hoặc đỏ; "
                "số ở đây là số pha NEMA, số pha của phiếu cài đặt ở hình bên",
            )
        ),
        names=tuple(names),
        height=70 + 46.0 * len(rows),
        width=WIDTH,  # it stands beside the stage diagram
    )


def phase_greens(timing: Timing, rings: Rings, phase: int) -> list[tuple[float, float]]:
    """(start, end) of the greens of a phase in the cycle, s; an end beyond the cycle goes on in the next one."""
    links = rings.links[phase]
    edges: list[list[float]] = []
    position = 0.0
    for state, seconds in timing.steps():
        if all(state[link] in LETS_GO for link in links):
            if edges and edges[-1][1] == position:
                edges[-1][1] += seconds
            else:
                edges.append([position, position + seconds])
        position += seconds
    if len(edges) > 1 and edges[0][0] == 0.0 and abs(edges[-1][1] - position) < 1e-9:
        first = edges.pop(0)
        edges[-1][1] += first[1]
    return [(start, end) for start, end in edges]


def _arrows(intersection: Intersection, rings: Rings, phase: int) -> str:
    mine = [link.direction for link in intersection.links if link.index in rings.links[phase]]
    return "".join(arrow for kind, arrow in ARROWS.items() if kind in mine)


def _cycle_axis(cycle: float) -> Axis:
    return Axis(
        0.0,
        cycle,
        Text(f"time in the cycle of {cycle:g} s, s", f"thời gian trong chu kỳ {cycle:g} s, s"),
        tuple((t, number(t, 0)) for t in steps(0.0, cycle, 8)),
    )


def plans_picture(network: Network, sides: Sequence[tuple[Text, Mapping[str, Timing]]]) -> Picture | None:
    """The greens of all signals over one cycle from the clock's origin, one bar per controller; None without any plan.

    ``sides``: the name of a controller and the timings that its signals showed.
    """
    numbers = {name: k for k, name in enumerate(network.intersections, 1)}
    kept = [name for name in network.intersections if any(name in timings for _, timings in sides)]
    kept = kept[:_MOST_SIGNALS]
    if not kept:
        return None
    longest = max(timings[name].cycle for name in kept for _, timings in sides if name in timings)
    layers: list[Layer] = []
    names = []
    row = 0.0
    for name in kept:
        for label, timings in sides:
            if name not in timings:
                continue
            timing = timings[name]
            names.append((row, same(f"{numbers[name]}  ") + label))
            layers.append(Cell(0.0, timing.cycle, row - 0.4, row + 0.4, NO_VALUE))
            for k, (stage, start) in enumerate(zip(timing.stages, timing.starts(), strict=True), 1):
                begin = (timing.offset + start) % timing.cycle
                colour = (GREEN, SKY)[k % 2]
                tip = same(f"{network.intersections[name].name}, {k}: {stage.green:g} s")
                for a, b in (
                    (begin, min(begin + stage.green, timing.cycle)),
                    (0.0, begin + stage.green - timing.cycle),
                ):
                    if b <= a:
                        continue
                    layers.append(Cell(a, b, row - 0.4, row + 0.4, colour, tip, outline=WHITE))
                    if b - a > _TIGHT * longest:
                        layers.append(
                            Label((a + b) / 2, row, same(f"{k}: {stage.green:g}"), ink_on(colour), size=10.5)
                        )
            row += 1.0
        row += 0.4
    return Picture(
        Text("Plans before and after", "Phương án trước và sau"),
        Axis(
            0.0,
            longest,
            Text("time of the cycle’s clock, s", "thời điểm trong chu kỳ, s"),
            tuple((t, number(t, 0)) for t in steps(0.0, longest, 8)),
        ),
        Axis(row - 0.4, -0.8, same(""), ()),
        tuple(layers),
        Text(
            "Stage and green in seconds; where the bars begin is the offset; grey: change of stage. Signals that "
            "follow no fixed plan are not shown",
            "Số pha và thời gian xanh, giây; vị trí bắt đầu là độ lệch pha; xám: chuyển pha. Không vẽ các nút không "
            "chạy theo chu kỳ cố định",
        ),
        names=tuple(names),
        height=58 + 21.0 * row,
    )
