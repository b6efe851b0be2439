"""What happens in the demo's stock room: transfers, counts, a corrected lot, a hold that was released, a return, a destruction."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from sqlalchemy import select

from inventory.demo.products import CABINET, FRIDGE, FRIDGE_2, NORTH_CABINET, NORTH_FRIDGE
from inventory.demo.scene import Happening, Scene
from inventory.demo.shelf import LotOnShelf
from inventory.doses.services.lot_correction import correct_lot
from inventory.kernel.db import db
from inventory.stock.models import AdjustReason, HoldKind, Lot, TransferDifference, WasteReason
from inventory.stock.queries import count_by_id, held_at, lines_of
from inventory.stock.queries.life import holds_of
from inventory.stock.queries.lot_suppliers import suppliers_of_lots
from inventory.stock.services import (
    Arrived,
    Explanation,
    Tally,
    hand_in_count,
    hold_lot,
    post_count,
    release_hold,
    start_count,
)
from inventory.stock.services.correcting import Correction
from inventory.stock.services.disposals import Document, SealedLine, destroy, return_to_supplier

SENT, CORRECTED, RETURNED, ON_ITS_WAY = "HX-23118", "24KH117", "RG-25117", "HX-26402"
MISTYPED, QUERIED = "24KH171", "HV-8830"
EXPIRED_DAYS_AGO, CORRECTED_DAYS_AGO = 44, 33
_LEFT_FOR_DOSES = 4


@dataclass(frozen=True, slots=True)
class StockRoom:
    """The stories of the stock room over the last half-year."""

    scene: Scene

    def plan(self) -> Iterator[Happening]:
        """Give what happens, each with its instant."""
        yield from self._counts()
        yield from self._transfers()
        yield self.scene.morning(82), self._deliver_by_mistake
        yield self.scene.morning(80), self._return
        yield self.scene.morning(75), self._hold
        yield self.scene.evening(73), self._release
        yield self.scene.morning(EXPIRED_DAYS_AGO + 1), self._deliver_mistyped
        yield self.scene.evening(CORRECTED_DAYS_AGO), self._correct
        yield self.scene.evening(CORRECTED_DAYS_AGO - 1), self._destroy

    def _counts(self) -> Iterator[Happening]:
        """Cabinet A each month, the fridges now and then: once one is missing, once two, which somebody else approves."""
        for days_ago in (150, 90, 30, 6):
            yield self.scene.evening(days_ago), lambda at: self._count(CABINET, at)
        yield self.scene.evening(120), lambda at: self._count(CABINET, at, key="cyano-1", missing=1)
        yield self.scene.evening(60), lambda at: self._count(CABINET, at, key="hydroxo-1", missing=2)
        for days_ago, place in (
            (61, FRIDGE),
            (61, FRIDGE_2),
            (25, NORTH_CABINET),
            (25, NORTH_FRIDGE),
            (7, FRIDGE),
        ):
            yield self.scene.evening(days_ago), partial(self._count, place)

    def _count(self, name: str, at: datetime, *, key: str = "", missing: int = 0) -> None:
        place, nurse = self.scene.places[name], self.scene.staff["nurse"]
        begun = start_count(actor=nurse, at=at, site_id=place.site_id, location_id=place.location_id)
        later = at + timedelta(minutes=12)
        lost = self._lose(key, missing)
        tally = self._tally(begun.subject_id, later, lost, missing)
        hand_in_count(actor=nurse, at=later, count_id=begun.subject_id, tally=tally)
        if lost is not None:
            self._post(begun.subject_id, later + timedelta(minutes=5))

    def _lose(self, key: str, missing: int) -> UUID | None:
        """Take so many containers of a full lot off the demo's own count; return the lot, if there is one.

        Never of a lot that another story tells of, which comes as another product: a recall that is drilled ends with
        every container found.
        """
        lots = self._own_lots(key) if missing else []
        full = max(lots, key=lambda lot: lot.containers, default=None)
        if full is None or full.containers < missing + _LEFT_FOR_DOSES:
            return None
        full.containers -= missing
        return full.lot_id

    def _own_lots(self, key: str) -> list[LotOnShelf]:
        stock = self.scene.shelf.stocks[key]
        own = set(db.session.scalars(select(Lot.id).where(Lot.product_id == stock.product_id)))
        return [lot for lot in stock.lots if lot.lot_id in own]

    def _tally(self, count_id: UUID, at: datetime, lost: UUID | None, missing: int) -> Tally:
        """Count what the ledger holds, but for what is missing."""
        held = held_at(db.session(), count_by_id(db.session(), count_id), at=at)
        sealed = {line.lot.id: ul // line.lot.container_volume_ul for line, ul in held if line.vial is None}
        if lost is not None:
            sealed[lost] -= missing
        return Tally(sealed, {line.vial.id: ul for line, ul in held if line.vial is not None})

    def _post(self, count_id: UUID, at: datetime) -> None:
        count = count_by_id(db.session(), count_id)
        differing = [line for line in lines_of(db.session(), count) if line.difference_ul]
        because = Explanation(AdjustReason.MISSING, "Looked for twice; not in the other cabinet either.")
        post_count(
            actor=self.scene.staff["nurse"],
            at=at,
            count_id=count_id,
            explanations={line.line.position: because for line in differing},
            approved_by=self.scene.staff["manager"],
        )

    def _transfers(self) -> Iterator[Happening]:
        """Stock for the second site: of one consignment one container broke, another is on its way since yesterday."""
        yield self.scene.morning(101), lambda at: self._deliver_and_send(SENT, 10, at)
        yield self.scene.evening(100), self._take_in
        yield self.scene.morning(1), lambda at: self._deliver_and_send(ON_ITS_WAY, 5, at)

    def _deliver_and_send(self, lot_number: str, containers: int, at: datetime) -> None:
        lot_id = self.scene.receive("hydroxo-1", lot_number, containers, at)
        self.scene.send(lot_id, containers, at + timedelta(minutes=20))

    def _take_in(self, at: datetime) -> None:
        broken = Arrived(1, 9, TransferDifference.BROKEN, "One ampoule was broken in the box.")
        self.scene.take_in(self.scene.lot(SENT).id, broken, at)

    def _deliver_by_mistake(self, at: datetime) -> None:
        self.scene.receive("regent-1", RETURNED, 10, at)

    def _return(self, at: datetime) -> None:
        document = self._document("RMA-2231", RETURNED, 10, WasteReason.OTHER)
        lot_id = self.scene.lot(RETURNED).id
        (supplier_id,) = suppliers_of_lots(db.session(), [lot_id])[lot_id]
        note = "Ordered by mistake; the supplier takes it back."
        document = replace(document, supplier_id=supplier_id, note=note)
        return_to_supplier(actor=self.scene.staff["manager"], at=at, document=document)

    def _document(self, number: str, lot_number: str, containers: int, reason: WasteReason) -> Document:
        place = self.scene.places[CABINET]
        line = SealedLine(self.scene.lot(lot_number).id, place.location_id, containers, reason)
        return Document(place.site_id, number, (line,), carrier="Northmoor Couriers")

    def _hold(self, at: datetime) -> None:
        lot_id = self.scene.receive("hydrovit", QUERIED, 6, at - timedelta(minutes=5))
        reason = "The leaflet in the box is of another product; asked the supplier."
        hold_lot(actor=self.scene.staff["manager"], at=at, lot_id=lot_id, kind=HoldKind.HOLD, reason=reason)

    def _release(self, at: datetime) -> None:
        """The supplier has answered: the hold is released, and stays to be read."""
        (hold,) = holds_of(db.session(), self.scene.lot(QUERIED).id)
        reason = "Supplier's letter: only the leaflets were mixed up; the right ones came with it."
        release_hold(actor=self.scene.staff["manager"], at=at, hold_id=hold.id, reason=reason)

    def _deliver_mistyped(self, at: datetime) -> None:
        """A lot that expires tomorrow is typed with the year after, and a digit turned round; doses are given of it."""
        typed = self.scene.day(EXPIRED_DAYS_AGO) + timedelta(days=365)
        lot_id = self.scene.receive("hydroxo-1", MISTYPED, 5, at, expires_on=typed)
        self.scene.use_first("hydroxo-1", lot_id, 3, self.scene.day(CORRECTED_DAYS_AGO + 3))

    def _correct(self, at: datetime) -> None:
        lot = self.scene.lot(MISTYPED)
        self.scene.no_longer_used(lot.id)
        correction = Correction(
            lot_id=lot.id,
            lot_number=CORRECTED,
            expires_on=self.scene.day(EXPIRED_DAYS_AGO),
            reason="Typed from the delivery note; the pack says another number, and expires a year sooner.",
            approved_by=self.scene.staff["prescriber"],
        )
        correct_lot(actor=self.scene.staff["nurse"], at=at, correction=correction)

    def _destroy(self, at: datetime) -> None:
        """What the corrected lot had left is destroyed before a witness."""
        left = self.scene.sealed(self.scene.lot(CORRECTED), self.scene.places[CABINET])
        document = self._document("CD-0417", CORRECTED, left, WasteReason.EXPIRED)
        document = replace(document, witness_id=self.scene.staff["prescriber"].id)
        destroy(actor=self.scene.staff["nurse"], at=at, document=document)
