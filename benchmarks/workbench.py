"""The workbench under use and under load: a drag until the number is there, 200 requests a second, memory.

    python benchmarks/workbench.py [PLACE] [--seconds 60] [--rate 200] [--moves 200]

Starts ``denxanh serve`` on an empty folder, opens PLACE (the largest built-in place by default) and prints the time of
one evaluation as the page asks for it (p50, p95), its parts in this process, the time from a pointer's move in a
browser to the new number where Playwright and a Chromium are installed, the answers while RATE requests a second
arrive for SECONDS, and the memory of the server. Times are of this machine and what else runs on it.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np


class Client:
    """One kept connection to the interface."""

    def __init__(self, address: str) -> None:
        self.host = address.split("/")[2]
        self.headers = {
            "Origin": f"http://{self.host}",
            "Authorization": "Bearer " + address.partition("#token=")[2],
            "Content-Type": "application/json",
        }
        self.connection = http.client.HTTPConnection(self.host, timeout=600)
        self.used = time.monotonic()

    def post(self, name: str, **form: Any) -> dict[str, Any]:
        """The data of an answer. The server closes a connection that is idle for 5 s."""
        if time.monotonic() - self.used > 3.0:
            self.connection.close()
        self.used = time.monotonic()
        self.connection.request("POST", f"/api/{name}", json.dumps(form), self.headers)
        answer = self.connection.getresponse()
        content = answer.read()
        assert answer.status == 200, (answer.status, content[:300])
        return json.loads(content)

    def page(self) -> bytes:
        """The page of the workbench, over a connection of its own, as a browser that opens it."""
        connection = http.client.HTTPConnection(self.host, timeout=600)
        connection.request("GET", "/")
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        assert answer.status == 200, answer.status
        return content


def shifted(plan: dict[str, Any], k: int) -> dict[str, Any]:
    """The plan after move ``k`` of a drag: the offset of one signal a second later."""
    signals = list(plan["intersections"])
    one = plan["intersections"][signals[k // 20 % len(signals)]]
    moved = {**one, "offset": (one["offset"] + k % 20) % 60}
    return {**plan, "intersections": {**plan["intersections"], signals[k // 20 % len(signals)]: moved}}


def longer(plan: dict[str, Any], k: int) -> dict[str, Any]:
    """The plan after move ``k`` of a drag of a green: one second from a stage to the next, checked anew each time."""
    signals = [s for s, one in plan["intersections"].items() if len(one["stages"]) > 1]
    name = signals[k // 5 % len(signals)]
    stages = [dict(stage) for stage in plan["intersections"][name]["stages"]]
    stages[0]["green"] += k % 5
    stages[1]["green"] -= k % 5
    return {
        **plan,
        "intersections": {**plan["intersections"], name: {**plan["intersections"][name], "stages": stages}},
    }


def timed(call: Callable[[int], Any], count: int) -> np.ndarray:
    """Milliseconds of each call."""
    out = np.empty(count)
    for k in range(count):
        begin = time.perf_counter()
        call(k)
        out[k] = 1000 * (time.perf_counter() - begin)
    return out


def line(what: str, ms: np.ndarray) -> str:
    p50, p95 = np.percentile(ms, [50, 95])
    return f"{what:58s} p50 {p50:7.1f} ms   p95 {p95:7.1f} ms   max {ms.max():7.1f} ms   n {len(ms)}"


def memory(pid: int, when: str) -> str:
    """Resident memory of a process, and its peak, where the system tells."""
    try:
        rows = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return "memory: not known on this system"
    found = {
        row.split(":")[0]: int(row.split()[1]) / 1024 for row in rows if row.startswith(("VmRSS", "VmHWM"))
    }
    return f"memory of the server {when}: {found['VmRSS']:.0f} MB, {found['VmHWM']:.0f} MB at most so far"


def parts(place: str, moves: int) -> None:
    """CPU time of the parts of an evaluation, which other work on the machine does not change much."""
    from denxanh.experiments.workbench.open_place import open_place
    from denxanh.sim.model.plan_arrays import encode
    from denxanh.sim.plan import Plan

    opened = open_place(place)
    plan = opened.existing
    arrays = encode(opened.network, [plan])

    def cpu(call: Callable[[], Any]) -> float:
        begin = time.process_time()
        for _ in range(moves):
            call()
        return 1000 * (time.process_time() - begin) / moves

    data = plan.to_json()
    rows = {
        "all of it": lambda: opened.evaluate(Plan.from_json(data, location="")),
        "read the plan": lambda: Plan.from_json(data, location=""),
        "encode": lambda: encode(opened.network, [plan]),
        "model: delay": lambda: opened.model.evaluate(arrays, threads=1),
        "model: queues": lambda: opened.model.queues(arrays, threads=1),
    }
    found = {name: cpu(call) for name, call in rows.items()}
    for name, ms in found.items():
        print(f"  CPU, {name:20s} {ms:6.1f} ms   {ms / found['all of it']:.0%}")


async def load(address: str, place: str, plan: dict[str, Any], rate: int, seconds: float) -> dict[str, int]:
    """``rate`` requests a second on kept connections, four in ten of them evaluations; counts by outcome."""
    client = Client(address)
    queue: asyncio.Queue[bytes | None] = asyncio.Queue()
    counts = {"sent": 0, "200": 0, "superseded": 0, "other": 0}

    def request(k: int) -> bytes:
        if k % 10 < 4:
            name, body = "evaluate", {"place": place, "plan": shifted(plan, k)}
        else:
            name, body = ("jobs" if k % 10 < 9 else "open"), {"place": place}
        content = json.dumps(body).encode()
        head = [f"POST /api/{name} HTTP/1.1", f"Host: {client.host}", f"Content-Length: {len(content)}"]
        head += [f"{key}: {value}" for key, value in client.headers.items()]
        return "\r\n".join([*head, "", ""]).encode() + content

    async def worker() -> None:
        reader, writer = await asyncio.open_connection(*client.host.split(":"))
        while (item := await queue.get()) is not None:
            writer.write(item)
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            size = int(head.partition("content-length:")[2].split("\r\n")[0])
            content = await reader.readexactly(size)
            status = head.split()[1]
            key = "superseded" if b'"superseded"' in content[:20] else status if status in counts else "other"
            counts[key] += 1
        writer.close()

    workers = [asyncio.create_task(worker()) for _ in range(64)]
    begin = time.perf_counter()
    for k in range(int(rate * seconds)):
        await asyncio.sleep(max(0.0, begin + k / rate - time.perf_counter()))
        queue.put_nowait(request(k))
        counts["sent"] += 1
    for _ in workers:
        queue.put_nowait(None)
    await asyncio.gather(*workers)
    counts["seconds"] = round(time.perf_counter() - begin)
    return counts


def in_browser(address: str, place: str, moves: int) -> None:
    """A drag in a browser: from the pointer's move to the number on the page, by the page's own measure."""
    try:
        from playwright.sync_api import expect, sync_playwright

        from denxanh.experiments.report.pdf import find_browser

        program = find_browser()
    except Exception as error:
        print(f"no browser: {error}")
        return
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(address)
        page.locator(".card", has_text=place).get_by_role("button").first.click()
        for plan in ("existing", "1", "2"):
            expect(page.locator(f"[data-figure='delay-{plan}']")).not_to_have_text("…", timeout=600_000)
        row = page.locator(".signal").nth(1)
        row.scroll_into_view_if_needed()
        box = row.bounding_box()
        assert box is not None
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        page.mouse.move(x, y)
        page.mouse.down()
        for k in range(moves):
            page.mouse.move(x + 8 * (k % 40 + 1), y)
            page.wait_for_timeout(30)
        page.mouse.up()
        page.wait_for_timeout(1000)
        edit, shown = (
            np.array(page.evaluate(f"performance.getEntriesByName('denxanh:{name}').map(e => e.duration)"))
            for name in ("edit", "shown")
        )
        browser.close()
    print(line("browser: pointer's move to number on the page", edit))
    print(line("browser: pointer's move to painted frame", shown))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("place", nargs="?", default="ha-noi/hoan-kiem")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--rate", type=int, default=200)
    parser.add_argument("--moves", type=int, default=200)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "denxanh", "serve", folder, "--port", "0"]
        environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
        server = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
        )
        try:
            assert server.stdout is not None
            address = server.stdout.readline().split("workbench: ")[-1].strip()
            client = Client(address)
            begin = time.perf_counter()
            while (found := client.post("open", place=given.place)).get("state") != "open":
                assert "refused" not in found, found
                time.sleep(0.1)
            print(
                f"{given.place}: {len(found['signals'])} signals, open after {time.perf_counter() - begin:.1f} s"
            )
            plan = found["plan"]
            parts(given.place, 20)

            def evaluate(change: Callable[[dict[str, Any], int], dict[str, Any]]) -> Callable[[int], Any]:
                return lambda k: client.post("evaluate", place=given.place, plan=change(plan, k))

            quiet = timed(evaluate(shifted), given.moves)
            print(line("drag of an offset, one client", quiet))
            print(line("drag of a green (each move checked anew)", timed(evaluate(longer), given.moves)))
            print(line("list of jobs, one client", timed(lambda k: client.post("jobs"), given.moves)))
            print(line("the page, one client", timed(lambda k: client.page(), given.moves)))
            in_browser(address, given.place, min(given.moves, 120))
            counts: dict[str, int] = {}
            other = threading.Thread(
                target=lambda: counts.update(
                    asyncio.run(load(address, given.place, plan, given.rate, given.seconds))
                )
            )
            print(memory(server.pid, "before the load"))
            other.start()
            busy, pages = [], []
            while other.is_alive():
                busy += timed(lambda k: client.post("jobs"), 1).tolist()
                pages += timed(lambda k: client.page(), 1).tolist()
                time.sleep(0.2)
            other.join()
            print(f"load: {counts}")
            print(line(f"list of jobs while {given.rate} requests a second arrive", np.array(busy)))
            print(line(f"the page while {given.rate} requests a second arrive", np.array(pages)))
            after = timed(evaluate(shifted), given.moves)
            print(line("drag of an offset, after the load", after))
            print(f"ratio after / before: {np.median(after) / np.median(quiet):.2f}")
            print(memory(server.pid, "after the load"))
            if hasattr(os, "getloadavg"):
                print(f"load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
        finally:
            server.kill()
            server.wait()


if __name__ == "__main__":
    main()
