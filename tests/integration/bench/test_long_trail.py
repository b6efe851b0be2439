"""The trail that the benchmark checks is one that the application finds well, with an entry for every dose."""

from bench.ground import running
from bench.long_past import Past, live_through, stock
from bench.long_trail import write_trail
from inventory.audit.verification import Verification
from inventory.kernel.db import db
from inventory.stock.verification import findings
from tests.support.databases import Databases

PAST = Past(lots=8, vials=1, doses=10, patients=5)


def test_the_trail_written_in_bulk_is_well(databases: Databases, engine_kind: str) -> None:
    with databases.fresh(engine_kind) as database:
        stock(database, PAST)
        live_through(database, PAST)
        with running(database):
            before = Verification(db.session())
            assert len(list(before.whole())) == PAST.given * 3 + PAST.lots * PAST.vials
        assert write_trail(database) == before.entries + PAST.given
        with running(database):
            check = Verification(db.session())
            assert list(check.whole()) == []
            assert check.entries == before.entries + PAST.given
            assert list(findings(db.session())) == []
