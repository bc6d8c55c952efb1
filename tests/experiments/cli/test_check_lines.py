"""``denxanh check`` says each kind of thing once, with a count, however many signals and detectors there are."""

import shutil
from pathlib import Path
from typing import Any

DETECTORS = "".join(
    f'<e1Detector id="d{k}" lane="left0A0_{k % 2}" pos="{k}" period="60" file="d.xml"/>' for k in range(40)
)


def warnings(stdout: str) -> list[str]:
    joined = stdout.replace("\n", " ")
    return joined.split("warning: ")[1:]


def test_two_signals_and_forty_detectors_are_a_line_each(tiny_place: Any, here: Any, tmp_path: Path) -> None:
    folder = tmp_path / "place"
    shutil.copytree(tiny_place.folder, folder)
    (folder / "d.add.xml").write_text(f"<additional>{DETECTORS}</additional>")
    config = folder / tiny_place.config.name
    config.write_text(config.read_text().replace("<begin", '<additional-files value="d.add.xml"/><begin'))
    said = warnings(here("check", config).stdout)
    assert sum("e1Detector" in line for line in said) == 1
    assert any("<e1Detector id='d0'> and 39 more no longer writes a file" in line for line in said)
    (line,) = [line for line in said if "changes without red between conflicting movements" in line]
    assert ": 4 at 2 signals (A0, B0), such as " in line
    assert " → " in line
    assert "plan '0'" in line
