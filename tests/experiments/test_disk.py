"""A disk that fills up, at any size: never an accepted result that is cut, and it goes on when there is room."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from denxanh.experiments.compare import specify_runs
from denxanh.experiments.runs.local import run_one
from denxanh.experiments.specification.run_options import Limits, RunOptions
from denxanh.networks.scenarios import open_scenario
from denxanh.sim.errors import DenxanhError, InputError
from denxanh.sim.run.store import read_manifest

SIZES = [(420,), pytest.param(tuple(range(40, 1040, 50)), marks=pytest.mark.slow)]  # KiB


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Callable[[int], Path] | None]:
    """Make a file system of so many KiB; None where this system does not let us."""
    mounted: list[Path] = []

    def make(size: int) -> Path:
        folder = tmp_path / f"disk-{size}"
        folder.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", f"size={size}k", "tmpfs", str(folder)]
        subprocess.run(command, check=True, capture_output=True)
        mounted.append(folder)
        return folder

    try:
        shutil.disk_usage(make(64))
    except (OSError, subprocess.CalledProcessError):
        yield None
    else:
        yield make
    for folder in mounted:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.parametrize("sizes", SIZES)
def test_a_full_disk_never_gives_an_accepted_result(
    campaign: Callable[..., Any], tiny_place: Any, disk: Callable[[int], Path] | None, sizes: tuple[int, ...]
) -> None:
    if disk is None:  # the limit below is then all this system can show
        return
    one = campaign()
    one.write(
        f'places = ["{tiny_place.config}"]\ncontrollers = ["program", "max-pressure"]\nseeds = 4\n'
        "keep_sumo_output = true\n"
    )
    status, printed = one.finish()
    assert status == 0, printed
    expected = one.results()
    for size in sizes:
        out = disk(size) / "out"
        status, printed = one.finish(out=out)
        assert status != 0, f"{size} KiB were enough: {printed}"
        assert "Traceback" not in printed, printed
        assert "full" in printed or "No space left" in printed, printed
        try:
            found = one.results(out)
        except InputError:  # there was no room for a ledger
            found = {}
        done = {id: run for id, run in found.items() if run[0] == "done"}
        assert {id: expected[id] for id in done} == done
        for manifest in out.glob("runs/*/*/manifest.json"):
            assert read_manifest(manifest.parent) is not None
        subprocess.run(["mount", "-o", "remount,size=64m", str(out.parent)], check=True)
        status, printed = one.finish(out=out)  # there is room again
        assert status == 0, printed
        assert one.results(out) == expected


@pytest.mark.parametrize("megabytes", [1])
def test_a_file_beyond_the_limit_is_no_result(tiny_place: Any, tmp_path: Path, megabytes: int) -> None:
    routes = tmp_path / "many.rou.xml"  # its tripinfo alone is larger than the limit
    rows = [
        f'    <vehicle id="{"v" * 60}{k}" depart="{k / 100:.2f}"><route edges="left0A0 A0B0 B0right0"/></vehicle>'
        for k in range(6000)
    ]
    routes.write_text("<routes>\n" + "\n".join(rows) + "\n</routes>\n", encoding="utf-8")
    scenario = open_scenario(f"{tiny_place.net}+{routes}", end=60)
    options = RunOptions(limits=Limits(60.0, disk_mb=megabytes))
    (run,) = specify_runs(scenario, ["program"], [1], options=options)
    # who sees it first: SUMO, the reader of its files, or the watch over what a run writes
    with pytest.raises(DenxanhError, match=r"cut off|File too large|tripinfo|SIGXFSZ|wrote more than 1 MB"):
        run_one(run, tmp_path / "out")
    assert not (tmp_path / "out" / "manifest.json").exists()


def test_a_folder_without_rights_is_told_in_a_sentence(
    campaign: Callable[..., Any], tiny_place: Any, tmp_path: Path
) -> None:
    one = campaign()
    one.write(f'places = ["{tiny_place.config}"]\ncontrollers = ["program"]\nseeds = 1\nend = 30\n')
    blocked = tmp_path / "blocked"
    if os.name == "nt" or os.geteuid() == 0:
        blocked.write_text("a file stands where the folder should be")
    else:
        blocked.mkdir(mode=0o500)
    status, printed = one.finish(out=blocked / "out")
    assert status == 2
    assert "nothing can be written here" in printed
    assert "Traceback" not in printed
