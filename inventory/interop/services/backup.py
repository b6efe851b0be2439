"""Backup: one file that holds the whole clinic, taken while it works."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from flask import current_app
from sqlalchemy import URL, inspect, make_url

from inventory.audit.acts import Act, Outcome, perform
from inventory.interop.copies import postgresql, sqlite
from inventory.interop.copies.archive import Manifest, write_archive
from inventory.kernel.db import db
from inventory.kernel.errors import Refusal
from inventory.kernel.ids import uuid7
from inventory.kernel.permissions import Actor


def back_up(target: Path, *, actor: Actor, at: datetime, force: bool = False) -> Manifest:
    """Write the whole clinic to the new file `target`, readable by its owner alone, and say so in the trail.

    Raises Refusal BACKUP-EXISTS unless `force`, BACKUP-NOTHING, BACKUP-UNWRITABLE, BACKUP-DAMAGED where the clinic's own file
    is damaged, and on PostgreSQL PG-PROGRAM-MISSING, PG-PROGRAM-FAILED.
    """
    manifest = copy_to(target, at=at, force=force)

    def write(act: Act) -> Outcome:
        facts = {"file": target.name, "sha256": manifest.content_sha256, "head": manifest.clinic.head_hash}
        return act.record("interop.back-up", "backup", uuid7(), facts=facts)

    perform(write, actor=actor, at=at)
    return manifest


def copy_to(target: Path, *, at: datetime, force: bool = False) -> Manifest:
    """Do what `back_up` does, without an entry in the trail."""
    if target.exists() and not force:
        raise Refusal("BACKUP-EXISTS", f"{target} is there already. Choose another name, or say --force.")
    if not has_clinic():
        raise Refusal("BACKUP-NOTHING", "There is no clinic in this database yet.")
    address = database_address()
    with private_folder(target.absolute().parent) as folder:
        content = folder / "copy"
        if address.get_backend_name() == "sqlite":
            facts = sqlite.copy_out(sqlite_file(address), content)
        else:
            facts = postgresql.copy_out(owner_address(), content, programs=current_app.config.get("PG_BIN"))
        taken_at = f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        return write_archive(
            target, content, engine=address.get_backend_name(), taken_at=taken_at, clinic=facts, force=force
        )


def has_clinic() -> bool:
    """Tell whether anything was ever done in this database: whether its trail has an entry."""
    if not inspect(db.engine).has_table("audit_entry"):
        return False
    with db.engine.connect() as connection:
        return connection.exec_driver_sql("SELECT 1 FROM audit_entry LIMIT 1").first() is not None


def database_address() -> URL:
    """Return the address of the clinic's database as the application uses it."""
    return make_url(current_app.config["SQLALCHEMY_DATABASE_URI"])


def owner_address() -> str:
    """Return the address that owns the tables; the application's own where no other is given."""
    address: str = (
        current_app.config.get("OWNER_DATABASE_URI") or current_app.config["SQLALCHEMY_DATABASE_URI"]
    )
    return address


def sqlite_file(address: URL) -> Path:
    """Return the file of an SQLite database. Raises Refusal BACKUP-NOTHING for one in memory."""
    if address.database in {None, "", ":memory:"}:
        raise Refusal("BACKUP-NOTHING", "This clinic is in memory only; there is no file to copy.")
    return Path(str(address.database))


@contextmanager
def private_folder(beside: Path) -> Iterator[Path]:
    """Give a folder on the same disk that its owner alone may read, gone with everything in it afterwards.

    Raises Refusal BACKUP-UNWRITABLE.
    """
    try:
        made = tempfile.TemporaryDirectory(prefix=".clinic-copy-", dir=beside)
    except OSError as error:
        raise Refusal("BACKUP-UNWRITABLE", f"{beside} cannot be written: {error.strerror}.") from error
    with made as name:
        yield Path(name)
