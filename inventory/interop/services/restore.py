"""Restore: the clinic becomes what a backup holds. Everything that can be wrong is found before anything is touched."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import flask_migrate
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from flask import current_app
from sqlalchemy import create_engine, make_url, select, update
from sqlalchemy.pool import NullPool

from inventory.audit.acts import Act, Outcome, perform
from inventory.audit.models import AuditHead
from inventory.interop.copies import postgresql, sqlite
from inventory.interop.copies.archive import Manifest, read_archive
from inventory.interop.services.backup import (
    copy_to,
    database_address,
    has_clinic,
    owner_address,
    private_folder,
    sqlite_file,
)
from inventory.kernel.database_role import grant_application_role
from inventory.kernel.db import db
from inventory.kernel.errors import Refusal
from inventory.kernel.ids import uuid7
from inventory.kernel.permissions import SYSTEM_ACTOR
from inventory.kernel.turns import WritersTurn
from inventory.staff.models import OneTimeLink, UserSession


@dataclass(frozen=True, slots=True)
class Restored:
    """What was restored, and where the clinic that stood there before was kept, if there was one."""

    manifest: Manifest
    safety_copy: Path | None


def restore(source: Path, *, at: datetime, replace: bool = False) -> Restored:
    """Make the clinic what the backup `source` holds, bring it to the present schema, and end every sign-in.

    With `replace` it may take the place of a clinic, of which a safety copy is made first. Raises Refusal CLINIC-NOT-EMPTY,
    what `read_archive` raises, BACKUP-OTHER-DATABASE, BACKUP-DEMO, BACKUP-NEWER, CLINIC-IN-USE, RESTORE-NOT-OWNER, PG-PROGRAM-MISSING,
    PG-PROGRAM-FAILED; in each case nothing was touched.
    """
    with private_folder(Path(current_app.config["INSTANCE_DIR"])) as folder:
        manifest, content = read_archive(source, folder)
        _refuse_stranger(manifest)
        ready = _checked(manifest, content, folder)
        with _alone():
            before = _refuse_clinic(replace=replace)
            safety_copy = _keep_present(at) if before else None
            _bring_in(ready)
    _bring_up_to_date()
    _record(source, manifest, before, at)
    return Restored(manifest, safety_copy)


def _refuse_stranger(manifest: Manifest) -> None:
    """Refuse a backup that cannot or must not become this clinic."""
    engine = database_address().get_backend_name()
    if manifest.engine != engine:
        message = f"The backup is of {manifest.engine}; this clinic is kept in {engine}."
        raise Refusal("BACKUP-OTHER-DATABASE", message)
    if manifest.clinic.demo != current_app.config["DEMO"]:
        kinds = ("a real clinic", "the demo clinic")
        message = (
            f"The backup is of {kinds[manifest.clinic.demo]}; this is {kinds[current_app.config['DEMO']]}."
        )
        raise Refusal("BACKUP-DEMO", message)
    try:
        ScriptDirectory(current_app.config["MIGRATIONS_DIR"]).get_revision(manifest.clinic.revision)
    except CommandError:
        message = "The backup was made by a newer version of this program. Update first."
        raise Refusal("BACKUP-NEWER", message) from None


def _checked(manifest: Manifest, content: Path, folder: Path) -> Path:
    """Have the database's own program read the whole copy, and return what is to be brought in."""
    if manifest.engine == "sqlite":
        sqlite.check(content)
        return content
    postgresql.program("psql", _programs())
    return postgresql.script_of(content, folder / "clinic.sql", programs=_programs())


@contextmanager
def _alone() -> Iterator[None]:
    """Keep every other writer out: by the writers' turn on SQLite; on PostgreSQL nobody else may be connected."""
    turn: WritersTurn | None = getattr(db.engine, "clinic_turn", None)
    if turn is None:
        db.session.remove()
        db.engine.dispose()
        postgresql.refuse_unready(owner_address())
    with turn.taken() if turn else nullcontext():
        yield


def _refuse_clinic(*, replace: bool) -> str:
    """Return the head of the trail that is here now, empty where there is none. Raises Refusal CLINIC-NOT-EMPTY."""
    if not has_clinic():
        return ""
    if not replace:
        message = "There is a clinic in this database. Say --replace to put the backup in its place."
        raise Refusal("CLINIC-NOT-EMPTY", message)
    with db.engine.connect() as connection:
        return str(connection.scalar(select(AuditHead.hash)))


def _keep_present(at: datetime) -> Path:
    name = f"before-restore-{at.astimezone(UTC):%Y%m%dT%H%M%SZ}.{secrets.token_hex(2)}.backup"
    kept = Path(current_app.config["INSTANCE_DIR"]) / name
    copy_to(kept, at=at)
    return kept


def _bring_in(ready: Path) -> None:
    db.session.remove()
    address = database_address()
    if address.get_backend_name() == "sqlite":
        sqlite.copy_in(ready, sqlite_file(address))
    else:
        # Our own connections would keep the tables from being replaced.
        db.engine.dispose()
        postgresql.copy_in(ready, owner_address(), programs=_programs())


def _bring_up_to_date() -> None:
    """Migrate a backup of an older version, and on PostgreSQL give the application's role its rights."""
    flask_migrate.upgrade(directory=current_app.config["MIGRATIONS_DIR"])
    role = database_address().username
    if db.engine.dialect.name == "sqlite" or role == make_url(owner_address()).username:
        return
    owner = create_engine(owner_address(), poolclass=NullPool)
    with owner.begin() as connection:
        grant_application_role(connection, str(role))


def _record(source: Path, manifest: Manifest, before: str, at: datetime) -> None:
    """Say in the trail what was brought in and what it replaced; nobody stays signed in by what the backup remembers."""

    def write(act: Act) -> Outcome:
        session = act.session
        session.execute(update(UserSession).where(UserSession.revoked_at.is_(None)).values(revoked_at=at))
        session.execute(update(OneTimeLink).where(OneTimeLink.used_at.is_(None)).values(used_at=at))
        facts = {
            "file": source.name,
            "sha256": manifest.content_sha256,
            "taken_at": manifest.taken_at,
            "head": manifest.clinic.head_hash,
            "head_replaced": before,
        }
        return act.record("interop.restore", "backup", uuid7(), facts=facts)

    perform(write, actor=SYSTEM_ACTOR, at=at)


def _programs() -> str | None:
    folder: str | None = current_app.config.get("PG_BIN")
    return folder
