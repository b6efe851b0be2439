"""The reconciliation of a ledger to which anything may have happened, against one summed from the beginning in plain Python."""

from datetime import timedelta
from itertools import product

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import rule, run_state_machine_as_test
from sqlalchemy import select

from inventory.app import create_app
from inventory.catalogue.models import Product
from inventory.clinic.models import Location, Site
from inventory.kernel.db import db
from inventory.stock.ledger import Place
from inventory.stock.models import Account, AccountKind, Movement
from inventory.stock.queries.reconciliation import LotRow, Scope, ScopeSite, lot_rows
from inventory.stock.reconciling import Column, joined, period_of
from tests.conftest import AT
from tests.factories.catalogue import make_multi_dose_product
from tests.factories.stock import make_place
from tests.properties.effort import effort
from tests.properties.test_ledger import LedgerMachine
from tests.support.databases import ENGINE_KINDS, Databases, close_engines

TODAY = AT.date()


class ReconciledMachine(LedgerMachine):
    """The machine of the ledger at two sites of other zones, whose clock may also jump by most of a day."""

    def __init__(self, product: Product, places: list[Place], sites: tuple[ScopeSite, ...]) -> None:
        self.sites = sites
        super().__init__(product, places)

    @rule(hours=st.integers(1, 20))
    def hours_pass(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    def teardown(self) -> None:
        """Reconcile every period around what happened, of both sites and of each."""
        moved = self.movements()
        for sites in (self.sites, self.sites[:1], self.sites[1:]):
            for starts, days in product(range(-1, 4), (1, 3)):
                first = TODAY + timedelta(days=starts)
                scope = Scope(sites, first, first + timedelta(days=days - 1), lot_ids=(self.lot.id,))
                self.reconcile(scope, moved)

    def reconcile(self, scope: Scope, moved: list[Movement]) -> None:
        rows = lot_rows(db.session(), scope)
        assert {row.site_id for row in rows} <= set(scope.site_ids)
        for row in rows:
            self.agrees(row, scope, moved)
        whole = joined(row.sums for row in rows)
        assert whole.difference_ul == 0
        # Each place stands in one of the two sites: what only moves inside a lot is nothing for the whole of it.
        assert whole.moved[Column.OPENED] == 0

    def agrees(self, row: LotRow, scope: Scope, moved: list[Movement]) -> None:
        zone = next(site.time_zone for site in scope.sites if site.id == row.site_id)
        begins, ends = period_of(scope.first_day, scope.last_day, zone)
        for part in row.parts:
            changes = [
                (m.occurred_at, m.amount_ul if m.to_id == key else -m.amount_ul)
                for key in self.accounts(row, part.vial_id, is_opened=part.is_opened)
                for m in moved
                if key in (m.from_id, m.to_id)
            ]
            assert part.sums.difference_ul == 0
            assert part.sums.opening_ul == sum(change for moment, change in changes if moment < begins)
            assert part.sums.closing_ul == sum(change for moment, change in changes if moment < ends)
            assert part.sums.opening_ul >= 0
            assert part.sums.closing_ul >= 0

    def accounts(self, row: LotRow, vial_id: object, *, is_opened: bool) -> list[int]:
        kind = AccountKind.VIAL if is_opened else AccountKind.SHELF
        here = (
            select(Account.id)
            .join(Location, Location.id == Account.location_id)
            .where(Account.lot_id == row.lot_id, Account.kind == kind, Location.site_id == row.site_id)
        )
        return list(db.session.scalars(here.where(Account.vial_id == vial_id) if is_opened else here))


@pytest.mark.parametrize("kind", ENGINE_KINDS)
def test_reconciliation_agrees_with_every_movement(databases: Databases, kind: str) -> None:
    with databases.fresh(kind) as database:
        app = create_app(database.config())
        with app.app_context():
            places = [make_place(), make_place(code="EAST", zone="Pacific/Auckland")]
            sites = tuple(
                ScopeSite(site.id, site.code, site.name, site.time_zone)
                for site in db.session.scalars(select(Site).order_by(Site.code.desc()))
            )
            made = make_multi_dose_product(at=AT, overfill_limit_ul=500)
            run_state_machine_as_test(
                lambda: ReconciledMachine(made, places, sites),
                settings=effort(5, 20),
            )
        close_engines(app)
