"""Taking a table along is an act: who took which, how many rows, and which bytes it was (law 11)."""

import hashlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO

from inventory.audit.acts import Act, Outcome, perform
from inventory.interop.exports import Exported, lines_of
from inventory.kernel.db import db
from inventory.kernel.ids import uuid7
from inventory.kernel.permissions import Actor

_PIECE = 64 * 1024


@dataclass(frozen=True, slots=True)
class Taken:
    """A table as it was taken along: its file, to be read from the start, how many rows it has, and its SHA-256."""

    file: BinaryIO
    rows: int
    sha256: str

    def pieces(self) -> Iterator[bytes]:
        """Return the file in pieces, once; it is closed after the last."""
        with self.file:
            while piece := self.file.read(_PIECE):
                yield piece


def export(*, table: Exported, actor: Actor, at: datetime) -> Taken:
    """Write the rows of the table that the signed-in person may see into a file, and note that `actor` takes it along.

    The file lies on disk and not in memory, however long the table is; it is gone when it is closed.
    """
    file = tempfile.TemporaryFile()  # noqa: SIM115  whoever sends it closes it
    digest, rows = hashlib.sha256(), 0
    try:
        for piece, count in lines_of(db.session(), table, table.statement()):
            digest.update(piece)
            file.write(piece)
            rows += count
    except BaseException:
        file.close()
        raise
    file.seek(0)
    taken = Taken(file, rows, digest.hexdigest())
    facts = {"table": table.name, "rows": taken.rows, "sha256": taken.sha256}

    def note(act: Act) -> Outcome:
        return act.record("interop.export", "export", uuid7(), facts=facts)

    perform(note, actor=actor, at=at)
    return taken
