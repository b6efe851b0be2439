"""A count finds what is there: what was done before it and told only after it is not taken off a second time."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import event

from inventory.doses.models import Dose
from inventory.doses.rules.terms import EntryMode, VoidKind
from inventory.doses.services import void_dose
from inventory.kernel.db import db
from inventory.kernel.errors import Refusal
from inventory.kernel.permissions import SYSTEM_ACTOR, Role
from inventory.stock import queries, services
from inventory.stock.models import AccountKind, AdjustReason, Lot, Vial
from inventory.stock.services import Explanation, Tally
from tests.factories.doses import Bench
from tests.factories.staff import make_actor
from tests.factories.stock import balance_ul

HOUR = timedelta(hours=1)
Source = tuple[Lot, Vial]


@pytest.fixture
def source(app: Flask, bench: Bench, at: datetime) -> Source:
    return bench.open_multi(at=at)


def counted(bench: Bench, source: Source, volume_ul: int, at: datetime) -> UUID:
    count_id = services.start_count(
        actor=SYSTEM_ACTOR, at=at, site_id=bench.place.site_id, location_id=bench.place.location_id
    ).subject_id
    tally = Tally({source[0].id: 1, bench.lot.id: 3}, {source[1].id: volume_ul})
    services.hand_in_count(actor=SYSTEM_ACTOR, at=at, count_id=count_id, tally=tally)
    return count_id


def post(count_id: UUID, at: datetime, reason: AdjustReason = AdjustReason.MISSING) -> None:
    db.session.rollback()
    lines = queries.lines_of(db.session(), queries.count_by_id(db.session(), count_id))
    why = {line.line.position: Explanation(reason) for line in lines if line.difference_ul}
    services.post_count(actor=make_actor(Role.MANAGER), at=at, count_id=count_id, explanations=why)


def late_dose(bench: Bench, source: Source, given_at: datetime, at: datetime) -> Dose:
    lot, vial = source
    return bench.give(
        bench.request(lot=lot, vial=vial, mode=EntryMode.ALREADY_GIVEN, given_at=given_at), at=at
    )


def test_a_dose_of_before_the_count_that_was_told_after_it_makes_it_stale(
    bench: Bench, source: Source, at: datetime
) -> None:
    count_id = counted(bench, source, 9_000, at + HOUR)
    late_dose(bench, source, at + HOUR / 2, at + 2 * HOUR)
    with pytest.raises(Refusal, match="COUNT-STALE"):
        post(count_id, at + 3 * HOUR)
    assert balance_ul(source[0], AccountKind.VIAL) == 9_000


def test_a_dose_of_after_the_count_stays_counted(bench: Bench, source: Source, at: datetime) -> None:
    count_id = counted(bench, source, 9_500, at + HOUR)
    late_dose(bench, source, at + HOUR + HOUR / 2, at + 2 * HOUR)
    post(count_id, at + 3 * HOUR)
    assert balance_ul(source[0], AccountKind.VIAL) == 8_500


def test_a_dose_of_before_the_count_that_was_voided_after_it_makes_it_stale(
    bench: Bench, source: Source, at: datetime
) -> None:
    dose = late_dose(bench, source, at + HOUR / 2, at + HOUR / 2)
    count_id = counted(bench, source, 10_000, at + HOUR)
    void_dose(
        actor=bench.nurse, at=at + 2 * HOUR, dose_id=dose.id, kind=VoidKind.NEVER_OPENED, reason="Not drawn"
    )
    with pytest.raises(Refusal, match="COUNT-STALE"):
        post(count_id, at + 3 * HOUR, AdjustReason.FOUND)
    assert balance_ul(source[0], AccountKind.VIAL) == 10_000


def test_the_list_is_read_from_shelves_and_open_vials_alone(
    bench: Bench, source: Source, at: datetime
) -> None:
    """However many containers were ever opened at a location, nothing looks among their accounts."""
    if db.engine.dialect.name != "sqlite":
        pytest.skip("The plan is read from SQLite")
    count_id = services.start_count(
        actor=SYSTEM_ACTOR, at=at, site_id=bench.place.site_id, location_id=bench.place.location_id
    ).subject_id
    count = queries.count_by_id(db.session(), count_id)
    sent: list[tuple[str, object]] = []

    def note(_conn: object, _cursor: object, statement: str, parameters: object, *_rest: object) -> None:
        sent.append((statement, parameters))

    event.listen(db.engine, "before_cursor_execute", note)
    queries.sheet(db.session(), count, at=at)
    event.remove(db.engine, "before_cursor_execute", note)
    statement, parameters = next(one for one in sent if "listed" in one[0])
    plan = db.session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
    steps = " ".join(row[3] for row in plan)
    assert "ix_vial_open" in steps
    assert "ix_account_location_id (location_id=? AND kind=?)" in steps
    assert "SCAN account" not in steps
