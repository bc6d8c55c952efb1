"""Event logs of controllers in the street are read, whatever their columns are called, and measured."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from denxanh.experiments.formats.controller_logs.log_measures import phase_measures
from denxanh.experiments.formats.controller_logs.log_reader import read_detectors, read_log
from denxanh.sim.errors import InputError

Call = Callable[..., subprocess.CompletedProcess[str]]

# fifteen rows of the sample data of the package atspm 2.6.1 (Oregon DOT; MIT License, copyright 2024 Shawn Strasser):
# the left turn of a real signal, with its advance detector, which has lost an off-event
SAMPLE = """TimeStamp,DeviceId,EventId,Parameter
2024-04-15 12:00:00,1136,1,5
2024-04-15 12:00:06.900000,1136,82,15
2024-04-15 12:00:09.400000,1136,82,15
2024-04-15 12:00:12.700000,1136,81,15
2024-04-15 12:00:13.500000,1136,8,5
2024-04-15 12:00:17.500000,1136,10,5
2024-04-15 12:02:05.700000,1136,82,15
2024-04-15 12:02:06.600000,1136,81,15
2024-04-15 12:02:09.600000,1136,82,15
2024-04-15 12:02:11.400000,1136,81,15
2024-04-15 12:02:30,1136,1,5
2024-04-15 12:02:37.700000,1136,8,5
2024-04-15 12:02:41.700000,1136,10,5
2024-04-15 12:03:06.700000,1136,82,15
2024-04-15 12:03:07.600000,1136,81,15
"""
DETECTORS = "DeviceId,Phase,Parameter,Function\n1136,5,15,Advance\n1136,5,27,Presence\n"


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_log_of_a_real_controller_is_read_and_measured(tmp_path: Path) -> None:
    log = read_log(written(tmp_path, "log.csv", SAMPLE))
    (found,) = phase_measures(log, read_detectors(written(tmp_path, "detectors.csv", DETECTORS)))
    assert (found.device, found.phase, found.greens, found.cycle) == ("1136", 5, 2, 150.0)
    assert found.green == pytest.approx((13.5 + 7.7) / 2)
    assert found.arrivals == 5
    assert found.on_green == pytest.approx(2 / 5)
    assert (found.judged, found.split_failures) == (0, 0)  # its presence detector says nothing here


def test_the_columns_of_other_agencies_are_read_too(tmp_path: Path) -> None:
    rows = [row.split(",") for row in SAMPLE.splitlines()[1:]]
    lines = [",".join((device, time, *rest)) for time, device, *rest in reversed(rows)]  # in no order of time
    other = written(tmp_path, "utah.csv", "\n".join(["SignalID,Timestamp,EventCode,EventParam", *lines]))
    assert phase_measures(read_log(other)) == phase_measures(read_log(written(tmp_path, "log.csv", SAMPLE)))


def log_of(folder: Path, rows: list[tuple[float, int, int]]) -> Path:
    """A log of one signal: seconds, event, parameter."""
    lines = [f"2026-01-01 00:{int(t // 60):02d}:{t % 60:06.3f},a,{event},{p}" for t, event, p in rows]
    return written(folder, "own.csv", "\n".join(["TimeStamp,DeviceId,EventId,Parameter", *lines]))


@pytest.mark.parametrize(
    ("occupied", "failed"),
    [
        ([(1.0, 60.0)], 1),  # all of green and of the first seconds of red
        ([(1.0, 28.4), (32.0, 60.0)], 1),  # 18.4 of 20 s of green, all of red
        ([(1.0, 25.9), (32.0, 60.0)], 0),  # 15.9 of 20 s
        ([(1.0, 36.9)], 0),  # 3.9 of the first 5 s of red
        ([(1.0, 15.0), (14.0, 60.0)], 1),  # two detectors of the phase together
    ],
)
def test_a_green_fails_where_its_detectors_stay_occupied(
    tmp_path: Path, occupied: list[tuple[float, float]], failed: int
) -> None:
    """Green from 10 s to 30 s, red from 33 s."""
    rows = [(10.0, 1, 2), (30.0, 8, 2), (33.0, 10, 2), (70.0, 1, 2), (90.0, 8, 2)]
    two = len(occupied) == 2 and occupied[0][1] > occupied[1][0]
    for k, (begin, end) in enumerate(occupied):
        rows += [(begin, 82, 7 + (k if two else 0)), (end, 81, 7 + (k if two else 0))]
    detectors = written(
        tmp_path,
        "d.csv",
        "DeviceId,Phase,Parameter,Function\na,2,7,presence\na,2,8,Presence\n",
    )
    (found,) = phase_measures(read_log(log_of(tmp_path, rows)), read_detectors(detectors))
    assert (found.judged, found.split_failures) == (1, failed)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a,b\n1,2\n", "has no column timestamp"),
        ("TimeStamp,DeviceId,EventId\n2024-04-15 12:00:00,1,1\n", "has no column parameter"),
        ("TimeStamp,DeviceId,EventId,Parameter\n", "has no row"),
        ("TimeStamp,DeviceId,EventId,Parameter\nnoon,1,1,1\n", "a timestamp cannot be read"),
        ("TimeStamp,DeviceId,EventId,Parameter\n2024-04-15 12:00:00,1,green,1\n", "event is no whole number"),
        ("TimeStamp,DeviceId,EventId,Parameter\n2024-04-15 12:00:00,1,,1\n", "1 rows have no EventId"),
        ("TimeStamp,DeviceId,EventId,Parameter\n1,2,3\n", "cannot be read"),
    ],
)
def test_a_file_that_is_no_log_is_refused(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        read_log(written(tmp_path, "log.csv", text))


def test_the_command_prints_and_writes_a_row_for_each_phase(cli: Call, tmp_path: Path) -> None:
    log, detectors = written(tmp_path, "log.csv", SAMPLE), written(tmp_path, "detectors.csv", DETECTORS)
    done = cli("event-log", log, "--detectors", detectors, "--out", tmp_path / "phases.csv")
    assert done.returncode == 0, done.stderr
    assert "0.4" in done.stdout
    row = (tmp_path / "phases.csv").read_text("utf-8").splitlines()[1]
    assert row.startswith("1136,5,2,150,10.6,5,0.4,")
    missing = cli("event-log", tmp_path / "none.csv")
    assert missing.returncode == 2
    assert missing.stderr.count("\n") == 1
