"""To which site and day belongs what is recorded of doses: where and when it was given, or was to be. Patients are the clinic's.

A limited auditor sees the patients who were given something, or not, at their sites on their days, and no others.
"""

import re
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, exists, literal, or_, select
from sqlalchemy.orm import Session, aliased

from inventory.audit.limits import Span, patients_here, span_here
from inventory.audit.subjects import Subjects, found_by
from inventory.audit.viewed import named
from inventory.clinic.current import visible_sites
from inventory.clinic.models import Site
from inventory.clinic.sight import belongs, dated, of_column, of_moments
from inventory.doses.models import Dose, DoseSource, Incident, NotGiven
from inventory.doses.reaction_models import Reaction
from inventory.kernel.db import db
from inventory.patients.models import Patient
from inventory.stock.queries.scopes import lots_named

_NUMBER = re.compile(r"(?:([A-Z0-9-]{1,12}?)[ -]*)?0*([1-9][0-9]{0,8})", re.ASCII)
"""The number of a dose as people type it: `MAIN-000401`, `main 401`, `401`."""

belongs("dose_id", "dose", of_column(lambda key: select(Dose.site_id).where(Dose.id == key)))
belongs("incident_id", "incident", of_column(lambda key: select(Incident.site_id).where(Incident.id == key)))
belongs(
    "reaction_id", "reaction", of_column(lambda key: select(Reaction.site_id).where(Reaction.case_id == key))
)
belongs("record_id", "record", of_column(lambda key: select(NotGiven.site_id).where(NotGiven.id == key)))
dated("dose_id", of_moments(lambda key: select(Dose.given_on).where(Dose.id == key)))
dated(
    "incident_id",
    of_moments(
        lambda key: (
            select(Dose.given_on).join(Incident, Incident.dose_id == Dose.id).where(Incident.id == key)
        )
    ),
)
dated(
    "reaction_id",
    of_moments(
        lambda key: (
            select(Dose.given_on).join(Reaction, Reaction.dose_id == Dose.id).where(Reaction.case_id == key)
        )
    ),
)
dated("record_id", of_moments(lambda key: select(NotGiven.decided_on).where(NotGiven.id == key)))


def given_here(patient_id: Any) -> ColumnElement[bool]:
    """Return the condition that the person was given something, or not, at the reader's sites on their days, on any record of theirs."""
    sites, span = visible_sites(), span_here()
    mine, its = aliased(Patient), aliased(Patient)
    # Whatever names the patient is the outer statement's, also where that lies two statements further out.
    person = select(mine.person_id).where(mine.id == patient_id).correlate_except(mine).scalar_subquery()
    of_person = select(its.id).where(its.person_id == person).correlate_except(its)

    def told_of(record: Any, day: Any) -> ColumnElement[bool]:
        is_theirs = or_(record.patient_id == patient_id, record.patient_id.in_(of_person))
        found = exists().where(is_theirs, span.holds(day))
        return found if sites is None else found.where(record.site_id.in_(sites))

    return or_(told_of(Dose, Dose.given_on), told_of(NotGiven, NotGiven.decided_on))


def _is_seen(session: Session, key: UUID, _span: Span) -> bool:
    found = select(Patient.id).where(Patient.id == key, patients_here(Patient.id))
    return session.execute(found).first() is not None


dated("patient_id", _is_seen)


def doses_numbered(typed: str) -> Select[Any]:
    """Return the statement for the ids of the doses of this number: of one site where its code was typed, else of each."""
    found = _NUMBER.fullmatch(typed.strip().upper())
    if found is None:
        return select(Dose.id).where(Dose.number == literal(-1))
    doses = select(Dose.id).where(Dose.number == int(found[2]))
    sites = select(Site.id).where(Site.code == found[1]) if found[1] else select(Site.id)
    return doses.where(Dose.site_id.in_(sites))


def _about_dose(typed: str) -> Subjects:
    own = doses_numbered(typed)
    before = select(Dose.amends_id).where(Dose.id.in_(own), Dose.amends_id.is_not(None))
    after = select(Dose.id).where(Dose.amends_id.in_(own))
    incidents = select(Incident.id).where(Incident.dose_id.in_(own))
    reactions = select(Reaction.case_id).where(Reaction.dose_id.in_(own))
    return [
        ("dose", own),
        ("dose", before),
        ("dose", after),
        ("incident", incidents),
        ("reaction", reactions),
    ]


def _about_lot(typed: str) -> Subjects:
    lots = lots_named(db.session(), typed)
    doses = select(DoseSource.dose_id).where(DoseSource.lot_id.in_(lots))
    return [("dose", doses), ("incident", select(Incident.id).where(Incident.dose_id.in_(doses)))]


found_by("dose", _about_dose)
found_by("lot", _about_lot)


def _numbered(record: Any) -> Any:
    return lambda key: (
        select(Site.code, record.number)
        .select_from(record)
        .join(Site, Site.id == record.site_id)
        .where(record.id == key)
    )


def _reaction(key: UUID) -> Any:
    return (
        select(Site.code, Dose.number)
        .select_from(Reaction)
        .join(Dose, Dose.id == Reaction.dose_id)
        .join(Site, Site.id == Dose.site_id)
        .where(Reaction.case_id == key)
    )


named("dose_id", "Dose", _numbered(Dose))
named("incident_id", "Incident", _numbered(Incident))
named("reaction_id", "Reaction to dose", _reaction)
named("record_id", "Dose not given", _numbered(NotGiven))
named("patient_id", "Patient", lambda key: select(Patient.record_number).where(Patient.id == key))
