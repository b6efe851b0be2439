"""The floor of a dose: its own statements, replayed by the bare driver on an identical copy of the starting database.

On SQLite the doses are replayed in the order in which they were committed, so that every statement meets what it met the
first time; eight writers hand the turn on, as one database file has one writer. On PostgreSQL eight replay at once, and
the ids and numbers that the database makes are put in the place of those it made the first time.
"""

import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import psycopg
from sqlalchemy import make_url

from bench.recorded import Statement, Transaction
from tests.support.databases import Database

_MADE_IN = {
    "from_id": "INSERT INTO account",
    "to_id": "INSERT INTO account",
    "movement_id": "INSERT INTO movement",
    "number": "UPDATE counter",
    "label_number": "UPDATE counter",
}
"""The parameters that hold what the database made, and the statement that returned it."""

Returned = list[Any]
"""What each statement of a transaction returned first; None where nothing."""


def replay(database: Database, doses: Sequence[Transaction], people: int) -> float:
    """Replay `doses` with so many writers at once; return doses per second."""
    scripts = _scripts(database, doses) if database.kind == "postgresql" and people > 1 else None
    connections = [connect(database) for _ in range(people)]
    turns = [threading.Lock() for _ in range(len(doses) + 1)]
    for turn in turns:
        turn.acquire()
    in_turn = database.kind == "sqlite" and people > 1
    ready = threading.Barrier(people + 1)

    def work(person: int) -> None:
        ready.wait()
        for number in range(person, len(doses), people):
            if in_turn:
                turns[number].acquire()
            if scripts:
                _run_script(connections[person], scripts[number])
            else:
                _run(connections[person], doses[number])
            if in_turn:
                turns[number + 1].release()

    seconds = timed(work, people, ready, turns[0].release if in_turn else None)
    for connection in connections:
        connection.close()
    return len(doses) / seconds


def timed(
    work: Callable[[int], None],
    people: int,
    ready: threading.Barrier,
    start: Callable[[], None] | None = None,
) -> float:
    """Run `work` once for each person at once, from the moment all are ready; return seconds. Raises what one raised."""
    failures: list[BaseException] = []

    def guarded(person: int) -> None:
        try:
            work(person)
        except BaseException as failure:
            failures.append(failure)
            raise

    threads = [threading.Thread(target=guarded, args=(person,), daemon=True) for person in range(people)]
    for thread in threads:
        thread.start()
    ready.wait()
    began = time.perf_counter()
    if start:
        start()
    for thread in threads:
        while thread.is_alive() and not failures:
            thread.join(0.5)
    if failures:
        raise failures[0]
    return time.perf_counter() - began


def connect(database: Database) -> Any:
    """Connect by the bare driver as the application does: its role, its pragmas."""
    if database.kind == "postgresql":
        connection = psycopg.connect(database.url.replace("+psycopg", "", 1))
        connection.execute("SET search_path TO public, pg_temp")
        connection.execute("SET timezone TO 'UTC'")
        connection.commit()
        return connection
    path = str(make_url(database.url).database)
    connection = sqlite3.connect(path, isolation_level=None, timeout=20, check_same_thread=False)
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "recursive_triggers=ON"):
        connection.execute(f"PRAGMA {pragma}")
    return connection


def _run(connection: Any, dose: Transaction) -> Returned:
    cursor = connection.cursor()
    returned = [_execute(cursor, one, one.parameters) for one in dose]
    connection.commit()
    return returned


def _execute(cursor: Any, statement: Statement, parameters: Any) -> Any:
    if statement.many:
        cursor.executemany(statement.text, parameters)
    else:
        cursor.execute(statement.text, parameters)
    if cursor.description is None:
        return None
    rows = cursor.fetchall()
    return rows[0][0] if rows else None


Script = list[tuple[Statement, dict[str, int]]]
"""Statements, each with the parameters to be replaced by what an earlier statement returns, by that one's position."""


def _scripts(database: Database, doses: Sequence[Transaction]) -> list[Script]:
    """Learn by one exact replay, alone and undone, which parameters are ids and numbers that the database made."""
    connection = connect(database)
    cursor = connection.cursor()
    made = [[_execute(cursor, one, one.parameters) for one in dose] for dose in doses]
    connection.rollback()
    connection.close()
    return [_script(dose, returned) for dose, returned in zip(doses, made, strict=True)]


def _script(dose: Transaction, returned: Returned) -> Script:
    script: Script = []
    made: dict[tuple[str, Any], int] = {}
    for position, statement in enumerate(dose):
        named = statement.parameters if isinstance(statement.parameters, dict) else {}
        keys = {name: (origin, named[name]) for name, origin in _MADE_IN.items() if name in named}
        script.append((statement, {name: made[key] for name, key in keys.items() if key in made}))
        if " RETURNING " in statement.text:
            origin = next(origin for origin in _MADE_IN.values() if statement.text.startswith(origin))
            made[origin, returned[position]] = position
    return script


def _run_script(connection: Any, script: Script) -> None:
    cursor = connection.cursor()
    returned: Returned = []
    for statement, wanted in script:
        parameters = statement.parameters
        if wanted:
            parameters = {**parameters, **{name: returned[at] for name, at in wanted.items()}}
        returned.append(_execute(cursor, statement, parameters))
    connection.commit()
