"""The key that signs reports in tests: making one takes long, so that a run makes one."""

import atexit
import shutil
import tempfile
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from inventory.reports.signing import keys

TEST_SECRETS = {"SECRET_KEY": "a secret for tests only", "SIGNING_PASSWORD": "a password for tests only"}


@cache
def signing_key_file() -> Path:
    """Return the file of a key whose certificate counts at every time at which tests live."""
    folder = tempfile.mkdtemp(prefix="clinic-key-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    path = Path(folder) / "signing_key.p12"
    made = keys.make_key("Invented Clinic", at=datetime(2019, 1, 2, tzinfo=UTC))
    keys.keep_key(path, made, password=TEST_SECRETS["SIGNING_PASSWORD"].encode())
    return path
