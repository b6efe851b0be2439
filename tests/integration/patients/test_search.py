"""Finding a patient by what is remembered of the record number."""

import pytest
from flask import Flask

from inventory.kernel.db import db
from inventory.patients import queries
from tests.factories.patients import make_patient


@pytest.mark.parametrize("typed", ["25", "00025", "ws25", "WS-25", "WS-00025", "ws-000"])
def test_a_record_number_is_found_by_its_digits(app: Flask, typed: str) -> None:
    for number in ("WS-00025", "WS-00125", "WS-00252", "X-7"):
        make_patient(family_name=f"Of{number[0]}", record_number=number)
    found = [one.record_number for one in queries.patients_page(db.session(), text=typed).items]
    assert "WS-00025" in found
    assert "X-7" not in found
    if typed != "ws-000":
        assert "WS-00125" not in found
