"""Recalls: the lots a notice names, under their former numbers too, what stands of them, and what became of the rest."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session, aliased

from inventory.catalogue.models import Product
from inventory.clinic.models import Location, Site
from inventory.kernel.errors import not_found
from inventory.staff.models import User
from inventory.stock.models import (
    Account,
    AccountKind,
    AdjustReason,
    Disposal,
    DisposalKind,
    DisposalLine,
    Hold,
    HoldKind,
    Lot,
    Movement,
    MovementKind,
    Recall,
    RecallLine,
    Vial,
)
from inventory.web.pagination import Page, paginate


@dataclass(frozen=True, slots=True)
class RecallRow:
    """A recall with the site that numbered it and the names of who opened and closed it."""

    recall: Recall
    site_code: str
    opened_by: str
    closed_by: str | None
    lots: int = 0

    @property
    def label(self) -> str:
        """The number of the recall as it is written everywhere: `MAIN-R003`."""
        return recall_label(self.site_code, self.recall.number)

    @property
    def is_open(self) -> bool:
        """Whether it is not closed out."""
        return self.recall.closed_at is None


@dataclass(frozen=True, slots=True)
class LineRow:
    """One line of a recall with its lot and hold, where the number is of a lot of ours."""

    line: RecallLine
    lot: Lot | None
    hold: Hold | None
    product_name: str
    added_by: str


class Standing(NamedTuple):
    """Where stock of a recalled lot is: sealed containers, an open vial, or on its way (no location). Microlitres."""

    lot_id: UUID
    lot_number: str
    container_volume_ul: int
    site_id: UUID | None
    site_name: str | None
    location_name: str | None
    kind: AccountKind
    vial_id: UUID | None
    label_number: int | None
    volume_ul: int

    @property
    def containers(self) -> int:
        """Sealed containers; what is in a vial is no container any more."""
        return 0 if self.kind == AccountKind.VIAL else self.volume_ul // self.container_volume_ul


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of a lot, in microlitres. `held` is still on hand or on its way; `destroyed` is not counted as wasted.

    `merged` went over to another number of the same lot, and is not among `adjusted`.
    """

    received: int = 0
    given: int = 0
    wasted: int = 0
    returned: int = 0
    destroyed: int = 0
    adjusted: int = 0
    merged: int = 0
    held: int = 0

    @property
    def found(self) -> int:
        """What was found, less what is missing: below 0 where more is missing than was found."""
        return -self.adjusted

    def __add__(self, other: "Fate") -> "Fate":
        return Fate(*(getattr(self, name) + getattr(other, name) for name in self.__dataclass_fields__))


def recall_label(site_code: str, number: int) -> str:
    """Return the number of a recall as it is written everywhere: `MAIN-R003`."""
    return f"{site_code}-R{number:03d}"


def recalls_page(session: Session, *, cursor: str = "") -> Page[Any]:
    """Return a page of all recalls, the last opened first, as rows of (Recall, site code, open holds)."""
    held = (
        select(func.count())
        .select_from(RecallLine)
        .join(Hold, Hold.id == RecallLine.hold_id)
        .where(RecallLine.recall_id == Recall.id, Hold.released_at.is_(None))
        .scalar_subquery()
    )
    numbers = (
        select(func.count(RecallLine.lot_number_key.distinct()))
        .where(RecallLine.recall_id == Recall.id)
        .scalar_subquery()
    )
    statement = select(Recall, Site.code, held.label("held"), numbers.label("numbers")).join(
        Site, Site.id == Recall.site_id
    )
    order = [Recall.opened_at, Recall.id]
    return paginate(session, statement, order=order, newest_first=True, cursor=cursor)


def open_recalls(session: Session) -> int:
    """Return how many recalls are not closed out."""
    return int(
        session.scalar(select(func.count()).select_from(Recall).where(Recall.closed_at.is_(None))) or 0
    )


def recalls_under_way(session: Session) -> list[RecallRow]:
    """Return the recalls that are not closed out, the last opened first."""
    rows = session.execute(
        select(Recall, Site.code, User.display_name)
        .join(Site, Site.id == Recall.site_id)
        .join(User, User.id == Recall.opened_by_id)
        .where(Recall.closed_at.is_(None))
        .order_by(Recall.opened_at.desc(), Recall.id)
    )
    return [RecallRow(recall, code, opened_by, None) for recall, code, opened_by in rows]


def recall_by_id(session: Session, recall_id: UUID, *, lock: bool = False) -> Recall:
    """Return the recall; with `lock`, held until the act ends. Raises Refusal NOT-FOUND."""
    statement = select(Recall).where(Recall.id == recall_id)
    recall = session.scalar(statement.with_for_update() if lock else statement)
    if recall is None:
        raise not_found("recall")
    return recall


def recall_row(session: Session, recall_id: UUID) -> RecallRow:
    """Return a recall as a page shows it. Raises Refusal NOT-FOUND."""
    recall = recall_by_id(session, recall_id)
    code = session.scalar(select(Site.code).where(Site.id == recall.site_id))
    people = {recall.opened_by_id} | ({recall.closed_by_id} if recall.closed_by_id else set())
    rows = session.execute(select(User.id, User.display_name).where(User.id.in_(people)))
    names = {row.id: row.display_name for row in rows}
    closed_by = names[recall.closed_by_id] if recall.closed_by_id else None
    return RecallRow(recall, str(code), names[recall.opened_by_id], closed_by)


def lines_of(session: Session, recall_id: UUID) -> list[LineRow]:
    """Return the lines of a recall in the order they were added."""
    rows = session.execute(
        select(RecallLine, Lot, Hold, Product.name, User.display_name)
        .outerjoin(Lot, Lot.id == RecallLine.lot_id)
        .outerjoin(Hold, Hold.id == RecallLine.hold_id)
        .outerjoin(Product, Product.id == func.coalesce(Lot.product_id, RecallLine.product_id))
        .join(User, User.id == RecallLine.actor_id)
        .where(RecallLine.recall_id == recall_id)
        .order_by(RecallLine.position)
    )
    return [LineRow(line, lot, hold, name or "", added_by) for line, lot, hold, name, added_by in rows]


def recalled_lot_ids(session: Session, recall_id: UUID) -> list[UUID]:
    """Return the lots of ours that a recall names."""
    found = select(RecallLine.lot_id).where(RecallLine.recall_id == recall_id, RecallLine.lot_id.is_not(None))
    return [lot_id for lot_id in session.scalars(found.distinct()) if lot_id is not None]


def recalls_of(session: Session, lot_id: UUID) -> list[tuple[UUID, str, str, bool, datetime | None]]:
    """Return the recalls that name a lot, the last opened first: id, label, title, whether it is a drill, when it was closed."""
    rows = session.execute(
        select(Recall, Site.code)
        .join(Site, Site.id == Recall.site_id)
        .where(Recall.id.in_(select(RecallLine.recall_id).where(RecallLine.lot_id == lot_id)))
        .order_by(Recall.opened_at.desc(), Recall.id)
    )
    return [
        (recall.id, recall_label(code, recall.number), recall.title, recall.is_drill, recall.closed_at)
        for recall, code in rows
    ]


def drills_among(session: Session, holds: Iterable[Hold]) -> frozenset[UUID]:
    """Return which of the holds are of recalls that are only practised. Asks only where one is of a recall."""
    ids = {hold.id for hold in holds if hold.kind == HoldKind.RECALL}
    if not ids:
        return frozenset()
    of_drills = (
        select(RecallLine.hold_id)
        .join(Recall, Recall.id == RecallLine.recall_id)
        .where(Recall.is_drill, RecallLine.hold_id.is_not(None))
    )
    return frozenset(hold_id for hold_id in session.scalars(of_drills) if hold_id is not None) & ids


_ON_HAND = (AccountKind.SHELF, AccountKind.VIAL, AccountKind.TRANSIT)


def standing_stock(session: Session, lot_ids: Collection[UUID]) -> list[Standing]:
    """Return where stock of the lots is now: on shelves, in open vials, on its way; by site, location and lot."""
    rows: Any = session.execute(
        select(
            Account.lot_id,
            Lot.lot_number,
            Lot.container_volume_ul,
            Site.id,
            Site.name,
            Location.name,
            Account.kind,
            Account.vial_id,
            Vial.label_number,
            Account.balance_ul,
        )
        .join(Lot, Lot.id == Account.lot_id)
        .outerjoin(Location, Location.id == Account.location_id)
        .outerjoin(Site, Site.id == Location.site_id)
        .outerjoin(Vial, Vial.id == Account.vial_id)
        .where(Account.lot_id.in_(lot_ids), Account.kind.in_(_ON_HAND), Account.balance_ul > 0)
        .order_by(Site.name, Location.name, Lot.lot_number, Account.id)
    )
    found = [Standing(*row) for row in rows]
    return sorted(found, key=lambda one: one.kind == AccountKind.TRANSIT)


def unresolved_stock(session: Session, recall_id: UUID) -> list[Standing]:
    """Return the stock of a recall's lots that still lies somewhere, of those whose hold nobody has released."""
    held = (
        select(RecallLine.lot_id)
        .join(Hold, Hold.id == RecallLine.hold_id)
        .where(RecallLine.recall_id == recall_id, Hold.released_at.is_(None))
    )
    return standing_stock(session, {lot_id for lot_id in session.scalars(held) if lot_id is not None})


def fates_of(session: Session, lot_ids: Iterable[UUID]) -> dict[UUID, Fate]:
    """Return what became of each lot."""
    ids = set(lot_ids)
    sums: defaultdict[UUID, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    rows = session.execute(
        select(Account.lot_id, Account.kind, func.sum(Account.balance_ul))
        .where(Account.lot_id.in_(ids))
        .group_by(Account.lot_id, Account.kind)
    )
    for lot_id, kind, balance in rows:
        sums[lot_id][_FATES[AccountKind(kind)]] += int(balance)
    destroyed, merged = _destroyed(session, ids), _merged(session, ids)
    return {lot_id: _fate(sums[lot_id], destroyed.get(lot_id, 0), merged.get(lot_id, 0)) for lot_id in ids}


_FATES = {
    AccountKind.SUPPLIER: "received",
    AccountKind.GIVEN: "given",
    AccountKind.WASTE: "wasted",
    AccountKind.RETURNED: "returned",
    AccountKind.ADJUSTMENT: "adjusted",
    **dict.fromkeys(_ON_HAND, "held"),
}


def _fate(sums: dict[str, int], destroyed: int, merged: int) -> Fate:
    return Fate(
        received=-sums["received"],
        given=sums["given"],
        wasted=sums["wasted"] - destroyed,
        returned=sums["returned"],
        destroyed=destroyed,
        adjusted=sums["adjusted"] - merged,
        merged=merged,
        held=sums["held"],
    )


def _destroyed(session: Session, lot_ids: set[UUID]) -> dict[UUID, int]:
    undone = select(Movement.reverses_id).where(
        Movement.reverses_id.is_not(None), Movement.lot_id.in_(lot_ids)
    )
    rows = session.execute(
        select(DisposalLine.lot_id, func.sum(DisposalLine.amount_ul))
        .join(Disposal, Disposal.id == DisposalLine.disposal_id)
        .where(
            Disposal.kind == DisposalKind.DESTRUCTION,
            DisposalLine.lot_id.in_(lot_ids),
            DisposalLine.movement_id.not_in(undone),
        )
        .group_by(DisposalLine.lot_id)
    )
    return {row[0]: int(row[1]) for row in rows}


def _merged(session: Session, lot_ids: Collection[UUID]) -> dict[UUID, int]:
    """Return by lot what went over to another number of it, less what came over."""
    into = select(Account.id).where(Account.kind == AccountKind.ADJUSTMENT, Account.lot_id.in_(lot_ids))
    signed = case((Movement.to_id.in_(into), Movement.amount_ul), else_=-Movement.amount_ul)
    rows = session.execute(
        select(Movement.lot_id, func.sum(signed))
        .where(Movement.lot_id.in_(lot_ids), Movement.reason == AdjustReason.MERGED)
        .group_by(Movement.lot_id)
    )
    return {lot_id: int(volume_ul) for lot_id, volume_ul in rows}


_KNOWN_CAUSE = (
    AdjustReason.MERGED,
    AdjustReason.OVERFILL,
    AdjustReason.SHORTFALL,
    AdjustReason.OPENING_BALANCE,
)


def missing_stock(session: Session, lot_ids: Collection[UUID]) -> tuple[int, int]:
    """Return what is missing of the lots and was not found again: sealed containers, and microlitres of opened vials."""
    out, back = aliased(Account), aliased(Account)
    undone = select(Movement.reverses_id).where(
        Movement.reverses_id.is_not(None), Movement.lot_id.in_(lot_ids)
    )
    is_missing = back.kind == AccountKind.ADJUSTMENT
    kind = case((is_missing, out.kind), else_=back.kind)
    rows = session.execute(
        select(Lot.container_volume_ul, kind, func.sum(case((is_missing, 1), else_=-1) * Movement.amount_ul))
        .join(Lot, Lot.id == Movement.lot_id)
        .join(out, out.id == Movement.from_id)
        .join(back, back.id == Movement.to_id)
        .where(
            Movement.lot_id.in_(lot_ids),
            Movement.kind == MovementKind.ADJUST,
            Movement.reason.not_in(_KNOWN_CAUSE),
            Movement.id.not_in(undone),
        )
        .group_by(Movement.lot_id, Lot.container_volume_ul, kind)
    )
    lost = [(int(content), kind, int(missing)) for content, kind, missing in rows if missing > 0]
    sealed = sum(missing // content for content, kind, missing in lost if kind == AccountKind.SHELF)
    return sealed, sum(missing for _, kind, missing in lost if kind == AccountKind.VIAL)
