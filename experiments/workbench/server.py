"""The server: addresses of the page, of the interface (POST, JSON) and of files; one process, loopback only.

The page is there before what only some requests need is imported: the queue model and the controllers wait inside.
"""

from __future__ import annotations

import json
import secrets
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import uvicorn
from anyio import CapacityLimiter
from anyio.to_thread import run_sync
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from denxanh.experiments.workbench import job_commands
from denxanh.experiments.workbench.access import API, FILES, Access, Guard, new_token
from denxanh.experiments.workbench.desk import KEPT, Desk, Superseded
from denxanh.experiments.workbench.page_requests import EVALUATE, HANDLERS
from denxanh.experiments.workbench.served_files import KINDS, SHOWN, find_file
from denxanh.experiments.workbench.workbench_page import assets, json_text
from denxanh.sim.errors import DenxanhError, InputError
from denxanh.sim.language.text import Text, same

UPLOAD_BYTES = 512 << 20
"""Size of an uploaded map: the extract of a city has some tens of MB."""

FORM_BYTES = 4 << 20
"""Size of a request with JSON: the plan of 1 000 signals has 2 MB."""


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
