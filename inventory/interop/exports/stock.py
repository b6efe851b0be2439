"""The stock and what was done with it, as it is exported: the shelf now, lots, vials, deliveries, and every movement of the ledger."""

from sqlalchemy.orm import aliased

from inventory.catalogue.models import Formulation, Product, Supplier
from inventory.clinic.models import Location
from inventory.interop.exports.table import Column, Exported, lot_number, person, site
from inventory.kernel.permissions import Permission
from inventory.stock.models import (
    Account,
    Disposal,
    DisposalLine,
    Hold,
    Lot,
    LotCorrection,
    Movement,
    Receipt,
    StockCount,
    TemperatureReading,
    Transfer,
    TransferLine,
    Vial,
)

_STOCK = (Permission.STOCK_READ,)


def shelf() -> Exported:
    """What lies where, now."""
    return Exported(
        name="shelf",
        title="Shelf",
        row_is="What lies of one lot at one place now",
        permission=_STOCK,
        source=Account,
        joins=((Location, Location.id == Account.location_id), (Lot, Lot.id == Account.lot_id)),
        conditions=(Account.location_id.is_not(None), Account.balance_ul > 0),
        order=(Account.id,),
        sites=(Location.site_id,),
        columns=(
            Column("site", "Code of the site", site(Location.site_id)),
            Column("location", "Name of the place", Location.name),
            Column("lot", "Lot number", Lot.lot_number),
            Column("expires_on", "Last usable day", Lot.expires_on),
            Column("account", "shelf: sealed; vial: opened", Account.kind),
            Column("balance_ul", "What lies there, in microlitres", Account.balance_ul),
            Column("container_volume_ul", "Volume of one container", Lot.container_volume_ul),
        ),
    )


def lots() -> Exported:
    """Every lot that was delivered."""
    return Exported(
        name="lots",
        title="Lots",
        row_is="One lot, as its newest correction has it",
        permission=_STOCK,
        source=Lot,
        joins=((Product, Product.id == Lot.product_id),),
        order=(Lot.created_at, Lot.id),
        day=Lot.created_at,
        columns=(
            Column("lot", "Lot number", Lot.lot_number),
            Column("product", "Name of the product", Product.name),
            Column("version", "Version of the product", Product.version_number),
            Column("expires_on", "Last usable day", Lot.expires_on),
            Column("container_type", "single_dose or multi_dose", Lot.container_type),
            Column("container_volume_ul", "In microlitres", Lot.container_volume_ul),
            Column("strength_ng", "Nanograms per strength_ul", Lot.strength_ng),
            Column("strength_ul", "In microlitres", Lot.strength_ul),
            Column("created_at", "Instant in UTC", Lot.created_at),
            Column("created_by", "Username", person(Lot.created_by_id)),
        ),
    )


def lot_corrections() -> Exported:
    """What was corrected of lots."""
    return Exported(
        name="lot-corrections",
        title="Corrections of lots",
        row_is="One correction of a lot",
        permission=_STOCK,
        source=LotCorrection,
        order=(LotCorrection.corrected_at, LotCorrection.id),
        day=LotCorrection.corrected_at,
        columns=(
            Column("lot_before", "Lot number before", LotCorrection.lot_number_before),
            Column("expires_on_before", "", LotCorrection.expires_on_before),
            Column("lot", "Lot number after", LotCorrection.lot_number),
            Column("expires_on", "", LotCorrection.expires_on),
            Column("merged_into", "Lot it went over into", lot_number(LotCorrection.merged_into_id)),
            Column("reason", "Why", LotCorrection.reason),
            Column("corrected_at", "Instant in UTC", LotCorrection.corrected_at),
            Column("corrected_by", "Username", person(LotCorrection.actor_id)),
            Column("approved_by", "Username", person(LotCorrection.approved_by_id)),
        ),
    )


def receipts() -> Exported:
    """What was delivered."""
    return Exported(
        name="deliveries",
        title="Deliveries",
        row_is="One lot of one delivery",
        permission=_STOCK,
        source=Receipt,
        joins=((Supplier, Supplier.id == Receipt.supplier_id),),
        order=(Receipt.received_at, Receipt.id),
        sites=(Receipt.site_id,),
        day=Receipt.received_at,
        columns=(
            Column("site", "Code of the site", site(Receipt.site_id)),
            Column("lot", "Lot number, as it is now", lot_number(Receipt.lot_id)),
            Column("supplier", "", Supplier.name),
            Column("document", "Number of the delivery note", Receipt.document_number),
            Column("containers", "How many", Receipt.containers),
            Column("received_at", "Instant in UTC", Receipt.received_at),
            Column("recorded_at", "Instant in UTC", Receipt.recorded_at),
            Column("recorded_by", "Username", person(Receipt.actor_id)),
            Column("movement", "Number of the movement in the ledger", Receipt.movement_id),
        ),
    )


def vials() -> Exported:
    """Every container that was opened."""
    return Exported(
        name="vials",
        title="Opened containers",
        row_is="One container that was opened",
        permission=_STOCK,
        source=Vial,
        order=(Vial.opened_at, Vial.id),
        sites=(Vial.site_id,),
        day=Vial.opened_at,
        columns=(
            Column("site", "Code of the site that opened it", site(Vial.site_id)),
            Column("vial", "Number on its label", Vial.label_number),
            Column("lot", "Lot number, as it is now", lot_number(Vial.lot_id)),
            Column("opened_at", "Instant in UTC", Vial.opened_at),
            Column("opened_by", "Username", person(Vial.opened_by_id)),
            Column("use_by_on", "Last day it may be used", Vial.use_by_on),
            Column("closed_at", "Instant in UTC; empty while open", Vial.closed_at),
            Column("closure", "How it ended", Vial.closure),
        ),
    )


def movements() -> Exported:
    """The ledger."""
    source, target = aliased(Account), aliased(Account)
    return Exported(
        name="movements",
        title="Movements",
        row_is="One movement of the ledger",
        permission=_STOCK,
        source=Movement,
        joins=((source, source.id == Movement.from_id), (target, target.id == Movement.to_id)),
        order=(Movement.id,),
        sites=(Movement.site_id,),
        day=Movement.occurred_at,
        columns=(
            Column("movement", "Number of the movement", Movement.id),
            Column("site", "Code of the site", site(Movement.site_id)),
            Column("kind", "What it is", Movement.kind),
            Column("reason", "Why, of waste and adjustments", Movement.reason),
            Column("lot", "Lot number, as it is now", lot_number(Movement.lot_id)),
            Column("from", "Kind of account it comes from", source.kind),
            Column("to", "Kind of account it goes to", target.kind),
            Column("amount_ul", "In microlitres", Movement.amount_ul),
            Column("occurred_at", "Instant in UTC", Movement.occurred_at),
            Column("recorded_at", "Instant in UTC", Movement.recorded_at),
            Column("recorded_by", "Username", person(Movement.actor_id)),
            Column("witness", "Username", person(Movement.witness_id)),
            Column("reverses", "Number of the movement it undoes", Movement.reverses_id),
            Column("note", "Free text", Movement.note),
        ),
    )


def holds() -> Exported:
    """What was set apart."""
    return Exported(
        name="holds",
        title="Holds",
        row_is="One hold on a lot, a place or a vial",
        permission=_STOCK,
        source=Hold,
        joins=((Location, Location.id == Hold.location_id),),
        order=(Hold.held_at, Hold.id),
        sites=(Location.site_id,),
        sites_may_lack=True,
        day=Hold.held_at,
        columns=(
            Column("lot", "Lot number, as it is now", lot_number(Hold.lot_id)),
            Column("location", "Name of the place; empty: the whole lot or a vial", Location.name),
            Column("kind", "What it is", Hold.kind),
            Column("reason", "Why", Hold.reason),
            Column("held_at", "Instant in UTC", Hold.held_at),
            Column("held_by", "Username", person(Hold.held_by_id)),
            Column("released_at", "Instant in UTC; empty while it stands", Hold.released_at),
            Column("released_by", "Username", person(Hold.released_by_id)),
            Column("release_reason", "Why it was released", Hold.release_reason),
        ),
    )


def transfers() -> Exported:
    """What was sent from place to place."""
    return Exported(
        name="transfers",
        title="Transfers",
        row_is="One lot or vial of one transfer",
        permission=_STOCK,
        source=TransferLine,
        joins=((Transfer, Transfer.id == TransferLine.transfer_id),),
        order=(TransferLine.transfer_id, TransferLine.position),
        sites=(Transfer.from_site_id, Transfer.to_site_id),
        day=Transfer.sent_at,
        columns=(
            Column("from_site", "Code of the site", site(Transfer.from_site_id)),
            Column("number", "Number at that site", Transfer.number),
            Column("position", "Line of the transfer", TransferLine.position),
            Column("to_site", "Code of the site", site(Transfer.to_site_id)),
            Column("lot", "Lot number, as it is now", lot_number(TransferLine.lot_id)),
            Column("containers", "How many", TransferLine.containers),
            Column("amount_ul", "In microlitres", TransferLine.amount_ul),
            Column("sent_at", "Instant in UTC", Transfer.sent_at),
            Column("sent_by", "Username", person(Transfer.actor_id)),
        ),
    )


def disposals() -> Exported:
    """What was returned or destroyed."""
    return Exported(
        name="disposals",
        title="Returns and destruction",
        row_is="One lot or vial of one document",
        permission=_STOCK,
        source=DisposalLine,
        joins=((Disposal, Disposal.id == DisposalLine.disposal_id),),
        order=(DisposalLine.disposal_id, DisposalLine.position),
        sites=(Disposal.site_id,),
        day=Disposal.disposed_at,
        columns=(
            Column("site", "Code of the site", site(Disposal.site_id)),
            Column("number", "Number at its site", Disposal.number),
            Column("kind", "Returned or destroyed", Disposal.kind),
            Column("position", "Line of the document", DisposalLine.position),
            Column("lot", "Lot number, as it is now", lot_number(DisposalLine.lot_id)),
            Column("amount_ul", "In microlitres", DisposalLine.amount_ul),
            Column("reason", "Why", DisposalLine.reason),
            Column("document", "Number of the paper", Disposal.document_number),
            Column("disposed_at", "Instant in UTC", Disposal.disposed_at),
            Column("recorded_by", "Username", person(Disposal.actor_id)),
            Column("witness", "Username", person(Disposal.witness_id)),
        ),
    )


def counts() -> Exported:
    """When stock was counted."""
    return Exported(
        name="counts",
        title="Counts",
        row_is="One count of a place",
        permission=_STOCK,
        source=StockCount,
        joins=((Location, Location.id == StockCount.location_id),),
        order=(StockCount.started_at, StockCount.id),
        sites=(StockCount.site_id,),
        day=StockCount.started_at,
        columns=(
            Column("site", "Code of the site", site(StockCount.site_id)),
            Column("number", "Number at its site", StockCount.number),
            Column("location", "Name of the place", Location.name),
            Column("started_at", "Instant in UTC", StockCount.started_at),
            Column("started_by", "Username", person(StockCount.started_by_id)),
            Column("closed_at", "Instant in UTC; empty while open", StockCount.closed_at),
            Column("closed_by", "Username", person(StockCount.closed_by_id)),
            Column("outcome", "How it ended", StockCount.outcome),
        ),
    )


def temperatures() -> Exported:
    """What the thermometers said."""
    return Exported(
        name="temperatures",
        title="Temperatures",
        row_is="One reading of a place",
        permission=_STOCK,
        source=TemperatureReading,
        joins=((Location, Location.id == TemperatureReading.location_id),),
        order=(TemperatureReading.id,),
        sites=(Location.site_id,),
        day=TemperatureReading.read_at,
        columns=(
            Column("site", "Code of the site", site(Location.site_id)),
            Column("location", "Name of the place", Location.name),
            Column("read_at", "Instant in UTC", TemperatureReading.read_at),
            Column("decicelsius", "Tenths of a degree Celsius", TemperatureReading.decicelsius),
            Column("source", "Typed or read from a logger", TemperatureReading.source),
            Column("recorded_by", "Username", person(TemperatureReading.actor_id)),
            Column("note", "Free text", TemperatureReading.note),
        ),
    )


def products() -> Exported:
    """The catalogue."""
    return Exported(
        name="products",
        title="Products",
        row_is="One version of a product",
        permission=(Permission.CATALOGUE_READ,),
        source=Product,
        joins=((Formulation, Formulation.id == Product.formulation_id),),
        order=(Product.created_at, Product.id),
        is_timeless=True,
        columns=(
            Column("product", "Name", Product.name),
            Column("version", "1 for the first", Product.version_number),
            Column("formulation", "Name of the formulation", Formulation.name),
            Column("maker", "", Product.maker),
            Column("gtin", "", Product.gtin),
            Column("container_type", "single_dose or multi_dose", Product.container_type),
            Column("container_volume_ul", "In microlitres", Product.container_volume_ul),
            Column("strength_ng", "Nanograms per strength_ul", Product.strength_ng),
            Column("strength_ul", "In microlitres", Product.strength_ul),
            Column("in_use_days", "Days an opened vial may be used", Product.in_use_days),
            Column("retired_at", "Instant in UTC; empty while in use", Product.retired_at),
        ),
    )


STOCK = (
    shelf, lots, lot_corrections, receipts, vials, movements, holds, transfers, disposals, counts, temperatures, products,
)  # fmt: skip
