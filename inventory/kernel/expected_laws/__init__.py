"""Every trigger that a migrated database has, by kind of database; the lists beside this are made, not written."""

from inventory.kernel.expected_laws.postgresql import LAWS as POSTGRESQL
from inventory.kernel.expected_laws.sqlite import LAWS as SQLITE

EXPECTED_LAWS = {"sqlite": SQLITE, "postgresql": POSTGRESQL}
