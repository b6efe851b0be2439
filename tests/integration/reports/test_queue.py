"""The queue says that there is work, across processes, and keeps its own tables out of the record."""

import subprocess
import sys
import time
from pathlib import Path

import pytest
from flask import Flask
from huey.exceptions import HueyException
from sqlalchemy import inspect

from inventory.kernel.db import db
from inventory.reports.jobs.process import Command, Keeper
from inventory.reports.jobs.queue import close_queue, queue_of
from tests.support.databases import Database

_LONGEST = 30.0


def test_nudge_waits_for_whoever_listens_next(app: Flask) -> None:
    queue_of(app).nudge()
    close_queue(app)
    assert queue_of(app).waiting == 1


def test_queue_is_no_table_of_the_record(app: Flask, engine_kind: str) -> None:
    queue_of(app).nudge()
    assert [name for name in inspect(db.engine).get_table_names() if name.startswith(("huey", "task"))] == []
    beside = Path(app.config["INSTANCE_DIR"]) / "queue.sqlite3"
    assert beside.exists() == (engine_kind == "sqlite")


def test_nothing_is_taken_out_that_was_not_put_in_with_the_clinic_s_secret(
    app: Flask, database: Database
) -> None:
    queue_of(app).nudge()
    close_queue(app)
    app.config["SECRET_KEY"] = "another secret"
    with pytest.raises((HueyException, ValueError)):
        queue_of(app)._huey.dequeue()


def kept(arguments: tuple[str, ...], folder: Path) -> Keeper:
    return Keeper(Command((sys.executable, "-c", *arguments), str(folder), {}), first_after=0)


def until(folder: Path, count: int) -> list[str]:
    """Wait until so many workers have left their mark."""
    end = time.monotonic() + _LONGEST
    while len(found := sorted(path.name for path in folder.iterdir())) < count:
        assert time.monotonic() < end, f"only {found}"
        time.sleep(0.02)
    return found


MARK = "import os, sys; open(f'{os.getpid()}', 'w').close(); "


def test_worker_that_dies_is_started_again(tmp_path: Path) -> None:
    keeper = kept((MARK,), tmp_path)
    keeper.start()
    try:
        assert len(set(until(tmp_path, 2))) >= 2
    finally:
        keeper.stop()


def test_worker_ends_with_the_server_that_keeps_it(tmp_path: Path) -> None:
    keeper = kept((MARK + "sys.stdin.read(); open('ended', 'w').close()",), tmp_path)
    keeper.start()
    until(tmp_path, 1)
    keeper.stop()
    assert "ended" in until(tmp_path, 2)


def test_worker_ends_with_a_server_that_is_killed(tmp_path: Path) -> None:
    script = (
        "import sys, time\n"
        "from inventory.reports.jobs.process import Command, Keeper\n"
        f"one = Command((sys.executable, '-c', {MARK + 'sys.stdin.read(); open(chr(122), chr(119)).close()'!r}), {str(tmp_path)!r}, {{}})\n"
        "Keeper(one, first_after=0).start()\n"
        "time.sleep(60)\n"
    )
    server = subprocess.Popen([sys.executable, "-c", script], cwd=Path(__file__).parents[3])
    until(tmp_path, 1)
    server.kill()
    server.wait()
    assert "z" in until(tmp_path, 2)
