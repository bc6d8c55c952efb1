"""The server under many requests at once: answers are right, other requests get their turn, memory stays."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("starlette", reason="the workbench needs the extra serve")

import anyio

from denxanh.experiments.workbench import server as module
from denxanh.experiments.workbench.access import Access
from tests.experiments.workbench.conftest import PATIENCE, Server

PLACE = "ha-noi/hoang-dao-thuy"
CLIENTS = 8
MOST_MB_PER_1000 = 4.0
"""Growth of resident memory. The whole minute of benchmarks/workbench.py, 12 000 requests, grows it by some 10 MB."""


def test_an_answer_does_not_wait_for_the_acknowledgement_of_its_head() -> None:
    """asyncio turns Nagle's algorithm off on a connection whose socket names its protocol."""
    with module.open_listener(0) as listener:
        assert listener.proto == socket.IPPROTO_TCP


def test_evaluations_that_wait_leave_the_other_requests_their_threads(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """More evaluations than the server has threads; before they end, the list of jobs is answered."""
    free = threading.Event()

    def evaluate(desk: module.Desk, form: Any, ticket: int) -> dict[str, Any]:
        return {"waited": free.wait(PATIENCE)}

    monkeypatch.setattr(module.Desk, "evaluate", evaluate)
    app = module.make_app((tmp_path,), Access("token", 1))
    answers: list[str] = []

    async def ask(name: str) -> None:
        headers = {"host": "127.0.0.1:1", "origin": "http://127.0.0.1:1", "authorization": "Bearer token"}
        scope = {
            "type": "http", "method": "POST", "path": f"/api/{name}", "query_string": b"", "http_version": "1.1",
            "headers": [(key.encode(), value.encode()) for key, value in headers.items()],
        }  # fmt: skip

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b'{"place": "x"}', "more_body": False}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                answers.append(f"{name} {message['status']}")

        await app(scope, receive, send)

    async def all_of_them() -> None:
        async with anyio.create_task_group() as tasks:
            for _ in range(100):
                tasks.start_soon(ask, "evaluate")
            await anyio.wait_all_tasks_blocked()
            with anyio.move_on_after(30):
                await ask("jobs")
            first = list(answers)
            free.set()
        assert first == ["jobs 200"]

    anyio.run(all_of_them)
    assert Counter(answers) == {"evaluate 200": 100, "jobs 200": 1}


def test_many_pages_that_open_at_once_get_their_lists(server: Server) -> None:
    """The lists describe every controller out of its file, in a thread for each request."""
    answers: list[int] = []
    threads = [threading.Thread(target=lambda: answers.append(server.post("lists")[0])) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [200] * 8


def resident_mb(pid: int) -> float:
    """Resident memory of a process; skips the test where the system does not tell."""
    try:
        rows = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    except OSError:
        pytest.skip("this system does not tell the memory of a process")
    return next(int(row.split()[1]) for row in rows if row.startswith("VmRSS")) / 1024


@pytest.mark.slow
def test_every_answer_under_load_is_the_right_one_and_memory_stays(server: Server) -> None:
    data = server.opened(PLACE)
    (signal,) = data["signals"]
    plans = []
    for more in range(6):
        plan = json.loads(json.dumps(data["plan"]))
        plan["intersections"][signal]["stages"][0]["green"] += more
        plans.append(plan)
    expected = [server.post("evaluate", place=PLACE, plan=plan)[1] for plan in plans]
    assert len({one["delay"] for one in expected}) == len(plans)
    page = server.request("GET", "/")[2]
    counts: Counter[str] = Counter()
    wrong: list[Any] = []

    def client(number: int, requests: int) -> None:
        connection = http.client.HTTPConnection(server.host, timeout=PATIENCE)
        for k in range(requests):
            kind = ("evaluate", "jobs", "evaluate", "page")[(k + number) % 4]
            which = (k + number) % len(plans)
            if kind == "page":
                connection.request("GET", "/")
            else:
                form = {"place": PLACE, "plan": plans[which]} if kind == "evaluate" else {}
                connection.request("POST", f"/api/{kind}", json.dumps(form), server.allowed)
            answer = connection.getresponse()
            content = answer.read()
            found = content if kind == "page" else json.loads(content)
            if kind == "evaluate" and "superseded" in found:
                kind = "superseded"
            right = {"evaluate": expected[which], "jobs": {"jobs": []}, "page": page, "superseded": found}
            if answer.status != 200 or found != right[kind]:
                wrong.append((kind, answer.status, content[:200]))
            counts[kind] += 1
        connection.close()

    def load(requests: int) -> None:
        threads = [threading.Thread(target=client, args=(n, requests // CLIENTS)) for n in range(CLIENTS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    load(400)  # what the first requests leave: threads, caches of the model
    before = resident_mb(server.process.pid)
    load(2000)
    grown = resident_mb(server.process.pid) - before
    assert wrong == []
    assert counts["evaluate"] > 0
    assert counts.total() == 2400
    assert grown <= 2 * MOST_MB_PER_1000
