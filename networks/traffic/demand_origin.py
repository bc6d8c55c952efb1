"""Where the vehicles of a route file come from: the files that denxanh makes say it in a comment at their head."""

from __future__ import annotations

from pathlib import Path

SYNTHETIC = "SYNTHETIC demand, not counted"
"""How the comment of a route file begins whose vehicles nobody has counted."""
_HEAD = 1000  # bytes that hold the declaration and the begin of the comment


def is_synthetic(path: Path) -> bool:
    """Whether a route file says at its head that its demand is synthetic; a file that cannot be read says nothing."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except OSError:
        return False
    comment = head.partition(b"<!--")
    return not comment[0].count(b"<routes") and comment[2].lstrip().startswith(SYNTHETIC.encode())
