"""Doses that a lot's corrected expiry makes late: given after it, though not after the expiry that was known then."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from inventory.clinic.models import Site
from inventory.doses.models import Dose, DoseSource, Incident
from inventory.doses.queries.lists import VOIDED
from inventory.doses.rules.terms import IncidentKind
from inventory.stock.models import Lot
from inventory.stock.queries import corrections


@dataclass(frozen=True, slots=True)
class PastExpiry:
    """A dose that was given after the expiry its lot has since; whose it was is not told here."""

    dose_id: UUID
    site_code: str
    number: int
    given_on: date
    expires_on_then: date
    incident_id: UUID | None
    incident_number: int | None
    is_closed: bool


def newly_past(
    session: Session, lot_ids: Sequence[UUID], *, before: date, after: date
) -> list[tuple[UUID, UUID, int, date]]:
    """Return (id, site, number, day) of the valid doses of the lots that only the change of the expiry makes late, in order."""
    rows = session.execute(
        _late(lot_ids)
        .where(Dose.given_on > after, Dose.given_on <= before)
        .with_only_columns(Dose.id, Dose.site_id, Dose.number, Dose.given_on)
        .distinct()
        .order_by(Dose.given_on, Dose.id)
    )
    return [(dose_id, site_id, number, given_on) for dose_id, site_id, number, given_on in rows]


def past_expiry(session: Session, lot_id: UUID) -> list[PastExpiry]:
    """Return the valid doses of a lot, and of those merged into it, that were given after the expiry it has now.

    Those that had been given after the expiry known then are deviations of their own day, and not told here.
    """
    expires_on = _expiry_now(session, lot_id)
    row = (Dose.id, Site.code, Dose.number, Dose.given_on)
    doses = session.execute(
        _late(corrections.with_merged(session, lot_id))
        .join(Site, Site.id == Dose.site_id)
        .where(Dose.given_on > expires_on)
        .with_only_columns(*row, func.min(DoseSource.expires_on))
        .group_by(*row)
        .order_by(Dose.given_on, Dose.id)
    ).all()
    looked_into = _incidents(session, [row[0] for row in doses])
    return [_past(row, looked_into.get(row[0])) for row in doses]


def formerly_past(session: Session, lot_id: UUID) -> int:
    """Return how many valid doses were given after the expiry known then, and before the one their lot has now."""
    expires_on = _expiry_now(session, lot_id)
    counted = (
        select(func.count(func.distinct(Dose.id)))
        .join(DoseSource, DoseSource.dose_id == Dose.id)
        .where(
            DoseSource.lot_id.in_(corrections.with_merged(session, lot_id)),
            DoseSource.expires_on < Dose.given_on,
            Dose.given_on <= expires_on,
            ~VOIDED,
        )
    )
    return int(session.scalar(counted) or 0)


def _late(lot_ids: Sequence[UUID]) -> Select[Any]:
    """The valid doses of the lots that were not late by the expiry copied onto them."""
    return (
        select(Dose)
        .join(DoseSource, DoseSource.dose_id == Dose.id)
        .where(DoseSource.lot_id.in_(lot_ids), DoseSource.expires_on >= Dose.given_on, ~VOIDED)
    )


def _expiry_now(session: Session, lot_id: UUID) -> date:
    return session.scalars(select(Lot.expires_on).where(Lot.id == corrections.became(session, lot_id))).one()


def _incidents(session: Session, dose_ids: Iterable[UUID]) -> dict[UUID, Incident]:
    """The newest deviation that was opened about each dose."""
    opened = (
        select(Incident)
        .where(Incident.dose_id.in_(list(dose_ids)), Incident.kind == IncidentKind.DEVIATION)
        .order_by(Incident.opened_at, Incident.id)
    )
    return {incident.dose_id: incident for incident in session.scalars(opened)}


def _past(row: Any, incident: Incident | None) -> PastExpiry:
    dose_id, site_code, number, given_on, expires_on_then = row
    return PastExpiry(
        dose_id=dose_id,
        site_code=site_code,
        number=number,
        given_on=given_on,
        expires_on_then=expires_on_then,
        incident_id=incident.id if incident else None,
        incident_number=incident.number if incident else None,
        is_closed=incident is not None and incident.closed_at is not None,
    )
