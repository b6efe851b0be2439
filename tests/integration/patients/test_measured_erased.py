"""An erasure blanks the words beside results, scores and answers, leaves the figures to nobody, and the trail whole."""

from datetime import datetime
from uuid import UUID

from flask import Flask
from flask.testing import FlaskCliRunner
from sqlalchemy import select

from inventory.audit.models import AskedBy
from inventory.kernel.db import db
from inventory.kernel.permissions import SYSTEM_ACTOR, Role
from inventory.patients.models import CareGroup, ChecklistAnswer, LabResult, Patient, SymptomScore
from inventory.patients.services import retract_lab, retract_scores, set_background
from inventory.patients.services.erasure import Asked, ask_erasure, carry_out_erasure
from tests.factories.staff import make_actor


def retract_all(patient_id: UUID, at: datetime) -> None:
    who = {"actor": SYSTEM_ACTOR, "at": at, "patient_id": patient_id, "reason": "Mrs Wolf's, not hers"}
    for result_id in db.session.scalars(select(LabResult.id)).all():
        retract_lab(**who, result_id=result_id)  # type: ignore[arg-type]
    for score_id in db.session.scalars(select(SymptomScore.id)).all():
        retract_scores(**who, score_id=score_id)  # type: ignore[arg-type]


def test_words_are_blanked_and_the_trail_stays_well(
    app: Flask, measured: UUID, at: datetime, cli: FlaskCliRunner
) -> None:
    retract_all(measured, at)
    groups = [CareGroup.VEGAN]
    set_background(actor=SYSTEM_ACTOR, at=at, patient_id=measured, groups=groups, indication="Tired")
    prescriber, admin = make_actor(Role.PRESCRIBER), make_actor(Role.ADMIN)
    asked = Asked(AskedBy.PATIENT, at.date(), "Erase what you have")
    request_id = ask_erasure(actor=prescriber, at=at, patient_id=measured, asked=asked).subject_id
    carry_out_erasure(
        actor=prescriber, at=at, request_id=request_id, second=admin, obstacle=lambda _session, _id: None
    )
    db.session.rollback()
    for model in (LabResult, SymptomScore):
        assert set(db.session.scalars(select(model.reason))) == {None, "Erased"}
    assert set(db.session.scalars(select(ChecklistAnswer.note))) == {""}
    patient = db.session.get_one(Patient, measured)
    assert (patient.care_groups, patient.indication) == ("", "")
    said = cli.invoke(args=["audit", "verify"])
    assert said.exit_code == 0, said.output
