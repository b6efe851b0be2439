"""What travels: sent to a fridge or another site, carried over at once, received with differences, or never sent after all."""

from collections.abc import Sequence

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from sqlalchemy import select

from inventory.kernel.db import db
from inventory.stock import services
from inventory.stock.ledger import Place
from inventory.stock.models import Transfer, TransferDifference, TransferReceipt
from inventory.stock.queries.transfers import lines_of
from inventory.stock.services import Arrival, Arrived, Consignment
from tests.properties.clinic.shelves import Back
from tests.properties.clinic.world import BACK, PICK, World

DIFFERENCES = st.none() | st.sampled_from(TransferDifference)
OTHER = st.sampled_from([1, 1, 2, 2, 0])
BACK_WITH_IT = {None, TransferDifference.NOT_SENT}


class Travels(World):
    """The rules of transfers."""

    def transfers(self) -> Sequence[Transfer]:
        """Return every transfer, those under way first."""
        db.session.rollback()
        ended = Transfer.id.in_(select(TransferReceipt.transfer_id))
        return db.session.scalars(select(Transfer).order_by(ended, Transfer.id)).all()

    def away_from(self, source: Place, where: int) -> Place:
        """Return another place; for 0 the same, to which nothing can be sent."""
        return self.places[(self.places.index(source) + where) % len(self.places)]

    def send(self, consignment: Consignment, back: Back, *, at_once: bool) -> None:
        what = {"actor": self.nurse, "consignment": consignment}
        if at_once:
            self.attempt(
                "move",
                lambda at: services.move_stock(at=at, moved_at=self.moment(back), **what),
                changes_ul=0,
            )
        else:
            self.attempt(
                "send",
                lambda at: services.send_transfer(at=at, sent_at=self.moment(back), **what),
                changes_ul=0,
            )

    @precondition(lambda self: self.vials())
    @rule(which=PICK, where=OTHER, with_lot=st.none() | PICK, back=BACK, at_once=st.booleans())
    def send_vial(self, which: int, where: int, with_lot: int | None, back: Back, *, at_once: bool) -> None:
        vial = self.pick(self.vials(), which)
        source = self.place_at(vial.location_id)
        sealed = () if with_lot is None else ((self.pick(self.lots(), with_lot).id, 1),)
        self.send(
            Consignment(source, self.away_from(source, where), sealed, (vial.id,)), back, at_once=at_once
        )

    @rule(which=PICK, where=OTHER, containers=st.integers(1, 2), back=BACK, at_once=st.booleans())
    def send_sealed(self, which: int, where: int, containers: int, back: Back, *, at_once: bool) -> None:
        lot, source = self.shelf(which)
        self.send(
            Consignment(source, self.away_from(source, where), ((lot.id, containers),)), back, at_once=at_once
        )

    @precondition(lambda self: self.transfers())
    @rule(which=PICK, short=st.integers(0, 2), difference=DIFFERENCES, back=BACK)
    def receive_transfer(
        self, which: int, short: int, difference: TransferDifference | None, back: Back
    ) -> None:
        transfer = self.pick(self.transfers(), which)
        lines, lost_ul = [], 0
        for line in lines_of(db.session(), transfer.id):
            sent = line.containers or 1
            came = sent if difference is None else max(0, sent - short)
            lines.append(Arrived(line.position, came, difference if came < sent else None))
            lost_ul += 0 if difference in BACK_WITH_IT else line.amount_ul * (sent - came) // sent
        arrival = Arrival(tuple(lines), self.moment(back), witness_id=self.witness.id)
        self.attempt(
            "receive a transfer",
            lambda at: services.receive_transfer(
                actor=self.nurse, at=at, transfer_id=transfer.id, arrival=arrival
            ),
            changes_ul=-lost_ul,
        )

    @precondition(lambda self: self.transfers())
    @rule(which=PICK)
    def cancel_transfer(self, which: int) -> None:
        transfer = self.pick(self.transfers(), which)
        self.attempt(
            "cancel a transfer",
            lambda at: services.cancel_transfer(
                actor=self.nurse, at=at, transfer_id=transfer.id, reason="Never left"
            ),
            changes_ul=0,
        )
