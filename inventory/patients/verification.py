"""What `flask stock verify` asks of patients: whose record each is, follows from the merges that stand."""

from collections.abc import Iterator, Mapping
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from inventory.patients.models import Patient, PatientMerge, PatientMergeUndo


def disagreements(session: Session) -> Iterator[str]:
    """Yield a line for each record that is not the person's it should be by the merges; none when all is well."""
    is_standing = ~exists().where(PatientMergeUndo.merge_id == PatientMerge.id)
    standing = select(PatientMerge.merged_id, PatientMerge.kept_id).where(is_standing)
    kept_of = {row.merged_id: row.kept_id for row in session.execute(standing)}
    expected = {one: _root(one, kept_of) for one in {*kept_of, *kept_of.values()}}
    said = select(Patient.id, Patient.record_number, Patient.person_id).where(Patient.person_id.is_not(None))
    found = {row.id: row for row in session.execute(said)}
    for one in sorted({*found, *expected}):
        if one not in found or found[one].person_id != expected.get(one):
            number = found[one].record_number if one in found else one.hex
            yield f"Patient {number}: whose record it is does not follow from the merges."


def _root(one: UUID, kept_of: Mapping[UUID, UUID]) -> UUID:
    """Return the record that is kept; a circle, which the database refuses, ends where it began."""
    seen = {one}
    while one in kept_of and kept_of[one] not in seen:
        one = kept_of[one]
        seen.add(one)
    return one
