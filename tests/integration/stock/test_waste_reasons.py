"""A reason of waste is offered and accepted only where it can be true: what a syringe keeps, what has expired, what nobody needs."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask

from inventory.clinic.models import Setting
from inventory.clinic.setting_rules import WITNESS_REASONS
from inventory.clinic.settings import encode
from inventory.kernel.db import unit_of_work
from inventory.kernel.errors import Refusal
from inventory.kernel.permissions import SYSTEM_ACTOR, Role
from inventory.stock import services, words
from inventory.stock.models import MovementKind, Vial, WasteReason
from inventory.stock.services import Why
from tests.factories.catalogue import make_multi_dose_product
from tests.factories.staff import make_user
from tests.factories.stock import make_delivery, make_open_vial, make_place, movements_of
from tests.support.client import CheckingClient

SignIn = Callable[..., CheckingClient]
R = WasteReason


def waste(vial: Vial, volume_ul: int, at: datetime, reason: WasteReason = R.DEAD_SPACE) -> None:
    services.waste_from_vial(
        actor=SYSTEM_ACTOR, at=at, vial_id=vial.id, volume_ul=volume_ul, why=Why(reason), wasted_at=at
    )


def opened(**product: int) -> Vial:
    return make_open_vial(make_delivery(product_id=make_multi_dose_product(**product).id, containers=2))


@pytest.mark.parametrize("own_ul,most_ul", [(0, 100), (70, 70), (250, 250)])
def test_dead_space_is_no_more_than_syringes_keep(
    app: Flask, at: datetime, own_ul: int, most_ul: int
) -> None:
    vial = opened(dead_space_ul=own_ul)
    with pytest.raises(Refusal, match="DEAD-SPACE-MORE"):
        waste(vial, most_ul + 1, at)
    waste(vial, most_ul, at)
    with pytest.raises(Refusal, match="DEAD-SPACE-MORE"):
        waste(vial, 1, at)
    waste(vial, 1_000, at, R.SAMPLE)
    waste(vial, most_ul, at)
    with pytest.raises(Refusal, match="DEAD-SPACE-MORE"):
        waste(vial, 1, at)


def test_no_whole_vial_and_nothing_sealed_is_dead_space(
    app: Flask, signed_in_client: SignIn, at: datetime
) -> None:
    vial = opened()
    with pytest.raises(Refusal, match="WASTE-REASON"):
        services.discard_vial(actor=SYSTEM_ACTOR, at=at, vial_id=vial.id, why=Why(R.DEAD_SPACE))
    nurse = signed_in_client(Role.PRACTITIONER)
    assert 'value="dead_space"' in nurse.get(f"/stock/vials/{vial.id}/waste").get_data(as_text=True)
    for path in (f"/stock/vials/{vial.id}/discard", f"/stock/lots/{vial.lot_id}/waste"):
        assert 'value="dead_space"' not in nurse.get(path).get_data(as_text=True)


def test_expired_is_said_of_what_has_expired(app: Flask, signed_in_client: SignIn, at: datetime) -> None:
    vial, place = opened(), make_place()

    def waste_a_container(when: datetime) -> None:
        why = Why(R.EXPIRED)
        services.waste_sealed(
            actor=SYSTEM_ACTOR, at=when, lot_id=vial.lot_id, place=place, containers=1, why=why
        )

    last = datetime(2027, 8, 31, 12, tzinfo=UTC)
    for when in (at, last):
        with pytest.raises(Refusal, match="WASTE-NOT-EXPIRED"):
            waste(vial, 10, when, R.EXPIRED)
        with pytest.raises(Refusal, match="WASTE-NOT-EXPIRED"):
            waste_a_container(when)
    waste(vial, 10, last + timedelta(days=1), R.EXPIRED)
    waste_a_container(last + timedelta(days=1))
    nurse = signed_in_client(Role.PRACTITIONER)
    for path in (f"/stock/vials/{vial.id}/discard", f"/stock/lots/{vial.lot_id}/waste"):
        page = nurse.get(path).get_data(as_text=True)
        assert 'value="expired"' not in page
        assert 'value="past_use_by"' not in page
        assert 'value="broken"' in page


def test_past_its_use_by_is_said_of_a_vial_that_is(app: Flask, at: datetime) -> None:
    vial = opened()
    assert vial.use_by_on is not None
    last = datetime.combine(vial.use_by_on, at.timetz())
    with pytest.raises(Refusal, match="WASTE-NOT-EXPIRED"):
        waste(vial, 10, last, R.PAST_USE_BY)
    waste(vial, 10, last + timedelta(days=1), R.PAST_USE_BY)


def test_a_backdated_waste_is_judged_by_its_own_day(app: Flask, at: datetime) -> None:
    vial = opened()
    assert vial.use_by_on is not None
    last = datetime.combine(vial.use_by_on, at.timetz())
    with pytest.raises(Refusal, match="WASTE-NOT-EXPIRED"):
        services.discard_vial(
            actor=SYSTEM_ACTOR,
            at=last + timedelta(days=3),
            vial_id=vial.id,
            why=Why(R.PAST_USE_BY),
            discarded_at=last,
        )


def test_a_rest_that_nobody_needs_has_its_own_reason(
    app: Flask, signed_in_client: SignIn, at: datetime
) -> None:
    with unit_of_work() as session:
        session.add(Setting(key="waste_witness_reasons", value=encode(["not_needed", "sample"])))
    vial = opened()
    nurse, path = signed_in_client(Role.PRACTITIONER), f"/stock/vials/{vial.id}/discard"
    page = nurse.get(path).get_data(as_text=True)
    assert "a witness is needed for: Rest not needed any more; Taken as a sample." in page
    label = page[page.index('for="witness_username"') :]
    assert "optional" not in label[: label.index("</label>")]
    assert "WITNESS-NEEDED" in nurse.submit(path, {"reason": "not_needed"}).get_data(as_text=True)
    seen_by = make_user(roles=Role.PRACTITIONER, username="seen-by").id
    why = Why(R.NOT_NEEDED, witness_id=seen_by)
    services.discard_vial(actor=SYSTEM_ACTOR, at=at, vial_id=vial.id, why=why)
    assert [m.reason for m in movements_of(vial.lot) if m.kind == MovementKind.WASTE] == ["not_needed"]


def test_settings_and_forms_use_the_same_words() -> None:
    asked = {code: said.removesuffix(" (say what)") for code, said in words.WASTE.items()}
    assert {code: asked[WasteReason(code)] for code in WITNESS_REASONS} == dict(WITNESS_REASONS)
