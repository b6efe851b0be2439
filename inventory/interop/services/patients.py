"""Patients from a spreadsheet: each row through the service that adds a patient on the page."""

from dataclasses import dataclass
from datetime import date, datetime
from functools import partial

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

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
from inventory.kernel.errors import Refusal
from inventory.kernel.permissions import Actor
from inventory.patients.models import AllergyStatus, Patient
from inventory.patients.rules import name_key, record_number_key
from inventory.patients.services import Identity, add_patient
from inventory.web.typed_text import LONG_TEXT_LIMIT, clean_text, parse_date

COLUMNS = Columns(
    needed=("family_name", "born_on"),
    others=(
        "given_name",
        "record_number",
        "phone",
        "email",
        "address",
        "allergy_status",
        "allergies_asked_on",
        "notes",
    ),
)
_LIMITS = {"record_number": 40, "phone": 60, "email": 254, "address": 500}
_AT_A_TIME = 400


Person = tuple[str, date]
"""Name without case and accents, and birth date: two rows with the same are suspected to be one person."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What one row says of a patient."""

    row: Row
    identity: Identity
    allergy_status: AllergyStatus
    allergies_asked_on: date | None

    @property
    def person(self) -> Person:
        """By what this patient is told from others."""
        return name_key(self.identity.family_name, self.identity.given_name), self.identity.born_on


def import_patients(
    *,
    actor: Actor,
    at: datetime,
    source: Source,
    dry_run: bool = False,
    namesakes: bool = False,
    tell: Tell = lambda _rows: None,
) -> Imported:
    """Add every patient of the file, or none.

    `namesakes` says that equal names with equal birth dates are different people. Raises BadRowsError; Refusal IMPORT-ALREADY
    and what `read_sheet` raises.
    """
    rows = read_sheet(source.raw, COLUMNS)
    drafts = [draft for draft in map(_draft, rows) if draft is not None]
    key = import_key("patients", source.sha256)
    with all_or_nothing(key, dry_run=dry_run) as session:
        _compare(drafts, session, namesakes=namesakes)
        for draft in drafts:
            attempt(draft.row, partial(_add, draft, actor=actor, at=at))
            tell(1)
        refuse_faults(rows)
        counts = {"patients": len(drafts)}
        record_import("patients", source, actor=actor, at=at, key=key, counts=counts)
    return Imported(counts, dry_run)


def _draft(row: Row) -> Draft | None:
    """Read a row; None where a fault was found in it."""
    born_on = row.need("born_on", parse_date)
    family_name = row.need("family_name", clean_text) or ""
    given_name = row.read("given_name", clean_text) or ""
    text = {
        name: row.read(name, partial(clean_text, limit=limit, is_code=name == "record_number")) or ""
        for name, limit in _LIMITS.items()
    }
    notes = row.read("notes", partial(clean_text, limit=LONG_TEXT_LIMIT, lines=True)) or ""
    status = row.read("allergy_status", _allergy_status) or AllergyStatus.NOT_ASKED
    asked_on = row.read("allergies_asked_on", parse_date)
    if born_on is None or row.faults:
        return None
    identity = Identity(family_name=family_name, given_name=given_name, born_on=born_on, notes=notes, **text)
    return Draft(row, identity, status, asked_on)


def _add(draft: Draft, *, actor: Actor, at: datetime) -> None:
    add_patient(
        actor=actor,
        at=at,
        identity=draft.identity,
        is_another_person=True,
        allergy_status=draft.allergy_status,
        allergies_asked_on=draft.allergies_asked_on,
        # A sheet says that there are allergies, not which: the gate asks for them at the first dose.
        may_be_unnamed=True,
    )


def _compare(drafts: list[Draft], session: Session, *, namesakes: bool) -> None:
    """Find the rows that are one another, or somebody who has a record already."""
    numbers: dict[str, int] = {}
    people: dict[Person, int] = {}
    for start in range(0, len(drafts), _AT_A_TIME):
        some = drafts[start : start + _AT_A_TIME]
        on_record = set() if namesakes else _on_record(session, some)
        for draft in some:
            _compare_number(draft, numbers)
            if not namesakes:
                _compare_person(draft, people, on_record)


def _compare_number(draft: Draft, numbers: dict[str, int]) -> None:
    key = record_number_key(draft.identity.record_number)
    if key and (first := numbers.setdefault(key, draft.row.line)) != draft.row.line:
        draft.row.fault("IMPORT-ROW-TWICE", f"Line {first} has this record number too.", "record_number")


def _compare_person(draft: Draft, people: dict[Person, int], on_record: set[Person]) -> None:
    first = people.setdefault(draft.person, draft.row.line)
    if first != draft.row.line:
        said = f"Line {first} has the same name and date of birth. Remove one, or say --namesakes."
        draft.row.fault("PATIENT-LIKE", said)
    elif draft.person in on_record:
        said = "A patient of this name and date of birth is on record. Remove the row, or say --namesakes."
        draft.row.fault("PATIENT-LIKE", said)


def _on_record(session: Session, drafts: list[Draft]) -> set[Person]:
    person = tuple_(Patient.name_key, Patient.born_on)
    people = sorted({draft.person for draft in drafts})
    found = session.execute(select(Patient.name_key, Patient.born_on).where(person.in_(people)))
    return {(name, born_on) for name, born_on in found}


def _allergy_status(text: str) -> AllergyStatus:
    if text.lower() not in set(AllergyStatus):
        raise Refusal("CHOICE-INVALID", f"Use one of: {', '.join(AllergyStatus)}.")
    return AllergyStatus(text.lower())
