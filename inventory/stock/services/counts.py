"""Physical counts: begun, handed in blind, then posted with a reason for each difference, or given up.

Laws kept here: what the ledger held is read in the act that hands in, and shown only after it; each difference is one adjustment,
effective when it is posted, of what differed at that moment, so that what was drawn since stays counted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from inventory.audit.acts import Act, Outcome, perform
from inventory.clinic.models import CounterKind, Location
from inventory.clinic.numbers import next_number
from inventory.clinic.services import location_guards
from inventory.kernel.errors import Refusal, Refusals, not_found
from inventory.kernel.ids import uuid7
from inventory.kernel.laws import means
from inventory.kernel.permissions import Actor, Permission
from inventory.kernel.quantity import format_ml
from inventory.staff.services import refuse_from_elsewhere
from inventory.stock import counting, ledger, queries
from inventory.stock.ledger import Place, Posting
from inventory.stock.models import (
    AccountKind,
    AdjustReason,
    CountOutcome,
    MovementKind,
    StockCount,
    StockCountLine,
    StockCountResult,
    StockCountVariance,
)
from inventory.stock.queries import CountedLine, ToCount
from inventory.stock.queries.corrections import merge_of
from inventory.stock.queries.named_lots import lock_lots
from inventory.stock.services.approving import approval_needed, may_approve
from inventory.stock.services.carrying import to_found
from inventory.stock.services.lots import refuse_merged
from inventory.stock.services.overfill import refuse_more_overfill
from inventory.stock.services.receiving import MOST_CONTAINERS

means(
    Refusal(
        "COUNT-OPEN-ALREADY",
        "This location is being counted already. Finish that count, or give it up.",
        "location",
    ),
    constraint="uq_stock_count_open",
    columns="stock_count.location_id",
)


@dataclass(frozen=True, slots=True)
class Tally:
    """What was counted: sealed containers by lot, and microlitres by open vial."""

    containers: Mapping[UUID, int] = field(default_factory=dict)
    volumes_ul: Mapping[UUID, int] = field(default_factory=dict)
    note: str = ""

    def counted_ul(self, line: ToCount) -> int | None:
        """Return what was counted of a line in microlitres, or None where nothing was typed."""
        if line.vial:
            return self.volumes_ul.get(line.vial.id)
        containers = self.containers.get(line.lot.id)
        return None if containers is None else containers * line.lot.container_volume_ul


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a line differs: a coded reason, and words where the code says `other`."""

    reason: AdjustReason
    note: str = ""


def start_count(
    *, actor: Actor, at: datetime, request_key: str | None = None, site_id: UUID, location_id: UUID
) -> Outcome:
    """Begin a count of a storage location; the outcome names the count.

    Raises Refusal LOCATION-ELSEWHERE, COUNT-LOCATION-CLOSED, COUNT-OPEN-ALREADY.
    """

    def write(act: Act) -> Outcome:
        _refuse_uncountable(act.session, site_id=site_id, location_id=location_id)
        count = StockCount(
            id=uuid7(),
            number=next_number(act.session, site_id, CounterKind.COUNT),
            site_id=site_id,
            location_id=location_id,
            started_at=act.recorded_at,
            started_by_id=act.actor.id,
        )
        act.session.add(count)
        return _recorded(act, "stock.count-started", count)

    return perform(write, actor=actor, at=at, request_key=request_key)


def hand_in_count(
    *, actor: Actor, at: datetime, request_key: str | None = None, count_id: UUID, tally: Tally
) -> Outcome:
    """Hand in what was counted. Where nothing differs, the count is posted with it; else it waits for its reasons.

    Raises Refusal COUNT-ENDED, COUNT-HANDED-IN, NOT-FOUND; Refusals COUNT-LINE-EMPTY, COUNT-VIAL-GONE, COUNT-RANGE, VIAL-OVERFULL,
    LOT-MERGED.
    """

    def write(act: Act) -> Outcome:
        count = _open_count(act, count_id)
        if queries.count_result(act.session, count_id) is not None:
            said = "What was counted was handed in already. Load the page again."
            raise Refusal("COUNT-HANDED-IN", said, status=409)
        lines = _lines(act, count, tally)
        result = {"count_id": count_id, "counted_at": act.recorded_at, "actor_id": act.actor.id}
        act.insert(StockCountResult, {**result, "note": tally.note.strip() or None})
        for position, (line, counted_ul, expected_ul) in enumerate(lines, start=1):
            lot_id, vial_id = line.key
            amounts = {"counted_ul": counted_ul, "expected_ul": expected_ul}
            place = {"count_id": count_id, "position": position, "lot_id": lot_id, "vial_id": vial_id}
            act.insert(StockCountLine, {**place, **amounts})
        differing = sum(counted_ul != expected_ul for _, counted_ul, expected_ul in lines)
        if not differing:
            _end(act, count, CountOutcome.POSTED)
        return _recorded(act, "stock.count-handed-in", count, lines=len(lines), differing=differing)

    return perform(write, actor=actor, at=at, request_key=request_key)


def post_count(
    *,
    actor: Actor,
    at: datetime,
    request_key: str | None = None,
    count_id: UUID,
    explanations: Mapping[int, Explanation],
    approved_by: Actor | None = None,
) -> Outcome:
    """Post one adjustment for each difference of a count that was handed in, explained by the position of its line.

    Above the clinic's threshold a second person is needed: somebody who manages stock and did not count, either the actor
    or `approved_by`, who is written down as the witness. Raises Refusal COUNT-ENDED, COUNT-NOT-HANDED-IN, COUNT-APPROVAL,
    COUNT-APPROVER, WITNESS-SITE, COUNT-STALE, VIAL-OVERFULL; Refusals COUNT-REASON, ADJUST-REASON, NOTE-NEEDED.
    """

    def write(act: Act) -> Outcome:
        count = _open_count(act, count_id)
        result = queries.count_result(act.session, count_id)
        if result is None:
            raise Refusal("COUNT-NOT-HANDED-IN", "Count first, and hand in what was counted.")
        lines = [line for line in queries.lines_of(act.session, count) if line.difference_ul]
        _refuse_unexplained(lines, explanations)
        approver = _approver(act, count, lines, counted_by_id=result.actor_id, approved_by=approved_by)
        accounts = _locked_accounts(act, count, lines)
        for line in lines:
            why = explanations[line.line.position]
            _post(act, count, line, why, account_id=accounts[line.line.position], approver=approver)
        _end(act, count, CountOutcome.POSTED)
        approved = {"approved_by_id": approver.id if approver else None}
        return _recorded(act, "stock.count-posted", count, differing=len(lines), **approved)

    return perform(write, actor=actor, at=at, request_key=request_key)


def abandon_count(
    *, actor: Actor, at: datetime, request_key: str | None = None, count_id: UUID, reason: str
) -> Outcome:
    """Give a count up, saying why; nothing is adjusted, and what was handed in stays in the history.

    Once it shows differences, only who manages stock gives it up. Raises Refusal COUNT-ENDED, NOTE-NEEDED, COUNT-ABANDON.
    """

    def write(act: Act) -> Outcome:
        if not reason.strip():
            raise Refusal("NOTE-NEEDED", "Say in words what happened.", "reason")
        count = _open_count(act, count_id)
        is_handed_in = queries.count_result(act.session, count_id) is not None
        if is_handed_in and not act.actor.can(Permission.STOCK_MANAGE):
            said = "A count that shows differences is posted, or given up by somebody who manages stock."
            raise Refusal("COUNT-ABANDON", said)
        _end(act, count, CountOutcome.ABANDONED)
        return _recorded(act, "stock.count-abandoned", count, reason=reason.strip(), handed_in=is_handed_in)

    return perform(write, actor=actor, at=at, request_key=request_key)


def why_counted(session: Session, location_id: UUID) -> str | None:
    """Return why the clinic cannot close this storage location: it is being counted. None when it is not."""
    is_open = exists().where(StockCount.location_id == location_id, StockCount.closed_at.is_(None))
    if session.execute(select(is_open)).scalar_one():
        return "It is being counted. Finish that count first, or give it up."
    return None


location_guards.append(why_counted)


def _refuse_uncountable(session: Session, *, site_id: UUID, location_id: UUID) -> None:
    # Locked, so that it is not closed beside this.
    location = session.scalar(
        select(Location).where(Location.id == location_id).with_for_update(key_share=True)
    )
    if location is None or location.site_id != site_id:
        raise Refusal("LOCATION-ELSEWHERE", "Choose a storage location of this site.", "location")
    if location.closed_at is not None:
        said = "This location is closed: nothing is kept there. An administrator reopens it under Settings."
        raise Refusal("COUNT-LOCATION-CLOSED", said, "location")


def _open_count(act: Act, count_id: UUID) -> StockCount:
    count = queries.count_by_id(act.session, count_id, lock=True)
    if count.closed_at is not None:
        raise Refusal("COUNT-ENDED", "This count was posted or given up already.", status=409)
    return count


def _lines(act: Act, count: StockCount, tally: Tally) -> list[tuple[ToCount, int, int]]:
    """Return the lines in the order of the list: what was counted and what the ledger holds, in microlitres."""
    held = queries.held_at(act.session, count, at=act.recorded_at)
    listed = {line.key for line, _ in held}
    found = [
        queries.lot_by_id(act.session, lot_id) for lot_id in tally.containers if (lot_id, None) not in listed
    ]
    for lot in found:
        refuse_merged(act.session, lot, field=counting.field_of(lot.id, None))
    held += [(ToCount(lot), 0) for lot in found]
    gone = set(tally.volumes_ul) - {vial_id for _, vial_id in listed if vial_id}
    refusals = [_gone(act, vial_id) for vial_id in sorted(gone)]
    lines = [(line, tally.counted_ul(line), expected_ul) for line, expected_ul in held]
    refusals += [refusal for line, counted_ul, _ in lines if (refusal := _refused(line, counted_ul))]
    if refusals:
        raise Refusals(refusals)
    return [
        (line, counted_ul, expected_ul) for line, counted_ul, expected_ul in lines if counted_ul is not None
    ]


def _refused(line: ToCount, counted_ul: int | None) -> Refusal | None:
    """Return what is wrong with what was counted of one line. What the ledger holds is not asked, and so not told."""
    if counted_ul is None:
        return Refusal("COUNT-LINE-EMPTY", "Count this too. Type 0 if nothing of it is there.", line.field)
    if line.vial is None:
        most_ul = MOST_CONTAINERS * line.lot.container_volume_ul
        said = f"From 0 to {MOST_CONTAINERS:,} containers."
        return None if 0 <= counted_ul <= most_ul else Refusal("COUNT-RANGE", said, line.field)
    most_ul = line.lot.container_volume_ul + line.lot.product.overfill_limit_ul
    said = f"A vial of this product takes at most {format_ml(most_ul)} mL."
    return None if 0 <= counted_ul <= most_ul else Refusal("VIAL-OVERFULL", said, line.field)


def _gone(act: Act, vial_id: UUID) -> Refusal:
    vial = queries.vial_by_id(act.session, vial_id)
    said = f"Vial {vial.label_number} was closed or taken elsewhere meanwhile. It is left out of the count; send it again."
    return Refusal("COUNT-VIAL-GONE", said)


def _refuse_unexplained(lines: Sequence[CountedLine], explanations: Mapping[int, Explanation]) -> None:
    found = [_unexplained(line, explanations.get(line.line.position)) for line in lines]
    refusals = [refusal for refusal in found if refusal]
    if refusals:
        raise Refusals(refusals)


def _unexplained(line: CountedLine, why: Explanation | None) -> Refusal | None:
    position = line.line.position
    if why is None:
        return Refusal("COUNT-REASON", "Choose why it differs.", f"reason_{position}")
    if why.reason not in counting.reasons_for(line):
        return Refusal("ADJUST-REASON", "Choose a reason that fits this difference.", f"reason_{position}")
    if why.reason == AdjustReason.OTHER and not why.note.strip():
        return Refusal("NOTE-NEEDED", "Say in words what happened.", f"note_{position}")
    return None


def _approver(
    act: Act,
    count: StockCount,
    lines: Sequence[CountedLine],
    *,
    counted_by_id: UUID,
    approved_by: Actor | None,
) -> Actor | None:
    """Return the second person, where one is named or needed."""
    if approved_by is not None:
        refuse_from_elsewhere(approved_by, count.site_id, "approver_username")
    if approved_by is not None and not may_approve(approved_by, counted_by_id=counted_by_id):
        said = "The second person manages stock, and is not the one who counted."
        raise Refusal("COUNT-APPROVER", said, "approver_username")
    who = {"location_id": count.location_id, "actor_id": act.actor.id}
    if approved_by is not None or not approval_needed(act.session, lines, **who, at=act.recorded_at):
        return approved_by
    if may_approve(act.actor, counted_by_id=counted_by_id):
        return act.actor
    said = "So much is posted with a second person, who manages stock and did not count."
    raise Refusal("COUNT-APPROVAL", said, "approver_username")


def _locked_accounts(act: Act, count: StockCount, lines: Sequence[CountedLine]) -> dict[int, int]:
    """Lock what is adjusted and return the accounts by the lines' positions. Raises Refusal COUNT-STALE."""
    lock_lots(act.session, {line.lot.id for line in lines})
    vials = {line.vial.id for line in lines if line.vial}
    here = queries.vials_here(act.session, vials, count.location_id)
    accounts: dict[int, int] = {}
    for line in lines:
        if merge_of(act.session, line.lot.id):
            raise _stale(f"Lot {line.lot.lot_number} was merged into another since the count.")
        if line.told_late:
            what = f"vial {line.vial.label_number}" if line.vial else f"lot {line.lot.lot_number}"
            raise _stale(f"Of {what} something of before the count was recorded or corrected only after it.")
        if line.vial and line.vial.id not in here:
            raise _stale(f"Vial {line.vial.label_number} was closed or taken elsewhere since the count.")
        accounts[line.line.position] = _account(act, count, line)
    held = ledger.lock_balances(act.session, accounts.values())
    for line in lines:
        if held[accounts[line.line.position]] + line.difference_ul < 0:
            what = f"vial {line.vial.label_number}" if line.vial else f"lot {line.lot.lot_number}"
            raise _stale(f"Since the count, so much of {what} was taken that less is left than is missing.")
    return accounts


def _account(act: Act, count: StockCount, line: CountedLine) -> int:
    if line.vial:
        return ledger.vial_account(act.session, line.vial)
    place = count.location_id
    return ledger.shelf_account(act.session, lot_id=line.lot.id, location_id=place, create=True)


def _stale(said: str) -> Refusal:
    return Refusal("COUNT-STALE", f"{said} Give this count up and count again.", status=409)


def _post(
    act: Act,
    count: StockCount,
    line: CountedLine,
    why: Explanation,
    *,
    account_id: int,
    approver: Actor | None,
) -> None:
    if line.vial and why.reason == AdjustReason.OVERFILL:
        limit_ul, field = line.lot.product.overfill_limit_ul, f"reason_{line.line.position}"
        refuse_more_overfill(act.session, line.vial.id, line.difference_ul, limit_ul=limit_ul, field=field)
    adjustment = ledger.lot_accounts(act.session, line.lot.id)[AccountKind.ADJUSTMENT]
    found = line.difference_ul > 0
    words = why.note.strip()
    posting = Posting(
        MovementKind.ADJUST,
        *((adjustment, account_id) if found else (account_id, adjustment)),
        abs(line.difference_ul),
        reason=why.reason,
        note=f"Count {count.number}: {words}" if words else f"Count {count.number}",
        witness_id=approver.id if approver and approver.id != act.actor.id else None,
    )
    place = Place(count.site_id, count.location_id)
    moved = ledger.post(act, posting, lot_id=line.lot.id, place=place, occurred_at=act.recorded_at)
    if found and line.vial is None:
        to_found(act, line.lot.id, place)
    said = {"reason": why.reason, "note": words or None, "movement_id": moved}
    act.insert(StockCountVariance, {"count_id": count.id, "position": line.line.position, **said})


def _end(act: Act, count: StockCount, outcome: CountOutcome) -> None:
    count.closed_at, count.closed_by_id, count.outcome = act.recorded_at, act.actor.id, outcome


def _recorded(act: Act, action: str, count: StockCount, **facts: object) -> Outcome:
    location = act.session.get(Location, count.location_id)
    if location is None:
        raise not_found("storage location")
    told = {"number": count.number, "location": location.name, "location_id": count.location_id, **facts}
    return act.record(action, "stock_count", count.id, site_id=count.site_id, facts=told)
