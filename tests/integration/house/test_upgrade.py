"""A clinic that is in use is brought to the newest tables: nothing it wrote is lost, and every law stands over it."""

from collections.abc import Iterator
from uuid import UUID

import flask_migrate
import pytest
from sqlalchemy import select

from inventory.app import create_app
from inventory.clinic.models import CounterKind
from inventory.clinic.numbers import next_number
from inventory.kernel.db import db, unit_of_work
from inventory.kernel.standing_laws import missing_laws
from inventory.stock import verification
from inventory.stock.models import Account, AccountKind, Lot
from tests.support.databases import ENGINE_KINDS, Database, Databases, close_engines, migrated

IDS = {
    name: UUID(int=number)
    for number, name in enumerate(("site", "place", "substance", "form", "product", "lot"), 1)
}
THEN = "2026-03-02 09:00:00.000000"
ROWS = """
INSERT INTO site (id, code, name, address, time_zone, created_at, version)
  VALUES ('{site}', 'MAIN', 'Main', '', 'UTC', '{then}', 1);
INSERT INTO location (id, site_id, name, kind) VALUES ('{place}', '{site}', 'Cabinet', 'cabinet');
INSERT INTO counter (site_id, kind, value) VALUES ('{site}', 'dose', 0);
INSERT INTO substance (id, name, is_cobalamin) VALUES ('{substance}', 'cyanocobalamin', true);
INSERT INTO formulation (id, substance_id, name, lebers_caution, refused)
  VALUES ('{form}', '{substance}', 'Cyanocobalamin', true, false);
INSERT INTO product (id, formulation_id, name, maker, version_number, container_type, container_kind, strength_ng,
  strength_ul, container_volume_ul, pack_size, routes, in_use_days, preservative, has_benzyl_alcohol, contains_aluminium,
  protect_from_light, overfill_limit_ul, notes, created_at, created_by_id, version)
  VALUES ('{product}', '{form}', 'Old', '', 1, 'multi_dose', 'vial', 1000000,
  1000, 10000, 1, 'IM', 28, '', false, false, false, 0, '', '{then}', '{system}', 1);
INSERT INTO lot (id, product_id, lot_number, lot_number_key, expires_on, expires_month_only, container_type,
  strength_ng, strength_ul, container_volume_ul, in_use_days, created_at, created_by_id)
  VALUES ('{lot}', '{product}', 'OLD-1', 'OLD1', '2027-05-31', false, 'multi_dose',
  1000000, 1000, 10000, 28, '{then}', '{system}');
INSERT INTO account (id, lot_id, kind, location_id, balance_ul, last_movement_id)
  VALUES (1, '{lot}', 'supplier', NULL, 0, 0), (2, '{lot}', 'shelf', '{place}', 0, 0);
INSERT INTO movement (act_id, kind, lot_id, from_id, to_id, amount_ul, site_id, location_id, occurred_at, recorded_at,
  actor_id)
  VALUES ('{lot}', 'receive', '{lot}', 1, 2, 30000, '{site}', '{place}', '{then}', '{then}', '{system}')
"""


@pytest.fixture(params=ENGINE_KINDS)
def first_house(request: pytest.FixtureRequest, databases: Databases) -> Iterator[Database]:
    """A clinic as the first migration left it, with one lot in its cabinet."""
    with databases.empty(request.param) as database:
        app = create_app(database.config(OWNER_DATABASE_URI=database.owner_url))
        with app.app_context():
            flask_migrate.upgrade(directory=app.config["MIGRATIONS_DIR"], revision="0001")
        close_engines(app)
        connection = database.connect_as_owner()
        written = {name: _written(key, database) for name, key in {**IDS, "system": UUID(int=0)}.items()}
        for row in ROWS.format(**written, then=THEN).split(";"):
            connection.execute(row)
        connection.commit()
        connection.close()
        yield database


def _written(key: UUID, database: Database) -> str:
    return key.hex if database.kind == "sqlite" else str(key)


def test_a_clinic_in_use_keeps_its_stock_and_gets_every_law(first_house: Database) -> None:
    app = create_app(migrated(first_house).config())
    with app.app_context():
        assert missing_laws() == []
        assert db.session.get_one(Lot, IDS["lot"]).lot_number == "OLD-1"
        shelf = select(Account.balance_ul).where(Account.kind == AccountKind.SHELF)
        assert db.session.scalars(shelf).all() == [30_000]
        # The lot was written behind the application, so only what the ledger itself says is asked.
        assert list(verification.findings(db.session())) == []
        with unit_of_work() as session:
            assert next_number(session, IDS["site"], CounterKind.TRANSFER) == 1
    close_engines(app)
