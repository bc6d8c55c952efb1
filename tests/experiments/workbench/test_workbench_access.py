"""Requests that the server refuses: strangers, other pages, old keys, paths that lead out, hostile names."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

pytest.importorskip("starlette", reason="the workbench needs the extra serve")

from denxanh.experiments.workbench.job_commands import MAPS, check_name, upload_suffix
from denxanh.experiments.workbench.served_files import file_address, find_file
from denxanh.sim.errors import InputError


def test_a_request_of_the_page_is_answered(server: Any) -> None:
    status, found = server.post("lists")
    assert status == 200
    assert "ha-noi/pho-hue" in {one["place"] for one in found["places"]}


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"Host": "denxanh.example"}, 421),
        ({"Host": "127.0.0.1"}, 421),
        ({"Host": "127.0.0.1:1"}, 421),
        ({"Host": ""}, 421),
        ({"Origin": "http://attacker.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": ""}, 403),
        ({"Origin": "http://127.0.0.1:1"}, 403),
        ({"Origin": "https://HOST"}, 403),
        ({"Authorization": ""}, 401),
        ({"Authorization": "Bearer "}, 401),
        ({"Authorization": "Bearer x"}, 401),
        ({"Authorization": "Basic TOKEN"}, 401),
        ({"Cookie": "token=TOKEN", "Authorization": ""}, 401),
    ],
    ids=str,
)
def test_a_foreign_request_is_refused(server: Any, change: dict[str, str], status: int) -> None:
    change = {k: v.replace("HOST", server.host).replace("TOKEN", server.token) for k, v in change.items()}
    found, headers, content = server.request("POST", "/api/lists", "{}", {**server.allowed, **change})
    assert found == status
    assert set(json.loads(content)["refused"]) == {"en", "vi"}
    assert "access-control-allow-origin" not in headers


def test_a_host_that_is_not_this_machine_does_not_get_the_page(server: Any) -> None:
    assert server.request("GET", "/", headers={"Host": "rebound.example"})[0] == 421
    assert server.request("GET", "/")[0] == 200


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS", "HEAD"])
def test_the_interface_takes_post_alone(server: Any, method: str) -> None:
    assert server.request(method, "/api/lists", headers=server.allowed)[0] == 405


def test_nothing_comes_from_outside_and_nothing_inline_runs(server: Any) -> None:
    for path in ("/", "/main.js", "/workbench.css"):
        _, headers, content = server.request("GET", path)
        policy = headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert b"http://" not in content.replace(b"http://www.w3.org/2000/svg", b"")
        assert b"https://" not in content
    assert server.request("GET", "/main.js")[1]["content-type"].startswith("text/javascript")


def test_pages_of_results_are_shown_without_reach_to_the_workbench(server: Any) -> None:
    folder = server.folder / "made-elsewhere"
    folder.mkdir()
    (folder / "report.html").write_text("<script>parent.x</script>", encoding="utf-8")
    key = server.post("key")[1]["files"]
    status, headers, _ = server.request("GET", f"{key}0/made-elsewhere/report.html")
    assert status == 200
    assert "sandbox allow-scripts" in headers["content-security-policy"]
    assert "allow-same-origin" not in headers["content-security-policy"]
    assert "connect-src" not in headers["content-security-policy"]
    assert server.request("GET", "/files/0000/0/made-elsewhere/report.html")[0] == 401
    assert server.request("GET", f"{key[:-5]}/0/made-elsewhere/report.html")[0] == 401


@pytest.mark.parametrize(
    "path",
    [
        "0/../secret.txt",
        "0/..%2fsecret.txt",
        "0/%2e%2e/secret.txt",
        "0/..%5csecret.txt",
        "0//etc/passwd",
        "0/link.txt",
        "1/x.html",
        "-1/x.html",
        "99999999999999999999/x.html",
        "0/workbench/jobs/queue",
        "0/%00.html",
        "0/" + "a" * 10_000 + ".html",
        "0/ledger.sqlite",
        "",
    ],
    ids=lambda text: text[:30],
)
def test_no_path_leads_out_of_the_folders(server: Any, path: str) -> None:
    (server.folder.parent / "secret.txt").write_text("secret", encoding="utf-8")
    (server.folder / "ledger.sqlite").write_text("secret", encoding="utf-8")
    link = server.folder / "link.txt"
    if os.name != "nt" and not link.is_symlink():
        link.symlink_to(server.folder.parent / "secret.txt")
    status, _, content = server.request("GET", server.post("key")[1]["files"] + path)
    assert status in (400, 404)
    assert b"secret" not in content


@pytest.mark.parametrize(
    "path", ["/../pyproject.toml", "/%2e%2e/server.py", "/server.py", "/__init__.py", "/docs"]
)
def test_the_page_has_its_own_files_alone(server: Any, path: str) -> None:
    assert server.request("GET", path)[0] == 404


HOSTILE = [
    "",
    "   ",
    "x" * 10_000,
    "evil\u202egnp.exe",
    "zero\u200bwidth",
    "\u2066isolated",
    "line\nbreak",
    "nul\0",
    "\x1b[31mred",
    "\ud800",
]
TEXTS = [
    "<script>alert(1)</script>",
    "=cmd|' /C calc'!A0",
    "../../etc",
    "--help",
    "-c",
    "$(reboot)",
    "'; DROP",
    "مدينة",
]


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_a_name_that_nobody_can_read_is_refused(name: str) -> None:
    with pytest.raises(InputError):
        check_name(name)


@pytest.mark.parametrize("name", TEXTS)
def test_a_name_of_letters_is_a_name(name: str) -> None:
    assert check_name(name) == name


@pytest.mark.parametrize("place", [*HOSTILE[:-1], *TEXTS, None, 3, ["x"], {}, "/etc", "a.sumocfg"], ids=ascii)
@pytest.mark.parametrize("kind", ["compare", "optimize", "study"])
def test_a_place_that_is_not_listed_starts_no_job(server: Any, kind: str, place: Any) -> None:
    status, found = server.post("start", kind=kind, place=place, seeds=1, minutes=1, controllers=["program"])
    assert status == 422
    assert len(found["refused"]["en"]) < 300
    assert not server.post("jobs")[1]["jobs"]


@pytest.mark.parametrize(
    "form",
    [
        {"controllers": ["program", "x" * 10_000]},
        {"controllers": ["program:plan=/etc/passwd"]},
        {"controllers": ["--out=elsewhere"]},
        {"controllers": "program"},
        {"controllers": []},
        {"controllers": ["program"] * 9},
        {"controllers": [3]},
        {"controllers": ["program"], "seeds": 0},
        {"controllers": ["program"], "seeds": True},
        {"controllers": ["program"], "seeds": "1; rm"},
        {"controllers": ["program"], "seeds": 1e9},
        {"controllers": ["program"], "simulated": -1},
        {"kind": "optimize", "minutes": 0},
        {"kind": "optimize", "minutes": 5, "only": "--help"},
        {"kind": "study", "minutes": 5, "counts": "../../etc/passwd"},
        {"kind": "study", "minutes": 5, "counts": "0123456789abcdef.csv"},
        {"kind": "replay", "folder": "/etc"},
        {"kind": "run"},
        {"kind": None},
    ],
    ids=lambda form: ascii(form)[:50],
)
def test_a_form_that_cannot_be_meant_starts_no_job(server: Any, form: dict[str, Any]) -> None:
    whole = {"kind": "compare", "place": "ha-noi/hoang-dao-thuy", "seeds": 1, **form}
    status, found = server.post("start", **whole)
    assert status == 422
    assert found["refused"]["en"].endswith(".")
    assert not server.post("jobs")[1]["jobs"]


@pytest.mark.parametrize(
    "content", ["", "[]", "3", "{", "[" * 100_000, '{"place": ' + "9" * 5000 + "}", "\ufeff{}"]
)
def test_a_request_that_is_no_object_is_refused(server: Any, content: str) -> None:
    status, _, answer = server.request("POST", "/api/open", content, server.allowed)
    assert status == 422
    assert b"refused" in answer


def test_a_request_of_any_size_is_not_read_to_its_end(server: Any) -> None:
    status, _, answer = server.request("POST", "/api/evaluate", b" " * (5 << 20), server.allowed)
    assert status == 422
    assert b"MB" in answer


@pytest.mark.parametrize("id", ["", "..", "../..", "x" * 10_000, None, "20261129-000000-abcdef"], ids=ascii)
@pytest.mark.parametrize("name", ["cancel", "again", "remove"])
def test_a_job_that_is_not_there_is_refused(server: Any, name: str, id: Any) -> None:
    assert server.post(name, id=id)[0] == 422


def test_an_upload_needs_a_name_and_a_kind_that_is_read(server: Any) -> None:
    for query in (
        "name=x&file=x.exe",
        "name=&file=x.osm",
        "name=%E2%80%AE&file=x.osm",
        "name=x&file=" + "y" * 5000,
    ):
        status, _, _ = server.request("POST", f"/api/upload/map?{query}", b"<osm/>", server.allowed)
        assert status == 422
    assert server.request("POST", "/api/upload/other?name=x&file=x.osm", b"", server.allowed)[0] == 422
    uploads = server.folder / "workbench" / "uploads"
    assert not uploads.exists() or not list(uploads.iterdir())


def test_the_kind_of_a_map_is_the_longest_one_that_fits() -> None:
    assert upload_suffix("a/b/City.OSM.GZ", MAPS) == ".osm.gz"


def test_an_address_leads_back_to_its_file(tmp_path: Path) -> None:
    folder = tmp_path / ("& = %2e" if os.name == "nt" else "<script> & = %2e") / "b"
    folder.mkdir(parents=True)
    file = folder / "report.html"
    file.write_text("x", encoding="utf-8")
    number, _, path = file_address([tmp_path], file).partition("/")
    assert find_file([tmp_path], number, unquote(path)) == file
    assert file_address([folder / "other"], file) == ""
