"""What was sent arrives, once: each line as it came, and where less came than was sent, why.

Laws kept here: a transfer ends in one act; what is not there was never sent (it is where it was), or is waste with its reason.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from inventory.audit.acts import Act, Outcome, perform
from inventory.catalogue.models import Product
from inventory.kernel.errors import Refusal
from inventory.kernel.permissions import Actor
from inventory.stock import ledger, queries, rules
from inventory.stock.ledger import Place, Posting
from inventory.stock.models import (
    AccountKind,
    Lot,
    MovementKind,
    Transfer,
    TransferDifference,
    TransferLine,
    TransferReceipt,
    TransferReceiptLine,
    Vial,
    VialClosure,
    WasteReason,
)
from inventory.stock.queries.transfers import lines_of, receipt_of, transfer_by_id
from inventory.stock.services.carrying import give_back
from inventory.stock.services.sending import Consignment, lock_lots, send
from inventory.stock.services.wasting import close, witness_needed
from inventory.stock.services.witnesses import refuse_witness


@dataclass(frozen=True, slots=True)
class Arrived:
    """What came of one line: containers, or of an opened vial 1 or 0; and why the rest did not."""

    position: int
    came: int
    difference: TransferDifference | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Arrival:
    """The receipt of a consignment: its lines, when it came, and who saw what was broken or lost."""

    lines: tuple[Arrived, ...]
    received_at: datetime | None = None
    note: str = ""
    witness_id: UUID | None = None


def receive_transfer(
    *, actor: Actor, at: datetime, request_key: str | None = None, transfer_id: UUID, arrival: Arrival
) -> Outcome:
    """Receive a consignment at its destination; the outcome names the transfer.

    Raises Refusal NOT-FOUND, TRANSFER-RECEIVED, TRANSFER-LINES, TRANSFER-MORE-THAN-SENT, TRANSFER-DIFFERENCE, TRANSFER-TIME,
    WITNESS-NEEDED, WITNESS-SAME, TIME-FUTURE.
    """

    def write(act: Act) -> Outcome:
        transfer, facts = _end(act, transfer_id, arrival)
        return act.record(
            "stock.receive-transfer", "transfer", transfer_id, site_id=transfer.to_site_id, facts=facts
        )

    return perform(write, actor=actor, at=at, request_key=request_key)


def cancel_transfer(
    *, actor: Actor, at: datetime, request_key: str | None = None, transfer_id: UUID, reason: str
) -> Outcome:
    """Say that a consignment was never sent: all of it is where it was. Raises Refusal NOTE-NEEDED and as `receive_transfer`."""

    def write(act: Act) -> Outcome:
        if not reason.strip():
            raise Refusal("NOTE-NEEDED", "Say why in words.", "reason")
        lines = lines_of(act.session, transfer_id)
        back = tuple(Arrived(line.position, 0, TransferDifference.NOT_SENT) for line in lines)
        transfer, facts = _end(act, transfer_id, Arrival(back, note=reason))
        facts = {"number": facts["number"], "reason": reason.strip()}
        return act.record(
            "stock.cancel-transfer", "transfer", transfer_id, site_id=transfer.from_site_id, facts=facts
        )

    return perform(write, actor=actor, at=at, request_key=request_key)


def move_stock(
    *,
    actor: Actor,
    at: datetime,
    request_key: str | None = None,
    consignment: Consignment,
    moved_at: datetime | None = None,
) -> Outcome:
    """Carry stock to another location of the same site: sent and received in one act; the outcome names the transfer.

    Raises Refusal TRANSFER-TWO-STEPS for another site, and as `send_transfer`.
    """

    def write(act: Act) -> Outcome:
        if consignment.source.site_id != consignment.target.site_id:
            said = "Stock for another site is sent here, and received there by whoever takes it in."
            raise Refusal("TRANSFER-TWO-STEPS", said, "target")
        transfer_id, facts = send(act, consignment, moved_at)
        lines = lines_of(act.session, transfer_id)
        came = tuple(Arrived(line.position, line.containers or 1) for line in lines)
        sent_at = transfer_by_id(act.session, transfer_id).sent_at
        _end(act, transfer_id, Arrival(came, received_at=sent_at))
        site_id = consignment.source.site_id
        return act.record("stock.move", "transfer", transfer_id, site_id=site_id, facts=facts)

    return perform(write, actor=actor, at=at, request_key=request_key)


def _end(act: Act, transfer_id: UUID, arrival: Arrival) -> tuple[Transfer, dict[str, object]]:
    """Inside an act: insert the receipt, post every line, and return what the trail says of it."""
    transfer = transfer_by_id(act.session, transfer_id)
    lines = lines_of(act.session, transfer_id)
    # In the order of every act: the lots before their accounts. Whoever receives beside us waits here, and finds our receipt.
    lots = lock_lots(act, [line.lot_id for line in lines])
    if receipt_of(act.session, transfer_id) is not None:
        raise Refusal("TRANSFER-RECEIVED", "This transfer was received already.", status=409)
    came = _by_position(arrival, lines)
    became = [(came[line.position].difference, lots[line.lot_id].product) for line in lines]
    _refuse_unwitnessed(act, arrival, became, site_id=transfer.to_site_id)
    when = _moment(act, transfer, lines, arrival.received_at)
    act.insert(TransferReceipt, _receipt_row(act, transfer_id, arrival, when))
    ending = _Ending(act, transfer, when, arrival.witness_id)
    for line in lines:
        ending.line(line, lots[line.lot_id], came[line.position])
    for line in lines:
        how = came[line.position]
        give_back(act, transfer, line, came=bool(how.came), difference=how.difference)
    told = [_told(line, lots[line.lot_id], came[line.position]) for line in lines]
    return transfer, {**_facts(transfer, when, arrival), "lines": told}


def _by_position(arrival: Arrival, lines: Sequence[TransferLine]) -> dict[int, Arrived]:
    came = {line.position: line for line in arrival.lines}
    if len(came) < len(arrival.lines) or set(came) != {line.position for line in lines}:
        raise Refusal("TRANSFER-LINES", "Say of each line once what came of it.")
    for line in lines:
        _refuse_miscounted(came[line.position], line.containers or 1)
    return came


def _refuse_miscounted(came: Arrived, sent: int) -> None:
    if came.came > sent:
        said = (
            f"{sent:,} {'was' if sent == 1 else 'were'} sent. More cannot arrive: count again; what is too many was"
            " found at the place it left."
        )
        raise Refusal("TRANSFER-MORE-THAN-SENT", said, f"came_{came.position}")
    if came.came < 0:
        raise Refusal("COUNT-RANGE", "Type how many came, 0 or more.", f"came_{came.position}")
    if (came.came < sent) != (came.difference is not None):
        less, all_came = "Less came than was sent. Say why.", "All of it came. Leave the reason out."
        said = less if came.came < sent else all_came
        raise Refusal("TRANSFER-DIFFERENCE", said, f"difference_{came.position}")


def _refuse_unwitnessed(
    act: Act,
    arrival: Arrival,
    lines: Sequence[tuple[TransferDifference | None, Product]],
    *,
    site_id: UUID,
) -> None:
    refuse_witness(act, arrival.witness_id, site_id)
    asked = any(
        witness_needed(_WASTED[difference], product) for difference, product in lines if difference in _WASTED
    )
    if arrival.witness_id is None and asked:
        raise Refusal("WITNESS-NEEDED", "The clinic asks for a witness of this.", "witness_username")


_WASTED = {
    TransferDifference.BROKEN: WasteReason.BROKEN,
    TransferDifference.LOST: WasteReason.LOST,
}


def _moment(act: Act, transfer: Transfer, lines: Sequence[TransferLine], typed: datetime | None) -> datetime:
    if typed == transfer.sent_at:
        return transfer.sent_at
    when = rules.moment(typed, recorded_at=act.recorded_at, field="received_at")
    for line in lines:
        transit = ledger.transit_account(act.session, line.lot_id)
        when = ledger.after_that_minutes_inflow(act.session, transit, when)
    if when < transfer.sent_at:
        raise Refusal(
            "TRANSFER-TIME", "It cannot arrive before it was sent. Type a later time.", "received_at"
        )
    return when


def _receipt_row(act: Act, transfer_id: UUID, arrival: Arrival, when: datetime) -> dict[str, object]:
    return {
        "transfer_id": transfer_id,
        "note": arrival.note.strip() or None,
        "received_at": when,
        "recorded_at": act.recorded_at,
        "actor_id": act.actor.id,
    }


@dataclass(frozen=True, slots=True)
class _Ending:
    act: Act
    transfer: Transfer
    when: datetime
    witness_id: UUID | None

    @property
    def source(self) -> Place:
        return Place(self.transfer.from_site_id, self.transfer.from_location_id)

    @property
    def target(self) -> Place:
        return Place(self.transfer.to_site_id, self.transfer.to_location_id)

    def line(self, line: TransferLine, lot: Lot, came: Arrived) -> None:
        """Post what came of a line and what became of the rest, and insert its row."""
        vial = queries.vial_by_id(self.act.session, line.vial_id, lock=True) if line.vial_id else None
        amount_ul = came.came * (line.amount_ul if vial else lot.container_volume_ul)
        missing_ul = line.amount_ul - amount_ul
        row = {
            "transfer_id": line.transfer_id,
            "position": line.position,
            "containers": 0 if vial else came.came,
            "amount_ul": amount_ul,
            "movement_id": self._put(line, vial, self.target, amount_ul) if amount_ul else None,
            "difference": came.difference,
            "difference_movement_id": self._missing(line, vial, came, missing_ul) if missing_ul else None,
            "note": came.note.strip() or None,
        }
        self.act.insert(TransferReceiptLine, row)
        if vial is not None:
            self._settle(vial, came)

    def _put(self, line: TransferLine, vial: Vial | None, place: Place, amount_ul: int) -> int:
        """Post what lies at a place now: on its shelf, or in the vial there."""
        session = self.act.session
        if vial is None:
            account = ledger.shelf_account(
                session, lot_id=line.lot_id, location_id=place.location_id, create=True
            )
        else:
            account = ledger.vial_account_at(session, vial, place.location_id)
        return self._post(line, account, amount_ul, place)

    def _missing(self, line: TransferLine, vial: Vial | None, came: Arrived, amount_ul: int) -> int:
        if came.difference is None or came.difference not in _WASTED:
            return self._put(line, vial, self.source, amount_ul)
        waste = ledger.lot_accounts(self.act.session, line.lot_id)[AccountKind.WASTE]
        reason = _WASTED[came.difference]
        note = came.note.strip() or None
        return self._post(line, waste, amount_ul, self.target, reason=reason, note=note)

    def _post(
        self,
        line: TransferLine,
        to_id: int,
        amount_ul: int,
        place: Place,
        *,
        reason: WasteReason | None = None,
        note: str | None = None,
    ) -> int:
        """Post out of transit: waste where there is a reason, else to where it lies now."""
        transit = ledger.transit_account(self.act.session, line.lot_id)
        kind = MovementKind.WASTE if reason else MovementKind.TRANSFER
        witness_id = self.witness_id if reason else None
        posting = Posting(kind, transit, to_id, amount_ul, reason=reason, note=note, witness_id=witness_id)
        return ledger.post(self.act, posting, lot_id=line.lot_id, place=place, occurred_at=self.when)

    def _settle(self, vial: Vial, came: Arrived) -> None:
        """Say where the vial is now; one that was broken or lost on its way is closed."""
        if came.came:
            vial.location_id = self.target.location_id
            self.act.session.flush()
        elif came.difference in _WASTED:
            close(self.act, vial, VialClosure.DISCARDED, when=self.when)


def _told(line: TransferLine, lot: Lot, came: Arrived) -> list[object]:
    return [lot.lot_number, line.containers or 1, came.came, came.difference, came.note.strip()]


def _facts(transfer: Transfer, when: datetime, arrival: Arrival) -> dict[str, object]:
    return {
        "number": transfer.number,
        "received_at": when,
        "note": arrival.note.strip(),
        "witness_id": arrival.witness_id,
    }
