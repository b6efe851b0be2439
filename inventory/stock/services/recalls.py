"""A recall: many lots held in one act wherever they lie, more added later, their holds released, and the recall closed out.

Stock never learns of patients: what the rooms above still have to do before a recall may be closed they say through
`closing_guards`.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from inventory.audit.acts import Act, Outcome, perform
from inventory.clinic.models import CounterKind
from inventory.clinic.numbers import next_number
from inventory.kernel.errors import Refusal
from inventory.kernel.ids import uuid7
from inventory.kernel.permissions import Actor
from inventory.stock.models import Hold, Lot, Recall, RecallLine
from inventory.stock.notices import NamedLot
from inventory.stock.queries import named_lots, recalls
from inventory.stock.queries.corrections import became, with_merged
from inventory.stock.queries.named_lots import FoundLot, Match
from inventory.stock.services.places import site_of
from inventory.stock.services.recalled import add_line, name_whole
from inventory.web.presenting import count, ml

closing_guards: list[Callable[[Session, UUID], str]] = []
"""Each says what is still to do for a recall, in words that finish "Still to do: ", or nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What a maker or an authority said, and whether the clinic only practises."""

    title: str
    reason: str
    reference: str = ""
    is_drill: bool = False


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which of the lots that a preview `shown` were meant. What it did not show cannot be decided by it."""

    shown: frozenset[UUID]
    meant: frozenset[UUID]


def open_recall(
    *,
    actor: Actor,
    at: datetime,
    request_key: str | None = None,
    site_id: UUID,
    notice: Notice,
    named: Sequence[NamedLot],
    chosen: Chosen | None = None,
) -> Outcome:
    """Open a recall and hold every lot it names, everywhere, in one act; the outcome names the recall.

    Without `chosen` every lot of such a number is meant, and no guess. A number that is not of ours is remembered: a delivery of it is
    held while the recall is open. Raises Refusal NOTE-NEEDED, RECALL-NO-LOTS, RECALL-LOTS-CHANGED, LOT-NUMBER-INVALID.
    """

    def write(act: Act) -> Outcome:
        site = site_of(act.session, site_id)
        _refuse_empty(notice, named)
        # Taking the number first keeps deliveries out until the lots are held (queries.named_lots.wait_for_recalls).
        number = next_number(act.session, site.id, CounterKind.RECALL)
        recall = _new_recall(act, site_id, number, notice)
        added = _add(act, recall, named, chosen)
        label = recalls.recall_label(site.code, number)
        facts = {
            "recall": label,
            "title": recall.title,
            "reference": recall.reference,
            "reason": recall.reason,
            "is_drill": recall.is_drill,
            **added,
        }
        return act.record("stock.open-recall", "recall", recall.id, site_id=site_id, facts=facts)

    return perform(write, actor=actor, at=at, request_key=request_key)


def add_lots_to_recall(
    *,
    actor: Actor,
    at: datetime,
    request_key: str | None = None,
    recall_id: UUID,
    named: Sequence[NamedLot],
    chosen: Chosen | None = None,
) -> Outcome:
    """Add lots to an open recall and hold them. Raises as `open_recall`, and RECALL-CLOSED, RECALL-LOTS-THERE."""

    def write(act: Act) -> Outcome:
        if not named:
            raise _no_lots()
        named_lots.shut_out_deliveries(act.session)
        recall = _open(act, recall_id)
        there = _there(act.session, recall_id)
        added = _add(act, recall, [one for one in named if one.key not in there.keys], chosen, there.lot_ids)
        if not added["lots"] and not added["not_ours"]:
            raise Refusal("RECALL-LOTS-THERE", "All of these lots are part of the recall already.", "lots")
        return act.record("stock.add-to-recall", "recall", recall.id, site_id=recall.site_id, facts=added)

    return perform(write, actor=actor, at=at, request_key=request_key)


def release_recall(
    *, actor: Actor, at: datetime, request_key: str | None = None, recall_id: UUID, reason: str
) -> Outcome:
    """Release every hold of a recall that still stands. Raises Refusal NOTE-NEEDED, RECALL-NOTHING-HELD."""

    def write(act: Act) -> Outcome:
        said = _said(reason, "reason")
        recall = recalls.recall_by_id(act.session, recall_id, lock=True)
        holds = _standing_holds(act.session, recall_id)
        if not holds:
            raise Refusal("RECALL-NOTHING-HELD", "No hold of this recall stands any more.")
        for hold in holds:
            hold.released_at, hold.released_by_id, hold.release_reason = act.recorded_at, act.actor.id, said
        facts = {"reason": said, "lots": _numbers(act.session, [hold.lot_id for hold in holds])}
        return act.record("stock.release-recall", "recall", recall.id, site_id=recall.site_id, facts=facts)

    return perform(write, actor=actor, at=at, request_key=request_key)


def close_recall(
    *,
    actor: Actor,
    at: datetime,
    request_key: str | None = None,
    recall_id: UUID,
    outcome: str,
    although: str = "",
) -> Outcome:
    """Close a recall with its outcome. `although` says why, where something is still to do.

    Raises Refusal RECALL-CLOSED, OUTCOME-NEEDED, RECALL-UNFINISHED.
    """

    def write(act: Act) -> Outcome:
        recall = _open(act, recall_id)
        if not outcome.strip():
            raise Refusal("OUTCOME-NEEDED", "Say what came of the recall.", "outcome")
        left = still_to_do(act.session, recall_id)
        if left and not although.strip():
            said = (
                f"Still to do: {'; '.join(left)}. Do it first, or say why the recall is closed all the same."
            )
            raise Refusal("RECALL-UNFINISHED", said, "although")
        recall.outcome = _outcome(outcome.strip(), left, although.strip())
        recall.closed_at, recall.closed_by_id = act.recorded_at, act.actor.id
        facts = {
            "outcome": outcome.strip(),
            "still_to_do": left,
            "although": although.strip() if left else "",
        }
        return act.record("stock.close-recall", "recall", recall.id, site_id=recall.site_id, facts=facts)

    return perform(write, actor=actor, at=at, request_key=request_key)


def still_to_do(session: Session, recall_id: UUID) -> list[str]:
    """Return in words what is left to do for a recall: stock that lies somewhere unresolved, and what other rooms say."""
    said = [guard(session, recall_id) for guard in closing_guards]
    said.append(_missing(session, recall_id))
    stock = recalls.unresolved_stock(session, recall_id)
    if stock:
        sealed = sum(one.containers for one in stock)
        vials = sum(one.vial_id is not None for one in stock)
        what = [
            words
            for number, words in (
                (sealed, count(sealed, "sealed container")),
                (vials, count(vials, "open vial")),
            )
            if number
        ]
        is_drill = recalls.recall_by_id(session, recall_id).is_drill
        must = "released now that the drill is over" if is_drill else "returned, destroyed or released"
        said.append(f"{' and '.join(what)} of its lots must be {must}")
    return [words for words in said if words]


def _missing(session: Session, recall_id: UUID) -> str:
    sealed, open_ul = recalls.missing_stock(session, recalls.recalled_lot_ids(session, recall_id))
    what = [count(sealed, "container")] if sealed else []
    what += [f"{ml(open_ul)} of opened vials"] if open_ul else []
    are = "is" if sealed < 2 and not (sealed and open_ul) else "are"
    return f"{' and '.join(what)} {are} missing: find out where it went" if what else ""


def _outcome(outcome: str, left: Sequence[str], although: str) -> str:
    return f"{outcome}\n\nClosed although: {'; '.join(left)}. {although}" if left else outcome


def _refuse_empty(notice: Notice, named: Sequence[NamedLot]) -> None:
    _said(notice.title, "title")
    _said(notice.reason, "reason")
    if not named:
        raise _no_lots()


def _no_lots() -> Refusal:
    return Refusal("RECALL-NO-LOTS", "Type or paste the lot numbers of the notice, one a line.", "lots")


def _new_recall(act: Act, site_id: UUID, number: int, notice: Notice) -> Recall:
    recall = Recall(
        id=uuid7(),
        number=number,
        site_id=site_id,
        title=notice.title.strip(),
        reference=notice.reference.strip(),
        reason=notice.reason.strip(),
        is_drill=notice.is_drill,
        opened_at=act.recorded_at,
        opened_by_id=act.actor.id,
    )
    act.session.add(recall)
    act.session.flush()
    return recall


def _add(
    act: Act,
    recall: Recall,
    named: Sequence[NamedLot],
    chosen: Chosen | None,
    there: Collection[UUID] = (),
) -> dict[str, list[str]]:
    """Add a line for each lot that is meant, and one for each number that names none; return both in words."""
    matches = named_lots.matches_of(act.session, named)
    meant = _meant(matches, chosen)
    meant_now = {became(act.session, one) for one in meant}
    named_lots.lock_lots(act.session, {one for now in meant_now for one in with_merged(act.session, now)})
    lots, not_ours = [], []
    for match in matches:
        mine = [one for one in match.lots if one.lot.id in meant]
        for one in mine:
            if one.lot.id not in there:
                _line(act, recall, match, one)
                lots.append(f"{one.lot.lot_number} ({one.lot.product.name})")
        if not mine:
            _line(act, recall, match, None)
            not_ours.append(match.named.lot_number)
    # Lots that were merged are one: whoever means one of them means it whole.
    for lot_id in sorted(meant_now):
        name_whole(act, lot_id)
    return {"lots": lots, "not_ours": not_ours}


def _meant(matches: Sequence[Match], chosen: Chosen | None) -> set[UUID]:
    found = {one.lot.id for match in matches for one in match.lots}
    if chosen is None:
        return {one.lot.id for match in matches for one in match.lots if not one.is_guess}
    if found - chosen.shown or chosen.meant - found:
        said = "The lots of these numbers have changed since they were shown. Look at them again."
        raise Refusal("RECALL-LOTS-CHANGED", said, "lots")
    return found & chosen.meant


def _line(act: Act, recall: Recall, match: Match, found: FoundLot | None) -> None:
    """Add a line under the number that was typed; under the lot's own where what was typed only had it in it."""
    named = NamedLot(found.lot.lot_number) if found and found.is_guess else match.named
    add_line(
        act,
        recall,
        lot_number=named.lot_number,
        key=named.key,
        product_id=match.product_id,
        lot_id=found.lot.id if found else None,
    )


@dataclass(frozen=True, slots=True)
class _There:
    keys: frozenset[str]
    lot_ids: frozenset[UUID]


def _there(session: Session, recall_id: UUID) -> _There:
    """Return what a recall names already: numbers without a lot, and lots."""
    lines = session.scalars(select(RecallLine).where(RecallLine.recall_id == recall_id)).all()
    ours = frozenset(line.lot_id for line in lines if line.lot_id is not None)
    return _There(frozenset(line.lot_number_key for line in lines if line.lot_id is None), ours)


def _open(act: Act, recall_id: UUID) -> Recall:
    recall = recalls.recall_by_id(act.session, recall_id, lock=True)
    if recall.closed_at is not None:
        raise Refusal("RECALL-CLOSED", "This recall is closed. Open a new one for further lots.")
    return recall


def _standing_holds(session: Session, recall_id: UUID) -> Sequence[Hold]:
    mine = select(RecallLine.hold_id).where(
        RecallLine.recall_id == recall_id, RecallLine.hold_id.is_not(None)
    )
    standing = select(Hold).where(Hold.id.in_(mine), Hold.released_at.is_(None))
    return session.scalars(standing.order_by(Hold.id).with_for_update()).all()


def _numbers(session: Session, lot_ids: Sequence[UUID]) -> list[str]:
    return list(
        session.scalars(select(Lot.lot_number).where(Lot.id.in_(lot_ids)).order_by(Lot.lot_number, Lot.id))
    )


def _said(text: str, field: str) -> str:
    if not text.strip():
        raise Refusal("NOTE-NEEDED", "Say it in words.", field)
    return text.strip()
