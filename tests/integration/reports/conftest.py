"""A clinic that gives doses, and its reports read back."""

import pytest
from flask import Flask

from tests.factories.reports import ReportingClinic, make_reporting_clinic


@pytest.fixture
def clinic(app: Flask) -> ReportingClinic:
    """A clinic in London with a lot of 25 vials."""
    return make_reporting_clinic()
