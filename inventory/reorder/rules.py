"""What to order, from plain numbers. Pure; law kept here: only usable stock counts, and expired stock alone is a stock-out."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Advice:
    """What to do about one product: words, their tone, and how many containers to order (whole packs)."""

    words: str
    tone: str
    order: int = 0
    note: str = ""

    @property
    def is_out(self) -> bool:
        """Whether nothing usable is left of what is used here."""
        return self.tone == "stop"

    @property
    def is_due(self) -> bool:
        """Whether something should be ordered."""
        return self.order > 0


def is_due(*, usable: int, reorder_point: int | None) -> bool:
    """Tell whether a product is at or below its reorder point, in whole sealed containers."""
    return reorder_point is not None and usable <= reorder_point


def order_quantity(*, usable: int, reorder_point: int, order_up_to: int, pack_size: int) -> int:
    """Return the containers to order: up to the level, rounded up to whole packs; 0 above the reorder point."""
    if not is_due(usable=usable, reorder_point=reorder_point):
        return 0
    return -(-(order_up_to - usable) // pack_size) * pack_size


def advise(
    *,
    usable: int,
    unusable: int,
    open_ul: int,
    levels: tuple[int, int] | None,
    pack_size: int,
    is_for_im: bool = True,
) -> Advice:
    """Return what to do; `levels` are the reorder point and the order-up-to level, None where none are set.

    A product whose label does not allow intramuscular use is never given here, and so never ordered.
    """
    if not is_for_im:
        return Advice("Not for injection here", "quiet")
    order = 0
    if levels is not None:
        order = order_quantity(
            usable=usable, reorder_point=levels[0], order_up_to=levels[1], pack_size=pack_size
        )
    if not usable and not open_ul and (unusable or levels is not None):
        note = "What is here has expired or is on hold." if unusable else ""
        return Advice("Stock-out", "stop", order, note)
    if order:
        return Advice("Order now", "attention", order)
    return Advice("Enough", "good") if levels is not None else Advice("No levels", "quiet")


def days_of_supply(*, on_hand: int, used: int, over_days: int) -> int | None:
    """Return for how many days `on_hand` lasts at the pace of `used` in `over_days`; None where nothing was used."""
    return on_hand * over_days // used if used > 0 else None
