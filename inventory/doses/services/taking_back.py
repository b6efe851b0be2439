"""Takes back what a dose took, so that each container is as it really was (law 4: by reversals, never by changing a row).

Everything the dose moved is undone with it: the opening, the remainder, what the syringe kept, and what was posted from
adjustment because the ledger did not know of it. Volume that would come back into a closed container is wasted instead: a reversal never refills
an ampoule.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from inventory.audit.acts import Act
from inventory.clinic.models import Location
from inventory.doses.models import Dose, DoseSource
from inventory.doses.rules.terms import VoidKind
from inventory.kernel.errors import Refusal
from inventory.stock import ledger
from inventory.stock.ledger import Place, Posting
from inventory.stock.models import (
    Account,
    AccountKind,
    AdjustReason,
    Movement,
    MovementKind,
    Vial,
    VialClosure,
    WasteReason,
)
from inventory.stock.queries.relabelled import newest
from inventory.stock.queries.transfers import refuse_on_its_way
from inventory.stock.services.carrying import to_shelf
from inventory.stock.services.merging import go_on
from inventory.stock.services.wasting import close

NOTHING: frozenset[UUID] = frozenset()
_UNDONE = select(Movement.reverses_id).where(Movement.reverses_id.is_not(None))


def sources_of(session: Session, dose_id: UUID, *, lock: bool = False) -> list[tuple[DoseSource, Vial]]:
    """Return a dose's containers in order, with their vials; with `lock`, as they are now, and so until the act ends."""
    statement = (
        select(DoseSource, Vial)
        .join(Vial, Vial.id == DoseSource.vial_id)
        .where(DoseSource.dose_id == dose_id)
        .order_by(DoseSource.position)
        .execution_options(populate_existing=True)
    )
    if lock:
        statement = statement.with_for_update(of=Vial, key_share=True)
    return [(source, vial) for source, vial in session.execute(statement)]


def take_back(act: Act, dose: Dose, kind: VoidKind, *, keep: frozenset[UUID] = NOTHING) -> None:
    """Reverse what the dose took from each container.

    `keep` are the vials that the amendment of the dose draws from again: they stay open, with all that was in them.
    """
    acts = _acts_behind(act.session, dose)
    for source, vial in sources_of(act.session, dose.id, lock=True):
        taking = _Taking(act, dose, vial, act.session.get_one(Movement, source.movement_id), acts)
        if kind is VoidKind.DRAWN_NOT_GIVEN:
            taking.waste_what_was_drawn()
        elif vial.id in keep:
            taking.put_back_to_draw_again()
        else:
            taking.put_back()


def _acts_behind(session: Session, dose: Dose) -> frozenset[UUID]:
    """Return the acts that moved stock for this dose: its own, and those of the entries it amends."""
    acts: set[UUID] = set()
    at: Dose | None = dose
    while at is not None:
        moved = select(Movement.act_id).join(DoseSource, DoseSource.movement_id == Movement.id)
        acts.update(session.scalars(moved.where(DoseSource.dose_id == at.id)))
        at = session.get(Dose, at.amends_id) if at.amends_id else None
    return frozenset(acts)


@dataclass(frozen=True, slots=True)
class _Taking:
    act: Act
    dose: Dose
    vial: Vial
    given: Movement
    acts: frozenset[UUID]

    def waste_what_was_drawn(self) -> None:
        """It was drawn: the container is as it is, and what left it was wasted. What the ledger lacked, it truly lacked.

        What the syringe kept stays wasted as it is.
        """
        self._undo([self.given])
        self._waste(self.given.amount_ul, WasteReason.DRAWN_NOT_GIVEN)

    def put_back_to_draw_again(self) -> None:
        """The same container is drawn from anew: all but its opening is undone."""
        heir = self._open_heir()
        stays = {MovementKind.OPEN, MovementKind.TRANSFER}
        self._undo([self.given, *(m for m in self._mates() if m.kind not in stays)])
        self._bring_to_the_vial(heir)

    def put_back(self) -> None:
        """Nothing was drawn: the container is sealed again if this dose opened it, and nobody used it since.

        Raises Refusal VIAL-ON-ITS-WAY: what would come back has no place while the vial travels; and VOID-LOCATION-CLOSED.
        """
        heir = self._open_heir()
        mates = self._mates()
        opening = next((m for m in mates if m.kind == MovementKind.OPEN), None)
        if opening is not None and not self._used_since():
            short = self._shortfall_of(opening)
            if not short:
                _refuse_closed(self.act.session, opening.location_id)
            self._undo([self.given, *mates, *short])
            to_shelf(self.act, self.vial, opening.location_id)
            if self.vial.closed_at is None:
                close(self.act, self.vial, VialClosure.NEVER_OPENED, when=self.act.recorded_at)
            return
        adjusted = [m for m in mates if m.kind == MovementKind.ADJUST]
        lost = [m for m in mates if m.reason == WasteReason.DEAD_SPACE]
        self._undo([self.given, *lost, *adjusted])
        back_ul = self.given.amount_ul + sum(m.amount_ul for m in lost) - sum(m.amount_ul for m in adjusted)
        if heir is None and back_ul > 0:
            self._waste(back_ul, WasteReason.DRAWN_NOT_GIVEN)
        self._bring_to_the_vial(heir)

    def _mates(self) -> list[Movement]:
        """Return the standing movements of the vial that were made for this dose, the last first."""
        return [
            m for m in reversed(self._standing()) if m.act_id in self.acts and m.reason != AdjustReason.MERGED
        ]

    def _open_heir(self) -> Vial | None:
        """Return the vial as it is open now, under its last label; None where it is closed. Refuse what has no place to go."""
        session = self.act.session
        now = newest(session, self.vial.id) or self.vial
        locked = select(Vial).where(Vial.id == now.id).with_for_update(key_share=True)
        heir = session.scalars(locked.execution_options(populate_existing=True)).one()
        refuse_on_its_way(session, heir.id)
        return heir if heir.closed_at is None else None

    def _used_since(self) -> bool:
        return any(m.act_id not in self.acts for m in self._standing())

    def _standing(self) -> list[Movement]:
        """Return the vial's movements beside the one to `given`, in order: no reversals, nothing reversed."""
        # A vial that was taken elsewhere has an account at each place it was.
        own = select(Account.id).where(Account.vial_id == self.vial.id)
        of_vial = select(Movement).where(
            Movement.from_id.in_(own) | Movement.to_id.in_(own),
            Movement.id != self.given.id,
            Movement.kind != MovementKind.REVERSE,
            Movement.id.not_in(_UNDONE.where(Movement.lot_id == self.vial.lot_id)),
        )
        return list(self.act.session.scalars(of_vial.order_by(Movement.id)))

    def _shortfall_of(self, opening: Movement) -> Sequence[Movement]:
        """Return the container that was posted from adjustment because the shelf held none, if so: one for one opening."""
        posted = select(Movement).where(
            Movement.to_id == opening.from_id,
            Movement.act_id == opening.act_id,
            Movement.kind == MovementKind.ADJUST,
            Movement.amount_ul == opening.amount_ul,
            Movement.id < opening.id,
            Movement.id.not_in(_UNDONE.where(Movement.lot_id == self.vial.lot_id)),
        )
        return self.act.session.scalars(posted.order_by(Movement.id.desc()).limit(1)).all()

    def _bring_to_the_vial(self, heir: Vial | None) -> None:
        """What came back came back where the dose was drawn; where the vial is elsewhere now, it goes on to it.

        A vial whose lot was merged since is now its heir, under another label. Raises Refusal VOID-LOCATION-CLOSED.
        """
        if heir is not None:
            _refuse_closed(self.act.session, heir.location_id)
        self._bring_to_its_place()
        if heir is not None and heir.id != self.vial.id:
            go_on(self.act, self.vial, heir)

    def _bring_to_its_place(self) -> None:
        session, source = self.act.session, self.given.from_id
        target = ledger.vial_account(session, self.vial)
        back_ul = ledger.lock_balances(session, [source])[source]
        if source == target or not back_ul:
            return
        transit = ledger.transit_account(session, self.vial.lot_id)
        was, now_at = Place(self.given.site_id, self.given.location_id), ledger.place_of(session, self.vial)
        for from_id, to_id, place in ((source, transit, was), (transit, target, now_at)):
            posting = Posting(MovementKind.TRANSFER, from_id, to_id, back_ul, note=self._note)
            ledger.post(
                self.act, posting, lot_id=self.vial.lot_id, place=place, occurred_at=self.act.recorded_at
            )

    @property
    def _note(self) -> str:
        return f"Dose {self.dose.number} was taken back."

    def _undo(self, movements: Sequence[Movement]) -> None:
        for movement in movements:
            ledger.reverse(self.act, movement, note=self._note)

    def _waste(self, amount_ul: int, reason: WasteReason) -> None:
        waste_id = ledger.lot_accounts(self.act.session, self.vial.lot_id)[AccountKind.WASTE]
        posting = Posting(MovementKind.WASTE, self.given.from_id, waste_id, amount_ul, reason=reason)
        place = Place(self.given.site_id, self.given.location_id)
        ledger.post(self.act, posting, lot_id=self.vial.lot_id, place=place, occurred_at=self.act.recorded_at)


def _refuse_closed(session: Session, location_id: UUID) -> None:
    """Refuse to put anything where nothing is kept any more. The row is locked, so that it is not closed beside this."""
    # Whoever draws from a shelf takes no such lock: only who closes the location waits, or is waited for.
    location = session.scalar(
        select(Location)
        .where(Location.id == location_id)
        .with_for_update(read=True)
        .execution_options(populate_existing=True)
    )
    if location is not None and location.closed_at is not None:
        said = f"This would go back to {location.name}, which was closed since. An administrator reopens it under Settings."
        raise Refusal("VOID-LOCATION-CLOSED", f"{said} What was drawn and not given can be voided as that.")
