"""A typo in a lot's number or expiry is corrected by a new version, with a reason and somebody's approval.

Laws kept here: the row changes only to what its newest correction says (a trigger holds it); a number that another lot of the
product has makes the two one (`merging`). What the doses of the lot make of it is said above: `doses.services.lot_correction`.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import select

from inventory.audit.acts import Act
from inventory.catalogue.models import Product
from inventory.kernel.errors import Refusal
from inventory.kernel.ids import uuid7
from inventory.kernel.laws import means
from inventory.kernel.permissions import Actor, Permission
from inventory.stock import queries, rules
from inventory.stock.models import Lot, LotCorrection
from inventory.stock.queries import corrections
from inventory.stock.queries.named_lots import wait_for_recalls
from inventory.stock.services.lots import refuse_merged
from inventory.stock.services.merging import TakenOver, refuse_unlike, take_over
from inventory.stock.services.recalled import hold_if_recalled, name_whole

LONGEST_BEFORE = timedelta(days=5 * 366)
LONGEST_AFTER = timedelta(days=10 * 366)
"""How far from the day the lot was added a corrected expiry may lie."""

means(
    Refusal(
        "LOT-COLLIDES", "Another lot of this product has this number. Load the page again.", "lot_number"
    ),
    constraint="uq_lot_product_id_lot_number_key",
    columns="lot.product_id, lot.lot_number_key",
)


class RightExpiry(StrEnum):
    """Which of two expiries is right, where two lots turn out to be one."""

    TYPED = "typed"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """What a lot's number and expiry really are. `seen` is how many corrections the person had seen; None asks nothing.

    `merge_with` is the other lot that the person was shown and confirmed to be the same one, `right_expiry` which expiry of
    the two is right, where they differ.
    """

    lot_id: UUID
    lot_number: str
    expires_on: date
    expires_month_only: bool = False
    reason: str
    approved_by: Actor
    seen: int | None = None
    merge_with: UUID | None = None
    right_expiry: RightExpiry | None = None


@dataclass(frozen=True, slots=True)
class ExpiryChange:
    """That what is recorded under `lot_ids` expires on another day than was thought."""

    lot_ids: tuple[UUID, ...]
    lot_number: str
    before: date
    after: date


@dataclass(frozen=True, slots=True)
class Done:
    """What a correction did: the facts for the trail, by the lot they are about, the lot first that was corrected."""

    action: str
    facts: list[tuple[UUID, dict[str, Any]]]
    expiries: list[ExpiryChange]
    taken_over: TakenOver | None = None


def may_approve(person: Actor) -> bool:
    """Tell whether a person's word lets a lot be corrected: a prescriber's or a manager's."""
    return person.can(Permission.DOSE_OVERRIDE) or person.can(Permission.STOCK_MANAGE)


def correct(act: Act, correction: Correction) -> Done:
    """Inside an act: correct a lot, or let it go over into the lot whose number it should have had.

    Raises Refusal APPROVER-ROLE, NOTE-NEEDED, NOT-FOUND, LOT-MERGED, LOT-CORRECTED-MEANWHILE, LOT-NUMBER-INVALID,
    LOT-EXPIRY-ABSURD, LOT-UNCHANGED; for a number that another lot has: LOT-COLLIDES until it is confirmed, LOT-MERGE-EXPIRY
    until the right expiry is chosen, LOT-MERGE-DIFFERS, LOT-ON-ITS-WAY.
    """
    _refuse_unsaid(correction)
    wait_for_recalls(act.session)
    lot, other = _locked(act, correction)
    refuse_merged(act.session, lot, field=None)
    _refuse_stale(act, correction)
    _refuse_absurd(correction, lot)
    if other is None:
        _refuse_unchanged(correction, lot)
        return _corrected(act, correction, lot)
    return _merged(act, correction, lot, other)


def _corrected(act: Act, correction: Correction, lot: Lot) -> Done:
    expiry = ExpiryChange(
        tuple(corrections.with_merged(act.session, lot.id)),
        correction.lot_number.strip(),
        lot.expires_on,
        correction.expires_on,
    )
    said = _rewrite(act, correction, lot, lot_number=correction.lot_number.strip())
    recalled = hold_if_recalled(act, lot)
    name_whole(act, lot.id)
    told = _facts(correction, said) | {"recalled": recalled}
    return Done("stock.correct-lot", [(lot.id, told)], [expiry])


def _merged(act: Act, correction: Correction, lot: Lot, other: Lot) -> Done:
    refuse_merged(act.session, other, field="lot_number")
    refuse_unlike(act.session, lot, other)
    refuse_unconfirmed(
        other,
        merge_with=correction.merge_with,
        expires_on=correction.expires_on,
        right_expiry=correction.right_expiry,
    )
    facts, expiries = [], []
    if correction.right_expiry is RightExpiry.TYPED and other.expires_on != correction.expires_on:
        lots = tuple(corrections.with_merged(act.session, other.id))
        expiries = [ExpiryChange(lots, other.lot_number, other.expires_on, correction.expires_on)]
        facts = [(other.id, _facts(correction, _rewrite(act, correction, other)))]
    expiries.append(
        ExpiryChange(
            tuple(corrections.with_merged(act.session, lot.id)),
            other.lot_number,
            lot.expires_on,
            other.expires_on,
        )
    )
    said = _insert(act, correction, lot, like=other, merged_into_id=other.id)
    taken = take_over(act, lot, other)
    told = {
        **_facts(correction, said),
        "recalled": name_whole(act, other.id, merged_id=lot.id),
        "merged_into_id": other.id,
        "containers": taken.containers,
        "vials": [[vial.old_label, vial.new_label] for vial in taken.vials],
        "holds": taken.holds,
    }
    return Done("stock.merge-lot", [(lot.id, told), *facts], expiries, taken)


def _rewrite(act: Act, correction: Correction, lot: Lot, *, lot_number: str = "") -> dict[str, Any]:
    """Say what the lot is to be, then let it be that."""
    number = lot_number or lot.lot_number
    to_be = Lot(
        lot_number=number,
        lot_number_key=rules.lot_number_key(number),
        expires_on=correction.expires_on,
        expires_month_only=correction.expires_month_only,
    )
    said = _insert(act, correction, lot, like=to_be)
    for name in ("lot_number", "lot_number_key", "expires_on", "expires_month_only"):
        setattr(lot, name, said[name])
    act.session.flush()
    return said


def _insert(
    act: Act, correction: Correction, lot: Lot, *, like: Lot, merged_into_id: UUID | None = None
) -> dict[str, Any]:
    said = {
        "id": uuid7(),
        "lot_id": lot.id,
        "position": corrections.corrected_times(act.session, lot.id) + 1,
        "lot_number_before": lot.lot_number,
        "expires_on_before": lot.expires_on,
        "expires_month_only_before": lot.expires_month_only,
        "lot_number": like.lot_number,
        "lot_number_key": like.lot_number_key,
        "expires_on": like.expires_on,
        "expires_month_only": like.expires_month_only,
        "merged_into_id": merged_into_id,
        "reason": correction.reason.strip(),
        "corrected_at": act.recorded_at,
        "actor_id": act.actor.id,
        "approved_by_id": correction.approved_by.id,
    }
    act.insert(LotCorrection, said)
    return said


def _locked(act: Act, correction: Correction) -> tuple[Lot, Lot | None]:
    """Return the lot and the other one that has the number already, locked like those of a delivery: product, then lots."""
    lot = queries.lot_by_id(act.session, correction.lot_id)
    act.session.execute(
        select(Product.id).where(Product.id == lot.product_id).with_for_update(key_share=True)
    )
    other = queries.lot_by_number(act.session, product_id=lot.product_id, lot_number=correction.lot_number)
    ids = {lot.id, *([other.id] if other else [])}
    locked = select(Lot).where(Lot.id.in_(ids)).order_by(Lot.id).with_for_update(key_share=True)
    act.session.scalars(locked.execution_options(populate_existing=True)).all()
    return lot, None if other is None or other.id == lot.id else other


def _refuse_unsaid(correction: Correction) -> None:
    if not correction.reason.strip():
        raise Refusal("NOTE-NEEDED", "Say how it is known.", "reason")
    if not may_approve(correction.approved_by):
        said = "A prescriber or a manager approves this. Somebody else types their user name and password."
        raise Refusal("APPROVER-ROLE", said, "approver_username")
    rules.lot_number_key(correction.lot_number)


def _refuse_stale(act: Act, correction: Correction) -> None:
    times = corrections.corrected_times(act.session, correction.lot_id)
    if correction.seen is not None and correction.seen != times:
        raise Refusal(
            "LOT-CORRECTED-MEANWHILE", "Somebody corrected this lot meanwhile. Load the page again."
        )


def _refuse_absurd(correction: Correction, lot: Lot) -> None:
    first, last = lot.created_at.date() - LONGEST_BEFORE, lot.created_at.date() + LONGEST_AFTER
    if not first <= correction.expires_on <= last:
        said = "No lot that came here expires then. Check the year on the pack."
        raise Refusal("LOT-EXPIRY-ABSURD", said, "expires_on")


def _refuse_unchanged(correction: Correction, lot: Lot) -> None:
    typed = (correction.lot_number.strip(), correction.expires_on, correction.expires_month_only)
    if typed == (lot.lot_number, lot.expires_on, lot.expires_month_only):
        said = "Nothing is different. Type what the number or the expiry really is."
        raise Refusal("LOT-UNCHANGED", said, "lot_number")


def refuse_unconfirmed(
    other: Lot, *, merge_with: UUID | None, expires_on: date, right_expiry: RightExpiry | None
) -> None:
    """Raise Refusal LOT-COLLIDES until it was confirmed that `other` is the same lot, LOT-MERGE-EXPIRY until one expiry is right."""
    if merge_with != other.id:
        said = (
            f"Lot {other.lot_number} of this product is here already, with the expiry {other.expires_on.isoformat()}."
            " Look at both below; if they are one lot, confirm it."
        )
        raise Refusal("LOT-COLLIDES", said, "lot_number")
    if other.expires_on != expires_on and right_expiry is None:
        said = "The two lots have different expiries. Choose the one that is printed on the pack."
        raise Refusal("LOT-MERGE-EXPIRY", said, "right_expiry")


def _facts(correction: Correction, said: dict[str, Any]) -> dict[str, Any]:
    names = ("lot_number", "expires_on", "expires_month_only")
    changed = [name for name in names if said[name] != said[f"{name}_before"]]
    return {
        "before": {name: said[f"{name}_before"] for name in changed},
        "after": {name: said[name] for name in changed},
        "reason": said["reason"],
        "approved_by": correction.approved_by.name,
    }
