"""Two commits, the same results: every strategy's runs and optimised plans of one commit against another's.

    python benchmarks/same_behaviour.py record DIR [--rev COMMIT]    # in a new worktree and virtual environment
    python benchmarks/same_behaviour.py diff BEFORE AFTER

``record`` runs ``compare`` with every strategy, two seeds, on two lent RESCO networks, ``ha-noi/pho-hue`` and a
generated grid, and ``optimize`` with a budget in evaluations; ``diff`` prints every run whose ``tripinfo_sha256`` or
metrics differ and every plan that differs, and ends with status 1 if there is one. Kept until the next release.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RESCO = ROOT.parent / "shared" / "data" / "resco"
SEEDS = "1,2"
DURATION = 900  # s: long enough for every strategy to have changed phase some dozen times
WORK = {"wall_s", "cpu_s"}  # metrics that depend on the machine
PLANS = (
    "fixed-time",
    "time-of-day",
    "sumo-program",
)  # need a file: they run with the plan that optimize found

OPTIMIZE = """
import sys
try:
    from experiments.optimize.tune import Budget
    from experiments.cli import main
except ImportError:
    from denxanh.experiments.optimize.search.tuner import Budget
    from denxanh.experiments.cli.app import main
names = list(Budget.__dataclass_fields__)
values = {"seconds": 1e9, "evaluations": 1500, "rounds": 2, "judged": 4, "evaluated": 4, "polish": 2}
Budget.__init__.__defaults__ = tuple(values[name] for name in names)
sys.argv = ["denxanh", "optimize", *sys.argv[1:]]
main()
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    commands = parser.add_subparsers(required=True)
    record_ = commands.add_parser("record")
    record_.add_argument("folder", type=Path)
    record_.add_argument("--rev", default="HEAD")
    record_.add_argument(
        "--python", help="an interpreter that has the commit installed, instead of a new environment"
    )
    record_.set_defaults(call=lambda a: record(a.folder.resolve(), a.rev, a.python))
    diff_ = commands.add_parser("diff")
    diff_.add_argument("before", type=Path)
    diff_.add_argument("after", type=Path)
    diff_.set_defaults(call=lambda a: diff(a.before, a.after))
    arguments = parser.parse_args()
    return int(arguments.call(arguments))


def record(folder: Path, rev: str, python: str | None) -> int:
    """Run everything at ``rev`` and leave the results in ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as box:
        if python is None:
            tree = Path(box) / "tree"
            subprocess.run(["git", "worktree", "add", "--detach", tree, rev], cwd=ROOT, check=True)
            try:
                subprocess.run([sys.executable, "-m", "venv", Path(box) / "venv"], check=True)
                bin = Path(box) / "venv" / ("Scripts" if os.name == "nt" else "bin")
                install = [bin / "python", "-m", "pip", "install", "-q", "-c", tree / "constraints.txt", tree]
                subprocess.run(install, check=True)
                _record(folder, bin / "python")
            finally:
                subprocess.run(["git", "worktree", "remove", "--force", tree], cwd=ROOT, check=True)
        else:
            _record(folder, Path(python))
    return 0


def _record(folder: Path, python: Path) -> None:
    denxanh = python.with_name("denxanh")
    grid = _grid(folder, python)
    listed = subprocess.run([denxanh, "list"], text=True, capture_output=True, check=True).stdout
    names = [
        line.split()[0]
        for line in listed.partition("Controllers\n")[2].partition("Sensings\n")[0].splitlines()
    ]
    names = [name for name in names if name not in PLANS]
    over = {"priority": "priority:over=max-pressure", "police": "police:over=max-pressure"}
    places = {
        "cologne1": (RESCO / "cologne1" / "cologne1.sumocfg", 25200 + DURATION),
        "ingolstadt1": (RESCO / "ingolstadt1" / "ingolstadt1.sumocfg", 57600 + DURATION),
        "pho-hue": ("ha-noi/pho-hue", DURATION),
        "grid": (grid, DURATION),
    }
    for place, (what, end) in places.items():
        ends = ["--end", str(end)]
        more: list[str] = []
        if place in ("cologne1", "grid"):
            out = folder / f"optimize-{place}"
            command = [
                python,
                "-P",
                "-c",
                OPTIMIZE,
                what,
                *ends,
                "--budget",
                "1e9",
                "--seeds",
                "2",
                "--out",
                out,
            ]
            subprocess.run(command, check=True, cwd=folder)
            if not (out / "plan.json").is_file():
                raise SystemExit(f"optimize left no plan at {out}")
            more = ["-c", f"fixed-time:plan={out / 'plan.json'}"] if place == "grid" else []
        chosen = [part for name in names for part in ("-c", over.get(name, name))]
        command = [denxanh, "compare", what, *chosen, *more, "--seeds", SEEDS, *ends, "--out", folder / place]
        subprocess.run(command, check=False, cwd=folder)  # a strategy may be refused here: the ledger says so


def _grid(folder: Path, python: Path) -> Path:
    """A 3 × 2 grid with two lanes and left-turn lanes, and two hundred trips a quarter of an hour."""
    made = folder / "input"
    made.mkdir(exist_ok=True)
    code = "import sumo, os; print(os.path.join(sumo.SUMO_HOME))"
    home = Path(
        subprocess.run([python, "-c", code], text=True, capture_output=True, check=True).stdout.strip()
    )
    net = made / "grid.net.xml"
    size = ["--grid", "--grid.x-number", "3", "--grid.y-number", "2", "--grid.length", "180", "--seed", "7"]
    lanes = [
        "--grid.attach-length",
        "150",
        "-L",
        "2",
        "--turn-lanes",
        "1",
        "--default-junction-type",
        "traffic_light",
    ]
    subprocess.run([home / "bin" / "netgenerate", *size, *lanes, "--no-turnarounds", "-o", net], check=True)
    trips = ["-n", net, "-b", "0", "-e", str(DURATION), "-p", "1.4", "--seed", "3", "--fringe-factor", "5"]
    script = home / "tools" / "randomTrips.py"
    environment = {**os.environ, "SUMO_HOME": str(home)}
    routes = ["-o", made / "grid.trips.xml", "-r", made / "grid.rou.xml", "--validate"]
    subprocess.run([python, script, *trips, *routes], check=True, env=environment)
    config = made / "grid.sumocfg"
    config.write_text(
        '<configuration><net-file value="grid.net.xml"/><route-files value="grid.rou.xml"/>'
        f'<begin value="0"/><end value="{DURATION}"/></configuration>\n',
        encoding="utf-8",
    )
    return config


def _runs(folder: Path) -> dict[tuple[str, str, int], tuple[str, dict[str, object]]]:
    found = {}
    for path in sorted(folder.glob("*/runs/**/manifest.json")):
        data = json.loads(path.read_text("utf-8"))
        label = json.dumps([data["controller"], data["parameters"]], sort_keys=True).replace(str(folder), "")
        key = (path.relative_to(folder).parts[0], label, data["seed"])
        found[key] = data["tripinfo_sha256"], data["metrics"]
    return found


def diff(before: Path, after: Path) -> int:
    """Print what differs; the number of differences decides the status."""
    before, after = before.resolve(), after.resolve()
    old, new = _runs(before), _runs(after)
    worse = 0
    for key in sorted(set(old) ^ set(new)):
        print("only in", "before" if key in old else "after", key)
        worse += 1
    for key in sorted(set(old) & set(new)):
        if old[key] != new[key]:
            print("differs", key, old[key][0][:12], new[key][0][:12])
            worse += 1
    plans = sorted(path.relative_to(before) for path in before.glob("optimize-*/plan.json"))
    for path in plans:
        there = after / path
        if not there.is_file() or json.loads((before / path).read_text()) != json.loads(there.read_text()):
            print("differs", path)
            worse += 1
    print(f"{len(set(old) & set(new))} runs and {len(plans)} plans compared, {worse} differences")
    return min(worse, 1)


if __name__ == "__main__":
    sys.exit(main())
