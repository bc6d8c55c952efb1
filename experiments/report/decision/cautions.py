"""What a reader has to know before the result is used: in red on the first screen."""

from __future__ import annotations

from collections.abc import Sequence

from denxanh.experiments.report.decision.controller_labels import controller_label
from denxanh.experiments.results.measured_window import unfinished_flags
from denxanh.experiments.results.summary import jammed
from denxanh.experiments.runs.fallbacks import fallback_flags
from denxanh.experiments.runs.run_row import RunRow
from denxanh.networks.built_in import SYNTHETIC_NOTES
from denxanh.sim.language.text import Text, joined, same

ASSUMED_PLAN = Text(
    "Assumed plan: nobody has confirmed that the place's own plan (program) runs in the street, so a gain over it is "
    "no forecast; the gain over a conventional plan says more. Say --plan-is-real (in a study: "
    "--plan FILE) once it is confirmed.",
    "Phương án giả định: chưa ai xác nhận phương án có sẵn (program) đang chạy ngoài đường, nên mức cải thiện so "
    "với nó không phải là dự báo; mức cải thiện so với phương án thông thường (conventional) có ý nghĩa hơn. Thêm "
    "--plan-is-real (với study: --plan TỆP) khi đã xác nhận.",
)
SYNTHETIC = Text(
    "Assumed traffic: nobody has counted it here (denxanh counts makes a demand from counts).",
    "Lưu lượng giả định, chưa có số liệu đếm (denxanh counts tạo lưu lượng từ số liệu đếm).",
)
NOBODY_WALKS = Text(
    "People on foot are not simulated: their waits are not judged.",
    "Không mô phỏng người đi bộ: chưa đánh giá thời gian chờ của họ.",
)


def cautions(rows: Sequence[RunRow], *, assumed_plan: bool, notes: Sequence[str] = ()) -> tuple[Text, ...]:
    """The cautions on the runs of one place; ``notes`` are those of its scenario, in English."""
    done = [row for row in rows if row.done]
    found = [ASSUMED_PLAN] if assumed_plan else []
    found += [SYNTHETIC] if set(SYNTHETIC_NOTES) & set(notes) else []
    found += [NOBODY_WALKS] if done and not any(row.metrics.get("walkers") for row in done) else []
    found += [clause + same(".") for clause in fallback_flags(done)]
    found += unfinished_flags(done)
    stuck = sorted({row.controller for row in done if jammed(row)})
    if stuck:
        names = joined([controller_label(name, assumed_plan=assumed_plan) for name in stuck], ", ")
        found.append(
            Text(
                f"Gridlock: runs of {names.en} jammed; their mean delay depends on when the simulation ends.",
                f"Tắc nghẽn: có lần mô phỏng của {names.vi} bị kẹt; thời gian trễ trung bình phụ thuộc lúc kết thúc.",
            )
        )
    return tuple(found)
