"""The record shows everything that was given, marked as what it is, and where the next dose may go."""

from collections.abc import Callable
from datetime import datetime, timedelta

from inventory.doses.rules.terms import BodySite, EntryMode, VoidKind
from inventory.doses.services import void_dose
from inventory.kernel.permissions import Role
from tests.factories.doses import Bench
from tests.support.client import CheckingClient
from tests.support.page_checks import Page


def record_of(bench: Bench, client: CheckingClient) -> str:
    return client.get(f"/patients/{bench.patient_id}").get_data(as_text=True)


def test_marks_void_doses_and_deviations_and_suggests_the_next_site(
    signed_in_client: Callable[..., CheckingClient], at: datetime, at_instant: Callable[[datetime], None]
) -> None:
    bench = Bench()
    at_instant(at + timedelta(days=3))
    now = at + timedelta(days=3)
    late = {"mode": EntryMode.ALREADY_GIVEN, "given_at": at, "body_site": BodySite.LEFT_VASTUS_LATERALIS}
    bench.give(bench.request(**late), at=now)
    void = bench.give(bench.request(body_site=BodySite.RIGHT_DELTOID), at=now)
    void_dose(
        actor=bench.nurse,
        at=now,
        dose_id=void.id,
        kind=VoidKind.NEVER_OPENED,
        reason="Opened the wrong record.",
    )
    text = record_of(bench, signed_in_client(Role.PRACTITIONER))
    assert all(
        words in text for words in ("Late entry", "Void", "Opened the wrong record.", "Left arm (deltoid)")
    )
    assert text.count(bench.lot.lot_number) == 2
    assert "1 time" in text
    assert Page(text).forms


def test_pages_through_many_doses(signed_in_client: Callable[..., CheckingClient], at: datetime) -> None:
    bench = Bench()
    lot, vial = bench.open_multi(at=at)
    for hours in range(27):
        request = bench.request(lot=lot, vial=vial, volume_ul=100, mode=EntryMode.ALREADY_GIVEN, given_at=at)
        bench.give(request, at=at + timedelta(hours=hours))
    client = signed_in_client(Role.AUDITOR)
    first = record_of(bench, client)
    assert "Pages: Doses" in first
