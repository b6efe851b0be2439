"""The demo clinic: built lawfully, the same for a seed, alive on every shelf and page, and never in a real database."""

import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from click import ClickException
from flask import Flask
from flask.testing import FlaskCliRunner
from sqlalchemy import func, select

from inventory.app import create_app
from inventory.catalogue.models import Route
from inventory.clinic.models import Site
from inventory.clinic.settings import current_settings
from inventory.demo import services
from inventory.doses.models import (
    Dose,
    DoseFinding,
    DoseSource,
    DoseVoid,
    Incident,
    NotGiven,
    VialDedication,
)
from inventory.doses.queries.recalls import progress
from inventory.doses.rules.terms import Disposition, VoidKind
from inventory.kernel import clock
from inventory.kernel.db import db
from inventory.patients.models import Alert, Patient
from inventory.reorder.models import ReorderRule
from inventory.staff.models import User
from inventory.staff.passwords import matches
from inventory.staff.rules import DEMO_PASSWORD
from inventory.stock.models import (
    AdjustReason,
    CountOutcome,
    Disposal,
    DisposalKind,
    ExcursionDecision,
    LotCorrection,
    Movement,
    Recall,
    Receipt,
    StockCount,
    TemperatureExcursion,
    Transfer,
    TransferDifference,
    TransferReceipt,
    TransferReceiptLine,
    WasteReason,
)
from inventory.stock.queries import drawable
from inventory.stock.queries.recalls import recalled_lot_ids, standing_stock
from inventory.stock.queries.temperatures import holds_of_excursion
from inventory.stock.rules import StateCode
from tests.support.databases import Database, Databases, close_engines

NOW = datetime(2026, 11, 20, 13, 5, tzinfo=UTC)


@pytest.fixture
def settings() -> dict[str, object]:
    return {"DEMO": True}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def demo(request: pytest.FixtureRequest, databases: Databases) -> Iterator[Flask]:
    """The default demo, built once for the tests that only look at it."""
    with databases.fresh(request.param) as database:
        app = create_app(database.config(DEMO=True))
        with app.app_context(), clock.frozen(NOW):
            services.build(at=NOW)
            yield app
        close_engines(app)


def count(model: Any, *where: Any) -> int:
    return db.session.scalar(select(func.count()).select_from(model).where(*where)) or 0


def test_trail_and_stock_are_well(demo: Flask) -> None:
    for room in ("audit", "stock"):
        said = demo.test_cli_runner().invoke(args=[room, "verify"])
        assert said.exit_code == 0, said.output


def test_has_as_many_doses_as_are_asked_for_and_none_in_the_future(demo: Flask) -> None:
    assert count(Dose) == services.DEFAULT_DOSES
    latest = db.session.scalar(select(func.max(Dose.recorded_at)))
    assert latest is not None
    assert latest.date() == NOW.date()
    assert latest <= NOW


def test_history_has_everything_that_happens_in_a_clinic(demo: Flask) -> None:
    voids = set(db.session.scalars(select(DoseVoid.kind)))
    assert voids == {VoidKind.DRAWN_NOT_GIVEN, VoidKind.NEVER_OPENED, VoidKind.AMENDED}
    findings = Counter(db.session.execute(select(DoseFinding.disposition)).scalars())
    assert set(findings) == set(Disposition)
    several = select(DoseSource.dose_id).group_by(DoseSource.dose_id).having(func.count() > 1)
    assert db.session.execute(several).first()
    assert count(Dose, Dose.is_late)
    assert count(Dose, Dose.is_deviation)
    assert count(NotGiven)
    assert count(Incident, Incident.closed_at.is_(None))
    assert count(Incident, Incident.closed_at.is_not(None))


def test_shelf_has_everything_there_is_to_see(demo: Flask) -> None:
    site = db.session.execute(select(Site).where(Site.code == "MAIN")).scalar_one()
    found = drawable(db.session(), site_id=site.id, on=NOW.date())
    states = {one.state.code for one in found}
    # The drill is over: what it held is free again.
    assert states == set(StateCode) - {StateCode.DRILL}
    kits = [one for one in found if Route.IM not in one.product.route_set]
    assert not any(one.givable or one.usable for one in kits)
    assert [one.product.container_kind for one in kits] == ["kit"]
    assert any(one.vial for one in found if one.usable)
    assert count(ReorderRule) > 5


def test_stock_room_has_its_stories(demo: Flask) -> None:
    assert count(Transfer) == count(TransferReceipt) + 1
    assert set(db.session.scalars(select(TransferReceiptLine.difference))) == {
        None,
        TransferDifference.BROKEN,
    }
    assert count(StockCount, StockCount.outcome == CountOutcome.POSTED) == count(StockCount)
    assert sorted(
        db.session.scalars(select(Movement.amount_ul).where(Movement.reason == AdjustReason.MISSING))
    ) == [
        1_000,
        2_000,
    ]
    assert {one.kind for one in db.session.scalars(select(Disposal))} == set(DisposalKind)
    assert count(VialDedication) == 1
    assert count(Movement, Movement.reason == WasteReason.DEAD_SPACE)
    assert count(Receipt, Receipt.container_price_minor.is_(None)) == 0


def test_corrected_lot_has_a_dose_past_its_expiry_to_look_into(demo: Flask) -> None:
    corrected = db.session.execute(select(LotCorrection)).scalar_one()
    assert count(DoseSource, DoseSource.lot_id == corrected.lot_id) == 3
    assert count(Incident, Incident.what.contains("as it was corrected since")) == 1


def test_drill_is_closed_with_everybody_told_and_the_recall_is_under_way(demo: Flask) -> None:
    drill, recall = db.session.scalars(select(Recall).order_by(Recall.number))
    assert (drill.is_drill, recall.is_drill) == (True, False)
    assert drill.closed_at is not None
    assert recall.closed_at is None
    reached, waiting = (progress(db.session(), one.id) for one in (drill, recall))
    assert (reached.never_tried, reached.tried) == (0, 0)
    assert waiting.never_tried
    assert waiting.tried
    lies = standing_stock(db.session(), recalled_lot_ids(db.session(), recall.id))
    assert {one.site_name for one in lies} == {"Willow Street", "Northgate"}


def test_one_excursion_is_decided_and_one_is_open(demo: Flask) -> None:
    ended, standing = db.session.scalars(select(TemperatureExcursion).order_by(TemperatureExcursion.number))
    assert ended.decision == ExcursionDecision.RELEASE
    assert standing.decision is None
    assert not holds_of_excursion(db.session(), ended.id, standing=True)
    assert holds_of_excursion(db.session(), standing.id, standing=True)


def test_people_and_patients_are_of_every_kind(demo: Flask) -> None:
    names = " ".join(patient.full_name for patient in db.session.scalars(select(Patient)))
    scripts = {unicodedata.name(letter).split()[0] for letter in names if letter.isalpha()}
    assert scripts >= {"LATIN", "GREEK", "CYRILLIC", "HEBREW", "ARABIC"}
    assert max(len(name) for name in db.session.scalars(select(Patient.family_name))) > 35
    assert count(Alert) >= 10
    assert count(Alert, Alert.resolved_at.is_not(None)) == 1
    soon = select(User.display_name).where(User.licence_expires_on < NOW.date().replace(month=12, day=20))
    assert list(db.session.scalars(soon)) == ["Karin Lindqvist"]


def test_accounts_share_the_demo_password(demo: Flask) -> None:
    hashes = {
        user.username: user.password_hash
        for user in db.session.scalars(select(User).where(User.password_hash.is_not(None)))
    }
    assert set(hashes) == {"nurse", "prescriber", "manager", "auditor", "admin"}
    assert all(matches(hashed, DEMO_PASSWORD) for hashed in hashes.values())
    assert current_settings().is_demo


def test_server_says_who_may_sign_in_and_builds_nothing_twice(
    demo: Flask, capsys: pytest.CaptureFixture[str]
) -> None:
    before = count(Dose)
    demo.extensions["demo_builder"]()
    assert count(Dose) == before
    said = " ".join(line for speak in demo.extensions["serve_banner"] for line in speak())
    assert "nurse, prescriber, manager, auditor, admin" in said
    assert DEMO_PASSWORD in said


def told() -> list[tuple[Any, ...]]:
    """Return what the demo's doses say, without ids."""
    columns = (
        Dose.number,
        Dose.patient_name,
        Dose.product_name,
        Dose.body_site,
        Dose.given_at,
        Dose.giver_name,
    )
    return [tuple(row) for row in db.session.execute(select(*columns).order_by(Dose.number))]


@pytest.fixture
def build_at(databases: Databases) -> Callable[..., list[tuple[Any, ...]]]:
    """Builds a small demo of a seed in a database of its own and returns what it says."""

    def build(seed: int, *, doses: int = 30) -> list[tuple[Any, ...]]:
        with databases.fresh("sqlite") as database:
            app = create_app(database.config(DEMO=True))
            with app.app_context(), clock.frozen(NOW):
                services.build(at=NOW, doses=doses, seed=seed)
                said = told()
            close_engines(app)
        return said

    return build


def test_same_seed_gives_the_same_clinic(build_at: Callable[..., list[tuple[Any, ...]]]) -> None:
    first = build_at(7)
    assert first == build_at(7)
    assert first != build_at(8)


@pytest.mark.parametrize("hour, minute", [(0, 3), (0, 40), (7, 58), (23, 59)])
def test_builds_at_any_hour(databases: Databases, hour: int, minute: int) -> None:
    now = datetime(2026, 3, 29, hour, minute, tzinfo=UTC)
    with databases.fresh("sqlite") as database:
        app = create_app(database.config(DEMO=True))
        with app.app_context(), clock.frozen(now):
            services.build(at=now, doses=25)
            assert count(Dose) == 25
            assert app.test_cli_runner().invoke(args=["audit", "verify"]).exit_code == 0
        close_engines(app)


@pytest.mark.parametrize("seed", [3, 4])
def test_builds_whoever_delivered_what_is_returned_and_whatever_is_missing(
    build_at: Callable[..., list[tuple[Any, ...]]], seed: int
) -> None:
    """Seed 3 had another supplier deliver what is returned; seed 4 lost a container of a lot that a drill recalls."""
    assert len(build_at(seed, doses=3)) == 3


def test_a_clinic_whose_building_was_interrupted_is_not_served(
    app: Flask, at: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as during:
        during.setattr(services, "instants", interrupt)
        with pytest.raises(KeyboardInterrupt):
            services.build(at=at, doses=3)
    assert not services.is_empty()
    with pytest.raises(ClickException, match="DEMO-UNFINISHED"):
        app.extensions["demo_builder"]()


def test_command_builds_and_refuses_a_second_time(cli: FlaskCliRunner, at: datetime) -> None:
    said = cli.invoke(args=["demo", "build", "--doses", "3", "--seed", "1"])
    assert said.exit_code == 0, said.output
    assert count(Dose) == 3
    again = cli.invoke(args=["demo", "build", "--doses", "3"])
    assert (again.exit_code, count(Dose)) == (1, 3)
    assert "DEMO-NOT-EMPTY" in again.output


@pytest.mark.parametrize("doses", ["0", "1000001", "many"])
def test_command_refuses_a_number_it_cannot_build(cli: FlaskCliRunner, doses: str) -> None:
    assert cli.invoke(args=["demo", "build", "--doses", doses]).exit_code == 2


def test_command_refuses_a_real_clinic(database: Database) -> None:
    app = create_app(database.config())
    with app.app_context():
        said = app.test_cli_runner().invoke(args=["demo", "build"])
        assert (said.exit_code, said.output.count("\n")) == (1, 1)
        assert "DEMO-ONLY" in said.output
        assert services.is_empty()
        assert [
            line for speak in app.extensions["serve_banner"] for line in speak() if DEMO_PASSWORD in line
        ] == []
    close_engines(app)
