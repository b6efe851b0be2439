"""Corrections: voids, amendments, lot corrections and reversals, each with what stood before and what stands since, side by side."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import aliased

from inventory.doses.models import Dose, DoseVoid
from inventory.doses.rules.terms import BODY_SITE_WORDS, VoidKind
from inventory.kernel.quantity import format_mcg, format_ml
from inventory.reports.documents.administration_row import moment
from inventory.reports.documents.listing import Grouping, Layout, Section, Shown
from inventory.reports.queries.as_of import RECORDED
from inventory.reports.queries.listings.doses import lots_of, void_words
from inventory.reports.queries.listings.reader import (
    Cells,
    Reader,
    corrections_then,
    filled,
    things,
    when,
)
from inventory.reports.queries.selection import void_known
from inventory.stock.models import Lot, Movement, MovementKind
from inventory.stock.presenters import reason_words
from inventory.web.presenting import day

FORMAT = "corrections/1"
COLUMNS = (
    "row", "about", "what", "on", "at", "at_utc", "site", "subject", "patient_record", "before", "after", "reason", "by",
    "approved_by",
)  # fmt: skip
_SIDES = (
    Shown("What", 16, "{subject}\n{patient_record}", is_bold=True),
    Shown("Corrected at", 10, "{at:when}"),
    Shown("Before", 30, "{before}"),
    Shown("Since", 30, "{after}"),
    Shown("Reason", 24, "{reason}"),
    Shown("By", 16, "{by}\n{approved_by}"),
)
LAYOUT = Layout(
    COLUMNS,
    (
        Section("void", "Doses that were voided", _SIDES),
        Section("amendment", "Doses that were amended", _SIDES),
        Section("lot", "Lots that were corrected", _SIDES),
        Section("reversal", "Movements that were reversed", _SIDES),
    ),
    "Corrections",
    (Grouping("By kind of correction", "what"), Grouping("By person", "by")),
)


def rows(reader: Reader) -> Iterator[Cells]:
    """What was corrected on the days of the period, whatever day it is about."""
    yield from _voids(reader)
    yield from _amendments(reader)
    yield from _lots(reader)
    yield from _reversals(reader)


def _voids(reader: Reader) -> Iterator[Cells]:
    statement = (
        select(
            Dose.__table__,
            DoseVoid.kind.label("void_kind"),
            DoseVoid.reason.label("void_reason"),
            DoseVoid.voided_at,
            DoseVoid.actor_id.label("voided_by_id"),
        )
        .join(DoseVoid, DoseVoid.dose_id == Dose.id)
        .where(
            Dose.site_id.in_(reader.site_ids),
            DoseVoid.kind != VoidKind.AMENDED,
            reader.about_then(DoseVoid.voided_at),
            void_known(reader.as_of),
        )
        .order_by(DoseVoid.voided_at, Dose.id)
    )
    found = [
        row for row in reader.connection.execute(statement) if _is_here(reader, row.voided_at, row.site_id)
    ]
    lots = lots_of(reader, Dose.id.in_([row.id for row in found]))
    for row in found:
        number = reader.numbered(row.site_id, row.number)
        yield filled(
            COLUMNS,
            {
                "row": f"void {number}",
                "about": "void",
                "what": "Void",
                **when(row.voided_at, reader.zone(row.site_id)),
                "site": reader.code(row.site_id),
                "subject": number,
                "patient_record": row.patient_record_number,
                "before": "\n".join(f"{name}: {said}" for name, said in _facts(row, lots).items()),
                "after": f"Void. {void_words(row.void_kind)}.",
                "reason": row.void_reason,
                "by": reader.person(row.voided_by_id),
            },
        )


def _amendments(reader: Reader) -> Iterator[Cells]:
    old = aliased(Dose)
    statement = (
        select(Dose.id, Dose.amends_id, Dose.recorded_at, Dose.site_id, DoseVoid.reason)
        .join(old, old.id == Dose.amends_id)
        .outerjoin(DoseVoid, DoseVoid.dose_id == old.id)
        .where(
            Dose.site_id.in_(reader.site_ids),
            reader.about_then(Dose.recorded_at),
            reader.as_of.known(Dose.id, *RECORDED),
        )
        .order_by(Dose.recorded_at, Dose.id)
    )
    found = [
        row for row in reader.connection.execute(statement) if _is_here(reader, row.recorded_at, row.site_id)
    ]
    every = {row.id for row in found} | {row.amends_id for row in found}
    entries = {
        row.id: row for row in reader.connection.execute(select(Dose.__table__).where(Dose.id.in_(every)))
    }
    lots = lots_of(reader, Dose.id.in_(every))
    for row in found:
        yield _amendment(reader, row, entries[row.amends_id], entries[row.id], lots)


def _amendment(reader: Reader, row: Any, old: Any, new: Any, lots: dict[UUID, str]) -> Cells:
    was, now = _facts(old, lots), _facts(new, lots)
    changed = [name for name in was if was[name] != now[name]]
    old_number, number = reader.numbered(old.site_id, old.number), reader.numbered(new.site_id, new.number)
    return filled(
        COLUMNS,
        {
            "row": f"amendment {number}",
            "about": "amendment",
            "what": "Amendment",
            **when(row.recorded_at, reader.zone(row.site_id)),
            "site": reader.code(row.site_id),
            "subject": number,
            "patient_record": new.patient_record_number,
            "before": "\n".join([old_number, *(f"{name}: {was[name]}" for name in changed)]),
            "after": "\n".join([number, *(f"{name}: {now[name]}" for name in changed)]),
            "reason": row.reason or "",
            "by": reader.person(new.actor_id),
        },
    )


def _facts(dose: Any, lots: dict[UUID, str]) -> dict[str, str]:
    """What an amendment may change, by name."""
    return {
        "Given at": moment(dose.given_at.astimezone(ZoneInfo(dose.given_zone))),
        "Patient": f"{dose.patient_name}, {dose.patient_record_number}",
        "Product": dose.product_name,
        "Lots": lots.get(dose.id, ""),
        "Dose": f"{format_mcg(dose.dose_ng)} mcg in {format_ml(dose.volume_ul)} mL",
        "Injection site": BODY_SITE_WORDS[dose.body_site],
        "Route": dose.route,
        "Needle": dose.needle or "not said",
        "Given by": f"{dose.giver_name}, {dose.giver_credential}".rstrip(", "),
        "Indication": dose.indication,
        "Consent": "seen" if dose.consent_seen else "not seen",
        "Information sheet": dose.information_sheet or "none",
        "Note": dose.note or "none",
    }


def _lots(reader: Reader) -> Iterator[Cells]:
    """Corrections of lots that ever moved at these sites; a lot belongs to none."""
    zone = reader.first_zone()
    moved = set(
        reader.connection.execute(
            select(Movement.lot_id).where(Movement.site_id.in_(reader.site_ids)).distinct()
        ).scalars()
    )
    for one in corrections_then(reader):
        if one.lot_id not in moved or not reader.is_within(one.corrected_at, zone):
            continue
        merged = ", which it went over into" if one.merged_into_id else ""
        yield filled(
            COLUMNS,
            {
                "row": f"lot {one.lot_id.hex} {one.position}",
                "about": "lot",
                "what": "Lot correction",
                **when(one.corrected_at, zone),
                "subject": f"Lot {one.lot_number_before}",
                "before": f"Lot {one.lot_number_before}, exp {day(one.expires_on_before)}",
                "after": f"Lot {one.lot_number}, exp {day(one.expires_on)}{merged}",
                "reason": one.reason,
                "by": reader.person(one.by_id),
                "approved_by": reader.person(one.approved_by_id),
            },
        )


def _reversals(reader: Reader) -> Iterator[Cells]:
    undone, lot = aliased(Movement), aliased(Lot)
    statement = (
        select(
            Movement.__table__,
            undone.kind.label("undone_kind"),
            undone.reason.label("undone_reason"),
            undone.occurred_at.label("undone_at"),
            undone.actor_id.label("undone_by_id"),
        )
        .join(undone, undone.id == Movement.reverses_id)
        .join(lot, lot.id == Movement.lot_id)
        .where(
            Movement.site_id.in_(reader.site_ids),
            reader.about_then(Movement.recorded_at),
            reader.as_of.acted(Movement.act_id),
        )
        .order_by(Movement.recorded_at, Movement.id)
    )
    lots = things(reader).lots
    for row in reader.connection.execute(statement):
        if _is_here(reader, row.recorded_at, row.site_id):
            yield _reversal(reader, row, lots[row.lot_id][0])


def _reversal(reader: Reader, row: Any, lot_number: str) -> Cells:
    zone, kind = reader.zone(row.site_id), MovementKind(row.undone_kind)
    before = (
        f"{MOVED[kind]}: {format_ml(row.amount_ul)} mL of lot {lot_number}",
        reason_words(kind, row.undone_reason),
        f"{moment(row.undone_at.astimezone(zone))}, {reader.person(row.undone_by_id)}",
    )
    return filled(
        COLUMNS,
        {
            "row": f"movement {row.id}",
            "about": "reversal",
            "what": "Reversal",
            **when(row.recorded_at, zone),
            "site": reader.code(row.site_id),
            "subject": f"Movement {row.reverses_id}",
            "before": "\n".join(filter(None, before)),
            "after": f"Taken back whole, by movement {row.id}",
            "reason": row.note or "",
            "by": reader.person(row.actor_id),
        },
    )


MOVED = {
    MovementKind.RECEIVE: "Received",
    MovementKind.OPEN: "Opened",
    MovementKind.GIVE: "Given",
    MovementKind.WASTE: "Wasted",
    MovementKind.ADJUST: "Adjusted",
    MovementKind.RETURN: "Returned to the supplier",
    MovementKind.TRANSFER: "Transferred",
    MovementKind.REVERSE: "Taken back",
}


def _is_here(reader: Reader, instant: Any, site_id: UUID) -> bool:
    return reader.is_within(instant, reader.zone(site_id))
