"""What a light command imports: a heavy library that it does not use costs every user of it half a second."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from denxanh.experiments.cli import app as command_line
from denxanh.experiments.runs.launcher import HereLauncher, command_launcher

HEAVY = (
    "duckdb",
    "jinja2",
    "libsumo",
    "matplotlib",
    "numba",
    "openpyxl",
    "pandas",
    "pyarrow",
    "scipy",
    "traci",
)
LOADED = """
import sys
from denxanh.experiments.cli.app import main
try:
    main()
except SystemExit as end:
    status = end.code
print("LOADED", status or 0, *sorted({name.partition(".")[0] for name in sys.modules}))
print("OWN", *sorted(name for name in sys.modules if name.startswith("denxanh.")))
"""


def loaded(*arguments: str) -> tuple[set[str], set[str]]:
    """Libraries, and modules of denxanh, in the process of a command that succeeded."""
    done = subprocess.run(
        [sys.executable, "-P", "-c", LOADED, *arguments], capture_output=True, text=True, check=True
    )
    first, second = done.stdout.splitlines()[-2:]
    word, status, *libraries = first.split()
    assert (word, status) == ("LOADED", "0"), done.stdout + done.stderr
    return set(libraries), set(second.split()[1:])


@pytest.mark.parametrize(
    "arguments", [("--help",), ("run", "--help"), ("list",), ("check", "NET")], ids=" ".join
)
def test_a_light_command_imports_no_heavy_library(arguments: tuple[str, ...], tiny_place: Any) -> None:
    libraries, _ = loaded(*(str(tiny_place.config) if part == "NET" else part for part in arguments))
    assert not libraries & set(HEAVY)


def test_check_draws_no_page(tiny_place: Any) -> None:
    _, own = loaded("check", str(tiny_place.config))
    assert not {
        name
        for name in own
        if name.startswith(("denxanh.experiments.report.page", "denxanh.experiments.runs."))
    } - {"denxanh.experiments.runs.worker"}


def test_a_single_run_loads_sumo_in_its_own_process_only(tiny_place: Any, tmp_path: Path) -> None:
    arguments = (
        "run",
        str(tiny_place.config),
        "-c",
        "program",
        "--warm-up",
        "0",
        "--out",
        str(tmp_path / "out"),
    )
    libraries, own = loaded(*arguments)
    assert not libraries & {*HEAVY}
    assert not own & {
        "denxanh.experiments.report.page",
        "denxanh.experiments.runs.ledger",
        "denxanh.experiments.statistics",
    }


def test_a_command_reads_the_options_of_its_own_module_only() -> None:
    code = (
        "import sys; sys.argv = ['denxanh', 'run', '--help']; from denxanh.experiments.cli.app import main\n"
        "try: main()\nexcept SystemExit: print(*[name for name in sys.modules if '.cli.' in name])"
    )
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    names = done.stdout.splitlines()[-1].split()
    assert "denxanh.experiments.cli.run_commands" in names
    assert "denxanh.experiments.cli.optimize_command" not in names


def test_the_modules_of_commands_hold_what_the_table_says() -> None:
    everything = commands(command_line.program())
    assert everything == {name for names in command_line.COMMANDS.values() for name in names}
    for names in command_line.COMMANDS.values():
        assert commands(command_line.program(names[0])) == set(names)


def commands(program: Any) -> set[str]:
    return set(get_command(program).commands)  # type: ignore[attr-defined]


@pytest.mark.skipif(sys.platform != "linux", reason="runs are forked from their command on Linux only")
def test_a_run_forked_from_here_ends_with_its_status_and_can_be_killed(tmp_path: Path) -> None:
    starter = HereLauncher()
    process = starter.start(tmp_path)  # there is no job in the folder
    assert process.wait(60.0) not in (None, 0)
    assert process.wait(0.0) not in (None, 0)
    second = starter.start(tmp_path)
    second.kill()
    assert second.wait(1.0) is not None
    starter.close()
    assert not starter._running


def test_a_process_with_threads_is_not_forked() -> None:
    import threading

    wait = threading.Event()
    other = threading.Thread(target=wait.wait)
    other.start()
    starter = command_launcher()
    try:
        assert not isinstance(starter, HereLauncher)
    finally:
        starter.close()
        wait.set()
        other.join()
