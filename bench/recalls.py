"""A recall at a million doses: from one lot to everybody who received it, against the bare SQL query of the same rows.

Ours is what the report of a recall reads: the patients with how they can be reached, and the doses they were given, as objects.
The floor is the same rows, one statement each by the bare driver, fetched whole. Both are of one process and one database.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from bench.figures import Section, at_most
from bench.ground import ENGINE_NAMES, Ground, running, settle
from bench.long_past import Past, Stocked, live_through, stock
from bench.replayed import connect
from inventory.clinic.models import Site
from inventory.doses.queries import recalls
from inventory.kernel.db import db
from inventory.kernel.permissions import SYSTEM_ACTOR
from inventory.stock.models import Lot
from inventory.stock.notices import NamedLot
from inventory.stock.queries.recalls import recalled_lot_ids
from inventory.stock.services.recalls import Notice, open_recall
from tests.support.databases import Database

TITLE = "Recall of one lot"
EXPLAINED = """
From the lot to the list of its patients, each with how they can be reached, the doses that stand and the last of them; then every
dose of theirs. Ours is what the report of a recall reads, as objects; the floor is the same rows, one statement each by the bare
driver on the same database, fetched whole. The doses were written in bulk, after the pattern of one that was recorded;
`flask stock verify` finds nothing wrong with them.
"""
HEAD = (
    "| Database | Doses | Read | Rows | Floor | Ours | Ours to floor |",
    "|---|---:|---|---:|---:|---:|---:|",
)
MILLION = Past(lots=400, vials=250, doses=10, patients=20_000)
FEWER = Past(lots=16, vials=100, doses=10, patients=1_000)
_ALLOWED = 3
_TIMES = 15
_LIST = "its patients"
"""What has a budget: the list. The doses beside each name are shown as well."""
_BARE = {
    _LIST: """
SELECT patient.id, patient.family_name, patient.given_name, patient.born_on, patient.record_number, patient.phone,
  patient.email, patient.address, count(CASE WHEN dose_void.dose_id IS NULL THEN 1 END), max(dose.given_at)
FROM dose_source JOIN dose ON dose.id = dose_source.dose_id JOIN patient ON patient.id = dose.patient_id
  LEFT JOIN dose_void ON dose_void.dose_id = dose.id
WHERE dose_source.lot_id = {0} GROUP BY patient.id ORDER BY patient.name_key, patient.id
""",
    "their doses": """
SELECT dose.patient_id, dose.id, site.code, dose.number, site.name, dose.given_on,
  dose_source.lot_number, dose_source.volume_ul, dose_void.dose_id
FROM dose_source JOIN dose ON dose.id = dose_source.dose_id JOIN site ON site.id = dose.site_id
  LEFT JOIN dose_void ON dose_void.dose_id = dose.id
WHERE dose_source.lot_id = {0} ORDER BY dose.given_at, dose.id, dose_source.position
""",
}


def measured(ground: Ground) -> Section:
    """Measure both databases."""
    section = Section(TITLE, [*EXPLAINED.strip().splitlines(), "", *HEAD])
    past = FEWER if ground.quick else MILLION
    for kind, name in ENGINE_NAMES.items():
        with _clinic(ground, kind, past) as (database, stocked):
            for what, count, bare, ours in _recall(database, stocked):
                section.lines.append(
                    f"| {name} | {past.given:,} | {what} | {count:,} | {bare * 1000:.1f} ms"
                    f" | {ours * 1000:.1f} ms | {ours / bare:.2f} |"
                )
                if what == _LIST:
                    told = f"Recall of a lot among {past.given:,} doses, {name}: time to the bare query's"
                    section.budgets.append(at_most(told, _ALLOWED, ours / bare))
    return section


@contextmanager
def _clinic(ground: Ground, kind: str, past: Past) -> Iterator[tuple[Database, Stocked]]:
    print(f"Writing {past.given:,} doses ({ENGINE_NAMES[kind]}) ...", flush=True)
    with ground.databases.fresh(kind) as database:
        stocked = stock(database, past)
        live_through(database, past)
        yield database, stocked


def _recall(database: Database, stocked: Stocked) -> Iterator[tuple[str, int, float, float]]:
    """Recall a lot from the middle of the year; yield what was read, how many rows, and the seconds of floor and ours."""
    lot_id = stocked.lot_ids[len(stocked.lot_ids) // 2]
    with running(database):
        recall_id = _opened(lot_id)
        settle(database)
        bare = connect(database)
        for what, read in _READ.items():
            taken: tuple[list[float], list[float]] = ([], [])
            # In turns, so that both meet the machine as it is.
            for turn in range(_TIMES + 2):
                floor, rows = _timed(lambda: _asked(bare, database.kind, lot_id, _BARE[what]))  # noqa: B023
                ours, found = _timed(lambda: _answered(read, recall_id))  # noqa: B023
                if not rows or len(rows) != found:
                    raise RuntimeError(f"the bare query found {len(rows)}, ours {found}")
                # The first two bring both, and the pages of the file, to where they stay.
                for seconds, one in zip(taken, (floor, ours) if turn > 1 else (), strict=False):
                    seconds.append(one)
            # The quickest counts: whatever else the machine does only adds to it.
            yield what, len(rows), min(taken[0]), min(taken[1])
        bare.close()


def _patients(session: Session, recall_id: UUID) -> int:
    return len(list(recalls.recipients(session, recall_id)))


def _doses(session: Session, recall_id: UUID) -> int:
    found = recalls.doses_of(session, recalled_lot_ids(session, recall_id))
    return sum(map(len, found.values()))


_READ = {_LIST: _patients, "their doses": _doses}


def _opened(lot_id: UUID) -> UUID:
    site_id = db.session.execute(select(Site.id)).scalar_one()
    number = db.session.get_one(Lot, lot_id).lot_number
    notice = Notice(title="Recall", reason="A practice of the benchmark", is_drill=True)
    made = open_recall(
        actor=SYSTEM_ACTOR, at=datetime.now(UTC), site_id=site_id, notice=notice, named=[NamedLot(number)]
    )
    return made.subject_id


def _timed(work: Any) -> tuple[float, Any]:
    began = time.perf_counter()
    found = work()
    return time.perf_counter() - began, found


def _asked(connection: Any, kind: str, lot_id: UUID, statement: str) -> list[Any]:
    mark, value = ("?", lot_id.hex) if kind == "sqlite" else ("%s", lot_id)
    rows: list[Any] = connection.execute(statement.format(mark), (value,)).fetchall()
    connection.rollback()
    return rows


def _answered(read: Callable[[Session, UUID], int], recall_id: UUID) -> int:
    with Session(db.engine) as session:
        return read(session, recall_id)
