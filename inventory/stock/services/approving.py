"""How much one person brings the ledger to alone, and who can be the second: for counts and for what is adjusted."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from inventory.clinic.settings import current_settings
from inventory.kernel.permissions import Actor, Permission
from inventory.stock import counting
from inventory.stock.queries.counted_alone import posted_alone

ONE_PERSONS_WEEK = timedelta(days=7)


def approval_needed(
    session: Session, lines: Sequence[counting.Compared], *, location_id: UUID, actor_id: UUID, at: datetime
) -> bool:
    """Tell whether what the lines differ by is above what the clinic lets one person post.

    What they posted or adjusted alone there in the week before counts too, so that many small losses are as one.
    """
    settings = current_settings()
    before = posted_alone(session, location_id=location_id, actor_id=actor_id, since=at - ONE_PERSONS_WEEK)
    return bool(lines) and counting.needs_second_person(
        counting.extent_of([*before, *lines]),
        above_containers=settings.count_approval_containers,
        above_ul=settings.count_approval_ul,
    )


def may_approve(person: Actor, *, counted_by_id: UUID) -> bool:
    """Tell whether somebody can be the second person of a count: they manage stock and did not count."""
    return person.id != counted_by_id and person.can(Permission.STOCK_MANAGE)
