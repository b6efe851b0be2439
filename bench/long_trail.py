"""The trail of a clinic with a long past: an entry for each dose that `bench.long_past` wrote in bulk, chained as services chain theirs.

Each entry witnesses the dose, its container and its movements (the one that opened the vial goes with the vial's first dose), and has
the facts of a dose that the services recorded. Every hash is made: the application's own check finds nothing wrong with it.
"""

import json
import secrets
from collections.abc import Iterator, Sequence
from itertools import count, islice
from typing import Any

from bench.ground import running, settle
from bench.long_past import laws_aside
from inventory.audit import rules
from inventory.audit.raw_rows import coder_of
from inventory.kernel.db import db
from tests.support.databases import Database

_BATCH = 5_000
_WITNESSED = ("dose", "dose_source", "movement")
_BULK = "c" + "0" * 31
"""Ids from here on were given in bulk: those that the services make begin with the time."""


def write_trail(database: Database) -> int:
    """Write an entry for each dose that was written in bulk; return how many entries the trail has."""
    with running(database), laws_aside(database) as connection:
        written = _Writing(connection, database.kind).write()
    settle(database)
    return written


class _Writing:
    def __init__(self, connection: Any, kind: str) -> None:
        self._connection, self._kind = connection, kind
        self._mark = "?" if kind == "sqlite" else "%s"
        self._coders = {name: coder_of(db.metadata.tables[name], kind) for name in _WITNESSED}
        self._entry = coder_of(db.metadata.tables["audit_entry"], kind, without=("digest",))
        self._seq, self._hash = connection.execute("SELECT seq, hash FROM audit_head").fetchone()
        self._pattern, self._facts = self._first_dose()

    def write(self) -> int:
        """Write in batches, in the order of the doses."""
        acts = self._acts()
        while some := [self._chained(*act) for act in islice(acts, _BATCH)]:
            entries, payloads, links = zip(*some, strict=True)
            self._insert("audit_entry", (*self._entry.names, "digest"), entries)
            self._insert("audit_payload", ("entry_id", "payload", "salt"), payloads)
            self._insert("audit_link", ("seq", "entry_id", "previous_hash", "hash"), links)
        head = f"UPDATE audit_head SET seq = {self._mark}, hash = {self._mark}"
        self._connection.execute(head, (self._seq, self._hash))
        return int(self._seq)

    def _first_dose(self) -> tuple[dict[str, Any], Any]:
        """Return the entry and the facts of the dose that the services recorded."""
        statement = self._entry.reading("action = 'doses.record' ORDER BY id LIMIT 1")
        row = self._connection.execute(statement).fetchone()
        entry = dict(zip(self._entry.names, row, strict=True))
        told = f"SELECT payload FROM audit_payload WHERE entry_id = {self._mark}"
        payload = self._connection.execute(told, (entry["id"],)).fetchone()[0]
        return {**entry, "request_key": None, "request_digest": None}, json.loads(payload)["facts"]

    def _acts(self) -> Iterator[tuple[dict[str, Any], dict[str, dict[str, str]]]]:
        """Yield what each entry says of its dose, and the digests of its rows: doses, sources and movements are in one order."""
        sources = self._rows("dose_source", "dose_id", _BULK)
        movements = self._rows("movement", "id", self._last_movement())
        kind = self._coders["movement"].names.index("kind")
        for number, dose in zip(count(), self._rows("dose", "id", _BULK), strict=False):
            moved: dict[str, str] = {}
            for movement in movements:
                moved |= self._digest("movement", movement)
                if movement[kind] == "give":
                    break
            told = dict(zip(self._coders["dose"].names, dose, strict=True))
            rows = {"dose": self._digest("dose", dose), "movement": moved}
            said = {name: told[name] for name in ("site_id", "patient_id", "recorded_at")}
            said |= {"id": f"f{number:031x}", "act_id": f"d{number:031x}", "subject_id": told["id"]}
            yield said, {**rows, "dose_source": self._digest("dose_source", next(sources))}

    def _last_movement(self) -> int:
        last = f"SELECT max(id) FROM movement WHERE act_id < '{_BULK}'"
        return int(self._connection.execute(last).fetchone()[0])

    def _rows(self, table: str, column: str, last: Any) -> Iterator[Sequence[Any]]:
        """Yield the rows of a table beyond `last`, by the first column of its key."""
        coder = self._coders[table]
        place = coder.names.index(column)
        after = coder.reading(f"{table}.{column} > {self._mark} ORDER BY {table}.{column} LIMIT {_BATCH}")
        while rows := self._connection.execute(after, (last,)).fetchall():
            yield from rows
            last = rows[-1][place]

    def _digest(self, table: str, row: Any) -> dict[str, str]:
        coder = self._coders[table]
        return {coder.key_of(row): coder.digest(row)}

    def _chained(self, said: dict[str, Any], rows: dict[str, dict[str, str]]) -> tuple[tuple[Any, ...], ...]:
        """Return the rows of an entry, its payload and its link."""
        payload, salt = rules.canonical({"facts": self._facts, "rows": rows}), secrets.token_hex(16)
        entry = {**self._pattern, **said, "commitment": rules.commitment(payload, salt)}
        values = [entry[name] for name in self._entry.names]
        digest = self._entry.digest(values)
        before, self._seq = self._hash, self._seq + 1
        self._hash = rules.link_hash(before, self._seq, digest)
        if self._kind == "sqlite":
            instant = self._entry.names.index("recorded_at")
            values[instant] = values[instant].replace("T", " ").removesuffix("Z")
        link = (self._seq, entry["id"], before, self._hash)
        return (*values, digest), (entry["id"], payload, salt), link

    def _insert(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        named = f"{table} ({', '.join(columns)})"
        if self._kind == "sqlite":
            marks = ", ".join("?" * len(columns))
            self._connection.executemany(f"INSERT INTO {named} VALUES ({marks})", rows)
            return
        with self._connection.cursor().copy(f"COPY {named} FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
