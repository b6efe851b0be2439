"""The consent form as PDF: whose it is, which information sheet was given, and lines for those who sign. Blank otherwise.

Law kept here: nothing is said for the patient. What they decide is written by hand, and recorded afterwards on their record.
The same input gives the same bytes.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import BinaryIO

from reportlab.lib.pagesizes import A4

from inventory.reports.documents.paper import Paper
from inventory.reports.documents.parts import facts, in_zone
from inventory.reports.documents.sheet import Running, Sheet
from inventory.web.presenting import day

TITLE = "Consent to injections"
_CHOICES = ("I agree to the injections.", "I do not agree to the injections.")
_STATEMENTS = (
    "I was given the information sheet named above, and I could ask what I wanted to know.",
    "I have told the clinic of my allergies, illnesses, medicines and supplements, and whether I am pregnant or breastfeeding.",
    "I may withdraw this consent at any time, without giving a reason.",
)
_SIGNING = (
    "Patient, or who decides for the patient",
    "Name in print, and in what capacity",
    "Who explained it",
)
_LINE = 290.0


@dataclass(frozen=True, slots=True)
class ConsentForm:
    """What is printed on a form. An empty sheet leaves a line for it."""

    clinic_name: str
    site_name: str
    site_address: str
    patient_name: str
    born_on: date
    record_number: str
    information_sheet: str
    printed_by: str
    printed_at: datetime
    zone: str
    is_demo: bool


def write_consent_form(out: BinaryIO, form: ConsentForm) -> None:
    """Write the form to `out` (binary): one page of A4."""
    paper = Paper(out, A4, created_at=form.printed_at)
    # The title of a window is seen by whoever passes: it names no patient.
    paper.describe(title=TITLE, subject=TITLE, author=form.clinic_name)
    printed = in_zone(form.printed_at, form.zone)
    foot = f"{TITLE}, {form.record_number}, printed {printed} by {form.printed_by}"
    sheet = Sheet(paper, A4, Running(head=foot, foot=foot, is_demo=form.is_demo))
    _heading(sheet, form)
    _statements(sheet)
    _signatures(sheet)
    sheet.finish()


def _heading(sheet: Sheet, form: ConsentForm) -> None:
    sheet.top = sheet.text(sheet.left, sheet.face(17, is_bold=True), TITLE)
    where = ", ".join(filter(None, (form.clinic_name, form.site_name, *form.site_address.splitlines())))
    sheet.top = sheet.text(sheet.left, sheet.face(10), where) - 5
    sheet.rule(is_heavy=True)
    sheet.top -= 8
    told = [
        ("Patient", form.patient_name),
        ("Date of birth", day(form.born_on)),
        ("Record number", form.record_number),
        ("Information sheet", form.information_sheet or "_" * 50),
        ("Treatment", "_" * 50),
    ]
    for one in told:
        sheet.top = facts(sheet, [one], sheet.left, sheet.width) - 8
    sheet.rule()
    sheet.top -= 12


def _statements(sheet: Sheet) -> None:
    plain, strong = sheet.face(10), sheet.face(11, is_bold=True)
    for words in _STATEMENTS:
        sheet.top = sheet.text(sheet.left, plain, words) - 8
    sheet.top -= 6
    for words in _CHOICES:
        sheet.draw(lambda canvas: canvas.rect(sheet.left, sheet.top - 11, 10, 10))
        sheet.top = sheet.text(sheet.left + 18, strong, words) - 10
    sheet.top = sheet.text(sheet.left, plain, "Anything the patient wants written down:") - 24
    for _ in range(3):
        sheet.rule()
        sheet.top -= 22


def _signatures(sheet: Sheet) -> None:
    small, line = sheet.face(8), sheet.face(9)
    for words in _SIGNING:
        sheet.need(50)
        sheet.top -= 28
        sheet.text(sheet.left, line, "_" * 48)
        sheet.text(sheet.left + _LINE, line, "_" * 30)
        sheet.top -= 13
        sheet.text(sheet.left, small, words)
        sheet.text(sheet.left + _LINE, small, "Date and time")
