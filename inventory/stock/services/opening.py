"""Opening a container: one container's volume leaves the shelf for a vial of its own.

Laws kept here: a multi-dose vial has a label number and a use-by from the moment it is opened; a single-dose container is
opened only by the act that empties it, and is closed from the start.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import cast
from uuid import UUID

from sqlalchemy import Table
from sqlalchemy.orm import Session

from inventory.audit.acts import Act, Outcome, inserting, perform
from inventory.catalogue.models import ContainerType
from inventory.clinic.models import CounterKind
from inventory.clinic.numbers import next_number
from inventory.kernel.clock import local_day
from inventory.kernel.errors import Refusal
from inventory.kernel.ids import uuid7
from inventory.kernel.permissions import Actor
from inventory.stock import ledger, queries, rules
from inventory.stock.ledger import Place, Posting
from inventory.stock.models import Lot, MovementKind, Vial, VialClosure
from inventory.stock.services.places import refuse_elsewhere, refuse_unusable_lot, site_of

VIAL = cast(Table, Vial.__table__)


@dataclass(frozen=True, slots=True)
class OpenedVial:
    """A container just opened: its row, its account, and what its label must say."""

    vial_id: UUID
    account_id: int
    label_number: int | None
    use_by_on: date | None


def open_vial(
    *,
    actor: Actor,
    at: datetime,
    request_key: str | None = None,
    lot_id: UUID,
    site_id: UUID,
    location_id: UUID,
    opened_at: datetime | None = None,
    use_by_on: date | None = None,
) -> Outcome:
    """Open one multi-dose container; the outcome names the vial. `opened_at` None is now.

    `use_by_on` is what a label written elsewhere says; it counts where it is sooner than our own reckoning.

    Raises Refusal SINGLE-DOSE-ONLY-ONCE, LOT-EXPIRED, LOT-HELD, STOCK-SHORT, STOCK-SHORT-THEN, TIME-FUTURE.
    """

    def write(act: Act) -> Outcome:
        site = site_of(act.session, site_id)
        refuse_elsewhere(act.session, site_id=site_id, location_id=location_id)
        lot = queries.lot_by_id(act.session, lot_id)
        if lot.container_type == ContainerType.SINGLE_DOSE:
            said = "A single-dose container is opened by giving or wasting it, never beforehand."
            raise Refusal("SINGLE-DOSE-ONLY-ONCE", said)
        when = rules.moment(opened_at, recorded_at=act.recorded_at, field="opened_at")
        refuse_unusable_lot(act.session, lot, site=site, location_id=location_id, at=when)
        place = Place(site_id, location_id)
        opened = take_from_shelf(act, lot, place, occurred_at=when, zone=site.time_zone, use_by_on=use_by_on)
        facts = {
            "lot_number": lot.lot_number,
            "label_number": opened.label_number,
            "opened_at": when,
            "use_by_on": opened.use_by_on,
        }
        return act.record("stock.open-vial", "vial", opened.vial_id, site_id=site_id, facts=facts)

    return perform(write, actor=actor, at=at, request_key=request_key)


def take_from_shelf(
    act: Act,
    lot: Lot,
    place: Place,
    *,
    occurred_at: datetime,
    zone: str,
    use_by_on: date | None = None,
    shelf: int | None = None,
) -> OpenedVial:
    """Inside an act: open one container of `lot` at `place`, in the site's `zone`; its volume is then in the vial's account.

    Asks nothing about expiry or holds. `shelf` is for a caller who has locked that account in this act and seen the
    container there. Raises Refusal STOCK-SHORT, and STOCK-SHORT-THEN through the database.
    """
    shelf = _shelf_with_one(act.session, lot, place) if shelf is None else shelf
    opened_at = ledger.after_that_minutes_inflow(act.session, shelf, occurred_at)
    opened = _insert_vial(act, lot, place, opened_at=opened_at, zone=zone, use_by_on=use_by_on)
    posting = Posting(MovementKind.OPEN, shelf, opened.account_id, lot.container_volume_ul)
    ledger.post(act, posting, lot_id=lot.id, place=place, occurred_at=opened_at)
    return opened


def _shelf_with_one(session: Session, lot: Lot, place: Place) -> int:
    """Return the lot's shelf, locked. Raises Refusal STOCK-SHORT where no sealed container is left."""
    shelf = ledger.shelf_account(session, lot_id=lot.id, location_id=place.location_id)
    if ledger.lock_balances(session, [shelf])[shelf] < lot.container_volume_ul:
        raise Refusal("STOCK-SHORT", f"No sealed container of lot {lot.lot_number} is left there.")
    return shelf


def _insert_vial(
    act: Act, lot: Lot, place: Place, *, opened_at: datetime, zone: str, use_by_on: date | None
) -> OpenedVial:
    single = lot.container_type == ContainerType.SINGLE_DOSE
    values = {
        "id": uuid7(),
        "lot_id": lot.id,
        "site_id": place.site_id,
        "location_id": place.location_id,
        "container_type": lot.container_type,
        "label_number": None if single else next_number(act.session, place.site_id, CounterKind.VIAL),
        "opened_at": opened_at,
        "opened_by_id": act.actor.id,
        "use_by_on": None if single else _use_by(lot, opened_at, zone, use_by_on),
        "closed_at": opened_at if single else None,
        "closed_by_id": act.actor.id if single else None,
        "closure": VialClosure.SINGLE_USE if single else None,
    }
    act.session.execute(inserting(VIAL), values)
    return _opened(act.session, values)


def _opened(session: Session, values: dict[str, object]) -> OpenedVial:
    vial_id, label, use_by_on = values["id"], values["label_number"], values["use_by_on"]
    account_id = ledger.open_vial_account(
        session,
        lot_id=cast(UUID, values["lot_id"]),
        location_id=cast(UUID, values["location_id"]),
        vial_id=cast(UUID, vial_id),
    )
    return OpenedVial(
        cast(UUID, vial_id), account_id, cast("int | None", label), cast("date | None", use_by_on)
    )


def _use_by(lot: Lot, opened_at: datetime, zone: str, labelled: date | None) -> date:
    opened_on = local_day(opened_at, zone)
    reckoned = rules.use_by(expires_on=lot.expires_on, opened_on=opened_on, in_use_days=lot.in_use_days)
    return min(reckoned, labelled or reckoned)
