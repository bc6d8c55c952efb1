"""The page of a replay: one HTML file that plays its runs without a server, a library or a network."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment
from markupsafe import Markup

from denxanh.experiments.replay.choice import ChosenRun
from denxanh.experiments.replay.codec import QUEUE_PERIOD, QUEUE_UNIT, RESOLUTION, TURN, encode
from denxanh.experiments.replay.scene import (
    UNIT,
    kinds_of,
    road_scene,
    run_title,
    shown_label,
    signal_changes,
    vehicle_type,
)
from denxanh.experiments.report.comparison_report import translated_note
from denxanh.experiments.report.decision.names import place_title
from denxanh.experiments.report.drawing.colour import styles
from denxanh.experiments.report.page import Language, script_json, template_environment
from denxanh.sim.demand.departures import Traffic, read_traffic
from denxanh.sim.language import switch
from denxanh.sim.language.text import Text
from denxanh.sim.network import Network
from denxanh.sim.network_reader import network_of
from denxanh.sim.run import store
from denxanh.sim.run.repetition import StoredRun, record_trajectories
from denxanh.sim.run.trajectories import back_of_queue

SHOWN = Text(
    "Positions are those of the run itself, simulated again by SUMO and found to have the same trips, every second to "
    "0.25 m; between them vehicles move in straight lines. Vehicles are drawn to scale when zoomed in. Red strips: "
    "from the stop line to the last standing vehicle. Bars at the stop lines: the signals.",
    "Vị trí xe là của chính lần mô phỏng này: SUMO chạy lại và cho ra đúng các chuyến đi đã lưu, mỗi giây một vị trí, "
    "chính xác đến 0,25 m; giữa hai vị trí xe đi thẳng. Khi phóng to, xe được vẽ đúng tỷ lệ. Dải đỏ: từ vạch dừng đến "
    "xe đang dừng cuối cùng. Vạch màu tại vạch dừng: đèn tín hiệu.",
)


def write_replay(path: Path, chosen: Sequence[ChosenRun], *, language: Language = "en") -> None:
    """Simulate the chosen runs again and write their replay to ``path``; ``language`` is shown first.

    Raises InputError for runs that cannot be repeated, RunError where a repetition differs from its run.
    """
    content = render(chosen, language=language).encode("utf-8")
    path.parent.mkdir(parents=True, exist_ok=True)
    with store.replacing(path) as new:
        new.write_bytes(content)


def render(chosen: Sequence[ChosenRun], *, language: Language = "en") -> str:
    """The page of one or two runs as HTML; equal runs give equal text."""
    style, script = switch.STYLE + _asset("replay.css"), switch.SCRIPT + _asset("replay.js")
    networks: dict[str, Network] = {}
    scenes: list[dict[str, Any]] = []
    data: list[dict[str, Any]] = []
    contents: list[str] = []
    colours = [style.colour for style in styles([str(k) for k in range(len(chosen))]).values()]
    for one, colour in zip(chosen, colours, strict=True):
        network = networks.setdefault(str(one.run.scenario.net), network_of(one.run.scenario))
        origin = _origin(network)
        entry, content = _run_data(one, network, origin)
        scene = road_scene(one.run, network, origin)
        if scene not in scenes:
            scenes.append(scene)
        data.append({**entry, "scene": scenes.index(scene), "colour": colour})
        contents.append(content)
    place = str(chosen[0].run.scenario.name)
    scenario = chosen[0].run.scenario
    return (
        _environment()
        .get_template("replay.html.j2")
        .render(
            language=language,
            switch=switch,
            style=Markup(style),
            script=Markup(script),
            policy=switch.content_security_policy(style, script),
            title=Text("Replay: ", "Phát lại mô phỏng: ") + place_title(place),
            runs=[(run_title(one.label, one.run), one.run.manifest) for one in chosen],
            credit="© OpenStreetMap contributors" if place.startswith(("ha-noi/", "tp-hcm/")) else "",
            shown=SHOWN,
            notes=[translated_note(note) for note in scenario.notes],
            data=Markup(
                script_json(
                    {
                        "schema": "denxanh-replay/1",
                        "unit": UNIT,
                        "resolution": RESOLUTION,
                        "turn": TURN,
                        "queueUnit": QUEUE_UNIT,
                        "queuePeriod": QUEUE_PERIOD,
                        "scenes": scenes,
                        "runs": data,
                    }
                )
            ),
            contents=[Markup(content) for content in contents],
        )
    )


def _run_data(one: ChosenRun, network: Network, origin: tuple[float, float]) -> tuple[dict[str, Any], str]:
    """A run as JSON data, and its trajectories in base64."""
    trajectories = record_trajectories(one.run)
    known = _traffic(one.run, network).types
    kinds = kinds_of(trajectories.types, known)
    unique = list(dict.fromkeys(kinds))
    lengths = {name: vehicle_type(name, known).length for name in trajectories.types}
    lanes = [a.lane for i in network.intersections.values() for a in i.approaches]
    encoded = encode(
        trajectories,
        np.array([unique.index(kind) for kind in kinds], dtype=np.int64),
        back_of_queue(trajectories, network, lengths, lanes),
        origin,
    )
    data = {
        "label": {"en": shown_label(one.label).en, "vi": shown_label(one.label).vi},
        "begin": trajectories.begin,
        "step": trajectories.step,
        "frames": trajectories.frames,
        "layout": [list(part) for part in encoded.layout],
        "kinds": [
            {
                "name": {"en": kind.name.en, "vi": kind.name.vi},
                "colour": kind.colour,
                "length": kind.length,
                "width": kind.width,
            }
            for kind in unique
        ],
        "lanes": lanes,
        "signals": signal_changes(one.run, network),
    }
    return data, base64.b64encode(encoded.content).decode("ascii")


def _traffic(run: StoredRun, network: Network) -> Traffic:
    """What the route and additional files ask for, with the types of their vehicles."""
    scenario, traffic = run.scenario, Traffic()
    extra = tuple(sorted(run.folder.glob("event-*.rou.xml")))
    for additional, paths in ((True, scenario.additional), (False, (*scenario.routes, *extra))):
        for path in paths:
            traffic += read_traffic(path, scenario.begin, scenario.end, network.edges, additional=additional)
    return traffic


def _origin(network: Network) -> tuple[float, float]:
    """The lower left corner of the roads, m: small numbers take little room."""
    points = [point for edge in network.edges.values() for point in edge.shape]
    return float(np.floor(min(x for x, _ in points))), float(np.floor(min(y for _, y in points)))


@cache
def _environment() -> Environment:
    return template_environment("denxanh.experiments.replay")


def _asset(name: str) -> str:
    text = (files("denxanh.experiments.replay") / "templates" / name).read_text(encoding="utf-8")
    return text.replace("\r\n", "\n")  # the browser hashes the parsed text, which has no CR
