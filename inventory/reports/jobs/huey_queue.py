"""The queue as huey keeps it: it says to the worker, in whatever process, that there is work. What the work is stands in the rows of jobs.

huey keeps it in a file of its own beside the database (`queue.sqlite3`), or in PostgreSQL in a schema of its own, out of the
record and its backups. A nudge that is lost costs a minute: the worker looks by itself that often.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
from flask import Flask
from huey import Huey, PostgresHuey, SqliteHuey, crontab  # type: ignore[import-untyped]
from huey.consumer import Consumer  # type: ignore[import-untyped]
from huey.serializer import SignedSerializer  # type: ignore[import-untyped]
from sqlalchemy import make_url

from inventory.kernel.database_role import QUEUE_SCHEMA
from inventory.reports.jobs.running import nobody_stops, work_off

_NAME = "reports"
_LONGEST_WAIT = 1.0
"""Seconds after which a worker without work looks into the queue again."""
_TO_STOP = 20.0
"""Seconds that a worker which is told to stop has to put its job back."""


class Queue:
    """The queue of one application."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._is_stopping: Callable[[], bool] = nobody_stops
        self._huey = _opened(app)
        self._nudge = self._huey.task(name="work")(self._work)
        self._huey.periodic_task(crontab(), name="look")(self._work)

    def nudge(self) -> None:
        """Say that there is work."""
        self._nudge()

    @property
    def waiting(self) -> int:
        """How often somebody said so since the worker last listened."""
        return int(self._huey.storage.queue_size())

    def listen(self, until: Callable[[Callable[[], None]], None] | None = None) -> None:
        """Be the worker: make reports, one at a time, until the process is told to stop. `until` is given what stops it."""
        consumer = Consumer(self._huey, workers=1, max_delay=_LONGEST_WAIT, shutdown_timeout=_TO_STOP)
        self._is_stopping = consumer.stop_flag.is_set
        if until is not None:
            until(consumer.stop_flag.set)
        self.nudge()
        consumer.run()
        # However it was told to stop: the job that is being made is put back before the process ends.
        consumer.stop(graceful=True)

    def close(self) -> None:
        """Give back the queue's connection."""
        self._huey.storage.close()

    def _work(self) -> None:
        with self._app.app_context():
            work_off(self._is_stopping)


def _opened(app: Flask) -> Huey:
    # Nothing is taken out of the queue that was not put in by somebody who has the clinic's secret.
    usual: dict[str, Any] = {
        "results": False,
        "serializer": SignedSerializer(secret=app.config["SECRET_KEY"], salt=_NAME),
    }
    url = app.config["SQLALCHEMY_DATABASE_URI"]
    if make_url(url).get_backend_name() == "postgresql":
        return PostgresHuey(_NAME, connection=lambda: _connected(url), **usual)
    name = "demo.queue.sqlite3" if app.config["DEMO"] else "queue.sqlite3"
    return SqliteHuey(_NAME, filename=str(Path(app.config["INSTANCE_DIR"]) / name), fsync=False, **usual)


def _connected(url: str) -> psycopg.Connection[Any]:
    address = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    connection = psycopg.connect(address, autocommit=True)
    connection.execute(f"SET search_path TO {QUEUE_SCHEMA}, pg_temp")
    return connection
