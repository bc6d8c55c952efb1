"""``denxanh serve`` says in one sentence why it cannot start."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest


def serve(*arguments: str, without: str = "") -> subprocess.CompletedProcess[str]:
    """The command with its output; ``without`` is a package that is not installed."""
    code = (
        f"import sys; sys.modules.update({{name: None for name in {without.split()!r}}}); "
        f"sys.argv = ['denxanh', 'serve', *{list(arguments)!r}]; "
        "from denxanh.experiments.cli.app import main; main()"
    )
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, encoding="utf-8", timeout=600, check=False
    )


@pytest.mark.parametrize("package", ["starlette", "uvicorn"])
def test_without_the_extra_it_says_how_to_install_it(package: str, tmp_path: Path) -> None:
    pytest.importorskip(package)
    done = serve(str(tmp_path), without=package)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert f"needs {package}" in done.stderr
    assert "denxanh[serve]" in done.stderr


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    pytest.importorskip("uvicorn", reason="the workbench needs the extra serve")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = serve(str(tmp_path), "--port", str(port))
    assert done.returncode == 2
    assert f"port {port} cannot be used" in done.stderr
    assert "--port" in done.stderr


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    pytest.importorskip("uvicorn", reason="the workbench needs the extra serve")
    done = serve(str(tmp_path), str(tmp_path / "other"), "--port", "0")
    assert done.returncode == 2
    assert "no such folder" in done.stderr
