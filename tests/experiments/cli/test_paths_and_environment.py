"""Whatever a path or an environment looks like, the run is the same run, and nothing is written elsewhere."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from denxanh.experiments.runs.worker import job
from denxanh.experiments.specification.run_specification import RunSpecification


def digest(folder: Path) -> str:
    """The hash of a run's trips."""
    text: str = json.loads((folder / "manifest.json").read_text("utf-8"))["tripinfo_sha256"]
    return text


@pytest.fixture(scope="module")
def plain(tiny_place: Any, cli: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> str:
    """The hash that every run of this module must have."""
    out = tmp_path_factory.mktemp("plain") / "out"
    done = cli("run", tiny_place.config, "-c", "program", "--out", out)
    assert done.returncode == 0, done.stderr
    return digest(out)


@pytest.mark.parametrize(
    "name",
    [
        "Ngã tư Sở – đường Láng",
        "a,b;c",
        "${HOME}",
        "50%20 %41",
        'it\'s "so" & <so>',
        "x" * 200,
    ],
    ids=["unicode and spaces", "comma", "variable", "percent", "quotes", "200 letters"],
)
def test_any_path_works(name: str, plain: str, tiny_place: Any, here: Any, tmp_path: Path) -> None:
    folder = tmp_path / name
    try:
        shutil.copytree(tiny_place.folder, folder)
    except OSError:
        pytest.skip("this file system does not allow such a name")
    ended = here("run", folder / tiny_place.config.name, "-c", "program", "--out", folder / "out")
    assert ended.status == 0, ended.stderr
    assert digest(folder / "out") == plain


@pytest.mark.parametrize(
    "environment",
    [
        {"LC_ALL": "C", "LANG": None},
        {"SUMO_HOME": "/nowhere", "PROJ_LIB": "/nowhere"},
        {"SUMO_HOME": None, "PROJ_LIB": None, "PROJ_DATA": None, "TZ": "Asia/Ho_Chi_Minh"},
    ],
    ids=["LC_ALL=C", "SUMO_HOME wrong", "SUMO_HOME unset"],
)
def test_any_environment_gives_the_same_bytes(
    environment: Mapping[str, str | None], plain: str, tiny_place: Any, cli: Any, tmp_path: Path
) -> None:
    folder = tmp_path / "Ngã tư Sở"
    shutil.copytree(tiny_place.folder, folder)
    config = folder / tiny_place.config.name
    done = cli("run", config, "-c", "program", "--out", folder / "out", env=environment)
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr
    assert digest(folder / "out") == plain


OUTPUTS = """<additional>
    <e1Detector id="d" lane="A0B0_0" pos="10" period="60" file="../../victim.xml"/>
    <e2Detector id="e" lane="A0B0_0" pos="10" endPos="90" period="60" file="ELSEWHERE"/>
    <edgeData id="m" file="../victim.xml"/>
    <timedEvent type="SaveTLSStates" source="A0" dest="127.0.0.1:9"/>
    <tlLogic id="A0" type="actuated" programID="spy" offset="0">
        <param key="file" value="../victim.xml"/><param key="freq" value="10"/>
        <phase duration="30" minDur="5" maxDur="50" state="GGGgrrrrGGGgrrrr"/>
        <phase duration="3" state="yyyyrrrryyyyrrrr"/>
        <phase duration="30" minDur="5" maxDur="50" state="rrrrGGGgrrrrGGGg"/>
        <phase duration="3" state="rrrryyyyrrrryyyy"/>
    </tlLogic>
</additional>
"""
CONFIG = """
    <additional-files value="more.add.xml"/>
    <tripinfo-output value="../victim.xml"/>
    <fcd-output value="127.0.0.1:9"/>
    <log value="../victim.log"/>
    <save-state.times value="100"/>
    <save-state.prefix value="../victim"/>
    <remote-port value="9999"/>
"""


def test_no_output_of_a_place_is_written_anywhere(tiny_place: Any, here: Any, tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "place"
    shutil.copytree(tiny_place.folder, folder)
    (folder / "more.add.xml").write_text(OUTPUTS.replace("ELSEWHERE", str(tmp_path / "elsewhere.xml")))
    config = folder / tiny_place.config.name
    config.write_text(config.read_text().replace("</configuration>", f"{CONFIG}</configuration>"))
    before = set(tmp_path.rglob("*"))
    checked = here("check", config)
    ended = here("run", config, "-c", "program", "--out", folder / "out")
    assert ended.status == 0, ended.stderr
    assert set(tmp_path.rglob("*")) - before - set((folder / "out").rglob("*")) == {folder / "out"}
    for name in ("fcd-output", "remote-port", "save-state.prefix", "tripinfo-output"):
        assert name in checked.stdout  # ignored, and said so
    for word in ("<edgeData>", "<timedEvent>", "<e1Detector id='d'>", "detectors no longer write"):
        assert word in checked.stdout


def test_a_networks_own_detector_file_is_not_written(tiny_place: Any, here: Any, tmp_path: Path) -> None:
    folder = tmp_path / "place"
    shutil.copytree(tiny_place.folder, folder)
    net = folder / tiny_place.net.name
    changed = net.read_text().replace(
        'type="static" programID="0" offset="0">',
        'type="actuated" programID="0" offset="0"><param key="file" value="victim.xml"/><param key="freq" value="9"/>',
    )
    net.write_text(changed.replace('duration="42"', 'duration="42" minDur="5" maxDur="50"'))
    assert "victim.xml" in net.read_text()
    ended = here("run", folder / tiny_place.config.name, "-c", "program", "--out", tmp_path / "out")
    assert ended.status == 0, ended.stderr
    assert not list(tmp_path.rglob("victim.xml"))


def test_a_job_is_plain_text(tiny_place: Any, tmp_path: Path) -> None:
    """Jobs cross processes as JSON, never as pickled objects."""
    from denxanh.networks.scenarios import open_scenario

    made = job(RunSpecification("tiny", open_scenario(str(tiny_place.config)), "program"), tmp_path)
    assert json.loads(json.dumps(made)) == made
