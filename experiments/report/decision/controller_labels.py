"""Labels of controllers in tables and legends: as the command line writes them in English, by name in Vietnamese."""

from __future__ import annotations

from denxanh.experiments.report.decision.names import controller_title, is_plan, strategy_in_vietnamese
from denxanh.sim.language.text import Text


def controller_label(label: str, *, assumed_plan: bool = False) -> Text:
    """The label of a controller for a table: the English one is the label itself, which the command line takes.

    ``assumed_plan``: nobody has seen the place's own plan in the street, so it is not called the existing one. A
    controller without a Vietnamese name keeps its label.

    >>> controller_label("max-pressure:interval=20").vi
    'áp lực lớn nhất (interval=20)'
    """
    if is_plan(label):
        return Text(label, controller_title(label, assumed_plan=assumed_plan).vi)
    return Text(label, strategy_in_vietnamese(label) or label)
