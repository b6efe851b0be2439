"""The clinic of the machine: two sites in two zones, three places, two products, the people, and a clock that only goes on."""

import os
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from sqlalchemy import func, select

from inventory.app import create_app
from inventory.audit.models import AuditEntry
from inventory.catalogue.models import ContainerType, Product
from inventory.kernel import clock
from inventory.kernel.db import db
from inventory.kernel.errors import Refusal, Refusals
from inventory.kernel.permissions import Role
from inventory.stock.ledger import Place
from inventory.stock.models import Account, AccountKind, HoldKind, Lot, Movement, Vial
from inventory.stock.services import hold_lot
from tests.conftest import AT
from tests.factories.catalogue import make_multi_dose_product, make_product, make_supplier
from tests.factories.staff import make_actor
from tests.factories.stock import make_delivery, make_open_vial, make_place
from tests.factories.transfers import make_transfer
from tests.properties.clinic import laws
from tests.support.databases import close_engines

T = TypeVar("T")
HIGHEST = 11
PICK = st.integers(0, HIGHEST)
"""Which of those that are there; what is picked from may be fewer."""
PLACE = st.integers(0, 2)
BACK = st.sampled_from(
    [None, None, None, (0, True), (1, False), (7, True), (30, False), (180, True), (2_000, False)]
)
"""How many minutes earlier than now an act is typed to have happened, and whether on the whole minute; None types nothing."""
EXPIRES_AFTER = {"A": 20, "B": 400, "C": 800}
"""The days until a lot expires, by its number: the same for every delivery of it."""
LIMITS = {"storage_min_decicelsius": 20, "storage_max_decicelsius": 80}
DONE: Counter[str] = Counter()
"""How often each rule did something, and was refused, in this run; printed where PROPERTY_TOLD is set."""


class World(RuleBasedStateMachine):
    """What every topic needs: the places, the people, `attempt`, and the laws after each act."""

    def __init__(self, fresh: Callable[[], Any]) -> None:
        super().__init__()
        self.opened = fresh()
        self.app = create_app(self.opened.__enter__().config())
        self.context = self.app.app_context()
        self.context.push()
        self.now = AT
        with clock.frozen(AT):
            self._furnish()

    def _furnish(self) -> None:
        self.places = [
            make_place(),
            make_place(location="Fridge"),
            make_place(code="FAR", location="Far fridge", zone="Pacific/Auckland"),
        ]
        self.nurse, self.witness = make_actor(Role.PRACTITIONER), make_actor(Role.PRACTITIONER)
        self.manager, self.prescriber = make_actor(Role.MANAGER), make_actor(Role.PRESCRIBER)
        self.second_manager = make_actor(Role.MANAGER)
        self.supplier: UUID = make_supplier(at=AT)
        multi = {"container_volume_ul": 2_000, "overfill_limit_ul": 100, "default_dose_ng": None}
        self.products: list[Product] = [
            make_product(overfill_limit_ul=100),
            make_multi_dose_product(dead_space_ul=30, **multi, **LIMITS),
        ]
        seeds = ((0, 0, "A"), (0, 1, "A"), (1, 1, "B"), (2, 1, "A"))
        lots = [
            self._stock(self.places[where], self.products[which], number) for where, which, number in seeds
        ]
        make_transfer(self.places[0], self.places[2], lot=lots[0], containers=2, at=AT)
        held = {"kind": HoldKind.HOLD, "reason": "Doubtful"}
        hold_lot(actor=self.nurse, at=AT, lot_id=lots[2].id, **held)

    def _stock(self, place: Place, product: Product, number: str) -> Lot:
        """Deliver of a lot, and open a container of it where one may be opened beforehand."""
        lot = make_delivery(
            place=place,
            product_id=product.id,
            lot_number=number,
            expires_on=AT.date() + timedelta(days=EXPIRES_AFTER[number]),
            containers=3,
        )
        if product.container_type == ContainerType.MULTI_DOSE:
            make_open_vial(lot, place=place)
        return lot

    def teardown(self) -> None:
        try:
            laws.assert_verified()
            if os.environ.get("PROPERTY_TOLD"):
                print(dict(sorted(DONE.items())))  # noqa: T201  asked for by the person who runs it
        finally:
            self.context.pop()
            close_engines(self.app)
            self.opened.__exit__(None, None, None)

    # ------------------------------------------------------------------------------------------------------ acting

    def attempt(self, name: str, act: Callable[[datetime], T], *, changes_ul: int | None = None) -> T | None:
        """Do an act a moment later than the last. A refusal is an answer, after which nothing was written.

        `changes_ul` is by how much the act changes all there is, in microlitres, where that is known beforehand.
        """
        self.now += timedelta(minutes=1, seconds=7)
        before, written = self.on_hand(), self.written()
        try:
            with clock.frozen(self.now):
                done = act(self.now)
        except (Refusal, Refusals) as refused:
            assert self.written() == written, "a refused act writes nothing"
            codes = {one.code for one in getattr(refused, "refusals", [refused])}
            DONE.update(f"{name}: {code}" for code in codes)
            return None
        DONE[name] += 1
        assert changes_ul is None or self.on_hand() - before == changes_ul
        return done

    def moment(self, back: tuple[int, bool] | None) -> datetime | None:
        """Return the earlier instant that is typed, or None."""
        if back is None:
            return None
        minutes, is_whole = back
        then = self.now - timedelta(minutes=minutes)
        return then.replace(second=0) if is_whole else then

    def written(self) -> tuple[int, int]:
        db.session.rollback()
        rows = (select(func.count()).select_from(model) for model in (Movement, AuditEntry))
        movements, entries = (db.session.scalar(one) or 0 for one in rows)
        return movements, entries

    def balances(self) -> dict[tuple[UUID, str], int]:
        """Return what each lot's accounts of a kind hold together."""
        db.session.rollback()
        sums = select(Account.lot_id, Account.kind, func.sum(Account.balance_ul))
        rows = db.session.execute(sums.group_by(Account.lot_id, Account.kind))
        return {(lot_id, kind): int(total) for lot_id, kind, total in rows if total}

    def on_hand(self) -> int:
        """Return all that is sealed, open or on its way, in microlitres."""
        db.session.rollback()
        held = select(func.sum(Account.balance_ul)).where(Account.kind.in_(laws.HOLDING))
        return int(db.session.scalar(held) or 0)

    # ----------------------------------------------------------------------------------------------------- finding

    @staticmethod
    def pick(found: Sequence[T], which: int) -> T:
        """Return one of those found."""
        return found[which % len(found)]

    def lots(self) -> Sequence[Lot]:
        db.session.rollback()
        return db.session.scalars(select(Lot).order_by(Lot.id)).all()

    def shelf(self, which: int, *kinds: ContainerType) -> tuple[Lot, Place]:
        """Return a lot (of one of the kinds) and a place where it lies sealed; for the highest number one where it may not."""
        db.session.rollback()
        on_shelf = (
            select(Account.lot_id, Account.location_id)
            .join(Lot, Lot.id == Account.lot_id)
            .where(Account.kind == AccountKind.SHELF, Account.balance_ul > 0)
            .where(Lot.container_type.in_(kinds or ContainerType))
        )
        found = db.session.execute(on_shelf.order_by(Account.id)).all()
        if not found or which == HIGHEST:
            return self.lots()[-1], self.places[-1]
        lot_id, location_id = self.pick(found, which)
        return db.session.get_one(Lot, lot_id), self.place_at(location_id)

    def place_at(self, location_id: UUID) -> Place:
        return next(place for place in self.places if place.location_id == location_id)

    def vials(self) -> Sequence[Vial]:
        """Return the open vials and the two that were closed last: they may be named too, and are refused."""
        db.session.rollback()
        labelled = select(Vial).where(Vial.label_number.is_not(None))
        opened = db.session.scalars(labelled.where(Vial.closed_at.is_(None)).order_by(Vial.id)).all()
        closed = labelled.where(Vial.closed_at.is_not(None)).order_by(Vial.id.desc()).limit(2)
        return [*opened, *db.session.scalars(closed)]

    def held_ul(self, vial: Vial) -> int:
        """Return what the ledger holds of a vial, wherever."""
        held = select(func.sum(Account.balance_ul)).where(
            Account.vial_id == vial.id, Account.kind == AccountKind.VIAL
        )
        return int(db.session.scalar(held) or 0)

    @rule(hours=st.integers(1, 30 * 24))
    def time_passes(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @invariant()
    def every_law_holds(self) -> None:
        laws.assert_laws()
