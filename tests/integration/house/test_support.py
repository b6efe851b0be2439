"""The tests' own ground: each test alone in its database, as a role that owns nothing, never beyond this machine."""

import socket

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from inventory.kernel.db import db
from tests.support.client import CheckingClient
from tests.support.databases import Database, OwnerConnection
from tests.support.migration_check import differences, heads
from tests.support.postgres import APPLICATION_ROLE
from tests.support.sockets import BeyondLoopbackError

MARK = "CREATE TABLE mark_of_a_test (id integer)"


@pytest.mark.parametrize("turn", [1, 2])
def test_each_test_has_a_database_of_its_own(turn: int, owner_connection: OwnerConnection) -> None:
    owner_connection.execute(MARK)
    owner_connection.commit()


def test_application_is_not_the_owner(app: Flask, database: Database) -> None:
    if database.kind == "sqlite":
        return
    assert db.session.execute(text("SELECT current_user")).scalar() == APPLICATION_ROLE
    with pytest.raises(ProgrammingError, match="permission denied"):
        db.session.execute(text(MARK))


def test_owner_goes_around_the_application(owner_connection: OwnerConnection) -> None:
    assert owner_connection.execute("SELECT count(*) FROM alembic_version").fetchone() == (1,)


def test_models_and_migrations_agree(database: Database) -> None:
    assert differences(database) == []


def test_migrations_end_in_one_revision() -> None:
    assert len(heads()) == 1


def test_a_request_does_not_share_the_session_of_the_test(app: Flask, client: CheckingClient) -> None:
    sessions: list[int] = [id(db.session())]
    app.after_request(lambda response: sessions.append(id(db.session())) or response)
    client.get("/static/css/clinic.css").close()
    assert len(set(sessions)) == 2


def test_no_test_reaches_another_machine() -> None:
    with socket.socket() as one, pytest.raises(BeyondLoopbackError, match="tried to connect to 192"):
        one.connect(("192.0.2.1", 80))
