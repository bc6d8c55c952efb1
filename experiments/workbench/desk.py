"""What the server works on: the library, the jobs, the open places, and the plans that a person edits."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from denxanh.experiments.workbench.jobs import JobStore
from denxanh.experiments.workbench.library import WORKBENCH, Library
from denxanh.experiments.workbench.workbench_page import json_text
from denxanh.sim.errors import DenxanhError, InputError
from denxanh.sim.language.text import Text, same
from denxanh.sim.plan import Plan

if TYPE_CHECKING:
    from denxanh.experiments.workbench.open_place import OpenPlace

KEPT = 3
"""Places whose models stay in memory; opening another one closes the one used least recently."""

SLOTS = ("1", "2")
"""The person's own plans of a place."""


class Superseded(DenxanhError):
    """A newer plan of the same place is to be evaluated instead."""


@dataclass
class _Opening:
    """A place that is being opened, or is open."""

    place: OpenPlace | None = None
    error: Text | None = None


class Desk:
    """What the interface works on: the library, the jobs, the open places and the plans that are edited."""

    def __init__(self, folders: tuple[Path, ...]) -> None:
        self.library = Library(folders)
        self.jobs = JobStore(self.library.home / WORKBENCH / "jobs")
        self._open: dict[str, _Opening] = {}
        self._lock = threading.Lock()
        self._newest: dict[str, int] = {}  # number of the newest evaluation asked for, by place
        self._tickets = 0

    def opening(self, name: str) -> _Opening:
        """The place ``name``, which is opened in the background. Raises InputError for one that is not listed."""
        with self._lock:
            known = self._open.pop(name, None)
            if known is not None and known.error is None:
                self._open[name] = known  # the most recently used one is the last
                return known
        if not self.library.has_place(name):
            raise InputError("there is no such place", remedy="choose one of the list")
        with self._lock:
            if name in self._open and self._open[name].error is None:
                return self._open[name]
            opening = _Opening()
            while len(self._open) >= KEPT:
                self._open.pop(next(iter(self._open)))
            self._open[name] = opening
        threading.Thread(target=_fill, args=(opening, name), daemon=True).start()
        return opening

    def opened(self, form: Mapping[str, Any]) -> OpenPlace:
        """The open place of a request. Raises InputError where it is not open."""
        name = form.get("place")
        known = self._open.get(name) if isinstance(name, str) else None
        if known is None or known.place is None:
            raise InputError("the place is not open yet", remedy="open it first")
        return known.place

    def ticket(self, form: Mapping[str, Any]) -> int:
        """The number of an evaluation, given as it arrives: from now on it is the newest of its place."""
        name = form.get("place")
        with self._lock:
            self._tickets += 1
            if isinstance(name, str) and name in self._open:
                self._newest[name] = self._tickets
            return self._tickets

    def evaluate(self, form: Mapping[str, Any], ticket: int) -> dict[str, Any]:
        """Figures of a plan. Raises Superseded where a newer one of the same place came while this one waited."""
        from denxanh.experiments.workbench.plan_edits import green_fault

        place = self.opened(form)

        def newest() -> None:
            if self._newest.get(place.name) != ticket:
                raise Superseded("a newer plan is evaluated instead")

        newest()
        if fault := green_fault(place.network, form.get("plan")):
            return {"refused": json_text(fault)}
        plan = read_plan(form.get("plan"))
        street = form.get("street", 0)
        if not isinstance(street, int) or isinstance(street, bool) or street < 0:
            raise InputError("the street is not a number", location="street")
        return place.evaluate(plan, street, newest)

    def plan_file(self, place: str, slot: str) -> Path:
        """The file of one of a person's plans of a place."""
        digest = hashlib.sha256(place.encode("utf-8", "surrogatepass")).hexdigest()[:10]
        stem = re.sub(r"[^a-z0-9]+", "-", Path(place).name.lower()).strip("-")[:40] or "place"
        return self.library.home / WORKBENCH / "plans" / f"{stem}-{digest}" / f"plan-{slot}.json"


def _fill(opening: _Opening, name: str) -> None:
    try:
        from denxanh.experiments.workbench.open_place import open_place

        opening.place = open_place(name)
    except DenxanhError as error:
        opening.error = same(str(error))
    except Exception as error:  # of a reader, which must not leave the page waiting
        opening.error = same(f"{name}: it cannot be opened: {type(error).__name__}: {error}")


def read_plan(data: object) -> Plan:
    """The plan of a request. Raises InputError."""
    return Plan.from_json(data, location="the plan")
