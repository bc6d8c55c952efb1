"""Odd commands end in one sentence that names the file or value, and what to do; nothing is left behind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("sheet", "broken.json"), "broken.json: the plan is not JSON"),
        (("sheet", "empty.json"), "empty.json: the plan is not JSON"),
        (("export-plan", "broken.json", "--utdf"), "broken.json: the plan is not JSON"),
        (("sheet", "no-schema.json"), "no-schema.json: the schema is"),
        (("plan", "PLACE", "--out", "missing/plan.json"), "the folder missing does not exist; make it"),
        (("counts", "PLACE", "--out", "missing/form.csv"), "the folder missing does not exist; make it"),
        (("run", "PLACE", "-c", "max-pressure:interval=5,interval=9"), "'interval' is given twice"),
        (
            ("run", "PLACE", "-c", "actuated", "--sensing", "loops:missed=0,missed=1"),
            "'missed' is given twice",
        ),
        (("compare", "PLACE", "-c", "program", "--out", ""), "--out is empty; name a folder"),
        (("compare", "PLACE", "-c", "program", "--out="), "--out is empty; name a folder"),
        (("places", "nowhere"), "there is no built-in place 'nowhere'"),
        (("benchmark", "small", "-c", "nope", "--out", "table"), "there is no controller 'nope'"),
        (("benchmark", "small", "-c", "actuated:nope=1", "--out", "table"), "has no parameter 'nope'"),
        (("study", "PLACE", "--plan", "broken.json"), "broken.json: the plan is not JSON"),
    ],
)
def test_an_odd_command_is_refused_in_a_sentence(
    arguments: tuple[str, ...],
    sentence: str,
    tmp_path: Path,
    tiny_place: Any,
    here: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, text in (("broken", "{"), ("empty", ""), ("no-schema", "{}")):
        (tmp_path / f"{name}.json").write_text(text, encoding="utf-8")
    before = sorted(tmp_path.iterdir())
    monkeypatch.chdir(tmp_path)
    ended = here(*[tiny_place.config if part == "PLACE" else part for part in arguments])
    assert ended.status == 2, ended.stdout
    (line,) = [line for line in ended.stderr.splitlines() if not line.startswith("note: ")]
    assert line.startswith("denxanh: ")
    assert sentence in line
    assert sorted(tmp_path.iterdir()) == before
