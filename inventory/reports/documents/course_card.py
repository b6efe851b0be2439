"""The course card for a patient to take home: what they are given, and the next days. A plan, and it says so.

Law kept here: nothing is promised. The card names dates and doses, and no effect.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import BinaryIO

from reportlab.lib.pagesizes import A5

from inventory.reports.documents.grid import ColumnSpec
from inventory.reports.documents.paper import Paper
from inventory.reports.documents.parts import facts, in_zone, section
from inventory.reports.documents.sheet import Running, Sheet
from inventory.web.presenting import day, weekday

_COLUMNS = (
    ColumnSpec("When", 30, is_bold=True),
    ColumnSpec("Possible from", 17),
    ColumnSpec("to", 17),
    ColumnSpec("Dose", 16),
    ColumnSpec("Given on", 18),
)
_NOTES = (
    "These days are a plan. A dose that is given earlier or later moves the ones after it; ask for a new card then.",
    "Before each dose you are asked for your name and your birth date.",
    "Say whether anything has changed: allergies, medicines, pregnancy, how you felt after the last dose.",
)


@dataclass(frozen=True, slots=True)
class CardDate:
    """A day on the card. Amount in words."""

    due_on: date
    opens_on: date
    closes_on: date
    dose: str


@dataclass(frozen=True, slots=True)
class CardCourse:
    """A course on the card, in words."""

    what: str
    indication: str
    schedule: str
    prescriber: str
    review_on: date | None
    dates: Sequence[CardDate]
    is_paused: bool = False


@dataclass(frozen=True, slots=True)
class CourseCard:
    """What the card says."""

    clinic_name: str
    site: str
    address: str
    patient: str
    record_number: str
    born_on: date
    printed_at: datetime
    zone: str
    courses: Sequence[CardCourse]
    is_demo: bool


def write_course_card(out: BinaryIO, card: CourseCard) -> None:
    """Write the card to `out` (binary), on A5."""
    paper = Paper(out, A5, created_at=card.printed_at)
    paper.describe(
        title="Course card", subject=f"Course card of record {card.record_number}", author=card.clinic_name
    )
    head = f"Course card of {card.patient}"
    foot = f"{card.clinic_name}, printed {in_zone(card.printed_at, card.zone)} ({card.zone})"
    sheet = Sheet(paper, A5, Running(head, foot, card.is_demo))
    sheet.top = sheet.text(sheet.left, sheet.face(15, is_bold=True), "Course card")
    sheet.top = (
        sheet.text(
            sheet.left, sheet.face(9), ", ".join(filter(None, (card.clinic_name, card.site, card.address)))
        )
        - 4
    )
    sheet.rule(is_heavy=True)
    sheet.top -= 5
    sheet.top = facts(sheet, _who(card), sheet.left, sheet.width) - 4
    for course in card.courses:
        _course(sheet, course)
    if not card.courses:
        sheet.top = sheet.text(sheet.left, sheet.face(9), "\nNo course goes on at present.") - 4
    sheet.top -= 8
    for note in _NOTES:
        sheet.need(40)
        sheet.top = sheet.text(sheet.left, sheet.face(8), note) - 3
    sheet.finish()


def _who(card: CourseCard) -> Iterator[tuple[str, str]]:
    yield "Name", card.patient
    yield "Born", day(card.born_on)
    yield "Record number", card.record_number


def _course(sheet: Sheet, course: CardCourse) -> None:
    rows = [
        (
            f"{weekday(one.due_on)}, {day(one.due_on)}",
            day(one.opens_on),
            day(one.closes_on),
            one.dose,
            "_" * 14,
        )
        for one in course.dates
    ]
    nothing = (
        "Paused: nothing is due until the prescriber resumes it."
        if course.is_paused
        else "Nothing more is due."
    )
    section(sheet, course.what, _COLUMNS, rows, nothing=nothing)
    sheet.top -= 4
    sheet.top = facts(sheet, _told(course), sheet.left, sheet.width) - 4


def _told(course: CardCourse) -> Iterator[tuple[str, str]]:
    yield "For", course.indication
    yield "Schedule", course.schedule
    yield "Ordered by", course.prescriber
    if course.review_on is not None:
        yield "Looked at again", day(course.review_on)
