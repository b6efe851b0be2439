"""Fair turns for SQLite's single writer.

SQLite's busy handler starves: of eight writers the slowest may get none for seconds. Here writers queue first-come
inside the process, and across processes pass a two-file turnstile (whoever holds the gate is next). Windows has no
fcntl: one serving process there, as docs/deploy.md says.
"""

import os
import sys
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

if sys.platform != "win32":
    import fcntl


class FairLock:
    """A mutual exclusion whose waiters are served in the order they came."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._held = False
        self._waiting: deque[threading.Lock] = deque()

    def acquire(self) -> None:
        """Wait for the turn and take it."""
        with self._guard:
            if not self._held:
                self._held = True
                return
            mine = threading.Lock()
            mine.acquire()
            self._waiting.append(mine)
        mine.acquire()

    def release(self) -> None:
        """Hand the turn straight to the longest waiting, or free it."""
        with self._guard:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._held = False


class WritersTurn:
    """The turn to write one SQLite database file, fair between threads and between processes."""

    def __init__(self, database: str | None) -> None:
        self._lock = FairLock()
        self._database = database
        self._files: tuple[IO[bytes], IO[bytes]] | None = None
        self._opened_by = 0

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Hold the turn inside the block."""
        self._lock.acquire()
        try:
            with self._across_processes():
                yield
        finally:
            self._lock.release()

    def close(self) -> None:
        """Give back the turnstile's files; the next turn opens them again."""
        for file in self._files or ():
            file.close()
        self._files = None

    @contextmanager
    def _across_processes(self) -> Iterator[None]:
        if self._database is None or sys.platform == "win32":
            yield
            return
        gate, work = self._turnstile(self._database)
        fcntl.flock(gate, fcntl.LOCK_EX)
        fcntl.flock(work, fcntl.LOCK_EX)
        fcntl.flock(gate, fcntl.LOCK_UN)
        try:
            yield
        finally:
            fcntl.flock(work, fcntl.LOCK_UN)

    def _turnstile(self, database: str) -> tuple[IO[bytes], IO[bytes]]:
        # A lock file opened before a fork would be shared with the child, and so would its lock.
        if self._files is None or self._opened_by != os.getpid():
            gate, work = Path(f"{database}.gate"), Path(f"{database}.work")
            self._files = (gate.open("ab"), work.open("ab"))
            self._opened_by = os.getpid()
        return self._files
