"""The clinic as it is run, `flask serve` in a process of its own, and what that process costs."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from bench.ground import PROJECT
from tests.support.databases import Database

SECRET = "a secret for tests only"  # noqa: S105 - of databases that are gone after the run
"""The key under which `tests.support.databases` configures its databases, so that cookies made here are good there."""


@dataclass(frozen=True)
class Served:
    """A running server: its port, its process, and how long it took until its first page was there."""

    port: int
    process_id: int
    first_page_seconds: float

    def resident_megabytes(self) -> float:
        """Return what the process holds in memory now; 0 where the system does not tell."""
        status = Path(f"/proc/{self.process_id}/status")
        if not status.exists():
            return 0.0
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmRSS:"))
        return int(line.split()[1]) / 1024


@contextmanager
def serving(database: Database, *, demo: bool = False) -> Iterator[Served]:
    """Serve `database` on a free port until the block ends."""
    port = _free_port()
    environment = {
        **os.environ,
        "DEMO_DATABASE_URL" if demo else "DATABASE_URL": database.url,
        "DEMO": "1" if demo else "0",
        "INSTANCE": str(database.instance),
        "SECRET_KEY": SECRET,
        "HOST": "127.0.0.1",
        "PORT": str(port),
    }
    if database.owner_url != database.url:
        environment["DATABASE_OWNER_URL"] = database.owner_url
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "serve"]
    began = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=PROJECT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _wait_for_page(f"http://127.0.0.1:{port}/sign-in", process)
        yield Served(port, process.pid, time.perf_counter() - began)
    finally:
        process.terminate()
        process.wait(timeout=30)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _wait_for_page(url: str, process: "subprocess.Popen[bytes]") -> None:
    """Ask until the server answers. Raises RuntimeError where it ends instead."""
    while process.poll() is None:
        with suppress(ConnectionError, URLError), urlopen(url, timeout=60) as answer:  # noqa: S310 - our own address
            answer.read()
            return
        time.sleep(0.02)
    raise RuntimeError(f"the server ended with {process.returncode}")
