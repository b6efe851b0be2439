"""The ledger's verbs: find an account, lock it, post a movement. The services of stock and doses are written with these.

Laws 1 to 3 are the database's own; what is checked here only words the refusal before the database would give it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast
from uuid import UUID

from sqlalchemy import Table, bindparam, func, insert, select
from sqlalchemy.orm import Session

from inventory.audit.acts import Act
from inventory.clinic.models import Location
from inventory.kernel.errors import Refusal
from inventory.kernel.laws import born_twice
from inventory.kernel.quantity import format_ml
from inventory.stock.models import Account, AccountKind, Movement, MovementKind, Vial

ACCOUNT = cast(Table, Account.__table__)
MOVEMENT = cast(Table, Movement.__table__)
LOCATION = cast(Table, Location.__table__)
# Statements that every dose sends are made once.
_LOT_ACCOUNTS = select(ACCOUNT.c.kind, ACCOUNT.c.id).where(
    ACCOUNT.c.lot_id == bindparam("lot_id"), ACCOUNT.c.location_id.is_(None)
)
_SHELF = select(ACCOUNT.c.id).where(
    ACCOUNT.c.lot_id == bindparam("lot_id"),
    ACCOUNT.c.location_id == bindparam("location_id"),
    ACCOUNT.c.kind == AccountKind.SHELF,
)
_LOCKED = (
    select(ACCOUNT.c.id, ACCOUNT.c.balance_ul)
    .where(ACCOUNT.c.id.in_(bindparam("ids", expanding=True)))
    .order_by(ACCOUNT.c.id)
    .with_for_update(key_share=True)
)
_BORN = insert(ACCOUNT).returning(ACCOUNT.c.id)
# An account is born when it is first needed; two acts may need it at one moment.
born_twice("uq_account_shelf", "uq_account_lot", "uq_account_vial")
LOT_ACCOUNTS = (
    AccountKind.SUPPLIER,
    AccountKind.GIVEN,
    AccountKind.WASTE,
    AccountKind.ADJUSTMENT,
    AccountKind.RETURNED,
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where something happens: a site and one of its storage locations."""

    site_id: UUID
    location_id: UUID


@dataclass(frozen=True, slots=True)
class Posting:
    """Volume to move between two accounts of a lot. Amount in microlitres."""

    kind: MovementKind
    from_id: int
    to_id: int
    amount_ul: int
    reason: str | None = None
    note: str | None = None
    witness_id: UUID | None = None
    reverses_id: int | None = None


def open_lot_accounts(session: Session, lot_id: UUID) -> None:
    """Give a new lot its accounts; shelves and vials get theirs when first used."""
    session.execute(insert(ACCOUNT), [_born(lot_id, kind) for kind in LOT_ACCOUNTS])


def open_vial_account(session: Session, *, lot_id: UUID, location_id: UUID, vial_id: UUID) -> int:
    """Give a new vial its account and return its id."""
    born = _born(lot_id, AccountKind.VIAL, location_id=location_id, vial_id=vial_id)
    return _inserted(session, born)


def lot_accounts(session: Session, lot_id: UUID) -> dict[AccountKind, int]:
    """Return the ids of a lot's own accounts by kind."""
    rows = session.execute(_LOT_ACCOUNTS, {"lot_id": lot_id})
    return {AccountKind(kind): account_id for kind, account_id in rows}


def shelf_account(session: Session, *, lot_id: UUID, location_id: UUID, create: bool = False) -> int:
    """Return the id of the lot's shelf at a location. Raises Refusal STOCK-SHORT when it never had one there."""
    found = session.scalar(_SHELF, {"lot_id": lot_id, "location_id": location_id})
    if found is not None:
        return int(found)
    if not create:
        raise Refusal("STOCK-SHORT", "This lot was never put on that shelf.", "location_id")
    return _inserted(session, _born(lot_id, AccountKind.SHELF, location_id=location_id))


def vial_account(session: Session, vial: Vial) -> int:
    """Return the id of a vial's account where it is now."""
    here = select(ACCOUNT.c.id).where(ACCOUNT.c.vial_id == vial.id, ACCOUNT.c.location_id == vial.location_id)
    return int(session.execute(here).scalar_one())


def vial_account_at(session: Session, vial: Vial, location_id: UUID) -> int:
    """Return the id of a vial's account at a location; it is born when the vial first comes there."""
    there = select(ACCOUNT.c.id).where(ACCOUNT.c.vial_id == vial.id, ACCOUNT.c.location_id == location_id)
    found = session.scalar(there)
    if found is not None:
        return int(found)
    return open_vial_account(session, lot_id=vial.lot_id, location_id=location_id, vial_id=vial.id)


def place_of(session: Session, vial: Vial) -> Place:
    """Return where a vial is now; the site that numbered its label may be another."""
    site_id = session.scalar(select(LOCATION.c.site_id).where(LOCATION.c.id == vial.location_id))
    assert site_id is not None  # noqa: S101  a foreign key holds it
    return Place(site_id, vial.location_id)


def transit_account(session: Session, lot_id: UUID) -> int:
    """Return the id of the account of what is on its way of a lot; it is born with the first transfer."""
    found = lot_accounts(session, lot_id).get(AccountKind.TRANSIT)
    return found if found is not None else _inserted(session, _born(lot_id, AccountKind.TRANSIT))


def lock_balances(session: Session, account_ids: Iterable[int]) -> dict[int, int]:
    """Lock the accounts in the order of their ids until the act ends; return their balances in microlitres."""
    rows = session.execute(_LOCKED, {"ids": sorted(set(account_ids))})
    return {row.id: row.balance_ul for row in rows}


def after_that_minutes_inflow(session: Session, account_id: int, occurred_at: datetime) -> datetime:
    """Return `occurred_at`, or the instant of that minute's last receipt or opening into the account, where a whole minute was typed.

    A clock reading typed by hand says no seconds: what was taken at 09:30 was taken after what came at 09:30:42.
    """
    if occurred_at.second or occurred_at.microsecond:
        return occurred_at
    last = session.scalar(
        select(func.max(MOVEMENT.c.occurred_at)).where(
            MOVEMENT.c.to_id == account_id,
            MOVEMENT.c.occurred_at >= occurred_at,
            MOVEMENT.c.occurred_at < occurred_at + timedelta(minutes=1),
        )
    )
    return last or occurred_at


def require(balance_ul: int, wanted_ul: int, *, what: str, field: str | None = None) -> None:
    """Raise Refusal STOCK-SHORT unless `what` holds as much as is wanted (microlitres)."""
    if wanted_ul > balance_ul:
        left, wanted = format_ml(balance_ul), format_ml(wanted_ul)
        raise Refusal("STOCK-SHORT", f"{what} holds {left} mL; {wanted} mL is more than is left.", field)


def post(act: Act, posting: Posting, *, lot_id: UUID, place: Place, occurred_at: datetime) -> int:
    """Post one movement, effective at `occurred_at`, and return its id. The database moves the balances."""
    return int(
        act.insert(
            Movement,
            {
                "act_id": act.id,
                "kind": posting.kind,
                "reason": posting.reason,
                "lot_id": lot_id,
                "from_id": posting.from_id,
                "to_id": posting.to_id,
                "amount_ul": posting.amount_ul,
                "site_id": place.site_id,
                "location_id": place.location_id,
                "occurred_at": occurred_at,
                "recorded_at": act.recorded_at,
                "actor_id": act.actor.id,
                "witness_id": posting.witness_id,
                "reverses_id": posting.reverses_id,
                "note": posting.note,
            },
        )
    )


def reverse(act: Act, movement: Movement, *, note: str) -> int:
    """Undo one movement exactly, effective when it is recorded. Raises ALREADY-REVERSED through the database."""
    undo = Posting(
        MovementKind.REVERSE,
        movement.to_id,
        movement.from_id,
        movement.amount_ul,
        note=note,
        reverses_id=movement.id,
    )
    place = Place(movement.site_id, movement.location_id)
    return post(act, undo, lot_id=movement.lot_id, place=place, occurred_at=act.recorded_at)


def _born(
    lot_id: UUID, kind: AccountKind, *, location_id: UUID | None = None, vial_id: UUID | None = None
) -> dict[str, object]:
    return {
        "lot_id": lot_id,
        "kind": kind,
        "location_id": location_id,
        "vial_id": vial_id,
        "balance_ul": 0,
        "last_movement_id": 0,
        "last_occurred_at": None,
    }


def _inserted(session: Session, born: dict[str, object]) -> int:
    return int(session.execute(_BORN, born).scalar_one())
