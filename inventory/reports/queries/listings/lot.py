"""The trace of a lot: from its receipts through its containers to the patients, with every movement and what was corrected of it.

It follows a lot into the one it was merged with, and shows the lots that went over into it. Whoever works at some sites only sees
what happened at one of them.
"""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import aliased

from inventory.catalogue.models import Supplier
from inventory.doses.models import Dose, DoseSource
from inventory.kernel.quantity import format_ml
from inventory.reports.documents.listing import Grouping, Layout, Section, Shown
from inventory.reports.queries.listings.corrections import MOVED
from inventory.reports.queries.listings.doses import told_doses
from inventory.reports.queries.listings.reader import (
    Cells,
    Reader,
    Things,
    corrections_then,
    filled,
    iso,
    things,
    when,
)
from inventory.stock.models import Account, AccountKind, Movement, MovementKind, Receipt, Vial
from inventory.stock.presenters import reason_words
from inventory.web.presenting import day

FORMAT = "lot/1"
COLUMNS = (
    "row", "about", "on", "at", "at_utc", "site", "lot", "product", "expires_on", "what", "from", "to", "volume_ul", "volume_ml",
    "containers", "vial", "use_by", "dose", "patient_name", "patient_record", "standing", "by", "witness", "reason",
)  # fmt: skip
_ACCOUNTS = {
    AccountKind.SUPPLIER: "supplier",
    AccountKind.SHELF: "shelf",
    AccountKind.VIAL: "vial",
    AccountKind.GIVEN: "given",
    AccountKind.WASTE: "waste",
    AccountKind.ADJUSTMENT: "adjustment",
    AccountKind.TRANSIT: "on its way",
    AccountKind.RETURNED: "returned",
}
LAYOUT = Layout(
    COLUMNS,
    (
        Section(
            "receipt",
            "Received",
            (
                Shown("Lot", 12, "{lot}", is_bold=True),
                Shown("Received at", 12, "{at:when}"),
                Shown("Product", 26, "{product}\nexp {expires_on:day}"),
                Shown("From", 20, "{from}"),
                Shown("To", 18, "{to}, {site}"),
                Shown("Containers", 9, "{containers}", is_number=True),
                Shown("mL", 8, "{volume_ml}", is_number=True),
                Shown("By", 16, "{by}\n{reason}"),
            ),
            "It was never received here.",
        ),
        Section(
            "vial",
            "Containers opened",
            (
                Shown("Lot", 12, "{lot}", is_bold=True),
                Shown("Vial", 10, "{vial}"),
                Shown("Opened at", 14, "{at:when}"),
                Shown("Where", 16, "{site}"),
                Shown("Use by", 12, "{use_by:day}"),
                Shown("By", 24, "{by}"),
            ),
            "No container was opened.",
        ),
        Section(
            "dose",
            "Given to patients",
            (
                Shown("Dose", 12, "{dose}\n{standing}", is_bold=True),
                Shown("Given at", 12, "{at:when}"),
                Shown("Patient", 28, "{patient_name}\n{patient_record}"),
                Shown("Lots", 14, "{lot}"),
                Shown("mL", 7, "{volume_ml}", is_number=True),
                Shown("Given by", 24, "{by}"),
            ),
            "No dose was given of it.",
        ),
        Section(
            "movement",
            "Every movement",
            (
                Shown("No.", 8, "{row}", is_bold=True),
                Shown("When", 12, "{at:when}"),
                Shown("Lot", 12, "{lot}"),
                Shown("What", 20, "{what}\n{reason}"),
                Shown("From", 18, "{from}"),
                Shown("To", 18, "{to}"),
                Shown("mL", 7, "{volume_ml}", is_number=True),
                Shown("By", 16, "{by}\n{witness}"),
            ),
        ),
        Section(
            "correction",
            "Corrections of the lot",
            (
                Shown("When", 14, "{at:when}", is_bold=True),
                Shown("Before", 24, "{from}"),
                Shown("Since", 24, "{to}"),
                Shown("Reason", 30, "{reason}"),
                Shown("By", 24, "{by}\n{witness}"),
            ),
            "It was never corrected.",
        ),
    ),
    "Doses given",
    (Grouping("Movements by kind", "what", frozenset({"movement"})),),
    frozenset({"dose"}),
)


def rows(reader: Reader) -> Iterator[Cells]:
    """The life of the lots of the selection."""
    names, lot_ids = things(reader), reader.selection.lot_ids or ()
    yield from _receipts(reader, names)
    yield from _vials(reader, names)
    drawn = select(DoseSource.dose_id).where(DoseSource.lot_id.in_(lot_ids))
    conditions = (Dose.id.in_(drawn), Dose.site_id.in_(reader.site_ids))
    for _, told in told_doses(reader, *conditions):
        yield _dose(told)
    yield from _movements(reader, names)
    yield from _corrections(reader)


def _dose(told: dict[str, str]) -> Cells:
    same = {name: told[name] for name in ("on", "at", "at_utc", "site", "dose", "patient_name", "patient_record", "product", "volume_ul", "volume_ml", "standing")}  # fmt: skip
    by = ", ".join(filter(None, (told["giver"], told["giver_credential"])))
    return filled(
        COLUMNS, {"row": f"dose {told['dose']}", "about": "dose", **same, "lot": told["lots"], "by": by}
    )


def _moved(reader: Reader) -> Select[Any]:
    return select(Movement.id).where(
        Movement.lot_id.in_(reader.selection.lot_ids or ()),
        Movement.site_id.in_(reader.site_ids),
        reader.as_of.acted(Movement.act_id),
    )


def _receipts(reader: Reader, names: Things) -> Iterator[Cells]:
    undone = aliased(Movement)
    statement = (
        select(
            Receipt.__table__,
            Movement.amount_ul,
            Supplier.name.label("supplier"),
            undone.id.label("undone_id"),
        )
        .join(Movement, Movement.id == Receipt.movement_id)
        .outerjoin(Supplier, Supplier.id == Receipt.supplier_id)
        .outerjoin(undone, (undone.reverses_id == Movement.id) & reader.as_of.acted(undone.act_id))
        .where(Movement.id.in_(_moved(reader)))
        .order_by(Receipt.received_at, Receipt.id)
    )
    renamed = reader.as_of.before(reader.connection, "catalogue.rename-supplier", "name")
    for row in reader.connection.execute(statement):
        number, expires_on = names.lots[row.lot_id]
        supplier = renamed.get(row.supplier_id, row.supplier) if row.supplier_id else ""
        document = f"document {row.document_number}" if row.document_number else ""
        yield filled(
            COLUMNS,
            {
                "row": f"receipt {row.id.hex}",
                "about": "receipt",
                **when(row.received_at, reader.zone(row.site_id)),
                "site": reader.code(row.site_id),
                "lot": number,
                "product": names.products[names.product_of[row.lot_id]],
                "expires_on": iso(expires_on),
                "what": "Received, and taken back" if row.undone_id else "Received",
                "from": ", ".join(filter(None, (supplier, document))),
                "to": names.locations[row.location_id],
                "volume_ul": str(row.amount_ul),
                "volume_ml": format_ml(row.amount_ul),
                "containers": str(row.containers),
                "by": reader.person(row.actor_id),
                "reason": "Taken back later" if row.undone_id else "",
            },
        )


def _vials(reader: Reader, names: Things) -> Iterator[Cells]:
    """Containers that an opening moved volume into, or that took over what another held: known by that movement."""
    into = select(Account.vial_id).join(Movement, Movement.to_id == Account.id)
    statement = (
        select(Vial.__table__)
        .where(Vial.id.in_(into.where(Movement.id.in_(_moved(reader)), Account.vial_id.is_not(None))))
        .order_by(Vial.opened_at, Vial.id)
    )
    for row in reader.connection.execute(statement):
        label = str(row.label_number) if row.label_number is not None else "single dose"
        yield filled(
            COLUMNS,
            {
                "row": f"vial {row.id.hex}",
                "about": "vial",
                **when(row.opened_at, reader.zone(row.site_id)),
                "site": reader.code(row.site_id),
                "lot": names.lots[row.lot_id][0],
                "vial": label,
                "use_by": iso(row.use_by_on),
                "by": reader.person(row.opened_by_id),
            },
        )


def _movements(reader: Reader, names: Things) -> Iterator[Cells]:
    source, target = aliased(Account), aliased(Account)
    of_source, of_target = aliased(Vial), aliased(Vial)
    statement = (
        select(
            Movement.__table__,
            source.kind.label("from_kind"),
            source.location_id.label("from_location_id"),
            of_source.label_number.label("from_label"),
            target.kind.label("to_kind"),
            target.location_id.label("to_location_id"),
            of_target.label_number.label("to_label"),
        )
        .join(source, source.id == Movement.from_id)
        .join(target, target.id == Movement.to_id)
        .outerjoin(of_source, of_source.id == source.vial_id)
        .outerjoin(of_target, of_target.id == target.vial_id)
        .where(Movement.id.in_(_moved(reader)))
        .order_by(Movement.occurred_at, Movement.id)
    )
    for row in reader.connection.execute(statement):
        yield _movement(reader, row, names)


def _movement(reader: Reader, row: Any, names: Things) -> Cells:
    kind = MovementKind(row.kind)
    why = f"Takes back movement {row.reverses_id}" if row.reverses_id else reason_words(kind, row.reason)
    return filled(
        COLUMNS,
        {
            "row": f"movement {row.id}",
            "about": "movement",
            **when(row.occurred_at, reader.zone(row.site_id)),
            "site": reader.code(row.site_id),
            "lot": names.lots[row.lot_id][0],
            "what": MOVED[kind],
            "from": _place(row.from_kind, row.from_location_id, row.from_label, names),
            "to": _place(row.to_kind, row.to_location_id, row.to_label, names),
            "volume_ul": str(row.amount_ul),
            "volume_ml": format_ml(row.amount_ul),
            "by": reader.person(row.actor_id),
            "witness": reader.person(row.witness_id),
            "reason": ". ".join(filter(None, (why, row.note))),
        },
    )


def _place(kind: str, location_id: Any, label: int | None, names: Things) -> str:
    said = _ACCOUNTS[AccountKind(kind)]
    if kind == AccountKind.VIAL:
        said = "container" if label is None else f"vial {label}"
    return f"{said}, {names.locations[location_id]}" if location_id else said


def _corrections(reader: Reader) -> Iterator[Cells]:
    lot_ids, zone = set(reader.selection.lot_ids or ()), reader.first_zone()
    for one in corrections_then(reader):
        if one.lot_id not in lot_ids:
            continue
        merged = ", which it went over into" if one.merged_into_id else ""
        yield filled(
            COLUMNS,
            {
                "row": f"lot {one.lot_id.hex} {one.position}",
                "about": "correction",
                **when(one.corrected_at, zone),
                "lot": one.lot_number,
                "from": f"Lot {one.lot_number_before}, exp {day(one.expires_on_before)}",
                "to": f"Lot {one.lot_number}, exp {day(one.expires_on)}{merged}",
                "reason": one.reason,
                "by": reader.person(one.by_id),
                "witness": f"approved by {reader.person(one.approved_by_id)}",
            },
        )
