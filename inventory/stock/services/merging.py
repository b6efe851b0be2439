"""A lot that was recorded under two numbers becomes one: its stock, its open vials and its holds go over to the other lot.

Laws kept here: what goes over leaves one lot and enters the other through adjustment, in the same act, at the same place, in
whole containers; a hold is never lost; a label that was printed stays in the life of the vial that bore it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast
from uuid import UUID

from sqlalchemy import Table, select
from sqlalchemy.orm import Session

from inventory.audit.acts import Act, inserting
from inventory.clinic.models import CounterKind, Location
from inventory.clinic.numbers import next_number
from inventory.kernel.errors import Refusal
from inventory.kernel.ids import uuid7
from inventory.stock import ledger, queries
from inventory.stock.ledger import Place, Posting
from inventory.stock.models import (
    Account,
    AccountKind,
    AdjustReason,
    Hold,
    HoldKind,
    Lot,
    MovementKind,
    Recall,
    RecallLine,
    Vial,
    VialClosure,
)
from inventory.stock.queries import corrections
from inventory.stock.services.holding import place_hold
from inventory.stock.services.temperatures import also_of_excursions
from inventory.stock.services.wasting import close

VIAL = cast(Table, Vial.__table__)


@dataclass(frozen=True, slots=True)
class Relabelled:
    """An open vial that went over: the one it was, the one it is, and the numbers on their labels."""

    old_id: UUID
    new_id: UUID
    old_label: int | None
    new_label: int


@dataclass(frozen=True, slots=True)
class TakenOver:
    """What went over into the other lot."""

    containers: int
    vials: tuple[Relabelled, ...]
    holds: int


def refuse_unlike(session: Session, lot: Lot, other: Lot) -> None:
    """Raise Refusal LOT-MERGE-DIFFERS unless both lots are of one content, LOT-ON-ITS-WAY while something travels."""
    alike = ("container_type", "container_volume_ul", "strength_ng", "strength_ul")
    if any(getattr(lot, name) != getattr(other, name) for name in alike):
        said = (
            f"Lot {other.lot_number} has other containers or another strength. Check the number on the pack."
        )
        raise Refusal("LOT-MERGE-DIFFERS", said, "lot_number")
    transit = ledger.lot_accounts(session, lot.id).get(AccountKind.TRANSIT)
    if transit is not None and ledger.lock_balances(session, [transit])[transit]:
        said = f"Something of lot {lot.lot_number} is on its way. Receive it first, then correct the lot."
        raise Refusal("LOT-ON-ITS-WAY", said)


def take_over(act: Act, lot: Lot, other: Lot) -> TakenOver:
    """Inside an act that has both lots locked: everything of `lot` becomes stock of `other`."""
    lock_accounts(act.session, (lot.id, other.id))
    containers = take_over_shelves(act, lot, other)
    vials = tuple(_relabel_all(act, lot, other))
    return TakenOver(containers, vials, _take_over_holds(act, lot, other, vials))


def settle(act: Act, lot_ids: Iterable[UUID]) -> None:
    """Inside an act: what a correction put back into a lot that went over goes after it, sealed or open."""
    for lot_id in sorted(set(lot_ids)):
        other_id = corrections.became(act.session, lot_id)
        if other_id != lot_id:
            lot, other = (queries.lot_by_id(act.session, one) for one in (lot_id, other_id))
            take_over_shelves(act, lot, other)
            list(_relabel_all(act, lot, other))


def lock_accounts(session: Session, lot_ids: Iterable[UUID]) -> None:
    """Lock every account of the lots, in the order of all acts."""
    ledger.lock_balances(
        session, session.scalars(select(Account.id).where(Account.lot_id.in_(list(lot_ids)))).all()
    )


def take_over_shelves(act: Act, lot: Lot, other: Lot) -> int:
    """Inside an act: move the sealed containers of every shelf to the same shelf of the other lot; return how many."""
    shelves = act.session.execute(
        select(Account.id, Account.location_id, Account.balance_ul, Location.site_id)
        .join(Location, Location.id == Account.location_id)
        .where(Account.lot_id == lot.id, Account.kind == AccountKind.SHELF, Account.balance_ul > 0)
        .order_by(Account.id)
    ).all()
    for account_id, location_id, held_ul, site_id in shelves:
        target = ledger.shelf_account(
            act.session, lot_id=other.id, location_id=cast(UUID, location_id), create=True
        )
        place = Place(site_id, cast(UUID, location_id))
        _go_over(act, lot, other, source=account_id, target=target, amount_ul=held_ul, place=place)
    return sum(int(held_ul) for _, _, held_ul, _ in shelves) // lot.container_volume_ul


def _go_over(
    act: Act,
    lot: Lot,
    other: Lot,
    *,
    source: int,
    target: int,
    amount_ul: int,
    place: Place,
    into_place: Place | None = None,
    labels: tuple[str, str] = ("", ""),
) -> None:
    """Post both halves: out of the one lot, into the other, which may lie elsewhere."""
    out, into = (ledger.lot_accounts(act.session, one.id)[AccountKind.ADJUSTMENT] for one in (lot, other))
    halves = (
        (lot, source, out, place, f"To {labels[1]}lot {other.lot_number}."),
        (other, into, target, into_place or place, f"From {labels[0]}lot {lot.lot_number}."),
    )
    for of_lot, from_id, to_id, at, note in halves:
        posting = Posting(
            MovementKind.ADJUST, from_id, to_id, amount_ul, reason=AdjustReason.MERGED, note=note
        )
        ledger.post(act, posting, lot_id=of_lot.id, place=at, occurred_at=act.recorded_at)


def go_on(act: Act, vial: Vial, heir: Vial) -> None:
    """Inside an act: what came back into a vial that got a new label goes on to where it is now."""
    account_id = ledger.vial_account(act.session, vial)
    back_ul = ledger.lock_balances(act.session, [account_id])[account_id]
    if back_ul:
        _between(act, vial, heir, back_ul)


def fetch(act: Act, vial_id: UUID, heir_id: UUID, amount_ul: int) -> None:
    """Inside an act: take from a vial under its new label what was drawn from it under its old one, in microlitres."""
    if amount_ul > 0:
        vial, heir = (act.session.get_one(Vial, one) for one in (vial_id, heir_id))
        _between(act, heir, vial, amount_ul)


def _between(act: Act, source: Vial, target: Vial, amount_ul: int) -> None:
    lot, other = (queries.lot_by_id(act.session, vial.lot_id) for vial in (source, target))
    _go_over(
        act,
        lot,
        other,
        source=ledger.vial_account(act.session, source),
        target=ledger.vial_account(act.session, target),
        amount_ul=amount_ul,
        place=ledger.place_of(act.session, source),
        into_place=ledger.place_of(act.session, target),
        labels=(f"vial {source.label_number} of ", f"vial {target.label_number} of "),
    )


def _relabel_all(act: Act, lot: Lot, other: Lot) -> Iterable[Relabelled]:
    opened = select(Vial).where(Vial.lot_id == lot.id, Vial.closed_at.is_(None)).order_by(Vial.id)
    for vial in act.session.scalars(opened.with_for_update(key_share=True)).all():
        account_id = ledger.vial_account(act.session, vial)
        held_ul = ledger.lock_balances(act.session, [account_id])[account_id]
        if held_ul:
            yield _relabel(act, vial, lot, other, account_id=account_id, held_ul=held_ul)
        else:
            close(act, vial, VialClosure.USED_UP, when=act.recorded_at)


def _relabel(act: Act, vial: Vial, lot: Lot, other: Lot, *, account_id: int, held_ul: int) -> Relabelled:
    """The vial gets a number where it is now, and keeps the earlier of its use-by and the other lot's expiry."""
    place = ledger.place_of(act.session, vial)
    new_id, number = uuid7(), next_number(act.session, place.site_id, CounterKind.VIAL)
    values = {
        "id": new_id,
        "lot_id": other.id,
        "site_id": place.site_id,
        "location_id": place.location_id,
        "container_type": other.container_type,
        "label_number": number,
        "opened_at": vial.opened_at,
        "opened_by_id": vial.opened_by_id,
        "use_by_on": min(vial.use_by_on or other.expires_on, other.expires_on),
        "closed_at": None,
        "closed_by_id": None,
        "closure": None,
        "relabelled_from_id": vial.id,
    }
    act.session.execute(inserting(VIAL), values)
    target = ledger.open_vial_account(
        act.session, lot_id=other.id, location_id=place.location_id, vial_id=new_id
    )
    labels = (f"vial {vial.label_number} of ", f"vial {number} of ")
    _go_over(act, lot, other, source=account_id, target=target, amount_ul=held_ul, place=place, labels=labels)
    close(act, vial, VialClosure.RELABELLED, when=act.recorded_at)
    return Relabelled(vial.id, new_id, vial.label_number, number)


def _take_over_holds(act: Act, lot: Lot, other: Lot, vials: Iterable[Relabelled]) -> int:
    """Hold of the other lot what was held of this one, at the same place or in the same vial; return how many holds that made.

    An excursion's hold stays its own. The hold of an open recall is not copied: the recall will name the other lot itself.
    """
    now_in = {vial.old_id: vial.new_id for vial in vials}
    recalled = (
        select(RecallLine.hold_id)
        .join(Recall, Recall.id == RecallLine.recall_id)
        .where(RecallLine.lot_id == lot.id, Recall.closed_at.is_(None))
    )
    standing = (
        select(Hold)
        .where(Hold.lot_id == lot.id, Hold.released_at.is_(None), Hold.id.not_in(recalled))
        .order_by(Hold.id)
    )
    held = [
        hold for hold in act.session.scalars(standing).all() if hold.vial_id is None or hold.vial_id in now_in
    ]
    for hold in held:
        carried = place_hold(
            act,
            other.id,
            HoldKind(hold.kind),
            f"{hold.reason} (held as lot {lot.lot_number})",
            location_id=hold.location_id,
            vial_id=now_in[hold.vial_id] if hold.vial_id else None,
        )
        also_of_excursions(act, hold, carried)
    return len(held)
