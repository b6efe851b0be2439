"""A clinic that gives doses, and its reports read back."""

from datetime import timedelta

import pytest
from flask import Flask

from tests.factories.jobs import make_every_report_a_job
from tests.factories.reports import RECORDED_AT, ReportingClinic, make_reporting_clinic


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
