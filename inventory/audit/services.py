"""What is written beside the trail: who looked at which patient, and what auditors were shown (law 11)."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import cast
from uuid import UUID

from flask import g, has_request_context
from sqlalchemy import Table, bindparam, insert, select
from sqlalchemy.exc import IntegrityError

from inventory.audit.models import AccessEntry, ViewEntry
from inventory.kernel import clock
from inventory.kernel.db import an_id, db, is_writing, unit_of_work
from inventory.kernel.errors import not_found
from inventory.kernel.permissions import Actor

ACCESS = cast(Table, AccessEntry.__table__)
_SEEN = (
    select(ACCESS.c.id)
    .where(
        ACCESS.c.patient_id == an_id("patient_id"),
        ACCESS.c.at > bindparam("since"),
        ACCESS.c.at <= bindparam("at"),
        ACCESS.c.actor_id == an_id("actor_id"),
        ACCESS.c.page == bindparam("page"),
    )
    .limit(1)
)
RELOAD = timedelta(minutes=1)
"""Within this time the same page of the same patient, asked for again by the same person, is the same look."""


def log_access(actor: Actor, patient_id: UUID, page: str, *, at: datetime | None = None) -> None:
    """Log that `actor` looked at the patient through `page` (a short name, such as "record").

    Call it before anything is loaded for the page: it is a unit of work of its own, which forgets what was read. Inside
    a unit of work it joins that one. Raises Refusal NOT-FOUND where there is no such patient.
    """
    _count_shown({patient_id})
    instant = at or clock.now()
    look = {"at": instant, "actor_id": actor.id, "patient_id": patient_id, "page": page}
    if db.session.execute(_SEEN, {**look, "since": instant - RELOAD}).first() is not None:
        return
    try:
        if is_writing():
            db.session.execute(insert(ACCESS).values(**look))
            return
        with unit_of_work() as session:
            session.execute(insert(ACCESS).values(**look))
    except IntegrityError as error:
        raise not_found("patient") from error


def log_list(
    actor: Actor,
    patient_ids: Iterable[UUID],
    page: str,
    *,
    at: datetime | None = None,
    within: timedelta = RELOAD,
) -> None:
    """Log that `actor` was shown the patients of one page of a list called `page`: a look at each, as `log_access` has it.

    `within` is for how long a further look at the same is the same look: longer for what a program reads over and over.
    Call it when the page is rendered, before it is sent: it is a unit of work of its own, which forgets what was read.
    """
    shown = set(patient_ids)
    _count_shown(shown)
    if not shown:
        return
    instant = at or clock.now()
    seen = select(ACCESS.c.patient_id).where(
        ACCESS.c.patient_id.in_(shown),
        ACCESS.c.at > instant - within,
        ACCESS.c.at <= instant,
        ACCESS.c.actor_id == actor.id,
        ACCESS.c.page == page,
    )
    fresh = shown.difference(db.session.scalars(seen))
    if not fresh:
        return
    look = {"at": instant, "actor_id": actor.id, "page": page}
    with unit_of_work() as session:
        session.execute(insert(ACCESS), [{**look, "patient_id": patient_id} for patient_id in sorted(fresh)])


def log_view(actor: Actor, *, page: str, subject: str, at: datetime | None = None) -> None:
    """Log that an auditor was shown `page`; `subject` says in plain words, without a name, what it was about."""
    view = {"at": at or clock.now(), "actor_id": actor.id, "page": page[:80], "subject": subject[:500]}
    with unit_of_work() as session:
        session.execute(insert(ViewEntry).values(**view))


def patients_shown() -> int:
    """Return how many patients the page of the present request showed, as far as their looks were logged."""
    return len(g.get("patients_shown", ()))


def _count_shown(patient_ids: set[UUID]) -> None:
    if has_request_context():
        g.patients_shown = g.get("patients_shown", set()) | patient_ids
