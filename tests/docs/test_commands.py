"""Every `denxanh …` line of the manual, in a block or in a sentence, is a command with options that exist."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from denxanh.experiments.cli.app import app

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    page
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    if page.name != "CHANGELOG.md" and not {"research", "decisions"} & set(page.relative_to(ROOT).parts)
)
BLOCK = re.compile(r"^ *```(?:sh|bash|text)?\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`(denxanh [^`]+)`")
WORD = re.compile(r"[a-z][a-z-]*")


def lines(text: str) -> Iterator[str]:
    """The commands of a page: lines of its blocks (continued lines joined), and code in its sentences."""
    for block in BLOCK.findall(text):
        for line in re.sub(r"\\\n", " ", block).splitlines():
            for part in re.split(r"&&|\|\||;|\$\(", line.partition(" #")[0]):
                if part.strip().startswith("denxanh "):
                    yield part.strip()
    yield from (" ".join(found.split()) for found in INLINE.findall(BLOCK.sub("", text)))


@cache
def denxanh() -> Any:
    """The command line, built once: building it takes half a second."""
    return get_command(app)


def fault(line: str) -> str:
    """What is wrong with a command of the manual: its name or an option; empty if nothing."""
    command = denxanh()
    words = line.split()[1:]
    while words and hasattr(command, "commands"):
        if words[0].startswith("-") or not WORD.fullmatch(words[0]):
            break
        if words[0] not in command.commands:
            return f"no command {words[0]!r}"
        command = command.commands[words.pop(0)]
    known = {name for one in command.params for name in (*one.opts, *one.secondary_opts)}
    known |= {"--help", "--version"}
    options = [re.match(r"--?[a-z][a-z-]*", word.lstrip("[(")) for word in words]
    return ", ".join(f"no option {one[0]}" for one in options if one and one[0] not in known)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_commands_of_a_page_exist(page: Path) -> None:
    wrong = [(line, said) for line in lines(page.read_text("utf-8")) if (said := fault(line))]
    assert not wrong


def test_a_wrong_command_is_found() -> None:
    page = (
        "`denxanh fly x` and `denxanh compare\nx --sedes 3`\n```sh\ncd x && denxanh run x \\\n  --flag\n```\n"
    )
    assert [fault(line) for line in lines(page)] == [
        "no option --flag",
        "no command 'fly'",
        "no option --sedes",
    ]
