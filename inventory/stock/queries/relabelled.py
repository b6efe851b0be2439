"""A vial that goes on under a new label, since its lot was merged into another: which it was, and which it is now."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from inventory.stock.models import Vial
from inventory.stock.queries.corrections import became
from inventory.stock.queries.named_lots import lock_lots


def newest(session: Session, vial_id: UUID) -> Vial | None:
    """Return the vial as it bears its last label, open or closed; None where it never got another."""
    found = None
    while (later := _under_next_label(session, vial_id)) is not None:
        found, vial_id = later, later.id
    return found


def open_heir(session: Session, vial_id: UUID) -> Vial | None:
    """Return the open vial that holds what is left of one that got a new label, if so."""
    found = newest(session, vial_id)
    return found if found is not None and found.closed_at is None else None


def same_container(session: Session, vial_id: UUID) -> set[UUID]:
    """Return a vial under every label it ever had."""
    found, earlier = {vial_id}, vial_id
    while (vial := session.get(Vial, earlier)) is not None and vial.relabelled_from_id is not None:
        earlier = vial.relabelled_from_id
        found.add(earlier)
    while (later := _under_next_label(session, vial_id)) is not None:
        vial_id = later.id
        found.add(vial_id)
    return found


def lock_through(session: Session, lot_ids: Iterable[UUID]) -> None:
    """Inside an act: lock lots and those they went over into, so that no vial of them gets a new label before the act ends."""
    wanted, locked = set(lot_ids), set[UUID]()
    while missing := (wanted | {became(session, one) for one in wanted}) - locked:
        lock_lots(session, missing)
        locked |= missing


def _under_next_label(session: Session, vial_id: UUID) -> Vial | None:
    later = select(Vial).where(Vial.relabelled_from_id == vial_id)
    return session.scalar(later.execution_options(populate_existing=True))
