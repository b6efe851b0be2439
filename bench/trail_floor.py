"""The floor of a check of the trail: the bare driver reads the same rows, and hashlib hashes as many bytes. It imports nothing of ours.

The rows of each table are read as they lie, a thousand at a time; of each row as many bytes are hashed as its canonical form has on
average. No form is made, nothing is compared.
"""

import hashlib
import json
import os
import sqlite3
import sys
import time
from collections.abc import Iterator
from typing import Any

import psycopg

from bench.processes import peak_megabytes

_BATCH = 1_000
_CHAIN = """
SELECT * FROM audit_link JOIN audit_entry ON audit_entry.id = audit_link.entry_id
JOIN audit_payload ON audit_payload.entry_id = audit_link.entry_id ORDER BY audit_link.seq
"""


def main() -> None:
    """Read and hash what the JSON on the command line names; print what it took."""
    asked = json.loads(sys.argv[1])
    connection: Any = (
        sqlite3.connect(asked["place"]) if asked["kind"] == "sqlite" else psycopg.connect(asked["place"])
    )
    noise = memoryview(os.urandom(1 << 20))
    began, counted = time.perf_counter(), 0
    for name, sizes in asked["hashed"].items():
        statement = _CHAIN if name == "audit_link" else f'SELECT * FROM "{name}"'
        for rows in _batches(connection, asked["kind"], statement):
            counted += len(rows)
            for _row in rows:
                for size in sizes:
                    hashlib.sha256(noise[:size]).digest()
    seconds = time.perf_counter() - began
    print(json.dumps({"rows": counted, "seconds": seconds, "megabytes": peak_megabytes()}))


def _batches(connection: Any, kind: str, statement: str) -> Iterator[list[Any]]:
    # A cursor with a name is the server's, which PostgreSQL needs to give its rows in batches.
    cursor = connection.cursor() if kind == "sqlite" else connection.cursor(name="floor")
    cursor.execute(statement)
    while rows := cursor.fetchmany(_BATCH):
        yield rows
    cursor.close()


if __name__ == "__main__":
    main()
