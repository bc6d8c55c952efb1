"""Kill anything at any time, then resume: nothing lost, nothing wrong, nothing twice, nobody left behind."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Any

import pytest

from denxanh.experiments.runs.proof import tables_hash
from denxanh.experiments.runs.run_row import run_folder
from denxanh.sim.run.store import read_manifest

CAMPAIGNS = [  # back end, processes killed
    ("libsumo", 3),
    pytest.param("traci", 3, marks=pytest.mark.slow),
    pytest.param("libsumo", 200, marks=pytest.mark.slow),
    pytest.param("traci", 200, marks=pytest.mark.slow),
]
EXPERIMENT = """
places = ["{place}"]
controllers = ["program", "max-pressure"]
seeds = {seeds}
end = 40
backend = "{backend}"
"""


def victim(started: Any, rng: random.Random) -> int:
    """The runner, or one of the processes it started: its fork server, a run, a SUMO."""
    others = started.others()
    return rng.choice([started.process.pid, *others]) if others else started.process.pid


@pytest.mark.parametrize(("backend", "kills"), CAMPAIGNS)
def test_random_kills_cost_no_result(
    campaign: Callable[..., Any], tiny_place: Any, backend: str, kills: int
) -> None:
    seeds = max(4, kills // 4)
    text = EXPERIMENT.format(place=tiny_place.config, seeds=seeds, backend=backend)
    calm = campaign("calm")
    calm.write(text.replace("traci", "libsumo"))
    status, printed = calm.finish()
    assert status == 0, printed
    expected = calm.results()
    rng = random.Random(kills)
    done, rounds = 0, 0
    while done < kills:  # a campaign that is through begins anew
        one = campaign(f"shaken-{backend}-{rounds}")
        one.write(text)
        rounds += 1
        while done < kills:
            started = one.start("--retry-failed")
            time.sleep(rng.uniform(0.0, 4.0))
            while started.process.poll() is None and done < kills:
                pid = victim(started, rng)
                started.kill(pid)
                done += 1
                if pid == started.process.pid:
                    break
                time.sleep(rng.uniform(0.1, 1.5))
            if started.process.poll() is None and done >= kills:
                started.kill(started.process.pid)
            status = started.process.wait(60)
            assert started.left(5.0) == []
            if status == 0:
                break
        status, printed = one.finish("--retry-failed")
        assert status == 0, printed
        assert one.results() == expected
        for id in expected:  # what the ledger says stands on the disk, once
            assert tables_hash(run_folder(one.out, id)) == expected[id][2]
            assert read_manifest(run_folder(one.out, id)) is not None
        folders = [path for path in (one.out / "runs").glob("*/*") if path.is_dir()]
        assert len(folders) == len(expected)
