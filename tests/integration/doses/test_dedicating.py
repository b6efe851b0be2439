"""A vial kept for one patient: never given to another, told as a deviation where it was, and no stock for anybody else."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from inventory.audit.verification import Verification
from inventory.clinic.models import Site
from inventory.clinic.settings import Settings
from inventory.doses.models import Dose, DoseFinding, VialDedication
from inventory.doses.queries.assessment import assess
from inventory.doses.queries.dedicated import dedication_of
from inventory.doses.queries.offer import offer
from inventory.doses.rules.terms import EntryMode, VoidKind
from inventory.doses.services import amend_dose, assess_amendment, dedicate_vial, draws_of, void_dose
from inventory.kernel import clock
from inventory.kernel.db import db
from inventory.kernel.errors import Refusal, Refusals
from inventory.reorder.queries import levels
from inventory.stock.models import Lot, Vial, WasteReason
from inventory.stock.services import Why, discard_vial
from tests.factories.catalogue import make_multi_dose_product
from tests.factories.doses import Bench
from tests.factories.patients import make_patient
from tests.factories.stock import make_delivery
from tests.support.databases import OwnerConnection


@pytest.fixture
def bench(app: Flask, at: datetime) -> Bench:
    return Bench()


def keep(bench: Bench, vial: Vial, **more: object) -> None:
    dedicate_vial(
        actor=bench.nurse,
        at=clock.now(),
        vial_id=vial.id,
        patient_id=more.pop("patient_id", bench.patient_id),
        **more,
    )


def dedications() -> list[VialDedication]:
    return list(db.session.scalars(select(VialDedication)))


def codes(refused: pytest.ExceptionInfo[Refusals]) -> list[str]:
    return [refusal.code for refusal in refused.value.refusals]


def test_is_given_to_its_own_patient(bench: Bench) -> None:
    lot, vial = bench.open_multi()
    keep(bench, vial)
    dose = bench.give(bench.request(lot=lot, vial=vial))
    assert not dose.is_deviation


def test_is_never_given_to_another(bench: Bench) -> None:
    lot, vial = bench.open_multi()
    keep(bench, vial)
    with pytest.raises(Refusals) as refused:
        bench.give(bench.request(lot=lot, vial=vial, patient_id=make_patient()))
    assert codes(refused) == ["VIAL-DEDICATED"]


def test_given_to_another_all_the_same_is_a_deviation(bench: Bench, at: datetime) -> None:
    lot, vial = bench.open_multi()
    keep(bench, vial)
    with clock.frozen(at + timedelta(hours=1)):
        late = bench.request(
            lot=lot,
            vial=vial,
            patient_id=make_patient(),
            mode=EntryMode.ALREADY_GIVEN,
            given_at=at + timedelta(minutes=30),
        )
        assert bench.give(late).is_deviation


def test_says_nothing_of_a_dose_before_it_was_kept(bench: Bench, at: datetime) -> None:
    lot, vial = bench.open_multi()
    with clock.frozen(at + timedelta(hours=2)):
        keep(bench, vial)
        late = bench.request(
            lot=lot,
            vial=vial,
            patient_id=make_patient(),
            mode=EntryMode.ALREADY_GIVEN,
            given_at=at + timedelta(hours=1),
        )
        assert not bench.give(late).is_deviation


def test_is_kept_by_the_dose_that_opens_it(bench: Bench) -> None:
    lot = make_delivery(place=bench.place, product_id=make_multi_dose_product().id)
    dose = bench.give(replace(bench.request(lot=lot), dedicate=True))
    kept = dedications()
    assert [one.patient_id for one in kept] == [bench.patient_id]
    assert kept[0].dedicated_at == dose.given_at
    vial = db.session.get_one(Vial, kept[0].vial_id)
    again = bench.request(lot=lot, vial=vial, dedicate=True, volume_ul=100)
    second = bench.give(replace(again, mode=EntryMode.ALREADY_GIVEN, given_at=clock.now()))
    assert db.session.get(DoseFinding, (second.id, "VIAL-DEDICATED")) is None
    assert len(dedications()) == 1


def test_tick_means_nothing_for_a_single_dose(bench: Bench) -> None:
    bench.give(replace(bench.request(), dedicate=True))
    assert dedications() == []


def test_is_refused_where_others_had_doses_from_it(bench: Bench) -> None:
    lot, vial = bench.open_multi()
    first = bench.give(bench.request(lot=lot, vial=vial))
    other = make_patient()
    with pytest.raises(Refusal) as refused:
        keep(bench, vial, patient_id=other)
    assert refused.value.code == "VIAL-OF-OTHERS"
    with pytest.raises(Refusal) as refused:
        bench.give(replace(bench.request(lot=lot, vial=vial, patient_id=other), dedicate=True))
    assert refused.value.code == "VIAL-OF-OTHERS"
    assert db.session.get_one(Dose, first.id).number == 1
    _void(bench, first)
    keep(bench, vial, patient_id=other)


def test_is_kept_for_one_patient_once(bench: Bench) -> None:
    _, vial = bench.open_multi()
    keep(bench, vial)
    for patient_id in (bench.patient_id, make_patient()):
        with pytest.raises(Refusal) as refused:
            keep(bench, vial, patient_id=patient_id)
        assert refused.value.code == "VIAL-DEDICATED"


def test_a_closed_vial_is_kept_for_nobody(bench: Bench) -> None:
    _, vial = bench.open_multi()
    why = Why(WasteReason.CONTAMINATED)
    discard_vial(actor=bench.nurse, at=clock.now(), vial_id=vial.id, why=why)
    with pytest.raises(Refusal) as refused:
        keep(bench, vial)
    assert refused.value.code == "VIAL-CLOSED"


def test_the_same_request_twice_keeps_it_once(bench: Bench) -> None:
    _, vial = bench.open_multi()
    keep(bench, vial, request_key="twice")
    keep(bench, vial, request_key="twice")
    found = dedication_of(db.session(), vial.id)
    assert found is not None
    assert found[1].id == bench.patient_id


def test_is_offered_first_to_its_patient_and_to_nobody_else(bench: Bench, at: datetime) -> None:
    lot, vial = bench.open_multi()
    keep(bench, vial)
    site = db.session.get_one(Site, bench.place.site_id)

    def offered(patient_id: object) -> list[object]:
        found = offer(db.session(), patient_id, site=site, settings=Settings(), at=at)
        return [one.vial.id if one.vial else one.lot.id for one in found.givable]

    assert offered(bench.patient_id)[0] == vial.id
    assert vial.id not in offered(make_patient())
    assert lot.id in offered(make_patient())


def test_is_no_reason_to_take_another_first(bench: Bench, at: datetime) -> None:
    lot, vial = bench.open_multi()
    keep(bench, vial)
    dose = bench.request(lot=lot, patient_id=make_patient())
    found = assess(db.session(), dose, giver=bench.nurse, recorded_at=at)
    assert "NOT-FIRST-EXPIRING" not in [finding.code for finding in found.findings]


def test_is_no_usable_stock(bench: Bench, at: datetime) -> None:
    _, vial = bench.open_multi()

    def open_ul() -> int:
        found = levels(db.session(), site_id=bench.place.site_id, on=at.date(), at=at)
        return sum(level.open_ul for level in found)

    assert open_ul() == 10_000
    keep(bench, vial)
    assert open_ul() == 0


def test_the_database_refuses_to_change_or_remove_it(bench: Bench, owner_connection: OwnerConnection) -> None:
    _, vial = bench.open_multi()
    keep(bench, vial)
    for statement in (
        "UPDATE vial_dedication SET dedicated_at = dedicated_at",
        "DELETE FROM vial_dedication",
    ):
        with pytest.raises(Exception, match="law:insert_only:vial_dedication"):
            owner_connection.execute(statement)
        owner_connection.rollback()


def _void(bench: Bench, dose: Dose, kind: VoidKind = VoidKind.NEVER_OPENED) -> None:
    void_dose(actor=bench.nurse, at=clock.now(), dose_id=dose.id, kind=kind, reason="Mistyped")


def wrongly_kept(bench: Bench) -> tuple[Lot, Vial, Dose]:
    """A dose that kept its vial for a patient who was not the one."""
    lot, vial = bench.open_multi()
    return lot, vial, bench.give(bench.request(lot=lot, vial=vial, dedicate=True))


def test_a_void_ends_what_the_dose_kept_for_its_patient(bench: Bench) -> None:
    lot, vial, dose = wrongly_kept(bench)
    _void(bench, dose)
    assert dedication_of(db.session(), vial.id) is None
    right = make_patient()
    assert not bench.give(bench.request(lot=lot, vial=vial, patient_id=right)).is_deviation
    _void(bench, db.session.scalars(select(Dose).where(Dose.patient_id == right)).one())
    with pytest.raises(Refusal, match="VIAL-DEDICATION-ENDED"):
        keep(bench, vial)
    keep(bench, vial, patient_id=right)
    assert list(Verification(db.session()).whole()) == []


def test_what_was_drawn_stays_kept(bench: Bench) -> None:
    _, vial, dose = wrongly_kept(bench)
    _void(bench, dose, VoidKind.DRAWN_NOT_GIVEN)
    assert dedication_of(db.session(), vial.id) is not None


def test_what_was_kept_by_hand_or_for_another_dose_stays_kept(bench: Bench) -> None:
    lot, vial = bench.open_multi()
    with clock.frozen(clock.now() - timedelta(minutes=5)):
        keep(bench, vial)
    _void(bench, bench.give(bench.request(lot=lot, vial=vial)))
    assert dedication_of(db.session(), vial.id) is not None


def test_an_amended_patient_takes_the_vial_over(bench: Bench) -> None:
    _, vial, dose = wrongly_kept(bench)
    right = make_patient()
    request = bench.request(draws=draws_of(db.session(), dose.id), patient_id=right, given_at=dose.given_at)
    seen = assess_amendment(actor=bench.nurse, at=clock.now(), dose_id=dose.id, request=request)
    assert "VIAL-DEDICATED" not in {finding.code for finding in seen.findings}
    amend_dose(
        actor=bench.nurse, at=clock.now(), dose_id=dose.id, request=request, reason="The wrong patient"
    )
    kept = dedication_of(db.session(), vial.id)
    assert kept is not None
    assert kept[0].patient_id == right
    assert list(Verification(db.session()).whole()) == []


def test_the_end_of_a_dedication_is_final(bench: Bench, owner_connection: OwnerConnection) -> None:
    _, _, dose = wrongly_kept(bench)
    _void(bench, dose)
    db.session.rollback()
    for change in ("UPDATE vial_dedication_end SET ended_at = ended_at", "DELETE FROM vial_dedication_end"):
        with pytest.raises(Exception, match="law:insert_only:vial_dedication_end"):
            owner_connection.execute(change)
        owner_connection.rollback()
