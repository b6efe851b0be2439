"""Laboratory results from a spreadsheet: each row through the service that records results on the page."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import partial
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

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
from inventory.patients.laboratory import Analyte, Unit, analyte_named, parse_amount, parse_bound, unit_of
from inventory.patients.models import Patient
from inventory.patients.rules import record_number_key
from inventory.patients.services import Reading, Sample, record_labs
from inventory.web.typed_text import NotAcceptedError, clean_text, instants_of, parse_date, parse_local_time

COLUMNS = Columns(
    needed=("record_number", "analyte", "value", "unit", "taken_at"),
    others=("low", "high", "laboratory"),
)
_NOON = time(12)


@dataclass(frozen=True, slots=True)
class Draft:
    """What one row says: one analyte of one sample of one patient."""

    row: Row
    patient_id: UUID
    sample: Sample
    reading: Reading

    @property
    def fields(self) -> dict[str, str]:
        """The columns of the service's fields."""
        return {f"{self.reading.analyte}_{part}": part for part in ("value", "unit", "low", "high")}


@dataclass(frozen=True, slots=True)
class Reader:
    """How the cells of a row are understood: by the records there are, and on the clock of the site."""

    session: Session
    zone: ZoneInfo
    at: datetime

    def patient(self, text: str) -> UUID:
        """Return the patient of a record number. Raises Refusal PATIENT-UNKNOWN."""
        key = record_number_key(text)
        found = self.session.scalar(select(Patient.id).where(Patient.record_number_key == key))
        if found is None:
            raise Refusal("PATIENT-UNKNOWN", "No patient has this record number.")
        return found

    def instant(self, text: str) -> datetime:
        """Return the instant of a clock reading; of a day alone its noon, or its beginning where noon is still to come.

        Raises NotAcceptedError DATE-INVALID, TIME-INVALID, TIME-NONEXISTENT. Of a repeated hour the first one is taken.
        """
        if ":" not in text:
            return self._of_day(parse_date(text))
        instants = instants_of(parse_local_time(text), self.zone)
        if not instants:
            raise NotAcceptedError("TIME-NONEXISTENT", "The clock skipped this hour that night.")
        return instants[0]

    def _of_day(self, on: date) -> datetime:
        noon = datetime.combine(on, _NOON, self.zone)
        return (noon if noon <= self.at else datetime.combine(on, time(), self.zone)).astimezone(UTC)


def import_labs(
    *,
    actor: Actor,
    at: datetime,
    source: Source,
    site_code: str | None = None,
    dry_run: bool = False,
    tell: Tell = lambda _rows: None,
) -> Imported:
    """Record every result of the file, or none. The site says by which clock samples were taken.

    Raises BadRowsError; Refusal IMPORT-ALREADY, NO-SITE, SITE-NEEDED, SITE-UNKNOWN and what `read_sheet` raises.
    """
    rows = read_sheet(source.raw, COLUMNS)
    site = queries.site_named(db.session(), site_code)
    key = import_key("labs", source.sha256)
    with all_or_nothing(key, dry_run=dry_run) as session:
        reader = Reader(session, ZoneInfo(site.time_zone), at)
        drafts = [draft for row in rows if (draft := _draft(row, reader)) is not None]
        _compare(drafts)
        for draft in drafts:
            attempt(draft.row, partial(_record, draft, actor=actor, at=at), draft.fields)
            tell(1)
        refuse_faults(rows)
        counts = {"results": len(drafts), "patients": len({draft.patient_id for draft in drafts})}
        record_import("labs", source, actor=actor, at=at, key=key, counts=counts)
    return Imported(counts, dry_run)


def _draft(row: Row, reader: Reader) -> Draft | None:
    """Read a row; None where a fault was found in it."""
    patient_id = row.need("record_number", reader.patient)
    analyte = row.need("analyte", analyte_named)
    amount = row.need("value", parse_amount)
    unit = _unit(row, analyte)
    taken_at = row.need("taken_at", reader.instant)
    low, high = row.read("low", parse_bound), row.read("high", parse_bound)
    laboratory = row.read("laboratory", partial(clean_text, limit=120)) or ""
    if row.faults or not (patient_id and analyte and amount and unit and taken_at):
        return None
    return Draft(
        row, patient_id, Sample(taken_at, laboratory), Reading(analyte, amount, unit.ucum, low, high)
    )


def _unit(row: Row, analyte: Analyte | None) -> Unit | None:
    """Read the unit, which is one of the analyte's; an empty cell is refused in the words of the page."""
    if analyte is None:
        return None
    if not row.cells["unit"].strip():
        row.fault("LAB-UNIT", "A value without its unit says nothing.", "unit")
        return None
    return row.read("unit", partial(unit_of, analyte))


def _compare(drafts: list[Draft]) -> None:
    """Find a result that stands in the file twice."""
    seen: dict[tuple[UUID, Analyte, datetime], int] = {}
    for draft in drafts:
        same = (draft.patient_id, draft.reading.analyte, draft.sample.taken_at)
        first = seen.setdefault(same, draft.row.line)
        if first != draft.row.line:
            draft.row.fault("IMPORT-ROW-TWICE", f"Line {first} has this result of this sample too.", "value")


def _record(draft: Draft, *, actor: Actor, at: datetime) -> None:
    record_labs(
        actor=actor, at=at, patient_id=draft.patient_id, sample=draft.sample, readings=[draft.reading]
    )
