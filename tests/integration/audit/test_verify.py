"""`flask audit verify` finds what was done behind the application, by the tables' owner with the laws switched off."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner
from sqlalchemy import select

from inventory.audit import acts, rules
from inventory.audit.models import AuditEntry, AuditHead, AuditLink
from inventory.audit.verification import Verification
from inventory.kernel.db import db
from inventory.kernel.permissions import SYSTEM_ACTOR
from inventory.patients import services
from inventory.patients.models import ConsentStatus
from tests.factories.doses import Bench
from tests.factories.patients import make_patient
from tests.support.databases import Database

Tamper = Callable[..., None]


@pytest.fixture
def tamper(database: Database) -> Iterator[Tamper]:
    """Runs plain SQL as the owner, with the triggers of every table out of the way, and puts the triggers back."""
    connection = database.connect_as_owner()

    def run(*statements: str) -> None:
        db.session.rollback()
        with _lawless(connection, database.kind):
            for statement in statements:
                connection.execute(statement)
        connection.commit()

    yield run
    connection.close()


@contextmanager
def _lawless(connection, kind: str) -> Iterator[None]:  # noqa: ANN001
    if kind == "postgresql":
        tables = [
            row[0]
            for row in connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        ]
        for table in tables:
            connection.execute(f'ALTER TABLE "{table}" DISABLE TRIGGER USER')
        yield
        connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in tables:
            connection.execute(f'ALTER TABLE "{table}" ENABLE TRIGGER USER')
        return
    laws = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
    connection.execute("PRAGMA foreign_keys=OFF")
    for name, _ in laws:
        connection.execute(f'DROP TRIGGER "{name}"')
    yield
    for _, sql in laws:
        connection.execute(sql)


@pytest.fixture
def consents(app: Flask, at: datetime) -> list[UUID]:
    """Three consents of one patient: the trail has four entries and witnesses three rows."""
    patient_id = make_patient(has_baseline=False, at=at)
    return [
        services.record_consent(
            actor=SYSTEM_ACTOR,
            at=at,
            patient_id=patient_id,
            status=ConsentStatus.GIVEN,
            decided_at=at,
            information_sheet=f"B12, version {n}",
        ).subject_id
        for n in range(3)
    ]


@pytest.fixture
def verify(cli: FlaskCliRunner) -> Callable[..., list[str]]:
    """Runs the command and returns its lines, the exit code in front; without the one that says which entry is the first."""

    def run(*arguments: str) -> list[str]:
        db.session.rollback()
        done = cli.invoke(args=["audit", "verify", *arguments], catch_exceptions=False)
        named, *said = done.output.splitlines()
        said = [line for line in said if not line.startswith("The first bad entry is ")]
        # A mistyped head is refused before anything is checked.
        return [str(done.exit_code), *(said if named.startswith("Checked: ") else [named, *said])]

    return run


Verify = Callable[..., list[str]]


def sql_id(database: Database, one: UUID) -> str:
    return f"'{one.hex if database.kind == 'sqlite' else one}'"


def head() -> str:
    return db.session.scalars(select(AuditHead.hash)).one()


def test_an_untouched_trail_is_well(consents: list[UUID], verify: Verify) -> None:
    assert verify() == ["0", f"The trail is well: 4 entries, head 4 {head()}."]


def test_an_empty_trail_is_well(app: Flask, verify: Verify) -> None:
    assert verify() == ["0", f"The trail is well: 0 entries, head 0 {'0' * 64}."]


def test_names_the_entry_whose_payload_was_changed(
    consents: list[UUID], verify: Verify, tamper: Tamper
) -> None:
    tamper(
        "UPDATE audit_payload SET payload = replace(payload, 'version 1', 'version 9')"
        " WHERE payload LIKE '%version 1%'"
    )
    assert verify() == ["1", "audit entry 3: its payload was changed"]


def test_names_the_entry_whose_payload_is_no_longer_json(
    consents: list[UUID], verify: Verify, tamper: Tamper
) -> None:
    tamper("UPDATE audit_payload SET payload = 'gone' WHERE payload LIKE '%version 1%'")
    assert verify() == [
        "1",
        "audit entry 3: its payload was changed",
        f"consent {consents[1].hex}: it cannot be checked: no other entry recorded this row, and the payload of audit entry 3 was changed",
    ]


def test_names_the_row_that_was_changed(
    consents: list[UUID], verify: Verify, tamper: Tamper, database: Database
) -> None:
    tamper(f"UPDATE consent SET status = 'refused' WHERE id = {sql_id(database, consents[2])}")
    assert verify() == ["1", f"consent {consents[2].hex}: the row was changed after it was recorded"]


def test_names_the_row_that_is_gone(
    consents: list[UUID], verify: Verify, tamper: Tamper, database: Database
) -> None:
    tamper(f"DELETE FROM consent WHERE id = {sql_id(database, consents[0])}")
    assert verify() == ["1", f"consent {consents[0].hex}: the row that audit entry 2 recorded is gone"]


def test_names_the_row_that_was_put_in_behind(consents: list[UUID], verify: Verify, tamper: Tamper) -> None:
    tamper("INSERT INTO consent SELECT " + _copied_consent())
    assert verify() == ["1", f"consent {'f' * 32}: no entry of the trail recorded this row"]


def test_a_row_put_in_for_one_taken_away_hides_neither(
    consents: list[UUID], verify: Verify, tamper: Tamper, database: Database
) -> None:
    tamper(
        "INSERT INTO consent SELECT " + _copied_consent(),
        f"DELETE FROM consent WHERE id = {sql_id(database, consents[0])}",
    )
    assert len(verify()) == 3


def _copied_consent() -> str:
    return (
        f"'{'f' * 32}', patient_id, status, information_sheet, decided_at, recorded_at, actor_id, note"
        " FROM consent WHERE information_sheet = 'B12, version 0'"
    )


def test_finds_an_entry_whose_author_was_changed(
    consents: list[UUID], verify: Verify, tamper: Tamper
) -> None:
    tamper(
        "UPDATE audit_entry SET action = 'patients.nothing' WHERE id ="
        " (SELECT entry_id FROM audit_link WHERE seq = 2)"
    )
    assert verify() == ["1", "audit entry 2: it was changed"]


def test_finds_an_entry_changed_with_its_digest(consents: list[UUID], verify: Verify, tamper: Tamper) -> None:
    tamper(
        f"UPDATE audit_entry SET digest = '{'a' * 64}' WHERE id = (SELECT entry_id FROM audit_link WHERE seq = 2)"
    )
    assert verify()[1:] == ["audit entry 2: its link was changed", "audit entry 2: it was changed"]


def test_finds_a_link_taken_out_of_the_middle(consents: list[UUID], verify: Verify, tamper: Tamper) -> None:
    tamper("DELETE FROM audit_link WHERE seq = 3")
    lines = verify()
    assert "audit entry 3: missing from the chain" in lines
    assert any(
        re.fullmatch(r"audit entry [0-9a-f]{32} \(patients\.record-consent\): it is not in the chain", line)
        for line in lines
    )


def test_a_trail_cut_short_is_well_but_does_not_hold_the_head_of_before(
    consents: list[UUID], verify: Verify, tamper: Tamper, database: Database
) -> None:
    held = head()
    assert verify("--head", held)[1:] == [
        f"The head {held} is in this chain, at entry 4.",
        f"The trail is well: 4 entries, head 4 {held}.",
    ]
    tamper(
        f"DELETE FROM consent WHERE id = {sql_id(database, consents[2])}",
        "UPDATE audit_head SET seq = 3, hash = (SELECT hash FROM audit_link WHERE seq = 3)",
        "DELETE FROM audit_payload WHERE entry_id = (SELECT entry_id FROM audit_link WHERE seq = 4)",
        "CREATE TEMPORARY TABLE cut AS SELECT entry_id FROM audit_link WHERE seq = 4",
        "DELETE FROM audit_link WHERE seq = 4",
        "DELETE FROM audit_entry WHERE id IN (SELECT entry_id FROM cut)",
    )
    assert verify()[0] == "0"
    assert verify("--head", held) == [
        "1",
        f"the head {held} is not in this chain: the trail was cut short, or it is another clinic's",
    ]


def test_a_head_that_is_no_hash_is_refused(app: Flask, verify: Verify) -> None:
    assert verify("--head", "yesterday")[0] == "2"


def test_finds_the_head_row_put_back(consents: list[UUID], verify: Verify, tamper: Tamper) -> None:
    tamper("UPDATE audit_head SET seq = 2, hash = (SELECT hash FROM audit_link WHERE seq = 2)")
    assert verify()[1] == "the head of the chain stands at entry 2, but the chain ends at entry 4"


def test_names_a_law_that_was_switched_off(app: Flask, verify: Verify, database: Database) -> None:
    owner = database.connect_as_owner()
    if database.kind == "sqlite":
        owner.execute("DROP TRIGGER dose_no_update")
        owner.execute("DROP TRIGGER dose_no_delete")
        owner.execute("CREATE TRIGGER dose_no_delete BEFORE DELETE ON dose BEGIN SELECT 1; END")
        expected = [
            "the law dose.dose_no_delete is not what it was",
            "the law dose.dose_no_update is missing or switched off",
        ]
    else:
        owner.execute("ALTER TABLE dose DISABLE TRIGGER dose_insert_only")
        expected = ["the law dose.dose_insert_only is missing or switched off"]
    owner.commit()
    owner.close()
    assert verify() == ["1", *expected]


def test_names_what_was_changed_before_the_law_that_let_it(
    consents: list[UUID], verify: Verify, database: Database
) -> None:
    owner = database.connect_as_owner()
    law = "consent.consent_no_update" if database.kind == "sqlite" else "consent.consent_insert_only"
    off = "DROP TRIGGER consent_no_update"
    owner.execute(off if database.kind == "sqlite" else "ALTER TABLE consent DISABLE TRIGGER USER")
    owner.execute(f"UPDATE consent SET status = 'refused' WHERE id = {sql_id(database, consents[0])}")
    owner.commit()
    owner.close()
    lines = verify()
    assert lines[1] == f"consent {consents[0].hex}: the row was changed after it was recorded"
    assert f"the law {law} is missing or switched off" in lines[2:]


def test_walks_more_than_one_batch(
    app: Flask, at: datetime, verify: Verify, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("inventory.audit.verification._BATCH", 3)
    with acts.batch():
        for _ in range(10):
            make_patient(has_baseline=False, at=at)
    assert db.session.scalars(select(AuditLink.seq).order_by(AuditLink.seq)).all() == list(range(1, 11))
    assert verify()[1].startswith("The trail is well: 10 entries, head 10 ")


def test_an_outsider_makes_the_hashes_again_as_the_documents_say(
    consents: list[UUID], database: Database
) -> None:
    document = (Path(__file__).parents[3] / "docs" / "audit.md").read_text(encoding="utf-8")
    code = re.findall(
        r"^    ((?:import|def|    |return).*)$", document.partition("## Checking")[0], re.MULTILINE
    )
    outsider: dict[str, Callable[..., str]] = {}
    exec("\n".join(code), outsider)  # noqa: S102  the document's own words are what is tested
    owner = database.connect_as_owner()
    rows = owner.execute(
        "SELECT link.previous_hash, link.seq, entry.digest, link.hash, payload.payload, payload.salt, entry.commitment"
        " FROM audit_link AS link JOIN audit_entry AS entry ON entry.id = link.entry_id"
        " JOIN audit_payload AS payload ON payload.entry_id = entry.id ORDER BY link.seq"
    ).fetchall()
    owner.close()
    assert len(rows) == 4
    for previous, seq, digest, linked, payload, salt, committed in rows:
        assert outsider["link_hash"](previous, seq, digest) == linked
        assert outsider["commitment"](payload, salt) == committed


def test_names_the_dose_by_its_number_when_one_character_of_its_row_was_changed(
    app: Flask, at: datetime, verify: Verify, tamper: Tamper
) -> None:
    bench = Bench()
    dose = bench.give(at=at)
    assert verify()[0] == "0"
    tamper("UPDATE dose SET indication = 'B12 deficiencz'")
    assert verify() == [
        "1",
        f"dose MAIN-000001 ({dose.id.hex}): the row was changed after it was recorded",
    ]


def test_finds_a_source_of_a_dose_put_in_and_a_movement_changed(
    app: Flask, at: datetime, verify: Verify, tamper: Tamper
) -> None:
    dose = Bench().give(at=at)
    tamper(
        "INSERT INTO dose_source SELECT dose_id, 2, vial_id, lot_id, movement_id, volume_ul, lot_number, expires_on,"
        " use_by_on, label_number FROM dose_source",
        "UPDATE movement SET amount_ul = amount_ul + 1 WHERE kind = 'give'",
    )
    lines = verify()
    assert f"dose source {dose.id.hex}/2: no entry of the trail recorded this row" in lines
    assert len([line for line in lines if line.startswith("movement ") and "was changed" in line]) == 1
    assert len(lines) == 3


def test_a_chain_rewritten_from_an_entry_on_breaks_where_the_rewriting_ends(
    consents: list[UUID], verify: Verify, tamper: Tamper
) -> None:
    held = head()
    tamper(*_rewritten(3))
    assert verify() == ["1", "audit entry 4: its link does not follow the one before"]
    tamper(*_rewritten(4))
    assert verify()[0] == "0"
    assert verify("--head", held)[0] == "1"


def _rewritten(seq: int) -> list[str]:
    """Return what somebody would run who changes an entry's action and makes its digest and its link's hash again."""
    db.session.rollback()
    entry_id = db.session.scalars(select(AuditLink.entry_id).where(AuditLink.seq == seq)).one()
    before = db.session.scalars(select(AuditLink.hash).where(AuditLink.seq == seq - 1)).one()
    entry = dict(
        db.session.execute(select(*AuditEntry.__table__.columns).where(AuditEntry.id == entry_id))
        .mappings()
        .one()
    )
    digest = rules.entry_digest(entry | {"action": "patients.edit"})
    linked = rules.link_hash(before, seq, digest)
    this = f"(SELECT entry_id FROM audit_link WHERE seq = {seq})"
    return [
        f"UPDATE audit_entry SET action = 'patients.edit', digest = '{digest}' WHERE id = {this}",
        f"UPDATE audit_link SET previous_hash = '{before}', hash = '{linked}' WHERE seq = {seq}",
        f"UPDATE audit_head SET hash = '{linked}' WHERE seq = {seq}",
    ]


# The first bad entry, and not too many lines ----------------------------------------------------------------------


def test_says_which_entry_is_the_first_before_any_other_line(
    consents: list[UUID], cli: FlaskCliRunner, tamper: Tamper, database: Database
) -> None:
    """The row of entry 2 is read after the payload of entry 4."""
    tamper(
        "UPDATE audit_payload SET payload = replace(payload, 'version 2', 'version 9') WHERE payload LIKE '%version 2%'",
        f"UPDATE consent SET status = 'refused' WHERE id = {sql_id(database, consents[0])}",
    )
    done = cli.invoke(args=["audit", "verify"], catch_exceptions=False)
    assert done.exit_code == 1
    assert done.stdout.splitlines()[1:] == [
        "The first bad entry is 2.",
        f"consent {consents[0].hex}: the row was changed after it was recorded",
        "audit entry 4: its payload was changed",
    ]


def test_says_how_many_more_there_are_than_are_said(
    app: Flask, at: datetime, verify: Verify, tamper: Tamper
) -> None:
    with acts.batch():
        for _ in range(103):
            make_patient(has_baseline=False, at=at)
    tamper("UPDATE audit_payload SET salt = 'none'")
    lines = verify()
    assert lines[100:] == ["audit entry 100: its payload was changed", "... and 3 more."]


def test_what_is_no_hash_and_no_key_at_all_is_named_and_stops_nothing(
    consents: list[UUID], verify: Verify, tamper: Tamper
) -> None:
    tamper(
        "UPDATE audit_link SET previous_hash = 'nothing' WHERE seq = 2",
        "UPDATE audit_entry SET digest = 'x' WHERE id = (SELECT entry_id FROM audit_link WHERE seq = 3)",
        """UPDATE audit_payload SET payload = '{"rows":{"consent":{"no key":"no digest"},"movement":{"x":1}}}'"""
        " WHERE entry_id = (SELECT entry_id FROM audit_link WHERE seq = 4)",
    )
    lines = verify()
    for line in (
        "audit entry 2: its link does not follow the one before",
        "audit entry 2: its link was changed",
        "audit entry 3: its link was changed",
        "audit entry 3: it was changed",
        "audit entry 4: its payload was changed",
    ):
        assert line in lines


def test_a_forged_payload_that_names_no_row_is_told_from_a_crash(
    consents: list[UUID], verify: Verify, tamper: Tamper
) -> None:
    """Somebody who makes every hash again may write what they like."""
    payload = '{"facts":{},"rows":{"consent":{"no key":"no digest"},"movement":{"x":"y"}}}'
    db.session.rollback()
    link = db.session.execute(select(AuditLink).where(AuditLink.seq == 4)).scalar_one()
    entry = dict(
        db.session.execute(select(*AuditEntry.__table__.columns).where(AuditEntry.id == link.entry_id))
        .mappings()
        .one()
    )
    committed = rules.commitment(payload, "0" * 32)
    digest = rules.entry_digest(entry | {"commitment": committed})
    linked = rules.link_hash(link.previous_hash, 4, digest)
    this = "(SELECT entry_id FROM audit_link WHERE seq = 4)"
    tamper(
        f"UPDATE audit_payload SET payload = '{payload}', salt = '{'0' * 32}' WHERE entry_id = {this}",
        f"UPDATE audit_entry SET commitment = '{committed}', digest = '{digest}' WHERE id = {this}",
        f"UPDATE audit_link SET hash = '{linked}' WHERE seq = 4",
        f"UPDATE audit_head SET hash = '{linked}'",
    )
    assert set(verify()) == {
        "1",
        "consent no key: the row that audit entry 4 recorded is gone",
        "movement x: the row that audit entry 4 recorded is gone",
        f"consent {consents[2].hex}: no entry of the trail recorded this row",
    }


# Up to an entry --------------------------------------------------------------------------------------------------


def up_to(seq: int) -> tuple[list[str], str]:
    db.session.rollback()
    check = Verification(db.session())
    return list(check.up_to(seq)), check.hash


def test_checks_up_to_an_entry_and_nothing_after_it(
    consents: list[UUID], tamper: Tamper, database: Database
) -> None:
    third = db.session.scalars(select(AuditLink.hash).where(AuditLink.seq == 3)).one()
    tamper("UPDATE audit_payload SET salt = 'none' WHERE payload LIKE '%version 2%'")
    assert up_to(3) == ([], third)
    assert up_to(4)[0] == ["audit entry 4: its payload was changed"]
    assert up_to(9)[0] == [
        "audit entry 4: its payload was changed",
        "the chain ends at entry 4, before entry 9",
    ]
    tamper(f"UPDATE consent SET status = 'refused' WHERE id = {sql_id(database, consents[1])}")
    assert up_to(3)[0] == [f"consent {consents[1].hex}: the row was changed after it was recorded"]
    assert up_to(2)[0] == []
    assert up_to(0) == ([], "0" * 64)


def test_tells_how_far_it_is(consents: list[UUID], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inventory.audit.verification._BATCH", 3)
    told: list[int] = []
    assert list(Verification(db.session(), progress=told.append).whole()) == []
    assert told == [3, 1]


def test_shows_a_progress_bar_on_a_terminal_only(
    consents: list[UUID], cli: FlaskCliRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cli.invoke(args=["audit", "verify"]).stderr == ""
    monkeypatch.setattr("inventory.audit.commands.on_a_terminal", lambda: True)
    done = cli.invoke(args=["audit", "verify"])
    assert "Entries" in done.stderr
    assert done.stdout.splitlines()[-1].startswith("The trail is well: 4 entries")
