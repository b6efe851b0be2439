"""Takes a dose's volume out of its containers: opening, giving, the remainder, and what the ledger did not know of."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from inventory.audit.acts import Act
from inventory.catalogue.models import ContainerType
from inventory.doses.queries.assessment import Assessment
from inventory.doses.queries.containers import Container
from inventory.doses.rules.sourcing import dead_space
from inventory.stock import ledger
from inventory.stock.ledger import Place, Posting
from inventory.stock.models import AccountKind, AdjustReason, MovementKind, WasteReason
from inventory.stock.rules import use_by
from inventory.stock.services import take_from_shelf
from inventory.stock.services.lots import refuse_merged
from inventory.stock.services.merging import fetch

_OF_LOT = (AccountKind.GIVEN, AccountKind.WASTE, AccountKind.ADJUSTMENT)


@dataclass(frozen=True, slots=True)
class Drawn:
    """What was drawn from one container: the movement to `given`, and the container as it is copied onto the dose."""

    vial_id: UUID
    lot: Any
    movement_id: int
    volume_ul: int
    use_by_on: date | None
    label_number: int | None
    shortfall_ul: int
    dead_space_ul: int = 0


def draw_all(act: Act, assessment: Assessment) -> list[Drawn]:
    """Draw from every container of the assessed request, effective when it is drawn from; return them in order.

    What a container did not hold is posted from adjustment first, at the same instant: overfill that was found, or after
    the fact a shortfall. The remainder of a single-dose container is wasted; of a multi-dose vial, what the syringe keeps.
    """
    return [_draw(act, container, assessment) for container in assessment.containers]


def _draw(act: Act, container: Container, assessment: Assessment) -> Drawn:
    site_id = container.vial.at_site_id if container.vial else assessment.site.id
    place = Place(site_id, container.draw.location_id)
    accounts = {kind: getattr(container.lot, f"{kind}_id") for kind in _OF_LOT}
    drawing = _Drawing(act, container.lot, place, accounts, container.drawn_at)
    if container.vial is not None:
        return drawing.from_vial(container)
    return drawing.from_shelf(container, assessment)


@dataclass(frozen=True, slots=True)
class _Drawing:
    act: Act
    lot: Any
    place: Place
    accounts: dict[AccountKind, int]
    occurred_at: datetime

    def from_vial(self, container: Container) -> Drawn:
        """Draw from an open vial, or once more from the single-dose container of an entry that is amended."""
        account_id, vial = container.account_id, container.vial
        assert account_id is not None  # noqa: S101  resolving has refused a vial without account
        assert vial is not None  # noqa: S101  so the caller chose
        holds_ul, volume_ul = container.available_ul, container.draw.volume_ul
        yielded_ul = container.state.overfill_yielded_ul
        if container.heir_id is not None:
            leaves_ul = volume_ul + self._dead_space(holds_ul - volume_ul)
            fetch(self.act, vial.id, container.heir_id, min(leaves_ul, holds_ul))
        movement_id, shortfall = self._give(account_id, volume_ul, holds_ul, yielded_ul=yielded_ul)
        dead_ul = self._lose_dead_space(account_id, holds_ul - volume_ul)
        is_gone = vial.closed_at is not None and container.heir_id is None
        if is_gone and not self._is_single and holds_ul - volume_ul > dead_ul:
            # An amended volume: what the old entry took more came back, and this vial is not there any more.
            self._waste(account_id, holds_ul - volume_ul - dead_ul, WasteReason.DRAWN_NOT_GIVEN)
        return Drawn(
            vial.id,
            self.lot,
            movement_id,
            volume_ul,
            vial.use_by_on,
            vial.label_number,
            shortfall,
            dead_ul,
        )

    def from_shelf(self, container: Container, assessment: Assessment) -> Drawn:
        """Open a sealed container and draw from it; where none was there, one is posted from adjustment first."""
        content_ul = self.lot.container_volume_ul
        missing = 0 if container.available_ul >= content_ul else content_ul
        if missing:
            refuse_merged(self.act.session, self.lot, field="source")
            self._adjust(self._shelf(), missing, AdjustReason.SHORTFALL)
        opened = take_from_shelf(
            self.act,
            self.lot,
            self.place,
            occurred_at=self.occurred_at,
            zone=assessment.zone,
            use_by_on=self._use_by(assessment),
            # The assessment has locked the shelf and found the container on it, or the shortfall was just posted.
            shelf=container.account_id,
        )
        volume_ul = container.draw.volume_ul
        movement_id, beyond = self._give(opened.account_id, volume_ul, content_ul)
        return Drawn(
            opened.vial_id,
            self.lot,
            movement_id,
            volume_ul,
            opened.use_by_on,
            opened.label_number,
            missing + beyond,
            self._lose_dead_space(opened.account_id, content_ul - volume_ul),
        )

    def _lose_dead_space(self, account_id: int, left_ul: int) -> int:
        """Waste what the syringe keeps of a multi-dose vial, at most what is left in it; return how much that was."""
        dead_ul = self._dead_space(left_ul)
        if dead_ul:
            self._waste(account_id, dead_ul, WasteReason.DEAD_SPACE)
        return dead_ul

    def _dead_space(self, left_ul: int) -> int:
        return 0 if self._is_single else dead_space(self.lot.dead_space_ul, left_ul)

    def _give(
        self, account_id: int, volume_ul: int, holds_ul: int, *, yielded_ul: int = 0
    ) -> tuple[int, int]:
        """Move a volume to `given`; return the movement, and how much of it nobody can account for.

        What the container does not hold is adjusted first: overfill up to the product's limit, less what the container
        yielded of it before; a shortfall beyond that.
        """
        missing = max(0, volume_ul - holds_ul)
        is_overfill = missing <= self.lot.overfill_limit_ul - yielded_ul
        if missing:
            self._adjust(
                account_id, missing, AdjustReason.OVERFILL if is_overfill else AdjustReason.SHORTFALL
            )
        movement_id = self._post(MovementKind.GIVE, account_id, self.accounts[AccountKind.GIVEN], volume_ul)
        if self._is_single and holds_ul > volume_ul:
            self._waste(account_id, holds_ul - volume_ul, WasteReason.REMAINDER)
        return movement_id, 0 if is_overfill else missing

    @property
    def _is_single(self) -> bool:
        return bool(self.lot.container_type == ContainerType.SINGLE_DOSE)

    def _waste(self, account_id: int, amount_ul: int, reason: WasteReason) -> None:
        self._post(MovementKind.WASTE, account_id, self.accounts[AccountKind.WASTE], amount_ul, reason)

    def _use_by(self, assessment: Assessment) -> date | None:
        """Reckon from the day of the dose: a container opened for a late or amended entry was open since then."""
        if self._is_single:
            return None
        given_on = assessment.question.given_on
        return use_by(expires_on=self.lot.expires_on, opened_on=given_on, in_use_days=self.lot.in_use_days)

    def _shelf(self) -> int:
        return ledger.shelf_account(
            self.act.session, lot_id=self.lot.id, location_id=self.place.location_id, create=True
        )

    def _adjust(self, account_id: int, amount_ul: int, reason: AdjustReason) -> None:
        self._post(MovementKind.ADJUST, self.accounts[AccountKind.ADJUSTMENT], account_id, amount_ul, reason)

    def _post(
        self, kind: MovementKind, from_id: int, to_id: int, amount_ul: int, reason: str | None = None
    ) -> int:
        posting = Posting(kind, from_id, to_id, amount_ul, reason=reason)
        return ledger.post(
            self.act, posting, lot_id=self.lot.id, place=self.place, occurred_at=self.occurred_at
        )
