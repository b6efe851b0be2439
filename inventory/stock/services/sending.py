"""Sending stock to another location, of the same site or of another: it leaves its shelf, or its place as an opened vial, for transit.

Laws kept here: sealed stock travels in whole containers and an opened vial whole; what is held stays held. A hold on the whole
lot covers it wherever it lies, and one on a vial goes with the vial. A hold on what lies at the place it leaves would be escaped
by leaving: it goes along (`carrying.py`), on the vial, or on the lot at the destination where nothing else of that lot lies free.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from inventory.audit.acts import Act, Outcome, perform
from inventory.clinic.models import CounterKind, Location
from inventory.clinic.numbers import next_number
from inventory.kernel.errors import Refusal
from inventory.kernel.ids import uuid7
from inventory.kernel.permissions import Actor
from inventory.stock import ledger, queries, rules
from inventory.stock.ledger import Place, Posting
from inventory.stock.models import (
    Account,
    Lot,
    MovementKind,
    Transfer,
    TransferLine,
    Vial,
)
from inventory.stock.queries.transfers import refuse_on_its_way
from inventory.stock.services.carrying import take_along
from inventory.stock.services.places import refuse_elsewhere


@dataclass(frozen=True, slots=True)
class Consignment:
    """What is sent from where to where: sealed containers by lot, and opened vials."""

    source: Place
    target: Place
    sealed: tuple[tuple[UUID, int], ...] = ()
    vial_ids: tuple[UUID, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Packed:
    """One line as it is sent: a lot's containers or one vial, the account it leaves and how much of it, in microlitres."""

    lot: Lot
    vial: Vial | None
    account_id: int
    containers: int
    amount_ul: int

    def fact(self) -> list[object]:
        """Return the line as the trail tells it: lot, label, containers, microlitres."""
        label = self.vial.label_number if self.vial else None
        return [self.lot.lot_number, label, self.containers, self.amount_ul]


def send_transfer(
    *,
    actor: Actor,
    at: datetime,
    request_key: str | None = None,
    consignment: Consignment,
    sent_at: datetime | None = None,
) -> Outcome:
    """Send stock on its way; the outcome names the transfer. `sent_at` None is now.

    Raises Refusal TRANSFER-EMPTY, TRANSFER-TWICE, TRANSFER-SAME-PLACE, TRANSFER-HELD, LOCATION-ELSEWHERE, COUNT-RANGE, STOCK-SHORT,
    STOCK-SHORT-THEN, VIAL-CLOSED, VIAL-ELSEWHERE, VIAL-EMPTY, VIAL-ON-ITS-WAY, VIAL-USED-LATER, TIME-FUTURE.
    """

    def write(act: Act) -> Outcome:
        transfer_id, facts = send(act, consignment, sent_at)
        site_id = consignment.source.site_id
        return act.record("stock.send-transfer", "transfer", transfer_id, site_id=site_id, facts=facts)

    return perform(write, actor=actor, at=at, request_key=request_key)


def send(act: Act, consignment: Consignment, sent_at: datetime | None) -> tuple[UUID, dict[str, object]]:
    """Inside an act: post what is sent and insert its rows; return the transfer and what the trail says of it."""
    _refuse_senseless(act, consignment)
    packed = _packed(act, consignment)
    when = _moment(act, packed, sent_at)
    places = {"source_id": consignment.source.location_id, "target_id": consignment.target.location_id}
    for line in packed:
        take_along(act, line.lot, line.vial, **places)
    transfer_id, number = _insert(act, consignment, when)
    for position, line in enumerate(packed, start=1):
        _send_line(act, transfer_id, position, line, source=consignment.source, when=when)
    names = queries.location_names(
        act.session, {consignment.source.location_id, consignment.target.location_id}
    )
    facts = {
        "number": number,
        "from": names[consignment.source.location_id],
        "to": names[consignment.target.location_id],
        "to_site_id": consignment.target.site_id,
        "sent_at": when,
        "lines": [line.fact() for line in packed],
        "note": consignment.note.strip(),
    }
    return transfer_id, facts


def lock_lots(act: Act, lot_ids: Iterable[UUID]) -> dict[UUID, Lot]:
    """Inside an act: lock the lots in the order of every act, and return them by id."""
    return {
        lot_id: queries.lot_by_id(act.session, lot_id, lock=True)
        for lot_id in sorted(set(lot_ids), key=lambda one: one.hex)
    }


def _refuse_senseless(act: Act, consignment: Consignment) -> None:
    source, target = consignment.source, consignment.target
    if not consignment.sealed and not consignment.vial_ids:
        raise Refusal("TRANSFER-EMPTY", "Say what is sent: how many containers of a lot, or which open vial.")
    named = [lot_id for lot_id, _ in consignment.sealed] + list(consignment.vial_ids)
    if len(set(named)) < len(named):
        raise Refusal("TRANSFER-TWICE", "A lot or vial is named twice. Put its containers into one line.")
    if any(containers < 1 for _, containers in consignment.sealed):
        raise Refusal("COUNT-RANGE", "Type how many containers, at least 1.", "containers")
    if source.location_id == target.location_id:
        raise Refusal("TRANSFER-SAME-PLACE", "It lies there already. Choose another location.", "target")
    refuse_elsewhere(act.session, site_id=source.site_id, location_id=source.location_id)
    _refuse_closed_target(act, target)


def _refuse_closed_target(act: Act, target: Place) -> None:
    location = act.session.get(Location, target.location_id)
    if location is None or location.site_id != target.site_id or location.closed_at is not None:
        said = "Nothing can be sent there: the location is closed. Choose another."
        raise Refusal("TRANSFER-CLOSED", said, "target")


def _packed(act: Act, consignment: Consignment) -> list[Packed]:
    """Return the lines with lots, vials and accounts locked, in this order."""
    session = act.session
    # Only the lots of the vials: a vial that is read before it is locked would stay as it was then.
    of_vials = session.scalars(select(Vial.lot_id).where(Vial.id.in_(consignment.vial_ids))).all()
    lots = lock_lots(act, [*(lot_id for lot_id, _ in consignment.sealed), *of_vials])
    vials = [queries.vial_by_id(session, vial_id, lock=True) for vial_id in consignment.vial_ids]
    for vial in vials:
        _refuse_vial(act, vial, consignment.source)
    location_id = consignment.source.location_id
    shelves = {
        lot_id: ledger.shelf_account(session, lot_id=lot_id, location_id=location_id)
        for lot_id, _ in consignment.sealed
    }
    held_in = {vial.id: ledger.vial_account(session, vial) for vial in vials}
    balances = ledger.lock_balances(session, [*shelves.values(), *held_in.values()])
    sealed = [
        _sealed(lots[lot_id], containers, shelves[lot_id], balances[shelves[lot_id]])
        for lot_id, containers in consignment.sealed
    ]
    return sealed + [
        _whole(lots[vial.lot_id], vial, held_in[vial.id], balances[held_in[vial.id]]) for vial in vials
    ]


def _sealed(lot: Lot, containers: int, account_id: int, balance_ul: int) -> Packed:
    left = balance_ul // lot.container_volume_ul
    if containers > left:
        words = "container of lot {} is" if left == 1 else "containers of lot {} are"
        said = f"Only {left:,} sealed {words.format(lot.lot_number)} left there."
        raise Refusal("STOCK-SHORT", said, f"lot_{lot.id.hex}")
    return Packed(lot, None, account_id, containers, containers * lot.container_volume_ul)


def _whole(lot: Lot, vial: Vial, account_id: int, balance_ul: int) -> Packed:
    if balance_ul <= 0:
        raise Refusal("VIAL-EMPTY", f"Vial {vial.label_number} is empty. Discard it instead.")
    return Packed(lot, vial, account_id, 0, balance_ul)


def _refuse_vial(act: Act, vial: Vial, source: Place) -> None:
    if vial.closed_at is not None:
        raise Refusal("VIAL-CLOSED", "This vial was closed already. Nothing is left in it.")
    refuse_on_its_way(act.session, vial.id)
    if vial.location_id != source.location_id:
        said = f"Vial {vial.label_number} is kept at another location. Send it from there."
        raise Refusal("VIAL-ELSEWHERE", said)


def _moment(act: Act, packed: Sequence[Packed], typed: datetime | None) -> datetime:
    """Return when all of it left: after what came in that minute, and after the last use of each vial."""
    when = rules.moment(typed, recorded_at=act.recorded_at, field="sent_at")
    when = max(ledger.after_that_minutes_inflow(act.session, line.account_id, when) for line in packed)
    for line in packed:
        account = act.session.get_one(Account, line.account_id, populate_existing=True)
        later = account.last_occurred_at is not None and account.last_occurred_at > when
        if line.vial is not None and later:
            said = "Something happened with this vial after that time. Type a later time."
            raise Refusal("VIAL-USED-LATER", said, "sent_at")
    return when


def _insert(act: Act, consignment: Consignment, when: datetime) -> tuple[UUID, int]:
    transfer_id = uuid7()
    number = next_number(act.session, consignment.source.site_id, CounterKind.TRANSFER)
    values = {
        "id": transfer_id,
        "number": number,
        "from_site_id": consignment.source.site_id,
        "from_location_id": consignment.source.location_id,
        "to_site_id": consignment.target.site_id,
        "to_location_id": consignment.target.location_id,
        "note": consignment.note.strip() or None,
        "sent_at": when,
        "recorded_at": act.recorded_at,
        "actor_id": act.actor.id,
    }
    act.insert(Transfer, values)
    return transfer_id, number


def _send_line(
    act: Act, transfer_id: UUID, position: int, line: Packed, *, source: Place, when: datetime
) -> None:
    transit = ledger.transit_account(act.session, line.lot.id)
    posting = Posting(MovementKind.TRANSFER, line.account_id, transit, line.amount_ul)
    movement_id = ledger.post(act, posting, lot_id=line.lot.id, place=source, occurred_at=when)
    values = {
        "transfer_id": transfer_id,
        "position": position,
        "lot_id": line.lot.id,
        "vial_id": line.vial.id if line.vial else None,
        "containers": line.containers,
        "amount_ul": line.amount_ul,
        "movement_id": movement_id,
    }
    act.insert(TransferLine, values)
