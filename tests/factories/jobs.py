"""Makes reports that are asked for as jobs, and the worker's steps one by one."""

from collections.abc import Callable
from datetime import date, datetime
from uuid import UUID

import pytest

from inventory.clinic.services import change_settings
from inventory.kernel.db import db
from inventory.kernel.permissions import SYSTEM_ACTOR, Actor
from inventory.reports.jobs import running
from inventory.reports.jobs.asking import issue_or_ask
from inventory.reports.kinds import ReportKind
from inventory.reports.queries.requests import Asked

OCTOBER = (date(2026, 10, 1), date(2026, 10, 31))


def make_every_report_a_job(at: datetime) -> None:
    """Let no report with a row in it be made within the request."""
    change_settings(
        actor=SYSTEM_ACTOR, at=at, values={"clinic_name": "Invented Clinic", "report_rows_at_once": 0}
    )


def ask_for_october(
    actor: Actor, at: datetime, *, request_key: str | None = None, site_code: str = ""
) -> UUID:
    """Ask for the administration report of October and return the job."""
    outcome = issue_or_ask(
        kind=ReportKind.ADMINISTRATIONS,
        asked=Asked(*OCTOBER, site_code=site_code),
        actor=actor,
        at=at,
        request_key=request_key,
    )
    assert outcome.subject_type == "report-job"
    return outcome.subject_id


def stop_at(call: int, then: Callable[[], object]) -> Callable[[], bool]:
    """Return an `is_stopping` that does something of its own, in passing, when it is asked for the `call`-th time, and never stops."""
    asked = iter(range(1, 1_000_000))

    def is_stopping() -> bool:
        if next(asked) == call:
            then()
        return False

    return is_stopping


def lose_the_worker(call: int) -> None:
    """Run the worker until it was asked for the `call`-th time, and let it die there without another word."""

    class Killed(BaseException):
        pass

    def die() -> None:
        raise Killed

    with pytest.raises(Killed):
        running.work_off(stop_at(call, die))
    db.session.remove()
