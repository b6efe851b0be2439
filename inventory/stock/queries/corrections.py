"""What was corrected of lots: their former numbers and expiries, and which lot went over into which (law 4)."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session, aliased

from inventory.kernel.printed import as_printed
from inventory.staff.models import User
from inventory.stock.models import Account, AccountKind, AdjustReason, Lot, LotCorrection, Movement, Vial

A_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Corrected:
    """One correction of a lot as it is told: what stood there, what stands there since, why, by whom, approved by whom."""

    lot_id: UUID
    position: int
    lot_number_before: str
    expires_on_before: date
    lot_number: str
    expires_on: date
    merged_into_id: UUID | None
    reason: str
    corrected_at: datetime
    by: str
    approved_by: str
    by_id: UUID
    approved_by_id: UUID

    @property
    def changes_number(self) -> bool:
        """Whether the number is another, however it is written."""
        return self.lot_number != self.lot_number_before

    @property
    def changes_expiry(self) -> bool:
        """Whether the expiry is another day."""
        return self.expires_on != self.expires_on_before


_ACTOR, _APPROVER = aliased(User), aliased(User)
TOLD = (
    select(
        LotCorrection.lot_id,
        LotCorrection.position,
        LotCorrection.lot_number_before,
        LotCorrection.expires_on_before,
        LotCorrection.lot_number,
        LotCorrection.expires_on,
        LotCorrection.merged_into_id,
        LotCorrection.reason,
        LotCorrection.corrected_at,
        _ACTOR.display_name.label("by"),
        _APPROVER.display_name.label("approved_by"),
        LotCorrection.actor_id,
        LotCorrection.approved_by_id,
    )
    .join(_ACTOR, _ACTOR.id == LotCorrection.actor_id)
    .join(_APPROVER, _APPROVER.id == LotCorrection.approved_by_id)
    .order_by(LotCorrection.corrected_at, LotCorrection.lot_id, LotCorrection.position)
)
"""Corrections as they are told, the first first."""
# A correction keeps what stood there as it was typed: in any case, with or without spaces.
_BEFORE = func.upper(func.replace(LotCorrection.lot_number_before, " ", ""))


def told(rows: Iterable[Any]) -> list[Corrected]:
    """Return the rows of `TOLD` as corrections."""
    return [Corrected(*row) for row in rows]


def corrections_of(session: Session, lot_id: UUID) -> list[Corrected]:
    """Return the lot's own corrections and those by which other lots went over into it, the first first."""
    about = (LotCorrection.lot_id == lot_id) | (LotCorrection.merged_into_id == lot_id)
    return told(session.execute(TOLD.where(about)))


def later_words(session: Session, lot_ids: Iterable[UUID]) -> dict[UUID, list[Corrected]]:
    """Return by lot every correction of it and, after it went over into another lot, those of that lot; the first first."""
    found: dict[UUID, list[Corrected]] = {}
    wanted = set(lot_ids)
    while wanted:
        rows = told(session.execute(TOLD.where(LotCorrection.lot_id.in_(wanted))))
        for lot_id in wanted:
            found[lot_id] = [row for row in rows if row.lot_id == lot_id]
        wanted = {row.merged_into_id for row in rows if row.merged_into_id} - found.keys()
    return {lot_id: _followed(lot_id, found) for lot_id in set(lot_ids)}


def corrected_times(session: Session, lot_id: UUID) -> int:
    """Return how often the lot was corrected: a page says with it what it has seen."""
    newest = _newest(session, lot_id)
    return newest.position if newest else 0


def merge_of(session: Session, lot_id: UUID) -> LotCorrection | None:
    """Return the correction by which the lot went over into another; None while it stands for itself."""
    newest = _newest(session, lot_id)
    return newest if newest is not None and newest.merged_into_id else None


def became(session: Session, lot_id: UUID) -> UUID:
    """Return the lot that a lot is now: itself, or the one it went over into, however often."""
    while (merge := merge_of(session, lot_id)) is not None and merge.merged_into_id:
        lot_id = merge.merged_into_id
    return lot_id


def with_merged(session: Session, lot_id: UUID) -> list[UUID]:
    """Return the lot and every lot that went over into it, directly or through others."""
    found, new = [lot_id], [lot_id]
    while new:
        rows = session.scalars(
            select(LotCorrection.lot_id).where(LotCorrection.merged_into_id.in_(new)).distinct()
        )
        new = [one for one in rows if one not in found]
        found += new
    return found


def every_later_word(
    session: Session | Connection, *, among: Callable[[Corrected], bool] = lambda _: True
) -> dict[UUID, list[Corrected]]:
    """As `later_words`, of every lot that was ever corrected; with `among`, of the corrections for which it holds."""
    rows = [row for row in told(session.execute(TOLD)) if among(row)]
    found = {lot_id: [row for row in rows if row.lot_id == lot_id] for lot_id in {row.lot_id for row in rows}}
    return {lot_id: _followed(lot_id, found) for lot_id in found}


def went_over(session: Session, merge: LotCorrection) -> list[tuple[Vial, str]]:
    """Return the vials that a merge gave a new label, with what their movement says: `From vial 3 of lot TYP0.`"""
    rows = session.execute(
        select(Vial, Movement.note)
        .join(Account, Account.vial_id == Vial.id)
        .join(Movement, Movement.to_id == Account.id)
        .where(
            Movement.lot_id == merge.merged_into_id,
            Movement.reason == AdjustReason.MERGED,
            Movement.recorded_at == merge.corrected_at,
            Vial.lot_id == merge.merged_into_id,
        )
        .order_by(Vial.label_number)
    )
    return [(vial, note or "") for vial, note in rows]


def sealed_and_open(session: Session, lot: Lot) -> tuple[int, int]:
    """Return how many sealed containers of the lot there are at all sites, and how many open vials."""
    shelves = select(func.coalesce(func.sum(Account.balance_ul), 0)).where(
        Account.lot_id == lot.id, Account.kind == AccountKind.SHELF
    )
    opened = select(func.count()).where(Vial.lot_id == lot.id, Vial.closed_at.is_(None))
    return int(session.scalar(shelves) or 0) // lot.container_volume_ul, int(session.scalar(opened) or 0)


def use_bys_apart(session: Session, lot: Lot) -> tuple[int, int]:
    """Return how many open vials of the lot bear a use-by after its expiry, and how many one that an expiry shortened once.

    The second could be used longer by what the opening and the expiry say now; but the day that was written on them counts.
    """
    opened = select(Vial.use_by_on, Vial.opened_at).where(Vial.lot_id == lot.id, Vial.closed_at.is_(None))
    labelled = [(use_by_on, at) for use_by_on, at in session.execute(opened) if use_by_on is not None]
    late = [use_by_on for use_by_on, _ in labelled if use_by_on > lot.expires_on]
    # The day of the opening is the site's: a day less by the clock of UTC is none.
    in_use = timedelta(days=lot.in_use_days) - A_DAY
    early = [day for day, at in labelled if day < min(lot.expires_on, (at + in_use).date())]
    return len(late), len(early)


def lots_numbered(session: Session, key: str) -> list[Lot]:
    """Return the lots that have this number, as `rules.lot_number_key` has it, now or before they were corrected."""
    before = select(LotCorrection.lot_id).where(_BEFORE.in_([key]))
    now_or_then = (Lot.lot_number_key == key) | Lot.id.in_(before)
    return list(session.scalars(select(Lot).where(now_or_then).order_by(Lot.created_at, Lot.id)))


def formerly(words: str) -> ColumnElement[bool]:
    """Return the condition that a number under which the lot stood before contains `words`, or that of a lot merged into it."""
    key = as_printed(words).upper()
    before = _BEFORE.contains(key, autoescape=True)
    own = select(LotCorrection.lot_id).where(before)
    merged = select(LotCorrection.merged_into_id).where(before, LotCorrection.merged_into_id.is_not(None))
    return Lot.id.in_(own) | Lot.id.in_(merged)


def _newest(session: Session, lot_id: UUID) -> LotCorrection | None:
    return session.scalar(
        select(LotCorrection)
        .where(LotCorrection.lot_id == lot_id)
        .order_by(LotCorrection.position.desc())
        .limit(1)
    )


def _followed(lot_id: UUID, found: dict[UUID, list[Corrected]]) -> list[Corrected]:
    own: Sequence[Corrected] = found.get(lot_id, ())
    whole = list(own)
    for merge in own:
        if merge.merged_into_id:
            since = _followed(merge.merged_into_id, found)
            whole += [later for later in since if later.corrected_at > merge.corrected_at]
    return whole
