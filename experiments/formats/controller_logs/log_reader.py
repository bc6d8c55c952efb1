"""Read high-resolution event logs of controllers (Indiana enumerations) and the tables of their detectors.

CSV or Parquet, with the columns of ``atspm`` (TimeStamp, DeviceId, EventId, Parameter) or of the traffic signal
performance measures of the Utah DOT (Timestamp, SignalID, EventCode, EventParam).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from denxanh.sim.errors import InputError

LOG_BYTES = 1 << 30
"""A day of one signal has some 20 MB as CSV."""

_LOG = {
    "time": ("timestamp",),
    "device": ("deviceid", "signalid"),
    "event": ("eventid", "eventcode"),
    "parameter": ("parameter", "eventparam", "param"),
}
_DETECTORS = {
    "device": _LOG["device"],
    "phase": ("phase",),
    "parameter": ("parameter", "detector", "detchannel"),
    "function": ("function",),
}


@dataclass(frozen=True)
class EventLog:
    """Events in the order of time, then of their codes. Shape of the arrays (events,)."""

    time: NDArray[np.float64]  # s since 1970 in the log's own clock
    device: tuple[str, ...]
    event: NDArray[np.int64]
    parameter: NDArray[np.int64]  # phase, detector, or what the event is about

    def __len__(self) -> int:
        return len(self.time)


@dataclass(frozen=True)
class LoggedDetector:
    """A detector of a signal and the phase that it calls."""

    device: str
    phase: int
    number: int
    function: str  # in small letters: "advance", "presence", …


def read_log(path: Path) -> EventLog:
    """The events of a log. Raises InputError for a file that is none."""
    table = _read(path, "event log", _LOG)
    whole = {name: _whole(table[name], name, path) for name in ("event", "parameter")}
    time = _times(table["time"], path)
    order = np.lexsort((whole["event"], time))
    device = [str(name) for name in table["device"].to_pylist()]
    return EventLog(
        time[order], tuple(device[k] for k in order), whole["event"][order], whole["parameter"][order]
    )


def read_detectors(path: Path) -> tuple[LoggedDetector, ...]:
    """The detectors of a table. Raises InputError."""
    table = _read(path, "table of detectors", _DETECTORS)
    phase, number = (_whole(table[name], name, path) for name in ("phase", "parameter"))
    rows = zip(
        table["device"].to_pylist(),
        phase.tolist(),
        number.tolist(),
        table["function"].to_pylist(),
        strict=True,
    )
    return tuple(
        LoggedDetector(str(device), one, which, str(function).strip().lower())
        for device, one, which, function in rows
    )


def _read(path: Path, kind: str, columns: Mapping[str, tuple[str, ...]]) -> dict[str, Any]:
    """The columns of a file as Arrow arrays without missing values, by our names. Raises InputError."""
    import pyarrow as pa
    from pyarrow import csv, parquet

    location = str(path)
    try:
        if path.stat().st_size > LOG_BYTES:
            raise InputError(
                f"the {kind} has more than {LOG_BYTES >> 20} MB", location=location, remedy="give fewer days"
            )
        table = parquet.read_table(path) if path.suffix == ".parquet" else csv.read_csv(path)
    except OSError as error:
        raise InputError(
            f"the {kind} cannot be read ({error.strerror or 'it is not whole'})", location=location,
            remedy="check the path",
        ) from None  # fmt: skip
    except pa.ArrowException as error:
        raise InputError(
            f"the {kind} cannot be read ({str(error).partition(chr(10))[0][:120]})", location=location,
            remedy="give CSV or Parquet",
        ) from None  # fmt: skip
    by_name = {name.strip().lstrip("\ufeff").lower().replace("_", ""): name for name in table.column_names}
    found = {}
    for ours, names in columns.items():
        name = next((by_name[one] for one in names if one in by_name), None)
        if name is None:
            raise InputError(
                f"the {kind} has no column {names[0]}", location=location,
                remedy=f"name its columns {', '.join(options[0] for options in columns.values())}",
            )  # fmt: skip
        found[ours] = table.column(name).combine_chunks()
        if found[ours].null_count:
            raise InputError(
                f"{found[ours].null_count} rows have no {name}", location=location, remedy="leave them out"
            )
    if not table.num_rows:
        raise InputError(f"the {kind} has no row", location=location, remedy="give one with events")
    return found


def _whole(column: Any, name: str, path: Path) -> NDArray[np.int64]:
    import pyarrow as pa

    try:
        return np.asarray(column.cast(pa.int64()), dtype=np.int64)
    except pa.ArrowException:
        raise InputError(
            f"a value of the column {name} is no whole number", location=str(path), remedy="correct it"
        ) from None


def _times(column: Any, path: Path) -> NDArray[np.float64]:
    import pyarrow as pa

    try:
        return np.asarray(column.cast(pa.timestamp("us")), dtype="datetime64[us]").astype(np.int64) / 1e6
    except pa.ArrowException:
        raise InputError(
            "a timestamp cannot be read", location=str(path), remedy="write 2024-04-15 12:00:00.5"
        ) from None
