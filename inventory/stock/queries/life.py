"""A lot's life: its movements a page at a time, its holds, receipts and balances, with the names of who and where."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select, true
from sqlalchemy.orm import Session, aliased

from inventory.catalogue.models import Supplier
from inventory.clinic.models import Location, Site
from inventory.staff.models import User
from inventory.stock.models import Account, AccountKind, Disposal, Hold, Lot, Movement, Receipt, Vial
from inventory.stock.queries.corrections import Corrected, corrections_of
from inventory.stock.queries.disposals import disposals_of_movements
from inventory.stock.queries.on_hand import at_its_place
from inventory.stock.queries.recalls import drills_among
from inventory.stock.queries.transfers import Consigned, lost_on_the_way, of_movements
from inventory.web.pagination import Page, paginate


@dataclass(frozen=True, slots=True)
class Told:
    """A movement with what a reader needs: the labels of the vials it touches, and what it reverses."""

    movement: Movement
    from_label: int | None
    to_label: int | None
    touches_vial: bool
    is_into_stock: bool
    reversed_kind: str | None
    document: Disposal | None = None
    """The return or destruction that the movement was posted for."""
    transfer: Consigned | None = None
    """The transfer that the movement was posted for."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """A receipt, who delivered it and whether it was undone."""

    receipt: Receipt
    supplier: str
    is_reversed: bool


@dataclass(frozen=True, slots=True)
class Life:
    """One page of a lot's movements, newest first, all of its holds, and what was corrected of it."""

    lot: Lot
    page: Page[Movement]
    movements: Sequence[Told]
    holds: Sequence[Hold]
    names: dict[UUID, str] = field(default_factory=dict)
    locations: dict[UUID, str] = field(default_factory=dict)
    corrections: Sequence[Corrected] = ()
    scopes: dict[UUID, str] = field(default_factory=dict)
    """What each hold is of, in words."""
    drills: frozenset[UUID] = frozenset()
    """The holds of recalls that are only practised."""

    def shows(self, instant: datetime) -> bool:
        """Tell whether an instant falls on this page of the life."""
        newest = self.movements[0].movement.occurred_at if self.movements else None
        oldest = self.movements[-1].movement.occurred_at if self.movements else None
        after = not self.page.next or (oldest is not None and instant >= oldest)
        before = not self.page.previous or (newest is not None and instant <= newest)
        return after and before


def life_of(
    session: Session,
    lot: Lot,
    *,
    cursor: str = "",
    size: int = 50,
    site_ids: Collection[UUID] | None = None,
) -> Life:
    """Return a page of the lot's life, of those sites only where some are named.

    Every movement touches an account of the lot itself or a shelf of it, and is found by that.
    """
    own = list(session.scalars(select(Account.id).where(Account.lot_id == lot.id, Account.vial_id.is_(None))))
    page: Page[Movement] = paginate(
        session,
        select(Movement).where(
            or_(Movement.from_id.in_(own), Movement.to_id.in_(own)), _at(Movement.site_id, site_ids)
        ),
        order=[Movement.occurred_at, Movement.id],
        newest_first=True,
        cursor=cursor,
        size=size,
    )
    holds = holds_of(session, lot.id)
    return replace(_life(session, lot, page, holds), corrections=corrections_of(session, lot.id))


def holds_of(session: Session, lot_id: UUID) -> list[Hold]:
    """Return the lot's holds, newest first."""
    return list(
        session.scalars(
            select(Hold).where(Hold.lot_id == lot_id).order_by(Hold.held_at.desc(), Hold.id.desc())
        )
    )


def receipts_of(
    session: Session, lot_id: UUID, *, site_ids: Collection[UUID] | None = None
) -> list[Delivered]:
    """Return the lot's receipts, newest first, of those sites only where some are named."""
    undone = aliased(Movement)
    rows = session.execute(
        select(Receipt, Supplier.name, undone.id)
        .outerjoin(Supplier, Supplier.id == Receipt.supplier_id)
        .outerjoin(undone, undone.reverses_id == Receipt.movement_id)
        .where(Receipt.lot_id == lot_id, _at(Receipt.site_id, site_ids))
        .order_by(Receipt.received_at.desc(), Receipt.id.desc())
    )
    return [
        Delivered(receipt, supplier or "", undone_id is not None) for receipt, supplier, undone_id in rows
    ]


def balances_of(
    session: Session, lot_id: UUID, *, site_ids: Collection[UUID] | None = None
) -> list[tuple[AccountKind, str, UUID | None, int]]:
    """Return what each account of the lot that is no vial holds, in microlitres: kind, location's name and id, balance.

    With `site_ids`, shelves of other sites are left out.
    """
    here = or_(Account.location_id.is_(None), _at(Location.site_id, site_ids))
    rows = session.execute(
        select(Account.kind, Site.code, Location.name, Account.location_id, Account.balance_ul)
        .outerjoin(Location, Location.id == Account.location_id)
        .outerjoin(Site, Site.id == Location.site_id)
        .where(Account.lot_id == lot_id, Account.vial_id.is_(None), here)
        .order_by(Account.id)
    )
    return [
        (AccountKind(kind), f"{name}, {code}" if name else "", location_id, balance)
        for kind, code, name, location_id, balance in rows
    ]


def vials_of(
    session: Session, lot_id: UUID, *, most: int = 200, site_ids: Collection[UUID] | None = None
) -> list[tuple[Vial, int, str]]:
    """Return the lot's labelled vials, newest first, with what each holds (microlitres) and where it is.

    With `site_ids`, vials that are at other sites are left out.
    """
    rows = session.execute(
        select(Vial, Account.balance_ul, Location.name)
        .join(Account, at_its_place())
        .join(Location, Location.id == Vial.location_id)
        .where(Vial.lot_id == lot_id, Vial.label_number.is_not(None), _at(Location.site_id, site_ids))
        .order_by(Vial.opened_at.desc(), Vial.id.desc())
        .limit(most)
    )
    return [(vial, balance, place) for vial, balance, place in rows]


def vial_life(session: Session, vial_id: UUID, *, most: int = 500) -> Life:
    """Return what happened to one vial, newest first: its movements, and the holds on it alone."""
    lot = session.scalars(select(Lot).join(Vial, Vial.lot_id == Lot.id).where(Vial.id == vial_id)).one()
    own = list(session.scalars(select(Account.id).where(Account.vial_id == vial_id)))
    lost = lost_on_the_way(vial_id)
    moved = session.scalars(
        select(Movement)
        .where(or_(Movement.from_id.in_(own), Movement.to_id.in_(own), Movement.id.in_(lost)))
        .order_by(Movement.occurred_at.desc(), Movement.id.desc())
        .limit(most)
    ).all()
    holds = [hold for hold in holds_of(session, lot.id) if hold.vial_id == vial_id]
    return _life(session, lot, Page(moved), holds)


def names_of(session: Session, user_ids: Iterable[UUID]) -> dict[UUID, str]:
    """Return the names of people by id."""
    rows = session.execute(select(User.id, User.display_name).where(User.id.in_(set(user_ids))))
    return {user_id: name for user_id, name in rows}  # noqa: C416  rows are not pairs to the type checker


def location_names(session: Session, location_ids: Iterable[UUID]) -> dict[UUID, str]:
    """Return the names of storage locations by id."""
    rows = session.execute(select(Location.id, Location.name).where(Location.id.in_(set(location_ids))))
    return {location_id: name for location_id, name in rows}  # noqa: C416  as above


def hold_scopes(session: Session, holds: Collection[Hold]) -> dict[UUID, str]:
    """Return what each hold is of, in words, by its id: everywhere, at one location, or one vial."""
    places = {hold.location_id for hold in holds if hold.location_id}
    names = location_names(session, places) if places else {}
    vials = {hold.vial_id for hold in holds if hold.vial_id}
    rows = session.execute(select(Vial.id, Vial.label_number).where(Vial.id.in_(vials))) if vials else ()
    labels = {row[0]: row[1] for row in rows}
    return {hold.id: _scope(hold, names, labels) for hold in holds}


def _scope(hold: Hold, names: dict[UUID, str], labels: dict[UUID, int | None]) -> str:
    if hold.vial_id is not None:
        return f"only vial {labels[hold.vial_id] or 'without a label'}"
    return f"only in {names[hold.location_id]}" if hold.location_id is not None else "everywhere"


def _at(column: Any, site_ids: Collection[UUID] | None) -> ColumnElement[bool]:
    """Return the condition that a row is of one of the sites; of any where none are named."""
    return true() if site_ids is None else column.in_(site_ids)


def _life(session: Session, lot: Lot, page: Page[Movement], holds: Sequence[Hold]) -> Life:
    people = {m.actor_id for m in page.items} | {m.witness_id for m in page.items if m.witness_id}
    people |= {h.held_by_id for h in holds} | {h.released_by_id for h in holds if h.released_by_id}
    return Life(
        lot=lot,
        page=page,
        movements=_told(session, page.items),
        holds=holds,
        names=names_of(session, people),
        locations=location_names(session, {m.location_id for m in page.items}),
        scopes=hold_scopes(session, holds),
        drills=drills_among(session, holds),
    )


def _told(session: Session, movements: Sequence[Movement]) -> list[Told]:
    touched = {m.from_id for m in movements} | {m.to_id for m in movements}
    rows = session.execute(
        select(Account.id, Account.kind, Vial.label_number)
        .outerjoin(Vial, Vial.id == Account.vial_id)
        .where(Account.id.in_(touched))
    )
    accounts = {key: (kind, label) for key, kind, label in rows}
    undone = {m.reverses_id for m in movements if m.reverses_id}
    kinds = dict(_kinds(session, undone))
    papers = disposals_of_movements(session, [m.id for m in movements])
    sent = of_movements(session, [m.id for m in movements])
    return [
        Told(
            movement=m,
            from_label=accounts[m.from_id][1],
            to_label=accounts[m.to_id][1],
            touches_vial=AccountKind.VIAL in {accounts[m.from_id][0], accounts[m.to_id][0]},
            is_into_stock=accounts[m.to_id][0] in {AccountKind.SHELF, AccountKind.VIAL},
            reversed_kind=kinds.get(m.reverses_id or 0),
            document=papers.get(m.id),
            transfer=sent.get(m.id),
        )
        for m in movements
    ]


def _kinds(session: Session, movement_ids: set[int]) -> list[tuple[int, str]]:
    if not movement_ids:
        return []
    rows = session.execute(select(Movement.id, Movement.kind).where(Movement.id.in_(movement_ids)))
    return [(movement_id, kind) for movement_id, kind in rows]
