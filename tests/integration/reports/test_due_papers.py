"""The papers about what is due: what they say, whom they name, and that each is a look at the patients on it."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from io import BytesIO

import pytest
from flask import Flask
from pypdf import PdfReader
from sqlalchemy import select

from inventory.audit.models import AccessEntry
from inventory.courses.services import pause_course
from inventory.kernel.db import db
from inventory.kernel.permissions import Role
from tests.factories.catalogue import make_formulation
from tests.factories.doses import Bench
from tests.factories.due import make_due, slot
from tests.factories.patients import make_patient
from tests.factories.staff import make_actor
from tests.support.client import CheckingClient

SignIn = Callable[..., CheckingClient]
TODAY = date(2026, 3, 16)


def paper(client: CheckingClient, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.content_type == "application/pdf"
    reader = PdfReader(BytesIO(answer.data))
    assert all("/FontFile2" in str(font) for font in _descriptors(reader))
    return "\n".join(page.extract_text() for page in reader.pages)


def _descriptors(reader: PdfReader) -> list[object]:
    fonts = [font.get_object() for page in reader.pages for font in page["/Resources"]["/Font"].values()]  # type: ignore[index,union-attr]
    assert fonts
    return [font["/FontDescriptor"].get_object() for font in fonts]


def test_the_list_is_printed_as_it_is_narrowed(app: Flask, at: datetime, signed_in_client: SignIn) -> None:
    bench = Bench()
    hydroxo = make_formulation(name="Hydroxocobalamin")
    for days, name, what in ((-2, "Overdue", None), (0, "Hydroxo", hydroxo), (15, "Later", None)):
        make_due(
            make_patient(family_name=name),
            site_id=bench.place.site_id,
            due_on=TODAY + timedelta(days=days),
            formulation_id=what,
        )
    nurse = signed_in_client(Role.PRACTITIONER)
    whole = paper(nurse, "/reports/due.pdf")
    assert whole.index("Overdue, Ada") < whole.index("Hydroxo, Ada")
    assert "Later, Ada" not in whole
    assert "overdue by 2 days" in whole
    narrowed = paper(nurse, f"/reports/due.pdf?formulation_id={hydroxo}")
    assert "Overdue, Ada" not in narrowed
    assert "What: Hydroxocobalamin" in narrowed
    assert nurse.get("/reports/due.pdf?on=nonsense").status_code == 422


def test_the_downtime_sheet_leaves_room_for_what_is_written_by_hand(
    app: Flask, at: datetime, signed_in_client: SignIn
) -> None:
    bench = Bench()
    make_due(bench.patient_id, site_id=bench.place.site_id, due_on=TODAY)
    make_due(
        make_patient(family_name="Tomorrow"), site_id=bench.place.site_id, due_on=TODAY + timedelta(days=1)
    )
    nurse = signed_in_client(Role.PRACTITIONER)
    text = paper(nurse, "/reports/downtime-sheet.pdf")
    for words in (
        "Downtime sheet",
        "Given at",
        "Lot",
        "Vial",
        "Body site",
        "Given by",
        "1,000 mcg",
        "______",
    ):
        assert words in text
    assert bench.lot.lot_number in text
    assert "Tomorrow, Ada" not in text
    assert "Tomorrow, Ada" in paper(nurse, "/reports/downtime-sheet.pdf?on=2026-03-17")
    looks = db.session.scalars(select(AccessEntry.patient_id).where(AccessEntry.page == "downtime sheet"))
    assert bench.patient_id in set(looks)
    assert nurse.get("/reports/downtime-sheet.pdf?on=2026-03-15").status_code == 422
    assert nurse.get("/reports/downtime-sheet.pdf?on=2027-03-15").status_code == 422


def test_the_course_card_tells_the_next_days_and_no_effect(
    app: Flask, at: datetime, signed_in_client: SignIn
) -> None:
    bench = Bench()
    slot_id = make_due(bench.patient_id, site_id=bench.place.site_id, due_on=date(2026, 3, 31))
    nurse = signed_in_client(Role.PRACTITIONER)
    text = " ".join(paper(nurse, f"/reports/course-cards/{bench.patient_id}.pdf").split())
    for words in (
        "Tuesday, 31 Mar 2026",
        "30 Apr 2026",
        "Sunday, 31 May 2026",
        "Petra Prescriber",
        "1,000 mcg",
    ):
        assert words in text
    assert not {"benefit", "improve", "energy", "boost"} & set(text.lower().split())
    pause_course(
        actor=make_actor(Role.PRESCRIBER), at=at, course_id=slot(slot_id).course_id, reason="Travels."
    )
    paused = " ".join(paper(nurse, f"/reports/course-cards/{bench.patient_id}.pdf").split())
    assert "Paused" in paused
    assert "31 Mar 2026" not in paused


def test_a_patient_without_a_course_has_a_card_that_says_so(
    app: Flask, at: datetime, signed_in_client: SignIn
) -> None:
    bench = Bench()
    assert "No course goes on" in paper(
        signed_in_client(Role.PRACTITIONER), f"/reports/course-cards/{bench.patient_id}.pdf"
    )


@pytest.mark.parametrize("path", ["/reports/due.pdf", "/reports/downtime-sheet.pdf"])
def test_who_may_not_see_patients_prints_nothing(
    app: Flask, at: datetime, signed_in_client: SignIn, path: str
) -> None:
    Bench()
    assert signed_in_client(Role.MANAGER).get(path).status_code == 403


def test_the_record_leads_to_the_papers_of_its_patient(
    app: Flask, at: datetime, signed_in_client: SignIn
) -> None:
    patient_id = make_patient(record_number="R-77")
    Bench()
    nurse = signed_in_client(Role.PRACTITIONER)
    page = nurse.get(f"/patients/{patient_id}").get_data(as_text=True)
    assert f"/reports/course-cards/{patient_id}.pdf" in page
    form = nurse.form("/reports/new?kind=patient&patient_record_number=R-77", having="patient_record_number")
    assert form.fields["patient_record_number"] == ["R-77"]
