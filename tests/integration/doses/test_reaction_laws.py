"""The laws of reactions, tried by going around the application with plain SQL as the owner of the tables."""

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from flask import Flask

from inventory.doses.models import Dose
from inventory.doses.reaction_models import Reaction
from inventory.doses.rules.reaction_terms import DecisionKind, ReactionOutcome
from inventory.doses.services import decide_reaction, follow_up_reaction, retract_reaction
from inventory.kernel.db import db
from inventory.kernel.permissions import Role
from tests.factories.doses import Bench
from tests.factories.patients import make_patient
from tests.factories.staff import make_actor
from tests.support.databases import OwnerConnection

COLUMNS = [column.name for column in Reaction.__table__.columns]
NEW = {
    "sqlite": "'0190000000007000800000000000000%d'",
    "postgresql": "'01900000-0000-7000-8000-00000000000%d'",
}
Try = Callable[[str], str]


@pytest.fixture
def bench(app: Flask, at: datetime) -> Bench:
    return Bench()


@pytest.fixture
def dose(bench: Bench, at: datetime) -> Dose:
    return bench.give(at=at)


@pytest.fixture
def case_id(bench: Bench, dose: Dose, at: datetime) -> UUID:
    found = bench.react(dose, at=at + timedelta(hours=1), note="Told by telephone")
    db.session.rollback()
    return found


@pytest.fixture
def try_it(owner_connection: OwnerConnection) -> Try:
    """Run a statement around the application, and return what the database said; empty where it let it pass."""

    def run(statement: str) -> str:
        try:
            owner_connection.execute(statement)
            owner_connection.commit()
        except Exception as error:  # noqa: BLE001  each driver has its own
            owner_connection.rollback()
            return str(error)
        return ""

    return run


@pytest.fixture
def another(engine_kind: str) -> Callable[..., str]:
    """Return the statement that adds a copy of the first row of a case, under a new id, with some columns changed."""

    def copy(number: int = 1, **changes: str) -> str:
        new = NEW[engine_kind] % number
        changed = {"id": new, "case_id": new, "said_id": new, **changes}
        values = ", ".join(changed.get(name, name) for name in COLUMNS)
        source = "SELECT {values} FROM reaction WHERE corrects_id IS NULL LIMIT 1"
        return f"INSERT INTO reaction ({', '.join(COLUMNS)}) {source.format(values=values)}"

    return copy


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE reaction SET severity = 'mild'",
        "UPDATE reaction SET note = 'Erased'",
        "DELETE FROM reaction",
        "UPDATE reaction_follow_up SET outcome = 'recovered'",
        "DELETE FROM reaction_follow_up",
        "UPDATE reaction_decision SET kind = 'may_continue'",
        "DELETE FROM reaction_decision",
        "UPDATE reaction_retraction SET reason = 'x'",
        "DELETE FROM reaction_retraction",
    ],
)
def test_no_row_changes_or_goes(case_id: UUID, at: datetime, try_it: Try, statement: str) -> None:
    prescriber = make_actor(Role.PRESCRIBER)
    asked = {"actor": prescriber, "at": at + timedelta(hours=2), "case_id": case_id}
    follow_up_reaction(outcome=ReactionOutcome.RECOVERING, **asked)
    decide_reaction(seen_id=case_id, kind=DecisionKind.STOP, reason="Seen", **asked)
    retract_reaction(reason="Another dose", **asked)
    db.session.rollback()
    assert "law:insert_only" in try_it(statement)


def test_a_copy_is_a_reaction_of_its_own(case_id: UUID, try_it: Try, another: Callable[..., str]) -> None:
    assert try_it(another()) == ""


@pytest.mark.parametrize(
    "law, changes",
    [
        ("law:reaction_to_dose", {"onset_at": "'2026-01-01 00:00:00.000000'"}),
        ("law:reaction_to_dose", {"patient_id": "(SELECT id FROM patient WHERE id <> patient_id LIMIT 1)"}),
        ("ck_reaction_not_in_the_future", {"onset_at": "'2036-01-01 00:00:00.000000'"}),
        ("ck_reaction_severity", {"severity": "'awful'"}),
        ("ck_reaction_something_told", {"symptoms": "''"}),
        ("ck_reaction_grave", {"is_grave": "(1 = 0)"}),
        ("ck_reaction_case", {"case_id": "case_id"}),
        ("ck_reaction_said", {"said_id": "said_id"}),
        ("ck_reaction_correction", {"correction_reason": "'why'"}),
    ],
)
def test_what_cannot_be_is_refused(
    case_id: UUID, try_it: Try, another: Callable[..., str], law: str, changes: dict[str, str]
) -> None:
    make_patient()
    db.session.rollback()
    if "patient_id" in changes:
        changes = {
            "patient_id": "(SELECT id FROM patient WHERE NOT EXISTS (SELECT 1 FROM dose WHERE dose.patient_id = patient.id) LIMIT 1)"
        }
    assert law in try_it(another(**changes))


def test_a_row_is_corrected_once_within_its_case(
    case_id: UUID, try_it: Try, another: Callable[..., str], engine_kind: str
) -> None:
    correction = {"case_id": "case_id", "corrects_id": "id", "correction_reason": "'why'"}
    assert try_it(another(1, **correction)) == ""
    assert "law:reaction_corrected_once" in try_it(another(2, **correction))
    elsewhere = {**correction, "case_id": NEW[engine_kind] % 3}
    assert "law:reaction_corrected_once" in try_it(another(3, **elsewhere))


def test_replace_takes_no_row_away(
    case_id: UUID,
    owner_connection: OwnerConnection,
    try_it: Try,
    another: Callable[..., str],
    engine_kind: str,
) -> None:
    correction = {"case_id": "case_id", "corrects_id": "id", "correction_reason": "'why'"}
    assert try_it(another(1, **correction)) == ""
    if engine_kind == "postgresql":
        statement = another(2, **correction) + " ON CONFLICT (corrects_id) DO UPDATE SET note = 'changed'"
    else:
        owner_connection.execute("PRAGMA recursive_triggers = OFF")
        statement = another(2, **correction).replace("INSERT", "INSERT OR REPLACE")
    assert "law:" in try_it(statement)


def test_nothing_hangs_on_what_is_retracted_or_replaced(
    case_id: UUID, at: datetime, try_it: Try, another: Callable[..., str], engine_kind: str
) -> None:
    decision = (
        "INSERT INTO reaction_decision (id, said_id, kind, reason, decided_at, actor_id)"
        f" SELECT {NEW[engine_kind] % 7}, id, 'stop', 'why', recorded_at, actor_id FROM reaction WHERE corrects_id IS NULL"
    )
    news = (
        "INSERT INTO reaction_follow_up (id, case_id, outcome, happened_at, recorded_at, actor_id)"
        f" SELECT {NEW[engine_kind] % 7}, id, 'recovered', recorded_at, recorded_at, actor_id FROM reaction"
    )
    correction = {"case_id": "case_id", "corrects_id": "id", "correction_reason": "'why'"}
    assert try_it(another(1, **correction)) == ""
    assert "law:reaction_stands" in try_it(decision)
    assert "law:reaction_stands" in try_it(f"{news} WHERE corrects_id IS NOT NULL")
    asked = {"actor": make_actor(Role.PRESCRIBER), "at": at + timedelta(hours=2), "case_id": case_id}
    retract_reaction(reason="Another dose", **asked)
    db.session.rollback()
    assert "law:reaction_stands" in try_it(f"{news} WHERE corrects_id IS NULL")
    late = {**correction, "corrects_id": f"{NEW[engine_kind] % 1}"}
    assert "law:reaction_corrected_once" in try_it(another(2, **late))
