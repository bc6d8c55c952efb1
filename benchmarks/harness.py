"""What the harness of experiments costs, as ratios measured in one run.

    python benchmarks/harness.py [efficiency|overhead|synthetic]

efficiency  100 short runs of cologne1 with one job and with two: t(1) / (2 t(2))
overhead    CPU per run beyond that of bare SUMO doing the same
synthetic   10 000 trivial runs through the API: cost per run, ledger, resuming, asking
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

from denxanh.experiments.compare import specify_runs
from denxanh.experiments.results.load import LEDGER, TABLED, load
from denxanh.experiments.results.query import query
from denxanh.experiments.results.run_tables import write_runs
from denxanh.experiments.runs.execution import Outcome
from denxanh.experiments.runs.ledger import Ledger
from denxanh.experiments.runs.local import Local
from denxanh.experiments.runs.proof import Fault, Record
from denxanh.experiments.runs.runner import Executor, enter, output_lock, run_missing
from denxanh.experiments.specification.run_specification import RunSpecification
from denxanh.networks.scenarios import open_scenario
from denxanh.sim.sumo.wheel import sumo_binary, sumo_environment

COLOGNE = Path(__file__).resolve().parents[2] / "shared" / "data" / "resco" / "cologne1" / "cologne1.sumocfg"
SECONDS = 300.0  # simulated; the efficiency of short runs is the harder one to have
RUNS = 100
MANY = 10_000


def cpu() -> float:
    """CPU seconds of this process and of its children that ended."""
    ours, theirs = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return ours.ru_utime + ours.ru_stime + theirs.ru_utime + theirs.ru_stime


def campaign(out: Path, tasks: list[RunSpecification], executor: Executor) -> tuple[float, float, float]:
    """Wall and CPU seconds of a campaign, and the CPU seconds its runs say they took themselves."""
    wall, used = time.perf_counter(), cpu()
    with output_lock(out), Ledger(out / LEDGER) as ledger:
        enter(ledger, tasks)
        run_missing(out, ledger, executor)
        rows = list(ledger.rows())
    assert all(row.state == "done" for row in rows), [row.reason for row in rows if row.reason]
    return time.perf_counter() - wall, cpu() - used, sum(row.cpu_s or 0.0 for row in rows)


def short_runs(count: int) -> list[RunSpecification]:
    """Short runs of cologne1."""
    scenario = open_scenario(str(COLOGNE))
    scenario = open_scenario(str(COLOGNE), end=scenario.begin + SECONDS)
    return specify_runs(scenario, ["program"], list(range(1, count + 1)))


def efficiency() -> None:
    """One job against two, interleaved twice so that a busy machine hits both."""
    walls = {1: 0.0, 2: 0.0}
    tasks = short_runs(RUNS // 2)
    for turn in range(2):
        for jobs in (1, 2) if turn == 0 else (2, 1):
            with tempfile.TemporaryDirectory() as name:
                walls[jobs] += campaign(Path(name), tasks, Local(Path(name), jobs=jobs))[0]
    load_ = os.getloadavg()[0]
    print(
        f"{RUNS} runs of cologne1 ({SECONDS:g} s): {walls[1]:.1f} s with one job, {walls[2]:.1f} s with two"
    )
    print(
        f"parallel efficiency {walls[1] / (2 * walls[2]):.3f} (load of the machine at the end: {load_:.1f})"
    )


def overhead() -> None:
    """CPU of a campaign beyond bare SUMO's, per run; two campaigns tell the start apart from the rest."""
    found = {}
    bare = 0.0
    for count in (10, 60):
        with tempfile.TemporaryDirectory() as name:
            _, used, own = campaign(Path(name), short_runs(count), Local(Path(name), jobs=1))
            found[count] = used, own / count
            if count == 10:
                bare = bare_sumo(sorted(Path(name).glob("runs/*/*")))
    per_run = (found[60][0] - found[10][0]) / 50
    own = found[60][1]
    print(f"CPU per run: {1000 * bare:.0f} ms bare SUMO; {1000 * own:.0f} ms the run's own process, "
          f"{1000 * (per_run - own):.0f} ms around it")  # fmt: skip
    print(f"beyond bare SUMO: {1000 * (per_run - bare):.0f} ms per run ({per_run / bare:.2f} of it in all)")
    print(f"once: {found[10][0] - 10 * per_run:.2f} s (interpreter, imports, fork server)")


def bare_sumo(folders: list[Path]) -> float:
    """CPU seconds of SUMO's own program doing the same run, with the same outputs; mean over folders."""
    before = cpu()
    for folder in folders:
        subprocess.run(
            [str(sumo_binary()), "-c", "run.sumocfg"],
            cwd=folder,
            env=sumo_environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=True,
        )
    return (cpu() - before) / len(folders)


class Trivial:
    """An executor whose runs take no time and leave no files."""

    def __init__(self, done: Callable[[str], Outcome]) -> None:
        self._done = done

    def slots(self) -> int:
        """A few."""
        return 8

    def submit(self, id: str, task: RunSpecification) -> Future[Outcome]:
        """Done at once."""
        future: Future[Outcome] = Future()
        future.set_result(self._done(id))
        return future

    def completed(self, id: str) -> Outcome | None:
        """Nothing is left of earlier starts but the ledger."""
        return None

    def fault(self, record: Record) -> Fault | None:
        """The ledger is believed."""
        return None

    def close(self) -> None:
        """Nothing runs."""


def synthetic() -> None:
    """Ten thousand trivial runs: what the harness itself costs."""
    from denxanh.sim.metrics import NAMES

    metrics = dict.fromkeys(NAMES, 123.456789)

    def done(id: str) -> Outcome:
        manifest = {"wall_s": 1.0, "cpu_s": 0.5, "tripinfo_sha256": id, "metrics": metrics}
        return Outcome("done", manifest, content=id)

    scenario = open_scenario(str(COLOGNE))
    tasks = specify_runs(scenario, ["program"], list(range(MANY)))
    with tempfile.TemporaryDirectory() as name:
        out = Path(name)
        wall, used, _ = campaign(out, tasks, Trivial(done))
        size = sum(path.stat().st_size for path in out.glob("ledger.sqlite*"))
        print(
            f"{MANY} trivial runs: {1e3 * used / MANY:.2f} ms CPU and {1e3 * wall / MANY:.2f} ms wall per run"
        )
        print(f"ledger {size / MANY:.0f} bytes per run")
        wall, used, _ = campaign(out, tasks, Trivial(done))
        print(f"resuming with all done: {used:.2f} s CPU, {wall:.2f} s wall")
        with Ledger(out / LEDGER) as ledger:
            began = time.perf_counter()
            write_runs(out, list(ledger.rows()))
            ledger.set_fact(TABLED, ledger.fingerprint())
            print(f"runs.csv and runs.parquet: {time.perf_counter() - began:.2f} s, "
                  f"{(out / 'runs.parquet').stat().st_size / MANY:.0f} bytes per run as Parquet")  # fmt: skip
        query(out, "SELECT 1 FROM runs")  # imports
        began = time.perf_counter()
        _, rows = query(out, "SELECT seed % 10, avg(delay_s), count(*) FROM runs GROUP BY 1 ORDER BY 1")
        print(f"a query over {len(load(out))} runs: {time.perf_counter() - began:.2f} s ({len(rows)} rows)")


if __name__ == "__main__":
    known = {"efficiency": efficiency, "overhead": overhead, "synthetic": synthetic}
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "parts", nargs="*", metavar="PART", help=f"of {', '.join(known)}; all if none is named"
    )
    for chosen in parser.parse_args().parts or known:
        known[chosen]()
