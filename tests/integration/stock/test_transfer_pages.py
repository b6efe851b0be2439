"""The pages of transfers: send, receive with a difference, cancel, and where what is on its way is shown."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from inventory.kernel import clock
from inventory.kernel.db import db
from inventory.kernel.permissions import SYSTEM_ACTOR, Role
from inventory.staff.services import set_sites
from inventory.stock.ledger import Place
from inventory.stock.models import Lot, Transfer, TransferDifference, TransferReceipt, Vial
from tests.factories.catalogue import make_multi_dose_product
from tests.factories.staff import make_user
from tests.factories.stock import make_delivery, make_open_vial, make_place
from tests.factories.transfers import make_arrival, make_transfer
from tests.support.client import CheckingClient

SignIn = Callable[..., CheckingClient]


@pytest.fixture
def here(app: Flask, at: datetime) -> Place:
    return make_place()


@pytest.fixture
def there(here: Place) -> Place:
    return make_place(code="NORTH", location="North fridge")


@pytest.fixture
def lot(here: Place) -> Lot:
    return make_delivery(
        place=here, product_id=make_multi_dose_product().id, containers=5, lot_number="SENT01"
    )


@pytest.fixture
def vial(lot: Lot, here: Place) -> Vial:
    return make_open_vial(lot, place=here)


@pytest.fixture
def nurse(vial: Vial, there: Place, signed_in_client: SignIn) -> CheckingClient:
    """A practitioner at the first site, which has four sealed containers and an open vial."""
    return signed_in_client(Role.PRACTITIONER)


def target(place: Place) -> str:
    return f"{place.site_id}/{place.location_id}"


def text_of(client: CheckingClient, path: str) -> str:
    return client.get(path).get_data(as_text=True)


def at_north(client: CheckingClient, there: Place) -> CheckingClient:
    assert client.submit("/site", {"site": str(there.site_id)}).status_code == 302
    return client


def only_transfer() -> Transfer:
    db.session.rollback()
    return db.session.scalars(select(Transfer)).one()


def test_sends_containers_and_a_vial_and_receives_them(
    nurse: CheckingClient, lot: Lot, vial: Vial, here: Place, there: Place
) -> None:
    assert "first: where" in text_of(nurse, "/stock/transfers/new").lower()
    path = f"/stock/transfers/new?source={here.location_id}"
    typed = {
        "target": target(there),
        f"lot_{lot.id.hex}": "3",
        "vials": [str(vial.id)],
        "note": "In the blue box",
    }
    answer = nurse.submit(path, typed, having="target")
    assert answer.status_code == 302
    page = text_of(nurse, answer.headers["Location"])
    assert "MAIN-000001" in page
    assert "3 containers" in page
    assert "In the blue box" in page
    assert "on its way to North fridge" in text_of(nurse, f"/stock/vials/{vial.id}")
    assert "On its way to North fridge" in text_of(nurse, f"/stock/lots/{lot.id}")
    at_north(nurse, there)
    assert "1 transfer on the way to here" in text_of(nurse, "/stock/")
    assert "MAIN-000001" in text_of(nurse, "/")
    receive = f"/stock/transfers/{only_transfer().id}/receive"
    blank = nurse.form(receive)
    assert blank.fields["came_1"] == [""]
    came = {"came_1": "2", "difference_1": "broken", "note_1": "Dropped", "came_2": "1"}
    assert nurse.submit(receive, came, having="came_1").status_code == 302
    ended = text_of(nurse, f"/stock/transfers/{only_transfer().id}")
    assert "Broken on the way" in ended
    assert "Received at North fridge" in ended
    life = text_of(nurse, f"/stock/lots/{lot.id}")
    for words in ("Sent from Cabinet to North fridge", "Arrived in North fridge", "Transfer MAIN-000001"):
        assert words in life
    assert nurse.get(receive).status_code == 302


@pytest.mark.parametrize(
    "typed, code",
    [
        ({"came_1": "4"}, "TRANSFER-MORE-THAN-SENT"),
        ({"came_1": "2"}, "TRANSFER-DIFFERENCE"),
        ({"came_1": "3", "difference_1": "lost"}, "TRANSFER-DIFFERENCE"),
        ({"came_1": ""}, "FIELD-REQUIRED"),
        ({"came_1": "three"}, "NUMBER-INVALID"),
    ],
)
def test_an_arrival_that_does_not_add_up_is_shown_again(
    nurse: CheckingClient, lot: Lot, here: Place, there: Place, *, typed: dict[str, str], code: str
) -> None:
    transfer_id = make_transfer(here, there, lot=lot, containers=3)
    answer = nurse.submit(
        f"/stock/transfers/{transfer_id}/receive", {"note": "Kept", **typed}, having="came_1"
    )
    assert answer.status_code == 422
    page = answer.get_data(as_text=True)
    assert code in page
    assert "Kept" in page
    assert db.session.scalar(select(TransferReceipt.transfer_id)) is None


@pytest.mark.parametrize(
    "containers, code", [("", "TRANSFER-EMPTY"), ("5", "STOCK-SHORT"), ("-1", "NUMBER-INVALID")]
)
def test_what_cannot_be_sent_is_shown_again(
    nurse: CheckingClient, lot: Lot, here: Place, there: Place, *, containers: str, code: str
) -> None:
    path = f"/stock/transfers/new?source={here.location_id}"
    typed = {"target": target(there), f"lot_{lot.id.hex}": containers, "note": "Kept"}
    answer = nurse.submit(path, typed, having="target")
    assert answer.status_code == 422
    page = answer.get_data(as_text=True)
    assert code in page
    assert "Kept" in page


def test_carries_stock_over_within_the_site_in_one_step(nurse: CheckingClient, lot: Lot, here: Place) -> None:
    fridge = make_place(location="Fridge")
    path = f"/stock/transfers/new?source={here.location_id}"
    typed = {"target": target(fridge), f"lot_{lot.id.hex}": "4", "is_there": "y"}
    answer = nurse.submit(path, typed, having="target")
    assert answer.status_code == 302
    assert "Received at Fridge" in text_of(nurse, answer.headers["Location"])


def test_a_transfer_is_cancelled_with_a_reason(
    nurse: CheckingClient, lot: Lot, here: Place, there: Place
) -> None:
    transfer_id = make_transfer(here, there, lot=lot)
    path = f"/stock/transfers/{transfer_id}/cancel"
    early = nurse.form(path, having="reason")
    assert nurse.submit(path, {"reason": ""}, having="reason").status_code == 422
    assert nurse.submit(path, {"reason": "The courier never came"}, having="reason").status_code == 302
    assert "Nothing arrived" in text_of(nurse, "/stock/transfers")
    over = nurse.get(path, follow_redirects=True)
    assert "This transfer has ended already." in over.get_data(as_text=True)
    assert over.request.path == f"/stock/transfers/{transfer_id}"
    again = nurse.send(path, early, {"reason": "Again"})
    assert (again.status_code, "TRANSFER-RECEIVED" in again.get_data(as_text=True)) == (422, True)


def test_only_who_sent_it_is_asked_to_cancel_and_who_gets_it_to_receive(
    lot: Lot, here: Place, there: Place, signed_in_client: SignIn
) -> None:
    path = f"/stock/transfers/{make_transfer(here, there, lot=lot)}"
    for place, may, may_not in ((here, "cancel", "receive"), (there, "receive", "cancel")):
        limited = make_user(roles=Role.PRACTITIONER)
        set_sites(actor=SYSTEM_ACTOR, at=limited.created_at, user_id=limited.id, site_ids=[place.site_id])
        client = signed_in_client(user=limited)
        assert client.get(f"{path}/{may}").status_code == 200
        refused = client.get(f"{path}/{may_not}")
        assert (refused.status_code, "SITE-NOT-YOURS" in refused.get_data(as_text=True)) == (403, True)


def test_a_lot_that_is_all_on_its_way_or_elsewhere_is_not_used_up(
    lot: Lot, here: Place, there: Place, signed_in_client: SignIn
) -> None:
    transfer_id = make_transfer(here, there, lot=lot, containers=5)
    client = signed_in_client(Role.MANAGER)
    for path in (f"/stock/lots/{lot.id}", "/stock/lots"):
        assert "Used up" not in text_of(client, path)
    make_arrival(transfer_id, 5)
    limited = make_user(roles=Role.MANAGER)
    set_sites(actor=SYSTEM_ACTOR, at=limited.created_at, user_id=limited.id, site_ids=[here.site_id])
    page = text_of(signed_in_client(user=limited), f"/stock/lots/{lot.id}")
    assert "Used up" not in page
    assert "Arrived in" not in page


def test_a_double_click_sends_once(nurse: CheckingClient, lot: Lot, here: Place, there: Place) -> None:
    path = f"/stock/transfers/new?source={here.location_id}"
    form = nurse.form(path, having="target")
    for _ in range(2):
        nurse.send(path, form, {"target": target(there), f"lot_{lot.id.hex}": "1"})
    only_transfer()


def test_what_was_sent_a_week_ago_asks_for_attention(
    lot: Lot, here: Place, there: Place, at: datetime, *, signed_in_client: SignIn
) -> None:
    transfer_id = make_transfer(here, there, lot=lot)
    assert "Not received for a week" not in text_of(signed_in_client(Role.PRACTITIONER), "/")
    with clock.frozen(at + timedelta(days=8)):
        client = signed_in_client(Role.PRACTITIONER)
        for path in ("/", "/stock/transfers", f"/stock/transfers/{transfer_id}"):
            assert "a week" in text_of(client, path), path


def test_a_vial_that_was_lost_on_its_way_says_so(
    nurse: CheckingClient, vial: Vial, here: Place, there: Place
) -> None:
    make_arrival(make_transfer(here, there, vials=(vial,)), (0, TransferDifference.LOST))
    page = text_of(nurse, f"/stock/vials/{vial.id}")
    assert "Lost" in page
    assert "Discarded" in page


def test_an_auditor_reads_transfers_and_sends_none(
    vial: Vial, lot: Lot, here: Place, there: Place, signed_in_client: SignIn
) -> None:
    transfer_id = make_transfer(here, there, lot=lot)
    auditor = signed_in_client(Role.AUDITOR)
    assert auditor.get("/stock/transfers").status_code == 200
    assert "Receive</a>" not in text_of(auditor, f"/stock/transfers/{transfer_id}")
    assert auditor.get("/stock/transfers/new").status_code == 403
    assert auditor.get(f"/stock/transfers/{transfer_id}/receive").status_code == 403
