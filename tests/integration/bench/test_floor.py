"""The floor of a dose is honest: the bare driver, given the recorded statements, writes the very same doses."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import func, select

from bench.ground import running, settle
from bench.recorded import Recorder
from bench.replayed import replay
from bench.starting import NURSES, build_start
from inventory.audit.verification import Verification
from inventory.doses.services import record_dose
from inventory.kernel import clock
from inventory.kernel.db import db
from inventory.stock.verification import findings
from tests.support.databases import Database, Databases

DOSES = 16


@contextmanager
def recorded_doses(databases: Databases, kind: str) -> Iterator[tuple[Database, Recorder, dict[str, int]]]:
    """Give a clinic before its first dose, the statements of its doses as they were recorded on a copy, and its rows then."""
    with databases.fresh(kind) as base:
        with running(base):
            start = build_start(DOSES)
        settle(base)
        recorder = Recorder()
        with databases.copy_of(base) as copy, running(copy):
            with recorder.listening(db.engine):
                for patient in range(DOSES):
                    record_dose(actor=start.nurses[0], at=clock.now(), request=start.request(patient))
            rows = counted()
        yield base, recorder, rows


def counted() -> dict[str, int]:
    """Return how many rows each table has."""
    counts = [
        select(func.count()).select_from(t).scalar_subquery().label(t.name) for t in db.metadata.sorted_tables
    ]
    return dict(db.session.execute(select(*counts)).mappings().one())


@pytest.mark.parametrize("people", [1, NURSES])
def test_the_floor_writes_what_the_application_wrote(
    databases: Databases, engine_kind: str, people: int
) -> None:
    with recorded_doses(databases, engine_kind) as (base, recorder, rows), databases.copy_of(base) as copy:
        assert len(recorder.doses) == DOSES
        replay(copy, recorder.doses, people)
        with running(copy):
            assert counted() == rows
            assert list(findings(db.session())) == []
            if people == 1 or engine_kind == "sqlite":
                # One after another, every id is the one it was, and so is every row's witness in the trail.
                assert list(Verification(db.session()).whole()) == []
