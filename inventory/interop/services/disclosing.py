"""Giving everything about one patient to somebody is an act: who gave it to whom, why, and which bytes it was (law 11)."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from inventory.audit.acts import Act, Outcome, perform
from inventory.clinic.models import Site
from inventory.clinic.settings import current_settings
from inventory.interop.about_one import Rows, rows_about, written
from inventory.kernel.db import db
from inventory.kernel.errors import Refusal
from inventory.kernel.permissions import Actor
from inventory.patients.queries import get_patient, records_of
from inventory.patients.services.record import locked
from inventory.staff.models import User

FORMAT = "patient-export/1"


@dataclass(frozen=True, slots=True)
class Disclosure:
    """To whom everything about a patient is given, and why."""

    recipient: str
    purpose: str


def disclose_as_json(*, actor: Actor, at: datetime, patient_id: UUID, disclosure: Disclosure) -> bytes:
    """Return everything about the person as JSON, and note who was given it. Raises Refusal NOT-FOUND, DISCLOSURE-TO, REASON-NEEDED."""
    made: list[bytes] = []

    def write(act: Act) -> Outcome:
        locked(act.session, patient_id)
        records = records_of(patient_id)
        rows = rows_about(act.session, records)
        content = _content(act.session, rows, records, by=actor, at=act.recorded_at)
        made.append(content)
        told = {"format": FORMAT, "rows": {name: len(some) for name, some in rows.items()}}
        return _told(act, patient_id, disclosure, told | {"sha256": hashlib.sha256(content).hexdigest()})

    perform(write, actor=actor, at=at)
    return made[-1]


def note_disclosure(
    *,
    actor: Actor,
    at: datetime,
    patient_id: UUID,
    disclosure: Disclosure,
    report: str,
    request_key: str | None = None,
) -> Outcome:
    """Note that a report about the patient was issued for somebody. Raises Refusal NOT-FOUND, DISCLOSURE-TO, REASON-NEEDED."""

    def write(act: Act) -> Outcome:
        locked(act.session, patient_id)
        return _told(act, patient_id, disclosure, {"format": "report", "report": report})

    return perform(write, actor=actor, at=at, request_key=request_key)


def refuse_unsaid(disclosure: Disclosure) -> None:
    """Raise Refusal DISCLOSURE-TO, REASON-NEEDED where it is not said to whom everything is given, and why."""
    if not disclosure.recipient.strip():
        raise Refusal("DISCLOSURE-TO", "Say to whom everything is given.", "recipient")
    if not disclosure.purpose.strip():
        raise Refusal("REASON-NEEDED", "Say why it is given.", "purpose")


def _told(act: Act, patient_id: UUID, disclosure: Disclosure, facts: Mapping[str, Any]) -> Outcome:
    refuse_unsaid(disclosure)
    said = {"recipient": disclosure.recipient.strip(), "reason": disclosure.purpose.strip()}
    return act.record(
        "interop.disclose-patient", "patient", patient_id, patient_id=patient_id, facts=said | dict(facts)
    )


def _content(session: Session, rows: Rows, records: tuple[UUID, ...], *, by: Actor, at: datetime) -> bytes:
    tables = {
        name: [{column: written(value) for column, value in row.items()} for row in some.values()]
        for name, some in rows.items()
    }
    told = {
        "format": FORMAT,
        "clinic": current_settings().clinic_name,
        "made_at": written(at),
        "made_by": by.name,
        "record_number": get_patient(session, records[0]).record_number,
        "records": [str(one) for one in records],
        "people": _names(session, rows, "user", User.id, User.display_name),
        "sites": _names(session, rows, "site", Site.id, Site.name),
        "tables": tables,
    }
    return json.dumps(told, ensure_ascii=False, indent=1).encode()


def _names(session: Session, rows: Rows, of: str, key: Any, name: Any) -> dict[str, str]:
    """Return what the rows' people or sites are called, by id: in the rows they are ids alone."""
    ids = {
        row[column.name]
        for table, some in rows.items()
        for column in db.metadata.tables[table].columns
        if any(one.target_fullname == f"{of}.id" for one in column.foreign_keys)
        for row in some.values()
    }
    found = session.execute(
        select(key, name).where(key.in_([one for one in ids if one is not None])).order_by(key)
    )
    return {str(row[0]): row[1] for row in found}
