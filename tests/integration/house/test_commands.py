"""Commands on no clinic, on an older one, and what the verifications say they have checked."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner

from inventory.app import create_app
from tests.support.databases import Database, Databases, OwnerConnection, close_engines

ROOT = Path(__file__).resolve().parents[3]
PERIOD = ["--from", "2026-01-01", "--to", "2026-01-31", "--out", "unwritten.pdf"]
COMMANDS = [
    ["audit", "verify"],
    ["audit", "seal"],
    ["audit", "publish-head"],
    ["stock", "verify"],
    ["report", "issue", "administrations", *PERIOD],
    ["import", "patients", "unread.csv"],
    ["import", "stock", "unread.csv", "--as", "anna"],
    ["user", "add", "anna", "--name", "Anna", "--role", "admin"],
    ["user", "setup-code"],
    ["backup", "unwritten.b12"],
]


@pytest.fixture
def empty_app(databases: Databases, engine_kind: str) -> Iterator[Flask]:
    """The application on a database without a table."""
    with databases.empty(engine_kind) as empty:
        made = create_app(empty.config())
        yield made
        close_engines(made)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: " ".join(command[:2]))
def test_says_in_one_line_that_there_is_no_clinic(empty_app: Flask, command: list[str]) -> None:
    answer = empty_app.test_cli_runner().invoke(args=command)
    assert answer.exit_code == 1
    assert answer.output.startswith("Error: There is no clinic in ")
    assert answer.output.count("\n") == 1
    assert not Path("unwritten.pdf").exists()


def test_a_command_that_reads_makes_no_database(tmp_path: Path) -> None:
    for settings, words in (
        (
            {},
            "There is no clinic in clinic.sqlite3 yet; run make run (for the demo, put DEMO=1 before this command).",
        ),
        ({"DEMO": "1"}, "There is no demo clinic in demo.sqlite3 yet; run make demo."),
    ):
        ended = subprocess.run(
            [sys.executable, "-m", "flask", "--app", "wsgi", "audit", "verify"],
            cwd=ROOT,
            env={"INSTANCE": str(tmp_path), "PATH": os.defpath, **settings},
            text=True,
            capture_output=True,
            timeout=60,
            check=False,
        )
        assert (ended.returncode, ended.stdout, ended.stderr) == (1, "", f"Error: {words}\n")
    assert not list(tmp_path.glob("*.sqlite3*"))


def test_help_needs_no_clinic(empty_app: Flask) -> None:
    assert empty_app.test_cli_runner().invoke(args=["audit", "verify", "--help"]).exit_code == 0


def test_names_what_an_older_database_needs(cli: FlaskCliRunner, owner_connection: OwnerConnection) -> None:
    owner_connection.execute("UPDATE alembic_version SET version_num = '0000'")
    owner_connection.commit()
    answer = cli.invoke(args=["stock", "verify"])
    assert answer.exit_code == 1
    assert answer.output.endswith("bring it up to date: flask --app wsgi prepare\n")
    assert answer.output.count("\n") == 1


def test_verifications_name_the_clinic_and_its_database(cli: FlaskCliRunner, database: Database) -> None:
    name = "PostgreSQL" if database.kind == "postgresql" else "sqlite3"
    for command in (["audit", "verify"], ["stock", "verify"]):
        checked, outcome = cli.invoke(args=command).output.splitlines()
        assert checked.startswith("Checked: ")
        assert name in checked
        assert "://" not in checked
        assert "is well" in outcome
