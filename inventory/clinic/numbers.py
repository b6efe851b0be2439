"""Numbers without a gap, per site: the counter's row stays locked until the act that took the number ends."""

from typing import cast
from uuid import UUID

from sqlalchemy import Table, bindparam, update
from sqlalchemy.orm import Session

from inventory.clinic.models import Counter, CounterKind
from inventory.kernel.db import an_id

COUNTER = cast(Table, Counter.__table__)
_NEXT = (
    update(COUNTER)
    .where(COUNTER.c.site_id == an_id("at_site"), COUNTER.c.kind == bindparam("of_kind"))
    .values(value=COUNTER.c.value + 1)
    .returning(COUNTER.c.value)
)


def next_number(session: Session, site_id: UUID, kind: CounterKind) -> int:
    """Take the next number of `kind` at the site; an act that fails gives it back. The site's counters start at 0."""
    taken = session.execute(_NEXT, {"at_site": site_id, "of_kind": kind})
    return int(taken.scalar_one())
