"""A delivery comes in: the lot is found or added, its containers move from the supplier to a shelf.

Laws kept here: a lot typed in other case or spacing is the same lot; the lot copies what the product was (law 9).
"""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select

from inventory.audit.acts import Act, Outcome, perform
from inventory.catalogue import gs1
from inventory.catalogue.models import Product
from inventory.catalogue.queries import products_of_gtin
from inventory.catalogue.services import new_supplier
from inventory.kernel.clock import local_day
from inventory.kernel.errors import Refusal, Refusals, not_found
from inventory.kernel.ids import uuid7
from inventory.kernel.money import MOST_MINOR
from inventory.kernel.permissions import Actor
from inventory.stock import ledger, queries, rules, scans
from inventory.stock.ledger import Place, Posting
from inventory.stock.models import AccountKind, HoldKind, Lot, MovementKind, Receipt
from inventory.stock.queries.named_lots import wait_for_recalls
from inventory.stock.services.holding import is_held, place_hold
from inventory.stock.services.lots import new_lot, refuse_merged
from inventory.stock.services.places import refuse_elsewhere, site_of
from inventory.stock.services.recalled import hold_if_recalled

MOST_CONTAINERS = 100_000
EXPIRED_ON_RECEIPT = "Expired on receipt: for return or waste."


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One line of a delivery as it was read from the pack. `received_at` None is now.

    `container_price_minor` is what one container cost, where it is known, in the smallest unit of the clinic's currency.
    `raw_scan` is what was scanned of it, as `gs1.read_scans` takes it.
    """

    product_id: UUID
    lot_number: str
    expires_on: date
    containers: int
    site_id: UUID
    location_id: UUID
    expires_month_only: bool = False
    supplier_id: UUID | None = None
    new_supplier_name: str = ""
    document_number: str = ""
    received_at: datetime | None = None
    hold_expired: bool = False
    raw_scan: str | None = None
    container_price_minor: int | None = None


def receive_delivery(
    *, actor: Actor, at: datetime, request_key: str | None = None, delivery: Delivery
) -> Outcome:
    """Put a delivery on a shelf; the outcome names its lot.

    Raises Refusal or Refusals: LOT-NUMBER-INVALID, LOT-MERGED, LOT-EXPIRY-DIFFERS, LOT-EXPIRED-ON-RECEIPT (unless `hold_expired`, which holds
    the lot in the same act), COUNT-RANGE, PRODUCT-RETIRED, LOCATION-ELSEWHERE, TIME-FUTURE, TIME-TOO-EARLY; where it was scanned,
    also as `gs1.read_scan` and `scans.disagreements`.
    """

    def write(act: Act) -> Outcome:
        site = site_of(act.session, delivery.site_id)
        wait_for_recalls(act.session)
        received_at = rules.moment(delivery.received_at, recorded_at=act.recorded_at, field="received_at")
        _refuse_wrong(act, delivery)
        product = _locked_product(act, delivery)
        received_on = local_day(received_at, site.time_zone)
        _refuse_other_scan(act, delivery, product, received_on)
        expired = _expired_on_receipt(delivery, received_on)
        lot, is_new = _lot_for(act, delivery, product)
        receipt = _receipt(act, delivery, lot, received_at=received_at)
        if expired and not is_held(act, lot.id, HoldKind.HOLD, reason=EXPIRED_ON_RECEIPT):
            place_hold(act, lot.id, HoldKind.HOLD, EXPIRED_ON_RECEIPT)
        recalled = hold_if_recalled(act, lot) if is_new else []
        facts = {**_facts(delivery, lot, receipt), "lot_is_new": is_new, "held_as_expired": expired}
        facts |= {"held_by_recall": recalled} if recalled else {}
        return act.record("stock.receive", "lot", lot.id, site_id=site.id, facts=facts)

    return perform(write, actor=actor, at=at, request_key=request_key)


def _refuse_wrong(act: Act, delivery: Delivery) -> None:
    wrong = []
    try:
        rules.lot_number_key(delivery.lot_number)
    except Refusal as refusal:
        wrong.append(refusal)
    if not 1 <= delivery.containers <= MOST_CONTAINERS:
        said = f"Type how many containers came, from 1 to {MOST_CONTAINERS:,}."
        wrong.append(Refusal("COUNT-RANGE", said, "containers"))
    if delivery.container_price_minor is not None and not 0 <= delivery.container_price_minor <= MOST_MINOR:
        wrong.append(Refusal("PRICE-INVALID", "Type the price of one container.", "price"))
    if wrong:
        raise Refusals(wrong)
    refuse_elsewhere(act.session, site_id=delivery.site_id, location_id=delivery.location_id)


def _locked_product(act: Act, delivery: Delivery) -> Product:
    """Two deliveries of one product wait for each other, so that one lot is never added twice."""
    product = act.session.scalar(
        select(Product).where(Product.id == delivery.product_id).with_for_update(key_share=True)
    )
    if product is None:
        raise not_found("product")
    if product.retired_at is not None:
        said = "This product is retired. Choose its newer version, or restore it in the catalogue."
        raise Refusal("PRODUCT-RETIRED", said, "product")
    return product


def _refuse_other_scan(act: Act, delivery: Delivery, product: Product, received_on: date) -> None:
    wrong: list[Refusal] = []
    for scan in gs1.read_scans(delivery.raw_scan, on=received_on) if delivery.raw_scan else []:
        wrong += scans.disagreements(
            scan,
            candidates=products_of_gtin(act.session, scan.gtin) if scan.gtin else [],
            product=product,
            lot_number=delivery.lot_number,
            expires_on=delivery.expires_on,
        )
    if wrong:
        raise Refusals(wrong)


def refuse_other_expiry(stored: Lot | None, expires_on: date) -> None:
    """Raise Refusal LOT-EXPIRY-DIFFERS where the lot stands here with another expiry."""
    if stored is not None and stored.expires_on != expires_on:
        said = (
            f"Lot {stored.lot_number} stands here with the expiry {stored.expires_on.isoformat()}, not"
            f" {expires_on.isoformat()}. Check the lot number and the expiry on the pack."
        )
        raise Refusal("LOT-EXPIRY-DIFFERS", said, "expires_on")


def _expired_on_receipt(delivery: Delivery, received_on: date) -> bool:
    expired = delivery.expires_on < received_on
    if expired and not delivery.hold_expired:
        said = "This expiry has passed. Check it; if it is right, tick that the delivery is put on hold for return or waste."
        raise Refusal("LOT-EXPIRED-ON-RECEIPT", said, "expires_on")
    return expired


def _lot_for(act: Act, delivery: Delivery, product: Product) -> tuple[Lot, bool]:
    found = queries.lot_by_number(act.session, product_id=product.id, lot_number=delivery.lot_number)
    if found is None:
        made = new_lot(
            act,
            product,
            lot_number=delivery.lot_number,
            expires_on=delivery.expires_on,
            expires_month_only=delivery.expires_month_only,
            raw_scan=delivery.raw_scan,
        )
        return made, True
    refuse_merged(act.session, found)
    refuse_other_expiry(found, delivery.expires_on)
    return queries.lot_by_id(act.session, found.id, lock=True), False


def _receipt(act: Act, delivery: Delivery, lot: Lot, *, received_at: datetime) -> dict[str, object]:
    place = Place(delivery.site_id, delivery.location_id)
    supplier = ledger.lot_accounts(act.session, lot.id)[AccountKind.SUPPLIER]
    shelf = ledger.shelf_account(act.session, lot_id=lot.id, location_id=place.location_id, create=True)
    amount_ul = delivery.containers * lot.container_volume_ul
    posting = Posting(MovementKind.RECEIVE, supplier, shelf, amount_ul)
    values: dict[str, object] = {
        "id": uuid7(),
        "lot_id": lot.id,
        "site_id": place.site_id,
        "location_id": place.location_id,
        "supplier_id": _supplier(act, delivery),
        "document_number": delivery.document_number.strip() or None,
        "containers": delivery.containers,
        "container_price_minor": delivery.container_price_minor,
        "movement_id": ledger.post(act, posting, lot_id=lot.id, place=place, occurred_at=received_at),
        "received_at": received_at,
        "recorded_at": act.recorded_at,
        "actor_id": act.actor.id,
    }
    act.insert(Receipt, values)
    return values


def _supplier(act: Act, delivery: Delivery) -> UUID | None:
    if delivery.new_supplier_name.strip():
        return new_supplier(act, delivery.new_supplier_name)
    return delivery.supplier_id


def _facts(delivery: Delivery, lot: Lot, receipt: dict[str, object]) -> dict[str, object]:
    return {
        "receipt_id": receipt["id"],
        "product": lot.product.name,
        "lot_number": lot.lot_number,
        "expires_on": lot.expires_on,
        "containers": delivery.containers,
        "location_id": delivery.location_id,
        "supplier_id": receipt["supplier_id"],
        "document_number": receipt["document_number"],
        "received_at": receipt["received_at"],
        "container_price_minor": delivery.container_price_minor,
        **({"scanned": delivery.raw_scan} if delivery.raw_scan else {}),
    }
