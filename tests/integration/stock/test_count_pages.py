"""Counting in the browser: blind until handed in, nothing typed is lost, explained and posted, looked back at."""

import csv
import io
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from inventory.kernel.db import db
from inventory.kernel.permissions import SYSTEM_ACTOR, Role
from inventory.stock import services
from inventory.stock.ledger import Place
from inventory.stock.models import AdjustReason, CountOutcome, HoldKind, StockCount
from inventory.stock.services import Explanation, Tally
from tests.factories.catalogue import make_multi_dose_product, make_product
from tests.factories.clinic import make_site
from tests.factories.staff import PASSWORD, make_actor, make_user
from tests.factories.stock import balance_ul, make_delivery, make_open_vial, make_place
from tests.support.client import CheckingClient

SignIn = Callable[..., CheckingClient]


def text_of(answer: TestResponse) -> str:
    return answer.get_data(as_text=True)


def begin(client: CheckingClient, place: Place) -> str:
    """Begin a count by the page, and return the address of its sheet."""
    path = f"/stock/counts/new?location={place.location_id}"
    answer = client.submit(path)
    assert answer.status_code == 302, text_of(answer)
    return str(answer.headers["Location"])


def only_count() -> StockCount:
    db.session.rollback()
    return db.session.scalars(select(StockCount)).one()


def test_a_nurse_counts_one_short_and_posts_it(app: Flask, signed_in_client: SignIn, at: datetime) -> None:
    place, lot = make_place(), make_delivery(containers=25)
    nurse = signed_in_client(Role.PRACTITIONER)
    sheet = begin(nurse, place)
    answer = nurse.submit(sheet, {f"lot_{lot.id.hex}": "24"})
    page = text_of(nurse.get(answer.headers["Location"]))
    assert "1 container less" in page
    assert "To be explained" in page
    assert "not explained" in page
    path = f"/stock/counts/{only_count().id}/post"
    refused = nurse.submit(path, {"reason_1": "other"})
    assert (refused.status_code, "NOTE-NEEDED" in text_of(refused)) == (422, True)
    assert "Second person" not in text_of(refused)
    done = nurse.submit(path, {"reason_1": "missing", "note_1": "Looked twice"}, follow_redirects=True)
    assert "Missing, cause unknown: Looked twice" in text_of(done)
    assert balance_ul(lot) == 24_000
    life = text_of(nurse.get(f"/stock/lots/{lot.id}"))
    assert "Missing: 1 container, Cabinet: Missing, cause unknown" in life
    assert "Count 1: Looked twice" in life


def test_what_differs_stands_on_top(app: Flask, signed_in_client: SignIn, at: datetime) -> None:
    place = make_place()
    agrees, differs = (make_delivery(lot_number=number, containers=5) for number in ("A-1", "B-2"))
    nurse = signed_in_client(Role.PRACTITIONER)
    counted = {f"lot_{agrees.id.hex}": "5", f"lot_{differs.id.hex}": "4"}
    page = text_of(nurse.get(nurse.submit(begin(nurse, place), counted).headers["Location"]))
    assert page.index("Lot B-2") < page.index("Lot A-1")


def test_nothing_tells_how_much_there_should_be(app: Flask, signed_in_client: SignIn, at: datetime) -> None:
    place = make_place()
    lot = make_delivery(product_id=make_multi_dose_product().id, containers=78)
    vial = make_open_vial(lot)
    services.adjust_vial(
        actor=SYSTEM_ACTOR,
        at=at,
        vial_id=vial.id,
        volume_ul=3_217,
        difference=services.Difference(
            services.Direction.MISSING, AdjustReason.MISCOUNTED, "Weighed", make_actor(Role.MANAGER)
        ),
    )
    nurse = signed_in_client(Role.PRACTITIONER)
    sheet = begin(nurse, place)
    count = f"/stock/counts/{only_count().id}"
    form = nurse.form(sheet)
    pages = [nurse.get(sheet), nurse.get(count), nurse.get("/stock/counts"), nurse.get(f"{count}/abandon")]
    for typed in ({}, {"lot": "100001", "vial": "99"}, {"lot": "some", "vial": "-1"}):
        names = {"lot": f"lot_{lot.id.hex}", "vial": f"vial_{vial.id.hex}"}
        pages.append(nurse.send(sheet, form, {names[name]: value for name, value in typed.items()}))
        assert pages[-1].status_code == 422
    for answer in pages:
        shown = re.sub(r"[0-9a-f]{32}|[0-9a-f-]{36}|value=\"[^\"]{20,}\"", "", text_of(answer))
        shown = re.sub(r"datetime=\"[^\"]*\"|\?v=\w+", "", shown)
        assert not re.search(r"\b77\b|\b76,?\d{3}\b|6\.783|6783|770", shown), answer.request.path
    assert nurse.get(f"{count}/count.csv").status_code == 422
    assert nurse.get(f"{count}/post").status_code == 302


def test_an_empty_field_is_asked_for_and_the_rest_is_kept(
    app: Flask, signed_in_client: SignIn, at: datetime
) -> None:
    place, one = make_place(), make_delivery()
    other = make_delivery(product_id=one.product_id)
    nurse = signed_in_client(Role.PRACTITIONER)
    sheet = begin(nurse, place)
    answer = nurse.submit(sheet, {f"lot_{one.id.hex}": "31", "note": "Top shelf"})
    page = text_of(answer)
    assert answer.status_code == 422
    assert "Type 0 if nothing of it is there." in page
    assert 'value="31"' in page
    assert "Top shelf" in page
    assert f'href="#lot_{other.id.hex}"' in page


def test_a_lot_found_besides_is_listed_and_what_was_typed_stays(
    app: Flask, signed_in_client: SignIn, at: datetime
) -> None:
    cabinet, fridge = make_place(), make_place(location="Fridge")
    product = make_product(gtin="09506000134352")
    here = make_delivery(place=fridge, product_id=product.id, lot_number="HERE")
    stray = make_delivery(place=cabinet, product_id=product.id, lot_number="STRAY-7")
    nurse = signed_in_client(Role.PRACTITIONER)
    sheet = begin(nurse, fridge)
    form = nurse.form(sheet)
    typed = {f"lot_{here.id.hex}": "25", "step": "add"}
    unknown = nurse.send(sheet, form, typed | {"found": "NOBODY-HAS-THIS"})
    assert (unknown.status_code, "COUNT-LOT-UNKNOWN" in text_of(unknown)) == (422, True)
    assert 'value="NOBODY-HAS-THIS"' in text_of(unknown)
    for found in ("stray-7", "(01)09506000134352(10)STRAY-7"):
        answer = nurse.send(sheet, form, typed | {"found": found})
        page = text_of(answer)
        assert answer.status_code == 200, page
        assert f'id="lot_{stray.id.hex}"' in page
        assert 'value="25"' in page
        assert f'value="{stray.id.hex}"' in page
    listed = form.fields | {"also": [f"{stray.id.hex} damaged {stray.id}"]}
    data = {name: values[0] for name, values in listed.items()}
    data |= {f"lot_{here.id.hex}": "25", f"lot_{stray.id.hex}": "2"}
    answer = nurse.post(sheet, data=data, follow_redirects=True)
    assert "2 containers more" in text_of(answer)


def test_a_double_click_is_one_count(app: Flask, signed_in_client: SignIn, at: datetime) -> None:
    place, lot = make_place(), make_delivery()
    nurse = signed_in_client(Role.PRACTITIONER)
    sheet = begin(nurse, place)
    form = nurse.form(sheet)
    typed = {f"lot_{lot.id.hex}": "24"}
    nurse.send(sheet, form, typed)
    again = nurse.send(sheet, form, typed, follow_redirects=True)
    assert "recorded already" in text_of(again)
    path = f"/stock/counts/{only_count().id}/post"
    form = nurse.form(path)
    for _ in range(2):
        nurse.send(path, form, {"reason_1": "missing"})
    assert balance_ul(lot) == 24_000
    assert nurse.get(sheet).status_code == 302
    assert nurse.get(path).status_code == 302


def test_a_second_counter_keeps_what_they_typed(app: Flask, signed_in_client: SignIn, at: datetime) -> None:
    place, lot = make_place(), make_delivery()
    nurse, other = signed_in_client(Role.PRACTITIONER), signed_in_client(Role.PRACTITIONER)
    sheet = begin(nurse, place)
    form = other.form(sheet)
    nurse.submit(sheet, {f"lot_{lot.id.hex}": "24"})
    answer = other.send(sheet, form, {f"lot_{lot.id.hex}": "23"})
    assert (answer.status_code, "COUNT-HANDED-IN" in text_of(answer)) == (422, True)
    assert 'value="23"' in text_of(answer)


def test_above_the_threshold_a_manager_confirms(app: Flask, signed_in_client: SignIn, at: datetime) -> None:
    place, lot = make_place(), make_delivery()
    own = make_user(roles=Role.PRACTITIONER, username="nurse", password=PASSWORD)
    make_user(roles=Role.PRACTITIONER, username="colleague", password=PASSWORD)
    make_user(roles=Role.MANAGER, username="manager", display_name="Mira Manager", password=PASSWORD)
    nurse = signed_in_client(user=own)
    sheet = begin(nurse, place)
    nurse.submit(sheet, {f"lot_{lot.id.hex}": "20"})
    path = f"/stock/counts/{only_count().id}/post"
    for who, password, code in (
        ("", "", "COUNT-APPROVAL"),
        ("nurse", PASSWORD, "COUNT-APPROVER"),
        ("colleague", PASSWORD, "COUNT-APPROVER"),
        ("manager", "not theirs", "CONFIRM-WRONG"),
    ):
        typed = {"reason_1": "missing", "approver_username": who, "approver_password": password}
        answer = nurse.submit(path, typed)
        assert (answer.status_code, code in text_of(answer)) == (422, True), code
        assert '<option selected value="missing">' in text_of(answer)
    assert balance_ul(lot) == 25_000
    typed = {"reason_1": "missing", "approver_username": "manager", "approver_password": PASSWORD}
    answer = nurse.submit(path, typed, follow_redirects=True)
    assert "second person: Mira Manager" in text_of(answer)
    assert balance_ul(lot) == 20_000


def test_a_manager_who_did_not_count_is_not_asked_for_another(
    app: Flask, signed_in_client: SignIn, at: datetime
) -> None:
    place, lot = make_place(), make_delivery()
    nurse, manager = signed_in_client(Role.PRACTITIONER), signed_in_client(Role.MANAGER)
    nurse.submit(begin(nurse, place), {f"lot_{lot.id.hex}": "20"})
    path = f"/stock/counts/{only_count().id}"
    assert "Give up" not in text_of(nurse.get(path))
    assert "Give up" in text_of(manager.get(path))
    assert "approver_username" not in text_of(manager.get(f"{path}/post"))
    manager.submit(f"{path}/post", {"reason_1": "missing"})
    assert balance_ul(lot) == 20_000


def test_what_can_no_longer_be_posted_says_so_and_is_given_up(
    app: Flask, signed_in_client: SignIn, at: datetime
) -> None:
    place, lot = make_place(), make_delivery(containers=2)
    manager = signed_in_client(Role.MANAGER)
    manager.submit(begin(manager, place), {f"lot_{lot.id.hex}": "1"})
    why = services.Why(services.SEALED_REASONS[1])
    services.waste_sealed(actor=SYSTEM_ACTOR, at=at, lot_id=lot.id, place=place, containers=2, why=why)
    path = f"/stock/counts/{only_count().id}"
    answer = manager.submit(f"{path}/post", {"reason_1": "missing"})
    assert (answer.status_code, "COUNT-STALE" in text_of(answer)) == (422, True)
    page = text_of(manager.submit(f"{path}/abandon", {"reason": "Counted anew"}, follow_redirects=True))
    assert "Given up" in page
    assert only_count().outcome == CountOutcome.ABANDONED


def test_the_history_says_how_often_and_how_long_ago(
    app: Flask, signed_in_client: SignIn, at: datetime, at_instant: Callable[[datetime], None]
) -> None:
    place = make_place()
    make_place(location="Fridge")
    lot = make_delivery(containers=10)
    other = make_delivery(containers=10, product_id=lot.product_id)
    started = services.start_count(
        actor=SYSTEM_ACTOR, at=at, site_id=place.site_id, location_id=place.location_id
    ).subject_id
    tally = Tally({lot.id: 9, other.id: 10})
    services.hand_in_count(actor=SYSTEM_ACTOR, at=at, count_id=started, tally=tally)
    why = {1: Explanation(AdjustReason.MISSING)}
    services.post_count(actor=SYSTEM_ACTOR, at=at, count_id=started, explanations=why)
    at_instant(at + timedelta(days=12))
    auditor = signed_in_client(Role.AUDITOR)
    page = text_of(auditor.get("/stock/counts"))
    for said in ("12 days ago", "never", "50.0%", "5.3%", "Count 1", "Posted"):
        assert said in page, said
    assert "Count a location" not in page
    earlier = text_of(auditor.get("/stock/counts?last_day=2026-03-15"))
    assert "50.0%" not in earlier
    later = text_of(auditor.get("/stock/counts?first_day=2026-03-17"))
    assert "50.0%" not in later
    assert auditor.get("/stock/counts?first_day=soon").status_code == 422
    assert auditor.get("/stock/counts?last_day=9999-12-31").status_code == 422
    answer = auditor.get(f"/stock/counts/{started}/count.csv")
    rows = list(csv.DictReader(io.StringIO(answer.get_data().decode("utf-8-sig"))))
    assert [(row["counted_containers"], row["difference_ml"], row["reason"]) for row in rows] == [
        ("9", "-1", "missing"),
        ("10", "0", ""),
    ]
    assert "count-MAIN-1.csv" in answer.headers["Content-Disposition"]


@pytest.mark.parametrize("path", ["", "/sheet", "/post", "/abandon", "/count.csv"])
def test_a_count_of_another_site_is_not_seen(
    app: Flask, signed_in_client: SignIn, at: datetime, path: str
) -> None:
    make_site("MAIN")
    place = make_place(code="NORTH")
    count_id: UUID = services.start_count(
        actor=SYSTEM_ACTOR, at=at, site_id=place.site_id, location_id=place.location_id
    ).subject_id
    nurse = signed_in_client(Role.PRACTITIONER)
    assert nurse.get(f"/stock/counts/{count_id}{path}").status_code == 404


def test_who_may_count(app: Flask, signed_in_client: SignIn, at: datetime) -> None:
    place = make_place()
    auditor = signed_in_client(Role.AUDITOR)
    assert auditor.get("/stock/counts/new").status_code == 403
    nurse = signed_in_client(Role.PRACTITIONER)
    sheet = begin(nurse, place)
    assert auditor.get(sheet).status_code == 403
    again = nurse.submit(f"/stock/counts/new?location={place.location_id}")
    assert (again.status_code, "COUNT-OPEN-ALREADY" in text_of(again)) == (422, True)
    empty = nurse.submit(sheet, follow_redirects=True)
    assert "0 lines, and all agree" in text_of(empty)


def test_what_is_found_of_a_held_lot_is_said_to_be_held(
    app: Flask, signed_in_client: SignIn, at: datetime
) -> None:
    lot, place = make_delivery(), make_place(location="Drawer")
    services.hold_lot(
        actor=SYSTEM_ACTOR,
        at=at,
        lot_id=lot.id,
        kind=HoldKind.HOLD,
        reason="Doubtful",
        location_id=make_place().location_id,
    )
    manager, told = signed_in_client(Role.MANAGER), "What was found is on hold"
    typed = {"reason": "found", "note": "In the drawer", "direction": "found", "containers": "1"}
    found = {**typed, "location": str(place.location_id)}
    answer = manager.submit(f"/stock/lots/{lot.id}/adjust", found, follow_redirects=True)
    assert told in text_of(answer)
    shelf = make_place(location="Shelf")
    counter = signed_in_client(Role.PRACTITIONER)
    begin(counter, shelf)
    started = only_count().id
    nurse = make_actor(Role.PRACTITIONER)
    services.hand_in_count(actor=nurse, at=at, count_id=started, tally=Tally({lot.id: 1}))
    answer = manager.submit(f"/stock/counts/{started}/post", {"reason_1": "found"}, follow_redirects=True)
    assert told in text_of(answer)
