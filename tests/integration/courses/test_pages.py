"""The pages of protocols, authorities and courses: a prescriber writes and decides, a nurse looks and says what was not given."""

from collections.abc import Callable
from datetime import datetime

import pytest
from flask import Flask
from sqlalchemy import select

from inventory.audit.models import AccessEntry
from inventory.courses.models import Authority, Course
from inventory.courses.queries.protocols import protocols
from inventory.courses.rules.terms import CourseState
from inventory.kernel.db import db
from inventory.kernel.permissions import SYSTEM_ACTOR, Role
from inventory.staff import queries as people
from inventory.staff.services import set_sites
from tests.factories.courses import Ward, make_authority
from tests.factories.patients import make_patient
from tests.factories.staff import make_user
from tests.factories.stock import make_place
from tests.support.client import CheckingClient

SignIn = Callable[..., CheckingClient]


@pytest.fixture
def ward(app: Flask, at: datetime) -> Ward:
    return Ward()


@pytest.fixture
def prescriber(ward: Ward, signed_in_client: SignIn) -> CheckingClient:
    return signed_in_client(user=people.person(ward.prescriber.id))


@pytest.fixture
def nurse(ward: Ward, signed_in_client: SignIn) -> CheckingClient:
    return signed_in_client(user=people.person(ward.bench.nurse.id))


def text(response: object) -> str:
    return response.get_data(as_text=True)  # type: ignore[attr-defined, no-any-return]


STEPS = {
    "name": "Weekly twice, then monthly",
    "source": "An invented guideline",
    "review_months": "6",
    "step1_dose": "1000",
    "step1_count": "1",
    "step1_unit": "week",
    "step1_doses": "2",
    "step1_early": "2",
    "step1_late": "3",
    "step3_dose": "500.5",
    "step3_count": "1",
    "step3_unit": "month",
}


def test_a_prescriber_writes_a_protocol_and_its_next_version(prescriber: CheckingClient) -> None:
    page = text(prescriber.submit("/protocols/new", STEPS, follow_redirects=True))
    assert "1,000 mcg every week, 2 doses" in page
    assert "500.5 mcg every month, without an end" in page
    made = next(one for one in protocols(db.session()) if one.protocol.name == STEPS["name"])
    form = prescriber.form(f"/protocols/{made.protocol.id}/new-version")
    assert form.fields["step2_dose"] == ["500.5"]
    changed = {"step2_doses": "6", "review_months": ""}
    page = text(
        prescriber.submit(f"/protocols/{made.protocol.id}/new-version", changed, follow_redirects=True)
    )
    assert "Version 2" in page
    assert "500.5 mcg every month, 6 doses" in page


@pytest.mark.parametrize(
    "changes,code",
    [
        ({"step1_count": "0"}, "PROTOCOL-INTERVAL"),
        ({"step1_count": ""}, "PROTOCOL-INTERVAL"),
        ({"review_months": ""}, "PROTOCOL-NO-END"),
        ({"step1_dose": "", "step3_dose": ""}, "PROTOCOL-STEPS"),
        ({"step1_early": "7"}, "PROTOCOL-TOLERANCE"),
        ({"step1_dose": "much"}, "AMOUNT-INVALID"),
    ],
)
def test_a_wrong_protocol_is_told_beside_its_field(
    prescriber: CheckingClient, changes: dict[str, str], code: str
) -> None:
    response = prescriber.submit("/protocols/new", {**STEPS, **changes})
    assert response.status_code == 422
    assert code in text(response)


def test_a_step_three_times_a_week_needs_no_number(prescriber: CheckingClient) -> None:
    thrice = {"step1_unit": "thrice", "step1_count": "", "step1_early": "0", "step1_late": "0"}
    page = text(prescriber.submit("/protocols/new", {**STEPS, **thrice}, follow_redirects=True))
    assert "1,000 mcg three times a week, 2 doses" in page


def test_the_shipped_schedules_are_added_by_a_button(prescriber: CheckingClient) -> None:
    added = prescriber.submit("/protocols", action="/protocols/shipped", follow_redirects=True)
    assert "Cyanocobalamin (US label)" in text(added)
    again = prescriber.submit("/protocols", action="/protocols/shipped", follow_redirects=True)
    assert "are here already" in text(again)


def test_a_protocol_is_withdrawn_with_a_reason(ward: Ward, prescriber: CheckingClient) -> None:
    protocol_id = protocols(db.session())[0].protocol.id
    page = prescriber.submit(
        f"/protocols/{protocol_id}/withdraw", {"reason": "Replaced"}, follow_redirects=True
    )
    assert "No further course starts on it" in text(page)


START = {"indication": "B12 deficiency", "starts_on": "2026-03-16", "route": "IM"}


def begin(client: CheckingClient, ward: Ward, **changes: str) -> object:
    chosen = {"protocol": str(ward.version_id), "formulation": str(ward.formulation_id)}
    path = f"/patients/{ward.bench.patient_id}/courses/new"
    return client.submit(path, {**START, **chosen, **changes}, follow_redirects=True)


def test_a_prescriber_starts_a_course_and_sees_what_is_to_come(
    ward: Ward, prescriber: CheckingClient
) -> None:
    page = text(begin(prescriber, ward))
    assert "The course is ordered." in page
    assert "6 Apr 2026" in page
    course = db.session.scalars(select(Course)).one()
    assert (course.least_dose_ng, course.most_dose_ng) == (1_000_000, 1_000_000)
    assert f"{course.review_on}" == "2026-09-16"
    record = text(prescriber.get(f"/patients/{ward.bench.patient_id}"))
    assert f"/courses/{course.id}" in record


@pytest.mark.parametrize(
    "changes,code",
    [
        ({"least_dose": "2000", "most_dose": "1000"}, "DOSE-RANGE"),
        ({"stops_on": "2026-03-15"}, "COURSE-STOP"),
        ({"starts_on": "1970-01-01"}, "COURSE-BEFORE-BIRTH"),
        ({"doses_a_day": "0"}, "COURSE-A-DAY"),
        ({"protocol": ""}, "FIELD-REQUIRED"),
    ],
)
def test_a_wrong_order_is_told_and_nothing_is_written(
    ward: Ward, prescriber: CheckingClient, changes: dict[str, str], code: str
) -> None:
    page = text(begin(prescriber, ward, **changes))
    assert code in page
    assert db.session.scalars(select(Course)).all() == []


def test_the_same_order_sent_twice_is_one_course(ward: Ward, prescriber: CheckingClient) -> None:
    path = f"/patients/{ward.bench.patient_id}/courses/new"
    form = prescriber.form(path)
    values = {
        **form.fields,
        **START,
        "protocol": str(ward.version_id),
        "formulation": str(ward.formulation_id),
    }
    first, again = (prescriber.post(path, data=values) for _ in range(2))
    assert (first.status_code, again.status_code) == (302, 302)
    assert len(db.session.scalars(select(Course)).all()) == 1


def test_a_course_is_adjusted_paused_resumed_moved_on_reviewed_and_ended(
    ward: Ward, prescriber: CheckingClient
) -> None:
    course_id = ward.start()
    for page, values, words in (
        ("adjust", {"dose": "750", "least_dose": "500"}, "the order allows 500 to 1,000 mcg"),
        ("pause", {}, "Paused"),
        ("resume", {"next_due_on": "2026-04-02"}, "2 Apr 2026"),
        ("move-on", {"next_due_on": "2026-05-04"}, "Moved on to the next step"),
        ("review", {"review_on": "2027-01-04"}, "next review by 4 Jan 2027"),
        ("end", {}, "Ended"),
    ):
        sent = prescriber.submit(
            f"/courses/{course_id}/{page}", {"reason": "Seen today", **values}, follow_redirects=True
        )
        assert words in text(sent), page
    assert ward.view(course_id).state is CourseState.ENDED


def test_a_decision_without_a_reason_is_none(ward: Ward, prescriber: CheckingClient) -> None:
    course_id = ward.start()
    assert prescriber.submit(f"/courses/{course_id}/pause", {"reason": " "}).status_code == 422
    assert ward.view(course_id).state is CourseState.ACTIVE


def test_an_adjustment_of_nothing_and_an_interval_of_nothing_are_refused(
    ward: Ward, prescriber: CheckingClient
) -> None:
    path = f"/courses/{ward.start()}/adjust"
    assert "NOTHING-CHANGED" in text(prescriber.submit(path, {"reason": "So"}))
    zero = {"reason": "So", "interval_count": "0", "interval_unit": "week"}
    assert "PROTOCOL-INTERVAL" in text(prescriber.submit(path, zero))


def test_a_nurse_looks_and_says_what_was_not_given(ward: Ward, nurse: CheckingClient) -> None:
    course_id = ward.start()
    page = text(nurse.get(f"/courses/{course_id}"))
    assert "Not given" in page
    assert "/adjust" not in page
    slot = ward.open_slot(course_id)
    sent = nurse.submit(
        f"/courses/slots/{slot.id}/decide",
        {"state": "missed", "reason": "Did not come"},
        follow_redirects=True,
    )
    assert "Did not come" in text(sent)
    assert ward.states(course_id) == [("16 Mar", "missed"), ("23 Mar", "open")]


@pytest.mark.parametrize("page", ["adjust", "pause", "end", "move-on", "review"])
def test_a_nurse_decides_nothing_about_a_course(ward: Ward, nurse: CheckingClient, page: str) -> None:
    assert nurse.get(f"/courses/{ward.start()}/{page}").status_code == 403


def test_every_look_at_a_course_is_logged(ward: Ward, nurse: CheckingClient) -> None:
    nurse.get(f"/courses/{ward.start()}")
    looked = db.session.scalars(select(AccessEntry)).all()
    assert ward.bench.patient_id in {entry.patient_id for entry in looked}


def test_a_document_is_entered_and_withdrawn(ward: Ward, prescriber: CheckingClient) -> None:
    typed = {
        "kind": "group_direction",
        "document": "B12 direction",
        "document_version": "2",
        "formulation": str(ward.formulation_id),
        "route": "IM",
        "least_dose": "1000",
        "most_dose": "1000",
        "valid_from": "2026-01-01",
        "expires_on": "2026-12-31",
    }
    wrong = prescriber.submit("/authorities/new", {**typed, "expires_on": "2025-01-01"})
    assert "AUTHORITY-EXPIRY" in text(wrong)
    page = text(prescriber.submit("/authorities/new", typed, follow_redirects=True))
    assert "B12 direction" in page
    assert "Holds" in page
    made = db.session.scalars(select(Authority)).one()
    gone = prescriber.submit(
        f"/authorities/{made.id}/withdraw", {"reason": "Replaced"}, follow_redirects=True
    )
    assert "Withdrawn" in text(gone)


def test_a_manager_sees_no_course(ward: Ward, signed_in_client: SignIn) -> None:
    course_id = ward.start()
    manager = signed_in_client(Role.MANAGER)
    assert manager.get(f"/courses/{course_id}").status_code == 403
    assert manager.get("/protocols").status_code == 403


def test_a_course_of_another_site_is_not_there(ward: Ward, signed_in_client: SignIn, at: datetime) -> None:
    course_id = ward.start()
    there = make_place(code="EAST")
    user = make_user(roles=Role.PRESCRIBER)
    set_sites(actor=SYSTEM_ACTOR, at=user.created_at, user_id=user.id, site_ids=[there.site_id])
    client = signed_in_client(user=user)
    assert client.get(f"/courses/{course_id}").status_code == 404
    assert client.get(f"/courses/slots/{ward.open_slot(course_id).id}/decide").status_code == 404


def test_a_dose_says_under_what_it_was_given(ward: Ward, nurse: CheckingClient) -> None:
    ward.start()
    dose = ward.bench.give()
    assert "due <time" in text(nurse.get(f"/doses/{dose.id}"))
    make_authority(ward.formulation_id, actor=ward.prescriber)
    other = ward.bench.give(ward.bench.request(patient_id=make_patient()))
    assert "Invented standing order, version" in text(nurse.get(f"/doses/{other.id}"))
