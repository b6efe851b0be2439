"""Backup and restore: what was there is there again, verified; what is damaged or a stranger is refused untouched."""

import hashlib
import json
import re
import sqlite3
import stat
import zipfile
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask
from flask.testing import FlaskCliRunner
from sqlalchemy import func, select

from inventory.app import create_app
from inventory.audit.models import AuditEntry, AuditHead, AuditLink, AuditPayload
from inventory.kernel.db import db, unit_of_work
from inventory.kernel.ids import uuid7
from inventory.kernel.permissions import SYSTEM_USER_ID
from inventory.patients.models import Patient
from inventory.staff.models import UserSession
from tests.factories.patients import make_patient
from tests.factories.stock import make_delivery
from tests.support.databases import Database, Databases, close_engines

Command = Callable[..., Result]


@pytest.fixture
def backup(app: Flask, cli: FlaskCliRunner, tmp_path: Path, at: datetime) -> Path:
    """A backup of a clinic with a patient and a delivery."""
    make_patient(family_name="Kept")
    make_delivery(containers=25)
    file = tmp_path / "evening.backup"
    said = cli.invoke(args=["backup", str(file)])
    assert said.exit_code == 0, said.output
    return file


@pytest.fixture
def restore(cli: FlaskCliRunner) -> Command:
    def run(file: Path, *options: str) -> Result:
        db.session.remove()
        return cli.invoke(args=["restore", str(file), *options])

    return run


@pytest.fixture
def other_clinic(
    databases: Databases, engine_kind: str, settings: dict[str, object]
) -> Iterator[Callable[..., Flask]]:
    """Makes an application on an empty database of the same kind, its context pushed."""
    made: list[Flask] = []
    with databases.fresh(engine_kind) as database:

        def make(**more: object) -> Flask:
            owner = database.owner_url if engine_kind == "postgresql" else None
            app = create_app(database.config(**settings | {"OWNER_DATABASE_URI": owner} | more))
            made.append(app)
            return app

        yield make
        for app in made:
            close_engines(app)


def names() -> list[str]:
    return list(db.session.scalars(select(Patient.family_name).order_by(Patient.name_key)))


def head() -> str:
    return str(db.session.scalar(select(AuditHead.hash)))


def manifest_of(file: Path) -> dict[str, object]:
    with zipfile.ZipFile(file) as archive:
        read: dict[str, object] = json.loads(archive.read("manifest.json"))
    return read


def test_restores_into_an_empty_clinic_and_verifies(backup: Path, other_clinic: Callable[..., Flask]) -> None:
    app = other_clinic()
    with app.app_context():
        said = app.test_cli_runner().invoke(args=["restore", str(backup)])
        assert said.exit_code == 0, said.output
        assert re.search(r"The trail is well: \d+ entries, head \d+ [0-9a-f]{64}\.", said.output)
        assert "The stock is well." in said.output
        assert names() == ["Kept"]
        assert app.test_cli_runner().invoke(args=["stock", "verify"]).exit_code == 0
        db.session.rollback()
        # The clinic goes on working: the rules of its tables came along.
        make_patient(family_name="Later")
        assert names() == ["Kept", "Later"]


def test_the_head_that_was_printed_is_still_in_the_chain(
    backup: Path, restore: Command, cli: FlaskCliRunner
) -> None:
    printed = manifest_of(backup)["clinic"]
    assert isinstance(printed, dict)
    make_patient(family_name="Lost")
    lost = head()
    assert restore(backup, "--replace").exit_code == 0
    assert cli.invoke(args=["audit", "verify", "--head", printed["head_hash"]]).exit_code == 0
    assert cli.invoke(args=["audit", "verify", "--head", lost]).exit_code == 1


def test_replaces_a_clinic_only_when_told_and_keeps_what_was_there(
    backup: Path, restore: Command, app: Flask
) -> None:
    make_patient(family_name="Present")
    refused = restore(backup)
    assert refused.exit_code == 1
    assert refused.output.startswith("Error: CLINIC-NOT-EMPTY evening.backup: ")
    assert names() == ["Kept", "Present"]
    assert restore(backup, "--replace").exit_code == 0
    assert names() == ["Kept"]
    (safety_copy,) = Path(app.config["INSTANCE_DIR"]).glob("before-restore-*.backup")
    assert restore(safety_copy, "--replace").exit_code == 0
    assert names() == ["Kept", "Present"]


def test_trail_tells_of_backup_and_restore(backup: Path, restore: Command) -> None:
    assert newest_entry()[0] == "interop.back-up"
    replaced = head()
    restore(backup, "--replace")
    action, payload = newest_entry()
    assert action == "interop.restore"
    assert json.loads(payload)["facts"]["head_replaced"] == replaced


def newest_entry() -> tuple[str, str]:
    row = db.session.execute(
        select(AuditEntry.action, AuditPayload.payload)
        .join(AuditLink, AuditLink.entry_id == AuditEntry.id)
        .join(AuditPayload, AuditPayload.entry_id == AuditEntry.id)
        .order_by(AuditLink.seq.desc())
        .limit(1)
    ).one()
    return row.action, row.payload


def test_nobody_stays_signed_in_by_what_a_backup_remembers(
    app: Flask, cli: FlaskCliRunner, restore: Command, tmp_path: Path, at: datetime
) -> None:
    make_patient()
    with unit_of_work() as session:
        session.add(
            UserSession(
                id=uuid7(), token_hash="t", user_id=SYSTEM_USER_ID, created_at=at, last_seen_at=at,
                expires_at=at.replace(year=2027), address="::1", user_agent="",
            )
        )  # fmt: skip
    file = tmp_path / "b"
    cli.invoke(args=["backup", str(file)])
    assert restore(file, "--replace").exit_code == 0
    assert db.session.scalar(select(func.count()).where(UserSession.revoked_at.is_(None))) == 0


def test_backup_is_private_whole_and_overwrites_nothing(backup: Path, cli: FlaskCliRunner) -> None:
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    assert [path.name for path in backup.parent.iterdir() if "evening" in path.name] == [backup.name]
    before = backup.read_bytes()
    again = cli.invoke(args=["backup", str(backup)])
    assert (again.exit_code, again.output.count("\n")) == (1, 1)
    assert "BACKUP-EXISTS" in again.output
    assert backup.read_bytes() == before
    make_patient(family_name="Newer")
    assert cli.invoke(args=["backup", str(backup), "--force"]).exit_code == 0
    assert backup.read_bytes() != before
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600


def test_nothing_to_back_up_is_one_line(cli: FlaskCliRunner, tmp_path: Path) -> None:
    said = cli.invoke(args=["backup", str(tmp_path / "b")])
    assert (said.exit_code, said.output.count("\n")) == (1, 1)
    assert "BACKUP-NOTHING" in said.output
    assert list(tmp_path.glob("*b")) == []


def test_damaged_file_is_refused_before_anything_is_touched(backup: Path, restore: Command) -> None:
    whole = backup.read_bytes()
    damages = {
        "cut": whole[: len(whole) // 2],
        "cut by one": whole[:-1],
        "bit": whole[: len(whole) // 2] + bytes([whole[len(whole) // 2] ^ 1]) + whole[len(whole) // 2 + 1 :],
        "empty": b"",
        "text": b"not a backup",
    }
    present = head()
    for name, content in damages.items():
        backup.write_bytes(content)
        refused = restore(backup, "--replace")
        assert (refused.exit_code, refused.output.count("\n")) == (1, 1), name
        assert re.match(r"Error: BACKUP-(DAMAGED|NOT-OURS) evening\.backup: ", refused.output), name
    assert head() == present


def test_content_that_is_no_copy_of_a_clinic_is_refused(
    backup: Path, restore: Command, tmp_path: Path, database: Database
) -> None:
    name = "clinic.sqlite3" if database.kind == "sqlite" else "clinic.pgdump"
    manifest = manifest_of(backup)
    if database.kind == "sqlite":
        (tmp_path / "x").touch()
        sqlite3.connect(tmp_path / "x").execute("CREATE TABLE shoe (size)").close()
        content = (tmp_path / "x").read_bytes()
    else:
        content = b"PGDMP and then nothing of the kind"

    manifest |= {"content_bytes": len(content), "content_sha256": hashlib.sha256(content).hexdigest()}
    with zipfile.ZipFile(backup, "w") as archive:
        archive.writestr("manifest.json", json.dumps(manifest))
        archive.writestr(name, content)
    present = head()
    refused = restore(backup, "--replace")
    assert "BACKUP-DAMAGED" in refused.output
    assert head() == present


@pytest.mark.parametrize(
    "change, code",
    [
        ({"engine": "sqlite or postgresql, the other"}, "BACKUP-DAMAGED"),
        ({"format_version": 99}, "BACKUP-NEWER"),
        ({"format": "something else"}, "BACKUP-DAMAGED"),
    ],
)
def test_stranger_is_refused(backup: Path, restore: Command, change: dict[str, object], code: str) -> None:
    rewrite(backup, change)
    refused = restore(backup, "--replace")
    assert (refused.exit_code, refused.output.split()[1]) == (1, code)


def test_newer_schema_is_refused(backup: Path, restore: Command) -> None:
    clinic = manifest_of(backup)["clinic"]
    assert isinstance(clinic, dict)
    rewrite(backup, {"clinic": clinic | {"revision": "9999"}})
    assert "BACKUP-NEWER" in restore(backup, "--replace").output


def test_demo_is_not_restored_over_a_real_clinic_nor_the_other_way(
    backup: Path, restore: Command, other_clinic: Callable[..., Flask]
) -> None:
    demo = other_clinic(DEMO=True)
    with demo.app_context():
        said = demo.test_cli_runner().invoke(args=["restore", str(backup)])
        assert (
            "BACKUP-DEMO evening.backup: The backup is of a real clinic; this is the demo clinic."
            in said.output
        )
    clinic = manifest_of(backup)["clinic"]
    assert isinstance(clinic, dict)
    rewrite(backup, {"clinic": clinic | {"demo": True}})
    assert "BACKUP-DEMO" in restore(backup, "--replace").output
    assert names() == ["Kept"]


def test_copy_of_the_other_database_is_refused(backup: Path, restore: Command, database: Database) -> None:
    other = {"sqlite": ("postgresql", "clinic.pgdump"), "postgresql": ("sqlite", "clinic.sqlite3")}
    engine, name = other[database.kind]
    rewrite(backup, {"engine": engine}, content_as=name)
    assert "BACKUP-OTHER-DATABASE" in restore(backup, "--replace").output


@pytest.mark.parametrize("engine_kind", ["postgresql"])
def test_missing_programs_are_named(app: Flask, cli: FlaskCliRunner, tmp_path: Path) -> None:
    make_patient()
    app.config["PG_BIN"] = str(tmp_path)
    said = cli.invoke(args=["backup", str(tmp_path / "b")])
    assert (said.exit_code, said.output.count("\n")) == (1, 1)
    assert f"PG-PROGRAM-MISSING b: pg_dump is not in {tmp_path}." in said.output


@pytest.mark.parametrize("engine_kind", ["postgresql"])
def test_clinic_in_use_is_not_replaced(backup: Path, restore: Command, database: Database) -> None:
    connection = database.connect_as_owner()
    assert "CLINIC-IN-USE evening.backup: 1 connections" in restore(backup, "--replace").output
    connection.close()
    assert restore(backup, "--replace").exit_code == 0


@pytest.mark.parametrize("engine_kind", ["postgresql"])
def test_only_the_owner_restores(app: Flask, backup: Path, restore: Command) -> None:
    app.config["OWNER_DATABASE_URI"] = None
    assert "RESTORE-NOT-OWNER" in restore(backup, "--replace").output
    assert names() == ["Kept"]


def rewrite(file: Path, change: dict[str, object], content_as: str = "") -> None:
    """Write the backup again with other words in its manifest."""
    with zipfile.ZipFile(file) as archive:
        manifest = json.loads(archive.read("manifest.json")) | change
        (name,) = (name for name in archive.namelist() if name != "manifest.json")
        content = archive.read(name)
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("manifest.json", json.dumps(manifest))
        archive.writestr(content_as or name, content)
