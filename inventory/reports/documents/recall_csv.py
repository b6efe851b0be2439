"""A recall's patients as CSV, one line a dose, for letters and for whoever checks the report."""

import codecs
import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import BinaryIO
from uuid import UUID

from inventory.doses.queries.recalls import Contact, RecalledDose, Recipient
from inventory.doses.rules.terms import CONTACT_MEANS_WORDS, CONTACT_OUTCOME_WORDS
from inventory.kernel.quantity import format_ml
from inventory.web.spreadsheets import safe_cell

FIELDS = (
    "recall", "is_drill", "patient_name", "patient_record", "patient_born_on", "phone", "email", "address",
    "dose", "site", "given_on", "lot", "volume_ml", "is_void", "contact_outcome", "contact_means",
    "contacted_at_utc", "contacted_by", "contact_note",
)  # fmt: skip


def write_recall_csv(
    out: BinaryIO,
    *,
    recall: str,
    is_drill: bool,
    recipients: Iterable[Recipient],
    doses: Mapping[UUID, Sequence[RecalledDose]],
    contacts: Mapping[UUID, Sequence[Contact]],
) -> None:
    """Write a line a dose to `out` (binary, left open), with how its patient was reached last."""
    text = io.StringIO(newline="")
    lines = csv.writer(text, lineterminator="\r\n")
    lines.writerow(FIELDS)
    about = (recall, "yes" if is_drill else "no")
    for one in recipients:
        for line in _lines(one, doses.get(one.id, ()), contacts.get(one.id, ())):
            lines.writerow([safe_cell(cell) for cell in (*about, *line)])
    out.write(codecs.BOM_UTF8 + text.getvalue().encode())


def _lines(
    one: Recipient, doses: Sequence[RecalledDose], contacts: Sequence[Contact]
) -> Iterator[tuple[str, ...]]:
    person = (one.name, one.record_number, one.born_on.isoformat(), one.phone, one.email, one.address)
    newest = _newest(contacts)
    for dose in doses:
        what = (dose.number, dose.site_name, dose.given_on.isoformat(), dose.lot_number)
        yield (*person, *what, format_ml(dose.volume_ul), "yes" if dose.is_void else "no", *newest)


def _newest(contacts: Sequence[Contact]) -> tuple[str, ...]:
    if not contacts:
        return ("", "", "", "", "")
    last = contacts[0]
    outcome, means = CONTACT_OUTCOME_WORDS[last.outcome], CONTACT_MEANS_WORDS[last.means]
    return (outcome, means, last.contacted_at.isoformat(timespec="seconds"), last.by, last.note)
