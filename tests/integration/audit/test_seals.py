"""The looks at patients are sealed into the chain: none is left out whoever writes beside, and what is done to one later is named."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError, OperationalError

from inventory.audit import sealing, upkeep
from inventory.audit.models import AccessDigest, AccessEntry, AuditEntry
from inventory.audit.sealing import is_due, last_seal, seal_looks, unsealed_looks
from inventory.audit.services import log_access
from inventory.audit.verification import Verification
from inventory.kernel.db import db, unit_of_work
from inventory.kernel.ids import uuid7
from inventory.kernel.permissions import SYSTEM_ACTOR, SYSTEM_USER_ID, Role
from tests.factories.patients import make_patient
from tests.factories.stock import make_place
from tests.integration.audit.test_verify import Tamper, tamper
from tests.support.at_once import at_once
from tests.support.client import CheckingClient
from tests.support.databases import OwnerConnection

LATER = datetime(2026, 3, 16, 10, 1, tzinfo=UTC)


__all__ = ["tamper"]


@pytest.fixture
def patients(app: Flask, at: datetime) -> list[UUID]:
    return [make_patient(has_baseline=False, at=at) for _ in range(3)]


def look(*patients: UUID, page: str = "record", at: datetime | None = None) -> None:
    for patient_id in patients:
        log_access(SYSTEM_ACTOR, patient_id, page, at=at)


def seal() -> None:
    assert seal_looks(actor=SYSTEM_ACTOR, at=LATER) is not None


def wrong() -> list[str]:
    db.session.rollback()
    return list(Verification(db.session()).whole())


def seals() -> list[AccessDigest]:
    db.session.rollback()
    return list(db.session.scalars(select(AccessDigest).order_by(AccessDigest.number)))


def test_a_seal_is_an_entry_of_the_chain_and_holds_every_look_so_far(patients: list[UUID]) -> None:
    look(*patients)
    seal()
    look(*patients, page="give")
    seal()
    assert seal_looks(actor=SYSTEM_ACTOR, at=LATER) is None
    first, second = seals()
    assert (first.from_id, first.to_id, first.count) == (1, 3, 3)
    assert (second.from_id, second.to_id, second.count) == (4, 6, 3)
    assert second.previous_digest == first.digest
    actions = db.session.scalars(select(AuditEntry.action).order_by(AuditEntry.id))
    assert list(actions)[-2:] == ["audit.seal-looks"] * 2
    check = Verification(db.session())
    assert list(check.whole()) == []
    assert (check.looks, check.seals, check.unsealed) == (6, 2, 0)


def test_is_due_once_a_look_of_an_earlier_hour_waits(patients: list[UUID], at: datetime) -> None:
    session = db.session()
    assert not is_due(session, LATER)
    look(patients[0])
    assert not is_due(session, at + timedelta(minutes=29))
    assert is_due(session, LATER)
    seal()
    assert not is_due(session, LATER)
    look(patients[1], at=at)
    assert is_due(session, LATER)


def test_many_looks_are_sealed_in_several_seals(
    patients: list[UUID], monkeypatch: pytest.MonkeyPatch, cli: FlaskCliRunner
) -> None:
    monkeypatch.setattr(sealing, "MOST_LOOKS", 2)
    look(*patients)
    look(*patients, page="give")
    assert cli.invoke(args=["audit", "seal"]).output == "Sealed: 3 new.\n"
    assert cli.invoke(args=["audit", "seal"]).output == "Every look is sealed already.\n"
    assert [(one.from_id, one.to_id) for one in seals()] == [(1, 2), (3, 4), (5, 6)]
    assert wrong() == []


def test_says_how_many_of_the_newest_are_not_sealed(patients: list[UUID], cli: FlaskCliRunner) -> None:
    look(*patients)
    seal()
    look(patients[0], page="give")
    assert unsealed_looks(db.session()) == 1
    said = cli.invoke(args=["audit", "verify"]).output
    assert "Looks at patients: 3 in 1 seals; the newest 1 are not sealed yet." in said


@pytest.mark.parametrize(
    "statement,line",
    [
        (
            "UPDATE access_entry SET page = 'nothing' WHERE id = 2",
            "look 2: it was changed after it was sealed (seal 1)",
        ),
        (
            "UPDATE access_entry SET patient_id = (SELECT patient_id FROM access_entry WHERE id = 1) WHERE id = 3",
            "look 3: it was changed after it was sealed (seal 1)",
        ),
        ("DELETE FROM access_entry WHERE id = 2", "look 2: it is gone, though seal 1 holds it"),
        ("DELETE FROM access_entry WHERE id = 5", "look 5: it is gone, though seal 2 holds it"),
        (
            "INSERT INTO access_entry SELECT 0, at, actor_id, patient_id, page FROM access_entry WHERE id = 1",
            "look 0: it was slipped in behind seal 1",
        ),
    ],
)
def test_names_the_look_that_does_not_agree(
    patients: list[UUID], tamper: Tamper, statement: str, line: str
) -> None:
    look(*patients)
    seal()
    look(*patients, page="give")
    seal()
    assert wrong() == []
    tamper(statement)
    assert wrong() == [line]


def test_a_look_slipped_into_a_gap_and_one_taken_for_another_are_named(
    patients: list[UUID], tamper: Tamper
) -> None:
    look(*patients)
    tamper("DELETE FROM access_entry WHERE id = 2")
    seal()
    assert wrong() == []
    tamper("INSERT INTO access_entry SELECT 2, at, actor_id, patient_id, page FROM access_entry WHERE id = 1")
    assert wrong() == ["look 2: it was slipped in behind seal 1"]
    tamper("DELETE FROM access_entry WHERE id = 3")
    assert wrong() == [
        "look 2: it was slipped in behind seal 1",
        "look 3: it is gone, though seal 1 holds it",
    ]


def test_a_seal_changed_to_fit_its_changed_looks_is_found_by_its_witness(
    patients: list[UUID], tamper: Tamper
) -> None:
    look(*patients)
    seal()
    tamper("UPDATE access_digest SET looks = replace(looks, '2:', '4:')")
    assert len(wrong()) == 1
    assert wrong()[0].endswith("the row was changed after it was recorded")
    tamper("UPDATE access_entry SET page = 'nothing' WHERE id = 1")
    assert "look 1: it was changed after it was sealed (seal 1)" in wrong()


def test_seals_taken_out_are_found(patients: list[UUID], tamper: Tamper) -> None:
    for page in ("record", "give", "labs"):
        look(*patients, page=page)
        seal()
    tamper("DELETE FROM access_digest WHERE number = 2")
    lines = wrong()
    assert "access digest 3: it does not follow the seal before" in lines
    assert any("is gone" in line for line in lines)


# Laws ------------------------------------------------------------------------------------------------------------


def test_no_look_is_written_behind_a_seal(patients: list[UUID], owner_connection: OwnerConnection) -> None:
    look(*patients)
    seal()
    db.session.rollback()
    for look_id in (-1, 0):
        with pytest.raises(Exception, match="law:sealed:access_entry"):
            owner_connection.execute(
                f"INSERT INTO access_entry SELECT {look_id}, at, actor_id, patient_id, page FROM access_entry WHERE id = 1"
            )
        owner_connection.rollback()
    with unit_of_work() as session:
        session.execute(AccessEntry.__table__.insert(), _a_look(patients[0]))
    assert unsealed_looks(db.session()) == 1


def _a_look(patient_id: UUID) -> dict[str, object]:
    return {"at": LATER, "actor_id": SYSTEM_USER_ID, "patient_id": patient_id, "page": "record"}


@pytest.mark.parametrize(
    "changed", [{"number": 3}, {"from_id": 2}, {"previous_digest": "0" * 64}, {"number": 1}, {"to_id": 3}]
)
def test_a_seal_follows_the_one_before(patients: list[UUID], changed: dict[str, object]) -> None:
    look(*patients)
    seal()
    made = seals()[0]
    following = {
        "id": uuid7(),
        "number": 2,
        "from_id": 4,
        "to_id": 9,
        "count": 1,
        "previous_digest": made.digest,
        "digest": "a" * 64,
        "looks": "",
        "sealed_at": LATER,
        "actor_id": SYSTEM_USER_ID,
    }
    with pytest.raises(IntegrityError), unit_of_work() as session:
        session.execute(AccessDigest.__table__.insert(), following | changed)
    with unit_of_work() as session:
        session.execute(AccessDigest.__table__.insert(), following)


def test_a_seal_is_neither_changed_nor_taken_out(
    patients: list[UUID], owner_connection: OwnerConnection
) -> None:
    look(*patients)
    seal()
    db.session.rollback()
    for statement in ("UPDATE access_digest SET count = 1", "DELETE FROM access_digest"):
        with pytest.raises(Exception, match="law:insert_only:access_digest"):
            owner_connection.execute(statement)
        owner_connection.rollback()


# At the same moment ----------------------------------------------------------------------------------------------


def test_of_many_who_seal_at_once_each_look_is_in_one_seal(app: Flask, patients: list[UUID]) -> None:
    look(*patients)
    done = at_once(app, [lambda: seal_looks(actor=SYSTEM_ACTOR, at=LATER)] * 6)
    assert len({outcome.subject_id for outcome in done if outcome}) == 1
    assert [(one.number, one.count) for one in seals()] == [(1, 3)]
    assert wrong() == []


def test_looks_and_seals_beside_each_other_leave_none_out(app: Flask, patients: list[UUID]) -> None:
    def looking(person: int) -> None:
        for number in range(12):
            look(*patients, page=f"{person}-{number}")

    def sealing_along() -> None:
        for _ in range(6):
            try:
                seal_looks(actor=SYSTEM_ACTOR, at=LATER)
            except OperationalError:
                # Busy for longer than a seal waits: it is left for the next one.
                db.session.rollback()

    at_once(
        app, [*(lambda person=person: looking(person) for person in range(3)), sealing_along, sealing_along]
    )
    while seal_looks(actor=SYSTEM_ACTOR, at=LATER):
        pass
    assert sum(one.count for one in seals()) == 3 * 12 * 3
    assert unsealed_looks(db.session()) == 0
    assert wrong() == []


@pytest.mark.parametrize("engine_kind", ["postgresql"])
def test_a_look_whose_id_was_drawn_before_and_is_committed_after_is_not_left_out(
    app: Flask, patients: list[UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lower id is under way while the higher is committed: the seal waits, and gives up rather than leave it out."""
    drawn, let_go = threading.Event(), threading.Event()

    def slowly() -> None:
        with app.app_context(), unit_of_work() as session:
            session.execute(AccessEntry.__table__.insert(), _a_look(patients[0]))
            drawn.set()
            let_go.wait(20)

    slow = threading.Thread(target=slowly)
    slow.start()
    try:
        assert drawn.wait(20)
        look(patients[1])
        assert db.session.scalars(select(AccessEntry.id)).all() == [2]
        with pytest.raises(OperationalError, match="lock timeout"):
            seal_looks(actor=SYSTEM_ACTOR, at=LATER)
        db.session.rollback()
        # Nobody was kept from looking.
        look(patients[2])
        monkeypatch.setattr(sealing, "WAIT", "20s")
        threading.Timer(0.3, let_go.set).start()
        seal()
    finally:
        let_go.set()
        slow.join()
    assert [(one.from_id, one.to_id, one.count) for one in seals()] == [(1, 3, 3)]
    assert wrong() == []


# By whoever comes first ------------------------------------------------------------------------------------------


def test_the_first_request_after_the_hour_seals_once_it_is_answered(
    app: Flask, at_instant: Callable[[datetime], None], signed_in_client: Callable[..., CheckingClient]
) -> None:
    at_instant(LATER - timedelta(minutes=5))
    make_place()
    patient_id = make_patient(has_baseline=False)
    auditor = signed_in_client(Role.AUDITOR)
    auditor.get(f"/patients/{patient_id}").close()
    auditor.get("/audit").close()
    assert seals() == []
    at_instant(LATER)
    answer = auditor.get("/audit")
    assert seals() == []
    answer.close()
    assert [one.count for one in seals()] == [1]
    assert seals()[0].actor_id == SYSTEM_USER_ID
    assert "Audit: seal looks" in auditor.get("/audit").get_data(as_text=True)


def test_what_cannot_be_done_then_breaks_no_page(
    app: Flask,
    at_instant: Callable[[datetime], None],
    signed_in_client: Callable[..., CheckingClient],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def refuse(**_asked: object) -> None:
        tried.append(1)
        raise OperationalError("", {}, Exception("busy"))

    tried: list[int] = []
    at_instant(LATER)
    make_place()
    auditor = signed_in_client(Role.AUDITOR)
    monkeypatch.setattr(upkeep, "do_what_is_due", refuse)
    for _ in range(3):
        answer = auditor.get("/audit")
        answer.close()
        assert answer.status_code == 200
    assert len(tried) == 1
    assert "tried again in a minute" in caplog.text
    at_instant(LATER + timedelta(minutes=2))
    auditor.get("/audit").close()
    assert len(tried) == 2


def test_the_seal_before_the_first_is_none(app: Flask) -> None:
    assert last_seal(db.session()).to_id == 0
    assert seal_looks(actor=SYSTEM_ACTOR, at=LATER) is None
