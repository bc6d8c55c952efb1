"""A server of the workbench in a process of its own, as a person starts it."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

PATIENCE = 600.0  # s, after which a test gives up; nothing is asserted of how long anything takes


class Server:
    """``denxanh serve FOLDER``; ``post`` asks as the page does, ``request`` as anybody."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, "-m", "denxanh", "serve", str(folder), "--port", "0"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        assert self.process.stdout is not None
        self.address = self.process.stdout.readline().split("workbench: ")[-1].strip()
        self.host = self.address.split("/")[2]
        self.token = self.address.partition("#token=")[2]

    def request(
        self, method: str, path: str, body: bytes | str | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and content of an answer."""
        connection = http.client.HTTPConnection(
            "127.0.0.1", int(self.host.partition(":")[2]), timeout=PATIENCE
        )
        try:
            connection.putrequest(method, path, skip_host=True)
            content = body.encode() if isinstance(body, str) else body
            given = {"Host": self.host, "Content-Length": str(len(content or b"")), **(headers or {})}
            for name, value in given.items():
                connection.putheader(name, value)
            connection.endheaders(content)
            answer = connection.getresponse()
            return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
        finally:
            connection.close()

    @property
    def allowed(self) -> dict[str, str]:
        """The headers that the page sends."""
        return {"Origin": f"http://{self.host}", "Authorization": f"Bearer {self.token}"}

    def post(self, name: str, **form: Any) -> tuple[int, dict[str, Any]]:
        """Status and data of a request to the interface."""
        status, _, content = self.request("POST", f"/api/{name}", json.dumps(form), self.allowed)
        return status, json.loads(content)

    def opened(self, place: str) -> dict[str, Any]:
        """The data of a place, once it is open."""
        return until(lambda: (found := self.post("open", place=place)[1]).get("state") == "open" and found)

    def job(self, id: str) -> dict[str, Any]:
        """A job of the list."""
        return next(job for job in self.post("jobs")[1]["jobs"] if job["id"] == id)

    def ended(self, id: str) -> dict[str, Any]:
        """A job, once it has ended."""
        return until(lambda: (job := self.job(id))["state"] not in ("waiting", "running") and job)

    def kill(self) -> None:
        """End the server without a word, as a crash does."""
        self.process.kill()
        self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()


def until(found: Callable[[], Any]) -> Any:
    """What ``found`` gives once it gives something."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if value := found():
            return value
        time.sleep(0.2)
    raise AssertionError("it did not come")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    pytest.importorskip("starlette", reason="the workbench needs the extra serve")
    pytest.importorskip("uvicorn", reason="the workbench needs the extra serve")
    one = Server(tmp_path_factory.mktemp("results"))
    yield one
    one.kill()
