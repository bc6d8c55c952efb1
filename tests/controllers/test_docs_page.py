"""The page "write your own controller" does what it says, without SUMO and with it."""

import os
import re
import subprocess
import sys
from pathlib import Path

from denxanh.sim.sumo.wheel import sumo_environment

PAGE = Path(__file__).parents[2] / "docs" / "controllers.md"
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)

IN_SUMO = """
import json, sys
from dataclasses import replace
from pathlib import Path
from denxanh.networks.scenarios import open_scenario
from denxanh.sim.run.run import Run, execute

folder = Path(sys.argv[1])
scenario = open_scenario("ha-noi/pho-hue")
scenario = replace(scenario, end=scenario.begin + 300.0)
manifest = execute(Run(scenario), LongestQueue(), folder)
print("arrived", manifest["metrics"]["arrived"], manifest["controller"])
"""


def test_the_example_is_ten_lines_of_decision():
    body = BLOCKS[0].partition("def decide(seen):\n")[2]
    assert 0 < len(body.splitlines()) <= 10


def test_it_passes_the_examiner_and_drives_the_street(capsys):
    exec("\n".join(BLOCKS), {"__name__": "page"})
    assert re.fullmatch(r"180 vehicles, \d+\.\d s of delay each\n", capsys.readouterr().out)


def test_it_runs_on_the_ha_noi_street_in_sumo(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", BLOCKS[0] + IN_SUMO, str(folder)],
        cwd=tmp_path,
        env={**sumo_environment(), "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    arrived, name = re.search(r"arrived ([\d.]+) (\S+)", done.stdout).groups()
    assert name == "my-longest-queue"
    assert float(arrived) > 0
