"""Takes a dose's volume out of its containers: opening, giving, the remainder, and what the ledger did not know of."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from inventory.audit.acts import Act
from inventory.catalogue.models import ContainerType
from inventory.doses.queries.assessment import Assessment
from inventory.doses.queries.containers import Container
from inventory.stock import ledger
from inventory.stock.ledger import Place, Posting
from inventory.stock.models import AccountKind, AdjustReason, MovementKind, WasteReason
from inventory.stock.services import take_from_shelf


@dataclass(frozen=True, slots=True)
class Drawn:
    """What was drawn from one container: the movement to `given`, and the container as it is copied onto the dose."""

    vial_id: UUID
    lot: Any
    movement_id: int
    volume_ul: int
    use_by_on: Any
    label_number: int | None
    shortfall_ul: int


def draw_all(act: Act, assessment: Assessment, *, occurred_at: datetime) -> list[Drawn]:
    """Draw from every container of the assessed request, effective at `occurred_at`; return them in order.

    What a container did not hold is posted from adjustment first, at the same instant: overfill that was found, or after
    the fact a shortfall. The remainder of a single-dose container is wasted.
    """
    return [_draw(act, container, assessment, occurred_at) for container in assessment.containers]


def _draw(act: Act, container: Container, assessment: Assessment, occurred_at: datetime) -> Drawn:
    place = Place(
        assessment.site.id, container.vial.location_id if container.vial else container.draw.location_id
    )
    accounts = ledger.lot_accounts(act.session, container.lot.id)
    drawing = _Drawing(act, container.lot, place, accounts, occurred_at)
    missing = max(0, container.state.volume_ul - container.available_ul)
    if container.vial is not None:
        return drawing.from_vial(container, missing)
    return drawing.from_shelf(container, missing, assessment.site.time_zone)


@dataclass(frozen=True, slots=True)
class _Drawing:
    act: Act
    lot: Any
    place: Place
    accounts: dict[AccountKind, int]
    occurred_at: datetime

    def from_vial(self, container: Container, missing_ul: int) -> Drawn:
        """Draw from an open vial."""
        account_id, vial, volume_ul = container.account_id, container.vial, container.draw.volume_ul
        assert account_id is not None  # noqa: S101  resolving has refused a vial without account
        assert vial is not None  # noqa: S101  so the caller chose
        if missing_ul:
            overfill = missing_ul <= container.lot.overfill_limit_ul
            self._adjust(
                account_id, missing_ul, AdjustReason.OVERFILL if overfill else AdjustReason.SHORTFALL
            )
        movement_id = self._post(MovementKind.GIVE, account_id, self.accounts[AccountKind.GIVEN], volume_ul)
        shortfall = 0 if missing_ul <= container.lot.overfill_limit_ul else missing_ul
        return Drawn(vial.id, self.lot, movement_id, volume_ul, vial.use_by_on, vial.label_number, shortfall)

    def from_shelf(self, container: Container, missing_ul: int, time_zone: str) -> Drawn:
        """Open a sealed container and draw from it."""
        content_ul, volume_ul = self.lot.container_volume_ul, container.draw.volume_ul
        shortfall = content_ul if missing_ul and container.available_ul < content_ul else 0
        if shortfall:
            shelf_id = ledger.shelf_account(
                self.act.session, lot_id=self.lot.id, location_id=self.place.location_id, create=True
            )
            self._adjust(shelf_id, content_ul, AdjustReason.SHORTFALL)
        opened = take_from_shelf(
            self.act,
            self.lot,
            self.place,
            occurred_at=self.occurred_at,
            zone=time_zone,
            # The assessment has locked the shelf and found the container on it, or the shortfall was just posted.
            shelf=container.account_id,
        )
        beyond = max(0, volume_ul - content_ul)
        if beyond:
            overfill = beyond <= self.lot.overfill_limit_ul
            self._adjust(
                opened.account_id, beyond, AdjustReason.OVERFILL if overfill else AdjustReason.SHORTFALL
            )
        movement_id = self._post(
            MovementKind.GIVE, opened.account_id, self.accounts[AccountKind.GIVEN], volume_ul
        )
        rest_ul = content_ul - volume_ul
        if self.lot.container_type == ContainerType.SINGLE_DOSE and rest_ul > 0:
            waste_id = self.accounts[AccountKind.WASTE]
            self._post(MovementKind.WASTE, opened.account_id, waste_id, rest_ul, WasteReason.REMAINDER)
        return Drawn(
            opened.vial_id, self.lot, movement_id, volume_ul, opened.use_by_on, opened.label_number, shortfall
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
