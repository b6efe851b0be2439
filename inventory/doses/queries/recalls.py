"""Who received the lots of a recall, their doses, and what came of reaching each: one statement a list, however long the record."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Subquery, and_, case, distinct, func, select
from sqlalchemy.orm import Session

from inventory.clinic.models import Site
from inventory.doses.models import Dose, DoseSource, DoseVoid, RecallContact
from inventory.doses.rules.terms import CONTACT_ENDS, ContactMeans, ContactOutcome
from inventory.kernel.numbering import written_number
from inventory.patients.models import Patient
from inventory.patients.queries import KEPT, records_of
from inventory.patients.rules import full_name
from inventory.staff.models import User
from inventory.stock.queries.recalls import recalled_lot_ids
from inventory.web.pagination import Page, paginate


class Contact(NamedTuple):
    """One try to reach a patient, and what came of it."""

    outcome: ContactOutcome
    means: ContactMeans
    note: str
    contacted_at: datetime
    recorded_at: datetime
    by: str


class RecalledDose(NamedTuple):
    """What a patient was given of a recalled lot in one dose. Volume of that lot in microlitres; `is_void` as it stands now."""

    id: UUID
    number: str
    site_name: str
    given_on: date
    lot_number: str
    volume_ul: int
    is_void: bool


class Recipient(NamedTuple):
    """A patient with an entry of a recalled lot. `doses` counts those that stand; where it is 0, nothing of it was given."""

    id: UUID
    name: str
    born_on: date
    record_number: str
    phone: str
    email: str
    address: str
    doses: int
    first_given_at: datetime
    outcome: ContactOutcome | None

    @property
    def is_reached(self) -> bool:
        """Whether nobody has to reach them any more."""
        return self.outcome in CONTACT_ENDS


@dataclass(frozen=True, slots=True)
class Progress:
    """How far reaching the patients has come: of `patients`, `told` and `deceased` need no more, `tried` were tried, the rest never."""

    patients: int = 0
    told: int = 0
    deceased: int = 0
    tried: int = 0

    @property
    def reached(self) -> int:
        """Patients whom nobody has to reach any more."""
        return self.told + self.deceased

    @property
    def waiting(self) -> int:
        """Patients who have to be reached still."""
        return self.patients - self.reached

    @property
    def never_tried(self) -> int:
        """Patients without any contact."""
        return self.patients - self.reached - self.tried


def _affected(lot_ids: Collection[UUID]) -> Subquery:
    """Return one row a person with an entry of the lots: the doses that stand, and when the first was given."""
    return (
        select(
            KEPT.label("patient_id"),
            func.count(distinct(case((DoseVoid.dose_id.is_(None), Dose.id)))).label("doses"),
            func.min(Dose.given_at).label("first_given_at"),
        )
        .select_from(DoseSource)
        .join(Dose, Dose.id == DoseSource.dose_id)
        .join(Patient, Patient.id == Dose.patient_id)
        .outerjoin(DoseVoid, DoseVoid.dose_id == Dose.id)
        .where(DoseSource.lot_id.in_(lot_ids))
        .group_by(KEPT)
        .subquery("affected")
    )


def _newest(recall_id: UUID) -> Subquery:
    """Return one row a person with a contact: the newest, on any record of theirs, which says how it stands."""
    latest_first = (
        RecallContact.contacted_at.desc(),
        RecallContact.recorded_at.desc(),
        RecallContact.id.desc(),
    )
    ranked = (
        select(
            KEPT.label("patient_id"),
            RecallContact.outcome,
            func.row_number().over(partition_by=KEPT, order_by=latest_first).label("place"),
        )
        .join(Patient, Patient.id == RecallContact.patient_id)
        .where(RecallContact.recall_id == recall_id)
        .subquery("ranked")
    )
    return select(ranked.c.patient_id, ranked.c.outcome).where(ranked.c.place == 1).subquery("newest")


def recipients_page(
    session: Session, recall_id: UUID, *, state: str = "", cursor: str = "", size: int = 50
) -> Page[Recipient]:
    """Return a page of the patients who received the recall's lots, those not yet reached first, then by name.

    `state` is waiting, reached, or empty for all. Those of whom only void entries stand come last.
    """
    statement, order = _everybody(session, recall_id)
    if state in _RANKS:
        statement = statement.where(order[0] == _RANKS[state])
    page = paginate(session, statement, order=order, cursor=cursor, size=size)
    return Page([_recipient(row) for row in page.items], page.previous, page.next)


def _everybody(session: Session, recall_id: UUID) -> tuple[Any, list[Any]]:
    """Return the statement of a recall's patients, and their order."""
    affected, newest = _affected(recalled_lot_ids(session, recall_id)), _newest(recall_id)
    ended = newest.c.outcome.in_(sorted(CONTACT_ENDS))
    rank = case((affected.c.doses == 0, 2), (ended, 1), else_=0)
    statement = (
        select(*_COLUMNS, affected.c.doses, affected.c.first_given_at, newest.c.outcome)
        .select_from(affected)
        .join(Patient, Patient.id == affected.c.patient_id)
        .outerjoin(newest, newest.c.patient_id == affected.c.patient_id)
    )
    return statement, [rank, Patient.name_key, Patient.id]


_COLUMNS = (
    Patient.id,
    Patient.family_name,
    Patient.given_name,
    Patient.born_on,
    Patient.record_number,
    Patient.phone,
    Patient.email,
    Patient.address,
)
_RANKS = {"waiting": 0, "reached": 1}


def _recipient(row: Any) -> Recipient:
    """Make a row of `_everybody`, by position: there may be thousands."""
    patient_id, family_name, given_name, *told, outcome = row[:11]
    name = full_name(family_name, given_name)
    return Recipient._make((patient_id, name, *told, ContactOutcome(outcome) if outcome else None))


def recipients(session: Session, recall_id: UUID) -> Iterator[Recipient]:
    """Yield every patient of a recall, in the order of `recipients_page`. One statement: each page would count all anew."""
    statement, order = _everybody(session, recall_id)
    # By the connection: rows of columns need nothing of what makes objects.
    yield from map(_recipient, session.connection().execute(statement.order_by(*order)).all())


def doses_of(
    session: Session, lot_ids: Collection[UUID], patient_ids: Collection[UUID] | None = None
) -> dict[UUID, list[RecalledDose]]:
    """Return by person, under the record that is kept, what was given of the lots, void entries too, the first on top. One statement.

    `patient_ids` are those of a page; without them it is everybody's, for a statement takes only so many ids.
    """
    found: defaultdict[UUID, list[RecalledDose]] = defaultdict(list)
    rows = session.connection().execute(
        select(
            KEPT,
            Dose.id,
            Site.code,
            Dose.number,
            Site.name,
            Dose.given_on,
            DoseSource.lot_number,
            DoseSource.volume_ul,
            DoseVoid.dose_id,
        )
        .select_from(DoseSource)
        .join(Dose, Dose.id == DoseSource.dose_id)
        .join(Patient, Patient.id == Dose.patient_id)
        .join(Site, Site.id == Dose.site_id)
        .outerjoin(DoseVoid, DoseVoid.dose_id == Dose.id)
        .where(DoseSource.lot_id.in_(lot_ids), *_only(patient_ids))
        .order_by(Dose.given_at, Dose.id, DoseSource.position)
    )
    for patient_id, dose_id, code, number, site, given_on, lot_number, volume_ul, void in rows:
        told = written_number(code, number)
        found[patient_id].append(
            RecalledDose(dose_id, told, site, given_on, lot_number, volume_ul, void is not None)
        )
    return found


def _only(patient_ids: Collection[UUID] | None) -> list[Any]:
    return [] if patient_ids is None else [KEPT.in_(patient_ids)]


def contacts_of(
    session: Session, recall_id: UUID, patient_ids: Collection[UUID] | None = None
) -> dict[UUID, list[Contact]]:
    """Return by person, under the record that is kept, every try to reach them about a recall, the newest first. One statement; `patient_ids` as above."""
    found: defaultdict[UUID, list[Contact]] = defaultdict(list)
    rows = session.execute(
        select(RecallContact, KEPT, User.display_name)
        .join(Patient, Patient.id == RecallContact.patient_id)
        .join(User, User.id == RecallContact.actor_id)
        .where(RecallContact.recall_id == recall_id, *_only(patient_ids))
        .order_by(
            RecallContact.contacted_at.desc(), RecallContact.recorded_at.desc(), RecallContact.id.desc()
        )
    )
    for contact, kept_id, by in rows:
        found[kept_id].append(_contact(contact, by))
    return found


def _contact(contact: RecallContact, by: str) -> Contact:
    return Contact(
        ContactOutcome(contact.outcome),
        ContactMeans(contact.means),
        contact.note or "",
        contact.contacted_at,
        contact.recorded_at,
        by,
    )


def recipient(session: Session, recall_id: UUID, patient_id: UUID) -> Recipient | None:
    """Return one patient of a recall, by any record of theirs; None where they received nothing of it."""
    affected, newest = _affected(recalled_lot_ids(session, recall_id)), _newest(recall_id)
    row = session.execute(
        select(*_COLUMNS, affected.c.doses, affected.c.first_given_at, newest.c.outcome)
        .select_from(affected)
        .join(Patient, Patient.id == affected.c.patient_id)
        .outerjoin(newest, newest.c.patient_id == affected.c.patient_id)
        .where(affected.c.patient_id == records_of(patient_id)[0])
    ).first()
    return _recipient(row) if row else None


def progress(session: Session, recall_id: UUID) -> Progress:
    """Return how far a recall has come with its patients: those of whom a dose stands. One statement beside the lots."""
    affected, newest = _affected(recalled_lot_ids(session, recall_id)), _newest(recall_id)
    ended = newest.c.outcome.in_(sorted(CONTACT_ENDS))
    row = session.execute(
        select(
            func.count(),
            func.count(case((newest.c.outcome == ContactOutcome.TOLD, 1))),
            func.count(case((newest.c.outcome == ContactOutcome.DECEASED, 1))),
            func.count(case((and_(newest.c.outcome.is_not(None), ~ended), 1))),
        )
        .select_from(affected)
        .outerjoin(newest, newest.c.patient_id == affected.c.patient_id)
        .where(affected.c.doses > 0)
    ).one()
    return Progress(*map(int, row))


def doses_by_lot(session: Session, lot_ids: Sequence[UUID]) -> dict[UUID, tuple[int, int]]:
    """Return by lot how many doses that stand were drawn from it, and for how many patients."""
    rows = session.execute(
        select(DoseSource.lot_id, func.count(distinct(Dose.id)), func.count(distinct(KEPT)))
        .join(Dose, Dose.id == DoseSource.dose_id)
        .join(Patient, Patient.id == Dose.patient_id)
        .outerjoin(DoseVoid, DoseVoid.dose_id == Dose.id)
        .where(DoseSource.lot_id.in_(lot_ids), DoseVoid.dose_id.is_(None))
        .group_by(DoseSource.lot_id)
    )
    return {lot_id: (int(doses), int(patients)) for lot_id, doses, patients in rows}
