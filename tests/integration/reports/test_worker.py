"""A real server with its real worker: the report that a killed worker was drawing comes once, with one number."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import func, select

from bench.long_past import Past, live_through, stock
from inventory.kernel.clock import now
from inventory.kernel.db import db
from inventory.kernel.permissions import Role
from inventory.reports.jobs.asking import issue_or_ask
from inventory.reports.kinds import ReportKind
from inventory.reports.models import Report, ReportFile, ReportJob
from inventory.reports.queries.requests import Asked
from inventory.staff import queries as staff
from tests.factories.staff import make_user, session_cookie
from tests.support.databases import Database, OwnerConnection

ROOT = Path(__file__).parents[3]
SERVE = [sys.executable, "-m", "flask", "--app", "wsgi", "serve"]
PAST = Past(lots=32, vials=16, doses=8)
PATIENCE = 120.0
"""Seconds for what takes two on a machine that does nothing else."""


class Server:
    """`flask serve` on a free port, and the worker that it started."""

    def __init__(self, process: subprocess.Popen[str], address: str) -> None:
        self.process = process
        self.address = address

    def worker(self) -> int:
        """Return the worker's process id, as soon as there is one."""
        tasks = Path(f"/proc/{self.process.pid}/task")
        found: list[str] = []

        def look() -> bool:
            for task in tasks.iterdir():
                found.extend((task / "children").read_text("ascii").split())
            return bool(found)

        wait_until(look, "no worker")
        return int(found[0])

    def get(self, path: str, cookie: str) -> Any:
        """Return what the server answers, read as JSON."""
        connection = http.client.HTTPConnection(self.address, timeout=PATIENCE)
        connection.request("GET", path, headers={"Cookie": cookie})
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        assert answer.status == 200, body
        return json.loads(body)


@contextmanager
def serving(database: Database) -> Iterator[Server]:
    """Serve the clinic inside the block; end it, with its worker, afterwards."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    env = {
        **os.environ,
        "DATABASE_URL": database.url,
        "DATABASE_OWNER_URL": database.owner_url if database.kind == "postgresql" else "",
        "INSTANCE": str(database.instance),
        "SECRET_KEY": "a secret for tests only",
        "PORT": str(port),
    }
    with subprocess.Popen(SERVE, cwd=ROOT, env=env, text=True, stdout=subprocess.PIPE) as process:
        try:
            yield Server(process, address_of(process))
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=PATIENCE)


def address_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    for line in process.stdout:
        if found := re.search(r"served on http://(\S+)", line):
            return found[1]
    raise AssertionError("the server ended without an address")


def wait_until(true: Any, otherwise: str) -> None:
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, otherwise
        time.sleep(0.005)


@pytest.mark.skipif(sys.platform != "linux", reason="finds the worker in /proc")
def test_report_of_a_killed_worker_comes_once(
    database: Database, app: Flask, owner_connection: OwnerConnection
) -> None:
    stock(database, PAST)
    live_through(database, PAST)
    auditor = make_user(roles=Role.AUDITOR)
    cookie = "=".join(session_cookie(app, auditor))
    with serving(database) as server:
        killed = server.worker()
        job_id = ask(auditor.id)
        page = f"/reports/jobs/{job_id}/progress"
        wait_until(lambda: column(job_id, "report_id") is not None, "never begun")
        os.kill(killed, signal.SIGKILL)
        told = server.get(page, cookie)
        assert (told["state"], told["of"]) == ("running", PAST.given + 1)
        fall_silent(owner_connection)
        wait_until(lambda: server.get(page, cookie)["state"] == "done", "never done")
        assert server.worker() != killed
    db.session.rollback()
    counts = [db.session.scalar(select(func.count()).select_from(one)) for one in (Report, ReportFile)]
    assert counts == [1, 2]
    assert db.session.scalar(select(Report.row_count)) == PAST.given + 1
    assert column(job_id, "attempts") == 2


def ask(user_id: UUID) -> UUID:
    actor = staff.actor_of(staff.person(user_id))
    asked = Asked(date(2020, 1, 1), now().date())
    outcome = issue_or_ask(kind=ReportKind.ADMINISTRATIONS, asked=asked, actor=actor, at=now())
    assert outcome.subject_type == "report-job"
    return outcome.subject_id


def column(job_id: UUID, name: str) -> Any:
    db.session.rollback()
    found = db.session.scalar(select(getattr(ReportJob, name)).where(ReportJob.id == job_id))
    db.session.rollback()
    return found


def fall_silent(owner: OwnerConnection) -> None:
    """Let the killed worker's last word be long ago, so that nobody has to wait for a minute."""
    db.session.rollback()
    long_ago = datetime.now(UTC) - timedelta(hours=1)
    mark = "%s" if "psycopg" in type(owner).__module__ else "?"
    told = long_ago if mark == "%s" else long_ago.strftime("%Y-%m-%d %H:%M:%S.%f")
    owner.execute(f"UPDATE report_job SET heartbeat_at = {mark}", (told,))
    owner.commit()
