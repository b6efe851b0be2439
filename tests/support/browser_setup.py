"""Sees to it that there is a Chromium to test with, before the tests begin, and what checks a PDF: `python -m tests.support.browser_setup`.

In this order: the system's own; the system's package manager, when root; for Chromium Playwright's own. Where none of them gives one, one
line says what to install and the run fails: no test is skipped for it.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

SYSTEM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ADVICE = "No Chromium to test with: install the package `chromium` (or Google Chrome) and run this again."
PDF_PROGRAMS = {"pdfsig": "poppler-utils", "qpdf": "qpdf"}
"""What other people's programs say of our PDFs, each with the package that has it."""


def find_chromium() -> str | None:
    """Return the path of a Chromium that starts, or None."""
    candidates = [os.environ.get("CHROMIUM"), *map(shutil.which, SYSTEM_NAMES), _of_playwright()]
    return next((path for path in candidates if path and _starts(path)), None)


def _starts(path: str) -> bool:
    # A distribution's placeholder that only says "install the snap" has the right name and fails here.
    try:
        answered = subprocess.run([path, "--version"], capture_output=True, timeout=60, check=False)
    except OSError:
        return False
    return answered.returncode == 0


def _of_playwright() -> str | None:
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - slow to import, and seldom needed

    with sync_playwright() as playwright:
        path = Path(playwright.chromium.executable_path)
    return str(path) if path.exists() else None


def lacking_programs() -> list[str]:
    """Return the packages of the programs that are not there."""
    return [package for program, package in PDF_PROGRAMS.items() if shutil.which(program) is None]


def _run(*command: str) -> bool:
    print(f"Something to test with is missing; running: {' '.join(command)}", flush=True)
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    return subprocess.run(command, env=environment, check=False, **quiet).returncode == 0


def _install(*packages: str) -> bool:
    """Install packages by the system's package manager, where that may be done; tell whether it went well."""
    if not (hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get")):
        return False
    _run("apt-get", "update")
    return _run("apt-get", "install", "--yes", "--no-install-recommends", *packages)


def main() -> int:
    """Install what is missing; return 0 when everything is there."""
    if find_chromium() is None and not _install("chromium", "fonts-dejavu-core"):
        _run(sys.executable, "-m", "playwright", "install", "chromium")
    if find_chromium() is None:
        print(ADVICE, file=sys.stderr)
        return 1
    if lacking := lacking_programs():
        _install(*lacking)
    if lacking := lacking_programs():
        print(
            f"Nothing to check PDFs with: install {' and '.join(lacking)} and run this again.",
            file=sys.stderr,
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
