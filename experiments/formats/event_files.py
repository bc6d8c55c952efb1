"""The event logs of the runs of a folder, one CSV each, with the names of its devices and phases."""

from __future__ import annotations

from pathlib import Path

from denxanh.experiments.formats.detections import HEADS, detection_events, detectors_of
from denxanh.experiments.formats.event_log import device_numbers, event_csv, phase_numbers, signal_events
from denxanh.experiments.formats.signal_groups import signal_groups
from denxanh.experiments.formats.table_text import table_text
from denxanh.experiments.results.load import LEDGER
from denxanh.experiments.runs.ledger import Ledger
from denxanh.experiments.runs.run_row import run_folder
from denxanh.sim.errors import InputError
from denxanh.sim.network import Network
from denxanh.sim.network_reader import network_of
from denxanh.sim.run import store
from denxanh.sim.run.recording import Recording, record_run
from denxanh.sim.run.repetition import open_run
from denxanh.sim.run.store import read_table


def export_events(folder: Path, target: Path, *, detections: bool = False) -> list[Path]:
    """Write ``events-ID.csv`` of each complete run, and ``devices.csv`` of each place. Raises InputError.

    With ``detections`` each run is simulated again by SUMO alone for the events of its detectors, which
    ``detectors.csv`` lists for each place.
    """
    target.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    networks: dict[str, Network] = {}
    with Ledger(folder / LEDGER, read_only=True) as ledger:
        for row in ledger.rows():
            if not row.done:
                continue
            scenario = ledger.specification(row.id).scenario
            missing = [path for path in scenario.inputs() if not path.is_file()]
            if missing:
                raise InputError(
                    f"the input file {str(missing[0])!r} is not on this machine",
                    location=str(folder),
                    remedy="export where the inputs are",
                )
            key = str(scenario.net)
            if key not in networks:
                networks[key] = network_of(scenario)
                number = len(networks)
                name = "devices.csv" if number == 1 else f"devices-{number}.csv"
                written.append(_write(target / name, _devices(networks[key])))
            run = run_folder(folder, row.id)
            events = signal_events(networks[key], read_table(run / "signals.parquet"))
            if detections:
                recording = record_run(open_run(run, scenario), networks[key])
                events = sorted([*events, *detection_events(recording)])
                path = target / f"detectors{'' if len(networks) == 1 else f'-{len(networks)}'}.csv"
                if path not in written:
                    written.append(_write(path, _detectors(recording)))
            written.append(_write(target / f"events-{row.id}.csv", event_csv(events)))
    if not written:
        raise InputError("no run is done", location=str(folder), remedy="run the experiment first")
    return written


def _detectors(recording: Recording) -> str:
    """The detectors of all signals, with the columns that ``atspm`` reads."""
    rows = [[one.device, one.phase, one.number, one.function, one.lane] for one in detectors_of(recording)]
    return table_text([*HEADS, "lane"], rows)


def _devices(network: Network) -> str:
    """Signal and movements of each device and phase."""
    rows = []
    for name, device in device_numbers(network).items():
        groups = signal_groups(network, name, [network.intersections[name].program])
        for group in groups:
            movements = " ".join(movement.label for movement in group.movements)
            rows.append(
                [device, phase_numbers(groups)[group.name], name, group.name, movements, group.street]
            )
    return table_text(["DeviceId", "Phase", "signal", "group", "movements", "street"], rows)


def _write(path: Path, text: str) -> Path:
    with store.replacing(path) as new:
        new.write_text(text, encoding="utf-8", newline="\n")
    return path
