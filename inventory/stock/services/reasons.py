"""Which reasons of waste there are, where each is offered, and when it can be true.

Laws kept here: nothing is thrown away as expired that is not, or as left in a syringe beyond what syringes keep. Both would
get round the witness.
"""

from collections.abc import Collection
from datetime import date, datetime
from uuid import UUID

from sqlalchemy.orm import Session

from inventory.kernel.clock import local_day
from inventory.kernel.errors import Refusal
from inventory.kernel.quantity import format_ml
from inventory.stock.models import Lot, Vial, WasteReason
from inventory.stock.queries.dead_space import dead_space_of
from inventory.stock.queries.labels import punctures
from inventory.stock.services.places import site_of

R = WasteReason
SEALED_REASONS = (R.EXPIRED, R.BROKEN, R.LOST, R.CONTAMINATED, R.TEMPERATURE, R.RECALL, R.SAMPLE, R.OTHER)
DISCARD_REASONS = (
    R.PAST_USE_BY,
    R.EXPIRED,
    R.NOT_NEEDED,
    R.DRAWN_NOT_GIVEN,
    R.BROKEN,
    R.LOST,
    R.CONTAMINATED,
    R.TEMPERATURE,
    R.RECALL,
    R.SAMPLE,
    R.OTHER,
)
OPEN_REASONS = (*DISCARD_REASONS[:4], R.DEAD_SPACE, *DISCARD_REASONS[4:])
NEVER_WITNESSED = (R.REMAINDER, R.DEAD_SPACE)
USUAL_DEAD_SPACE_UL = 100
"""What a syringe and its needle keep at most where the product does not say."""


def true_on(
    reasons: Collection[WasteReason], on: date, lot: Lot, vial: Vial | None = None
) -> list[WasteReason]:
    """Return the reasons that can be true of a lot's stock, or of an open vial of it, on a day of its site."""
    use_by_on = vial.use_by_on if vial else None
    untrue = {
        R.EXPIRED: lot.expires_on >= on,
        R.PAST_USE_BY: use_by_on is None or use_by_on >= on,
    }
    return [reason for reason in reasons if not untrue.get(reason)]


def refuse_untrue(
    session: Session, reason: WasteReason, lot: Lot, vial: Vial | None, *, site_id: UUID, when: datetime
) -> None:
    """Raise Refusal WASTE-NOT-EXPIRED where the reason was not true at the instant `when`, by the day of the site."""
    on = local_day(when, site_of(session, site_id).time_zone)
    if true_on([reason], on, lot, vial):
        return
    last = lot.expires_on if reason == R.EXPIRED or vial is None else vial.use_by_on
    until = f" It may be used until the end of {last.isoformat()}." if last else ""
    said = f"This was not true of it on that day.{until} Choose the reason why it is wasted."
    raise Refusal("WASTE-NOT-EXPIRED", said, "reason")


def refuse_more_dead_space(session: Session, vial: Vial, volume_ul: int) -> None:
    """Raise Refusal DEAD-SPACE-MORE where more is called dead space than syringes kept: once for each puncture, and once now."""
    one_ul = vial.lot.product.dead_space_ul or USUAL_DEAD_SPACE_UL
    most_ul = (punctures(session, vial.id) + 1) * one_ul - dead_space_of(session, vial.id)
    if volume_ul > most_ul:
        said = (
            f"A syringe keeps at most {format_ml(one_ul)} mL each time it is filled, so at most {format_ml(max(0, most_ul))} mL"
            " more of this vial was left in syringes. Choose the reason why the rest is wasted."
        )
        raise Refusal("DEAD-SPACE-MORE", said, "reason")
