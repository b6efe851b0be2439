"""An erasure leaves no word about the patient in their courses; what was due and given stays, nameless."""

from datetime import datetime, timedelta

from flask import Flask

from inventory.audit.verification import Verification
from inventory.courses import services
from inventory.kernel.db import db
from tests.factories.courses import Ward
from tests.factories.patients import make_patient
from tests.integration.desk.test_erasure import YEARS_LATER, Case


def test_an_erasure_blanks_the_words_of_a_course(app: Flask, at: datetime) -> None:
    ward = Ward()
    patient_id = make_patient(family_name="Wolfsburg", at=at)
    course_id = ward.start(at=at, patient_id=patient_id, indication="Wolfsburg is tired")
    services.end_course(
        actor=ward.prescriber, at=at + timedelta(days=1), course_id=course_id, reason="Wolfsburg moved away"
    )
    case = Case(patient_id, at + YEARS_LATER)
    case.carry_out(case.ask())
    db.session.expire_all()
    view = ward.view(course_id)
    assert view.course.indication == "Erased"
    assert [change.reason for change in view.changes] == ["Erased"]
    assert [str(slot.state) for slot in view.slots] == ["withdrawn"]
    assert list(Verification(db.session()).whole()) == []
