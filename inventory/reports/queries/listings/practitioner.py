"""One practitioner: what they gave, recorded for others, decided not to give, voided, and wasted, in a period."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from sqlalchemy import select

from inventory.doses.models import Dose, DoseVoid, NotGiven
from inventory.kernel.quantity import format_ml
from inventory.reports.documents.listing import Grouping, Layout, Section, Shown
from inventory.reports.queries.listings.doses import COLUMNS as DOSE_COLUMNS
from inventory.reports.queries.listings.doses import in_period, told_doses, void_words
from inventory.reports.queries.listings.patient import not_given
from inventory.reports.queries.listings.reader import Cells, Reader, filled, things, when
from inventory.reports.queries.selection import void_known
from inventory.stock.models import Movement, MovementKind
from inventory.stock.presenters import reason_words

FORMAT = "practitioner/1"
COLUMNS = ("row", "about", "on", "at", "at_utc", "site", *DOSE_COLUMNS, "what", "by")
_DOSE = (
    Shown("Dose", 12, "{dose}\n{standing}", is_bold=True),
    Shown("Given at", 12, "{at:when}"),
    Shown("Patient", 22, "{patient_name}\n{patient_record}"),
    Shown("Product", 22, "{product}\nlot {lots}"),
    Shown("mcg", 7, "{dose_mcg}", is_number=True),
    Shown("mL", 6, "{volume_ml}", is_number=True),
    Shown("Injection site", 14, "{injection_site}"),
    Shown("Given by", 18, "{giver}\n{giver_credential}"),
)
_THING = (
    Shown("When", 14, "{at:when}", is_bold=True),
    Shown("What", 40, "{what}"),
    Shown("Patient", 24, "{patient_name}\n{patient_record}"),
    Shown("What was said", 40, "{said}"),
)
LAYOUT = Layout(
    COLUMNS,
    (
        Section("dose", "Doses given", _DOSE, "They gave no dose in this period."),
        Section("recorded", "Recorded for others", _DOSE, "They recorded no dose for another."),
        Section("not given", "Not given", _THING, "They recorded nothing as not given."),
        Section("void", "Entries they voided or amended", _THING, "They corrected no entry."),
        Section("waste", "What they wasted", _THING, "They recorded no waste."),
    ),
    "Doses given",
    (Grouping("Doses by product", "product", frozenset({"dose"})),),
    frozenset({"dose"}),
)


def rows(reader: Reader) -> Iterator[Cells]:
    """What one person did on the days of the period at the sites of the report."""
    who = reader.selection.giver_id
    here = in_period(reader)
    yield from _doses(reader, "dose", *here, Dose.giver_id == who)
    yield from _doses(reader, "recorded", *here, Dose.actor_id == who, Dose.giver_id != who)
    yield from not_given(reader, COLUMNS, NotGiven.actor_id == who)
    yield from _voids(reader, who)
    yield from _waste(reader, who)


def _doses(reader: Reader, about: str, *conditions: Any) -> Iterator[Cells]:
    for dose, told in told_doses(reader, *conditions):
        yield filled(
            COLUMNS,
            {
                "row": f"{about} {told['dose']}",
                "about": about,
                **told,
                "by": reader.person(dose.actor_id),
            },
        )


def _voids(reader: Reader, who: UUID | None) -> Iterator[Cells]:
    statement = (
        select(
            Dose.id,
            Dose.number,
            Dose.site_id,
            Dose.patient_name,
            Dose.patient_record_number,
            DoseVoid.kind,
            DoseVoid.reason,
            DoseVoid.voided_at,
        )
        .join(DoseVoid, DoseVoid.dose_id == Dose.id)
        .where(
            DoseVoid.actor_id == who,
            Dose.site_id.in_(reader.site_ids),
            reader.about_then(DoseVoid.voided_at),
            void_known(reader.as_of),
        )
        .order_by(DoseVoid.voided_at, Dose.id)
    )
    for row in reader.connection.execute(statement):
        zone, number = reader.zone(row.site_id), reader.numbered(row.site_id, row.number)
        if reader.is_within(row.voided_at, zone):
            yield filled(
                COLUMNS,
                {
                    "row": f"void {number}",
                    "about": "void",
                    **when(row.voided_at, zone),
                    "site": reader.code(row.site_id),
                    "dose": number,
                    "patient_name": row.patient_name,
                    "patient_record": row.patient_record_number,
                    "what": f"{number}. {void_words(row.kind)}",
                    "said": row.reason,
                },
            )


def _waste(reader: Reader, who: UUID | None) -> Iterator[Cells]:
    statement = (
        select(Movement.__table__)
        .where(
            Movement.kind == MovementKind.WASTE,
            Movement.actor_id == who,
            Movement.site_id.in_(reader.site_ids),
            reader.about_then(Movement.occurred_at),
            reader.as_of.acted(Movement.act_id),
        )
        .order_by(Movement.occurred_at, Movement.id)
    )
    lots = things(reader).lots
    for row in reader.connection.execute(statement):
        zone = reader.zone(row.site_id)
        if reader.is_within(row.occurred_at, zone):
            reason = reason_words(MovementKind.WASTE, row.reason)
            amount = format_ml(row.amount_ul)
            yield filled(
                COLUMNS,
                {
                    "row": f"movement {row.id}",
                    "about": "waste",
                    **when(row.occurred_at, zone),
                    "site": reader.code(row.site_id),
                    "lots": lots[row.lot_id][0],
                    "volume_ul": str(row.amount_ul),
                    "volume_ml": amount,
                    "what": f"{amount} mL of lot {lots[row.lot_id][0]}: {reason}",
                    "said": row.note or "",
                },
            )
