"""A patient of whom something was measured, and one item of whose checklist is answered."""

from datetime import datetime
from uuid import UUID

import pytest
from flask import Flask

from inventory.kernel.db import db
from inventory.kernel.permissions import SYSTEM_ACTOR
from inventory.patients.checklist_queries import open_items
from inventory.patients.models import ItemAnswer
from inventory.patients.services import Answered, answer_checklist
from tests.factories.measured import make_lab, make_score
from tests.factories.patients import make_patient


@pytest.fixture
def measured(app: Flask, at: datetime) -> UUID:
    patient_id = make_patient(has_baseline=False)
    make_lab(patient_id)
    make_score(patient_id)
    item = open_items(db.session())[0]
    answer_checklist(
        actor=SYSTEM_ACTOR,
        at=at,
        patient_id=patient_id,
        answers=[Answered(item.id, ItemAnswer.DONE, "Talked over")],
    )
    return patient_id
