"""Holds: a lot, what of it lies at one location, or one vial must not be used until somebody releases it, with a reason."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from inventory.audit.acts import Act, Outcome, perform
from inventory.clinic.models import Location
from inventory.kernel.errors import Refusal, not_found
from inventory.kernel.ids import uuid7
from inventory.kernel.permissions import Actor
from inventory.stock import ledger, queries
from inventory.stock.models import Hold, HoldKind, Vial
from inventory.stock.queries.releasing import recall_of_hold, sites_of_lot, undecided_excursion
from inventory.stock.services.lots import refuse_merged


def hold_lot(
    *,
    actor: Actor,
    at: datetime,
    request_key: str | None = None,
    lot_id: UUID,
    kind: HoldKind,
    reason: str,
    location_id: UUID | None = None,
    vial_id: UUID | None = None,
) -> Outcome:
    """Hold a lot from now on, or only what lies at a location, or one open vial.

    Raises Refusal NOTE-NEEDED, LOT-HELD-ALREADY, LOT-MERGED, NOT-FOUND, VIAL-CLOSED.
    """

    def write(act: Act) -> Outcome:
        said = _reason(reason)
        lot = queries.lot_by_id(act.session, lot_id, lock=True)
        refuse_merged(act.session, lot, field=None)
        _refuse_other_vial(act, lot_id, vial_id)
        if is_held(act, lot_id, kind, location_id=location_id, vial_id=vial_id):
            raise Refusal("LOT-HELD-ALREADY", "There is such a hold already.", "kind")
        hold = place_hold(act, lot_id, kind, said, location_id=location_id, vial_id=vial_id)
        facts = {"hold_id": hold.id, "lot_number": lot.lot_number, "kind": kind, "reason": said}
        act.session.flush()
        facts["what"] = queries.hold_scopes(act.session, [hold])[hold.id]
        facts |= {"location_id": location_id, "held_vial_id": vial_id}
        site_id = site_of_hold(act.session, hold)
        return act.record("stock.hold", "lot", lot_id, site_id=site_id, facts=facts)

    return perform(write, actor=actor, at=at, request_key=request_key)


def release_hold(
    *, actor: Actor, at: datetime, request_key: str | None = None, hold_id: UUID, reason: str
) -> Outcome:
    """Release a hold; the outcome names its lot. One of a recall is released in the name of the recall's site.

    Raises Refusal NOTE-NEEDED, HOLD-RELEASED, HOLD-EXCURSION, HOLD-OTHER-SITES.
    """

    def write(act: Act) -> Outcome:
        said = _reason(reason)
        hold = queries.open_hold(act.session, hold_id)
        if hold.released_at is not None:
            raise Refusal("HOLD-RELEASED", "Somebody has released this hold already.")
        site_id = _site_of_release(act, hold)
        hold.released_at, hold.released_by_id, hold.release_reason = act.recorded_at, act.actor.id, said
        facts = {"hold_id": hold.id, "kind": hold.kind, "reason": said}
        return act.record("stock.release-hold", "lot", hold.lot_id, site_id=site_id, facts=facts)

    return perform(write, actor=actor, at=at, request_key=request_key)


def _site_of_release(act: Act, hold: Hold) -> UUID | None:
    """Return the site in whose name a hold is released. Raises Refusal HOLD-EXCURSION, HOLD-OTHER-SITES."""
    excursion = undecided_excursion(act.session, hold.id)
    if excursion is not None:
        said = f"Excursion {excursion.number} holds this until somebody has decided it. Decide there what becomes of it."
        raise Refusal("HOLD-EXCURSION", said)
    recall = recall_of_hold(act.session, hold.id)
    if recall is not None:
        return recall.site_id
    is_whole = hold.location_id is None and hold.vial_id is None
    if is_whole and not all(act.actor.works_at(one) for one in sites_of_lot(act.session, hold.lot_id)):
        said = "Stock of this lot lies at sites where you do not work. Somebody who works at all of them releases it."
        raise Refusal("HOLD-OTHER-SITES", said, status=403)
    return site_of_hold(act.session, hold)


def site_of_hold(session: Session, hold: Hold) -> UUID | None:
    """Return the site where a hold is: of its location, or where its vial is now; None for one on the whole lot."""
    if hold.vial_id is not None:
        return ledger.place_of(session, session.get_one(Vial, hold.vial_id)).site_id
    location = session.get(Location, hold.location_id) if hold.location_id else None
    return location.site_id if location else None


def place_hold(
    act: Act,
    lot_id: UUID,
    kind: HoldKind,
    reason: str,
    *,
    location_id: UUID | None = None,
    vial_id: UUID | None = None,
) -> Hold:
    """Inside an act: add a hold that begins now."""
    hold = Hold(
        id=uuid7(),
        lot_id=lot_id,
        location_id=location_id,
        vial_id=vial_id,
        kind=kind,
        reason=reason,
        held_at=act.recorded_at,
        held_by_id=act.actor.id,
    )
    act.session.add(hold)
    return hold


def is_held(
    act: Act,
    lot_id: UUID,
    kind: HoldKind,
    *,
    location_id: UUID | None = None,
    vial_id: UUID | None = None,
    reason: str = "",
) -> bool:
    """Inside an act: tell whether such a hold stands already, for this very reason where one is given."""
    same = select(Hold.id).where(
        Hold.lot_id == lot_id,
        Hold.kind == kind,
        Hold.released_at.is_(None),
        Hold.location_id.is_(None) if location_id is None else Hold.location_id == location_id,
        Hold.vial_id.is_(None) if vial_id is None else Hold.vial_id == vial_id,
    )
    if reason:
        same = same.where(Hold.reason == reason)
    return act.session.scalar(same.limit(1)) is not None


def _refuse_other_vial(act: Act, lot_id: UUID, vial_id: UUID | None) -> None:
    if vial_id is None:
        return
    vial = queries.vial_by_id(act.session, vial_id)
    if vial.lot_id != lot_id:
        raise not_found("vial")
    if vial.closed_at is not None:
        raise Refusal("VIAL-CLOSED", "This vial is closed: there is nothing of it to hold.", "part")


def _reason(text: str) -> str:
    if not text.strip():
        raise Refusal("NOTE-NEEDED", "Say why in words.", "reason")
    return text.strip()
