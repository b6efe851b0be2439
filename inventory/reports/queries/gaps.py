"""Numbers of doses that are not there. A site's numbers are given from 1 without a gap (law 6): one that is skipped is named."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.engine import Connection

from inventory.clinic.models import Counter, CounterKind
from inventory.doses.models import Dose
from inventory.kernel.numbering import written_number
from inventory.reports.queries.as_of import NOW, RECORDED, AsOf


class Gap(NamedTuple):
    """Numbers of one site that no dose has, both included."""

    site_code: str
    first: int
    last: int

    @property
    def words(self) -> str:
        """`MAIN-000004`, or `MAIN-000004 to MAIN-000009`."""
        first = written_number(self.site_code, self.first)
        return first if self.first == self.last else f"{first} to {written_number(self.site_code, self.last)}"


def last_numbers(connection: Connection, site_ids: Sequence[UUID], as_of: AsOf = NOW) -> dict[UUID, int]:
    """The number that each site had given last, by its counter: it also shows that the newest doses are gone.

    What the counter gave since is what later entries took: each that enters a dose took one number of its site.
    """
    counters = select(Counter.site_id, Counter.value).where(
        Counter.site_id.in_(site_ids), Counter.kind == CounterKind.DOSE
    )
    taken = as_of.later_by_site(connection, *RECORDED)
    return {row.site_id: row.value - taken.get(row.site_id, 0) for row in connection.execute(counters)}


def gaps_of(
    connection: Connection, last: Mapping[UUID, int], as_of: AsOf, codes: Mapping[UUID, str]
) -> list[Gap]:
    """Return the gaps up to the `last` number of each site, by code and number: of every dose ever recorded, not of a period."""
    return sorted(
        gap for site_id in last for gap in _of_site(connection, site_id, as_of, codes[site_id], last[site_id])
    )


def _of_site(connection: Connection, site_id: UUID, as_of: AsOf, code: str, last: int) -> list[Gap]:
    known = (Dose.site_id == site_id, as_of.known(Dose.id, *RECORDED))
    least, count = connection.execute(select(func.min(Dose.number), func.count()).where(*known)).one()
    # As many as the newest number says: none is missing, and nothing has to be looked for.
    if count == last and (least or 1) == 1:
        return []
    gaps, expected = [], 1
    for number in connection.execute(select(Dose.number).where(*known).order_by(Dose.number)).scalars():
        if number > expected:
            gaps.append(Gap(code, expected, number - 1))
        expected = max(expected, number + 1)
    return [*gaps, Gap(code, expected, last)] if expected <= last else gaps
