"""The catalogue as the manager keeps it, on both databases."""

from collections.abc import Callable
from datetime import datetime

import pytest
from flask import Flask
from sqlalchemy import select

from inventory.catalogue.models import Formulation, Product, ProductIngredient, Supplier
from inventory.kernel.db import db
from inventory.kernel.permissions import Role
from tests.factories.catalogue import make_formulation, make_product, make_supplier
from tests.factories.stock import make_delivery, make_place
from tests.support.client import CheckingClient

SignIn = Callable[..., CheckingClient]
LABEL = {
    "name": "Cyanocobalamin Injection",
    "maker": "Invented Makers",
    "strength": "1,000",
    "strength_per": "1",
    "container_type": "multi_dose",
    "container_volume": "10",
    "pack_size": "10",
    "routes": ["IM", "SC"],
    "in_use_days": "28",
    "default_dose": "1000",
    "gtin": "00301439620105",
    "ndc10": "0143-9620-10",
    "ndc11": "00143-9620-10",
    "storage_min": "20",
    "storage_max": "25",
}


def only_product() -> Product:
    return db.session.scalars(select(Product)).one()


def test_a_product_is_added_with_everything_on_its_label(
    app: Flask, signed_in_client: SignIn, at: datetime
) -> None:
    folate = make_formulation(name="Folic acid")
    substance = db.session.scalars(select(Formulation.substance_id).where(Formulation.id == folate)).one()
    manager = signed_in_client(Role.MANAGER)
    typed = {**LABEL, "formulation": str(make_formulation()), "substance_1": str(substance)}
    page = manager.submit(
        "/catalogue/products/new", {**typed, "amount_1": "500", "per_1": "1"}, follow_redirects=True
    ).get_data(as_text=True)
    product = only_product()
    assert (product.strength_ng, product.strength_ul, product.container_volume_ul) == (
        1_000_000,
        1_000,
        10_000,
    )
    assert (product.gtin, product.ndc10, product.ndc11) == (
        "00301439620105",
        "0143-9620-10",
        "00143-9620-10",
    )
    assert (product.storage_min_decicelsius, product.storage_max_decicelsius) == (200, 250)
    assert db.session.scalars(select(ProductIngredient.strength_ng)).all() == [500_000]
    for words in ("folic acid, 500 mcg in 1 mL", "20 to 25 °C", "10 mL vial, multi-dose"):
        assert words in page


@pytest.mark.parametrize(
    "typed, code",
    [
        ({"gtin": "00301439620106"}, "GTIN-CHECK-DIGIT"),
        ({"gtin": "003014396201"}, "GTIN-CHECK-DIGIT"),
        ({"gtin": "0030143962010"}, "GTIN-CHECK-DIGIT"),
        ({"gtin": "abc"}, "GTIN-INVALID"),
        ({"ndc10": "143-9620-10"}, "NDC-INVALID"),
        ({"ndc11": "0143-9620-10"}, "NDC-INVALID"),
        ({"strength": "0"}, "STRENGTH-INVALID"),
        ({"default_dose": "10000.001"}, "DOSE-ABOVE-CONTAINER"),
        ({"storage_min": "26"}, "STORAGE-INVALID"),
        ({"routes": None}, "FIELD-REQUIRED"),
        ({"pack_size": "0"}, "VALUE-RANGE"),
    ],
)
def test_a_label_that_cannot_be_is_refused(
    app: Flask, signed_in_client: SignIn, at: datetime, typed: dict[str, str], code: str
) -> None:
    manager = signed_in_client(Role.MANAGER)
    good = {**LABEL, "formulation": str(make_formulation())}
    answer = manager.submit("/catalogue/products/new", {**good, **typed})
    assert answer.status_code == 422
    assert code in answer.get_data(as_text=True)
    assert db.session.scalars(select(Product)).all() == []


def test_a_product_is_edited_until_its_first_lot_freezes_it(
    app: Flask, signed_in_client: SignIn, at: datetime
) -> None:
    product = make_product(name="Before")
    manager = signed_in_client(Role.MANAGER)
    path = f"/catalogue/products/{product.id}"
    stale = manager.form(f"{path}/edit")
    manager.submit(f"{path}/edit", {"name": "After", "strength": "500", "default_dose": "500"})
    db.session.expire_all()
    assert (only_product().name, only_product().strength_ng) == ("After", 500_000)
    late = manager.send(f"{path}/edit", stale, {"name": "Lost update"})
    assert "EDITED-MEANWHILE" in late.get_data(as_text=True)
    make_delivery(product_id=product.id)
    frozen = manager.submit(f"{path}/edit", {"strength": "1000"})
    assert frozen.status_code == 422
    assert "PRODUCT-FROZEN" in frozen.get_data(as_text=True)
    manager.submit(f"{path}/edit", {"maker": "Another maker"})
    newer = manager.submit(
        f"{path}/new-version", {"strength": "1000", "default_dose": "1000"}, follow_redirects=True
    ).get_data(as_text=True)
    assert "version 2" in newer
    old = manager.get(path).get_data(as_text=True)
    assert "There is a newer version" in old
    again = manager.submit(f"{path}/new-version", {"strength": "1000", "default_dose": "1000"})
    assert "PRODUCT-REPLACED" in again.get_data(as_text=True)


def test_a_retired_product_is_not_received(app: Flask, signed_in_client: SignIn, at: datetime) -> None:
    make_place()
    product = make_product(name="Going")
    manager = signed_in_client(Role.MANAGER)
    path = f"/catalogue/products/{product.id}"
    manager.submit(path, action=f"{path}/retire")
    assert "Going" not in manager.get("/catalogue/").get_data(as_text=True)
    assert "Going" in manager.get("/catalogue/?retired=retired").get_data(as_text=True)
    assert "Going" not in manager.get("/stock/receive").get_data(as_text=True)
    manager.submit(path, action=f"{path}/restore")
    assert "Going" in manager.get("/stock/receive").get_data(as_text=True)


def test_a_product_without_im_says_it_is_never_given(
    app: Flask, signed_in_client: SignIn, at: datetime
) -> None:
    kit = make_product(routes=frozenset({"IV"}))
    nurse = signed_in_client(Role.PRACTITIONER)
    assert "Never given here" in nurse.get(f"/catalogue/products/{kit.id}").get_data(as_text=True)
    assert "Never given here" in nurse.get("/catalogue/").get_data(as_text=True)
    assert nurse.get(f"/catalogue/products/{kit.id}/edit").status_code == 403


def test_formulations_and_suppliers_are_kept(app: Flask, signed_in_client: SignIn, at: datetime) -> None:
    manager = signed_in_client(Role.MANAGER)
    manager.submit(
        "/catalogue/formulations/new",
        {"name": "Methylcobalamin", "new_substance": "mecobalamin", "lebers_caution": "y"},
    )
    made = db.session.scalars(select(Formulation)).one()
    assert made.lebers_caution
    manager.submit(f"/catalogue/formulations/{made.id}/edit", {"refused": "y"})
    assert "Not used here" in manager.get("/catalogue/formulations").get_data(as_text=True)
    taken = manager.submit(
        "/catalogue/formulations/new", {"name": "Methylcobalamin", "substance": str(made.substance_id)}
    )
    assert "FORMULATION-NAME-TAKEN" in taken.get_data(as_text=True)
    needed = manager.submit("/catalogue/formulations/new", {"name": "Other"})
    assert "SUBSTANCE-NEEDED" in needed.get_data(as_text=True)
    supplier = make_supplier("Invented Wholesale")
    twice = manager.submit("/catalogue/suppliers/new", {"name": "invented wholesale"})
    assert "SUPPLIER-NAME-TAKEN" in twice.get_data(as_text=True)
    manager.submit(f"/catalogue/suppliers/{supplier}/edit", {"name": "Renamed"})
    assert db.session.scalars(select(Supplier.name)).all() == ["Renamed"]


def test_what_a_syringe_loses_and_who_sees_its_waste_are_kept_with_the_product(
    app: Flask, signed_in_client: SignIn, at: datetime
) -> None:
    manager = signed_in_client(Role.MANAGER)
    typed = {
        **LABEL,
        "formulation": str(make_formulation()),
        "dead_space": "0.07",
        "witness_reasons": ["broken"],
    }
    page = manager.submit("/catalogue/products/new", typed, follow_redirects=True).get_data(as_text=True)
    assert "As the clinic&#39;s settings say" in page
    assert (only_product().dead_space_ul, only_product().witness_reasons) == (70, None)
    path = f"/catalogue/products/{only_product().id}/edit"
    make_delivery(product_id=only_product().id, place=make_place())
    page = manager.submit(path, {"own_witness_rule": "y"}, follow_redirects=True).get_data(as_text=True)
    assert only_product().witness_reasons == frozenset()
    assert ">Never<" in page
    page = manager.submit(path, {"witness_reasons": ["lost", "broken"]}, follow_redirects=True).get_data(
        as_text=True
    )
    assert only_product().witness_reasons == {"broken", "lost"}
    assert "Broken; Lost" in page
    refused = manager.submit(path, {"dead_space": "10"})
    assert refused.status_code == 422
    assert "DEAD-SPACE-RANGE" in refused.get_data(as_text=True)
