"""A drill holds as a recall does, and nobody is told to get rid of good stock because of it."""

import csv
import io
import re
from collections.abc import Callable
from datetime import date, datetime

import pytest
from flask import Flask
from sqlalchemy import select

from inventory.kernel.db import db
from inventory.kernel.permissions import SYSTEM_ACTOR, Role
from inventory.stock.models import Hold, HoldKind, Recall, Vial
from inventory.stock.notices import NamedLot
from inventory.stock.services import hold_lot
from inventory.stock.services.recalls import Notice, open_recall, still_to_do
from tests.factories.catalogue import make_multi_dose_product
from tests.factories.doses import Bench
from tests.factories.stock import make_delivery, make_open_vial
from tests.support.client import CheckingClient

SignIn = Callable[..., CheckingClient]
OFFERS = ("Discard", "disposals/new", "Put it aside")


def drill(bench: Bench, *numbers: str, at: datetime, is_drill: bool = True) -> Recall:
    done = open_recall(
        actor=SYSTEM_ACTOR,
        at=at,
        site_id=bench.place.site_id,
        notice=Notice(title="Practice", reason="Once a year", is_drill=is_drill),
        named=[NamedLot(number) for number in numbers],
    )
    return db.session.get_one(Recall, done.subject_id)


@pytest.fixture
def bench(app: Flask, at: datetime) -> Bench:
    bench = Bench()
    product_id = make_multi_dose_product().id
    bench.lot = make_delivery(lot_number="DR1", place=bench.place, product_id=product_id, containers=3)
    make_open_vial(bench.lot, place=bench.place)
    return bench


def vial(bench: Bench) -> Vial:
    return db.session.scalars(select(Vial).where(Vial.lot_id == bench.lot.id)).one()


def text(client: CheckingClient, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    main = re.search(r"<main.*</main>", answer.get_data(as_text=True), re.DOTALL)
    assert main is not None
    return " ".join(main.group().split())


def pages(bench: Bench) -> list[str]:
    return ["/", "/stock/", f"/stock/lots/{bench.lot.id}", f"/stock/vials/{vial(bench).id}"]


def test_every_page_says_that_it_is_a_drill_and_offers_no_way_out(
    bench: Bench, signed_in_client: SignIn, at: datetime
) -> None:
    drill(bench, "DR1", at=at)
    client = signed_in_client(Role.PRACTITIONER, Role.MANAGER)
    for path in pages(bench):
        page = text(client, path)
        assert "Recalled (drill)" in page, path
        assert not [words for words in OFFERS if words in page], path
    assert "Recalled (drill)" in text(client, "/stock/lots")
    assert "To discard today" not in text(client, "/")
    assert "Must not be given" in text(client, "/")
    assert "DR1" not in text(client, "/stock/disposals/new/return")
    hold = db.session.scalars(select(Hold)).one()
    assert "Recalled (drill), everywhere" in text(client, f"/stock/holds/{hold.id}/release")


def test_a_real_recall_beside_a_drill_is_shown_as_such(
    bench: Bench, signed_in_client: SignIn, at: datetime
) -> None:
    drill(bench, "DR1", at=at)
    drill(bench, "DR1", at=at, is_drill=False)
    client = signed_in_client(Role.PRACTITIONER, Role.MANAGER)
    assert "To discard today" in text(client, "/")
    assert "disposals/new/return" in text(client, "/stock/")


def test_what_is_past_its_day_is_discarded_whatever_is_practised(
    bench: Bench, signed_in_client: SignIn, at: datetime, at_instant: Callable[[datetime], None]
) -> None:
    drill(bench, "DR1", at=at)
    at_instant(at.replace(year=at.year + 1, day=1))
    page = text(signed_in_client(Role.PRACTITIONER), f"/stock/vials/{vial(bench).id}")
    assert "Discard: past its use-by" in page


def test_a_hold_of_another_kind_beside_a_drill_is_worded(
    bench: Bench, signed_in_client: SignIn, at: datetime
) -> None:
    drill(bench, "DR1", at=at)
    hold_lot(actor=SYSTEM_ACTOR, at=at, lot_id=bench.lot.id, kind=HoldKind.TEMPERATURE, reason="Warm")
    assert "On hold: temperature" in text(signed_in_client(Role.MANAGER), "/stock/")


def test_its_stock_is_to_be_released_not_destroyed(bench: Bench, at: datetime) -> None:
    recall = drill(bench, "DR1", at=at)
    (said,) = still_to_do(db.session(), recall.id)
    assert (
        said == "2 sealed containers and 1 open vial of its lots must be released now that the drill is over"
    )


def test_its_letters_say_drill(bench: Bench, signed_in_client: SignIn, at: datetime) -> None:
    lot = make_delivery(lot_number="DR2", place=bench.place, expires_on=date(2027, 8, 31))
    bench.give(bench.request(lot=lot))
    recall = drill(bench, "DR2", at=at)
    answer = signed_in_client(Role.PRACTITIONER).get(f"/recalls/{recall.id}/patients.csv")
    assert "DRILL-recall-MAIN-R001.csv" in answer.headers["Content-Disposition"]
    (row,) = csv.DictReader(io.StringIO(answer.get_data(as_text=True).lstrip("\ufeff")))
    assert row["drill"] == "DRILL: an exercise, not a real recall"
