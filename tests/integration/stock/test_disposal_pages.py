"""The pages of returns and destruction, without a script: what is offered, what is refused and kept, what is seen after."""

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select

from inventory.clinic.models import Location
from inventory.kernel.db import db
from inventory.kernel.permissions import SYSTEM_ACTOR, Role
from inventory.stock import services
from inventory.stock.models import Account, AccountKind, Disposal, HoldKind, Lot, Vial, WasteReason
from tests.factories.catalogue import make_multi_dose_product, make_supplier
from tests.factories.staff import PASSWORD, make_user
from tests.factories.stock import balance_ul, make_delivery, make_open_vial, make_place
from tests.support.client import CheckingClient, pick_form

SignIn = Callable[..., CheckingClient]
RETURN, DESTROY = "/stock/disposals/new/return", "/stock/disposals/new/destruction"


def row(lot: Lot, vial: Vial | None = None) -> int:
    """The account whose row of the form this is."""
    mine = Account.vial_id == vial.id if vial else Account.kind == AccountKind.SHELF
    return int(db.session.scalars(select(Account.id).where(Account.lot_id == lot.id, mine)).one())


def expired(at: datetime, **more: object) -> Lot:
    yesterday = at.date() - timedelta(days=1)
    return make_delivery(expires_on=yesterday, hold_expired=True, **more)  # type: ignore[arg-type]


def test_the_manager_returns_recalled_stock(app: Flask, signed_in_client: SignIn, at: datetime) -> None:
    make_delivery(lot_number="FINE", expires_on=at.date() + timedelta(days=20))
    lot = make_delivery(product_id=make_multi_dose_product().id, containers=5, lot_number="RECALLED")
    vial = make_open_vial(lot)
    services.hold_lot(actor=SYSTEM_ACTOR, at=at, lot_id=lot.id, kind=HoldKind.RECALL, reason="Letter")
    supplier = make_supplier()
    manager = signed_in_client(Role.MANAGER)
    page = manager.get(RETURN).get_data(as_text=True)
    assert "RECALLED" in page
    assert "FINE" not in page
    everything = manager.get(f"{RETURN}?what=all").get_data(as_text=True)
    assert everything.index("RECALLED") < everything.index("FINE")
    typed = {
        f"take_{row(lot)}": "3",
        f"take_{row(lot, vial)}": "y",
        "supplier": str(supplier),
        "document_number": "RN 17",
        "carrier": "Invented Couriers",
    }
    done = manager.submit(RETURN, typed, follow_redirects=True).get_data(as_text=True)
    assert "The document is recorded." in done
    assert "Return 1" in done
    assert "Invented Wholesale" in done
    assert "3 containers" in done
    assert balance_ul(lot, AccountKind.RETURNED) == 40_000
    life = manager.get(f"/stock/lots/{lot.id}").get_data(as_text=True)
    assert "Returned 3 containers" in life
    assert "RN 17" in life
    assert "RN 17" in manager.get("/stock/disposals").get_data(as_text=True)
    assert "RN 17" not in manager.get("/stock/disposals?kind=destruction").get_data(as_text=True)


def test_a_destruction_is_confirmed_by_its_witness(
    app: Flask, signed_in_client: SignIn, at: datetime
) -> None:
    lot = expired(at)
    make_user(username="nurse", display_name="Nora Nurse", password=PASSWORD)
    manager = signed_in_client(Role.MANAGER)
    typed = {f"take_{row(lot)}": "25", "document_number": "DR 4"}
    refused = manager.submit(DESTROY, typed)
    assert refused.status_code == 422
    assert "WITNESS-NEEDED" in refused.get_data(as_text=True)
    wrong = manager.submit(DESTROY, {**typed, "witness_username": "nurse", "witness_password": "no"})
    assert "CONFIRM-WRONG" in wrong.get_data(as_text=True)
    right = {**typed, "witness_username": "nurse", "witness_password": PASSWORD}
    done = manager.submit(DESTROY, right, follow_redirects=True).get_data(as_text=True)
    assert "Nora Nurse" in done
    assert balance_ul(lot) == 0
    life = manager.get(f"/stock/lots/{lot.id}").get_data(as_text=True)
    assert "Destroyed 25 containers" in life
    assert "DR 4" in life


@pytest.mark.parametrize(
    "typed, code",
    [
        ({"document_number": ""}, "FIELD-REQUIRED"),
        ({"take": ""}, "DISPOSAL-EMPTY"),
        ({"take": "26"}, "STOCK-SHORT"),
        ({"take": "0"}, "VALUE-RANGE"),
        ({"take": "1.5"}, "NUMBER-INVALID"),
        ({"why": ""}, "WASTE-REASON"),
        ({"why": "other"}, "NOTE-NEEDED"),
        ({"supplier": ""}, "DISPOSAL-SUPPLIER"),
        ({"disposed_at": "2026-03-16T10:00"}, "TIME-FUTURE"),
        ({"disposed_at": "2026-03-15T09:00"}, "STOCK-SHORT-THEN"),
    ],
)
def test_a_bad_document_is_refused_and_kept(
    app: Flask, signed_in_client: SignIn, at: datetime, typed: dict[str, str], code: str
) -> None:
    lot = expired(at)
    good = {
        "take": "3",
        "why": "expired",
        "supplier": str(make_supplier()),
        "document_number": "RN 1",
        "carrier": "Kept Couriers",
    }
    sent = {**good, **typed}
    sent = {
        (f"{name}_{row(lot)}" if name in {"take", "why"} else name): value for name, value in sent.items()
    }
    answer = signed_in_client(Role.MANAGER).submit(RETURN, sent)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert code in page
    assert "Kept Couriers" in page
    assert balance_ul(lot) == 25_000
    db.session.rollback()
    assert db.session.scalars(select(Disposal)).all() == []


def test_what_went_meanwhile_is_not_silently_left_out(
    app: Flask, signed_in_client: SignIn, at: datetime
) -> None:
    lot, other = expired(at), expired(at)
    manager = signed_in_client(Role.MANAGER)
    form = manager.form(RETURN)
    typed = {
        f"take_{row(lot)}": "3",
        f"take_{row(other)}": "25",
        "supplier": "",
        "document_number": "RN 1",
    }
    services.waste_sealed(
        actor=SYSTEM_ACTOR,
        at=at,
        lot_id=other.id,
        place=make_place(),
        containers=25,
        why=services.Why(WasteReason.BROKEN),
    )
    answer = manager.send(RETURN, form, typed)
    assert answer.status_code == 422
    assert "CHOICE-INVALID" in answer.get_data(as_text=True)
    assert balance_ul(lot) == 25_000


def test_a_document_recorded_wrongly_is_reversed_on_its_page(
    app: Flask, signed_in_client: SignIn, at: datetime
) -> None:
    lot = expired(at)
    manager = signed_in_client(Role.MANAGER)
    typed = {f"take_{row(lot)}": "3", "supplier": str(make_supplier()), "document_number": "RN 1"}
    page = manager.submit(RETURN, typed, follow_redirects=True)
    path = page.request.path
    assert f"{path}/reverse" in page.get_data(as_text=True)
    early = manager.form(f"{path}/reverse", having="reason")
    done = manager.submit(f"{path}/reverse", {"reason": "Never left"}, follow_redirects=True)
    text = done.get_data(as_text=True)
    assert "Never left" in text
    assert f"{path}/reverse" not in text
    over = manager.get(f"{path}/reverse", follow_redirects=True)
    assert "This document cannot be reversed." in over.get_data(as_text=True)
    again = manager.send(f"{path}/reverse", early, {"reason": "Twice"})
    assert "ALREADY-REVERSED" in again.get_data(as_text=True)
    assert balance_ul(lot) == 25_000
    assert "Reversed" in manager.get("/stock/disposals").get_data(as_text=True)


def test_only_this_sites_stock_is_offered(app: Flask, signed_in_client: SignIn, at: datetime) -> None:
    make_place()
    there = make_place(code="NORTH", location="Fridge N")
    expired(at, place=there, lot_number="FARAWAY")
    expired(at, lot_number="HERE", place=make_place(location="Second cabinet"))
    manager = signed_in_client(Role.MANAGER)
    page = manager.get(DESTROY).get_data(as_text=True)
    assert "HERE" in page
    assert "FARAWAY" not in page
    cabinet = db.session.scalars(select(Location.id).where(Location.name == "Cabinet")).one()
    assert isinstance(cabinet, UUID)
    assert "HERE" not in manager.get(f"{DESTROY}?location={cabinet}").get_data(as_text=True)
    assert "HERE" in manager.get(f"{DESTROY}?lot=he re").get_data(as_text=True)
    assert "CHOICE-INVALID" in manager.get(f"{DESTROY}?location=x").get_data(as_text=True)


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.PRACTITIONER])
def test_who_may_not_manage_only_looks(
    app: Flask, signed_in_client: SignIn, at: datetime, role: Role
) -> None:
    make_place()
    client = signed_in_client(role)
    assert client.get("/stock/disposals").status_code == 200
    assert client.get(RETURN).status_code == 403
    assert client.get("/stock/disposals/new/theft").status_code == 404


def test_an_expired_lots_page_leads_to_both(app: Flask, signed_in_client: SignIn, at: datetime) -> None:
    lot = expired(at, lot_number="OLD 1")
    make_delivery(lot_number="NEW 1")
    manager = signed_in_client(Role.MANAGER)
    for path in (f"/stock/lots/{lot.id}", "/stock/"):
        page = manager.get(path).get_data(as_text=True)
        assert f"{RETURN}?lot=OLD+1" in page
        assert f"{DESTROY}?lot=OLD+1" in page
        assert "lot=NEW+1" not in page
    assert RETURN not in signed_in_client(Role.PRACTITIONER).get("/stock/").get_data(as_text=True)


def test_a_return_to_another_supplier_or_with_a_used_number_is_looked_at_again(
    app: Flask, signed_in_client: SignIn, at: datetime
) -> None:
    first, other = make_supplier(), make_supplier("Other Wholesale")
    lot = expired(at, supplier_id=first)
    manager = signed_in_client(Role.MANAGER)
    address = f"{RETURN}?lot={lot.lot_number}"
    page = manager.get(address).get_data(as_text=True)
    assert f'<option value="{first}" selected>' in page or f'<option selected value="{first}">' in page
    assert "is_checked" not in page
    typed = {f"take_{row(lot)}": "2", "document_number": "RN 1", "supplier": str(other)}
    refused = manager.submit(address, typed)
    assert refused.status_code == 422
    told = refused.get_data(as_text=True)
    assert "DISPOSAL-OTHER-SUPPLIER" in told
    assert "from Invented Wholesale" in told
    done = manager.send(address, pick_form(refused), {"is_checked": "y"}, follow_redirects=True)
    assert "The document is recorded." in done.get_data(as_text=True)
    again = typed | {"supplier": str(first)}
    assert "The document is recorded." in manager.submit(address, again, follow_redirects=True).text
    assert "DISPOSAL-NUMBER-USED" in manager.submit(address, again).text
    assert balance_ul(lot, AccountKind.RETURNED) == 4 * lot.container_volume_ul
