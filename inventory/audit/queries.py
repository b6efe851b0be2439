"""What the pages of the trail read. People and patients belong to rooms above: they are known here by table only."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Table, exists, or_, select
from sqlalchemy.orm import Session

from inventory.audit.limits import patients_here, span_here
from inventory.audit.models import AccessEntry, AuditEntry, AuditHead, AuditLink, AuditPayload, ViewEntry
from inventory.audit.subjects import entries_about
from inventory.audit.verification import Verification
from inventory.kernel.db import db
from inventory.kernel.errors import not_found
from inventory.kernel.permissions import Role
from inventory.kernel.printed import as_printed
from inventory.web.pagination import Page, paginate

NEWEST_CHECKED = 10_000
"""How many of the newest entries the page checks; the command checks them all."""


@dataclass(frozen=True, slots=True)
class Sought:
    """What a reader of the trail asks for; what is None or empty is not asked. From and to are instants, to excluded."""

    action: str = ""
    person_id: UUID | None = None
    subject_id: UUID | None = None
    record_number: str = ""
    lot_number: str = ""
    dose_number: str = ""
    from_at: datetime | None = None
    to_at: datetime | None = None

    @property
    def is_narrow(self) -> bool:
        """Whether anything is asked for, so that an index of its own leads to the entries in the order of their time."""
        return self != Sought()


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check of the newest entries found, and what exactly was checked."""

    first_seq: int
    last_seq: int
    head_hash: str
    findings: Sequence[str]


def entries_page(
    session: Session, sought: Sought, *, cursor: str, site_ids: frozenset[UUID] | None = None
) -> Page[Any]:
    """Return a page of the trail, newest first: as the chain has it, whatever the clock said; what is sought, by time.

    With `site_ids`, what was done at other sites is left out; what was done at none is the clinic's.
    """
    user, patient = _table("user"), _table("patient")
    statement: Any = (
        select(
            AuditEntry.id,
            AuditLink.seq,
            AuditEntry.recorded_at,
            AuditEntry.action,
            AuditEntry.subject_type,
            AuditEntry.patient_id,
            user.c.display_name,
            patient.c.record_number,
        )
        .join(AuditLink, AuditLink.entry_id == AuditEntry.id)
        .join(user, user.c.id == AuditEntry.actor_id)
        .outerjoin(patient, patient.c.id == AuditEntry.patient_id)
    )
    conditions = _asked(session, sought, site_ids)
    numbers = [(n, typed) for n, typed in (("lot", sought.lot_number), ("dose", sought.dose_number)) if typed]
    for number, typed in numbers:
        # What else is asked goes in there: beside it, a planner may walk the index of an action that half the trail has.
        about = entries_about(number, typed, conditions)
        statement = statement.join(about, about.c.id == AuditEntry.id)
    if not numbers:
        statement = statement.where(*conditions)
    # Every index of the trail ends in time and id: what is sought is walked in that order and not sorted.
    by_time = sought.is_narrow or bool(span_here())
    order: list[Any] = [AuditEntry.recorded_at, AuditEntry.id] if by_time else [AuditLink.seq]
    return paginate(session, statement, order=order, newest_first=True, cursor=cursor)


def _asked(session: Session, sought: Sought, site_ids: frozenset[UUID] | None) -> list[ColumnElement[bool]]:
    found = _of_patient_and_days(AuditEntry.patient_id, AuditEntry.recorded_at, sought)
    if site_ids is not None:
        found.append(or_(AuditEntry.site_id.is_(None), AuditEntry.site_id.in_(site_ids)))
    if sought.action:
        found.append(AuditEntry.action == sought.action)
    if sought.person_id:
        found.append(AuditEntry.actor_id == sought.person_id)
    if sought.subject_id:
        # The index of subjects begins with their kind, of which there are few.
        found.append(AuditEntry.subject_type.in_(_each(session, AuditEntry.subject_type)))
        found.append(AuditEntry.subject_id == sought.subject_id)
    return found


def access_page(session: Session, sought: Sought, *, cursor: str) -> Page[Any]:
    """Return a page of the looks at patients, newest first."""
    user, patient = _table("user"), _table("patient")
    statement: Any = (
        select(
            AccessEntry.at,
            AccessEntry.page,
            AccessEntry.patient_id,
            user.c.display_name,
            patient.c.record_number,
        )
        .join(user, user.c.id == AccessEntry.actor_id)
        .join(patient, patient.c.id == AccessEntry.patient_id)
    )
    if sought.person_id:
        statement = statement.where(AccessEntry.actor_id == sought.person_id)
    statement = statement.where(*_of_patient_and_days(AccessEntry.patient_id, AccessEntry.at, sought))
    return paginate(
        session, statement, order=[AccessEntry.at, AccessEntry.id], newest_first=True, cursor=cursor
    )


def views_page(session: Session, sought: Sought, *, cursor: str) -> Page[Any]:
    """Return a page of what auditors were shown, newest first."""
    user = _table("user")
    statement: Any = select(ViewEntry.at, ViewEntry.page, ViewEntry.subject, user.c.display_name).join(
        user, user.c.id == ViewEntry.actor_id
    )
    statement = statement.where(span_here().holds(ViewEntry.at))
    if sought.person_id:
        statement = statement.where(ViewEntry.actor_id == sought.person_id)
    if sought.from_at:
        statement = statement.where(ViewEntry.at >= sought.from_at)
    if sought.to_at:
        statement = statement.where(ViewEntry.at < sought.to_at)
    return paginate(session, statement, order=[ViewEntry.at, ViewEntry.id], newest_first=True, cursor=cursor)


def auditors(session: Session) -> Sequence[tuple[str, str]]:
    """Return the id and name of everybody who is, or whose looks were logged as those of, an auditor, by name."""
    user, role = _table("user"), _table("user_role")
    is_auditor = user.c.id.in_(select(role.c.user_id).where(role.c.role == Role.AUDITOR))
    has_looked = exists().where(ViewEntry.actor_id == user.c.id)
    found = select(user.c.id, user.c.display_name).where(is_auditor | has_looked)
    rows = session.execute(found.order_by(user.c.display_name, user.c.id))
    return [(str(row.id), row.display_name) for row in rows]


def entry_numbered(session: Session, seq: int) -> Any:
    """Return one entry with its link, payload and names. Raises Refusal NOT-FOUND."""
    user, patient, site = _table("user"), _table("patient"), _table("site")
    found = session.execute(
        select(
            AuditEntry,
            AuditLink,
            AuditPayload,
            user.c.display_name,
            user.c.username,
            patient.c.record_number,
            site.c.code.label("site_code"),
        )
        .join(AuditLink, AuditLink.entry_id == AuditEntry.id)
        .outerjoin(AuditPayload, AuditPayload.entry_id == AuditEntry.id)
        .join(user, user.c.id == AuditEntry.actor_id)
        .outerjoin(patient, patient.c.id == AuditEntry.patient_id)
        .outerjoin(site, site.c.id == AuditEntry.site_id)
        .where(AuditLink.seq == seq)
    ).first()
    if found is None:
        raise not_found("entry of the trail")
    return found


def payload_of(text: str | None) -> dict[str, Any]:
    """Return what a payload holds; nothing where it is gone or cannot be read, which a check names."""
    try:
        payload = json.loads(text or "")
    except ValueError:
        return {}
    return payload if isinstance(payload, dict) else {}


def head(session: Session) -> Any:
    """Return where the chain ends: its sequence, its hash, and when its last entry was recorded (None while empty)."""
    return session.execute(
        select(AuditHead.seq, AuditHead.hash, AuditEntry.recorded_at)
        .outerjoin(AuditLink, AuditLink.seq == AuditHead.seq)
        .outerjoin(AuditEntry, AuditEntry.id == AuditLink.entry_id)
    ).one()


def actions(session: Session) -> list[str]:
    """Return every action the trail has, found by hopping from one to the next in their index."""
    return _each(session, AuditEntry.action)


def _each(session: Session, column: Any) -> list[str]:
    found: list[str] = []
    step: str | None = session.scalar(select(column).order_by(column).limit(1))
    while step is not None:
        found.append(step)
        step = session.scalar(select(column).where(column > step).order_by(column).limit(1))
    return found


def people(session: Session) -> Sequence[tuple[str, str]]:
    """Return the id and name of everybody who may have acted, by name."""
    user = _table("user")
    rows = session.execute(select(user.c.id, user.c.display_name).order_by(user.c.display_name, user.c.id))
    return [(str(row.id), row.display_name) for row in rows]


def check_newest(session: Session) -> Checked:
    """Check the newest entries of the chain, their payloads and the rows they witness."""
    last = head(session).seq
    check = Verification(session)
    findings = list(check.newest(NEWEST_CHECKED))
    return Checked(max(1, last - NEWEST_CHECKED + 1), check.seq, check.hash, findings)


def _of_patient_and_days(patient_id: Any, at: Any, sought: Sought) -> list[ColumnElement[bool]]:
    """Return the conditions of what is asked of a patient and days, within what the reader may see."""
    found = [span_here().holds(at), patients_here(patient_id)]
    if sought.record_number:
        patient = _table("patient")
        key = as_printed(sought.record_number).casefold()
        named, other = patient.c.record_number_key == key, patient.alias()
        same = or_(other.c.id == patient.c.id, other.c.person_id == patient.c.person_id)
        # Looked up first: a list of ids is walked in the order of time.
        records = db.session.scalars(select(other.c.id).where(named, same)).all()
        found.append(patient_id.in_(records))
    if sought.from_at:
        found.append(at >= sought.from_at)
    if sought.to_at:
        found.append(at < sought.to_at)
    return found


def _table(name: str) -> Table:
    return db.metadata.tables[name]
