"""A recall on its pages: looked at before anything is held, run by a manager who sees no patient, told by those who do."""

import csv
import io
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from inventory.audit.models import AccessEntry, AuditEntry
from inventory.doses.models import RecallContact
from inventory.doses.rules.terms import EntryMode
from inventory.kernel.db import db
from inventory.kernel.permissions import SYSTEM_ACTOR, Role
from inventory.patients.queries import get_patient
from inventory.patients.services import Identity, edit_patient
from inventory.staff.services import set_sites
from inventory.stock.models import Hold, Recall
from tests.factories.catalogue import make_multi_dose_product
from tests.factories.doses import Bench
from tests.factories.patients import make_patient
from tests.factories.staff import make_user
from tests.factories.stock import make_delivery, make_open_vial, make_place
from tests.support.client import CheckingClient, pick_form

SignIn = Callable[..., CheckingClient]
TYPED = {"title": "Cracked vials", "reason": "Glass particles", "lots": "1662, 1679"}


def open_on_the_page(client: CheckingClient, **typed: Any) -> Any:
    seen = client.submit("/recalls/new", {**TYPED, **typed, "step": "check"})
    assert seen.status_code == 200, seen.get_data(as_text=True)
    return client.send("/recalls/new", pick_form(seen, having="shown"), {"step": "open"})


@pytest.fixture
def bench(app: Flask, at: datetime) -> Bench:
    bench = Bench()
    bench.lot = make_delivery(lot_number="1662", place=bench.place, containers=3)
    return bench


def only_recall() -> Recall:
    db.session.rollback()
    return db.session.scalars(select(Recall)).one()


def holds() -> list[Hold]:
    db.session.rollback()
    return list(db.session.scalars(select(Hold)))


def test_nothing_is_held_before_it_was_looked_at(bench: Bench, signed_in_client: SignIn) -> None:
    manager = signed_in_client(Role.MANAGER)
    seen = manager.submit("/recalls/new", {**TYPED, "step": "check"})
    page = seen.get_data(as_text=True)
    assert "Lot 1662: Invented B12" in page
    assert "3 sealed containers" in page
    assert "It is remembered: a delivery is put on hold only if its number reads exactly so." in page
    assert holds() == []
    form = pick_form(seen, having="shown")
    opened = manager.send("/recalls/new", form, {"step": "open"})
    assert opened.location == f"/recalls/{only_recall().id}"
    assert [hold.lot_id for hold in holds()] == [bench.lot.id]
    again = manager.send("/recalls/new", form, {"step": "open"}, follow_redirects=True)
    assert "recorded already" in again.get_data(as_text=True)
    assert len(holds()) == 1


def test_changed_numbers_are_shown_again_first(bench: Bench, signed_in_client: SignIn) -> None:
    manager = signed_in_client(Role.MANAGER)
    seen = manager.submit("/recalls/new", {**TYPED, "lots": "1679", "step": "check"})
    changed = manager.send("/recalls/new", pick_form(seen, having="shown"), {"lots": "1662", "step": "open"})
    assert changed.status_code == 200
    assert "has changed" in changed.get_data(as_text=True)
    assert holds() == []


def test_what_is_not_ticked_is_not_held(bench: Bench, signed_in_client: SignIn) -> None:
    other = make_delivery(lot_number="16 62")
    manager = signed_in_client(Role.MANAGER)
    seen = manager.submit("/recalls/new", {**TYPED, "step": "check"})
    manager.send("/recalls/new", pick_form(seen, having="shown"), {"chosen": [str(other.id)], "step": "open"})
    assert [hold.lot_id for hold in holds()] == [other.id]


def uploaded(manager: CheckingClient, raw: bytes) -> Any:
    form = manager.form("/recalls/new")
    token = {name: form.fields[name][0] for name in ("csrf_token", "request_key")}
    data = {**TYPED, **token, "lots": "", "step": "check", "file": (io.BytesIO(raw), "notice.csv")}
    return manager.post("/recalls/new", data=data, content_type="multipart/form-data")


def test_a_number_with_words_around_it_is_offered_unticked(bench: Bench, signed_in_client: SignIn) -> None:
    manager = signed_in_client(Role.MANAGER)
    seen = manager.submit("/recalls/new", {**TYPED, "lots": "Batch 16-62", "step": "check"})
    page = seen.get_data(as_text=True)
    assert "did you mean this one?" in page
    assert "Not ours" in page
    form = pick_form(seen, having="shown")
    assert not form.fields.get("chosen")
    manager.send("/recalls/new", form, {"chosen": [str(bench.lot.id)], "step": "open"})
    assert [hold.lot_id for hold in holds()] == [bench.lot.id]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "latin-1"])
@pytest.mark.parametrize("text", ["lot;product\r\n1662;\r\n", "1662\r\n1679\r\n"])
def test_a_file_of_numbers_is_read(bench: Bench, signed_in_client: SignIn, encoding: str, text: str) -> None:
    manager = signed_in_client(Role.MANAGER)
    seen = uploaded(manager, text.encode(encoding))
    assert "Lot 1662: Invented B12" in seen.get_data(as_text=True)
    manager.send("/recalls/new", pick_form(seen, having="shown"), {"step": "open"})
    assert [hold.lot_id for hold in holds()] == [bench.lot.id]


@pytest.mark.parametrize(
    "raw", [b"\x89PNG\r\n\x1a\n\x00\x00IHDR", b"PK\x03\x04 sheet", b"\xff\xfe1", b"1\x006\x00"]
)
def test_what_is_no_text_never_reaches_the_numbers(
    bench: Bench, signed_in_client: SignIn, raw: bytes
) -> None:
    answer = uploaded(signed_in_client(Role.MANAGER), raw)
    assert answer.status_code == 422
    assert "FILE-NOT-TEXT" in answer.get_data(as_text=True)
    assert pick_form(answer, having="shown").fields["lots"][0].strip() == ""


@pytest.mark.parametrize(
    "typed, code",
    [
        ({"title": ""}, "FIELD-REQUIRED"),
        ({"reason": " "}, "FIELD-REQUIRED"),
        ({"lots": " , "}, "RECALL-NO-LOTS"),
        ({"lots": "x" * 41}, "LOT-NUMBER-INVALID"),
        ({"lots": "\n".join(map(str, range(501)))}, "RECALL-TOO-MANY"),
        ({"lots": "1662\u202e"}, "TEXT-CONTROL"),
        ({"lots": "1," * 10_001}, "TEXT-TOO-LONG"),
    ],
)
def test_a_bad_notice_is_refused_and_kept(
    bench: Bench, signed_in_client: SignIn, typed: dict[str, str], code: str
) -> None:
    answer = signed_in_client(Role.MANAGER).submit("/recalls/new", {**TYPED, **typed, "step": "check"})
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert code in page
    assert "Cracked vials" in page or "title" in typed
    assert "Which lots these are" not in page
    assert holds() == []


def test_the_manager_sees_how_many_and_nobody(bench: Bench, signed_in_client: SignIn) -> None:
    bench.give(bench.request(lot=bench.lot))
    manager = signed_in_client(Role.MANAGER)
    page = manager.get(open_on_the_page(manager).location).get_data(as_text=True)
    name = get_patient(db.session(), bench.patient_id).family_name
    assert name not in page
    assert "1 patient was given of these lots: 1 not tried" in page
    assert "0 of 1" in page
    assert db.session.scalars(select(AccessEntry)).all() == []
    assert manager.get(f"/recalls/{only_recall().id}/patients.csv").status_code == 403
    assert manager.get(f"/recalls/{only_recall().id}/patients/{bench.patient_id}").status_code == 403


def test_the_nurse_tells_the_patients(bench: Bench, signed_in_client: SignIn, at: datetime) -> None:
    bench.give(bench.request(lot=bench.lot))
    patient = get_patient(db.session(), bench.patient_id)
    identity = Identity(
        family_name=patient.family_name,
        given_name=patient.given_name,
        born_on=patient.born_on,
        record_number=patient.record_number,
        phone="555 0100",
    )
    edit_patient(actor=bench.nurse, at=at, patient_id=patient.id, identity=identity, version=patient.version)
    cockpit = open_on_the_page(signed_in_client(Role.MANAGER)).location
    nurse = signed_in_client(Role.PRACTITIONER)
    page = nurse.get(cockpit).get_data(as_text=True)
    for words in ("555 0100", "No contact yet", "MAIN-000001", "lot 1662, 1 mL", patient.family_name):
        assert words in page
    contact = f"{cockpit}/patients/{patient.id}"
    assert "555 0100" in nurse.get(contact).get_data(as_text=True)
    refused = nurse.submit(contact, {"note": "Feels well"})
    assert refused.status_code == 422
    assert "Feels well" in refused.get_data(as_text=True)
    told = nurse.submit(
        contact, {"outcome": "told", "means": "phone", "note": "Feels well"}, follow_redirects=True
    )
    assert "1 of 1" in told.get_data(as_text=True)
    assert nurse.get(f"{cockpit}?state=waiting").get_data(as_text=True).count("555 0100") == 0
    (kept,) = db.session.scalars(select(RecallContact)).all()
    assert (kept.note, kept.outcome) == ("Feels well", "told")


def test_every_look_at_the_list_is_logged_at_once(
    bench: Bench, signed_in_client: SignIn, at: datetime
) -> None:
    people = {make_patient() for _ in range(3)}
    for patient_id in people:
        bench.give(bench.request(lot=bench.lot, patient_id=patient_id))
    cockpit = open_on_the_page(signed_in_client(Role.MANAGER)).location
    auditor = signed_in_client(Role.AUDITOR)
    auditor.get(cockpit)
    rows = list(
        csv.DictReader(io.StringIO(auditor.get(f"{cockpit}/patients.csv").get_data().decode("utf-8-sig")))
    )
    assert len(rows) == 3
    assert rows[0]["contact"] == "No contact yet"
    db.session.rollback()
    looks = db.session.execute(select(AccessEntry.page, AccessEntry.patient_id)).all()
    expected = {(page, one) for page in ("recall", "recall list for letters") for one in people}
    assert {(look.page, look.patient_id) for look in looks} == expected
    assert len(looks) == 6
    taken = select(AuditEntry).where(AuditEntry.action == "doses.take-recall-list")
    assert len(db.session.scalars(taken).all()) == 1


def test_the_letters_run_no_formula(bench: Bench, signed_in_client: SignIn) -> None:
    evil = make_patient(family_name="Bly", record_number="=HYPERLINK(1)")
    bench.give(bench.request(lot=bench.lot, patient_id=evil))
    cockpit = open_on_the_page(signed_in_client(Role.MANAGER)).location
    text = signed_in_client(Role.PRACTITIONER).get(f"{cockpit}/patients.csv").get_data().decode("utf-8-sig")
    assert "'=HYPERLINK(1)" in text


def test_shows_where_everything_is(bench: Bench, signed_in_client: SignIn) -> None:
    west = make_place(code="WEST", location="Fridge W")
    lot = make_delivery(lot_number="1679", product_id=make_multi_dose_product().id, place=west, containers=4)
    vial = make_open_vial(lot, place=west)
    manager = signed_in_client(Role.MANAGER)
    page = manager.get(open_on_the_page(manager).location).get_data(as_text=True)
    for words in ("Fridge W", f"Open vial {vial.label_number}", "3 sealed containers", "Cabinet"):
        assert words in page
    assert "6 sealed containers and 1 open vial of its lots must be returned, destroyed or released" in page


def test_what_lies_here_is_sent_back_or_destroyed_from_its_page(
    bench: Bench, signed_in_client: SignIn
) -> None:
    make_delivery(lot_number="1679", place=make_place(code="WEST", location="Fridge W"), containers=4)
    manager = signed_in_client(Role.MANAGER)
    cockpit = open_on_the_page(manager).location
    page = manager.get(cockpit).get_data(as_text=True)
    for kind in ("return", "destruction"):
        assert f"/stock/disposals/new/{kind}?lot=1662" in page
        assert f"/stock/disposals/new/{kind}?lot=1679" not in page, "it lies at another site"
    assert "/stock/disposals/new" not in signed_in_client(Role.PRACTITIONER).get(cockpit).get_data(
        as_text=True
    )


def test_the_page_of_a_lot_leads_to_its_recall(bench: Bench, signed_in_client: SignIn) -> None:
    manager, lot = signed_in_client(Role.MANAGER), f"/stock/lots/{bench.lot.id}"
    leads = "/recalls/new?lot=1662"
    assert leads in manager.get(lot).get_data(as_text=True)
    assert leads not in signed_in_client(Role.PRACTITIONER).get(lot).get_data(as_text=True)
    seen = manager.submit(leads, {"title": "Cracked vials", "reason": "Glass", "step": "check"})
    manager.send("/recalls/new", pick_form(seen, having="shown"), {"step": "open"})
    assert [hold.lot_id for hold in holds()] == [bench.lot.id]
    assert leads not in manager.get(lot).get_data(as_text=True)


def test_lots_are_added_and_released_and_the_recall_closed(bench: Bench, signed_in_client: SignIn) -> None:
    more = make_delivery(lot_number="A2")
    manager = signed_in_client(Role.MANAGER)
    cockpit = open_on_the_page(manager).location
    seen = manager.submit(f"{cockpit}/lots", {"lots": "a2", "step": "check"})
    manager.send(f"{cockpit}/lots", pick_form(seen, having="shown"), {"step": "open"})
    assert {hold.lot_id for hold in holds()} == {bench.lot.id, more.id}
    twice = manager.submit(f"{cockpit}/lots", {"lots": "a2", "step": "check"})
    refused = manager.send(f"{cockpit}/lots", pick_form(twice, having="shown"), {"step": "open"})
    assert "RECALL-LOTS-THERE" in refused.get_data(as_text=True)
    refused = manager.submit(f"{cockpit}/close", {"outcome": "Done"})
    assert "RECALL-UNFINISHED" in refused.get_data(as_text=True)
    manager.submit(f"{cockpit}/release", {"reason": "Cleared by the maker"})
    assert all(hold.released_at for hold in holds())
    closed = manager.submit(f"{cockpit}/close", {"outcome": "All cleared"}, follow_redirects=True)
    page = closed.get_data(as_text=True)
    assert "The recall is closed." in page
    assert "All cleared" in page
    assert "Add lots" not in page


def test_no_form_is_shown_for_a_recall_that_is_closed(bench: Bench, signed_in_client: SignIn) -> None:
    manager = signed_in_client(Role.MANAGER)
    cockpit = open_on_the_page(manager).location
    manager.submit(f"{cockpit}/release", {"reason": "Cleared by the maker"})
    manager.submit(f"{cockpit}/close", {"outcome": "All cleared"})
    for path in ("close", "lots"):
        over = manager.get(f"{cockpit}/{path}", follow_redirects=True)
        assert over.request.path == cockpit
        assert "This recall is closed already." in over.get_data(as_text=True)


def test_who_works_elsewhere_is_offered_nothing_that_would_be_refused(
    bench: Bench, signed_in_client: SignIn
) -> None:
    everywhere = signed_in_client(Role.MANAGER, Role.PRACTITIONER)
    cockpit = open_on_the_page(everywhere).location
    everywhere.submit(cockpit, action=f"{cockpit}/report")
    shown = everywhere.get(cockpit).get_data(as_text=True)
    limited = make_user(roles=(Role.MANAGER, Role.PRACTITIONER))
    there = make_place(code="NORTH", location="North fridge")
    set_sites(actor=SYSTEM_ACTOR, at=limited.created_at, user_id=limited.id, site_ids=[there.site_id])
    elsewhere = signed_in_client(user=limited)
    offered = elsewhere.get(cockpit).get_data(as_text=True)
    for path in (
        f"{cockpit}/close",
        f"{cockpit}/lots",
        f"{cockpit}/release",
        f"{cockpit}/report",
        "report 1",
    ):
        assert path in shown
        assert path not in offered
    for path in ("close", "lots", "release"):
        refused = elsewhere.get(f"{cockpit}/{path}")
        assert (refused.status_code, "SITE-NOT-YOURS" in refused.get_data(as_text=True)) == (403, True)


def test_the_report_is_issued_from_the_cockpit(bench: Bench, signed_in_client: SignIn) -> None:
    bench.give(bench.request(lot=bench.lot))
    cockpit = open_on_the_page(signed_in_client(Role.MANAGER), is_drill="y").location
    nurse = signed_in_client(Role.PRACTITIONER)
    assert "DRILL" in nurse.get(cockpit).get_data(as_text=True)
    answer = nurse.submit(cockpit, action=f"{cockpit}/report", follow_redirects=True)
    page = answer.get_data(as_text=True)
    assert "Recall report" in page
    assert "1 patient" in page
    assert "Recall report" in nurse.get("/reports/").get_data(as_text=True)
    assert "report 1" in nurse.get(cockpit).get_data(as_text=True)


def test_a_delivery_of_a_recalled_number_says_so(bench: Bench, signed_in_client: SignIn) -> None:
    manager = signed_in_client(Role.MANAGER)
    cockpit = open_on_the_page(manager).location
    typed = {
        "product": str(bench.lot.product_id),
        "lot_number": "1679",
        "expires_on": "2027-03",
        "containers": "2",
        "location": str(bench.place.location_id),
    }
    page = manager.submit("/stock/receive", typed, follow_redirects=True).get_data(as_text=True)
    assert "This lot is recalled" in page
    assert cockpit in page
    assert "Recalled" in page


def test_is_found_in_the_menu_with_the_open_ones_counted(bench: Bench, signed_in_client: SignIn) -> None:
    manager = signed_in_client(Role.MANAGER)
    assert "Open the first recall" in manager.get("/recalls").get_data(as_text=True)
    open_on_the_page(manager)
    page = manager.get("/recalls").get_data(as_text=True)
    assert "MAIN-R001" in page
    assert 'href="/recalls"' in page


def test_late_doses_of_a_recalled_lot_join_the_list(bench: Bench, signed_in_client: SignIn) -> None:
    cockpit = open_on_the_page(signed_in_client(Role.MANAGER)).location
    bench.give(bench.request(lot=bench.lot, mode=EntryMode.ALREADY_GIVEN))
    assert "0 of 1" in signed_in_client(Role.PRACTITIONER).get(cockpit).get_data(as_text=True)
