"""The application's queue, opened when it is first needed.

Only then is huey imported: it brings PostgreSQL's driver along, and the first page after the start need not wait for both.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from flask import Flask

if TYPE_CHECKING:
    from inventory.reports.jobs.huey_queue import Queue

_KEY = "report_queue"


def queue_of(app: Flask) -> "Queue":
    """Return the application's queue."""
    # What `current_app` stands for lives longer than the request that asks.
    real: Flask = getattr(app, "_get_current_object", lambda: app)()
    if _KEY not in real.extensions:
        real.extensions[_KEY] = import_module("inventory.reports.jobs.huey_queue").Queue(real)
    queue: Queue = real.extensions[_KEY]
    return queue


def close_queue(app: Flask) -> None:
    """Close the application's queue, if it was opened."""
    queue: Queue | None = app.extensions.pop(_KEY, None)
    if queue is not None:
        queue.close()
