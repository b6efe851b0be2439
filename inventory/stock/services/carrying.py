"""What is held stays held wherever it goes: the holds that go along with stock, and those that went along for nothing.

Laws kept here: a hold that goes along stays one matter with the one it comes from (its reason, and the excursion whose decision
reaches it); it is released only where it covers nothing any more, and what it was for is held where it is.
"""

from uuid import UUID

from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.orm import Session

from inventory.audit.acts import Act
from inventory.clinic.models import Location
from inventory.kernel.errors import Refusal
from inventory.stock.ledger import Place
from inventory.stock.models import (
    Account,
    ExcursionHold,
    Hold,
    HoldKind,
    Lot,
    Transfer,
    TransferDifference,
    TransferLine,
    TransferReceiptLine,
    Vial,
)
from inventory.stock.queries.found_held import FOUND
from inventory.stock.queries.transfers import is_coming
from inventory.stock.services.holding import place_hold
from inventory.stock.services.temperatures import also_of_excursions

MOVED = "Held before it was moved: "
OPENED = "Held while it was open: "
_NOT_MOVED = "It was not moved."


def take_along(act: Act, lot: Lot, vial: Vial | None, *, source_id: UUID, target_id: UUID) -> None:
    """Inside an act: let the holds on what of the lot lies at the source cover what leaves it. Raises Refusal TRANSFER-HELD.

    Where other stock of the lot lies free at the target, no hold can cover one and not the other.
    """
    holds = _at(act.session, lot.id, source_id)
    if vial is not None:
        for hold in holds:
            _carry(act, hold, MOVED, vial_id=vial.id)
        return
    free_there = _lies_at(act.session, lot.id, target_id) and not _at(act.session, lot.id, target_id)
    for hold in holds:
        if free_there:
            raise Refusal(
                "TRANSFER-HELD",
                f"Lot {lot.lot_number} is on hold at the place it leaves. Choose a location where nothing of this"
                " lot lies, so that the hold can go with it, or release the hold.",
                "target",
            )
        _carry(act, hold, MOVED, location_id=target_id)


def give_back(
    act: Act, transfer: Transfer, line: TransferLine, *, came: bool, difference: TransferDifference | None
) -> None:
    """Inside an act: let what of a line went back be held there, and release what went along with it for nothing."""
    not_sent = difference == TransferDifference.NOT_SENT
    if line.vial_id is not None:
        _give_back_vial(act, transfer, line, came=came, not_sent=not_sent)
        return
    went_along = _went_along(act.session, transfer, line)
    if not_sent:
        for hold, _ in went_along:
            _carry(act, hold, MOVED, location_id=transfer.from_location_id)
    if not came and not _lies_at(act.session, line.lot_id, transfer.to_location_id):
        for hold, is_for_nothing in went_along:
            if is_for_nothing:
                _release(act, hold)


def to_shelf(act: Act, vial: Vial, location_id: UUID) -> None:
    """Inside an act: what goes back onto a shelf out of a held vial is held there, with what else of the lot lies there."""
    for hold in of_vial(act.session, vial.id):
        _carry(act, hold, OPENED, location_id=location_id)


def to_found(act: Act, lot_id: UUID, place: Place) -> list[str]:
    """Inside an act: hold what is found of a lot as it is held elsewhere at the site; return the names of those locations.

    What was found here may be what is missing there.
    """
    elsewhere = act.session.execute(
        select(Hold, Location.name)
        .join(Location, Location.id == Hold.location_id)
        .where(
            Hold.lot_id == lot_id,
            Hold.vial_id.is_(None),
            Hold.released_at.is_(None),
            Location.site_id == place.site_id,
            Location.id != place.location_id,
        )
        .order_by(Location.name, Hold.id)
    ).all()
    for hold, _ in elsewhere:
        _carry(act, hold, FOUND, location_id=place.location_id)
    return list(dict.fromkeys(name for _, name in elsewhere))


def of_vial(session: Session, vial_id: UUID) -> list[Hold]:
    """Return the holds that stand on one vial."""
    return _standing(session, Hold.vial_id == vial_id)


def _give_back_vial(act: Act, transfer: Transfer, line: TransferLine, *, came: bool, not_sent: bool) -> None:
    """A vial that stays is held by the hold of its place; where that is gone, its own hold stays."""
    if came:
        return
    for hold in _standing(
        act.session, Hold.vial_id == line.vial_id, Hold.held_at == transfer.recorded_at, _is_of_a_move()
    ):
        if not not_sent or _same_matter(act.session, hold, location_id=transfer.from_location_id):
            _release(act, hold)


def _went_along(session: Session, transfer: Transfer, line: TransferLine) -> list[tuple[Hold, bool]]:
    """Return the holds that went the way of this line with stock of its lot, and of each whether nothing of that arrived."""
    nothing_came = ~exists().where(
        TransferReceiptLine.transfer_id == TransferLine.transfer_id,
        TransferReceiptLine.position == TransferLine.position,
        TransferReceiptLine.amount_ul > 0,
    )
    rows = session.execute(
        select(Hold, nothing_came)
        .join(TransferLine, TransferLine.lot_id == Hold.lot_id)
        .join(Transfer, Transfer.id == TransferLine.transfer_id)
        .where(
            Hold.lot_id == line.lot_id,
            Hold.location_id == transfer.to_location_id,
            Hold.held_at == Transfer.recorded_at,
            Hold.released_at.is_(None),
            _is_of_a_move(),
            TransferLine.vial_id.is_(None),
            Transfer.from_location_id == transfer.from_location_id,
            Transfer.to_location_id == transfer.to_location_id,
        )
        .order_by(Hold.held_at, Hold.id)
    )
    return [(hold, bool(nothing)) for hold, nothing in rows]


def _is_of_a_move() -> ColumnElement[bool]:
    return Hold.reason.startswith(MOVED)


def _carry(
    act: Act, hold: Hold, words: str, *, location_id: UUID | None = None, vial_id: UUID | None = None
) -> None:
    """Hold what `hold` held where it is now, unless a hold of the same matter stands there."""
    if _same_matter(act.session, hold, location_id=location_id, vial_id=vial_id):
        return
    kind, reason = HoldKind(hold.kind), f"{words}{_matter(hold.reason)}"
    carried = place_hold(act, hold.lot_id, kind, reason, location_id=location_id, vial_id=vial_id)
    act.session.flush()
    also_of_excursions(act, hold, carried)


def _same_matter(
    session: Session, hold: Hold, *, location_id: UUID | None = None, vial_id: UUID | None = None
) -> bool:
    """Tell whether a hold for the same reason and of the same excursions stands there already."""
    there = _standing(
        session,
        Hold.lot_id == hold.lot_id,
        Hold.kind == hold.kind,
        Hold.location_id.is_(None) if location_id is None else Hold.location_id == location_id,
        Hold.vial_id.is_(None) if vial_id is None else Hold.vial_id == vial_id,
    )
    matter, excursions = _matter(hold.reason), _excursions(session, hold)
    return any(_matter(one.reason) == matter and _excursions(session, one) == excursions for one in there)


def _matter(reason: str) -> str:
    """Return a hold's reason without what was put before it as it went along."""
    for words in (MOVED, FOUND, OPENED):
        if reason.startswith(words):
            return _matter(reason.removeprefix(words))
    return reason


def _excursions(session: Session, hold: Hold) -> set[UUID]:
    return set(session.scalars(select(ExcursionHold.excursion_id).where(ExcursionHold.hold_id == hold.id)))


def _at(session: Session, lot_id: UUID, location_id: UUID) -> list[Hold]:
    return _standing(session, Hold.lot_id == lot_id, Hold.location_id == location_id, Hold.vial_id.is_(None))


def _standing(session: Session, *which: ColumnElement[bool]) -> list[Hold]:
    standing = select(Hold).where(*which, Hold.released_at.is_(None))
    return list(session.scalars(standing.order_by(Hold.held_at, Hold.id)))


def _lies_at(session: Session, lot_id: UUID, location_id: UUID) -> bool:
    """Tell whether sealed or open stock of the lot lies at a location, or is coming there."""
    lies = select(Account.id).where(
        Account.lot_id == lot_id, Account.location_id == location_id, Account.balance_ul > 0
    )
    return session.scalar(lies.limit(1)) is not None or is_coming(session, lot_id, location_id)


def _release(act: Act, hold: Hold) -> None:
    hold.released_at, hold.released_by_id = act.recorded_at, act.actor.id
    hold.release_reason = _NOT_MOVED
    act.session.flush()
