"""Everything a recall report shows, read as one state of the clinic with the head of the chain it stands at (law 10)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from inventory.audit.models import AuditHead
from inventory.clinic.models import Site
from inventory.doses.queries import recalls as received
from inventory.doses.queries.recalls import Contact, Progress, RecalledDose, Recipient
from inventory.kernel.quantity import format_ml
from inventory.reports.queries.selection import reading
from inventory.staff.models import User
from inventory.stock.models import Lot, Movement, MovementKind
from inventory.stock.presenters import reason_words
from inventory.stock.queries import recalls
from inventory.stock.queries.recalls import Fate, LineRow, RecallRow, Standing


class Happened(NamedTuple):
    """One line of the timeline."""

    at: datetime
    what: str
    by: str


@dataclass(frozen=True, slots=True)
class RecallState:
    """A recall at one head of the chain."""

    head_seq: int
    head_hash: str
    row: RecallRow
    site: Site
    lines: Sequence[LineRow]
    fates: Mapping[UUID, Fate]
    given: Mapping[UUID, tuple[int, int]]
    standing: Sequence[Standing]
    progress: Progress
    recipients: Sequence[Recipient]
    doses: Mapping[UUID, Sequence[RecalledDose]]
    contacts: Mapping[UUID, Sequence[Contact]]
    timeline: Sequence[Happened]

    @property
    def lots(self) -> dict[UUID, Lot]:
        """The lots of ours, each once, in the order of the lines."""
        return {line.lot.id: line.lot for line in self.lines if line.lot is not None}


def recall_state(recall_id: UUID) -> RecallState:
    """Read a recall with its lots, stock, patients and contacts in one short read. Raises Refusal NOT-FOUND."""
    with reading() as connection, Session(connection) as session:
        head = session.execute(select(AuditHead.seq, AuditHead.hash)).one()
        row, lines = recalls.recall_row(session, recall_id), recalls.lines_of(session, recall_id)
        lot_ids = recalls.recalled_lot_ids(session, recall_id)
        people = list(received.recipients(session, recall_id))
        return RecallState(
            head_seq=head.seq,
            head_hash=head.hash,
            row=row,
            site=session.get_one(Site, row.recall.site_id),
            lines=lines,
            fates=recalls.fates_of(session, lot_ids),
            given=received.doses_by_lot(session, lot_ids),
            standing=recalls.standing_stock(session, lot_ids),
            progress=received.progress(session, recall_id),
            recipients=people,
            doses=received.doses_of(session, lot_ids),
            contacts=received.contacts_of(session, recall_id),
            timeline=_timeline(session, row, lines, lot_ids),
        )


def _timeline(
    session: Session, row: RecallRow, lines: Sequence[LineRow], lot_ids: Sequence[UUID]
) -> list[Happened]:
    recall = row.recall
    happened = [Happened(recall.opened_at, "Recall opened", row.opened_by)]
    happened += _added(lines)
    happened += _released(session, lines)
    happened += _left(session, lot_ids, since=recall.opened_at)
    if recall.closed_at is not None:
        happened.append(Happened(recall.closed_at, "Recall closed", row.closed_by or ""))
    return sorted(happened, key=lambda one: one.at)


def _added(lines: Sequence[LineRow]) -> Iterator[Happened]:
    for at, together in groupby(lines, key=lambda line: line.line.added_at):
        rows = list(together)
        held = sorted({line.lot.lot_number for line in rows if line.lot is not None})
        others = [line.line.lot_number for line in rows if line.lot is None]
        said = [f"held everywhere: {', '.join(held)}"] if held else []
        said += [f"not ours, remembered: {', '.join(others)}"] if others else []
        yield Happened(at, f"Lots {'; '.join(said)}", rows[0].added_by)


def _released(session: Session, lines: Sequence[LineRow]) -> Iterator[Happened]:
    released = [line for line in lines if line.hold is not None and line.hold.released_at is not None]
    people = {line.hold.released_by_id for line in released if line.hold and line.hold.released_by_id}
    names = dict(_names(session, people))
    for line in released:
        assert line.hold is not None  # noqa: S101  as filtered above
        assert line.hold.released_at is not None  # noqa: S101
        number = line.lot.lot_number if line.lot else line.line.lot_number
        said = f"Hold of lot {number} released: {line.hold.release_reason}"
        yield Happened(line.hold.released_at, said, names.get(line.hold.released_by_id, ""))


def _names(session: Session, people: set[UUID]) -> Iterator[tuple[UUID | None, str]]:
    for row in session.execute(select(User.id, User.display_name).where(User.id.in_(people))):
        yield row.id, row.display_name


def _left(session: Session, lot_ids: Sequence[UUID], *, since: datetime) -> Iterator[Happened]:
    """What left the clinic's shelves since: wasted, destroyed or returned; what was undone again is left out."""
    undone = select(Movement.reverses_id).where(
        Movement.lot_id.in_(lot_ids), Movement.reverses_id.is_not(None)
    )
    rows = session.execute(
        select(Movement, Lot.lot_number, User.display_name)
        .join(Lot, Lot.id == Movement.lot_id)
        .join(User, User.id == Movement.actor_id)
        .where(
            Movement.lot_id.in_(lot_ids),
            Movement.kind.in_((MovementKind.WASTE, MovementKind.RETURN)),
            Movement.occurred_at >= since,
            Movement.id.not_in(undone),
        )
        .order_by(Movement.occurred_at, Movement.id)
    )
    for movement, number, by in rows:
        amount = f"{format_ml(movement.amount_ul)} mL of lot {number}"
        if movement.kind == MovementKind.RETURN:
            yield Happened(movement.occurred_at, f"Returned to the supplier: {amount}", by)
        else:
            reason = reason_words(MovementKind.WASTE, movement.reason)
            yield Happened(movement.occurred_at, f"Wasted or destroyed: {amount}. {reason}", by)
