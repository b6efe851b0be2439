"""Which kinds of report can be made outside the request: how each counts its rows, how it is asked for, how it is issued.

A further kind is one more line in `WORKS`.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import date, datetime
from functools import partial
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from inventory.audit.rules import canonical
from inventory.doses.rules.terms import BodySite
from inventory.kernel.permissions import Actor
from inventory.reports import services
from inventory.reports.kinds import ReportKind
from inventory.reports.progress import Progress
from inventory.reports.queries.issued import IssuedReport
from inventory.reports.queries.requests import Asked


class Issue(Protocol):
    """Issues a report; with `resumes`, one that was entered and interrupted under the same key is drawn again."""

    def __call__(
        self,
        *,
        asked: Any,
        actor: Actor,
        at: datetime,
        request_key: str | None = None,
        progress: Progress = ...,
        resumes: bool = False,
    ) -> IssuedReport: ...


class Count(Protocol):
    """Counts the rows that a report would have now; raises what issuing it would."""

    def __call__(self, *, asked: Any, actor: Actor, at: datetime) -> int: ...


class Work(NamedTuple):
    """What it takes to make one kind of report later: `told` and `read` turn what was asked for into JSON and back."""

    rows: Count
    issue: Issue
    told: Callable[[Any], dict[str, Any]]
    read: Callable[[Mapping[str, Any]], Any]


class Request(NamedTuple):
    """What a job is to make, and the sites at which whoever asked worked then; None is every site."""

    asked: Any
    site_ids: frozenset[UUID] | None


def written(kind: ReportKind, asked: Any, site_ids: frozenset[UUID] | None) -> str:
    """Return the parameters of a job, as they are kept."""
    sites = None if site_ids is None else sorted(site_id.hex for site_id in site_ids)
    return canonical({"asked": WORKS[kind].told(asked), "site_ids": sites})


def request_of(kind: ReportKind, parameters: str) -> Request:
    """Return what `written` wrote."""
    told = json.loads(parameters)
    sites = told["site_ids"]
    return Request(
        WORKS[kind].read(told["asked"]), None if sites is None else frozenset(UUID(one) for one in sites)
    )


def run(
    kind: ReportKind, asked: Any, *, actor: Actor, at: datetime, request_key: str, progress: Progress
) -> IssuedReport:
    """Make a report, or go on with the one that was entered under the same key before. Raises as issuing it does."""
    return WORKS[kind].issue(
        asked=asked, actor=actor, at=at, request_key=request_key, progress=progress, resumes=True
    )


def _told(asked: Asked) -> dict[str, Any]:
    kept = {name: value for name, value in asdict(asked).items() if value not in (None, "", False)}
    return {name: value.hex if isinstance(value, UUID) else str(value) for name, value in kept.items()}


_READ: Mapping[str, Callable[[str], Any]] = {
    "first_day": date.fromisoformat,
    "last_day": date.fromisoformat,
    "giver_id": UUID,
    "formulation_id": UUID,
    "body_site": BodySite,
}


def _read(told: Mapping[str, Any]) -> Asked:
    return Asked(**{name: _READ.get(name, str)(value) for name, value in told.items()})


WORKS: Mapping[ReportKind, Work] = {
    kind: Work(
        rows=partial(services.rows_of_administration_report, kind=kind),
        issue=partial(services.issue_administration_report, kind=kind),
        told=_told,
        read=_read,
    )
    for kind in (ReportKind.ADMINISTRATIONS, ReportKind.PSEUDONYMISED)
}
