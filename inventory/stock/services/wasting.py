"""Waste, with a reason and where the clinic asks for it a witness: sealed containers, part of a vial, or the rest of one."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from inventory.audit.acts import Act, Outcome, perform
from inventory.catalogue.models import Product
from inventory.clinic.settings import Settings, current_settings
from inventory.kernel.errors import Refusal
from inventory.kernel.permissions import Actor
from inventory.stock import ledger, queries, rules
from inventory.stock.ledger import Place, Posting
from inventory.stock.models import Account, AccountKind, MovementKind, Vial, VialClosure, WasteReason
from inventory.stock.queries.transfers import refuse_on_its_way
from inventory.stock.services.places import refuse_elsewhere
from inventory.stock.services.reasons import (
    DISCARD_REASONS,
    NEVER_WITNESSED,
    OPEN_REASONS,
    SEALED_REASONS,
    refuse_more_dead_space,
    refuse_untrue,
)
from inventory.stock.services.witnesses import refuse_witness


@dataclass(frozen=True, slots=True)
class Why:
    """Why stock is wasted: a coded reason, words where the code says `other`, and who saw it."""

    reason: WasteReason
    note: str = ""
    witness_id: UUID | None = None


def waste_sealed(
    *,
    actor: Actor,
    at: datetime,
    request_key: str | None = None,
    lot_id: UUID,
    place: Place,
    containers: int,
    why: Why,
    wasted_at: datetime | None = None,
) -> Outcome:
    """Waste whole sealed containers of a lot from the shelf at `place`; the outcome names the lot.

    Raises Refusal LOCATION-ELSEWHERE, STOCK-SHORT, STOCK-SHORT-THEN, COUNT-RANGE, WASTE-REASON, NOTE-NEEDED, WITNESS-NEEDED,
    WITNESS-SAME, WITNESS-SITE, WITNESS-ROLE, TIME-FUTURE, WASTE-NOT-EXPIRED.
    """

    def write(act: Act) -> Outcome:
        lot = queries.lot_by_id(act.session, lot_id)
        refuse_reason(act, why, lot.product, allowed=SEALED_REASONS, site_id=place.site_id)
        if containers < 1:
            raise Refusal("COUNT-RANGE", "Type how many containers, at least 1.", "containers")
        refuse_elsewhere(act.session, site_id=place.site_id, location_id=place.location_id)
        shelf = ledger.shelf_account(act.session, lot_id=lot_id, location_id=place.location_id)
        amount_ul = containers * lot.container_volume_ul
        _refuse_short(ledger.lock_balances(act.session, [shelf])[shelf], amount_ul, lot.container_volume_ul)
        when = _moment(act, wasted_at, shelf)
        refuse_untrue(act.session, why.reason, lot, None, site_id=place.site_id, when=when)
        _post_waste(act, why, lot_id=lot_id, place=place, source=shelf, amount_ul=amount_ul, when=when)
        facts = {**_facts(why), "containers": containers, "lot_number": lot.lot_number, "wasted_at": when}
        return act.record("stock.waste-sealed", "lot", lot_id, site_id=place.site_id, facts=facts)

    return perform(write, actor=actor, at=at, request_key=request_key)


def waste_from_vial(
    *,
    actor: Actor,
    at: datetime,
    request_key: str | None = None,
    vial_id: UUID,
    volume_ul: int,
    why: Why,
    wasted_at: datetime | None = None,
) -> Outcome:
    """Waste part of an open vial, in microlitres; a vial that is emptied so is closed.

    Raises Refusal VIAL-CLOSED, STOCK-SHORT, STOCK-SHORT-THEN, AMOUNT-INVALID, DEAD-SPACE-MORE and as `waste_sealed`.
    """

    def write(act: Act) -> Outcome:
        vial, account = locked_open_vial(act, vial_id)
        site_id = ledger.place_of(act.session, vial).site_id
        refuse_reason(act, why, vial.lot.product, allowed=OPEN_REASONS, site_id=site_id)
        if volume_ul <= 0:
            raise Refusal("AMOUNT-INVALID", "Type how much was wasted, more than 0 mL.", "volume")
        ledger.require(account.balance_ul, volume_ul, what="The vial", field="volume")
        when = _moment(act, wasted_at, account.id)
        refuse_untrue(act.session, why.reason, vial.lot, vial, site_id=site_id, when=when)
        if why.reason == WasteReason.DEAD_SPACE:
            refuse_more_dead_space(act.session, vial, volume_ul)
        empties = volume_ul == account.balance_ul
        if empties:
            _refuse_before_last_use(account, when)
        _waste_of(act, why, vial, account, amount_ul=volume_ul, when=when)
        if empties:
            close(act, vial, VialClosure.DISCARDED, when=when)
        facts = {**_facts(why), "volume_ul": volume_ul, "label_number": vial.label_number, "wasted_at": when}
        return act.record("stock.waste-from-vial", "vial", vial_id, site_id=site_id, facts=facts)

    return perform(write, actor=actor, at=at, request_key=request_key)


def discard_vial(
    *,
    actor: Actor,
    at: datetime,
    request_key: str | None = None,
    vial_id: UUID,
    why: Why,
    discarded_at: datetime | None = None,
) -> Outcome:
    """Waste whatever an open vial still holds, and close it.

    Raises Refusal VIAL-CLOSED, VIAL-USED-LATER and as `waste_sealed`.
    """

    def write(act: Act) -> Outcome:
        vial, account = locked_open_vial(act, vial_id)
        site_id = ledger.place_of(act.session, vial).site_id
        refuse_reason(act, why, vial.lot.product, allowed=DISCARD_REASONS, site_id=site_id)
        when = _moment(act, discarded_at, account.id)
        refuse_untrue(act.session, why.reason, vial.lot, vial, site_id=site_id, when=when)
        _refuse_before_last_use(account, when)
        if account.balance_ul:
            _waste_of(act, why, vial, account, amount_ul=account.balance_ul, when=when)
        facts = {**_facts(why), "volume_ul": account.balance_ul, "label_number": vial.label_number}
        close(act, vial, VialClosure.DISCARDED, when=when)
        facts["discarded_at"] = when
        return act.record("stock.discard-vial", "vial", vial_id, site_id=site_id, facts=facts)

    return perform(write, actor=actor, at=at, request_key=request_key)


def witness_needed(reason: WasteReason | str, product: Product) -> bool:
    """Tell whether waste of the product for this reason needs a witness: its own rule counts before the clinic's."""
    return reason in witnessed_reasons(product, current_settings())


def witnessed_reasons(product: Product, settings: Settings) -> frozenset[str]:
    """Return the reasons for which waste of the product needs a witness; never a remainder or dead space."""
    own = product.witness_reasons
    return (frozenset(settings.waste_witness_reasons) if own is None else own) - set(NEVER_WITNESSED)


def locked_open_vial(act: Act, vial_id: UUID) -> tuple[Vial, Account]:
    """Inside an act: return the vial and its account, both locked. Raises Refusal NOT-FOUND, VIAL-CLOSED, VIAL-ON-ITS-WAY."""
    vial = queries.vial_by_id(act.session, vial_id, lock=True)
    if vial.closed_at is not None:
        raise Refusal("VIAL-CLOSED", "This vial was closed already. Nothing is left in it.")
    refuse_on_its_way(act.session, vial.id)
    account_id = ledger.vial_account(act.session, vial)
    ledger.lock_balances(act.session, [account_id])
    return vial, act.session.get_one(Account, account_id, populate_existing=True)


def close(act: Act, vial: Vial, closure: VialClosure, *, when: datetime) -> None:
    """Inside an act: close an empty vial. The database refuses one that still holds something."""
    vial.closed_at, vial.closed_by_id, vial.closure = when, act.actor.id, closure
    act.session.flush()


def _waste_of(act: Act, why: Why, vial: Vial, account: Account, *, amount_ul: int, when: datetime) -> None:
    place = ledger.place_of(act.session, vial)
    _post_waste(act, why, lot_id=vial.lot_id, place=place, source=account.id, amount_ul=amount_ul, when=when)


def _post_waste(
    act: Act, why: Why, *, lot_id: UUID, place: Place, source: int, amount_ul: int, when: datetime
) -> None:
    posting = Posting(
        MovementKind.WASTE,
        source,
        ledger.lot_accounts(act.session, lot_id)[AccountKind.WASTE],
        amount_ul,
        reason=why.reason,
        note=why.note.strip() or None,
        witness_id=why.witness_id,
    )
    ledger.post(act, posting, lot_id=lot_id, place=place, occurred_at=when)


def _moment(act: Act, typed: datetime | None, source: int) -> datetime:
    when = rules.moment(typed, recorded_at=act.recorded_at, field="occurred_at")
    return ledger.after_that_minutes_inflow(act.session, source, when)


def _refuse_short(held_ul: int, wanted_ul: int, container_ul: int) -> None:
    if wanted_ul > held_ul:
        left = held_ul // container_ul
        said = f"Only {left:,} sealed {'container is' if left == 1 else 'containers are'} left there."
        raise Refusal("STOCK-SHORT", said, "containers")


def _refuse_before_last_use(account: Account, when: datetime) -> None:
    if account.last_occurred_at is not None and account.last_occurred_at > when:
        said = "Something happened with this vial after that time. Type a later time."
        raise Refusal("VIAL-USED-LATER", said, "occurred_at")


def refuse_reason(
    act: Act, why: Why, product: Product, *, allowed: Collection[WasteReason], site_id: UUID
) -> None:
    """Inside an act at a site: raise Refusal WASTE-REASON, NOTE-NEEDED, WITNESS-NEEDED or as `refuse_witness`."""
    if why.reason not in allowed:
        raise Refusal("WASTE-REASON", "Choose one of the reasons offered.", "reason")
    if why.reason == WasteReason.OTHER and not why.note.strip():
        raise Refusal("NOTE-NEEDED", "Say in words what happened.", "note")
    refuse_witness(act, why.witness_id, site_id)
    if why.witness_id is None and witness_needed(why.reason, product):
        said = "Waste of this product for this reason needs a witness."
        raise Refusal("WITNESS-NEEDED", said, "witness_username")


def _facts(why: Why) -> dict[str, object]:
    return {"reason": why.reason, "note": why.note.strip(), "witness_id": why.witness_id}
