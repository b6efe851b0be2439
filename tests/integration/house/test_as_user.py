"""`--as USER`: a person may do on the command line what they may do on the pages, and no more."""

from datetime import datetime
from pathlib import Path

import pytest
from flask.testing import FlaskCliRunner
from sqlalchemy import func, select

from inventory.audit.models import AuditEntry
from inventory.kernel.db import db
from inventory.kernel.permissions import Role
from tests.factories.clinic import make_site
from tests.factories.staff import make_actor

COMMANDS = [
    (["import", "patients", "{folder}/in.csv"], Role.MANAGER),
    (["import", "stock", "{folder}/in.csv"], Role.PRACTITIONER),
    (["user", "add", "max", "--name", "Max", "--role", "manager"], Role.MANAGER),
    (["user", "link", "max"], Role.PRESCRIBER),
    (["backup", "{folder}/out"], Role.PRACTITIONER),
    (
        ["report", "issue", "administrations", "--from=2026-01-01", "--to=2026-01-31", "--out={folder}/out"],
        Role.MANAGER,
    ),
]


@pytest.mark.parametrize("command, role", COMMANDS)
def test_refuses_a_person_whose_roles_do_not_include_it(
    cli: FlaskCliRunner, at: datetime, tmp_path: Path, command: list[str], role: Role
) -> None:
    make_site()
    make_actor(role, username="mara")
    (tmp_path / "in.csv").write_text("family_name,born_on\nAda,1990-01-02\n")
    before = db.session.scalar(select(func.count()).select_from(AuditEntry))
    said = cli.invoke(args=[*(part.format(folder=tmp_path) for part in command), "--as", "mara"])
    assert said.exit_code == 1
    assert "NOT-PERMITTED" in said.output
    assert len(said.output.splitlines()) == 1
    assert not (tmp_path / "out").exists()
    db.session.rollback()
    assert db.session.scalar(select(func.count()).select_from(AuditEntry)) == before


def test_lets_a_person_whose_roles_include_it(cli: FlaskCliRunner, at: datetime, tmp_path: Path) -> None:
    make_actor(Role.PRACTITIONER, username="nora")
    (tmp_path / "in.csv").write_text("family_name,born_on\nAda,1990-01-02\n")
    said = cli.invoke(args=["import", "patients", str(tmp_path / "in.csv"), "--as", "nora"])
    assert (said.exit_code, said.output) == (0, "Added from in.csv: 1 patient.\n")
