"""A recall's patients as CSV, one line a dose, for letters and for whoever checks the report."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
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


FORMAT = "recall/1"
NAMED_BY = (FIELDS.index("dose"), FIELDS.index("lot"))
"""A dose and its lot name a row."""


def rows_of(
    *,
    recall: str,
    is_drill: bool,
    recipients: Iterable[Recipient],
    doses: Mapping[UUID, Sequence[RecalledDose]],
    contacts: Mapping[UUID, Sequence[Contact]],
) -> Iterator[tuple[str, ...]]:
    """A line a dose, with how its patient was reached last, as the CSV holds it."""
    about = (recall, "yes" if is_drill else "no")
    for one in recipients:
        for line in _lines(one, doses.get(one.id, ()), contacts.get(one.id, ())):
            yield tuple([safe_cell(cell) for cell in (*about, *line)])


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
