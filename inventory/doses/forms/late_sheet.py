"""The rows of a downtime sheet as they are typed in, each a form of its own, and how one is read into a dose given already."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from flask import request
from sqlalchemy.orm import Session
from wtforms import HiddenField

from inventory.doses.presenters.due import DueLine
from inventory.doses.queries.containers import DoseRequest
from inventory.doses.queries.offer import Chosen
from inventory.doses.rules.sourcing import plan_draws
from inventory.doses.rules.terms import BodySite, EntryMode
from inventory.kernel.errors import Refusal
from inventory.patients.queries import patient_numbered
from inventory.web.fields import (
    Between,
    ChoiceField,
    CodeField,
    DateField,
    DoseField,
    LocalTimeField,
    Required,
    TextField,
    TickField,
)
from inventory.web.forms import ClinicForm, CodedForm, FilterForm, Problem
from inventory.web.presenting import day

SPARE_ROWS = 5
MOST_ROWS = 100


class SheetDay(FilterForm):
    """Of which day the sheet is."""

    on = DateField("Day of the sheet")


class ClockField(LocalTimeField):
    """A clock time on the day of the sheet, kept as the instant it means."""

    native_type = "time"
    on: date

    def read(self, text: str) -> datetime:
        """Raises NotAcceptedError as `LocalTimeField`."""
        return super().read(f"{self.on.isoformat()} {text}")

    def write(self, value: datetime) -> str:
        """The time of day by the site's clock."""
        return f"{value.astimezone(self.zone()):%H:%M}"


class RowForm(CodedForm):
    """One row: when, from which container, how much, where. A row in which nothing is typed is left out."""

    class Meta:
        """The token is the sheet's."""

        csrf = False

    record_number = CodeField("Record number", [Required("Type the record number.")], limit=40)
    given_at = ClockField("Given at", [Required("Type the time, such as 09:30.")])
    source = ChoiceField("Vial or lot", [Required("Choose the vial or lot.")], blank="Choose")
    dose_mcg = DoseField(
        "Dose",
        [Required("Type the dose in mcg."), Between(most=10_000_000_000, message="At most 10,000,000 mcg.")],
    )
    body_site = ChoiceField("Body site", [Required("Choose the body site.")], blank="Choose")
    indication = TextField("Indication", [Required("Say what the dose is for.")], limit=300)
    consent_seen = TickField("Consent seen")
    note = TextField("Note", limit=300)

    @property
    def is_typed(self) -> bool:
        """Whether anything was typed that makes it a dose."""
        parts = (
            self.given_at,
            self.source,
            self.body_site,
            *((self.record_number,) if self.asks_who else ()),
        )
        return any(any(part.raw_data or ()) for part in parts)

    @property
    def asks_who(self) -> bool:
        """Whether the row is of a patient who is not on the list."""
        return "record_number" in self._fields


class SheetForm(ClinicForm):
    """The sheet as a whole: the rows it had when it was opened, so that what is decided since still stands on it."""

    on = HiddenField()
    slots = HiddenField()
    rows: Sequence["Row"] = ()

    def problems(self) -> list[Problem]:
        """Everything wrong, on the sheet and in its rows."""
        return [*super().problems(), *(found for row in self.rows for found in row.problems())]


@dataclass(slots=True)
class Row:
    """A row of the sheet: who is due (nobody: a spare row), what is typed, and the dose that came of it."""

    prefix: str
    form: RowForm
    line: DueLine | None = None
    is_open: bool = True
    dose: Any = None
    chosen: Chosen | None = field(default=None, repr=False)

    @property
    def is_left(self) -> bool:
        """Whether it is still to be recorded."""
        return self.is_open and self.dose is None

    def problems(self) -> list[Problem]:
        """What is wrong with it, each with the patient it is about."""
        who = self.line.name if self.line else "Row"
        return [
            Problem(found.code, f"{who}: {found.message}", found.label, found.target)
            for found in self.form.problems()
        ]


def row_form(prefix: str, on: date, line: DueLine | None, dose_ng: int | None) -> RowForm:
    """Return the form of one row; who is on the list, and why, is known of a row that is due."""
    form = RowForm(formdata=None, prefix=prefix)
    # The clock is read on the day of the sheet, so the day must be known before what was typed is.
    form.given_at.on = on
    if line is not None:
        del form.record_number
        del form.indication
    form.process(request.form if request.method == "POST" else None, data={"dose_mcg": dose_ng})
    return form


def listed(text: str | None) -> list[UUID]:
    """Return the slots that a sheet had, as it was sent; what is no id is left out."""
    found = []
    for part in (text or "").split(",")[:MOST_ROWS]:
        try:
            found.append(UUID(part))
        except ValueError:
            continue
    return found


def written(slot_ids: Iterable[UUID]) -> str:
    """Return the slots of a sheet as the page carries them."""
    return ",".join(slot_id.hex for slot_id in slot_ids)


def asked_of(session: Session, row: Row, *, site_id: UUID) -> DoseRequest:
    """Return the dose that a valid row tells. Raises Refusal PATIENT-UNKNOWN, DOSE-ZERO."""
    form, chosen = row.form, row.chosen
    assert chosen is not None  # noqa: S101  the caller has looked it up
    dose_ng = int(form.dose_mcg.data or 0)
    if dose_ng <= 0:
        raise Refusal("DOSE-ZERO", "A dose is more than nothing.", "dose_mcg")
    volume_ul = chosen.strength.volume_ul(dose_ng)
    return DoseRequest(
        mode=EntryMode.ALREADY_GIVEN,
        site_id=site_id,
        patient_id=row.line.patient_id if row.line else _patient(session, str(form.record_number.data)),
        draws=tuple(plan_draws(volume_ul, [chosen.supply])),
        dose_ng=dose_ng,
        volume_ul=volume_ul,
        body_site=BodySite(form.body_site.data),
        indication=row.line.indication if row.line else str(form.indication.data),
        given_at=form.given_at.data,
        consent_seen=bool(form.consent_seen.data),
        note=form.note.data or None,
    )


def _patient(session: Session, record_number: str) -> UUID:
    found = patient_numbered(session, record_number)
    if found is None:
        said = f"No patient has the record number {record_number}. Look it up, or add the patient first."
        raise Refusal("PATIENT-UNKNOWN", said, "record_number")
    return found


def sheet_day(typed: date | None, today: date) -> date:
    """Return the day of the sheet: today unless another was typed. Raises Refusal SHEET-DAY for one to come."""
    if typed is not None and typed > today:
        raise Refusal("SHEET-DAY", f"{day(typed)} is to come. A sheet is entered afterwards.", "on")
    return typed or today
