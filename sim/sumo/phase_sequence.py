"""In which order SUMO shows the phases of a program: as they stand, or as their ``next`` says.

SUMO 1.28: a static program goes to the first phase that ``next`` names, an actuated one chooses among them, a
delay-based one does not read it. Where it starts follows from the offset and the durations of all phases.
"""

from __future__ import annotations

from dataclasses import replace

from denxanh.sim.sumo.netfile import RawPhase, RawProgram


def repeated(program: RawProgram, begin: float) -> RawProgram | None:
    """The program with the phases that SUMO repeats when it runs from ``begin`` (s) on, and no others.

    A loop may be closed before the last phase, or after phases that are shown once. None where SUMO chooses between
    phases, or shows them in another order than that of the file.
    """
    rows = program.phases
    after = [_after(i, row, program) for i, row in enumerate(rows)]
    if after == [(i + 1) % len(rows) for i in range(len(rows))]:
        return program
    step, time = _start(program, begin)
    seen: dict[int, float] = {}  # when each phase is first shown, s
    while step not in seen:
        seen[step] = time
        time += rows[step].duration
        following = after[step]
        if following is None:
            return None
        step = following
    order = list(seen)[list(seen).index(step) :]
    first = min(order)
    loop = order[order.index(first) :] + order[: order.index(first)]
    if loop != list(range(first, first + len(loop))):
        return None
    phases = tuple(rows[i] for i in loop)
    cycle = sum(row.duration for row in phases)
    return replace(program, phases=phases, offset=seen[first] % cycle, with_run=False)


def _after(i: int, row: RawPhase, program: RawProgram) -> int | None:
    """The phase that follows phase ``i``; None where SUMO chooses. A phase may also name itself: it may last."""
    if not row.next or program.type == "delay_based":
        return (i + 1) % len(program.phases)
    if program.type == "static":
        return row.next[0]
    others = {*row.next} - {i} or {i}
    return others.pop() if len(others) == 1 else None


def _start(program: RawProgram, begin: float) -> tuple[int, float]:
    """The phase that SUMO shows at ``begin`` (s), and when that phase began, s."""
    total = sum(row.duration for row in program.phases)
    position = 0.0 if program.with_run else (begin - program.offset) % total
    for i, row in enumerate(program.phases):
        if position < row.duration:
            return i, begin - position
        position -= row.duration
    return 0, begin  # rounding put the position on the end
