"""Which doses a report is about, and the state of the clinic that it shows.

Law 6: the period counts each site's own days, as the dose stored its day. Law 10: the state is that of one
head of the chain. It is fixed in one short transaction (the doses' ids in order, and what was said of
them since); the rows themselves are never changed, so that they can then be read in short transactions.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Select, event, exists, func, select, true
from sqlalchemy.engine import Connection
from sqlalchemy.orm import aliased

from inventory.audit.models import AuditHead
from inventory.doses.models import Dose, DoseSource, DoseVoid, NotGiven
from inventory.doses.rules.terms import BodySite
from inventory.kernel.db import db
from inventory.reports.queries.as_of import RECORDED, AsOf, Called, called
from inventory.reports.queries.gaps import Gap, gaps_of, last_numbers
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
    patient_ids: tuple[UUID, ...] = ()
    """The other records of that person, as they were merged when the report was asked for: what is merged later is not in it."""
    formulation_id: UUID | None = None
    lot_ids: tuple[UUID, ...] | None = None
    body_site: BodySite | None = None
    person_id: UUID | None = None
    """Who looked at patients; only a report of looks asks it."""
    last_look: int | None = None
    """The number of the newest look that is seen: looks stand beside the chain."""
    last_numbers: Mapping[UUID, int] = field(default_factory=dict)
    """The number of a dose that each site gave last; only a report of what is incomplete asks it."""

    @property
    def records(self) -> tuple[UUID, ...] | None:
        """Every record of the one patient whom it is about; None where it is about everybody."""
        return None if self.patient_id is None else (self.patient_id, *self.patient_ids)


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
    amends: dict[UUID, int]
    not_given: int | None
    corrections: Mapping[UUID, Sequence[Corrected]] = field(default_factory=dict)
    """What was corrected of each lot, and of the lot it became, the first first."""
    called: Called = field(default_factory=Called)
    gaps: Sequence[Gap] = ()
    """Numbers of doses that were skipped, at the sites of the selection."""

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
def reading(*, streams: bool = False) -> Iterator[Connection]:
    """One short read of a single state, beside whatever the session is doing. With `streams`, rows come as they are taken."""
    with db.engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        with _streaming(connection) if streams else nullcontext():
            yield connection


@contextmanager
def _streaming(connection: Connection) -> Iterator[None]:
    """Have rows come as they are taken, and close what was not read to its end: on PostgreSQL a cursor stays open in the server."""
    cursors: list[Any] = []
    event.listen(connection, "after_cursor_execute", lambda _, cursor, *__: cursors.append(cursor))
    connection.execution_options(yield_per=_FETCH)
    try:
        yield
    finally:
        for cursor in cursors:
            cursor.close()


def take_snapshot(selection: Selection, up_to: int | None = None, *, tells_gaps: bool = True) -> Snapshot:
    """Fix which doses the report shows, and what had been said of them up to the link `up_to` of the chain, or up to now.

    Without `tells_gaps`, no skipped numbers are looked for: whoever needs only rows is spared counting every dose.
    """
    with reading() as connection:
        head = head_of(connection)
        as_of = AsOf(None if up_to is None or up_to >= head.seq else up_to)
        names = called(connection, as_of)
        return Snapshot(
            head_seq=head.seq,
            head_hash=head.hash,
            ids=_ids(connection, selection, as_of),
            voids=_voids(connection, selection, as_of, names.people),
            amended_by=_amended_by(connection, selection, as_of),
            amends=_amends(connection, selection),
            not_given=_not_given(connection, selection, as_of),
            corrections=_corrections(connection, as_of, names.people),
            called=names,
            gaps=_gaps(connection, selection, as_of, names) if tells_gaps else (),
        )


def _gaps(connection: Connection, selection: Selection, as_of: AsOf, names: Called) -> list[Gap]:
    last = last_numbers(connection, [site.id for site in selection.sites], as_of)
    return gaps_of(connection, last, as_of, names.codes)


def head_of(connection: Connection) -> Any:
    """The head of the chain in this read: `seq` and `hash`."""
    return connection.execute(select(AuditHead.seq, AuditHead.hash)).one()


def narrowed(statement: Wide, selection: Selection) -> Wide:
    statement = statement.where(
        Dose.site_id.in_([site.id for site in selection.sites]),
        Dose.given_at >= _midnight(selection.first_day) - _WIDEST_OFFSET,
        Dose.given_at < _midnight(selection.last_day) + timedelta(days=1) + _WIDEST_OFFSET,
        Dose.given_on >= selection.first_day,
        Dose.given_on <= selection.last_day,
    )
    for column, wanted in (
        (Dose.giver_id, selection.giver_id),
        (Dose.formulation_id, selection.formulation_id),
        (Dose.body_site, selection.body_site),
    ):
        if wanted is not None:
            statement = statement.where(column == wanted)
    if selection.records is not None:
        statement = statement.where(Dose.patient_id.in_(selection.records))
    if selection.lot_ids is not None:
        drawn = exists().where(DoseSource.dose_id == Dose.id, DoseSource.lot_id.in_(selection.lot_ids))
        statement = statement.where(drawn)
    return statement


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=UTC)


def _ids(connection: Connection, selection: Selection, as_of: AsOf) -> bytes:
    statement = narrowed(select(Dose.id), selection).where(as_of.known(Dose.id, *RECORDED))
    statement = statement.order_by(Dose.given_at, Dose.id)
    ids = bytearray()
    for dose_id in connection.execution_options(yield_per=_FETCH).execute(statement).scalars():
        ids += dose_id.bytes
    return bytes(ids)


def _voids(
    connection: Connection, selection: Selection, as_of: AsOf, people: Mapping[UUID, str]
) -> dict[UUID, VoidFacts]:
    later = aliased(Dose)
    statement = (
        select(
            DoseVoid.dose_id,
            DoseVoid.kind,
            DoseVoid.reason,
            DoseVoid.voided_at,
            DoseVoid.actor_id,
            later.number,
        )
        .join(Dose, Dose.id == DoseVoid.dose_id)
        .outerjoin(later, later.id == DoseVoid.replaced_by_id)
        .where(void_known(as_of))
    )
    return {
        row.dose_id: VoidFacts(row.kind, row.reason, row.voided_at, people[row.actor_id], row.number)
        for row in connection.execute(narrowed(statement, selection))
    }


def void_known(as_of: AsOf) -> ColumnElement[bool]:
    """The condition that a void was recorded by then: by an entry of its own, or by that of the entry which amends the dose."""
    if as_of.seq is None:
        return true()
    anew = aliased(Dose)
    amending = select(anew.amends_id).where(
        anew.id.in_(as_of.later("doses.amend")), anew.amends_id.is_not(None)
    )
    return as_of.known(DoseVoid.dose_id, "doses.void") & DoseVoid.dose_id.not_in(amending)


def _amended_by(connection: Connection, selection: Selection, as_of: AsOf) -> dict[UUID, int]:
    later = aliased(Dose)
    statement = (
        select(later.amends_id, later.number)
        .join(Dose, Dose.id == later.amends_id)
        .where(as_of.known(later.id, *RECORDED))
    )
    return {row[0]: row[1] for row in connection.execute(narrowed(statement, selection))}


def _amends(connection: Connection, selection: Selection) -> dict[UUID, int]:
    """The number of the dose that each amending one corrects."""
    old = aliased(Dose)
    statement = select(Dose.id, old.number).join(old, old.id == Dose.amends_id)
    return {row[0]: row[1] for row in connection.execute(narrowed(statement, selection))}


def _corrections(
    connection: Connection, as_of: AsOf, people: Mapping[UUID, str]
) -> dict[UUID, list[Corrected]]:
    moments = as_of.moments(connection, "lot")
    found = every_later_word(connection, among=lambda one: (one.lot_id, one.corrected_at) not in moments)
    return {
        lot_id: [replace(one, by=people[one.by_id], approved_by=people[one.approved_by_id]) for one in told]
        for lot_id, told in found.items()
    }


def _not_given(connection: Connection, selection: Selection, as_of: AsOf) -> int | None:
    """How often a dose was not given; None where a filter speaks of what only a given dose has."""
    if selection.lot_ids is not None or selection.body_site is not None:
        return None
    statement = select(func.count()).where(
        NotGiven.site_id.in_([site.id for site in selection.sites]),
        NotGiven.decided_on >= selection.first_day,
        NotGiven.decided_on <= selection.last_day,
        as_of.known(NotGiven.id, "doses.not-given"),
    )
    for column, wanted in (
        (NotGiven.actor_id, selection.giver_id),
        (NotGiven.formulation_id, selection.formulation_id),
    ):
        if wanted is not None:
            statement = statement.where(column == wanted)
    if selection.records is not None:
        statement = statement.where(NotGiven.patient_id.in_(selection.records))
    return int(connection.execute(statement).scalar_one())
