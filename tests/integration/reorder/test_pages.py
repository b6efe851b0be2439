"""What to order: only usable stock counts, and the menu says how much waits."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta

from flask import Flask

from inventory.catalogue import services as catalogue
from inventory.catalogue.models import Route
from inventory.kernel.db import db
from inventory.kernel.permissions import SYSTEM_ACTOR, Role
from inventory.reorder import queries, services
from inventory.reorder.queries import Level
from inventory.stock import services as stock
from inventory.stock.ledger import Place
from inventory.stock.models import HoldKind, WasteReason
from inventory.stock.services import Why
from tests.factories.catalogue import draft_of, make_multi_dose_product, make_product
from tests.factories.stock import make_delivery, make_open_vial, make_place
from tests.support.client import CheckingClient

SignIn = Callable[..., CheckingClient]


def level(place: Place, at: datetime) -> Level:
    return queries.levels(db.session(), site_id=place.site_id, on=at.date(), at=at)[0]


def due(place: Place, at: datetime) -> int:
    return queries.due_count(db.session(), site_id=place.site_id, on=at.date())


def set_levels(product_id: object, place: Place, at: datetime, point: int = 10, up_to: int = 60) -> None:
    services.set_levels(
        actor=SYSTEM_ACTOR,
        at=at,
        product_id=product_id,
        site_id=place.site_id,
        reorder_point=point,
        order_up_to=up_to,
    )


def test_the_order_is_rounded_up_to_whole_packs(app: Flask, signed_in_client: SignIn, at: datetime) -> None:
    place, product = make_place(), make_product(pack_size=25)
    make_delivery(product_id=product.id, containers=10)
    manager = signed_in_client(Role.MANAGER)
    wrong = manager.submit(f"/reorder/products/{product.id}", {"reorder_point": "10", "order_up_to": "10"})
    assert "LEVELS-INVALID" in wrong.get_data(as_text=True)
    page = manager.submit(
        f"/reorder/products/{product.id}", {"reorder_point": "10", "order_up_to": "60"}, follow_redirects=True
    ).get_data(as_text=True)
    assert "2 packs of 25" in page
    assert "Order now" in page
    assert due(place, at) == 1
    make_delivery(product_id=product.id, containers=1)
    assert level(place, at).advice.words == "Enough"
    assert due(place, at) == 0


def test_only_expired_or_held_stock_is_a_stock_out(app: Flask, at: datetime) -> None:
    place, product = make_place(), make_product(pack_size=25)
    set_levels(product.id, place, at)
    make_delivery(product_id=product.id, expires_on=at.date() - timedelta(days=1), hold_expired=True)
    held = make_delivery(product_id=product.id)
    assert due(place, at) == 0
    stock.hold_lot(
        actor=SYSTEM_ACTOR,
        at=at,
        lot_id=held.id,
        kind=HoldKind.RECALL,
        reason="Letter",
        location_id=place.location_id,
    )
    found = level(place, at)
    assert (found.usable, found.unusable) == (0, 50)
    assert (found.advice.words, found.advice.note) == ("Stock-out", "What is here has expired or is on hold.")
    assert found.advice.order == 75
    assert due(place, at) == 1


def test_what_is_not_for_injection_is_neither_usable_nor_ordered(app: Flask, at: datetime) -> None:
    place, product = make_place(), make_product(routes=frozenset({Route.IV}))
    set_levels(product.id, place, at)
    make_delivery(product_id=product.id, containers=5)
    found = level(place, at)
    assert (found.usable, found.unusable, found.open_ul) == (0, 0, 0)
    assert (found.advice.words, found.advice.order) == ("Not for injection here", 0)
    assert due(place, at) == 0


def test_stock_outs_come_first_and_only_what_has_levels_is_counted(
    app: Flask, signed_in_client: SignIn, at: datetime
) -> None:
    place, yesterday = make_place(), at.date() - timedelta(days=1)
    low, out, bare = (make_product(name=name) for name in ("Alow", "Bout", "Cbare"))
    make_product(name="Dnone")
    make_delivery(product_id=low.id, containers=1)
    make_delivery(product_id=bare.id, expires_on=yesterday, hold_expired=True)
    set_levels(low.id, place, at)
    set_levels(out.id, place, at)
    manager = signed_in_client(Role.MANAGER)
    page = manager.get("/reorder/").get_data(as_text=True)
    assert page.index("Bout") < page.index("Cbare") < page.index("Alow") < page.index("Dnone")
    assert due(place, at) == 2
    today = " ".join(manager.get("/").get_data(as_text=True).split())
    assert re.search(r">2</[a-z]+> ?<[^>]+>to order<", today)
    card = today.split('id="order"')[1]
    assert card.index("Cbare") < card.index("Set levels")
    assert f"/reorder/products/{bare.id}" in card
    assert "Dnone" not in card


def test_stock_of_another_site_does_not_count(app: Flask, at: datetime) -> None:
    place, product = make_place(), make_product()
    make_delivery(product_id=product.id, place=make_place(code="OTHER"))
    set_levels(product.id, place, at)
    assert level(place, at).usable == 0
    assert due(place, at) == 1


def test_open_vials_are_shown_apart_and_only_while_usable(app: Flask, at: datetime) -> None:
    place, product = make_place(), make_multi_dose_product()
    lot = make_delivery(product_id=product.id, containers=2)
    vial = make_open_vial(lot)
    found = level(place, at)
    assert (found.usable, found.open_ul) == (1, 10_000)
    assert level(place, at + timedelta(days=29)).open_ul == 0
    stock.hold_lot(
        actor=SYSTEM_ACTOR, at=at, lot_id=lot.id, kind=HoldKind.HOLD, reason="Cracked", vial_id=vial.id
    )
    assert (level(place, at).usable, level(place, at).open_ul) == (1, 0)


def test_stock_of_an_earlier_version_counts_for_the_newer(app: Flask, at: datetime) -> None:
    place, product = make_place(), make_product(name="Versioned")
    make_delivery(product_id=product.id, containers=10)
    set_levels(product.id, place, at, point=9)
    draft = draft_of(product.formulation_id, name="Versioned", strength_ng=2_000_000)
    newer = catalogue.new_product_version(actor=SYSTEM_ACTOR, at=at, product_id=product.id, draft=draft)
    found = level(place, at)
    assert (found.product.id, found.usable) == (newer.subject_id, 10)
    assert found.advice.words == "Enough"
    stock.waste_sealed(
        actor=SYSTEM_ACTOR,
        at=at,
        lot_id=make_delivery(product_id=newer.subject_id, containers=1).id,
        place=place,
        containers=1,
        why=Why(WasteReason.BROKEN),
    )
    set_levels(newer.subject_id, place, at, point=10)
    assert due(place, at) == 1


def test_the_menu_counts_what_is_due(app: Flask, signed_in_client: SignIn, at: datetime) -> None:
    place, product = make_place(), make_product()
    set_levels(product.id, place, at)
    page = signed_in_client(Role.MANAGER).get("/reorder/").get_data(as_text=True)
    assert "menu-badge" in page
    assert signed_in_client(Role.PRACTITIONER).get("/reorder/").status_code == 403
