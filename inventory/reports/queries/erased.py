"""Who was erased since a report was issued: what it printed about them stands in the record no more (law 10).

An erasure is known by its entry in the chain, not by what the rows say now: a row that only looks erased is one that was changed.
"""

from collections.abc import Callable, Collection, Iterator
from typing import Any
from uuid import UUID

from sqlalchemy import select

from inventory.audit.erasing import ERASE_PATIENT
from inventory.audit.models import AccessEntry, AuditEntry, AuditLink
from inventory.clinic.models import Site
from inventory.doses.models import Dose, Incident, NotGiven
from inventory.kernel.db import db
from inventory.kernel.numbering import written_number
from inventory.patients.models import Alert, Consent
from inventory.reports import pseudonyms

WORDS = frozenset(
    (
        "patient", "patient_name", "patient_record", "patient_born_on", "patient_age", "phone", "email", "address", "marks",
        "remarks", "said", "before", "after", "reason", "what", "outcome", "contact_note",
    )
)  # fmt: skip
"""The columns of reports that an erasure may change: whose it was, and free words. All else stays."""


def erased_since(seq: int) -> frozenset[UUID]:
    """Return the patients whose erasure stands in the chain behind the link `seq`."""
    erased = (
        select(AuditEntry.patient_id)
        .join(AuditLink, AuditLink.entry_id == AuditEntry.id)
        .where(AuditEntry.action == ERASE_PATIENT, AuditLink.seq > seq)
    )
    return frozenset(one for one in db.session.scalars(erased) if one is not None)


def rows_about(patients: Collection[UUID]) -> Callable[[str], bool]:
    """Return what tells of the name of a report's row whether it is about one of these patients."""
    names = frozenset(_names(patients)) if patients else frozenset()
    # A dose is named by its number, alone or among other words; the others by all of theirs.
    return lambda name: name in names or not names.isdisjoint(name.split())


def _names(patients: Collection[UUID]) -> Iterator[str]:
    secret = pseudonyms.key()
    for dose_id, code, number in _numbered(Dose, Dose.patient_id.in_(patients)):
        yield written_number(code, number)
        yield pseudonyms.pseudonym(secret, "D", dose_id)
    about = select(Dose.id).where(Dose.patient_id.in_(patients))
    for _, code, number in _numbered(Incident, Incident.dose_id.in_(about)):
        yield f"incident {code}-{number}"
    for _, code, number in _numbered(NotGiven, NotGiven.patient_id.in_(patients)):
        yield f"not given {code}-{number}"
    for kind, model in (("consent", Consent), ("alert", Alert)):
        for one in db.session.scalars(select(model.id).where(model.patient_id.in_(patients))):
            yield f"{kind} {one.hex}"
    for look in db.session.scalars(select(AccessEntry.id).where(AccessEntry.patient_id.in_(patients))):
        yield f"look {look}"


def _numbered(model: Any, condition: Any) -> Any:
    rows = select(model.id, Site.code, model.number).join(Site, Site.id == model.site_id)
    return db.session.execute(rows.where(condition))
