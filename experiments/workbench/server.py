"""The server: addresses of the page, of the interface (POST, JSON) and of files; one process, loopback only.

The page is there before what only some requests need is imported: the queue model and the controllers wait inside.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import uvicorn
from anyio import CapacityLimiter
from anyio.to_thread import run_sync
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from denxanh.experiments.workbench import job_commands
from denxanh.experiments.workbench.access import API, FILES, Access, Guard, new_token
from denxanh.experiments.workbench.jobs import JobStore
from denxanh.experiments.workbench.library import WORKBENCH, Library, plan_files
from denxanh.experiments.workbench.served_files import KINDS, SHOWN, file_address, find_file
from denxanh.experiments.workbench.workbench_page import assets, json_text
from denxanh.sim.errors import DenxanhError, InputError
from denxanh.sim.input.limits import TEXT_BYTES
from denxanh.sim.language.text import Text, same
from denxanh.sim.plan import Plan
from denxanh.sim.run import store

if TYPE_CHECKING:
    from denxanh.experiments.workbench.open_place import OpenPlace

UPLOAD_BYTES = 512 << 20
"""Size of an uploaded map: the extract of a city has some tens of MB."""

FORM_BYTES = 4 << 20
"""Size of a request with JSON: the plan of 1 000 signals has 2 MB."""

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


def _slot(form: Mapping[str, Any]) -> str:
    slot = form.get("slot")
    if slot not in SLOTS:
        raise InputError("there is no such plan", location="slot")
    return str(slot)


Handler = Callable[[Desk, Mapping[str, Any]], Any]


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


def make_app(folders: tuple[Path, ...], access: Access) -> Guard:
    """The application on ``folders``, behind its guard."""
    desk = Desk(folders)
    evaluating = CapacityLimiter(
        KEPT
    )  # threads that evaluate: one a place runs, and the others stay for requests

    async def page(request: Request) -> Response:
        name = request.path_params.get("name") or "workbench.html"
        found = assets().get(name)
        return Response("not found", 404) if found is None else Response(found[0], media_type=found[1])

    async def interface(request: Request) -> Response:
        name = request.path_params["name"]
        handler = HANDLERS.get(name)
        if handler is None and name != EVALUATE:
            return _refusal(same("not found"), 404)
        try:
            form = await _form(request)
            if handler is None:
                found = await run_sync(desk.evaluate, form, desk.ticket(form), limiter=evaluating)
            else:
                found = await run_sync(handler, desk, form)
            return JSONResponse(found)
        except Superseded as error:
            return JSONResponse({"superseded": str(error)})
        except DenxanhError as error:
            return _refusal(same(str(error)), 422)
        except ClientDisconnect:
            return Response(status_code=400)

    async def upload(request: Request) -> Response:
        kind = request.path_params["kind"]
        try:
            return JSONResponse(await _receive(desk, request, kind))
        except DenxanhError as error:
            return _refusal(same(str(error)), 422)
        except ClientDisconnect:
            return Response(status_code=400)

    async def key(request: Request) -> Response:
        return JSONResponse({"files": f"{FILES}{access.file_key}/"})

    async def file(request: Request) -> Response:
        number, _, path = request.path_params["path"].partition("/")
        found = find_file(folders, number, path)
        if found is None:
            return Response("not found", 404)
        suffix = found.suffix.lower()
        how = "inline" if suffix in SHOWN else "attachment"
        return FileResponse(
            found, media_type=KINDS[suffix], filename=found.name, content_disposition_type=how
        )

    app = Starlette(
        routes=[
            Route("/", page),
            Route(f"{API}key", key, methods=["POST"]),
            Route(f"{API}upload/{{kind}}", upload, methods=["POST"]),
            Route(f"{API}{{name}}", interface, methods=["POST"]),
            Route(f"{FILES}{access.file_key}/{{path:path}}", file),
            Route("/{name}", page),
        ]
    )
    return Guard(app, access)


def _refusal(reason: Text, status: int) -> JSONResponse:
    return JSONResponse({"refused": json_text(reason)}, status_code=status)


async def _form(request: Request) -> Mapping[str, Any]:
    """The JSON object of a request. Raises InputError."""
    content = bytearray()
    async for part in request.stream():
        content += part
        if len(content) > FORM_BYTES:
            raise InputError(f"the request has more than {FORM_BYTES >> 20} MB")
    try:
        data = json.loads(content or b"{}")
    except (ValueError, RecursionError):
        raise InputError("the request is not JSON") from None
    if not isinstance(data, dict):
        raise InputError("the request is not a JSON object")
    return data


async def _receive(desk: Desk, request: Request, kind: str) -> dict[str, str]:
    """Keep an uploaded file: a map starts its import, counts are kept for a study. Raises InputError."""
    name, file_name = request.query_params.get("name", ""), request.query_params.get("file", "")
    if kind == "map":
        job_commands.check_name(name)
        suffix = job_commands.upload_suffix(file_name, job_commands.MAPS)
    elif kind == "counts":
        suffix = job_commands.upload_suffix(file_name, job_commands.COUNTS)
    else:
        raise InputError("this cannot be uploaded")
    target = job_commands.uploads(desk.library) / (secrets.token_hex(8) + suffix)
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with target.open("wb") as stream:
            async for part in request.stream():
                stream.write(part)
                if stream.tell() > UPLOAD_BYTES:
                    raise InputError(f"the file has more than {UPLOAD_BYTES >> 20} MB")
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    if kind == "counts":
        return {"counts": target.name}
    return {"id": desk.jobs.start(job_commands.import_map(name, target, desk.library))}


def open_listener(port: int) -> socket.socket:
    """A socket that listens on the loopback address; ``port`` 0 is a free one. Raises InputError."""
    # with the protocol named, asyncio sets TCP_NODELAY: without it the body of an answer waits 40 ms for an ACK
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if hasattr(socket, "SO_EXCLUSIVEADDRUSE"):  # Windows: nobody else may bind to the same port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise InputError(
            f"port {port} cannot be used: {error.strerror or error}", remedy="give another --port"
        ) from None
    return listener


def serve(
    folders: tuple[Path, ...], *, port: int, on_ready: Callable[[str], None] = lambda address: None
) -> None:
    """Serve the workbench on the loopback address until it is interrupted. Raises InputError."""
    for folder in folders[1:]:
        if not folder.is_dir():
            raise InputError("there is no such folder", location=str(folder))
    folders[0].mkdir(parents=True, exist_ok=True)
    listener = open_listener(port)
    access = Access(new_token(), listener.getsockname()[1])
    config = uvicorn.Config(
        make_app(folders, access),
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=2,
        ws="none",
    )
    on_ready(f"http://127.0.0.1:{access.port}/#token={access.token}")
    with listener:
        uvicorn.Server(config).run(sockets=[listener])
