"""Who looked at which patient, when, through which page. Looks stand beside the chain: they are read up to the newest one of then."""

from collections.abc import Iterator
from uuid import UUID

from sqlalchemy import func, select

from inventory.audit.models import AccessEntry
from inventory.patients.models import Patient
from inventory.reports.documents.listing import Grouping, Layout, Section, Shown
from inventory.reports.queries.listings.reader import Cells, Reader, filled, when
from inventory.staff.models import User

FORMAT = "access/1"
COLUMNS = ("row", "about", "on", "at", "at_utc", "person", "username", "patient_record", "page")
LAYOUT = Layout(
    COLUMNS,
    (
        Section(
            "look",
            "Looks at patients",
            (
                Shown("When", 18, "{at:when}", is_bold=True),
                Shown("Who", 36, "{person} ({username})"),
                Shown("Patient's record", 24, "{patient_record}"),
                Shown("Page", 22, "{page}"),
            ),
            "Nobody looked at a patient in this period.",
        ),
    ),
    "Looks",
    (Grouping("Looks by person", "person"), Grouping("Looks by page", "page")),
)


def newest_look(reader: Reader) -> int:
    """The number of the newest look; 0 while there is none."""
    return int(reader.connection.execute(select(func.coalesce(func.max(AccessEntry.id), 0))).scalar_one())


def rows(reader: Reader) -> Iterator[Cells]:
    """The looks of the period, the first first."""
    selection, zone = reader.selection, reader.first_zone()
    statement = (
        select(AccessEntry.__table__)
        .where(reader.about_then(AccessEntry.at), AccessEntry.id <= (selection.last_look or 0))
        .order_by(AccessEntry.at, AccessEntry.id)
    )
    if selection.records is not None:
        statement = statement.where(AccessEntry.patient_id.in_(selection.records))
    if selection.person_id is not None:
        statement = statement.where(AccessEntry.actor_id == selection.person_id)
    usernames = {row.id: row.username for row in reader.connection.execute(select(User.id, User.username))}
    records = records_then(reader)
    for row in reader.connection.execute(statement.execution_options(yield_per=5_000)):
        if not reader.is_within(row.at, zone):
            continue
        told = {
            "row": f"look {row.id}",
            "about": "look",
            **when(row.at, zone),
            "person": reader.person(row.actor_id),
            "username": usernames[row.actor_id],
            "patient_record": records[row.patient_id],
            "page": row.page,
        }
        yield filled(COLUMNS, told)


def records_then(reader: Reader) -> dict[UUID, str]:
    """Every patient's record number, as it was."""
    rows = reader.connection.execute(select(Patient.id, Patient.record_number))
    found = {row.id: row.record_number for row in rows}
    return found | reader.as_of.before(reader.connection, "patients.edit", "record_number")
