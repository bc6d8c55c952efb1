"""Why signals are left to SUMO: one sentence for each reason, in both languages."""

from __future__ import annotations

import ast
import inspect
import textwrap
from dataclasses import replace

import pytest

from denxanh.experiments.report.left_to_sumo import left_to_sumo_notes, translated_reason
from denxanh.sim import network_reader
from denxanh.sim.sumo import program
from denxanh.sim.testing.check_controller import corridor


def refusals() -> list[str]:
    """The beginnings of all that the reader says when it leaves a signal."""
    code = (program._unreadable, program._nothing_to_decide, network_reader._Reader.intersection)
    tree = ast.parse("\n".join(textwrap.dedent(inspect.getsource(function)) for function in code))
    found = [node.value for node in ast.walk(tree) if isinstance(node, ast.Return)]
    found = [node.values[0] if isinstance(node, ast.JoinedStr) else node for node in found]
    return [node.value for node in found if isinstance(node, ast.Constant) and node.value]


@pytest.mark.parametrize(
    "reason",
    [
        *refusals(),
        network_reader.SWITCHED_OFF,
        "it drives no connection",
        "it is a rail signal",
        "it is a rail crossing",
    ],
)
def test_every_reason_is_said_in_vietnamese(reason: str) -> None:
    assert translated_reason(reason).en == reason
    assert translated_reason(reason).vi != reason


def test_all_ways_to_refuse_are_looked_at() -> None:
    assert len(refusals()) == 8


def test_signals_with_one_reason_share_a_sentence() -> None:
    names = {f"J{k}": "it drives no connection" for k in range(1, 11)}
    network = replace(corridor(1), left_to_sumo={**names, "K": "its program is of type 'NEMA'"})
    many, one = left_to_sumo_notes(network, most=8)
    assert (
        many.en
        == "left to SUMO, since it drives no connection: 10 signals (J1, J2, J3, J4, J5, J6, J7, J8, …)"
    )
    assert one.vi == "để SUMO tự điều khiển, vì chương trình của đèn thuộc loại 'NEMA': 1 đèn (K)"
