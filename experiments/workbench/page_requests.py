"""What the page asks of the server: each request of the interface by its name, from its JSON to its answer."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from denxanh.experiments.workbench import job_commands
from denxanh.experiments.workbench.desk import SLOTS, Desk, read_plan
from denxanh.experiments.workbench.library import plan_files
from denxanh.experiments.workbench.served_files import file_address
from denxanh.experiments.workbench.workbench_page import json_text
from denxanh.sim.errors import InputError
from denxanh.sim.input.limits import TEXT_BYTES
from denxanh.sim.language.text import Text
from denxanh.sim.plan import Plan
from denxanh.sim.run import store

if TYPE_CHECKING:
    from denxanh.experiments.workbench.open_place import OpenPlace


Handler = Callable[[Desk, Mapping[str, Any]], Any]


def _slot(form: Mapping[str, Any]) -> str:
    slot = form.get("slot")
    if slot not in SLOTS:
        raise InputError("there is no such plan", location="slot")
    return str(slot)


def _lists(desk: Desk, form: Mapping[str, Any]) -> Any:
    from denxanh.experiments.specification.controllers import controllers, describe

    return {
        "places": desk.library.places(),
        "results": desk.library.results(),
        "controllers": [{"name": name, "text": describe(name)} for name in sorted(controllers())],
        "home": str(desk.library.home.resolve()),
    }


def _jobs(desk: Desk, form: Mapping[str, Any]) -> Any:
    jobs = desk.jobs.list()
    for job in jobs:
        home = Path(job["folder"])
        result = home / job["result"]
        names = (
            "report.html",
            "import.html",
            "replay.html",
            "plan.json",
            "timing-sheet.csv",
            *(f"sheet-{a}.{b}" for a in ("vi", "en") for b in ("pdf", "xlsx")),
        )
        job["files"] = [
            {"name": name, "address": file_address(desk.library.folders, result / name)}
            for name in names
            if job["result"] and (result / name).is_file()
        ]
    return {"jobs": jobs}


def _open(desk: Desk, form: Mapping[str, Any]) -> Any:
    name = form.get("place")
    if not isinstance(name, str):
        raise InputError("the place is not a name", location="place")
    opening = desk.opening(name)
    if opening.error is not None:
        return {"refused": json_text(opening.error)}
    if opening.place is None:
        return {"state": "opening"}
    own = {slot: kept for slot in SLOTS if (kept := _kept(opening.place, desk.plan_file(name, slot)))}
    return {"state": "open", **opening.place.data(), "own": own}


def _cycle(desk: Desk, form: Mapping[str, Any]) -> Any:
    """The plan with another cycle at some of its signals."""
    from denxanh.experiments.workbench.plan_edits import with_cycle

    place, plan = desk.opened(form), read_plan(form.get("plan"))
    cycle, names = form.get("cycle"), form.get("signals")
    if isinstance(cycle, bool) or not isinstance(cycle, int | float) or not 1 <= cycle <= 3600:
        raise InputError("the cycle is not a number of seconds from 1 to 3600", location="cycle")
    if not isinstance(names, list) or not all(name in place.network.intersections for name in names):
        raise InputError("a signal is not here", location="signals")
    timings = dict(plan.timings)
    if not names or not all(name in timings for name in names):
        raise InputError("a signal is not in the plan", location="signals")
    longest = max(timings[name].cycle for name in names)
    for name in names:  # a signal that runs two cycles in one goes on to do so
        wanted = float(cycle) * timings[name].cycle / longest
        found = with_cycle(place.network.intersections[name], timings[name], wanted)
        if isinstance(found, Text):
            return {"refused": json_text(found)}
        timings[name] = found
    return {"plan": Plan(timings, plan.note).to_json()}


def _keep(desk: Desk, form: Mapping[str, Any]) -> Any:
    """Keep one of a person's plans on disk, so that it is there again after the browser or the server was closed."""
    place, plan = desk.opened(form), read_plan(form.get("plan"))
    if fault := place.rules.fault(plan):
        return {"refused": json_text(fault)}
    file = desk.plan_file(place.name, _slot(form))
    file.parent.mkdir(parents=True, exist_ok=True)
    with store.replacing(file) as new:
        store.write_json(new, plan.to_json())
    return {"kept": True}


def _kept(place: OpenPlace, file: Path) -> dict[str, Any] | None:
    """A plan of a file, and its signals, where it fits the place; None where it does not."""
    data = store.read_json(file) if file.is_file() and file.stat().st_size <= TEXT_BYTES else None
    try:
        plan = Plan.from_json(data, location=str(file))
        known = set(plan.timings) <= set(place.network.intersections)
        if not plan.timings or not known or place.rules.fault(plan) is not None:
            return None
    except InputError:
        return None
    whole = Plan({**place.existing.timings, **plan.timings}, plan.note)
    return {"plan": whole.to_json(), "signals": place.signals(whole)}


def _plans(desk: Desk, form: Mapping[str, Any]) -> Any:
    """Plans of results that fit the open place."""
    place = desk.opened(form)
    rows = [(file, _kept(place, file)) for file in plan_files(desk.library.folders)]
    return {"plans": [{"name": str(file), **kept} for file, kept in rows if kept is not None]}


def _start(desk: Desk, form: Mapping[str, Any]) -> Any:
    kind, library = form.get("kind"), desk.library
    if kind == "compare":
        request = job_commands.compare(form, library)
    elif kind == "optimize":
        request = job_commands.optimize(form, library)
    elif kind == "study":
        request = job_commands.study(form, library, _upload_of(desk, form.get("counts")))
    elif kind == "replay":
        folder = library.result(str(form.get("folder")))
        if folder is None:
            raise InputError("there is no such result", remedy="choose one of the list")
        request = job_commands.replay(folder, library)
    elif kind in ("check", "sheet"):
        place = desk.opened(form)
        files = {slot: file for slot in SLOTS if (file := desk.plan_file(place.name, slot)).is_file()}
        if not files:
            raise InputError("there is no plan of yours yet", remedy="change the plan first")
        if kind == "check":
            own = [file for file in files.values() if _differs(place, file)]
            if not own:
                raise InputError("your plans are the existing plan", remedy="change one first")
            request = job_commands.check_in_sumo(form, library, own)
        else:
            slot = _slot(form)
            if slot not in files:
                raise InputError("this plan is not kept yet", remedy="change it first")
            request = job_commands.sheet(form, library, files[slot])
    else:
        raise InputError("there is no such job", location="kind")
    return {"id": desk.jobs.start(request)}


def _differs(place: OpenPlace, file: Path) -> bool:
    """Whether a kept plan is another one than the existing plan."""
    plan = Plan.from_json(store.read_json(file), location=str(file))
    return dict(plan.timings) != dict(place.existing.timings)


def _upload_of(desk: Desk, name: object) -> Path | None:
    if name in (None, ""):
        return None
    if not isinstance(name, str) or not re.fullmatch(r"[0-9a-f]{16}\.csv", name):
        raise InputError("the counts were not uploaded", location="counts")
    file = job_commands.uploads(desk.library) / name
    if not file.is_file():
        raise InputError("the counts are not there any more", remedy="give the file again")
    return file


def _id(form: Mapping[str, Any]) -> str:
    id = form.get("id")
    if not isinstance(id, str):
        raise InputError("there is no such job", location="id")
    return id


def _cancel(desk: Desk, form: Mapping[str, Any]) -> Any:
    desk.jobs.cancel(_id(form))
    return {"id": form["id"]}


def _again(desk: Desk, form: Mapping[str, Any]) -> Any:
    desk.jobs.again(_id(form))
    return {"id": form["id"]}


def _remove(desk: Desk, form: Mapping[str, Any]) -> Any:
    desk.jobs.remove(_id(form))
    return {"id": form["id"]}


EVALUATE = "evaluate"
"""The request of a drag, which has threads of its own."""

HANDLERS: dict[str, Handler] = {
    "lists": _lists,
    "jobs": _jobs,
    "open": _open,
    "cycle": _cycle,
    "keep": _keep,
    "plans": _plans,
    "start": _start,
    "cancel": _cancel,
    "again": _again,
    "remove": _remove,
}
