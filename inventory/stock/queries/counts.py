"""Counts of storage locations: what there is to count, without a number, and what was counted beside what the ledger held."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, case, exists, func, or_, select, union_all
from sqlalchemy.orm import Session, aliased, contains_eager

from inventory.catalogue.gs1 import Scan
from inventory.catalogue.models import Product
from inventory.clinic.models import Location
from inventory.kernel.errors import Refusal, not_found
from inventory.staff.models import User
from inventory.stock import rules
from inventory.stock.counting import field_of
from inventory.stock.models import (
    Account,
    AccountKind,
    CountOutcome,
    Lot,
    LotCorrection,
    Movement,
    MovementKind,
    StockCount,
    StockCountLine,
    StockCountResult,
    StockCountVariance,
    TransferLine,
    TransferReceipt,
    Vial,
)
from inventory.stock.queries.corrections import became
from inventory.stock.queries.life import location_names
from inventory.stock.queries.lots import lot_by_id, lots_of_scan
from inventory.stock.queries.on_hand import at_its_place
from inventory.web.pagination import Page, paginate

LISTED_FOR = timedelta(days=90)
"""How long a lot that was used up is still listed, so that the list does not say what is there."""

Key = tuple[UUID, UUID | None]
"""What a line is about: a lot's sealed containers, or one open vial of it."""


@dataclass(frozen=True, slots=True)
class ToCount:
    """Something to count: the sealed containers of a lot, or an open vial. How much there should be is not in it."""

    lot: Lot
    vial: Vial | None = None

    @property
    def key(self) -> Key:
        """What it is about."""
        return self.lot.id, self.vial.id if self.vial else None

    @property
    def field(self) -> str:
        """The name under which it is typed."""
        return field_of(*self.key)


@dataclass(frozen=True, slots=True)
class CountedLine:
    """A line that was handed in, beside what the ledger held at that moment, and why it differed once that is posted."""

    line: StockCountLine
    lot: Lot
    vial: Vial | None
    variance: StockCountVariance | None
    approver: str | None
    moved_meanwhile: bool
    told_late: bool = False
    """Whether what was done before the count, or a correction, was recorded only after it: it may be the difference."""

    @property
    def is_vial(self) -> bool:
        """Whether it is an open vial."""
        return self.vial is not None

    @property
    def difference_ul(self) -> int:
        """Microlitres; above zero where more was there than the ledger held."""
        return self.line.counted_ul - self.line.expected_ul

    @property
    def difference_containers(self) -> int:
        """Sealed containers; 0 for an open vial."""
        return 0 if self.is_vial else self.difference_ul // self.lot.container_volume_ul


@dataclass(frozen=True, slots=True)
class CountSummary:
    """A count in a list: where, and once it was handed in, how many lines and how many of them differed."""

    count: StockCount
    location: str
    result: StockCountResult | None
    lines: int
    differing: int


@dataclass(frozen=True, slots=True)
class CountRate:
    """The posted counts of one location in a period. Volumes in microlitres."""

    location_id: UUID
    location: str
    last_counted_at: datetime | None
    counts: int = 0
    lines: int = 0
    differing: int = 0
    counted_ul: int = 0
    differing_ul: int = 0


def count_by_id(
    session: Session, count_id: UUID, *, site_id: UUID | None = None, lock: bool = False
) -> StockCount:
    """Return a count, of this site where one is named; with `lock`, held until the act ends. Raises Refusal NOT-FOUND."""
    statement = select(StockCount).where(StockCount.id == count_id)
    found = session.scalar(statement.with_for_update() if lock else statement)
    if found is None or site_id not in (None, found.site_id):
        raise not_found("count")
    return found


def count_result(session: Session, count_id: UUID) -> StockCountResult | None:
    """Return what says that the count was handed in, if it was."""
    return session.get(StockCountResult, count_id)


def open_counts(session: Session, location_ids: Collection[UUID]) -> dict[UUID, StockCount]:
    """Return the counts that have not ended, by location."""
    rows = session.scalars(
        select(StockCount).where(StockCount.location_id.in_(location_ids), StockCount.closed_at.is_(None))
    )
    return {count.location_id: count for count in rows}


def last_counts(session: Session, site_id: UUID) -> dict[UUID, datetime]:
    """Return by storage location of the site when the last count that was posted was handed in."""
    rows = session.execute(
        select(StockCount.location_id, func.max(StockCountResult.counted_at))
        .join(StockCountResult, StockCountResult.count_id == StockCount.id)
        .where(StockCount.site_id == site_id, StockCount.outcome == CountOutcome.POSTED)
        .group_by(StockCount.location_id)
    )
    return {location_id: instant for location_id, instant in rows}  # noqa: C416  rows are not pairs to the type checker


def held_at(session: Session, count: StockCount, *, at: datetime) -> list[tuple[ToCount, int]]:
    """Return what there is to count and what the ledger holds of it now, in microlitres: for the act that hands in, not for pages."""
    since = min(at - LISTED_FOR, last_counts(session, count.site_id).get(count.location_id, at))
    rows = session.execute(_listed(count.location_id, since))
    found = [(ToCount(lot, vial), balance) for lot, vial, balance in rows]
    return sorted(found, key=lambda one: _order(one[0]))


def sheet(session: Session, count: StockCount, *, at: datetime, also: Iterable[UUID] = ()) -> list[ToCount]:
    """Return what there is to count, by product and expiry, with lots found besides; never how much there should be."""
    listed = [line for line, _ in held_at(session, count, at=at)]
    known = {line.key for line in listed}
    found = [lot_by_id(session, lot_id) for lot_id in dict.fromkeys(also) if (lot_id, None) not in known]
    return sorted([*listed, *map(ToCount, found)], key=_order)


def lots_named(session: Session, text: str, *, scan: Scan | None) -> list[UUID]:
    """Return the lots that a scan names, or else those of this number. Raises Refusal COUNT-LOT-UNKNOWN, LOT-NUMBER-INVALID."""
    found = lots_of_scan(session, scan) if scan else []
    if not found:
        key = rules.lot_number_key(text)
        found = list(session.scalars(select(Lot.id).where(Lot.lot_number_key == key).order_by(Lot.id)))
    if not found:
        said = "No lot of this number was ever received. If it is right, set it aside: a manager receives it first."
        raise Refusal("COUNT-LOT-UNKNOWN", said, "found")
    # A number that was a mistake means the lot that it was merged into.
    return list(dict.fromkeys(became(session, lot_id) for lot_id in found))


def is_on_its_way() -> ColumnElement[bool]:
    """Return the condition that a vial was sent and has not arrived."""
    arrived = exists().where(TransferReceipt.transfer_id == TransferLine.transfer_id)
    return exists().where(TransferLine.vial_id == Vial.id, ~arrived)


def vials_here(session: Session, vial_ids: Collection[UUID], location_id: UUID) -> set[UUID]:
    """Return those of the vials that are open and at the location, locked until the act ends."""
    rows = session.scalars(
        select(Vial)
        .where(Vial.id.in_(vial_ids), Vial.location_id == location_id, Vial.closed_at.is_(None))
        .where(~is_on_its_way())
        .order_by(Vial.id)
        .with_for_update(of=Vial, key_share=True)
    )
    return {vial.id for vial in rows}


def lines_of(session: Session, count: StockCount) -> list[CountedLine]:
    """Return the lines of a count in their order."""
    approver = aliased(User)
    rows = session.execute(
        select(StockCountLine, Lot, Vial, StockCountVariance, approver.display_name)
        .join(Lot, Lot.id == StockCountLine.lot_id)
        .join(Lot.product)
        .join(Product.formulation)
        .outerjoin(Vial, Vial.id == StockCountLine.vial_id)
        .outerjoin(StockCountVariance, _same_line())
        .outerjoin(Movement, Movement.id == StockCountVariance.movement_id)
        .outerjoin(approver, approver.id == Movement.witness_id)
        .options(contains_eager(Lot.product).contains_eager(Product.formulation))
        .where(StockCountLine.count_id == count.id)
        .order_by(StockCountLine.position)
    ).all()
    moved, late = _moved_meanwhile(session, count), _told_late(session, count)
    keys = [(row[0].lot_id, row[0].vial_id) for row in rows]
    return [
        CountedLine(*row, moved_meanwhile=key in moved, told_late=key in late)
        for row, key in zip(rows, keys, strict=True)
    ]


def counts_page(
    session: Session, *, site_id: UUID, location_id: UUID | None = None, cursor: str = ""
) -> Page[StockCount]:
    """Return a page of a site's counts, the newest first."""
    statement = select(StockCount).where(StockCount.site_id == site_id)
    if location_id:
        statement = statement.where(StockCount.location_id == location_id)
    order = [StockCount.started_at, StockCount.id]
    return paginate(session, statement, order=order, newest_first=True, cursor=cursor)


def summaries(session: Session, counts: Sequence[StockCount]) -> list[CountSummary]:
    """Return the counts with where they were and how they came out."""
    ids = {count.id for count in counts}
    places = location_names(session, {count.location_id for count in counts})
    results = session.scalars(select(StockCountResult).where(StockCountResult.count_id.in_(ids)))
    by_count = {result.count_id: result for result in results}
    rows = session.execute(
        select(StockCountLine.count_id, StockCountLine.counted_ul != StockCountLine.expected_ul).where(
            StockCountLine.count_id.in_(ids)
        )
    )
    lines = Counter((count_id, bool(differs)) for count_id, differs in rows)
    return [
        CountSummary(
            count,
            places[count.location_id],
            by_count.get(count.id),
            lines[count.id, True] + lines[count.id, False],
            lines[count.id, True],
        )
        for count in counts
    ]


def count_rates(session: Session, *, site_id: UUID, since: datetime, until: datetime) -> list[CountRate]:
    """Return by storage location what its posted counts handed in within the period came to; `until` is not part of it."""
    differs = func.abs(StockCountLine.counted_ul - StockCountLine.expected_ul)
    rows = session.execute(
        select(
            StockCount.location_id,
            func.count(StockCount.id.distinct()),
            func.count(StockCountLine.position),
            func.coalesce(func.sum(case((differs > 0, 1), else_=0)), 0),
            func.coalesce(func.sum(StockCountLine.counted_ul), 0),
            func.coalesce(func.sum(differs), 0),
        )
        .join(StockCountResult, StockCountResult.count_id == StockCount.id)
        .outerjoin(StockCountLine, StockCountLine.count_id == StockCount.id)
        .where(StockCount.site_id == site_id, StockCount.outcome == CountOutcome.POSTED)
        .where(StockCountResult.counted_at >= since, StockCountResult.counted_at < until)
        .group_by(StockCount.location_id)
    )
    sums = {location_id: tuple(map(int, numbers)) for location_id, *numbers in rows}
    last = last_counts(session, site_id)
    places = select(Location).where(
        Location.site_id == site_id, or_(Location.closed_at.is_(None), Location.id.in_(sums))
    )
    return [
        CountRate(place.id, place.name, last.get(place.id), *sums.get(place.id, ()))
        for place in session.scalars(places.order_by(Location.name, Location.id))
    ]


def _listed(location_id: UUID, since: datetime) -> Select[Lot, Vial, int]:
    """Shelves that hold something or did since then, and open vials. One statement: all of it is of one moment."""
    # Asked apart: together they would be sought among every container that was ever opened there.
    shelves = select(Account.id).where(
        Account.location_id == location_id,
        Account.kind == AccountKind.SHELF,
        or_(Account.balance_ul > 0, Account.last_occurred_at >= since),
    )
    opened = (
        select(Account.id)
        .select_from(Vial)
        .join(Account, at_its_place())
        .where(Vial.closed_at.is_(None), Vial.location_id == location_id, ~is_on_its_way())
    )
    listed = union_all(shelves, opened).subquery("listed")
    return (
        select(Lot, Vial, Account.balance_ul)
        .select_from(listed)
        .join(Account, Account.id == listed.c.id)
        .join(Lot, Lot.id == Account.lot_id)
        .join(Lot.product)
        .join(Product.formulation)
        .outerjoin(Vial, Vial.id == Account.vial_id)
        .options(contains_eager(Lot.product).contains_eager(Product.formulation))
        .where(~exists().where(LotCorrection.lot_id == Lot.id, LotCorrection.merged_into_id.is_not(None)))
    )


def _order(line: ToCount) -> tuple[object, ...]:
    lot, vial = line.lot, line.vial
    label = (vial.label_number or 0) if vial else 0
    return (
        lot.product.name,
        str(lot.strength),
        lot.product_id,
        lot.expires_on,
        lot.lot_number_key,
        lot.id,
        label,
    )


def _same_line() -> ColumnElement[bool]:
    return and_(
        StockCountVariance.count_id == StockCountLine.count_id,
        StockCountVariance.position == StockCountLine.position,
    )


def _moved_meanwhile(session: Session, count: StockCount) -> set[Key]:
    """Return what was moved at the location between the beginning of a count and its being handed in, whenever that was recorded."""
    result = count_result(session, count.id)
    if result is None:
        return set()
    rows = session.execute(
        select(Account.lot_id, Account.vial_id)
        .join(Movement, or_(Movement.from_id == Account.id, Movement.to_id == Account.id))
        .where(
            Account.location_id == count.location_id,
            Movement.occurred_at > count.started_at,
            Movement.occurred_at <= result.counted_at,
        )
    )
    return {(lot_id, vial_id) for lot_id, vial_id in rows}


def _told_late(session: Session, count: StockCount) -> set[Key]:
    """Return the lines of which something of before a count, or a correction, was recorded between handing in and posting."""
    result = count_result(session, count.id)
    if result is None or count.closed_at is not None:
        return set()
    undone = aliased(Movement)
    undoes = exists().where(undone.id == Movement.reverses_id, undone.occurred_at <= result.counted_at)
    same = or_(
        and_(StockCountLine.vial_id.is_not(None), Account.vial_id == StockCountLine.vial_id),
        and_(StockCountLine.vial_id.is_(None), Account.lot_id == StockCountLine.lot_id, _is_shelf_of(count)),
    )
    rows = session.execute(
        select(StockCountLine.lot_id, StockCountLine.vial_id)
        .join(Account, same)
        .join(Movement, or_(Movement.from_id == Account.id, Movement.to_id == Account.id))
        .where(StockCountLine.count_id == count.id, Movement.recorded_at > result.counted_at)
        .where(
            or_(
                Movement.occurred_at <= result.counted_at,
                Movement.kind == MovementKind.ADJUST,
                undoes,
            )
        )
    )
    return {(lot_id, vial_id) for lot_id, vial_id in rows}


def _is_shelf_of(count: StockCount) -> ColumnElement[bool]:
    """Return the condition that an account is a shelf of the location of a count."""
    return and_(Account.kind == AccountKind.SHELF, Account.location_id == count.location_id)
