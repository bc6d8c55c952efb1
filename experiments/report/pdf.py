"""A page as PDF, printed by a browser that is installed: Chromium, Chrome or Edge."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from denxanh.experiments.report.page import Language
from denxanh.sim.errors import InputError, RunError
from denxanh.sim.sumo.wheel import child_program

PROGRAMS = (
    "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge", "msedge",
)  # fmt: skip
_PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe",
)
_FLAGS = (
    "--headless", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--disable-extensions", "--no-pdf-header-footer",
)  # fmt: skip
_PATIENCE = 300.0  # s; a page prints in a few


def find_browser() -> str:
    """The program of an installed browser that prints to PDF. Raises InputError where there is none."""
    found = next((path for name in PROGRAMS if (path := shutil.which(name))), None)
    found = found or next((path for path in _PLACES if Path(path).is_file()), None)
    if found is None:
        raise InputError(
            "no browser that prints to PDF is installed (Chromium, Chrome or Edge)",
            remedy="install one, or open report.html and print it to a file",
        )
    return found


def print_page(page: Path, target: Path, language: Language) -> None:
    """Print a page in one of its languages to a PDF file, atomically.

    Raises InputError without a browser, RunError where it writes no PDF.
    """
    program = find_browser()
    address = f"{page.resolve().as_uri()}#{language}"
    with tempfile.TemporaryDirectory(prefix="denxanh-pdf-") as folder:
        draft = Path(folder) / "page.pdf"
        flags = [*_FLAGS, f"--user-data-dir={folder}/profile", f"--print-to-pdf={draft}"]
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            flags.append("--no-sandbox")  # Chromium refuses to start as root with it; the page loads nothing
        try:
            with child_program(
                [program, *flags, address],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            ) as process:
                process.wait(_PATIENCE)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise RunError(f"{program} did not print {page}: {error}") from None
        if not draft.is_file() or not draft.read_bytes().startswith(b"%PDF"):
            raise RunError(f"{program} wrote no PDF of {page}; open the page and print it to a file")
        beside = target.with_name(f".{target.name}.part")
        shutil.copyfile(draft, beside)
        beside.replace(target)
