"""What a downtime sheet is entered against: the doses that were due, and every container that may have been used."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from inventory.catalogue.models import Route
from inventory.clinic.models import Site
from inventory.doses.queries.dedicated import owners_of
from inventory.doses.queries.due import Wanted, doses_of_slots, due_list, sheet_rows
from inventory.doses.queries.used_up import used_up_vials
from inventory.patients.models import Patient
from inventory.stock.queries import Drawable, drawable


@dataclass(frozen=True, slots=True)
class Sheet:
    """The rows of a sheet and the doses that came of them by slot; the containers of the site, used up ones too.

    `kept_for` says by vial for whom alone it is kept, as a record number.
    """

    rows: Sequence[Any]
    doses: dict[UUID, Any]
    containers: Sequence[Drawable]
    used_up: Sequence[Any]
    kept_for: dict[UUID, str]


def late_sheet(
    session: Session, slot_ids: Collection[UUID], *, site: Site, on: date, at: datetime, most: int
) -> Sheet:
    """Return the sheet of a day at a site: these slots where it is entered already, else those that were due on it or overdue."""
    if slot_ids:
        rows = sheet_rows(session, slot_ids, site_id=site.id, at=at)
    else:
        rows = due_list(session, Wanted(site_ids=[site.id], last_on=on), at=at, most=most)
    found = drawable(session, site_id=site.id, on=on)
    return Sheet(
        rows=rows,
        doses=doses_of_slots(session, [row.slot_id for row in rows]),
        containers=[one for one in found if Route.IM in one.product.route_set],
        used_up=used_up_vials(session, site_id=site.id, at=at),
        kept_for=_kept_for(session, [one.vial.id for one in found if one.vial]),
    )


def _kept_for(session: Session, vial_ids: Sequence[UUID]) -> dict[UUID, str]:
    owners = owners_of(session, vial_ids)
    named = select(Patient.id, Patient.record_number).where(Patient.id.in_(owners.values()))
    numbers = {row.id: row.record_number for row in session.execute(named)} if owners else {}
    return {vial_id: numbers[patient_id] for vial_id, patient_id in owners.items()}
