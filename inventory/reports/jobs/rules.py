"""What may happen to a job, and when. Pure.

A job is queued, then running, then done, failed or cancelled. One whose worker fell silent is queued again, a few times.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

SILENCE = timedelta(minutes=1)
"""A worker that said nothing of its job for so long is taken to be gone."""
MOST_ATTEMPTS = 3
KEPT = timedelta(days=30)
"""How long a finished job is remembered; its report stays."""


class JobState(StrEnum):
    """Where a job stands."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


UNDER_WAY = frozenset({JobState.QUEUED, JobState.RUNNING})

GIVEN_UP = f"It was begun {MOST_ATTEMPTS} times and interrupted each time. Ask for a shorter period, or tell the administrator."
BROKE = (
    "Something went wrong while it was made. Ask for it again; if that does not help, tell the administrator."
)
NO_LONGER_ACTIVE = "Whoever asked for it is no longer active here."
SITES_CHANGED = "Whoever asked for it no longer works at every site that it was asked for."

PATIENT_ERASED = "The patient whom it is about was erased meanwhile."


def is_silent(heartbeat_at: datetime | None, *, at: datetime) -> bool:
    """Tell whether a running job has lost its worker."""
    return heartbeat_at is None or heartbeat_at <= at - SILENCE


def after_loss(attempts: int, *, is_unwanted: bool) -> JobState:
    """Return what becomes of a job that lost its worker in its attempt number `attempts`."""
    if is_unwanted:
        return JobState.CANCELLED
    return JobState.QUEUED if attempts < MOST_ATTEMPTS else JobState.FAILED


def covers(now: frozenset[UUID] | None, then: frozenset[UUID] | None) -> bool:
    """Tell whether somebody who works at `now` still works wherever they did `then`; None is every site."""
    return now is None or (then is not None and then <= now)
