"""Every change of a job, from asking for it to forgetting it.

Laws kept here: the same request sent twice is one job (5); asking, cancelling and ending leave an entry of the trail (6). How far
a job has come is no part of the record: it is written without one. A change names the attempt it is of, so that a worker which
was slow and taken to be gone changes nothing any more.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import CursorResult, Table, delete, insert, or_, select, update
from sqlalchemy.orm import Session

from inventory.audit.acts import Act, Outcome, perform
from inventory.audit.models import AuditEntry
from inventory.kernel.db import db, unit_of_work
from inventory.kernel.errors import Refusal, not_found
from inventory.kernel.ids import uuid7
from inventory.kernel.permissions import SYSTEM_ACTOR, Actor, Role
from inventory.reports.jobs import rules
from inventory.reports.jobs.requests import FORGOTTEN
from inventory.reports.jobs.rules import JobState
from inventory.reports.kinds import ReportKind
from inventory.reports.models import ReportJob
from inventory.reports.progress import Cancelled, Stopped
from inventory.reports.register import keys_of

SUBJECT = "report-job"
"""What the trail calls a job."""
_JOB = cast(Table, ReportJob.__table__)
_FINISHED = [state for state in JobState if state not in rules.UNDER_WAY]


class Displaced(Stopped):
    """The job is another worker's by now."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A job as a worker took it, in its attempt number `attempt`."""

    id: UUID
    kind: ReportKind
    parameters: str
    requested_by_id: UUID
    attempt: int


def ask(
    *, kind: ReportKind, parameters: str, rows: int, actor: Actor, at: datetime, request_key: str | None
) -> Outcome:
    """Put a report of about so many rows into the queue; the outcome names the job, or what the same request led to before."""

    def write(act: Act) -> Outcome:
        job_id = uuid7()
        values = {
            "id": job_id,
            "kind": kind,
            "parameters": parameters,
            "requested_by_id": actor.id,
            "requested_at": at,
            "state": JobState.QUEUED,
            "attempts": 0,
            "rows_done": 0,
            "rows_of": rows,
        }
        act.session.execute(insert(_JOB), values)
        return act.record("reports.ask", SUBJECT, job_id, facts={"kind": kind, "rows": rows})

    return perform(write, actor=actor, at=at, request_key=request_key)


def claim(*, at: datetime) -> Claimed | None:
    """Take the job that waits longest; None where none waits."""
    waiting = select(_JOB).where(_JOB.c.state == JobState.QUEUED).order_by(_JOB.c.requested_at, _JOB.c.id)
    with unit_of_work() as session:
        job = session.execute(waiting.limit(1).with_for_update(skip_locked=True)).first()
        if job is None:
            return None
        attempt = job.attempts + 1
        taken = {"state": JobState.RUNNING, "attempts": attempt, "rows_done": 0, "heartbeat_at": at}
        session.execute(update(_JOB).where(_JOB.c.id == job.id).values(taken))
    return Claimed(job.id, ReportKind(job.kind), job.parameters, job.requested_by_id, attempt)


def beat(job: Claimed, *, done: int, of: int, at: datetime) -> None:
    """Write down how far a job has come. Raises Cancelled where somebody cancelled it, Displaced where it is another worker's."""
    with unit_of_work() as session:
        told = {"rows_done": done, "rows_of": of, "heartbeat_at": at, "report_id": _entered(session, job.id)}
        _change(session, job, told)
        wish = select(_JOB.c.cancel_requested_at).where(_JOB.c.id == job.id)
        is_unwanted = session.scalar(wish) is not None
    if is_unwanted:
        raise Cancelled


def give_back(job: Claimed, *, at: datetime) -> None:
    """Let a worker that is told to stop put its job back; that attempt does not count."""
    with unit_of_work() as session:
        back = {"state": JobState.QUEUED, "attempts": job.attempt - 1, "rows_done": 0, "heartbeat_at": at}
        _change(session, job, back)


def end(job: Claimed, *, state: JobState, at: datetime, why: str = "") -> None:
    """End a job as done, failed or cancelled; `why` is for whoever asked. Raises Displaced where it is another worker's."""

    def write(act: Act) -> Outcome:
        report_id = _entered(act.session, job.id)
        ended = {"state": state, "finished_at": at, "heartbeat_at": at, "report_id": report_id}
        _change(act.session, job, {**ended, "failure": why or None})
        return _record_end(act, job.id, state, why)

    perform(write, actor=SYSTEM_ACTOR, at=at)


def cancel(*, job_id: UUID, actor: Actor, at: datetime, request_key: str | None = None) -> Outcome:
    """Cancel a job: one that waits ends at once, one that is being made as soon as its worker hears of it.

    Raises Refusal NOT-FOUND to anybody but whoever asked and administrators, JOB-FINISHED.
    """

    def write(act: Act) -> Outcome:
        job = _locked(act.session, job_id)
        if job is None or not is_theirs(job.requested_by_id, actor):
            raise not_found("report in the making")
        if job.state not in rules.UNDER_WAY:
            raise Refusal(
                "JOB-FINISHED", "It is finished already, so there is nothing to cancel.", status=409
            )
        if job.state == JobState.QUEUED:
            ended = {
                "state": JobState.CANCELLED,
                "finished_at": at,
                "report_id": _entered(act.session, job_id),
            }
            act.session.execute(update(_JOB).where(_JOB.c.id == job_id).values(ended))
        act.session.execute(
            update(_JOB)
            .where(_JOB.c.id == job_id, _JOB.c.cancel_requested_at.is_(None))
            .values(cancel_requested_at=at)
        )
        return act.record("reports.cancel-job", SUBJECT, job_id, facts={"kind": job.kind, "was": job.state})

    return perform(write, actor=actor, at=at, request_key=request_key)


def requeue_lost(*, at: datetime) -> None:
    """Queue every job again whose worker fell silent; one that was begun too often fails, one that nobody wants is cancelled."""
    silent = select(_JOB.c.id).where(
        _JOB.c.state == JobState.RUNNING, _JOB.c.heartbeat_at <= at - rules.SILENCE
    )
    for job_id in db.session.scalars(silent).all():
        perform(lambda act, lost=job_id: _lose(act, lost, at), actor=SYSTEM_ACTOR, at=at)  # type: ignore[misc]


def mark_seen(*, job_id: UUID, actor: Actor, at: datetime) -> None:
    """Note that whoever asked for a job saw how it ended."""
    theirs = (_JOB.c.id == job_id, _JOB.c.requested_by_id == actor.id)
    unseen = (*theirs, _JOB.c.finished_at.is_not(None), _JOB.c.seen_at.is_(None))
    if db.session.execute(select(_JOB.c.id).where(*unseen)).first() is not None:
        with unit_of_work() as session:
            session.execute(update(_JOB).where(*unseen).values(seen_at=at))


def tidy(*, at: datetime) -> None:
    """Forget jobs that ended long ago. Of one that left a number without files, what became of it is kept, not what was asked."""
    old = (_JOB.c.state.in_(_FINISHED), _JOB.c.finished_at <= at - rules.KEPT)
    explains = (_JOB.c.report_id.is_not(None), _JOB.c.state != JobState.DONE)
    due = or_(_JOB.c.parameters != FORGOTTEN, _JOB.c.report_id.is_(None), _JOB.c.state == JobState.DONE)
    if db.session.execute(select(_JOB.c.id).where(*old, due).limit(1)).first() is None:
        return
    with unit_of_work() as session:
        session.execute(update(_JOB).where(*old, *explains).values(parameters=FORGOTTEN))
        session.execute(
            delete(_JOB).where(*old, or_(_JOB.c.report_id.is_(None), _JOB.c.state == JobState.DONE))
        )


def is_theirs(requested_by_id: UUID, actor: Actor) -> bool:
    """Tell whether somebody may see and cancel a job: whoever asked for it, and administrators."""
    return actor.id == requested_by_id or Role.ADMIN in actor.roles


def _lose(act: Act, job_id: UUID, at: datetime) -> Outcome:
    job = _locked(act.session, job_id)
    if job is None or job.state != JobState.RUNNING or not rules.is_silent(job.heartbeat_at, at=at):
        return Outcome(SUBJECT, job_id)
    state = rules.after_loss(job.attempts, is_unwanted=job.cancel_requested_at is not None)
    why = rules.GIVEN_UP if state is JobState.FAILED else ""
    changed: dict[str, Any] = {"state": state, "report_id": _entered(act.session, job_id)}
    if state not in rules.UNDER_WAY:
        changed |= {"finished_at": at, "failure": why or None}
    act.session.execute(update(_JOB).where(_JOB.c.id == job_id).values(changed))
    return _record_end(act, job_id, state, why)


def _record_end(act: Act, job_id: UUID, state: JobState, why: str) -> Outcome:
    verb = "requeue-job" if state is JobState.QUEUED else "end-job"
    return act.record(
        f"reports.{verb}", SUBJECT, job_id, facts={"state": state, **({"why": why} if why else {})}
    )


def _locked(session: Session, job_id: UUID) -> Any:
    return session.execute(select(_JOB).where(_JOB.c.id == job_id).with_for_update()).first()


def _change(session: Session, job: Claimed, values: dict[str, Any]) -> None:
    mine = (_JOB.c.id == job.id, _JOB.c.state == JobState.RUNNING, _JOB.c.attempts == job.attempt)
    changed = cast("CursorResult[Any]", session.execute(update(_JOB).where(*mine).values(values)))
    if not changed.rowcount:
        raise Displaced


def _entered(session: Session, job_id: UUID) -> UUID | None:
    """Return the report that was entered in the register for a job; its act bears the job's id as key. The newest, where it is several."""
    entered = select(AuditEntry.subject_id).where(AuditEntry.request_key.in_(keys_of(job_id.hex)))
    return session.scalar(entered.order_by(AuditEntry.request_key.desc()).limit(1))
