"""Lists of doses and of incidents, and what a patient was given before. Void doses are left out only where it says so."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import and_, exists, func, select
from sqlalchemy.orm import Session, aliased

from inventory.audit.limits import span_here
from inventory.catalogue.models import Formulation, Product, Route
from inventory.doses.models import Dose, DoseFinding, DoseSource, DoseVoid, Incident, IncidentNote
from inventory.doses.rules.terms import BodySite, Disposition
from inventory.patients.queries import records_of
from inventory.staff.models import User
from inventory.stock.queries.scopes import lots_named
from inventory.web.pagination import Page, paginate

VOIDED = exists().where(DoseVoid.dose_id == Dose.id)
OVERRIDDEN = exists().where(DoseFinding.dose_id == Dose.id, DoseFinding.disposition == Disposition.OVERRIDDEN)
"""Whether a prescriber let the dose pass in spite of a finding."""
ROW = (
    Dose.id,
    Dose.number,
    Dose.site_id,
    Dose.given_at,
    Dose.given_on,
    Dose.recorded_at,
    Dose.patient_id,
    Dose.patient_name,
    Dose.patient_record_number,
    Dose.product_name,
    Dose.formulation_name,
    Dose.dose_ng,
    Dose.volume_ul,
    Dose.body_site,
    Dose.giver_name,
    Dose.is_late,
    Dose.is_deviation,
    Dose.amends_id,
    DoseVoid.kind.label("void_kind"),
    OVERRIDDEN.label("is_overridden"),
)
"""What a list shows of a dose; `void_kind` is None while it stands."""


def dose_rows() -> Any:
    """Return the statement for doses as lists show them, neither ordered nor narrowed."""
    return select(*ROW).outerjoin(DoseVoid, DoseVoid.dose_id == Dose.id)


def doses_page(
    session: Session,
    *,
    site_id: UUID,
    from_on: date | None = None,
    to_on: date | None = None,
    record_number: str = "",
    lot_number: str = "",
    marked: str = "",
    cursor: str = "",
) -> Page[Any]:
    """Return a page of a site's doses, the last given first. `marked` is late, deviation, override or void."""
    statement = dose_rows().where(Dose.site_id == site_id, span_here().holds(Dose.given_on))
    if from_on:
        statement = statement.where(Dose.given_on >= from_on)
    if to_on:
        statement = statement.where(Dose.given_on <= to_on)
    if record_number:
        statement = statement.where(func.upper(Dose.patient_record_number) == record_number.upper())
    if lot_number:
        # A dose keeps the number as it was; the lots that have it, or had it, are found first, by their index.
        of_lot = select(DoseSource.dose_id).where(
            DoseSource.lot_id.in_(lots_named(session, lot_number)),
            func.upper(DoseSource.lot_number) == lot_number.upper(),
        )
        statement = statement.where(Dose.id.in_(of_lot))
    marks: dict[str, Any] = {
        "late": Dose.is_late,
        "deviation": Dose.is_deviation,
        "override": OVERRIDDEN,
        "void": DoseVoid.dose_id.is_not(None),
    }
    if marked in marks:
        statement = statement.where(marks[marked])
    return paginate(session, statement, order=[Dose.given_at, Dose.id], newest_first=True, cursor=cursor)


def recent_doses(session: Session, patient_id: UUID, *, limit: int = 5) -> Sequence[Any]:
    """Return the person's last valid doses, newest first."""
    columns = (
        Dose.id,
        Dose.given_at,
        Dose.given_on,
        Dose.body_site,
        Dose.product_id,
        Dose.product_name,
        Dose.formulation_id,
        Dose.strength_ng,
        Dose.strength_ul,
        Dose.dose_ng,
        Dose.indication,
        Dose.needle,
    )
    newest = (Dose.given_at.desc(), Dose.id.desc())
    statement = select(*columns).where(Dose.patient_id.in_(records_of(patient_id)), ~VOIDED)
    return session.execute(statement.order_by(*newest).limit(limit)).all()


def last_uses(session: Session, patient_id: UUID) -> dict[BodySite, date]:
    """Return the day each body site was last used for the person, the last used first; void doses do not count."""
    rows = session.execute(
        select(Dose.body_site, func.max(Dose.given_on))
        .where(Dose.patient_id.in_(records_of(patient_id)), ~VOIDED)
        .group_by(Dose.body_site)
        .order_by(func.max(Dose.given_at).desc())
    )
    return {BodySite(site): used_on for site, used_on in rows}


def incidents_page(
    session: Session, *, site_id: UUID, today: date, state: str = "open", cursor: str = ""
) -> Page[Any]:
    """Return a page of a site's incidents with their dose and the step that is due next, the last opened first.

    `state` is open, due (open, and its next step is due by `today`), closed or all.
    """
    is_open = Incident.closed_at.is_(None)
    asked: dict[str, Any] = {
        "open": is_open,
        "due": and_(is_open, IncidentNote.due_on <= today),
        "closed": ~is_open,
    }
    statement = _incidents().where(Incident.site_id == site_id, span_here().holds(Dose.given_on))
    if state in asked:
        statement = statement.where(asked[state])
    order = [Incident.opened_at, Incident.id]
    return paginate(session, statement, order=order, newest_first=True, cursor=cursor)


def _incidents() -> Any:
    """Return the statement for incidents, each with its dose and what its newest follow-up asks for."""
    newer = aliased(IncidentNote)
    is_newest = ~exists().where(
        newer.incident_id == IncidentNote.incident_id, newer.number > IncidentNote.number
    )
    return (
        select(
            Incident,
            Dose.number.label("dose_number"),
            Dose.patient_id,
            Dose.patient_record_number,
            Dose.given_at,
            DoseVoid.kind.label("void_kind"),
            IncidentNote.due_on,
            User.display_name.label("assigned_to"),
        )
        .join(Dose, Dose.id == Incident.dose_id)
        .outerjoin(DoseVoid, DoseVoid.dose_id == Dose.id)
        .outerjoin(IncidentNote, and_(IncidentNote.incident_id == Incident.id, is_newest))
        .outerjoin(User, User.id == IncidentNote.assigned_to_id)
    )


def notes_of(session: Session, incident_id: UUID) -> Sequence[Any]:
    """Return the follow-ups of an incident, the first first, each with who wrote it and who was asked."""
    by, asked = aliased(User), aliased(User)
    statement = (
        select(IncidentNote, by.display_name.label("noted_by"), asked.display_name.label("assigned_to"))
        .join(by, by.id == IncidentNote.actor_id)
        .outerjoin(asked, asked.id == IncidentNote.assigned_to_id)
        .where(IncidentNote.incident_id == incident_id)
    )
    return session.execute(statement.order_by(IncidentNote.number)).all()


def open_incidents(session: Session, site_id: UUID) -> int:
    """Return how many incidents of the site nobody has closed."""
    counted = select(func.count()).where(Incident.site_id == site_id, Incident.closed_at.is_(None))
    return int(session.scalar(counted) or 0)


def injectable_products(session: Session) -> Sequence[Any]:
    """Return the products whose label lists the muscle, with formulation and strength, by name: for a lot not in stock."""
    rows = session.execute(
        select(
            Product.id,
            Product.name,
            Product.maker,
            Product.routes,
            Product.strength_ng,
            Product.strength_ul,
            Product.default_dose_ng,
            Formulation.name.label("formulation_name"),
        )
        .join(Formulation, Formulation.id == Product.formulation_id)
        .order_by(Product.name, Product.maker, Product.version_number, Product.id)
    )
    return [row for row in rows if Route.IM in row.routes.split(",")]


def formulations(session: Session) -> Sequence[Any]:
    """Return (id, name) of the formulations the clinic uses, by name."""
    used = select(Formulation.id, Formulation.name).where(Formulation.refused.is_(False))
    return session.execute(used.order_by(Formulation.name)).all()
