"""A count in words: its state, what differs, and how often; and its lines as cells of a file."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from uuid import UUID

from inventory.catalogue.models import Product
from inventory.kernel.quantity import format_ml
from inventory.stock.counting import share
from inventory.stock.models import AdjustReason, CountOutcome, StockCount, StockCountResult
from inventory.stock.queries import CountedLine, CountRate, CountSummary, ToCount
from inventory.stock.words import COUNT_OUTCOMES, COUNTED
from inventory.web.presenting import count, ml, site_today, site_zone

CSV_HEADING = (
    "product",
    "strength",
    "lot_number",
    "expires_on",
    "vial",
    "counted_containers",
    "recorded_containers",
    "counted_ml",
    "recorded_ml",
    "difference_ml",
    "reason",
    "note",
)


def count_state(stock_count: StockCount, result: StockCountResult | None) -> tuple[str, str]:
    """Return where a count stands, in words, and the tone of it."""
    if stock_count.outcome is None:
        return ("To be explained", "attention") if result else ("Being counted", "info")
    outcome = CountOutcome(stock_count.outcome)
    return COUNT_OUTCOMES[outcome], "good" if outcome == CountOutcome.POSTED else "quiet"


@dataclass(frozen=True, slots=True)
class ShownLine:
    """A line of a count in words, beside the line itself."""

    line: CountedLine
    counted: str
    recorded: str
    difference: str
    why: str


@dataclass(frozen=True, slots=True)
class ShownRate:
    """How often the counts of a location differed, in words, by lines and by volume, and how long ago the last was."""

    rate: CountRate
    by_lines: str
    by_volume: str
    last: str
    open_count: StockCount | None


@dataclass(frozen=True, slots=True)
class ShownCount:
    """A count in a list, with where it stands."""

    summary: CountSummary
    state: str
    tone: str


def by_product(sheet: Iterable[ToCount]) -> list[tuple[Product, list[ToCount]]]:
    """Return what is to be counted, product by product, in the order it has."""
    grouped = groupby(sheet, key=lambda line: line.lot.product_id)
    return [(lines[0].lot.product, lines) for lines in (list(group) for _, group in grouped)]


def shown_lines(lines: Iterable[CountedLine]) -> list[ShownLine]:
    """Return the lines of a count in words, those that differ on top."""
    return [
        ShownLine(
            line,
            _amount(line, line.line.counted_ul),
            _amount(line, line.line.expected_ul),
            _difference(line),
            _why(line),
        )
        for line in sorted(lines, key=lambda line: not line.difference_ul)
    ]


def shown_rates(rates: Iterable[CountRate], open_counts: Mapping[UUID, StockCount]) -> list[ShownRate]:
    """Return the discrepancy rates of locations in words, with the counts that have not ended."""
    return [
        ShownRate(
            rate,
            share(rate.differing, rate.lines),
            share(rate.differing_ul, rate.counted_ul),
            since_words(rate.last_counted_at),
            open_counts.get(rate.location_id),
        )
        for rate in rates
    ]


def shown_counts(summaries: Iterable[CountSummary]) -> list[ShownCount]:
    """Return the counts of a list with where each stands."""
    return [ShownCount(one, *count_state(one.count, one.result)) for one in summaries]


def _amount(line: CountedLine, amount_ul: int) -> str:
    """Sealed containers are counted, an open vial is in mL."""
    if line.is_vial:
        return ml(amount_ul)
    return count(amount_ul // line.lot.container_volume_ul)


def _difference(line: CountedLine) -> str:
    """`1 container less`, `0.3 mL more`; `agrees` where nothing differs."""
    if not line.difference_ul:
        return "agrees"
    direction = "more" if line.difference_ul > 0 else "less"
    if line.is_vial:
        return f"{ml(abs(line.difference_ul))} {direction}"
    return f"{count(abs(line.difference_containers), 'container')} {direction}"


def _why(line: CountedLine) -> str:
    if line.variance is None:
        return ""
    reason = COUNTED[AdjustReason(line.variance.reason)].removesuffix(" (say what)")
    return f"{reason}: {line.variance.note}" if line.variance.note else reason


def since_words(instant: datetime | None) -> str:
    """Return how many of the site's days ago something was: `today`, `12 days ago`; `never` where it was not."""
    if instant is None:
        return "never"
    days = (site_today() - instant.astimezone(site_zone()).date()).days
    return {0: "today", 1: "yesterday"}.get(days, f"{days:,} days ago")


def counted_words(instant: datetime | None) -> str:
    """Return when a location was counted last, beside its name: `counted 12 days ago`, `never counted`."""
    return f"counted {since_words(instant)}" if instant else "never counted"


def csv_rows(lines: Iterable[CountedLine]) -> Iterator[list[str]]:
    """Yield the lines of a count as cells, under `CSV_HEADING`."""
    for line in lines:
        lot, vial, row = line.lot, line.vial, line.line
        sealed = [row.counted_ul // lot.container_volume_ul, row.expected_ul // lot.container_volume_ul]
        yield [
            lot.product.name,
            str(lot.strength),
            lot.lot_number,
            lot.expires_on.isoformat(),
            str(vial.label_number or "") if vial else "",
            *(["", ""] if vial else map(str, sealed)),
            format_ml(row.counted_ul),
            format_ml(row.expected_ul),
            format_ml(line.difference_ul),
            line.variance.reason if line.variance else "",
            (line.variance.note or "") if line.variance else "",
        ]
