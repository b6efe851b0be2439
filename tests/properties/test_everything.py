"""Whatever people do in a clinic, in whatever order and typed for whenever, breaks no law of the stock, and it reconciles."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import rule, run_state_machine_as_test
from sqlalchemy import func, select

from inventory.clinic.models import Location, Site
from inventory.kernel.db import db
from inventory.stock.models import Account, AccountKind
from inventory.stock.queries.reconciliation import Scope, ScopeSite, lot_rows
from inventory.stock.reconciling import joined
from tests.properties.clinic.care import Care
from tests.properties.clinic.papers import Papers
from tests.properties.clinic.shelves import Shelves
from tests.properties.clinic.travels import Travels
from tests.properties.effort import effort
from tests.support.databases import ENGINE_KINDS, Databases

HELD = (AccountKind.SHELF, AccountKind.VIAL)


class Clinic(Shelves, Travels, Papers, Care):
    """Every act of every topic."""

    @rule(starts=st.integers(0, 60), days=st.integers(0, 40), to_today=st.booleans())
    def reconcile(self, starts: int, days: int, *, to_today: bool) -> None:
        """What came and went closes the period, of each lot, vial and site; to this day it ends with what is there."""
        db.session.rollback()
        today = self.now.date() + timedelta(days=1)  # in Auckland it may be tomorrow
        first = today - timedelta(days=starts)
        last = today if to_today else first + timedelta(days=days)
        sites = tuple(
            ScopeSite(site.id, site.code, site.name, site.time_zone)
            for site in db.session.scalars(select(Site))
        )
        rows = lot_rows(db.session(), Scope(sites, first, last))
        for sums in [row.sums for row in rows] + [part.sums for row in rows for part in row.parts]:
            assert sums.difference_ul == 0
            assert min(sums.opening_ul, sums.closing_ul) >= 0
        if last >= today:
            for site in sites:
                closing = joined(row.sums for row in rows if row.site_id == site.id).closing_ul
                assert closing == self.held_at(site)

    @staticmethod
    def held_at(site: ScopeSite) -> int:
        held = select(func.sum(Account.balance_ul)).join(Location, Location.id == Account.location_id)
        return int(db.session.scalar(held.where(Location.site_id == site.id, Account.kind.in_(HELD))) or 0)


@pytest.mark.parametrize("kind", ENGINE_KINDS)
def test_no_order_of_acts_breaks_a_law(databases: Databases, kind: str) -> None:
    fresh: Callable[[], Any] = lambda: databases.fresh(kind)  # noqa: E731
    run_state_machine_as_test(lambda: Clinic(fresh), settings=effort(5, 25))
