"""Whoever confirms, as witness, second person or prescriber, works at the site where it happens and has to do with it."""

from collections.abc import Callable
from datetime import datetime

import pytest
from flask import Flask

from inventory.doses.rules.terms import OverrideReason
from inventory.doses.services import Decisions, Override
from inventory.kernel.errors import Refusal, Refusals
from inventory.kernel.permissions import SYSTEM_ACTOR, Actor, Role
from inventory.staff import queries as people
from inventory.staff.services import set_sites
from inventory.stock import services
from inventory.stock.ledger import Place
from inventory.stock.models import AdjustReason, TransferDifference, WasteReason
from inventory.stock.services import Arrival, Arrived, Explanation, Tally, Why
from inventory.stock.services.disposals import Document, SealedLine, destroy
from tests.factories.catalogue import make_product
from tests.factories.doses import Bench
from tests.factories.staff import PASSWORD, make_actor, make_user
from tests.factories.stock import balance_ul, make_delivery, make_place
from tests.factories.transfers import make_transfer
from tests.support.client import CheckingClient

SignIn = Callable[..., CheckingClient]
WRONG = ["elsewhere", "admin"]


@pytest.fixture
def here(app: Flask, at: datetime) -> Place:
    return make_place()


@pytest.fixture
def there(here: Place) -> Place:
    return make_place(code="NORTH", location="North fridge")


def of_sites(*places: Place, roles: Role | tuple[Role, ...] = Role.MANAGER, **more: str) -> Actor:
    user = make_user(roles=roles, **more)
    sites = [place.site_id for place in places]
    set_sites(actor=SYSTEM_ACTOR, at=user.created_at, user_id=user.id, site_ids=sites)
    return people.actor_of(people.person(user.id))


def wrong(who: str, there: Place) -> tuple[Actor, str]:
    """Somebody whose word does not count here, and the code that says why."""
    if who == "elsewhere":
        return of_sites(there), "WITNESS-SITE"
    return make_actor(Role.ADMIN), "WITNESS-ROLE"


def codes(caught: pytest.ExceptionInfo[Refusal | Refusals]) -> list[str]:
    return [one.code for one in getattr(caught.value, "refusals", [caught.value])]


@pytest.mark.parametrize("who", WRONG)
def test_of_waste(here: Place, there: Place, at: datetime, who: str) -> None:
    lot, (witness, code) = make_delivery(place=here), wrong(who, there)
    wasted = {"actor": SYSTEM_ACTOR, "at": at, "lot_id": lot.id, "place": here, "containers": 1}
    with pytest.raises(Refusal) as caught:
        services.waste_sealed(**wasted, why=Why(WasteReason.BROKEN, "", witness.id))
    assert codes(caught) == [code]
    services.waste_sealed(**wasted, why=Why(WasteReason.BROKEN, "", of_sites(here).id))


@pytest.mark.parametrize("who", WRONG)
def test_of_a_destruction(here: Place, there: Place, at: datetime, who: str) -> None:
    lot, (witness, code) = make_delivery(place=here), wrong(who, there)
    line = SealedLine(lot.id, here.location_id, 1, WasteReason.EXPIRED)
    with pytest.raises(Refusals) as caught:
        destroy(
            actor=SYSTEM_ACTOR,
            at=at,
            document=Document(site_id=here.site_id, number="D1", lines=[line], witness_id=witness.id),
        )
    assert codes(caught) == [code]


@pytest.mark.parametrize("who", WRONG)
def test_of_what_broke_on_its_way(here: Place, there: Place, at: datetime, who: str) -> None:
    lot = make_delivery(place=there)
    transfer_id = make_transfer(there, here, lot=lot)
    witness, code = wrong(who, there)
    arrival = Arrival((Arrived(1, 0, TransferDifference.BROKEN),), witness_id=witness.id)
    with pytest.raises(Refusal) as caught:
        services.receive_transfer(actor=SYSTEM_ACTOR, at=at, transfer_id=transfer_id, arrival=arrival)
    assert codes(caught) == [code]


def test_of_a_count(here: Place, there: Place, at: datetime) -> None:
    lot = make_delivery(place=here, containers=10)
    count_id = services.start_count(
        actor=SYSTEM_ACTOR, at=at, site_id=here.site_id, location_id=here.location_id
    ).subject_id
    services.hand_in_count(actor=SYSTEM_ACTOR, at=at, count_id=count_id, tally=Tally({lot.id: 1}))
    posted = {"actor": SYSTEM_ACTOR, "at": at, "count_id": count_id}
    why = {1: Explanation(AdjustReason.MISSING)}
    with pytest.raises(Refusal, match="WITNESS-SITE"):
        services.post_count(**posted, explanations=why, approved_by=of_sites(there))
    assert balance_ul(lot) == 10_000
    services.post_count(**posted, explanations=why, approved_by=of_sites(here))


def test_of_an_override(here: Place, there: Place, at: datetime) -> None:
    bench = Bench(place=here)
    prescriber = of_sites(there, roles=Role.PRESCRIBER)
    override = Override(OverrideReason.OTHER, prescriber, "Agreed by telephone")
    with pytest.raises(Refusal, match="WITNESS-SITE"):
        bench.give(decisions=Decisions(overrides={"CADENCE-EARLY": override}))


def test_is_said_beside_the_name(here: Place, there: Place, signed_in_client: SignIn) -> None:
    product = make_product(waste_witness_reasons=frozenset({"broken"}))
    lot = make_delivery(place=here, product_id=product.id)
    of_sites(there, username="north", password=PASSWORD)
    typed = {"location": str(here.location_id), "containers": "1", "reason": "broken"}
    confirmed = {"witness_username": "north", "witness_password": PASSWORD}
    answer = signed_in_client(Role.PRACTITIONER).submit(f"/stock/lots/{lot.id}/waste", {**typed, **confirmed})
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "does not work at this site" in page
    assert 'id="witness_username-error"' in page
