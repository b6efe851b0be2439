"""In words: doses that were given after the expiry their lot has since it was corrected."""

from collections.abc import Callable, Sequence
from uuid import UUID

from inventory.doses.queries.past_expiry import PastExpiry
from inventory.kernel.numbering import written_number
from inventory.stock.concerns import Concern
from inventory.web.presenting import count, day

MOST_LINES = 100


def past_expiry_concern(past: Sequence[PastExpiry], *, address: Callable[[UUID], str]) -> Concern | None:
    """Return what the lot's page says of them; None where there are none. `address` is empty where the reader may not go there."""
    if not past:
        return None
    were = "dose was" if len(past) == 1 else "doses were"
    more = f" The first {MOST_LINES} are listed." if len(past) > MOST_LINES else ""
    return Concern(
        title=f"{len(past):,} {were} given after the corrected expiry",
        words=f"Nobody could know it then: the dose keeps the expiry it had, and is looked into as a deviation.{more}",
        lines=[(_line(one), address(one.dose_id)) for one in past[:MOST_LINES]],
    )


def formerly_past_concern(doses: int) -> Concern | None:
    """Return what is said of doses that are deviations only by the expiry that was thought right; None where there are none."""
    if not doses:
        return None
    was = "was" if doses == 1 else "were"
    return Concern(
        title=f"{count(doses, 'dose')} {was} recorded after the expiry that was thought right",
        words="By the corrected expiry the lot was in date. What was recorded then stays as it is.",
    )


def _line(one: PastExpiry) -> str:
    number = written_number(one.site_code, one.number)
    said = f"Dose {number}, given {day(one.given_on)}; its lot was said to expire {day(one.expires_on_then)}"
    if one.incident_number is None:
        return said
    return f"{said}; incident {one.incident_number}, {'closed' if one.is_closed else 'open'}"
