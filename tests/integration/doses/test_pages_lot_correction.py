"""The page that corrects a lot, what it shows of its doses, and where a correction is seen afterwards."""

from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import select

from inventory.doses.models import Incident
from inventory.kernel.db import db
from inventory.kernel.permissions import Role
from inventory.stock import queries
from inventory.stock.models import Lot, Vial
from inventory.stock.queries import corrections
from tests.factories.catalogue import make_multi_dose_product
from tests.factories.doses import Bench
from tests.factories.staff import make_user
from tests.factories.stock import make_delivery, make_open_vial
from tests.support.client import CheckingClient, pick_form

Client = Callable[..., CheckingClient]
WHY = "The pack was looked at again."
PASSWORD = "a long enough password here"


@pytest.fixture
def manager(bench: Bench, signed_in_client: Client) -> CheckingClient:
    return signed_in_client(Role.MANAGER)


def address(lot: Lot, page: str = "correct") -> str:
    return f"/stock/lots/{lot.id}/{page}"


def number_of(lot: Lot) -> str:
    db.session.rollback()
    return queries.lot_by_id(db.session(), lot.id).lot_number


def test_a_manager_corrects_a_lot_and_its_page_tells_it(bench: Bench, manager: CheckingClient) -> None:
    lot, before = bench.lot, bench.lot.lot_number
    assert address(lot) in manager.get(f"/stock/lots/{lot.id}").text
    typed = {"lot_number": "RIGHT1", "expires_on": "2027-09", "reason": WHY}
    answer = manager.submit(address(lot), typed, follow_redirects=True)
    assert answer.status_code == 200
    assert (
        f"Lot {before} was corrected: number {before} to RIGHT1, expiry 31 Aug 2027 to 30 Sep 2027"
        in answer.text
    )
    assert "No dose is made late or in date by it." in answer.text
    page = manager.get(f"/stock/lots/{lot.id}").text
    assert f"Lot {before} was corrected: number" in page
    assert WHY in page
    assert f"/stock/lots/{lot.id}" in manager.get(f"/stock/lots?q={before}").text
    assert 'value="2027-09"' in manager.get(address(lot)).text


def test_a_nurse_asks_somebody_to_approve(bench: Bench, nurse: CheckingClient) -> None:
    make_user(roles=Role.PRACTITIONER, username="nelly", password=PASSWORD)
    make_user(roles=Role.PRESCRIBER, username="petra", password=PASSWORD)
    typed = {"lot_number": "RIGHT1", "reason": WHY}
    for who, code in (({}, "CONFIRM-NEEDED"), ({"approver_username": "nelly"}, "APPROVER-ROLE")):
        named = {"approver_username": "", "approver_password": PASSWORD, **who}
        answer = nurse.submit(address(bench.lot), typed | named)
        assert (answer.status_code, code in answer.text, "RIGHT1" in answer.text) == (422, True, True)
    right = {"approver_username": "petra", "approver_password": PASSWORD}
    assert nurse.submit(address(bench.lot), typed | right).status_code == 302
    assert number_of(bench.lot) == "RIGHT1"


def test_what_cannot_be_is_said_and_kept(bench: Bench, manager: CheckingClient) -> None:
    before = bench.lot.lot_number
    for typed, code in (
        ({"reason": WHY}, "LOT-UNCHANGED"),
        ({"expires_on": "2047-08-31", "reason": WHY}, "LOT-EXPIRY-ABSURD"),
        ({"expires_on": "31 31", "reason": WHY}, "DATE-INVALID"),
        ({"lot_number": "X1"}, "FIELD-REQUIRED"),
        ({"lot_number": "", "reason": WHY}, "FIELD-REQUIRED"),
    ):
        answer = manager.submit(address(bench.lot), typed)
        assert (answer.status_code, code in answer.text) == (422, True), (typed, code)
    assert number_of(bench.lot) == before


def test_a_page_that_was_open_meanwhile_corrects_nothing(bench: Bench, manager: CheckingClient) -> None:
    form = manager.form(address(bench.lot))
    manager.submit(address(bench.lot), {"lot_number": "RIGHT1", "reason": WHY})
    answer = manager.send(address(bench.lot), form, {"lot_number": "RIGHT2", "reason": WHY})
    assert (answer.status_code, "LOT-CORRECTED-MEANWHILE" in answer.text) == (422, True)
    assert number_of(bench.lot) == "RIGHT1"


def test_only_who_handles_stock_corrects_lots(bench: Bench, signed_in_client: Client) -> None:
    auditor = signed_in_client(Role.AUDITOR)
    assert auditor.get(address(bench.lot)).status_code == 403
    assert address(bench.lot) not in auditor.get(f"/stock/lots/{bench.lot.id}").text


def test_doses_past_the_corrected_expiry_are_listed_without_their_patients(
    bench: Bench, manager: CheckingClient, nurse: CheckingClient, at: datetime
) -> None:
    dose = bench.give(at=at)
    yesterday = at.date() - timedelta(days=1)
    typed = {"expires_on": yesterday.isoformat(), "reason": WHY}
    answer = manager.submit(address(bench.lot), typed, follow_redirects=True)
    for page in (answer.text, manager.get(f"/stock/lots/{bench.lot.id}").text):
        assert "1 dose was given after the corrected expiry" in page
        assert (
            "Dose MAIN-000001, given 16 Mar 2026; its lot was said to expire 31 Aug 2027; incident 1, open"
            in page
        )
        assert f"/doses/{dose.id}" not in page
        assert dose.patient_name not in page
    assert f"/doses/{dose.id}" in nurse.get(f"/stock/lots/{bench.lot.id}").text
    record = nurse.get(f"/doses/{dose.id}").text
    assert "A lot of this dose was corrected since" in record
    assert "expiry 31 Aug 2027 to 15 Mar 2026" in record
    assert "expires 31 Aug 2027" in record
    assert "LOT-EXPIRED: Lot" in record


def test_an_open_vial_of_a_lot_that_has_expired_is_to_be_discarded_now(
    bench: Bench, manager: CheckingClient, nurse: CheckingClient, at: datetime
) -> None:
    lot, vial = bench.open_multi()
    bench.give(bench.request(lot=lot, vial=vial))
    typed = {"expires_on": (at.date() - timedelta(days=1)).isoformat(), "reason": WHY}
    page = manager.submit(address(lot), typed, follow_redirects=True).text
    assert f"Discard vial {vial.label_number} now" in page
    assert "must be used sooner" not in page
    assert f'href="/stock/vials/{vial.id}/discard"' in nurse.get(address(lot, "corrected")).text
    what = db.session.scalars(select(Incident.what)).one()
    assert "expired on 15 Mar 2026" in what
    assert "given on 16 Mar 2026" in what


def test_an_open_vial_of_a_lot_that_expires_sooner_is_used_sooner(
    bench: Bench, manager: CheckingClient, at: datetime
) -> None:
    lot, vial = bench.open_multi()
    typed = {"expires_on": (at.date() + timedelta(days=3)).isoformat(), "reason": WHY}
    page = manager.submit(address(lot), typed, follow_redirects=True).text
    assert "1 open vial must be used sooner than the label says" in page
    assert f"Discard vial {vial.label_number} now" not in page


def test_two_lots_are_shown_before_they_become_one(
    bench: Bench, manager: CheckingClient, at: datetime
) -> None:
    product_id = make_multi_dose_product().id
    wrong = make_delivery(
        place=bench.place,
        product_id=product_id,
        lot_number="TYP0",
        expires_on=date(2027, 7, 31),
        containers=4,
    )
    right = make_delivery(place=bench.place, product_id=product_id, lot_number="TYPO", containers=5)
    make_open_vial(wrong, place=bench.place)
    typed = {"lot_number": "typo", "reason": WHY}
    asked = manager.submit(address(wrong), typed)
    assert (asked.status_code, "LOT-COLLIDES" in asked.text, "Merge the two lots" in asked.text) == (
        422,
        True,
        True,
    )
    assert "31 Jul 2027, as typed above" in asked.text
    form = pick_form(asked)
    unsure = manager.send(address(wrong), form, typed | {"same_lot": "y"})
    assert (unsure.status_code, "LOT-MERGE-EXPIRY" in unsure.text) == (422, True)
    sure = typed | {"same_lot": "y", "right_expiry": "other"}
    done = manager.send(address(wrong), pick_form(unsure), sure, follow_redirects=True)
    assert done.status_code == 200
    for words in ("Write these labels now", "Vial 2", "From vial 1 of lot TYP0.", "was merged into lot TYPO"):
        assert words in done.text, words
    new = db.session.scalars(select(Vial).where(Vial.lot_id == right.id)).one()
    assert f'href="/reports/labels/{new.id}.pdf"' in done.text
    assert corrections.became(db.session(), wrong.id) == right.id
    old = manager.get(f"/stock/lots/{wrong.id}").text
    assert "This number was a mistake" in old
    assert address(wrong) not in old
    assert "Lot TYP0 was merged into this one" in manager.get(f"/stock/lots/{right.id}").text
    refused = manager.get(address(wrong))
    assert (refused.status_code, "LOT-MERGED" in refused.text) == (422, True)


def test_the_other_lot_is_asked_about_before_anybodys_password(bench: Bench, nurse: CheckingClient) -> None:
    make_delivery(place=bench.place, product_id=bench.lot.product_id, lot_number="TWIN")
    asked = nurse.submit(address(bench.lot), {"lot_number": "TWIN", "reason": WHY}).text
    assert ("LOT-COLLIDES" in asked, "CONFIRM-NEEDED" in asked) == (True, False)
