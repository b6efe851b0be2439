"""A report shows each dose with the lot it was recorded with, and says beside it what was corrected since."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from flask import Flask

from inventory.doses.services import correct_lot
from inventory.kernel.db import db
from inventory.kernel.permissions import Actor, Role
from inventory.stock import queries
from inventory.stock.services.correcting import Correction
from tests.factories.reports import RECORDED_AT, ReportingClinic
from tests.factories.staff import make_actor
from tests.factories.stock import make_delivery

OCTOBER = (date(2026, 10, 1), date(2026, 10, 31))
NOON = datetime(2026, 10, 5, 12, 0, tzinfo=ZoneInfo("Europe/London"))
SINCE = RECORDED_AT + timedelta(hours=1)


@pytest.fixture
def manager(app: Flask) -> Actor:
    return make_actor(Role.MANAGER, display_name="Mia Manager")


def correct(clinic: ReportingClinic, manager: Actor, *, number: str, **changes: object) -> None:
    said = {"expires_on": date(2027, 8, 31), "reason": "Misread", "approved_by": manager, **changes}
    correction = Correction(lot_id=clinic.lots["MAIN"], lot_number=number, **said)  # type: ignore[arg-type]
    correct_lot(actor=manager, at=SINCE, correction=correction)
    db.session.rollback()


def test_a_corrected_lot_is_a_remark_beside_what_was_recorded(
    clinic: ReportingClinic, manager: Actor
) -> None:
    clinic.give(NOON)
    before = clinic.issue(*OCTOBER)
    correct(clinic, manager, number="RIGHT1", expires_on=date(2026, 10, 4))
    report = clinic.issue(*OCTOBER)
    text = clinic.text(report)
    assert "LOTMAIN, exp 31 Aug 2027" in text
    said = (
        "LOT CORRECTED Lot LOTMAIN was corrected: number LOTMAIN to RIGHT1, expiry 31 Aug 2027 to 4 Oct 2026."
        " Reason: Misread. Mia Manager, 1 Dec 2026 10:00 +00:00."
    )
    assert said in text
    assert "LOT CORRECTED" in clinic.content(report, "csv").decode()
    assert "LOT CORRECTED" not in clinic.text(before)
    for number in ("LOTMAIN", "right1"):
        assert clinic.issue(*OCTOBER, lot_number=number).row_count == 1


def test_a_merged_lot_says_into_which_and_is_found_by_either_number(
    clinic: ReportingClinic, manager: Actor
) -> None:
    clinic.give(NOON)
    other = make_delivery(product_id=clinic.product_id, place=clinic.places["MAIN"], lot_number="LOTMA1N")
    correct(clinic, manager, number="LOTMA1N", merge_with=other.id)
    assert queries.lot_by_id(db.session(), other.id).lot_number == "LOTMA1N"
    for asked in ({}, {"lot_number": "LOTMAIN"}, {"lot_number": "LOTMA1N"}):
        text = clinic.text(clinic.issue(*OCTOBER, **asked))
        assert "LOT CORRECTED Lot LOTMAIN was merged into lot LOTMA1N, expiry 31 Aug 2027." in text


def test_a_dose_that_was_not_late_says_it_too(clinic: ReportingClinic, manager: Actor) -> None:
    clinic.give(RECORDED_AT)
    correct(clinic, manager, number="RIGHT1")
    text = clinic.text(clinic.issue(RECORDED_AT.date(), RECORDED_AT.date()))
    assert ("LATE" in text, "LOT CORRECTED Lot LOTMAIN" in text) == (False, True)
