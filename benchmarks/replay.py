"""Replay and report in a browser: bytes, load time, memory, frames a second.

    python benchmarks/replay.py RESULTS [--vehicles 1500] [--controller NAME]

RESULTS is the folder of an experiment. The replay of its first run is written as it is, for its size, and once more
with copies of its vehicles shifted in time until ``--vehicles`` are on the road at once, for the frame rate. The
limits are those of the issue: an hour in 15 MB, 30 frames a second; a report in 5 MB and 2 s. The table names the
machine's load, since frames and seconds depend on it.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import shutil
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from denxanh.experiments.replay import replay_page
from denxanh.experiments.replay.choice import choose_runs
from denxanh.sim.run.repetition import record_trajectories
from denxanh.sim.run.trajectories import Trajectories

FRAMES = """new Promise((done) => {
  let frames = 0; const started = performance.now();
  const tick = () => { frames += 1;
    if (performance.now() - started < 5000) { requestAnimationFrame(tick); }
    else { done(1000 * frames / (performance.now() - started)); } };
  requestAnimationFrame(tick); })"""
SHIFT = 41  # s between a vehicle and its copy
NAVIGATION = "performance.getEntriesByType('navigation')[0].domComplete"
HEAP = "performance.memory.usedJSHeapSize / 1e6"


def crowded(found: Trajectories, wanted: int) -> Trajectories:
    """The trajectories with copies shifted in time, until ``wanted`` vehicles are on the road at once."""
    copies = int(np.ceil(wanted / max(int(found.present().max()), 1)))
    rows, frames, vehicles = [], [], []
    for k in range(copies):
        shifted = found.frame + k * round(SHIFT / found.step)
        kept = np.flatnonzero(shifted < found.frames)
        rows.append(kept)
        frames.append(shifted[kept])
        vehicles.append(found.vehicle[kept] + k * (int(found.vehicle.max()) + 1))
    row, frame, vehicle = (np.concatenate(part) for part in (rows, frames, vehicles))
    names = ("x", "y", "angle", "speed", "position", "type", "lane")
    more = {name: getattr(found, name)[row] for name in names}
    return replace(found, vehicle=vehicle.astype(np.int32), frame=frame.astype(np.int32), **more)


def opened_browser(folder: Path) -> Any:
    """The browser of the tests."""
    path = Path(__file__).resolve().parents[1] / "tests" / "experiments" / "conftest.py"
    spec = importlib.util.spec_from_file_location("browser_of_the_tests", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        raise SystemExit("no chromium is installed")
    return module.Browser(program, folder)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path)
    parser.add_argument("--vehicles", type=int, default=1500)
    parser.add_argument("--controller")
    given = parser.parse_args()
    wanted = [given.controller] if given.controller else []
    chosen = choose_runs([given.results], controllers=wanted)[:1]
    hours = (chosen[0].run.scenario.end - chosen[0].run.scenario.begin) / 3600
    rows: list[tuple[str, str, str]] = []
    with tempfile.TemporaryDirectory(prefix="denxanh-replay-") as name:
        folder = Path(name)
        recorded = record_trajectories(chosen[0].run)
        page, crowd = folder / "replay.html", folder / "crowd.html"
        for path, found in ((page, recorded), (crowd, crowded(recorded, given.vehicles))):
            replay_page.record_trajectories = lambda _, found=found: found
            replay_page.write_replay(path, chosen)
        most = int(crowded(recorded, given.vehicles).present().max())
        size = page.stat().st_size / 1e6
        rows.append(("replay, MB an hour", f"{size / hours:.1f}", "15"))
        browser = opened_browser(folder / "profile")
        try:
            browser.open(page, width=1400, height=900)
            rows.append(("replay, s to load", f"{browser.value(NAVIGATION) / 1000:.1f}", "–"))
            rows.append(("replay, MB of JavaScript heap", f"{browser.value(HEAP):.0f}", "–"))
            browser.open(crowd, width=1400, height=900)
            present = crowded(recorded, given.vehicles).present()
            peak = recorded.begin + int(present.argmax()) * recorded.step
            browser.value(f"denxanhReplay.seek({peak})")
            browser.value("denxanhReplay.play(true)")
            rows.append((f"frames a second with {most} vehicles", f"{browser.value(FRAMES):.0f}", "30"))
            report = given.results / "report.html"
            if report.is_file():
                rows.append(("report, MB", f"{report.stat().st_size / 1e6:.1f}", "5"))
                browser.open(report, width=1280, height=800)
                rows.append(("report, s to load", f"{browser.value(NAVIGATION) / 1000:.1f}", "2"))
        finally:
            browser.close()
    print("| measure | value | limit |\n|---|---|---|")
    for row in rows:
        print(f"| {' | '.join(row)} |")
    print(f"\n{chosen[0].label}, {hours:g} h, at most {int(recorded.present().max())} vehicles at once; "
          f"load of the machine {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")  # fmt: skip


if __name__ == "__main__":
    main()
