"""Why a signal is left to SUMO, in both languages; ``sim`` gives the reasons in English."""

from __future__ import annotations

from sim.network import Network
from sim.text import Text

_REASONS = (  # what a reason begins with; the rest of it is a name
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
    ("its phases have states of different lengths", "các pha có trạng thái dài ngắn khác nhau"),
    ("it serves pedestrians only", "chỉ phục vụ người đi bộ"),
    ("it drives no connection", "đèn không điều khiển hướng đi nào"),
    ("it is a rail crossing", "là đường ngang với đường sắt"),
    ("it is a rail signal", "là tín hiệu đường sắt"),
)


def why_left(reason: str) -> Text:
    """A reason of ``Network.left_to_sumo``."""
    for english, vietnamese in _REASONS:
        if reason.startswith(english):
            return Text(reason, vietnamese + reason[len(english) :])
    return Text(reason, reason)


def left_to_sumo(network: Network, *, most: int | None = None) -> tuple[Text, ...]:
    """One sentence for each reason, with the signals it holds for; ``most`` of them are named, without it all."""
    return tuple(
        _sentence(why_left(reason), names, most) for reason, names in network.left_by_reason().items()
    )


def _sentence(why: Text, names: tuple[str, ...], most: int | None) -> Text:
    shown = ", ".join(names[:most]) + (", …" if names[:most] != names else "")
    return Text(
        f"left to SUMO, since {why.en}: {len(names)} signal{'s' if len(names) > 1 else ''} ({shown})",
        f"để SUMO tự điều khiển, vì {why.vi}: {len(names)} đèn ({shown})",
    )
