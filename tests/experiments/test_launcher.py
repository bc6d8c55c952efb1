"""What starts runs keeps no handle of those that ended, and a run of a new server outlives an old one."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from denxanh.experiments.runs.launcher import LOST, ForkLauncher, SpawnLauncher


def test_a_run_that_ended_leaves_no_handle(tmp_path: Path) -> None:
    starter = SpawnLauncher()
    for _ in range(2):  # there is no job in the folder, so it ends at once
        process = starter.start(tmp_path)
        assert process.wait(60.0) not in (None, 0)
        assert not starter._running
        assert process._process.stdin.closed  # type: ignore[attr-defined]
    starter.close()


@pytest.mark.skipif(
    not hasattr(os, "fork") or sys.platform == "darwin", reason="no fork server on this system"
)
def test_a_run_of_a_new_server_is_not_lost_with_the_old_one(tmp_path: Path) -> None:
    starter = ForkLauncher()
    try:
        for _ in range(5):
            starter.start(tmp_path).wait(60.0)
            assert starter._server is not None
            starter._server.kill()
            starter._server.wait()
            assert starter.start(tmp_path).wait(60.0) not in (None, LOST)
    finally:
        starter.close()
