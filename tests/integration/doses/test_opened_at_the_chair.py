"""A vial that is opened for a dose gets its label at once, and the timelines lead to the dose for whoever may read it."""

import re
from collections.abc import Callable
from datetime import datetime

from sqlalchemy import select

from inventory.doses.models import Dose
from inventory.doses.rules.terms import VoidKind
from inventory.doses.services import dedicate_vial, void_dose
from inventory.kernel.db import db
from inventory.kernel.permissions import Role
from inventory.stock.models import Lot, Vial
from tests.factories.catalogue import make_multi_dose_product
from tests.factories.doses import Bench
from tests.factories.stock import make_delivery
from tests.support.client import CheckingClient

Client = Callable[..., CheckingClient]


def opened_for_a_dose(bench: Bench) -> tuple[Dose, Lot, Vial]:
    lot = make_delivery(place=bench.place, product_id=make_multi_dose_product().id, containers=2)
    dose = bench.give(bench.request(lot=lot))
    return dose, lot, db.session.scalars(select(Vial).where(Vial.lot_id == lot.id)).one()


def text(client: CheckingClient, path: str) -> str:
    page = re.sub(r"<[^>]+>", " ", client.get(path).get_data(as_text=True))
    return " ".join(page.split())


def test_the_dose_offers_the_label_of_the_vial_it_opened(bench: Bench, nurse: CheckingClient) -> None:
    dose, _, vial = opened_for_a_dose(bench)
    page = nurse.get(f"/doses/{dose.id}").text
    assert f"Vial {vial.label_number} was opened for this dose: label it" in page
    assert f'href="/reports/labels/{vial.id}.pdf"' in page
    assert f'<a href="/stock/vials/{vial.id}">Vial {vial.label_number}</a>' in page
    assert "kept for this patient alone" not in page


def test_it_says_for_whom_the_vial_is_kept(bench: Bench, nurse: CheckingClient, at: datetime) -> None:
    dose, _, vial = opened_for_a_dose(bench)
    dedicate_vial(actor=bench.nurse, at=at, vial_id=vial.id, patient_id=bench.patient_id)
    assert "It is kept for this patient alone." in nurse.get(f"/doses/{dose.id}").text


def test_a_vial_that_was_open_before_needs_no_label(bench: Bench, nurse: CheckingClient) -> None:
    lot, vial = bench.open_multi()
    dose = bench.give(bench.request(lot=lot, vial=vial))
    assert "label it" not in nurse.get(f"/doses/{dose.id}").text


def test_the_timelines_lead_to_the_dose(
    bench: Bench, nurse: CheckingClient, signed_in_client: Client
) -> None:
    dose, lot, vial = opened_for_a_dose(bench)
    manager = signed_in_client(Role.MANAGER)
    for path in (f"/stock/vials/{vial.id}", f"/stock/lots/{lot.id}"):
        assert f'<a href="/doses/{dose.id}">Dose MAIN-000001</a>' in nurse.get(path).text, path
        assert "MAIN-000001" not in manager.get(path).text, path


def test_a_dose_that_is_void_is_told_so(bench: Bench, nurse: CheckingClient, at: datetime) -> None:
    dose, lot, _ = opened_for_a_dose(bench)
    void_dose(
        actor=bench.nurse, at=at, dose_id=dose.id, kind=VoidKind.DRAWN_NOT_GIVEN, reason="It was dropped"
    )
    assert "Dose MAIN-000001, void" in text(nurse, f"/stock/lots/{lot.id}")
    assert "label it" not in text(nurse, f"/doses/{dose.id}")


def test_the_opening_is_an_event_of_its_own(bench: Bench, nurse: CheckingClient) -> None:
    _, lot, vial = opened_for_a_dose(bench)
    page = nurse.get(f"/stock/lots/{lot.id}").text
    assert re.findall(r'class="event-title">([^<]+)<', page) == [
        f"Gave 1 mL from vial {vial.label_number}",
        f"Opened vial {vial.label_number} from Cabinet",
        "Received 2 containers into Cabinet",
    ]
    events = text(nurse, f"/stock/vials/{vial.id}").partition("What happened to it")[2]
    assert events.partition("What it is")[0].count(bench.nurse.name) == 2
