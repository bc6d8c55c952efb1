"""Output that is not UTF-8, a pipe that is closed early, no terminal: the same lines, plain, and the same status."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from denxanh.experiments.cli.streams import TRANSCRIBE

MAIN = [sys.executable, "-P", "-c", "from denxanh.experiments.cli.app import main; main()"]


def start(*arguments: str | Path, **env: str) -> subprocess.Popen[bytes]:
    """The command line with its output in pipes."""
    return subprocess.Popen(
        [*MAIN, *map(str, arguments)],
        env={**os.environ, **env},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def test_letters_that_an_encoding_lacks_are_transcribed() -> None:
    text = "Phố Huế – Đường × 10 … ≤ 5 ± 1 → ⟰"
    assert text.encode("ascii", TRANSCRIBE) == b"Pho Hue - Duong x 10 ... <= 5 +/- 1 -> ?"


@pytest.mark.parametrize("command", [("list",), ("--help",), ("check", "no/such/…")])
def test_ascii_output_has_no_error(command: tuple[str, ...]) -> None:
    process = start(*command, LC_ALL="C", PYTHONIOENCODING="ascii")
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == (2 if "check" in command else 0)
    assert (stdout + stderr).isascii()
    assert b"Traceback" not in stderr
    assert b"Error" not in stderr


def test_a_comparison_into_ascii_pipes_ends_well(tiny_place: Any, tmp_path: Path) -> None:
    process = start(
        *("compare", tiny_place.config, "-c", "program", "--seeds", "1", "--out", tmp_path / "Phố"),
        **{"LC_ALL": "C", "PYTHONIOENCODING": "ascii", "NO_COLOR": "1"},
    )
    stdout, stderr = process.communicate(timeout=120)
    assert process.returncode == 0, stderr
    assert (stdout + stderr).isascii()
    assert b"\x1b" not in stdout + stderr


@pytest.mark.parametrize(("command", "status"), [(("list",), 0), (("check", "nowhere"), 2)])
def test_a_closed_pipe_ends_quietly_with_the_usual_status(command: tuple[str, ...], status: int) -> None:
    process = start(*command)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    printed = process.stderr.read()
    assert process.wait(60) == status
    assert b"Broken" not in printed
    assert b"Traceback" not in printed


def test_closed_standard_streams_are_no_error() -> None:
    shell = f'"{sys.executable}" -P -c "from denxanh.experiments.cli.app import main; main()" list >&- 2>&-'
    assert subprocess.run(shell, shell=True, timeout=60, check=False).returncode == 0


def test_lines_are_whole_and_plain_where_there_is_no_terminal() -> None:
    stdout, _ = start("list", COLUMNS="40", FORCE_COLOR="").communicate(timeout=60)
    assert b"\x1b" not in stdout
    (line,) = [line for line in stdout.decode().splitlines() if line.strip().startswith("ha-noi/pho-hue ")]
    assert "Phố Huế" in line
    assert line.count("signals") == 1


def test_the_version_is_told(here: Any) -> None:
    ended = here("--version")
    assert ended.status == 0
    assert ended.stdout.startswith("denxanh ")
    assert "SUMO" in ended.stdout
