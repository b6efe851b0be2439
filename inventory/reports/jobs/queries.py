"""What is read about jobs: one for its page, those that somebody waits for, and what became of a report without files."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from inventory.clinic.models import Site
from inventory.kernel.db import db
from inventory.kernel.errors import not_found
from inventory.kernel.permissions import Actor
from inventory.reports.jobs import rules
from inventory.reports.jobs.rules import JobState
from inventory.reports.jobs.services import is_theirs
from inventory.reports.kinds import KIND_WORDS, ReportKind
from inventory.reports.models import Report, ReportJob
from inventory.reports.queries.superseded import report_label
from inventory.staff.models import User
from inventory.web.presenting import count


@dataclass(frozen=True, slots=True)
class Job:
    """A job, ready to be shown."""

    id: UUID
    kind: ReportKind
    state: JobState
    requested_by_id: UUID
    requested_by: str
    requested_at: datetime
    rows_done: int
    rows_of: int
    report_id: UUID | None
    report_label: str
    failure: str
    is_unwanted: bool

    @property
    def title(self) -> str:
        """What a report of this kind is called."""
        return KIND_WORDS[self.kind].title

    @property
    def is_under_way(self) -> bool:
        """Whether it may still change."""
        return self.state in rules.UNDER_WAY

    @property
    def words(self) -> str:
        """How it stands, in a sentence."""
        counted = count(self.rows_of, KIND_WORDS[self.kind].counts)
        return {
            JobState.QUEUED: f"Waiting for its turn: {counted}." if self.rows_of else "Waiting for its turn.",
            JobState.RUNNING: f"Being made: {self.rows_done:,} of {counted}."
            if self.rows_of
            else "Being made: what it lists is being read.",
            JobState.DONE: f"Ready: report {self.report_label}.",
            JobState.FAILED: "It was not made.",
            JobState.CANCELLED: "Cancelled.",
        }[self.state]


_JOB: Any = (
    select(ReportJob, User.display_name, Report.number, Site.code)
    .join(User, User.id == ReportJob.requested_by_id)
    .outerjoin(Report, Report.id == ReportJob.report_id)
    .outerjoin(Site, Site.id == Report.site_id)
    .order_by(ReportJob.requested_at.desc(), ReportJob.id.desc())
)

_BEING_MADE = ("Being made", "info")
_WITHOUT_FILES = {
    JobState.QUEUED: _BEING_MADE,
    JobState.RUNNING: _BEING_MADE,
    JobState.DONE: ("Interrupted", "attention"),
    JobState.FAILED: ("Not made", "stop"),
    JobState.CANCELLED: ("Cancelled", "attention"),
}


def job_for(actor: Actor, job_id: UUID) -> Job:
    """Return a job of the actor's, or to an administrator anybody's. Raises Refusal NOT-FOUND."""
    row = db.session.execute(_JOB.where(ReportJob.id == job_id)).first()
    if row is None or not is_theirs(row[0].requested_by_id, actor):
        raise not_found("report in the making")
    return _shown(row)


def jobs_waited_for(user_id: UUID) -> list[Job]:
    """Return a person's jobs that are under way, or ended in a way that they have not seen; the newest first."""
    theirs = _JOB.where(ReportJob.requested_by_id == user_id, ReportJob.seen_at.is_(None))
    return [_shown(row) for row in db.session.execute(theirs)]


def job_of(report_id: UUID) -> Job | None:
    """Return the job that makes or made a report, while it is remembered."""
    row = db.session.execute(_JOB.where(ReportJob.report_id == report_id).limit(1)).first()
    return None if row is None else _shown(row)


def what_became_of(report_ids: Collection[UUID]) -> dict[UUID, tuple[str, str]]:
    """Return, of reports without files, the words and the tone for what their jobs came to, while those are remembered."""
    if not report_ids:
        return {}
    found = select(ReportJob.report_id, ReportJob.state).where(ReportJob.report_id.in_(report_ids))
    return {row.report_id: _WITHOUT_FILES[JobState(row.state)] for row in db.session.execute(found)}


def _shown(row: Any) -> Job:
    job: ReportJob = row[0]
    return Job(
        id=job.id,
        kind=ReportKind(job.kind),
        state=JobState(job.state),
        requested_by_id=job.requested_by_id,
        requested_by=row.display_name,
        requested_at=job.requested_at,
        rows_done=min(job.rows_done, job.rows_of),
        rows_of=job.rows_of,
        report_id=job.report_id,
        report_label="" if row.number is None else report_label(row.code, row.number),
        failure=job.failure or "",
        is_unwanted=job.cancel_requested_at is not None,
    )
