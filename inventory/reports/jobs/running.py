"""What the worker does: takes the jobs that wait, one after another, and makes their reports.

Law kept here: least sight (11). A report shows what whoever asked for it could see then and still may see now.
"""

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from inventory.kernel.clock import now
from inventory.kernel.db import db
from inventory.kernel.errors import Refusal, Refusals
from inventory.kernel.permissions import Actor
from inventory.reports.issuing import issue_report
from inventory.reports.jobs import requests, rules, services
from inventory.reports.jobs.rules import JobState
from inventory.reports.jobs.services import Claimed, Displaced
from inventory.reports.progress import Cancelled, Stopped
from inventory.staff import queries as staff

log = logging.getLogger(__name__)

EVERY = timedelta(seconds=1)
"""From one writing down of how far a job has come to the next."""


class Interrupted(Stopped):
    """The worker is told to stop."""


class Withdrawn(Exception):
    """Whoever asked may not have it any more; the text says why."""


def nobody_stops() -> bool:
    """Tell that nothing stops the worker."""
    return False


def work_off(is_stopping: Callable[[], bool] = nobody_stops) -> int:
    """Make every report that waits, until none is left or the worker is told to stop; return how many were begun."""
    services.requeue_lost(at=now())
    services.tidy(at=now())
    begun = 0
    while not is_stopping() and (job := services.claim(at=now())) is not None:
        begun += 1
        with suppress(Displaced):
            _make(job, is_stopping)
        db.session.remove()
    return begun


@dataclass(slots=True)
class Beats:
    """Writes down how far a job has come, at most once a second, and ends the making where it is to end."""

    job: Claimed
    is_stopping: Callable[[], bool] = nobody_stops
    _last: datetime | None = None

    def __call__(self, done: int, of: int) -> None:
        """Tell of `done` rows. Raises Interrupted, and Cancelled and Displaced as `services.beat`."""
        if self.is_stopping():
            raise Interrupted
        at = now()
        is_over = 0 < of <= done
        if not is_over and self._last is not None and at - self._last < EVERY:
            return
        services.beat(self.job, done=done, of=of, at=at)
        self._last = at


def _make(job: Claimed, is_stopping: Callable[[], bool]) -> None:
    try:
        asked, site_ids = _request_of(job)
        actor, beats = _asker(job.requested_by_id, site_ids), Beats(job, is_stopping)
        issue_report(
            kind=job.kind,
            asked=asked,
            actor=actor,
            at=now(),
            request_key=job.id.hex,
            progress=beats,
            resumes=True,
        )
    except Interrupted:
        services.give_back(job, at=now())
    except Displaced:
        raise
    except (Cancelled, Withdrawn) as reason:
        services.end(job, state=JobState.CANCELLED, at=now(), why=str(reason))
    except (Refusal, Refusals) as refused:
        services.end(job, state=JobState.FAILED, at=now(), why=_words(refused))
    except Exception:
        log.exception("the report of job %s was not made", job.id)
        services.end(job, state=JobState.FAILED, at=now(), why=rules.BROKE)
    else:
        services.end(job, state=JobState.DONE, at=now())


def _request_of(job: Claimed) -> requests.Request:
    if job.parameters == requests.FORGOTTEN:
        raise Withdrawn(rules.PATIENT_ERASED)
    return requests.request_of(job.parameters)


def _asker(user_id: UUID, site_ids: frozenset[UUID] | None) -> Actor:
    """Return whoever asked, at the sites of then. Raises Withdrawn where they may not have it any more."""
    user = staff.person(user_id)
    if not staff.is_let_in(user, now()):
        raise Withdrawn(rules.NO_LONGER_ACTIVE)
    actor = staff.actor_of(user)
    if not rules.covers(actor.site_ids, site_ids):
        raise Withdrawn(rules.SITES_CHANGED)
    return replace(actor, site_ids=site_ids)


def _words(refused: Refusal | Refusals) -> str:
    each = refused.refusals if isinstance(refused, Refusals) else [refused]
    return " ".join(one.message for one in each)
