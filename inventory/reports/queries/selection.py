"""Which doses a report is about, and the state of the clinic that it shows.

Law 6: the period counts each site's own days, as the dose stored its day. Law 10: the state is that of one
head of the chain. It is fixed in one short transaction (the doses' ids in order, and what was said of
them since); the rows themselves are never changed, so that they can then be read in short transactions.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Select, exists, func, select
from sqlalchemy.engine import Connection
from sqlalchemy.orm import aliased

from inventory.audit.models import AuditHead
from inventory.doses.models import Dose, DoseSource, DoseVoid, NotGiven
from inventory.doses.rules.terms import BodySite
from inventory.kernel.db import db
from inventory.reports.queries.later import Later, later_than
from inventory.staff.models import User
from inventory.stock.models import LotCorrection
from inventory.stock.queries.corrections import Corrected, every_later_word

Wide = Select[*tuple[Any, ...]]

_FETCH = 5_000
_WIDEST_OFFSET = timedelta(hours=26)  # no site's day begins or ends further than this from the day in UTC
_ID_BYTES = 16


class SelectedSite(NamedTuple):
    """A site of the report."""

    id: UUID
    code: str
    name: str
    time_zone: str


@dataclass(frozen=True, slots=True)
class Selection:
    """The sites, days (both included) and filters of a report; a filter that is None lets everything through."""

    sites: tuple[SelectedSite, ...]
    first_day: date
    last_day: date
    giver_id: UUID | None = None
    patient_id: UUID | None = None
    formulation_id: UUID | None = None
    lot_ids: tuple[UUID, ...] | None = None
    body_site: BodySite | None = None


class VoidFacts(NamedTuple):
    """What was said of a dose afterwards, and the number of the dose that replaces it."""

    kind: str
    reason: str
    voided_at: datetime
    actor_name: str
    replaced_by: int | None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The doses of a selection at one head of the chain: their ids in order, 16 bytes each, and later words on them."""

    head_seq: int
    head_hash: str
    ids: bytes
    voids: dict[UUID, VoidFacts]
    amended_by: dict[UUID, int]
    not_given: int | None
    corrections: Mapping[UUID, Sequence[Corrected]] = field(default_factory=dict)
    """What was corrected of each lot, and of the lot it became, the first first."""

    @property
    def row_count(self) -> int:
        """How many doses there are."""
        return len(self.ids) // _ID_BYTES

    def batches(self, size: int) -> Iterator[list[UUID]]:
        """The ids in order, `size` at a time."""
        step = size * _ID_BYTES
        for start in range(0, len(self.ids), step):
            chunk = self.ids[start : start + step]
            yield [UUID(bytes=chunk[at : at + _ID_BYTES]) for at in range(0, len(chunk), _ID_BYTES)]


@contextmanager
def reading() -> Iterator[Connection]:
    """One short read of a single state, beside whatever the session is doing."""
    with db.engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        yield connection


def take_snapshot(selection: Selection, up_to: int | None = None) -> Snapshot:
    """Fix which doses the report shows, and what had been said of them up to the link `up_to` of the chain, or up to now."""
    with reading() as connection:
        head = connection.execute(select(AuditHead.seq, AuditHead.hash)).one()
        later = later_than(connection, up_to)
        return Snapshot(
            head_seq=head.seq,
            head_hash=head.hash,
            ids=_ids(connection, selection, later),
            voids=_voids(connection, selection, later),
            amended_by=_amended_by(connection, selection, later),
            not_given=_not_given(connection, selection, later),
            corrections=_corrections(connection, later),
        )


def _narrowed(statement: Wide, selection: Selection) -> Wide:
    statement = statement.where(
        Dose.site_id.in_([site.id for site in selection.sites]),
        Dose.given_at >= _midnight(selection.first_day) - _WIDEST_OFFSET,
        Dose.given_at < _midnight(selection.last_day) + timedelta(days=1) + _WIDEST_OFFSET,
        Dose.given_on >= selection.first_day,
        Dose.given_on <= selection.last_day,
    )
    for column, wanted in (
        (Dose.giver_id, selection.giver_id),
        (Dose.patient_id, selection.patient_id),
        (Dose.formulation_id, selection.formulation_id),
        (Dose.body_site, selection.body_site),
    ):
        if wanted is not None:
            statement = statement.where(column == wanted)
    if selection.lot_ids is not None:
        drawn = exists().where(DoseSource.dose_id == Dose.id, DoseSource.lot_id.in_(selection.lot_ids))
        statement = statement.where(drawn)
    return statement


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=UTC)


def _ids(connection: Connection, selection: Selection, later: Later) -> bytes:
    statement = _narrowed(select(Dose.id), selection).where(Dose.id.not_in(later.doses))
    statement = statement.order_by(Dose.given_at, Dose.id)
    ids = bytearray()
    for dose_id in connection.execution_options(yield_per=_FETCH).execute(statement).scalars():
        ids += dose_id.bytes
    return bytes(ids)


def _voids(connection: Connection, selection: Selection, later: Later) -> dict[UUID, VoidFacts]:
    anew = aliased(Dose)
    statement = (
        select(
            DoseVoid.dose_id,
            DoseVoid.kind,
            DoseVoid.reason,
            DoseVoid.voided_at,
            User.display_name,
            anew.number,
        )
        .join(Dose, Dose.id == DoseVoid.dose_id)
        .join(User, User.id == DoseVoid.actor_id)
        .outerjoin(anew, anew.id == DoseVoid.replaced_by_id)
        .where(DoseVoid.dose_id.not_in(later.voids))
    )
    return {row[0]: VoidFacts(*row[1:]) for row in connection.execute(_narrowed(statement, selection))}


def _amended_by(connection: Connection, selection: Selection, later: Later) -> dict[UUID, int]:
    anew = aliased(Dose)
    statement = select(anew.amends_id, anew.number).join(Dose, Dose.id == anew.amends_id)
    statement = statement.where(anew.id.not_in(later.doses))
    return {row[0]: row[1] for row in connection.execute(_narrowed(statement, selection))}


def _corrections(connection: Connection, later: Later) -> dict[UUID, list[Corrected]]:
    found = every_later_word(connection)
    if not later.corrections:
        return found
    made = select(LotCorrection.lot_id, LotCorrection.position).where(LotCorrection.id.in_(later.corrections))
    since = {tuple(row) for row in connection.execute(made)}
    return {
        lot_id: [one for one in told if (one.lot_id, one.position) not in since]
        for lot_id, told in found.items()
    }


def _not_given(connection: Connection, selection: Selection, later: Later) -> int | None:
    """How often a dose was not given; None where a filter speaks of what only a given dose has."""
    if selection.lot_ids is not None or selection.body_site is not None:
        return None
    statement = select(func.count()).where(
        NotGiven.site_id.in_([site.id for site in selection.sites]),
        NotGiven.decided_on >= selection.first_day,
        NotGiven.decided_on <= selection.last_day,
        NotGiven.id.not_in(later.not_given),
    )
    for column, wanted in (
        (NotGiven.actor_id, selection.giver_id),
        (NotGiven.patient_id, selection.patient_id),
        (NotGiven.formulation_id, selection.formulation_id),
    ):
        if wanted is not None:
            statement = statement.where(column == wanted)
    return int(connection.execute(statement).scalar_one())
