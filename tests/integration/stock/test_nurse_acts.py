"""What a practitioner does alone: put something doubtful on hold, and take back an opening of their own. Releasing is not theirs."""

import re
from collections.abc import Callable
from datetime import datetime

import pytest
from flask import Flask
from sqlalchemy import select

from inventory.kernel.db import db
from inventory.kernel.errors import Refusal
from inventory.kernel.permissions import Role
from inventory.stock import services
from inventory.stock.models import Hold, Vial, VialClosure
from tests.factories.catalogue import make_multi_dose_product
from tests.factories.staff import make_actor
from tests.factories.stock import make_delivery, make_open_vial, make_place
from tests.support.client import CheckingClient

SignIn = Callable[..., CheckingClient]


def test_a_nurse_holds_and_a_manager_releases(app: Flask, signed_in_client: SignIn, at: datetime) -> None:
    vial = make_open_vial(make_delivery(product_id=make_multi_dose_product().id, containers=2))
    part, place = f"vial:{vial.id}", make_place()
    nurse = signed_in_client(Role.PRACTITIONER)
    assert f"part={part}" in nurse.get(f"/stock/vials/{vial.id}").get_data(as_text=True).replace("%3A", ":")
    path = f"/stock/lots/{vial.lot_id}/hold"
    assert path in nurse.get(f"/stock/lots/{vial.lot_id}").get_data(as_text=True)
    assert nurse.submit(path, {"kind": "hold", "part": part}).status_code == 422
    for what in (part, f"location:{place.location_id}", ""):
        typed = {"kind": "hold", "part": what, "reason": "Cloudy"}
        assert nurse.submit(path, typed).status_code == 302
    holds = db.session.scalars(select(Hold)).all()
    assert len(holds) == 3
    release = f"/stock/holds/{holds[0].id}/release"
    assert nurse.get(release).status_code == 403
    assert release not in nurse.get(f"/stock/vials/{vial.id}").get_data(as_text=True)
    assert signed_in_client(Role.MANAGER).submit(release, {"reason": "It is clear"}).status_code == 302


def test_an_opening_is_taken_back_by_who_opened_it(
    app: Flask, signed_in_client: SignIn, at: datetime
) -> None:
    opener, other = make_actor(Role.PRACTITIONER), make_actor(Role.PRACTITIONER)
    lot = make_delivery(product_id=make_multi_dose_product().id, containers=2)
    vial = make_open_vial(lot, actor=opener)
    with pytest.raises(Refusal, match="UNDO-OPENER"):
        services.undo_opening(actor=other, at=at, vial_id=vial.id, reason="Not mine")
    nurse = signed_in_client(Role.PRACTITIONER)
    assert "Not really opened" not in nurse.get(f"/stock/vials/{vial.id}").get_data(as_text=True)
    services.undo_opening(actor=opener, at=at, vial_id=vial.id, reason="The cap is still on")
    assert db.session.get_one(Vial, vial.id, populate_existing=True).closure == VialClosure.NEVER_OPENED
    page = nurse.submit(
        f"/stock/lots/{lot.id}/open", {"location": str(make_place().location_id)}, follow_redirects=True
    )
    shown = page.get_data(as_text=True)
    assert "Not really opened" in shown
    order = ("Print label", "Send or move", "Not really opened", f"/stock/vials/{vial_of(shown)}/discard")
    assert [shown.index(words) for words in order] == sorted(shown.index(words) for words in order)


def vial_of(page: str) -> str:
    found = re.search(r"/stock/vials/([0-9a-f-]{36})/discard", page)
    assert found
    return found.group(1)
