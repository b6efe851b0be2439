"""The ledger's laws with returns, destructions, their reversals, and temperatures that hold stock until a decision."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule, run_state_machine_as_test
from sqlalchemy import select

from inventory.app import create_app
from inventory.clinic.models import Location
from inventory.kernel.db import db
from inventory.kernel.errors import Refusal, Refusals
from inventory.kernel.permissions import SYSTEM_ACTOR, Actor, Role
from inventory.stock import services, verification
from inventory.stock.models import (
    Account,
    DisposalKind,
    DisposalLine,
    ExcursionDecision,
    ExcursionHold,
    Hold,
    Movement,
    TemperatureExcursion,
    Vial,
    WasteReason,
)
from inventory.stock.services.disposals import (
    Document,
    Line,
    SealedLine,
    VialLine,
    destroy,
    return_to_supplier,
    reverse_disposal,
)
from inventory.stock.services.temperatures import decide_excursion, record_temperature
from tests.conftest import AT
from tests.factories.catalogue import make_multi_dose_product, make_supplier
from tests.factories.staff import make_actor
from tests.factories.stock import make_place
from tests.properties.effort import effort
from tests.properties.test_ledger import BACK, CONTAINER_UL, MAY_BE_REFUSED, LedgerMachine
from tests.support.databases import ENGINE_KINDS, Databases, close_engines

LEAVING_REFUSED = MAY_BE_REFUSED | {"DISPOSAL-VIALS", "VIAL-EMPTY", "READING-TWICE"}
ACTS = {DisposalKind.RETURN: return_to_supplier, DisposalKind.DESTRUCTION: destroy}


class LeavingMachine(LedgerMachine):
    """One lot of a product with limits, which also leaves on documents and gets too warm."""

    def __init__(self, *args: Any, supplier: UUID, witness: Actor, manager: Actor) -> None:
        self.supplier, self.witness, self.manager = supplier, witness, manager
        self.documents: list[UUID] = []
        super().__init__(*args)

    def attempt(self, act: Any) -> Any:
        try:
            return act()
        except (Refusal, Refusals) as refused:
            codes = {r.code for r in getattr(refused, "refusals", [refused])}
            assert codes <= LEAVING_REFUSED, codes
            return None

    @rule(
        kind=st.sampled_from(DisposalKind),
        where=st.integers(0, 1),
        containers=st.integers(0, 3),
        which=st.none() | st.integers(0, 9),
        back=BACK,
    )
    def dispose(self, kind: DisposalKind, where: int, containers: int, which: int | None, back: int) -> None:
        at, place = self.at(), self.places[where]
        when = at - timedelta(minutes=back)
        lines: list[Line] = []
        if containers:
            lines.append(SealedLine(self.lot.id, place.location_id, containers, WasteReason.EXPIRED))
        if which is not None and self.vials:
            lines.append(VialLine(self.vials[which % len(self.vials)], WasteReason.BROKEN))
        if not lines:
            return
        document = Document(
            place.site_id,
            f"{self.lot.lot_number}/{len(self.documents)}",  # of this history: the supplier is that of all of them
            lines,
            supplier_id=self.supplier,
            witness_id=self.witness.id,
            disposed_at=when,
        )
        outcome = self.attempt(lambda: ACTS[kind](actor=SYSTEM_ACTOR, at=at, document=document))
        self.documents += [outcome.subject_id] if outcome else []

    @precondition(lambda self: self.documents)
    @rule(which=st.integers(0, 9))
    def reverse_document(self, which: int) -> None:
        at, disposal_id = self.at(), self.documents[which % len(self.documents)]
        self.attempt(
            lambda: reverse_disposal(
                actor=SYSTEM_ACTOR, at=at, disposal_id=disposal_id, reason="Recorded wrongly"
            )
        )

    @rule(where=st.integers(0, 1), decicelsius=st.integers(0, 100), back=BACK)
    def read_temperature(self, where: int, decicelsius: int, back: int) -> None:
        at, place = self.at(), self.places[where]
        when = at - (at - AT) * back / 400
        lay_there = self.lay_there(where, when)
        before = len(db.session.scalars(select(TemperatureExcursion.id)).all())
        waiting = self.waiting(where)
        db.session.rollback()
        outcome = self.attempt(
            lambda: record_temperature(
                actor=SYSTEM_ACTOR,
                at=at,
                location=db.session.get_one(Location, place.location_id),
                decicelsius=decicelsius,
                read_at=when,
            )
        )
        db.session.rollback()
        after = len(db.session.scalars(select(TemperatureExcursion.id)).all())
        crossed = outcome is not None and lay_there and not 20 <= decicelsius <= 80
        assert after - before == int(crossed and not waiting)

    @precondition(lambda self: self.waiting(0) or self.waiting(1))
    @rule()
    def release(self) -> None:
        self.release_one()

    def release_one(self) -> None:
        at = self.at()
        excursion_id = db.session.scalars(
            select(TemperatureExcursion.id).where(TemperatureExcursion.decided_at.is_(None))
        ).first()
        assert excursion_id is not None
        db.session.rollback()
        decide_excursion(
            actor=self.manager,
            at=at,
            excursion_id=excursion_id,
            decision=ExcursionDecision.RELEASE,
            note="Allowed",
        )

    def teardown(self) -> None:
        # The next run is of the same places: what waited for it would decide which rules it may begin with.
        while self.waiting(0) or self.waiting(1):
            self.release_one()
        super().teardown()

    def waiting(self, where: int) -> bool:
        return bool(
            db.session.scalars(
                select(TemperatureExcursion.id).where(
                    TemperatureExcursion.location_id == self.places[where].location_id,
                    TemperatureExcursion.decided_at.is_(None),
                )
            ).first()
        )

    def lay_there(self, where: int, when: datetime) -> bool:
        """Whether anything of any lot of the product lay at the place at that instant, from the movements alone."""
        place = self.places[where].location_id
        held: dict[int, int] = {}
        for m, ids in self.movements_at(place):
            if m.occurred_at <= when:
                for account_id, sign in ((m.to_id, 1), (m.from_id, -1)):
                    if account_id in ids:
                        held[account_id] = held.get(account_id, 0) + sign * m.amount_ul
        return any(amount > 0 for amount in held.values())

    def movements_at(self, place: UUID) -> list[tuple[Movement, set[int]]]:
        db.session.rollback()
        ids = set(db.session.scalars(select(Account.id).where(Account.location_id == place)))
        return [(m, ids) for m in db.session.scalars(select(Movement))]

    @invariant()
    def documents_agree(self) -> None:
        db.session.rollback()
        rows = db.session.execute(
            select(DisposalLine, Movement).join(Movement, Movement.id == DisposalLine.movement_id)
        ).all()
        for line, movement in rows:
            assert (line.lot_id, line.amount_ul) == (movement.lot_id, movement.amount_ul)
            assert line.vial_id is not None or line.amount_ul == line.containers * CONTAINER_UL
            if line.vial_id is not None:
                assert db.session.get_one(Vial, line.vial_id).closed_at is not None

    @invariant()
    def what_waits_is_not_opened(self) -> None:
        held = db.session.execute(
            select(Hold.lot_id, Hold.location_id)
            .join(ExcursionHold, ExcursionHold.hold_id == Hold.id)
            .where(Hold.released_at.is_(None), Hold.lot_id == self.lot.id)
        ).all()
        for lot_id, location_id in held:
            place = next(one for one in self.places if one.location_id == location_id)
            at = self.at()
            with pytest.raises(Refusal) as caught:
                services.open_vial(
                    actor=SYSTEM_ACTOR,
                    at=at,
                    lot_id=lot_id,
                    site_id=place.site_id,
                    location_id=place.location_id,
                )
            assert caught.value.code == "LOT-HELD"


@pytest.mark.parametrize("kind", ENGINE_KINDS)
def test_laws_hold_with_documents_and_temperatures(databases: Databases, kind: str) -> None:
    with databases.fresh(kind) as database:
        app = create_app(database.config())
        with app.app_context():
            places = [make_place(), make_place(location="Fridge")]
            product = make_multi_dose_product(
                at=AT, overfill_limit_ul=500, storage_min_decicelsius=20, storage_max_decicelsius=80
            )
            supplier, witness = make_supplier(at=AT), make_actor(Role.PRACTITIONER)
            manager = make_actor(Role.MANAGER)
            run_state_machine_as_test(
                lambda: LeavingMachine(product, places, supplier=supplier, witness=witness, manager=manager),
                settings=effort(6, 20),
            )
            assert list(verification.findings(db.session())) == []
        close_engines(app)
