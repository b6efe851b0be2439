"""What the record of a period lacks: consents not seen, givers without a credential, late entries, and numbers that were skipped."""

from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

from inventory.doses.models import Dose
from inventory.reports.documents.listing import Grouping, Layout, Section, Shown
from inventory.reports.queries.gaps import gaps_of
from inventory.reports.queries.listings.doses import doses, in_period, standings
from inventory.reports.queries.listings.reader import Cells, Reader, clock, filled, when

FORMAT = "completeness/1"
COLUMNS = (
    "row", "about", "what", "on", "at", "at_utc", "recorded_at", "site", "dose", "patient_record", "giver", "recorded_by",
    "standing", "lacks",
)  # fmt: skip
_DOSE = (
    Shown("Dose", 12, "{dose}\n{standing}", is_bold=True),
    Shown("Given at", 12, "{at:when}"),
    Shown("Recorded at", 12, "{recorded_at:when}"),
    Shown("Patient", 12, "{patient_record}"),
    Shown("Given by", 20, "{giver}"),
    Shown("Recorded by", 20, "{recorded_by}"),
    Shown("What is lacking", 34, "{lacks}"),
)
LAYOUT = Layout(
    COLUMNS,
    (
        Section("consent", "Consent not seen", _DOSE, "Consent was seen for every dose of this period."),
        Section(
            "credential", "Given without a credential", _DOSE, "Every dose bears its giver's credential."
        ),
        Section("late", "Late entries", _DOSE, "Every dose was recorded in time."),
        Section(
            "gap",
            "Numbers skipped",
            (Shown("Site", 12, "{site}", is_bold=True), Shown("Numbers that no dose has", 80, "{lacks}")),
            "None: the numbers of these sites' doses go from 1 to the newest without a gap.",
        ),
    ),
    "Doses that lack something",
    (Grouping("By what is lacking", "what"),),
    frozenset({"consent", "credential", "late"}),
)


def rows(reader: Reader) -> Iterator[Cells]:
    """The doses of the period that lack something, by what, and the gaps of all numbers."""
    conditions = in_period(reader)
    standing = standings(reader, *conditions)
    lacking: tuple[tuple[str, str, Any, Any], ...] = (
        ("consent", "Consent not seen", Dose.consent_seen.is_(False), lambda _: "Consent was not seen."),
        (
            "credential",
            "No credential",
            Dose.giver_credential == "",
            lambda _: "Its giver had no credential.",
        ),
        ("late", "Late entry", Dose.is_late.is_(True), _late),
    )
    for about, what, condition, said in lacking:
        for dose in doses(reader, condition, *conditions):
            stands = standing.get(dose.id, "given")
            told = {"about": about, "what": what, "lacks": said(dose), "standing": stands}
            yield _dose(reader, dose, told)
    for gap in gaps_of(reader.connection, reader.selection.last_numbers, reader.as_of, reader.called.codes):
        told = {"row": f"gap {gap.words}", "about": "gap", "what": "Numbers skipped"}
        yield filled(COLUMNS, {**told, "site": gap.site_code, "lacks": gap.words})


def _dose(reader: Reader, dose: Any, told: dict[str, str]) -> Cells:
    zone, number = ZoneInfo(dose.given_zone), reader.numbered(dose.site_id, dose.number)
    return filled(
        COLUMNS,
        {
            **told,
            "row": f"{told['about']} {number}",
            **when(dose.given_at, zone),
            "recorded_at": clock(dose.recorded_at, zone),
            "site": reader.code(dose.site_id),
            "dose": number,
            "patient_record": dose.patient_record_number,
            "giver": dose.giver_name,
            "recorded_by": reader.person(dose.actor_id),
        },
    )


def _late(dose: Any) -> str:
    hours = int((dose.recorded_at - dose.given_at).total_seconds()) // 3600
    return f"Recorded {hours:,} h after it was given."
