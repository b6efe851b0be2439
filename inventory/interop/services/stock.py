"""The opening balance of stock from a spreadsheet, opened vials with their remainder too, through stock's own services."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import partial
from uuid import UUID
from zoneinfo import ZoneInfo

from inventory.catalogue.models import ContainerType, Product
from inventory.clinic.models import Site
from inventory.interop import queries
from inventory.interop.rules import Columns, Row, read_sheet, refuse_faults
from inventory.interop.services.imports import (
    Imported,
    Source,
    Tell,
    all_or_nothing,
    attempt,
    import_key,
    record_import,
)
from inventory.kernel.db import db
from inventory.kernel.errors import Refusal
from inventory.kernel.permissions import Actor
from inventory.kernel.quantity import format_ml, parse_ml
from inventory.stock.models import AdjustReason
from inventory.stock.rules import lot_number_key, use_by
from inventory.stock.services import (
    Delivery,
    Difference,
    Direction,
    adjust_vial,
    open_vial,
    receive_delivery,
)
from inventory.web.typed_text import clean_text, is_month_alone, parse_date, parse_expiry

COLUMNS = Columns(
    needed=("product", "lot_number", "expires_on", "location", "sealed_containers"),
    others=("opened_on", "use_by", "remaining_ml"),
)
_FIELDS = {
    "containers": "sealed_containers",
    "volume": "remaining_ml",
    "received_at": "opened_on",
    "opened_at": "opened_on",
    "location_id": "location",
}
NOON = time(12)


@dataclass(frozen=True, slots=True)
class OpenedVial:
    """A vial that was opened before the clinic came to us: when, until when its label lets it be used, what is left."""

    opened_on: date
    use_by_on: date | None
    remaining_ul: int


@dataclass(frozen=True, slots=True)
class Draft:
    """What one row says of the stock."""

    row: Row
    product: Product
    lot_number: str
    expires_on: date
    expires_month_only: bool
    location_id: UUID
    sealed: int
    opened: OpenedVial | None

    @property
    def containers(self) -> int:
        """Sealed containers and the opened one."""
        return self.sealed + (1 if self.opened else 0)


@dataclass(frozen=True, slots=True)
class Clinic:
    """Where the stock lies and by what names, and on which day it is counted there."""

    site: Site
    catalogue: queries.Catalogue
    locations: dict[str, UUID]
    at: datetime

    @property
    def today(self) -> date:
        """The day at the site."""
        return self.at.astimezone(ZoneInfo(self.site.time_zone)).date()

    def instant_on(self, day: date) -> datetime:
        """Return noon of a day at the site, or its beginning where noon is still to come."""
        zone = ZoneInfo(self.site.time_zone)
        noon = datetime.combine(day, NOON, zone)
        return (noon if noon <= self.at else datetime.combine(day, time(), zone)).astimezone(UTC)


def import_stock(
    *,
    actor: Actor,
    at: datetime,
    source: Source,
    site_code: str | None = None,
    dry_run: bool = False,
    tell: Tell = lambda _rows: None,
) -> Imported:
    """Put everything in the file on the shelves of a site, or nothing.

    Raises BadRowsError; Refusal IMPORT-ALREADY, NO-SITE, SITE-NEEDED, SITE-UNKNOWN and what `read_sheet` raises.
    """
    rows = read_sheet(source.raw, COLUMNS)
    site = queries.site_named(db.session(), site_code)
    key = import_key("stock", site.id.hex, source.sha256)
    with all_or_nothing(key, dry_run=dry_run) as session:
        clinic = Clinic(site, queries.catalogue(session), queries.locations_by_name(session, site.id), at)
        drafts = [draft for row in rows if (draft := _draft(row, clinic)) is not None]
        _compare(drafts)
        for draft in drafts:
            attempt(draft.row, partial(_write, draft, clinic, actor=actor), _FIELDS)
            tell(1)
        refuse_faults(rows)
        counts = _counts(drafts)
        record_import("stock", source, actor=actor, at=at, key=key, counts=counts, site_id=site.id)
    return Imported(counts, dry_run)


def _draft(row: Row, clinic: Clinic) -> Draft | None:
    """Read a row; None where a fault was found in it."""
    product = row.need("product", clinic.catalogue.product)
    lot_number = row.need("lot_number", partial(clean_text, limit=40, is_code=True))
    expires_on = row.need("expires_on", parse_expiry)
    location_id = row.need("location", partial(_location, clinic))
    sealed = row.need("sealed_containers", _count)
    opened = _opened(row, product, expires_on, clinic) if product else None
    if expires_on and expires_on < clinic.today:
        row.fault("LOT-EXPIRED-ON-RECEIPT", "It has expired: discard it, and remove the row.", "expires_on")
    if sealed == 0 and opened is None and not row.faults:
        row.fault(
            "COUNT-RANGE", "The row has neither sealed containers nor an opened vial.", "sealed_containers"
        )
    if row.faults or not (product and lot_number and expires_on and location_id) or sealed is None:
        return None
    month_only = is_month_alone(row.cells["expires_on"])
    return Draft(row, product, lot_number, expires_on, month_only, location_id, sealed, opened)


def _opened(row: Row, product: Product, expires_on: date | None, clinic: Clinic) -> OpenedVial | None:
    """Read what the row says of an opened vial; None where it says nothing, or a fault was found."""
    names = ("opened_on", "use_by", "remaining_ml")
    if not any(row.cells[name].strip() for name in names):
        return None
    opened_on = row.need("opened_on", parse_date)
    use_by_on = row.read("use_by", parse_date)
    remaining_ul = row.need("remaining_ml", parse_ml)
    if product.container_type == ContainerType.SINGLE_DOSE:
        said = "An opened single-dose container is never kept. Discard it."
        row.fault("SINGLE-DOSE-ONLY-ONCE", said, "opened_on")
    if opened_on is None or remaining_ul is None or expires_on is None:
        return None
    vial = OpenedVial(opened_on, use_by_on, remaining_ul)
    _refuse_vial(row, vial, product, expires_on, clinic.today)
    return vial


def _refuse_vial(row: Row, vial: OpenedVial, product: Product, expires_on: date, today: date) -> None:
    last = use_by(expires_on=expires_on, opened_on=vial.opened_on, in_use_days=product.in_use_days)
    most = product.container_volume_ul + product.overfill_limit_ul
    if vial.opened_on > today:
        row.fault("TIME-FUTURE", "This day is still to come.", "opened_on")
    if vial.use_by_on and not vial.opened_on <= vial.use_by_on <= last:
        said = f"Opened on {vial.opened_on}, it can be used until {last} at the latest."
        row.fault("VIAL-USE-BY", said, "use_by")
    elif min(last, vial.use_by_on or last) < today:
        said = f"It was usable until {min(last, vial.use_by_on or last)}: discard it, and remove the row."
        row.fault("VIAL-PAST-USE-BY", said, "opened_on")
    if not 0 < vial.remaining_ul <= most:
        said = f"More than 0 and at most {format_ml(most)} mL can be left in it."
        row.fault("VIAL-OVERFULL", said, "remaining_ml")


def _compare(drafts: list[Draft]) -> None:
    """Find a shelf that is counted twice."""
    seen: dict[tuple[UUID, str, UUID], int] = {}
    for draft in drafts:
        try:
            shelf = (draft.product.id, lot_number_key(draft.lot_number), draft.location_id)
        except Refusal as refusal:
            draft.row.fault(refusal.code, refusal.message, "lot_number")
            continue
        if draft.sealed and (first := seen.setdefault(shelf, draft.row.line)) != draft.row.line:
            said = f"Line {first} counts the sealed containers of this lot at this location already."
            draft.row.fault("IMPORT-ROW-TWICE", said, "sealed_containers")


def _write(draft: Draft, clinic: Clinic, *, actor: Actor) -> None:
    """Receive the row's containers, then open the one that is open and take out what is no longer in it."""
    at, opened = clinic.at, draft.opened
    opened_at = clinic.instant_on(opened.opened_on) if opened else None
    delivery = Delivery(
        product_id=draft.product.id,
        lot_number=draft.lot_number,
        expires_on=draft.expires_on,
        expires_month_only=draft.expires_month_only,
        containers=draft.containers,
        site_id=clinic.site.id,
        location_id=draft.location_id,
        document_number="Opening balance",
        received_at=opened_at,
    )
    lot_id = receive_delivery(actor=actor, at=at, delivery=delivery).subject_id
    if opened is None:
        return
    vial_id = open_vial(
        actor=actor,
        at=at,
        lot_id=lot_id,
        site_id=clinic.site.id,
        location_id=draft.location_id,
        opened_at=opened_at,
        use_by_on=opened.use_by_on,
    ).subject_id
    _leave(vial_id, opened.remaining_ul - draft.product.container_volume_ul, actor=actor, at=at)


def _leave(vial_id: UUID, more_ul: int, *, actor: Actor, at: datetime) -> None:
    """Make an opened vial hold so much more (or, negative, less) than a full one."""
    if more_ul:
        direction = Direction.FOUND if more_ul > 0 else Direction.MISSING
        note = "What was left in it when the clinic began here."
        difference = Difference(direction, AdjustReason.OPENING_BALANCE, note)
        adjust_vial(actor=actor, at=at, vial_id=vial_id, volume_ul=abs(more_ul), difference=difference)


def _counts(drafts: list[Draft]) -> dict[str, int]:
    lots = {(draft.product.id, lot_number_key(draft.lot_number)) for draft in drafts}
    return {
        "lots": len(lots),
        "sealed_containers": sum(draft.sealed for draft in drafts),
        "opened_vials": sum(draft.opened is not None for draft in drafts),
    }


def _location(clinic: Clinic, text: str) -> UUID:
    found = clinic.locations.get(text.casefold())
    if found is None:
        raise Refusal("LOCATION-UNKNOWN", f"{clinic.site.name} has no such storage location.")
    return found


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 6):
        raise Refusal("NUMBER-INVALID", "Type a whole number in digits, such as 25.")
    return int(text)
