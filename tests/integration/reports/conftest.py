"""A clinic that gives doses, and its reports read back."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask

from inventory.kernel.db import db
from tests.factories.jobs import make_every_report_a_job
from tests.factories.reports import RECORDED_AT, ReportingClinic, make_reporting_clinic
from tests.support.databases import OwnerConnection


@pytest.fixture
def clinic(app: Flask) -> ReportingClinic:
    """A clinic in London with a lot of 25 vials."""
    return make_reporting_clinic()


@pytest.fixture
def every_report_a_job(clinic: ReportingClinic, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every report is a job, and every row of it is told of."""
    make_every_report_a_job(RECORDED_AT)
    monkeypatch.setattr("inventory.reports.progress.STEP", 1)
    monkeypatch.setattr("inventory.reports.jobs.running.EVERY", timedelta(0))


@pytest.fixture
def behind(owner_connection: OwnerConnection, engine_kind: str) -> Callable[[str], None]:
    """Runs a statement as the owner of the tables, who switches the laws off."""

    def run(statement: str) -> None:
        db.session.rollback()
        owner_connection.commit()
        table = statement.split()[2 if statement.startswith("DELETE") else 1]
        if engine_kind == "postgresql":
            owner_connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        else:
            owner_connection.execute("PRAGMA foreign_keys=OFF")
            laws = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ?"
            for (name,) in owner_connection.execute(laws, (table,)).fetchall():
                owner_connection.execute(f"DROP TRIGGER {name}")
        owner_connection.execute(statement)
        owner_connection.commit()

    return run
