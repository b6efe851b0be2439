"""Numbers without a gap, per site: the counter's row stays locked until the act that took the number ends."""

from typing import cast
from uuid import UUID

from sqlalchemy import Table, update
from sqlalchemy.orm import Session

from inventory.clinic.models import Counter, CounterKind

COUNTER = cast(Table, Counter.__table__)


def next_number(session: Session, site_id: UUID, kind: CounterKind) -> int:
    """Take the next number of `kind` at the site; an act that fails gives it back. The site's counters start at 0."""
    taken = session.execute(
        update(COUNTER)
        .where(COUNTER.c.site_id == site_id, COUNTER.c.kind == kind)
        .values(value=COUNTER.c.value + 1)
        .returning(COUNTER.c.value)
    )
    return int(taken.scalar_one())
