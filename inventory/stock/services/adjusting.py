"""Bringing the ledger to what is really there: found or missing stock, a receipt or an opening that was recorded wrongly.

Law kept here: a correction is a new row that names the old one, and takes effect when it is recorded.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import select

from inventory.audit.acts import Act, Outcome, perform
from inventory.kernel.errors import Refusal
from inventory.kernel.permissions import Actor, Permission
from inventory.kernel.quantity import format_ml
from inventory.staff.services import refuse_from_elsewhere
from inventory.stock import ledger, queries
from inventory.stock.ledger import Place, Posting
from inventory.stock.models import (
    AccountKind,
    AdjustReason,
    Lot,
    Movement,
    MovementKind,
    Vial,
    VialClosure,
)
from inventory.stock.queries.counted_alone import PostedLine
from inventory.stock.services.approving import approval_needed, may_approve
from inventory.stock.services.carrying import of_vial, to_found
from inventory.stock.services.lots import refuse_merged
from inventory.stock.services.overfill import refuse_more_overfill
from inventory.stock.services.places import refuse_elsewhere
from inventory.stock.services.receiving import MOST_CONTAINERS
from inventory.stock.services.wasting import close, locked_open_vial


class Direction(StrEnum):
    """Whether there is more than the ledger says, or less."""

    FOUND = "found"
    MISSING = "missing"


_ONLY_WHERE = {
    AdjustReason.FOUND: Direction.FOUND,
    AdjustReason.OVERFILL: Direction.FOUND,
    AdjustReason.MISSING: Direction.MISSING,
    AdjustReason.SHORTFALL: Direction.MISSING,
}
"""Reasons that explain one direction only."""


@dataclass(frozen=True, slots=True)
class Difference:
    """What was found out: more or less, a coded reason, words (always), and the second person where one is needed."""

    direction: Direction
    reason: AdjustReason
    note: str
    approved_by: Actor | None = None


def adjust_shelf(
    *,
    actor: Actor,
    at: datetime,
    request_key: str | None = None,
    lot_id: UUID,
    place: Place,
    containers: int,
    difference: Difference,
) -> Outcome:
    """Add found containers to a shelf, or take missing ones off; the outcome names the lot.

    Above what one person may post of a count, a second person is needed. What is found is held as its lot is held elsewhere
    at the site. Raises Refusal STOCK-SHORT, COUNT-RANGE, COUNT-APPROVAL, COUNT-APPROVER, NOTE-NEEDED, ADJUST-REASON,
    LOCATION-ELSEWHERE, LOT-MERGED.
    """

    def write(act: Act) -> Outcome:
        _refuse_unsaid(difference)
        if not 1 <= containers <= MOST_CONTAINERS:
            raise Refusal("COUNT-RANGE", f"From 1 to {MOST_CONTAINERS:,} containers.", "containers")
        _refuse_alone(
            act,
            difference,
            PostedLine(is_vial=False, difference_ul=0, difference_containers=containers),
            place,
        )
        refuse_elsewhere(act.session, site_id=place.site_id, location_id=place.location_id)
        lot = queries.lot_by_id(act.session, lot_id, lock=True)
        found = difference.direction == Direction.FOUND
        if found:
            refuse_merged(act.session, lot, field=None)
        shelf = _shelf(act, lot, place, None if found else containers)
        amount_ul = containers * lot.container_volume_ul
        _post(act, difference, lot_id=lot_id, place=place, account_id=shelf, amount_ul=amount_ul)
        facts = {**_facts(difference), "containers": containers, "lot_number": lot.lot_number}
        facts |= {"location_id": place.location_id}
        facts["held_as_at"] = to_found(act, lot_id, place) if found else []
        return act.record("stock.adjust-shelf", "lot", lot_id, site_id=place.site_id, facts=facts)

    return perform(write, actor=actor, at=at, request_key=request_key)


def adjust_vial(
    *,
    actor: Actor,
    at: datetime,
    request_key: str | None = None,
    vial_id: UUID,
    volume_ul: int,
    difference: Difference,
) -> Outcome:
    """Add what was found in an open vial, or take off what is missing, in microlitres.

    Raises Refusal VIAL-CLOSED, STOCK-SHORT, AMOUNT-INVALID, VIAL-OVERFULL, COUNT-APPROVAL, COUNT-APPROVER, NOTE-NEEDED,
    ADJUST-REASON.
    """

    def write(act: Act) -> Outcome:
        _refuse_unsaid(difference)
        if volume_ul <= 0:
            raise Refusal("AMOUNT-INVALID", "Type how much, more than 0 mL.", "volume")
        vial, account = locked_open_vial(act, vial_id)
        if difference.direction == Direction.FOUND:
            _refuse_overfull(vial, account.balance_ul + volume_ul)
            if difference.reason == AdjustReason.OVERFILL:
                limit_ul = vial.lot.product.overfill_limit_ul
                refuse_more_overfill(act.session, vial_id, volume_ul, limit_ul=limit_ul, field="volume")
        else:
            ledger.require(account.balance_ul, volume_ul, what="The vial", field="volume")
        place = ledger.place_of(act.session, vial)
        _refuse_alone(
            act, difference, PostedLine(is_vial=True, difference_ul=volume_ul, difference_containers=0), place
        )
        _post(act, difference, lot_id=vial.lot_id, place=place, account_id=account.id, amount_ul=volume_ul)
        facts = {**_facts(difference), "volume_ul": volume_ul, "label_number": vial.label_number}
        site_id = place.site_id
        return act.record("stock.adjust-vial", "vial", vial_id, site_id=site_id, facts=facts)

    return perform(write, actor=actor, at=at, request_key=request_key)


def reverse_receipt(
    *, actor: Actor, at: datetime, request_key: str | None = None, receipt_id: UUID, reason: str
) -> Outcome:
    """Undo a receipt that was recorded wrongly, while all its containers are still sealed on that shelf.

    The outcome names the lot. Raises Refusal NOTE-NEEDED, RECEIPT-USED, ALREADY-REVERSED.
    """

    def write(act: Act) -> Outcome:
        said = _words(reason, "reason")
        receipt = queries.receipt_by_id(act.session, receipt_id)
        movement = act.session.get_one(Movement, receipt.movement_id)
        _refuse_reversed(act, movement)
        held = ledger.lock_balances(act.session, [movement.to_id])[movement.to_id]
        if held < movement.amount_ul:
            left = held * receipt.containers // movement.amount_ul
            raise Refusal(
                "RECEIPT-USED",
                f"Of these {receipt.containers:,} containers only {left:,} are still sealed on that shelf. Correct the"
                " count by found or missing stock instead.",
            )
        ledger.reverse(act, movement, note=said)
        facts = {"receipt_id": receipt_id, "containers": receipt.containers, "reason": said}
        return act.record(
            "stock.reverse-receipt", "lot", receipt.lot_id, site_id=receipt.site_id, facts=facts
        )

    return perform(write, actor=actor, at=at, request_key=request_key)


def undo_opening(
    *, actor: Actor, at: datetime, request_key: str | None = None, vial_id: UUID, reason: str
) -> Outcome:
    """Put a vial that was never really opened back on its shelf, sealed.

    Only who opened it or manages stock may. Raises Refusal NOTE-NEEDED, VIAL-CLOSED, UNDO-OPENER, VIAL-USED, VIAL-HELD.
    """

    def write(act: Act) -> Outcome:
        said = _words(reason, "reason")
        vial, account = locked_open_vial(act, vial_id)
        if not may_undo_opening(act.actor, vial):
            by_whom = "Whoever opened this vial says that it was not, or somebody who manages stock."
            raise Refusal("UNDO-OPENER", by_whom)
        opening = act.session.get_one(Movement, account.last_movement_id)
        if opening.kind != MovementKind.OPEN:
            said_so = "Something was done with this vial since it was opened. Discard it instead."
            raise Refusal("VIAL-USED", said_so)
        if of_vial(act.session, vial_id):
            still = "This vial is on hold: what made it doubtful is not undone. Release the hold first, or discard it."
            raise Refusal("VIAL-HELD", still)
        ledger.reverse(act, opening, note=said)
        close(act, vial, VialClosure.NEVER_OPENED, when=act.recorded_at)
        facts = {"label_number": vial.label_number, "reason": said}
        site_id = ledger.place_of(act.session, vial).site_id
        return act.record("stock.undo-opening", "vial", vial_id, site_id=site_id, facts=facts)

    return perform(write, actor=actor, at=at, request_key=request_key)


def _shelf(act: Act, lot: Lot, place: Place, missing: int | None) -> int:
    """Return the lot's shelf there, locked; it is born for what is found. Raises Refusal STOCK-SHORT where less lies than is missing."""
    where = place.location_id
    shelf = ledger.shelf_account(act.session, lot_id=lot.id, location_id=where, create=missing is None)
    lying = ledger.lock_balances(act.session, [shelf])[shelf] // lot.container_volume_ul
    if missing is not None and missing > lying:
        said = f"Only {lying:,} sealed containers are recorded there."
        raise Refusal("STOCK-SHORT", said, "containers")
    return shelf


def may_undo_opening(actor: Actor, vial: Vial) -> bool:
    """Tell whether a person may say of a vial that it was never really opened."""
    return vial.opened_by_id == actor.id or actor.can(Permission.STOCK_MANAGE)


def _post(
    act: Act, difference: Difference, *, lot_id: UUID, place: Place, account_id: int, amount_ul: int
) -> None:
    adjustment = ledger.lot_accounts(act.session, lot_id)[AccountKind.ADJUSTMENT]
    found = difference.direction == Direction.FOUND
    source, target = (adjustment, account_id) if found else (account_id, adjustment)
    posting = Posting(
        MovementKind.ADJUST,
        source,
        target,
        amount_ul,
        reason=difference.reason,
        note=difference.note.strip(),
        witness_id=difference.approved_by.id if difference.approved_by else None,
    )
    ledger.post(act, posting, lot_id=lot_id, place=place, occurred_at=act.recorded_at)


def _refuse_unsaid(difference: Difference) -> None:
    """Refuse a difference without words, and one whose reason says the opposite of its direction."""
    _words(difference.note, "note")
    if difference.reason in _ONLY_WHERE and _ONLY_WHERE[difference.reason] != difference.direction:
        other = "less" if difference.direction == Direction.FOUND else "more"
        said = f"This reason is for stock of which there is {other} than recorded. Choose one that fits."
        raise Refusal("ADJUST-REASON", said, "reason")


def _refuse_alone(act: Act, difference: Difference, line: PostedLine, place: Place) -> None:
    """Refuse so much without a second person, as in a count; what was there when the clinic began needs none."""
    if difference.approved_by is not None:
        refuse_from_elsewhere(difference.approved_by, place.site_id, "approver_username")
        if not may_approve(difference.approved_by, counted_by_id=act.actor.id):
            said = "The second person manages stock, and is another than the one who adjusts."
            raise Refusal("COUNT-APPROVER", said, "approver_username")
    elif difference.reason != AdjustReason.OPENING_BALANCE and approval_needed(
        act.session, [line], location_id=place.location_id, actor_id=act.actor.id, at=act.recorded_at
    ):
        said = "So much is adjusted with a second person, who manages stock."
        raise Refusal("COUNT-APPROVAL", said, "approver_username")


def _words(text: str, field: str) -> str:
    if not text.strip():
        raise Refusal("NOTE-NEEDED", "Say in words what happened.", field)
    return text.strip()


def _refuse_overfull(vial: Vial, would_hold_ul: int) -> None:
    most = vial.lot.container_volume_ul + vial.lot.product.overfill_limit_ul
    if would_hold_ul > most:
        said = f"The vial would hold {format_ml(would_hold_ul)} mL; it takes at most {format_ml(most)} mL."
        raise Refusal("VIAL-OVERFULL", said, "volume")


def _refuse_reversed(act: Act, movement: Movement) -> None:
    if act.session.scalar(select(Movement.id).where(Movement.reverses_id == movement.id)):
        raise Refusal("ALREADY-REVERSED", "This was reversed already.")


def _facts(difference: Difference) -> dict[str, object]:
    return {
        "direction": difference.direction,
        "reason": difference.reason,
        "note": difference.note.strip(),
        "approved_by_id": difference.approved_by.id if difference.approved_by else None,
    }
