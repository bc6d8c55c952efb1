"""The reasons why signals are left to SUMO, in both languages; ``sim`` gives them in English."""

from __future__ import annotations

from denxanh.sim.language.text import Text
from denxanh.sim.network import Network

_REASONS = (  # the beginning of a reason; the rest of it is a name
    ("it has one green phase: there is nothing to decide", "chỉ có một pha xanh: không có gì để quyết định"),
    ("its program is of type", "chương trình của đèn thuộc loại"),
    ("its program has no phase", "chương trình của đèn không có pha nào"),
    ("its program shows no green", "chương trình của đèn không có đèn xanh"),
    (
        "its phases follow each other in another order than they stand in ('next')",
        "các pha nối tiếp nhau theo thứ tự khác với thứ tự ghi ('next')",
    ),
    (
        "its program switches links of it off (o, O) for a time",
        "chương trình tắt một số hướng của đèn (o, O) trong một thời gian",
    ),
    (
        "its switching times have it switched off at the begin",
        "lịch chuyển chương trình tắt đèn này lúc bắt đầu",
    ),
    ("its phases have states of different lengths", "các pha có trạng thái dài ngắn khác nhau"),
    ("it serves pedestrians only", "chỉ phục vụ người đi bộ"),
    ("it drives no connection", "đèn không điều khiển hướng đi nào"),
    ("it is a rail crossing", "là đường ngang với đường sắt"),
    ("it is a rail signal", "là tín hiệu đường sắt"),
)


def translated_reason(reason: str) -> Text:
    """A reason of ``Network.left_to_sumo`` in both languages."""
    for english, vietnamese in _REASONS:
        if reason.startswith(english):
            return Text(reason, vietnamese + reason[len(english) :])
    return Text(reason, reason)


def left_to_sumo_notes(network: Network, *, most: int | None = None) -> tuple[Text, ...]:
    """A sentence for each reason with its signals, of which at most ``most`` are named; None: all."""
    return tuple(
        _sentence(translated_reason(reason), names, most)
        for reason, names in network.left_by_reason().items()
    )


def _sentence(reason: Text, names: tuple[str, ...], most: int | None) -> Text:
    shown = ", ".join(names[:most]) + (", …" if names[:most] != names else "")
    return Text(
        f"left to SUMO, since {reason.en}: {len(names)} signal{'s' if len(names) > 1 else ''} ({shown})",
        f"để SUMO tự điều khiển, vì {reason.vi}: {len(names)} đèn ({shown})",
    )
