"""The rows of a recall's report as the record stood at a link of the chain (law 10): who had received its lots, and how they were reached.

What was recorded later is left out by its entry, a patient is called what they were called then, and the order is that of then.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Table, select
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from inventory.doses.models import Dose, DoseSource, DoseVoid, RecallContact
from inventory.doses.queries.recalls import Contact, RecalledDose, Recipient
from inventory.doses.rules.terms import CONTACT_ENDS, ContactMeans, ContactOutcome
from inventory.kernel.numbering import written_number
from inventory.patients.models import Patient
from inventory.patients.rules import full_name, name_key
from inventory.reports.documents import recall_csv
from inventory.reports.queries.as_of import RECORDED, AsOf, Called, called
from inventory.reports.queries.selection import void_known
from inventory.stock.models import RecallLine
from inventory.stock.queries import recalls

_CONTACT = cast(Table, RecallContact.__table__)
_OPEN, _ENDED, _NOTHING_GIVEN = range(3)
"""In this order: whom somebody has to reach still, who was reached, and of whom only void entries stand."""
_Given = Mapping[UUID, Sequence[tuple[datetime, RecalledDose]]]
_Contacts = Mapping[UUID, Sequence[Contact]]


def rows_then(connection: Connection, recall_id: UUID, as_of: AsOf) -> Iterator[tuple[str, ...]]:
    """Return the rows, as the CSV of the report holds them."""
    names = called(connection, as_of)
    with Session(connection) as session:
        recall = recalls.recall_by_id(session, recall_id)
        label = recalls.recall_label(names.codes[recall.site_id], recall.number)
        is_drill = recall.is_drill
    given = _given(connection, _lots(connection, recall_id, as_of), as_of, names)
    doses = {patient_id: [dose for _, dose in told] for patient_id, told in given.items()}
    contacts = _contacts(connection, recall_id, as_of, names)
    people = [one for *_, one in sorted(_people(connection, given, contacts, as_of))]
    return recall_csv.rows_of(
        recall=label, is_drill=is_drill, recipients=people, doses=doses, contacts=contacts
    )


def _lots(connection: Connection, recall_id: UUID, as_of: AsOf) -> list[UUID]:
    added_later = as_of.moments(connection, "recall", "stock.add-to-recall")
    lines = select(RecallLine.lot_id, RecallLine.added_at).where(
        RecallLine.recall_id == recall_id, RecallLine.lot_id.is_not(None)
    )
    rows = connection.execute(lines)
    return [lot_id for lot_id, added_at in rows if lot_id and (recall_id, added_at) not in added_later]


def _given(connection: Connection, lot_ids: Collection[UUID], as_of: AsOf, names: Called) -> _Given:
    of_lots = DoseSource.lot_id.in_(lot_ids)
    void = select(DoseVoid.dose_id).join(DoseSource, DoseSource.dose_id == DoseVoid.dose_id)
    voided = set(connection.execute(void.where(of_lots, void_known(as_of))).scalars())
    rows = connection.execute(
        select(
            Dose.patient_id,
            Dose.given_at,
            Dose.id,
            Dose.site_id,
            Dose.number,
            Dose.given_on,
            DoseSource.lot_number,
            DoseSource.volume_ul,
        )
        .join(DoseSource, DoseSource.dose_id == Dose.id)
        .where(of_lots, as_of.known(Dose.id, *RECORDED))
        .order_by(Dose.given_at, Dose.id, DoseSource.position)
    )
    found: defaultdict[UUID, list[tuple[datetime, RecalledDose]]] = defaultdict(list)
    for patient_id, given_at, dose_id, site_id, number, given_on, lot_number, volume_ul in rows:
        written = written_number(names.codes[site_id], number)
        site, is_void = names.sites[site_id], dose_id in voided
        one = RecalledDose(dose_id, written, site, given_on, lot_number, volume_ul, is_void)
        found[patient_id].append((given_at, one))
    return found


def _contacts(connection: Connection, recall_id: UUID, as_of: AsOf, names: Called) -> _Contacts:
    rows = connection.execute(
        select(_CONTACT)
        .where(
            _CONTACT.c.recall_id == recall_id,
            as_of.known(_CONTACT.c.id, "doses.recall-contact"),
        )
        .order_by(_CONTACT.c.contacted_at.desc(), _CONTACT.c.recorded_at.desc(), _CONTACT.c.id.desc())
    )
    found: defaultdict[UUID, list[Contact]] = defaultdict(list)
    for row in rows:
        outcome, means = ContactOutcome(row.outcome), ContactMeans(row.means)
        by = names.people[row.actor_id]
        found[row.patient_id].append(
            Contact(outcome, means, row.note or "", row.contacted_at, row.recorded_at, by)
        )
    return found


def _people(
    connection: Connection, given: _Given, contacts: _Contacts, as_of: AsOf
) -> Iterator[tuple[int, bytes, UUID, Recipient]]:
    """Yield the patients of the doses, each behind what they are ordered by."""
    was = as_of.were(connection, "patients.edit")
    of_doses = select(Patient.__table__).where(Patient.id.in_(given))
    for row in connection.execute(of_doses).mappings():
        patient = {**row, **was.get(row["id"], {})}
        told = given[row["id"]]
        standing = sum(not dose.is_void for _, dose in told)
        tried = contacts.get(row["id"], ())
        outcome = tried[0].outcome if tried else None
        rank = _NOTHING_GIVEN if not standing else _ENDED if outcome in CONTACT_ENDS else _OPEN
        key = name_key(patient["family_name"], patient["given_name"])
        yield rank, key.encode(), row["id"], _recipient(patient, told[0][0], standing, outcome)


def _recipient(
    patient: Mapping[str, Any],
    first_given_at: datetime,
    standing: int,
    outcome: ContactOutcome | None,
) -> Recipient:
    born_on = patient["born_on"]
    return Recipient(
        id=patient["id"],
        name=full_name(patient["family_name"], patient["given_name"]),
        born_on=date.fromisoformat(born_on) if isinstance(born_on, str) else born_on,
        record_number=patient["record_number"],
        phone=patient["phone"],
        email=patient["email"],
        address=patient["address"],
        doses=standing,
        first_given_at=first_given_at,
        outcome=outcome,
    )
