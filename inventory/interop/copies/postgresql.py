"""A clinic in PostgreSQL, copied out by pg_dump and in by psql, which must be of the server's version or newer.

Law kept here: bringing a copy in is one transaction, so a failure or a kill leaves the clinic as it was.
"""

import os
import shutil
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from sqlalchemy import URL, Connection, create_engine, make_url
from sqlalchemy.pool import NullPool

from inventory.interop.copies.archive import ClinicFacts, private_file
from inventory.interop.copies.facts import facts_of
from inventory.kernel.errors import Refusal

_LEAVING = 2.0
"""Seconds that a connection which was just closed may take to be gone."""
_LOCK_TIMEOUT = "-c lock_timeout=30s"
_OTHERS = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    " AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
)
_IS_OWNER = (
    "SELECT pg_has_role(nspowner, 'USAGE') AND has_database_privilege(current_database(), 'CREATE')"
    " FROM pg_namespace WHERE nspname = 'public'"
)


def copy_out(url: str, into: Path, *, programs: str | None) -> ClinicFacts:
    """Dump the schema `public` into the new file `into` and return what that same snapshot says of its clinic.

    `programs` is the folder of PostgreSQL's programs; None looks on the PATH. Raises Refusal PG-PROGRAM-MISSING,
    PG-PROGRAM-FAILED.
    """
    pg_dump = program("pg_dump", programs)
    private_file(into)
    engine = create_engine(url, poolclass=NullPool, isolation_level="REPEATABLE READ")
    with engine.connect() as connection:
        snapshot = connection.exec_driver_sql("SELECT pg_export_snapshot()").scalar_one()
        facts = facts_of(lambda statement: connection.exec_driver_sql(statement).fetchone())
        arguments = ["--format=custom", "--schema=public", f"--snapshot={snapshot}", f"--file={into}"]
        _run([pg_dump, "--no-password", *arguments], url)
    return facts


def script_of(dump: Path, into: Path, *, programs: str | None) -> Path:
    """Turn a dump into the script `into` that makes its tables, which reads every byte of it. Touches no database.

    Raises Refusal PG-PROGRAM-MISSING, BACKUP-DAMAGED.
    """
    pg_restore = program("pg_restore", programs)
    private_file(into)
    arguments = ["--schema=public", "--no-owner", "--no-privileges", f"--file={into}", str(dump)]
    try:
        _run([pg_restore, *arguments])
    except Refusal as refusal:
        raise Refusal("BACKUP-DAMAGED", refusal.message) from refusal
    return into


def copy_in(script: Path, url: str, *, programs: str | None) -> None:
    """Make the schema `public` what `script` makes it, as its owner, in one transaction.

    Raises Refusal PG-PROGRAM-MISSING, PG-PROGRAM-FAILED, CLINIC-IN-USE, RESTORE-NOT-OWNER.
    """
    refuse_unready(url)
    psql = program("psql", programs)
    renewed = ["--command=DROP SCHEMA public CASCADE", "--command=CREATE SCHEMA public"]
    strict = [
        "--no-psqlrc",
        "--quiet",
        "--set=ON_ERROR_STOP=1",
        "--single-transaction",
        "--output",
        os.devnull,
    ]
    _run([psql, "--no-password", *strict, *renewed, f"--file={script}"], url)


def refuse_unready(url: str) -> None:
    """Raise Refusal CLINIC-IN-USE while anybody else is connected, RESTORE-NOT-OWNER unless the tables may be replaced."""
    # Each look in its own transaction: within one, the server shows the same list again.
    engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        others = _others(connection)
        is_owner = connection.exec_driver_sql(_IS_OWNER).scalar_one()
    if not is_owner:
        message = "Only the owner of the tables can restore. Set DATABASE_OWNER_URL (docs/deploy.md)."
        raise Refusal("RESTORE-NOT-OWNER", message)
    if others:
        message = f"{others} connections to the database are open. Stop the server, then restore."
        raise Refusal("CLINIC-IN-USE", message)


def _others(connection: Connection) -> int:
    """Return how many others are connected. One that has just left is listed until its process has ended, so look again."""
    last_look = time.monotonic() + _LEAVING
    while True:
        others = int(connection.exec_driver_sql(_OTHERS).scalar_one())
        if not others or time.monotonic() > last_look:
            return others
        time.sleep(0.05)


def program(name: str, folder: str | None) -> str:
    """Return where the program is. Raises Refusal PG-PROGRAM-MISSING."""
    found = shutil.which(name, path=folder)
    if found is None:
        where = folder or "the PATH"
        message = (
            f"{name} is not in {where}. Install PostgreSQL's client programs, or set PG_BIN to their folder."
        )
        raise Refusal("PG-PROGRAM-MISSING", message)
    return found


def _run(command: list[str], url: str | None = None) -> None:
    """Run a program on the database `url`. Raises Refusal PG-PROGRAM-FAILED with the last it said."""
    address = make_url(url) if url else None
    if address is not None:
        command = [*command, f"--dbname={_without_password(address)}"]
    done = subprocess.run(  # noqa: S603  a fixed program with our own arguments
        command, env=_environment(address), capture_output=True, text=True, errors="replace", check=False
    )
    if done.returncode != 0:
        said = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise Refusal("PG-PROGRAM-FAILED", f"{Path(command[0]).name} failed: {said}")


def _without_password(address: URL) -> str:
    # A command line can be read by anybody on the machine.
    return address.set(drivername="postgresql")._replace(password=None).render_as_string()


def _environment(address: URL | None) -> Mapping[str, str]:
    added = {"PGOPTIONS": _LOCK_TIMEOUT, "LC_MESSAGES": "C"}
    if address is not None and address.password is not None:
        added["PGPASSWORD"] = str(address.password)
    return {**os.environ, **added}
