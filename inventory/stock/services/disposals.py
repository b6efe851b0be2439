"""Stock that leaves the clinic unused, on one document: returned to its supplier, or destroyed before a witness.

Laws kept here: every line is one movement of exactly its amount; an opened vial goes whole and is closed; a document recorded
wrongly is reversed once, as a whole.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from inventory.audit.acts import Act, Outcome, perform
from inventory.catalogue.models import Supplier
from inventory.clinic.models import CounterKind
from inventory.clinic.numbers import next_number
from inventory.kernel.errors import Refusal, Refusals
from inventory.kernel.ids import uuid7
from inventory.kernel.permissions import Actor
from inventory.stock import ledger, queries, rules
from inventory.stock.ledger import Place, Posting
from inventory.stock.models import (
    Account,
    AccountKind,
    Disposal,
    DisposalKind,
    DisposalLine,
    Movement,
    MovementKind,
    Vial,
    VialClosure,
    WasteReason,
)
from inventory.stock.queries.disposals import disposal_by_id, disposal_lines, is_on_its_way
from inventory.stock.queries.named_lots import lock_lots
from inventory.stock.services.doubtful_returns import refuse_doubtful
from inventory.stock.services.merging import settle
from inventory.stock.services.places import refuse_elsewhere
from inventory.stock.services.wasting import close, locked_open_vial
from inventory.stock.services.witnesses import refuse_witness

R = WasteReason
DISPOSAL_REASONS = (R.EXPIRED, R.RECALL, R.TEMPERATURE, R.PAST_USE_BY, R.BROKEN, R.CONTAMINATED, R.OTHER)
MOST_LINES = 200
MOST_CONTAINERS_OF_A_LINE = 100_000


@dataclass(frozen=True, slots=True)
class SealedLine:
    """So many sealed containers of a lot, from one location."""

    lot_id: UUID
    location_id: UUID
    containers: int
    reason: WasteReason


@dataclass(frozen=True, slots=True)
class VialLine:
    """An opened vial, with all that is left in it."""

    vial_id: UUID
    reason: WasteReason


Line = SealedLine | VialLine


@dataclass(frozen=True, slots=True)
class Document:
    """What the paper says. `carrier` took it away, or destroys it. `is_checked` says that what looks wrong was looked at again."""

    site_id: UUID
    number: str
    lines: Sequence[Line]
    supplier_id: UUID | None = None
    carrier: str = ""
    note: str = ""
    witness_id: UUID | None = None
    disposed_at: datetime | None = None
    is_checked: bool = False


@dataclass(frozen=True, slots=True)
class _Taken:
    """A line with the account it is taken from; volume in microlitres."""

    lot_id: UUID
    lot_number: str
    place: Place
    account_id: int
    amount_ul: int
    containers: int
    reason: WasteReason
    vial: Vial | None = None
    last_used_at: datetime | None = None


def return_to_supplier(
    *, actor: Actor, at: datetime, request_key: str | None = None, document: Document
) -> Outcome:
    """Record what went back to its supplier; the outcome names the disposal. Held, recalled and expired stock may go.

    Raises Refusal DISPOSAL-DOCUMENT, -EMPTY, -SUPPLIER, -TWICE, -OTHER-SUPPLIER, -NUMBER-USED, COUNT-RANGE, STOCK-SHORT,
    STOCK-SHORT-THEN, LOCATION-ELSEWHERE, VIAL-CLOSED, VIAL-ON-ITS-WAY, VIAL-EMPTY, VIAL-USED-LATER, WASTE-REASON,
    NOTE-NEEDED, WITNESS-SAME, TIME-FUTURE, TIME-TOO-EARLY.
    """
    return _dispose(DisposalKind.RETURN, document, actor=actor, at=at, request_key=request_key)


def destroy(*, actor: Actor, at: datetime, request_key: str | None = None, document: Document) -> Outcome:
    """Record what was destroyed, before a witness; the outcome names the disposal.

    Raises Refusal WITNESS-NEEDED and as `return_to_supplier`, but for DISPOSAL-SUPPLIER.
    """
    return _dispose(DisposalKind.DESTRUCTION, document, actor=actor, at=at, request_key=request_key)


def reverse_disposal(
    *, actor: Actor, at: datetime, request_key: str | None = None, disposal_id: UUID, reason: str
) -> Outcome:
    """Put back what a document took, which was recorded wrongly: all of it, sealed, where it lay, as the lot it is now.

    The outcome names the disposal. Raises Refusal NOTE-NEEDED, DISPOSAL-VIALS (a vial is never opened again),
    LOCATION-ELSEWHERE (its location was closed since), ALREADY-REVERSED.
    """

    def write(act: Act) -> Outcome:
        said = reason.strip()
        if not said:
            raise Refusal("NOTE-NEEDED", "Say why in words.", "reason")
        disposal = disposal_by_id(act.session, disposal_id)
        lines = disposal_lines(act.session, disposal_id)
        if any(line.vial_id for line in lines):
            said_so = "An opened vial was part of it, and a closed vial is not opened again. Adjust what was wrong instead."
            raise Refusal("DISPOSAL-VIALS", said_so)
        for line in lines:
            refuse_elsewhere(act.session, site_id=disposal.site_id, location_id=line.location_id)
        lot_ids = {line.lot_id for line in lines}
        lock_lots(act.session, lot_ids)
        movements = _movements(act.session, [line.movement_id for line in lines])
        ledger.lock_balances(act.session, [account for m in movements for account in (m.from_id, m.to_id)])
        for movement in movements:
            ledger.reverse(act, movement, note=said)
        settle(act, lot_ids)
        facts = {"number": disposal.number, "document_number": disposal.document_number, "reason": said}
        return act.record(
            "stock.reverse-disposal", "disposal", disposal.id, site_id=disposal.site_id, facts=facts
        )

    return perform(write, actor=actor, at=at, request_key=request_key)


def _dispose(
    kind: DisposalKind, document: Document, *, actor: Actor, at: datetime, request_key: str | None
) -> Outcome:
    def write(act: Act) -> Outcome:
        _refuse_incomplete(act, kind, document)
        when = rules.moment(document.disposed_at, recorded_at=act.recorded_at, field="disposed_at")
        taken = _taken(act, document)
        if kind == DisposalKind.RETURN and not document.is_checked:
            lots = [(one.lot_id, one.lot_number) for one in taken]
            number = document.number.strip()
            refuse_doubtful(act.session, supplier_id=document.supplier_id, document_number=number, lots=lots)
        _refuse_short(act.session, taken)
        _refuse_used_later(taken, when)
        disposal_id = _insert_disposal(act, kind, document, when)
        for position, one in enumerate(taken, start=1):
            _insert_line(act, kind, document, one, disposal_id=disposal_id, position=position, when=when)
        return act.record(
            f"stock.{_VERBS[kind]}",
            "disposal",
            disposal_id,
            site_id=document.site_id,
            facts=_facts(document, taken, when),
        )

    return perform(write, actor=actor, at=at, request_key=request_key)


_VERBS = {DisposalKind.RETURN: "return-to-supplier", DisposalKind.DESTRUCTION: "destroy"}
_CLOSURES = {DisposalKind.RETURN: VialClosure.RETURNED, DisposalKind.DESTRUCTION: VialClosure.DISCARDED}


def _refuse_incomplete(act: Act, kind: DisposalKind, document: Document) -> None:
    """Refuse a document that lacks something, naming everything it lacks."""
    found = [
        *_paper_refusals(kind, document),
        *_line_refusals(document),
        *_witness_refusals(act, kind, document),
    ]
    if kind == DisposalKind.RETURN and not _is_supplier(act.session, document.supplier_id):
        found.append(Refusal("DISPOSAL-SUPPLIER", "Choose the supplier it goes back to.", "supplier"))
    if found:
        raise Refusals(found)


def _paper_refusals(kind: DisposalKind, document: Document) -> list[Refusal]:
    found = []
    if not document.number.strip():
        what = "return note" if kind == DisposalKind.RETURN else "destruction record"
        found.append(Refusal("DISPOSAL-DOCUMENT", f"Type the number of the {what}.", "document_number"))
    if not document.lines:
        found.append(
            Refusal("DISPOSAL-EMPTY", "Nothing is chosen. Type how many containers, or tick a vial.")
        )
    if len(document.lines) > MOST_LINES:
        found.append(Refusal("DISPOSAL-LINES", f"At most {MOST_LINES} lines on one document. Make two."))
    return found


def _line_refusals(document: Document) -> list[Refusal]:
    found = []
    keys = [_key(line) for line in document.lines]
    if len(set(keys)) < len(keys):
        found.append(
            Refusal("DISPOSAL-TWICE", "The same stock is named twice. Put it into one line.", "lines")
        )
    if any(line.reason not in DISPOSAL_REASONS for line in document.lines):
        found.append(Refusal("WASTE-REASON", "Choose one of the reasons offered.", "lines"))
    if any(line.reason == WasteReason.OTHER for line in document.lines) and not document.note.strip():
        found.append(Refusal("NOTE-NEEDED", "Say in words what happened.", "note"))
    counts = [line.containers for line in document.lines if isinstance(line, SealedLine)]
    if any(not 1 <= number <= MOST_CONTAINERS_OF_A_LINE for number in counts):
        said = f"From 1 to {MOST_CONTAINERS_OF_A_LINE:,} containers."
        found.append(Refusal("COUNT-RANGE", said, "lines"))
    return found


def _key(line: Line) -> tuple[UUID, ...]:
    return (line.vial_id,) if isinstance(line, VialLine) else (line.lot_id, line.location_id)


def _witness_refusals(act: Act, kind: DisposalKind, document: Document) -> list[Refusal]:
    if document.witness_id is None and kind == DisposalKind.DESTRUCTION:
        said = "A destruction has a witness: another person, who confirms."
        return [Refusal("WITNESS-NEEDED", said, "witness_username")]
    try:
        refuse_witness(act, document.witness_id, document.site_id)
    except Refusal as refusal:
        return [refusal]
    return []


def _is_supplier(session: Session, supplier_id: UUID | None) -> bool:
    return supplier_id is not None and session.get(Supplier, supplier_id) is not None


def _taken(act: Act, document: Document) -> list[_Taken]:
    """Return every line with its account; the vials are locked, in the order of their ids."""
    vials = sorted(line.vial_id for line in document.lines if isinstance(line, VialLine))
    locked = {vial_id: locked_open_vial(act, vial_id) for vial_id in vials}
    return [
        _of_vial(act, document.site_id, line, *locked[line.vial_id])
        if isinstance(line, VialLine)
        else _sealed(act.session, document.site_id, line)
        for line in document.lines
    ]


def _sealed(session: Session, site_id: UUID, line: SealedLine) -> _Taken:
    refuse_elsewhere(session, site_id=site_id, location_id=line.location_id)
    lot = queries.lot_by_id(session, line.lot_id)
    account_id = ledger.shelf_account(session, lot_id=lot.id, location_id=line.location_id)
    place = Place(site_id, line.location_id)
    amount_ul = line.containers * lot.container_volume_ul
    return _Taken(lot.id, lot.lot_number, place, account_id, amount_ul, line.containers, line.reason)


def _of_vial(act: Act, site_id: UUID, line: VialLine, vial: Vial, account: Account) -> _Taken:
    place = ledger.place_of(act.session, vial)
    refuse_elsewhere(act.session, site_id=site_id, location_id=place.location_id)
    if is_on_its_way(act.session, vial.id):
        said = f"Vial {vial.label_number} is on its way to another place. Receive it there first."
        raise Refusal("VIAL-ON-ITS-WAY", said, "lines")
    if not account.balance_ul:
        said = f"Nothing is left in vial {vial.label_number}. Discard it instead."
        raise Refusal("VIAL-EMPTY", said, "lines")
    number = vial.lot.lot_number
    return _Taken(
        vial.lot_id,
        number,
        place,
        account.id,
        account.balance_ul,
        0,
        line.reason,
        vial,
        account.last_occurred_at,
    )


def _refuse_short(session: Session, taken: Sequence[_Taken]) -> None:
    """Lock every account in one go, and refuse what is more than lies there."""
    held = ledger.lock_balances(session, [one.account_id for one in taken])
    short = [one for one in taken if one.amount_ul > held[one.account_id]]
    if short:
        raise Refusals([_short(one, held[one.account_id]) for one in short])


def _short(one: _Taken, held_ul: int) -> Refusal:
    left = held_ul * one.containers // one.amount_ul
    said = f"Lot {one.lot_number}: only {left:,} sealed {'container is' if left == 1 else 'containers are'} left there."
    return Refusal("STOCK-SHORT", said, "lines")


def _refuse_used_later(taken: Sequence[_Taken], when: datetime) -> None:
    for one in taken:
        if one.vial is not None and one.last_used_at is not None and one.last_used_at > when:
            said = f"Something happened with vial {one.vial.label_number} after that time. Type a later time."
            raise Refusal("VIAL-USED-LATER", said, "disposed_at")


def _insert_disposal(act: Act, kind: DisposalKind, document: Document, when: datetime) -> UUID:
    values = {
        "id": uuid7(),
        "number": next_number(act.session, document.site_id, CounterKind.DISPOSAL),
        "kind": kind,
        "site_id": document.site_id,
        "supplier_id": document.supplier_id if kind == DisposalKind.RETURN else None,
        "carrier": document.carrier.strip() or None,
        "document_number": document.number.strip(),
        "note": document.note.strip() or None,
        "disposed_at": when,
        "recorded_at": act.recorded_at,
        "actor_id": act.actor.id,
        "witness_id": document.witness_id,
    }
    made: UUID = act.insert(Disposal, values)
    return made


def _insert_line(
    act: Act,
    kind: DisposalKind,
    document: Document,
    one: _Taken,
    *,
    disposal_id: UUID,
    position: int,
    when: datetime,
) -> None:
    """Move what the line names, close its vial, and write the line."""
    at = ledger.after_that_minutes_inflow(act.session, one.account_id, when)
    movement_id = _post(act, kind, document, one, at)
    if one.vial is not None:
        close(act, one.vial, _CLOSURES[kind], when=at)
    values = {
        "disposal_id": disposal_id,
        "position": position,
        "lot_id": one.lot_id,
        "location_id": one.place.location_id,
        "vial_id": one.vial.id if one.vial else None,
        "containers": one.containers,
        "amount_ul": one.amount_ul,
        "reason": one.reason,
        "movement_id": movement_id,
    }
    act.insert(DisposalLine, values)


def _post(act: Act, kind: DisposalKind, document: Document, one: _Taken, at: datetime) -> int:
    returned = kind == DisposalKind.RETURN
    to = AccountKind.RETURNED if returned else AccountKind.WASTE
    posting = Posting(
        MovementKind.RETURN if returned else MovementKind.WASTE,
        one.account_id,
        ledger.lot_accounts(act.session, one.lot_id)[to],
        one.amount_ul,
        reason=one.reason,
        note=document.note.strip() or None,
        witness_id=document.witness_id,
    )
    return ledger.post(act, posting, lot_id=one.lot_id, place=one.place, occurred_at=at)


def _movements(session: Session, movement_ids: Sequence[int]) -> Sequence[Movement]:
    found = select(Movement).where(Movement.id.in_(movement_ids)).order_by(Movement.id)
    return session.scalars(found).all()


def _facts(document: Document, taken: Sequence[_Taken], when: datetime) -> dict[str, object]:
    return {
        "document_number": document.number.strip(),
        "supplier_id": document.supplier_id,
        "carrier": document.carrier.strip(),
        "note": document.note.strip(),
        "witness_id": document.witness_id,
        "disposed_at": when,
        "lines": [_line_facts(one) for one in taken],
    }


def _line_facts(one: _Taken) -> dict[str, object]:
    what: dict[str, object] = {"lot_number": one.lot_number, "reason": one.reason}
    if one.vial is not None:
        return what | {"label_number": one.vial.label_number, "volume_ul": one.amount_ul}
    return what | {"containers": one.containers}
