"""Signals whose own program does not run by the clock: what that means for whatever takes its timing for a plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from denxanh.sim.language.text import Text

_HOW = {
    "actuated": (
        "SUMO runs its program as an actuated one",
        "SUMO chạy chương trình theo kiểu kích hoạt (actuated)",
    ),
    "delay_based": (
        "SUMO runs its program as a delay-based one",
        "SUMO chạy chương trình theo độ trễ (delay_based)",
    ),
    "switched": (
        "switching times (WAUT) change its program during the run",
        "lịch chuyển (WAUT) đổi chương trình trong lúc mô phỏng",
    ),
}


def operation_notes(by_operation: Mapping[str, Sequence[str]], *, most: int = 5) -> tuple[Text, ...]:
    """A sentence for each operation but fixed time, with its signals (``Network.by_operation``), ``most`` by name."""
    out = []
    for operation, signals in by_operation.items():
        english, vietnamese = _HOW[operation]
        named = ", ".join(signals[:most]) + (", …" if len(signals) > most else "")
        out.append(
            Text(
                f"{english}, at {len(signals)} signal{'s' if len(signals) > 1 else ''} ({named}): only 'program' shows "
                "it so; 'green-wave', 'denxanh plan' and a fallback take the durations written at the begin by the "
                "clock, and a layer over it is refused",
                f"{vietnamese}, ở {len(signals)} đèn ({named}): chỉ 'program' chạy đúng như vậy; 'green-wave', "
                "'denxanh plan' và phương án dự phòng dùng thời lượng ghi lúc bắt đầu theo đồng hồ, "
                "lớp (layer) phủ lên nó bị từ chối",
            )
        )
    return tuple(out)
