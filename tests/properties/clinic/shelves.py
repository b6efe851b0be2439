"""What happens at a shelf: deliveries, openings, waste, adjustments, their undoing, and holds."""

from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from sqlalchemy import select

from inventory.catalogue.models import ContainerType
from inventory.kernel.db import db
from inventory.stock import services
from inventory.stock.models import AdjustReason, Hold, HoldKind, Receipt, WasteReason
from inventory.stock.services import Delivery, Difference, Direction, Why
from tests.conftest import AT
from tests.properties.clinic.world import BACK, EXPIRES_AFTER, PICK, PLACE, World

FEW = st.integers(1, 3)
VOLUME = st.sampled_from([1, 250, 500, 1_000, 1_970, 2_000, 2_100])
Back = tuple[int, bool] | None


class Shelves(World):
    """The rules of sealed stock and of open vials where they lie."""

    @rule(
        which=st.integers(0, 1),
        number=st.sampled_from("ABC"),
        where=PLACE,
        containers=FEW,
        back=BACK,
    )
    def receive(self, *, which: int, number: str, where: int, containers: int, back: Back) -> None:
        place, product = self.places[where], self.products[which]
        delivery = Delivery(
            product_id=product.id,
            lot_number=number,
            expires_on=AT.date() + timedelta(days=EXPIRES_AFTER[number]),
            containers=containers,
            site_id=place.site_id,
            location_id=place.location_id,
            received_at=self.moment(back),
        )
        self.attempt(
            "receive",
            lambda at: services.receive_delivery(actor=self.nurse, at=at, delivery=delivery),
            changes_ul=containers * product.container_volume_ul,
        )

    @rule(which=PICK, back=BACK)
    def open_vial(self, which: int, back: Back) -> None:
        lot, place = self.shelf(which, ContainerType.MULTI_DOSE)
        self.attempt(
            "open",
            lambda at: services.open_vial(
                actor=self.nurse,
                at=at,
                lot_id=lot.id,
                site_id=place.site_id,
                location_id=place.location_id,
                opened_at=self.moment(back),
            ),
            changes_ul=0,
        )

    @rule(which=PICK, containers=FEW, back=BACK)
    def waste_sealed(self, which: int, containers: int, back: Back) -> None:
        lot, place = self.shelf(which)
        self.attempt(
            "waste sealed",
            lambda at: services.waste_sealed(
                actor=self.nurse,
                at=at,
                lot_id=lot.id,
                place=place,
                containers=containers,
                why=Why(WasteReason.BROKEN),
                wasted_at=self.moment(back),
            ),
            changes_ul=-containers * lot.container_volume_ul,
        )

    @precondition(lambda self: self.vials())
    @rule(which=PICK, volume_ul=VOLUME, back=BACK)
    def waste_from_vial(self, which: int, volume_ul: int, back: Back) -> None:
        vial = self.pick(self.vials(), which)
        self.attempt(
            "waste of a vial",
            lambda at: services.waste_from_vial(
                actor=self.nurse,
                at=at,
                vial_id=vial.id,
                volume_ul=volume_ul,
                why=Why(WasteReason.CONTAMINATED),
                wasted_at=self.moment(back),
            ),
            changes_ul=-volume_ul,
        )

    @precondition(lambda self: self.vials())
    @rule(which=PICK, back=BACK)
    def discard(self, which: int, back: Back) -> None:
        vial = self.pick(self.vials(), which)
        self.attempt(
            "discard",
            lambda at: services.discard_vial(
                actor=self.nurse,
                at=at,
                vial_id=vial.id,
                why=Why(WasteReason.CONTAMINATED),
                discarded_at=self.moment(back),
            ),
            changes_ul=-self.held_ul(vial),
        )

    @rule(which=PICK, where=PLACE, containers=FEW, direction=st.sampled_from(Direction))
    def adjust_shelf(self, which: int, where: int, containers: int, direction: Direction) -> None:
        lot = self.pick(self.lots(), which)
        sign = 1 if direction is Direction.FOUND else -1
        self.attempt(
            "adjust a shelf",
            lambda at: services.adjust_shelf(
                actor=self.manager,
                at=at,
                lot_id=lot.id,
                place=self.places[where],
                containers=containers,
                difference=Difference(
                    direction, AdjustReason.MISCOUNTED, "Counted again", self.second_manager
                ),
            ),
            changes_ul=sign * containers * lot.container_volume_ul,
        )

    @precondition(lambda self: self.vials())
    @rule(which=PICK, volume_ul=VOLUME, direction=st.sampled_from(Direction))
    def adjust_vial(self, which: int, volume_ul: int, direction: Direction) -> None:
        vial = self.pick(self.vials(), which)
        self.attempt(
            "adjust a vial",
            lambda at: services.adjust_vial(
                actor=self.manager,
                at=at,
                vial_id=vial.id,
                volume_ul=volume_ul,
                difference=Difference(direction, AdjustReason.MISCOUNTED, "Weighed", self.second_manager),
            ),
            changes_ul=volume_ul if direction is Direction.FOUND else -volume_ul,
        )

    @rule(which=PICK)
    def reverse_receipt(self, which: int) -> None:
        db.session.rollback()
        receipt = self.pick(db.session.scalars(select(Receipt).order_by(Receipt.id)).all(), which)
        lot = next(lot for lot in self.lots() if lot.id == receipt.lot_id)
        self.attempt(
            "reverse a receipt",
            lambda at: services.reverse_receipt(
                actor=self.manager, at=at, receipt_id=receipt.id, reason="Typed wrongly"
            ),
            changes_ul=-receipt.containers * lot.container_volume_ul,
        )

    @precondition(lambda self: self.vials())
    @rule(which=PICK)
    def undo_opening(self, which: int) -> None:
        vial = self.pick(self.vials(), which)
        self.attempt(
            "undo an opening",
            lambda at: services.undo_opening(actor=self.nurse, at=at, vial_id=vial.id, reason="Never opened"),
            changes_ul=0,
        )

    @rule(which=PICK, where=st.none() | PLACE)
    def hold(self, which: int, where: int | None) -> None:
        lot = self.pick(self.lots(), which)
        self.attempt(
            "hold",
            lambda at: services.hold_lot(
                actor=self.nurse,
                at=at,
                lot_id=lot.id,
                kind=HoldKind.HOLD,
                reason="Doubtful",
                location_id=None if where is None else self.places[where].location_id,
            ),
            changes_ul=0,
        )

    @precondition(lambda self: self.vials())
    @rule(which=PICK)
    def hold_vial(self, which: int) -> None:
        vial = self.pick(self.vials(), which)
        self.attempt(
            "hold a vial",
            lambda at: services.hold_lot(
                actor=self.nurse,
                at=at,
                lot_id=vial.lot_id,
                kind=HoldKind.HOLD,
                reason="Doubtful",
                vial_id=vial.id,
            ),
            changes_ul=0,
        )

    @rule(which=PICK)
    def release(self, which: int) -> None:
        db.session.rollback()
        # Those that stand come first.
        holds = db.session.scalars(select(Hold).order_by(Hold.released_at.is_not(None), Hold.id)).all()
        if holds:
            hold_id = self.pick(holds, which).id
            self.attempt(
                "release",
                lambda at: services.release_hold(
                    actor=self.manager, at=at, hold_id=hold_id, reason="Looked at"
                ),
                changes_ul=0,
            )
