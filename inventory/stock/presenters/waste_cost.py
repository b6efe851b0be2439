"""The words and sums for what waste has cost. Each figure is rounded once, from its own exact sum."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from uuid import UUID

from inventory.kernel.money import format_minor, rounded
from inventory.kernel.quantity import format_ml
from inventory.stock.models import WasteReason
from inventory.stock.queries.waste_cost import Wasted
from inventory.stock.words import WASTE
from inventory.web.presenting import ml

CSV_HEAD = (
    "month",
    "site",
    "reason_code",
    "reason",
    "volume_ml",
    "containers",
    "cost",
    "currency",
    "volume_without_price_ml",
)


@dataclass(frozen=True, slots=True)
class Told:
    """One line of the page, in words. `part` is its share of the costliest line, of a thousand."""

    month: str
    site: str
    reason: str
    volume: str
    containers: str
    cost: str
    unpriced: str
    part: int = 0


def lines(found: Iterable[Wasted], site_codes: Mapping[UUID, str], currency: str) -> list[Told]:
    """Return the waste of each month, site and reason."""
    return [_told(one, f"{one.month:%B %Y}", site_codes[one.site_id], currency) for one in found]


def by_reason(found: Sequence[Wasted], currency: str) -> list[Told]:
    """Return the waste of the whole period by reason, the costliest first, then the most."""
    summed = {reason: total([one for one in found if one.reason == reason]) for reason in WasteReason}
    present = [one for one in summed.values() if one.volume_ul]
    present.sort(key=lambda one: (-one.cost, -one.containers))
    most = max((one.cost for one in present), default=Fraction()) or Fraction(1)
    return [_told(one, "", "", currency, part=rounded(one.cost * 1_000 / most)) for one in present]


def total(found: Sequence[Wasted]) -> Wasted:
    """Return the sum of waste, exact; its month, site and reason are those of the first."""
    first = found[0] if found else Wasted(UUID(int=0), date.min, WasteReason.OTHER)
    return Wasted(
        first.site_id,
        first.month,
        first.reason,
        sum(one.volume_ul for one in found),
        sum((one.containers for one in found), Fraction()),
        sum((one.cost for one in found), Fraction()),
        sum(one.unpriced_ul for one in found),
    )


def cost_words(one: Wasted, currency: str) -> str:
    """Return what waste has cost; where nothing of it has a price, that it is not known."""
    if one.volume_ul and one.unpriced_ul == one.volume_ul:
        return "Not known"
    return f"{format_minor(rounded(one.cost), currency)} {currency}"


def containers_worth(one: Wasted) -> str:
    """Return how many containers a volume is worth, to the hundredth."""
    return f"{_decimal(one.containers, Decimal('0.01')).normalize():f}"


def csv_rows(
    found: Iterable[Wasted], site_codes: Mapping[UUID, str], currency: str
) -> Iterator[tuple[str, ...]]:
    """Return the waste of each month, site and reason as cells; a cost is empty where nothing has a price."""
    for one in found:
        is_unknown = one.unpriced_ul == one.volume_ul
        yield (
            f"{one.month:%Y-%m}",
            site_codes[one.site_id],
            one.reason.value,
            WASTE[one.reason].removesuffix(" (say what)"),
            format_ml(one.volume_ul),
            str(_decimal(one.containers, Decimal("0.000001"))),
            "" if is_unknown else format_minor(rounded(one.cost), currency, group=False),
            currency,
            format_ml(one.unpriced_ul),
        )


def _told(one: Wasted, month: str, site: str, currency: str, *, part: int = 0) -> Told:
    return Told(
        month,
        site,
        WASTE[one.reason].removesuffix(" (say what)"),
        ml(one.volume_ul),
        containers_worth(one),
        cost_words(one, currency),
        ml(one.unpriced_ul) if one.unpriced_ul else "",
        part,
    )


def _decimal(exact: Fraction, step: Decimal) -> Decimal:
    scale = int(1 / step)
    return (Decimal(rounded(exact * scale)) / scale).quantize(step, ROUND_HALF_UP)
