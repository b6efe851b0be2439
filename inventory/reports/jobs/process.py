"""The worker as a process beside the server: started with it, started again when it dies, ended with it, on Windows too.

A process of its own, and not a thread, since drawing a report would hold up every page (docs/adr/0011-long-reports-in-a-process.md).
The worker reads from a pipe that only the server holds: when the server ends, however it ends, the pipe does too.
"""

import gc
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from flask import Flask

_FIRST_AFTER = 2.0
"""Seconds that the server has for its first page before a worker starts beside it."""
_AGAIN_AFTER = 1.0
_LONGEST_PAUSE = 60.0
_LIVED_WELL = 60.0
"""Seconds after which a worker that dies did not die of how it was started."""
_TO_END = 30.0
_NICENESS = 5


@dataclass(frozen=True, slots=True)
class Command:
    """How a worker is started."""

    arguments: tuple[str, ...]
    folder: str
    environment: Mapping[str, str]


def worker_of(app: Flask) -> Command:
    """Return how the worker of this application is started: on the same clinic, and not as the owner of its tables."""
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_OWNER_URL"}
    environment |= {"INSTANCE": app.config["INSTANCE_DIR"], "DEMO": "1" if app.config["DEMO"] else "0"}
    if app.config["DEMO"]:
        # The server may be the demo's by `serve --demo`, beside a clinic's own settings.
        environment.pop("DATABASE_URL", None)
    arguments = (sys.executable, "-m", "flask", "--app", "wsgi", "worker", "--with-server")
    return Command(arguments, app.root_path, environment)


class Keeper:
    """Keeps one worker running."""

    def __init__(self, command: Command, *, first_after: float = _FIRST_AFTER) -> None:
        self._command = command
        self._pause = first_after
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._keep, name="worker-keeper", daemon=True)

    def start(self) -> None:
        """Begin to keep a worker."""
        self._thread.start()

    def stop(self) -> None:
        """End the worker, and wait until it has put its job back."""
        with self._lock:
            self._stopping.set()
            child = self._child
        if child is not None:
            _end(child)
        self._thread.join()

    def _keep(self) -> None:
        while not self._stopping.wait(self._pause):
            child = self._started()
            if child is None:
                return
            began = time.monotonic()
            child.wait()
            _close_pipe(child)
            self._pause = pause_after(time.monotonic() - began, self._pause)

    def _started(self) -> subprocess.Popen[bytes] | None:
        with self._lock:
            if self._stopping.is_set():
                return None
            self._child = subprocess.Popen(  # noqa: S603  our own command
                self._command.arguments,
                cwd=self._command.folder,
                env=dict(self._command.environment),
                stdin=subprocess.PIPE,
                **_apart(),
            )
            return self._child


def pause_after(lived: float, before: float) -> float:
    """Return how many seconds to wait before a worker that died is started again: longer each time that it died at once."""
    return _AGAIN_AFTER if lived >= _LIVED_WELL else min(max(before * 2, _AGAIN_AFTER), _LONGEST_PAUSE)


def end_with_server(stop: Callable[[], None]) -> None:
    """Call `stop` when the server that holds the other end of its pipe is gone."""

    def wait_for_the_end() -> None:
        while os.read(0, 1024):
            pass
        stop()

    threading.Thread(target=wait_for_the_end, name="server-watch", daemon=True).start()


def yield_to_the_server() -> None:
    """Let pages go before: a report may take a little longer, a page may not."""
    if hasattr(os, "nice"):
        os.nice(_NICENESS)
    # What was made at the start stays; the collector would search it again and again while a report is drawn.
    gc.collect()
    gc.freeze()


def _end(child: subprocess.Popen[bytes]) -> None:
    _close_pipe(child)
    try:
        child.wait(timeout=_TO_END)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def _close_pipe(child: subprocess.Popen[bytes]) -> None:
    with suppress(OSError):
        if child.stdin is not None:
            child.stdin.close()


def _apart() -> dict[str, Any]:
    """Keep the terminal's Ctrl-C from the worker: the server hears it, and ends the worker in order."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"start_new_session": True}
