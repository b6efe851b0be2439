"""An opened vial by what its label says, and how often a needle went into it."""

from uuid import UUID

from sqlalchemy import and_, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from inventory.clinic.models import Site
from inventory.kernel.numbering import read_vial_code
from inventory.stock.models import Account, Movement, MovementKind, Vial, WasteReason
from inventory.stock.queries.relabelled import same_container

_UNDO = aliased(Movement)
_BY_NEEDLE = (WasteReason.DRAWN_NOT_GIVEN, WasteReason.SAMPLE)
"""Waste that was drawn out of the vial; what is lost in a syringe belongs to the dose in it, the rest was thrown away with it."""


def vial_id_by_code(session: Session, text: str) -> UUID | None:
    """Return the vial whose label bears this code, such as MAIN-V000012; None where it is no code or there is none."""
    read = read_vial_code(text)
    if read is None:
        return None
    code, number = read
    return session.scalar(
        select(Vial.id)
        .join(Site, Site.id == Vial.site_id)
        .where(func.upper(Site.code) == code, Vial.label_number == number)
    )


def punctures(session: Session, vial_id: UUID) -> int:
    """Return how often something was drawn from the vial, under whatever label: doses, and what was drawn and not given.

    Nothing that was reversed.
    """
    own = select(Account.id).where(Account.vial_id.in_(same_container(session, vial_id)))
    drawn = or_(
        Movement.kind == MovementKind.GIVE,
        and_(Movement.kind == MovementKind.WASTE, Movement.reason.in_(_BY_NEEDLE)),
    )
    counted = select(func.count(Movement.id)).where(
        Movement.from_id.in_(own), drawn, ~exists().where(_UNDO.reverses_id == Movement.id)
    )
    return int(session.scalar(counted) or 0)
