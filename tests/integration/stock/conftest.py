"""A statement that the database must refuse, sent around the application: as its role, and as the owner of the tables."""

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy.exc import DBAPIError

from inventory.kernel.db import db
from tests.support.databases import OwnerConnection

Try = Callable[[str], str]


@pytest.fixture(params=["application", "owner"])
def refused(request: pytest.FixtureRequest, app: Flask, owner_connection: OwnerConnection) -> Try:
    """Runs a statement that must fail, and returns what the database said."""

    def by_the_application(statement: str) -> str:
        db.session.rollback()
        with pytest.raises(DBAPIError) as caught, db.engine.begin() as connection:
            connection.exec_driver_sql(statement)
        return str(caught.value)

    def by_the_owner(statement: str) -> str:
        db.session.rollback()
        with pytest.raises(Exception) as caught:
            owner_connection.execute(statement)
        owner_connection.rollback()
        return str(caught.value)

    return by_the_application if request.param == "application" else by_the_owner
