"""How far a recall has come, for everybody who works on it: told and deceased apart, what is missing, who is to be told today."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from flask import Flask

from inventory.doses.rules.terms import ContactMeans, ContactOutcome
from inventory.doses.services.recalls import Told, record_contact
from inventory.kernel.db import db
from inventory.kernel.permissions import SYSTEM_ACTOR, Role
from inventory.stock.models import AdjustReason
from inventory.stock.notices import NamedLot
from inventory.stock.queries import recalls as found
from inventory.stock.services import Difference, Direction, adjust_shelf, adjust_vial
from inventory.stock.services.recalls import Notice, open_recall, still_to_do
from tests.factories.catalogue import make_multi_dose_product
from tests.factories.doses import Bench
from tests.factories.patients import make_patient
from tests.factories.staff import make_actor
from tests.factories.stock import make_delivery, make_open_vial
from tests.support.client import CheckingClient

SignIn = Callable[..., CheckingClient]


@pytest.fixture
def bench(app: Flask, at: datetime) -> Bench:
    return Bench()


def recall_of(bench: Bench, *, at: datetime, is_drill: bool = False) -> UUID:
    done = open_recall(
        actor=SYSTEM_ACTOR,
        at=at,
        site_id=bench.place.site_id,
        notice=Notice(title="Cracked vials", reason="Glass", is_drill=is_drill),
        named=[NamedLot(bench.lot.lot_number)],
    )
    assert done.subject_id is not None
    return UUID(str(done.subject_id))


def tell(bench: Bench, recall_id: UUID, patient_id: UUID, outcome: ContactOutcome, *, at: datetime) -> None:
    told = Told(outcome=outcome, means=ContactMeans.PHONE)
    record_contact(actor=bench.nurse, at=at, recall_id=recall_id, patient_id=patient_id, told=told)


def text(client: CheckingClient, path: str) -> str:
    page = re.sub(r"<[^>]+>", " ", client.get(path).get_data(as_text=True))
    return " ".join(page.split())


def missing(bench: Bench, containers: int, *, at: datetime, direction: Direction = Direction.MISSING) -> None:
    adjust_shelf(
        actor=SYSTEM_ACTOR,
        at=at,
        lot_id=bench.lot.id,
        place=bench.place,
        containers=containers,
        difference=Difference(direction, AdjustReason.MISCOUNTED, "Not there", make_actor(Role.MANAGER)),
    )


def given_to(bench: Bench, *names: str) -> list[Any]:
    people = [make_patient(family_name=name) for name in names]
    for patient_id in people:
        bench.give(bench.request(patient_id=patient_id))
    return people


def test_the_deceased_are_not_counted_as_told(bench: Bench, signed_in_client: SignIn, at: datetime) -> None:
    told, dead, tried = given_to(bench, "Ames", "Bly", "Curie")
    recall_id = recall_of(bench, at=at)
    tell(bench, recall_id, told, ContactOutcome.TOLD, at=at)
    tell(bench, recall_id, dead, ContactOutcome.DECEASED, at=at)
    tell(bench, recall_id, tried, ContactOutcome.NOT_REACHED, at=at)
    page = text(signed_in_client(Role.PRACTITIONER), f"/recalls/{recall_id}")
    assert "1 of 3" in page
    assert "1 told, 1 deceased, 1 tried and not told" in page


def test_today_says_who_is_to_be_told(bench: Bench, signed_in_client: SignIn, at: datetime) -> None:
    first, second = given_to(bench, "Ames", "Bly")
    recall_id = recall_of(bench, at=at)
    nurse = signed_in_client(Role.PRACTITIONER)
    tell(bench, recall_id, first, ContactOutcome.MESSAGE_LEFT, at=at)
    assert "2 patients to tell" in text(nurse, "/")
    assert f'href="/recalls/{recall_id}#patients"' in nurse.get("/").get_data(as_text=True)
    tell(bench, recall_id, first, ContactOutcome.TOLD, at=at)
    assert "1 patient to tell" in text(nurse, "/")
    assert "to tell" not in text(signed_in_client(Role.MANAGER), "/")
    tell(bench, recall_id, second, ContactOutcome.TOLD, at=at)
    assert "to tell" not in text(nurse, "/")


def test_a_drill_asks_nobody_to_be_told(bench: Bench, signed_in_client: SignIn, at: datetime) -> None:
    given_to(bench, "Ames")
    recall_of(bench, at=at, is_drill=True)
    assert "to tell" not in text(signed_in_client(Role.PRACTITIONER), "/")


def test_a_missing_container_is_still_to_be_found(
    bench: Bench, signed_in_client: SignIn, at: datetime
) -> None:
    missing(bench, 1, at=at)
    recall_id = recall_of(bench, at=at)
    assert "1 container is missing: find out where it went" in still_to_do(db.session(), recall_id)
    page = text(signed_in_client(Role.MANAGER), f"/recalls/{recall_id}")
    assert "1 container is missing: find out where it went" in page
    assert "1 mL missing" in page
    assert "3 mL 0 mL 0 doses" in page
    missing(bench, 1, at=at, direction=Direction.FOUND)
    assert not [said for said in still_to_do(db.session(), recall_id) if "missing" in said]


def test_what_is_missing_of_a_vial_is_told_and_overfill_hides_nothing(bench: Bench, at: datetime) -> None:
    product_id = make_multi_dose_product(overfill_limit_ul=1_000).id
    bench.lot = make_delivery(place=bench.place, product_id=product_id, containers=2)
    vial = make_open_vial(bench.lot, place=bench.place)
    for direction, reason, volume_ul in (
        (Direction.FOUND, AdjustReason.OVERFILL, 500),
        (Direction.MISSING, AdjustReason.MISSING, 200),
    ):
        adjust_vial(
            actor=SYSTEM_ACTOR,
            at=at,
            vial_id=vial.id,
            volume_ul=volume_ul,
            difference=Difference(direction, reason, "Measured"),
        )
    assert found.missing_stock(db.session(), [bench.lot.id]) == (0, 200)
    recall_id = recall_of(bench, at=at)
    assert "0.2 mL of opened vials is missing: find out where it went" in still_to_do(db.session(), recall_id)


def test_the_manager_is_told_who_issues_the_report(
    bench: Bench, signed_in_client: SignIn, at: datetime
) -> None:
    recall_id = recall_of(bench, at=at)
    said = "a practitioner or the auditor issues it on this page"
    assert said in text(signed_in_client(Role.MANAGER), f"/recalls/{recall_id}")
    assert said not in text(signed_in_client(Role.PRACTITIONER), f"/recalls/{recall_id}")
