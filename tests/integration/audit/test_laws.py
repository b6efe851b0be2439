"""The list of expected laws is that of a migrated database, and what the trail witnesses is what is insert-only."""

import click
import pytest
from flask import Flask

from inventory import server
from inventory.audit.witness import WITNESSED
from inventory.kernel.db import db, dialect_name
from inventory.kernel.expected_laws import EXPECTED_LAWS
from inventory.kernel.standing_laws import laws_in_place, missing_laws
from tests.support.databases import Database

OWN_WITNESS = {"audit_entry", "audit_payload", "audit_link", "access_entry", "view_entry"}


def test_the_expected_laws_are_those_of_a_migrated_database(app: Flask) -> None:
    remedy = "run `python -m tests.support.expected_laws`"
    assert laws_in_place() == EXPECTED_LAWS[dialect_name()], remedy
    assert missing_laws() == []


def test_every_insert_only_table_is_witnessed(app: Flask) -> None:
    suffix = "_no_update" if dialect_name() == "sqlite" else "_insert_only"
    insert_only = {law.partition(".")[0] for law in laws_in_place() if law.endswith(suffix)}
    # A lot changes by a witnessed correction alone; it is compared with what it was when it was received.
    insert_only.add("lot")
    assert insert_only - OWN_WITNESS == set(WITNESSED)
    assert set(WITNESSED) <= set(db.metadata.tables)


def test_the_clinic_is_not_served_without_its_laws(app: Flask, database: Database) -> None:
    server.refuse_lawless(app)
    owner = database.connect_as_owner()
    on = " ON audit_link" if database.kind == "postgresql" else ""
    owner.execute(f"DROP TRIGGER audit_link_follows{on}")
    owner.commit()
    owner.close()
    with pytest.raises(click.ClickException, match="audit_link_follows is missing"):
        server.refuse_lawless(app)
