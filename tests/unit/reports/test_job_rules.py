"""When a job is lost, what becomes of it, and whether whoever asked may still have it."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from inventory.reports.jobs.process import pause_after
from inventory.reports.jobs.rules import MOST_ATTEMPTS, SILENCE, JobState, after_loss, covers, is_silent

NOW = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)
A, B = UUID(int=1), UUID(int=2)


def test_worker_is_lost_after_a_minute_of_silence() -> None:
    assert not is_silent(NOW - SILENCE + timedelta(microseconds=1), at=NOW)
    assert is_silent(NOW - SILENCE, at=NOW)


def test_lost_job_is_queued_again_until_it_was_begun_often_enough() -> None:
    assert after_loss(MOST_ATTEMPTS - 1, is_unwanted=False) is JobState.QUEUED
    assert after_loss(MOST_ATTEMPTS, is_unwanted=False) is JobState.FAILED


def test_lost_job_that_nobody_wants_is_cancelled() -> None:
    assert after_loss(1, is_unwanted=True) is JobState.CANCELLED


@pytest.mark.parametrize(
    "now,then,expected",
    [
        (None, None, True),
        (None, frozenset({A}), True),
        (frozenset({A}), None, False),
        (frozenset({A, B}), frozenset({A}), True),
        (frozenset({B}), frozenset({A}), False),
    ],
)
def test_covers_what_was_asked_for_only_where_they_still_work(
    now: frozenset[UUID] | None, then: frozenset[UUID] | None, expected: bool
) -> None:
    assert covers(now, then) is expected


def test_worker_that_dies_at_once_is_started_ever_more_seldom() -> None:
    pauses = [2.0]
    while len(pauses) < 8:
        pauses.append(pause_after(0.1, pauses[-1]))
    assert pauses == [2, 4, 8, 16, 32, 60, 60, 60]
    assert pause_after(3_600, 60) == 1
