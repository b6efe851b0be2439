"""The label of an opened vial: what it says, to whom, and that its barcode leads back to the vial."""

import io
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask import Flask
from pypdf import PdfReader
from sqlalchemy import select

from inventory.audit.models import AccessEntry
from inventory.clinic.models import Setting
from inventory.clinic.settings import encode
from inventory.doses.services import dedicate_vial
from inventory.kernel import clock
from inventory.kernel.db import db, unit_of_work
from inventory.kernel.permissions import SYSTEM_ACTOR, Role
from inventory.stock.models import HoldKind, Vial, WasteReason
from inventory.stock.services import Why, discard_vial, hold_lot
from tests.factories.catalogue import make_multi_dose_product
from tests.factories.doses import Bench
from tests.factories.patients import make_patient
from tests.factories.stock import make_delivery, make_open_vial, make_place
from tests.support.client import CheckingClient

SignIn = Callable[..., CheckingClient]


@pytest.fixture
def vial(app: Flask, at: datetime) -> Vial:
    product = make_multi_dose_product(name="Cyanocobalamin Łódź", maker="Invented Makers")
    return make_open_vial(make_delivery(product_id=product.id, lot_number="INV77", place=make_place()))


def label(client: CheckingClient, vial: Vial, paper: str = "") -> PdfReader:
    answer = client.get(f"/reports/labels/{vial.id}.pdf{paper}")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.headers["Content-Disposition"] == "inline; filename=MAIN-V000001.pdf"
    return PdfReader(io.BytesIO(answer.get_data()))


def test_says_what_it_is_and_until_when(vial: Vial, signed_in_client: SignIn) -> None:
    reader = label(signed_in_client(Role.PRACTITIONER), vial)
    (page,) = reader.pages
    text = page.extract_text()
    for words in (
        "Cyanocobalamin Łódź, Invented Makers",
        "1,000 mcg/mL",
        "Lot INV77",
        "Opened 16 Mar 2026, 09:30",
        "Vial 1",
        "USE BY 13 Apr 2026",
        "MAIN-V000001",
    ):
        assert words in text
    assert "DEMO" not in text
    assert "ONE PATIENT" not in text
    assert [round(float(side) / 72 * 25.4) for side in page.mediabox[2:]] == [62, 29]
    embedded = {font["/BaseFont"] for font in _fonts(page)}
    assert embedded
    assert all("DejaVu" in name for name in embedded)


def test_can_be_printed_on_a4(vial: Vial, signed_in_client: SignIn) -> None:
    (page,) = label(signed_in_client(Role.MANAGER), vial, "?paper=a4").pages
    assert [round(float(side) / 72 * 25.4) for side in page.mediabox[2:]] == [210, 297]
    assert "USE BY 13 Apr 2026" in page.extract_text()


def test_of_a_demo_clinic_says_so(vial: Vial, signed_in_client: SignIn) -> None:
    with unit_of_work() as session:
        session.add(Setting(key="is_demo", value=encode(True)))
    assert "DEMO" in label(signed_in_client(Role.MANAGER), vial).pages[0].extract_text()


def test_names_the_patient_only_to_who_may_see_patients(vial: Vial, signed_in_client: SignIn) -> None:
    patient_id = make_patient(family_name="Keptfor", record_number="R-77")
    nurse = signed_in_client(Role.PRACTITIONER)
    dedicate_vial(actor=nurse.actor, at=clock.now(), vial_id=vial.id, patient_id=patient_id)
    seen = label(nurse, vial).pages[0].extract_text()
    assert "ONE PATIENT ONLY" in seen
    assert "Keptfor" in seen
    looks = db.session.execute(select(AccessEntry.patient_id, AccessEntry.page)).all()
    assert (patient_id, "label") in [tuple(look) for look in looks]
    hidden = label(signed_in_client(Role.MANAGER), vial).pages[0].extract_text()
    assert "ONE PATIENT ONLY" in hidden
    assert "Keptfor" not in hidden


@pytest.mark.parametrize(
    "number, family, given",
    [
        ("R-778899", "Wolfeschlegelsteinhausen", "Maximiliana"),
        ("R-" + "7" * 30, "Long" + "name" * 20, "Maximiliana"),
    ],
)
def test_who_it_is_for_is_never_lost_behind_a_long_name(
    vial: Vial, signed_in_client: SignIn, number: str, family: str, given: str
) -> None:
    patient_id = make_patient(given_name=given, family_name=family, record_number=number)
    nurse = signed_in_client(Role.PRACTITIONER)
    dedicate_vial(actor=nurse.actor, at=clock.now(), vial_id=vial.id, patient_id=patient_id)
    seen = label(nurse, vial).pages[0].extract_text()
    assert number in seen
    assert family[:8] in seen
    assert given in seen or "…" in seen


def test_a_closed_vial_gets_none(vial: Vial, signed_in_client: SignIn) -> None:
    discard_vial(actor=SYSTEM_ACTOR, at=clock.now(), vial_id=vial.id, why=Why(WasteReason.BROKEN))
    answer = signed_in_client(Role.MANAGER).get(f"/reports/labels/{vial.id}.pdf")
    assert answer.status_code == 422
    assert "VIAL-CLOSED" in answer.get_data(as_text=True)


def test_what_must_not_be_used_says_so(vial: Vial, at: datetime, signed_in_client: SignIn) -> None:
    with clock.frozen(at + timedelta(days=28)):
        assert "DO NOT USE" not in label(signed_in_client(Role.MANAGER), vial).pages[0].extract_text()
    with clock.frozen(at + timedelta(days=29)):
        late = label(signed_in_client(Role.MANAGER), vial).pages[0].extract_text()
    assert "DO NOT USE" in late
    assert "use by 13 Apr 2026" in late


def test_what_is_held_says_so(vial: Vial, at: datetime, signed_in_client: SignIn) -> None:
    hold_lot(actor=SYSTEM_ACTOR, at=at, lot_id=vial.lot_id, kind=HoldKind.HOLD, reason="Cracked stoppers")
    held = label(signed_in_client(Role.MANAGER), vial).pages[0].extract_text()
    assert "DO NOT USE" in held
    assert "USE BY" not in held


def test_a_single_dose_container_has_none(app: Flask, at: datetime, signed_in_client: SignIn) -> None:
    bench = Bench()
    bench.give()
    single = db.session.scalars(select(Vial)).one()
    assert signed_in_client(Role.MANAGER).get(f"/reports/labels/{single.id}.pdf").status_code == 404


@pytest.mark.parametrize("page", ["/stock/", "/stock/lots"])
def test_its_barcode_leads_to_the_vial(vial: Vial, signed_in_client: SignIn, page: str) -> None:
    nurse = signed_in_client(Role.PRACTITIONER)
    found = nurse.get(page, query_string={"q": "main-V000001"})
    assert (found.status_code, found.headers["Location"]) == (302, f"/stock/vials/{vial.id}")
    assert nurse.get(page, query_string={"q": "MAIN-V000002"}).status_code == 200


def test_is_printed_from_the_page_of_the_vial(vial: Vial, signed_in_client: SignIn) -> None:
    shown = signed_in_client(Role.PRACTITIONER).get(f"/stock/vials/{vial.id}").get_data(as_text=True)
    assert f"/reports/labels/{vial.id}.pdf" in shown
    assert f"/reports/labels/{vial.id}.pdf?paper=a4" in shown
    assert "MAIN-V000001" in shown


def _fonts(page: object) -> list[dict[str, str]]:
    return [font.get_object() for font in page["/Resources"]["/Font"].values()]
