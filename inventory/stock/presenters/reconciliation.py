"""A reconciliation in words: its equation line by line, its lots by formulation, and what stands out of it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from itertools import groupby
from uuid import UUID
from zoneinfo import ZoneInfo

from inventory.kernel.numbering import written_number
from inventory.kernel.quantity import format_ml
from inventory.stock.models import AdjustReason, HoldKind, WasteReason
from inventory.stock.queries.reconciled import Reconciliation
from inventory.stock.queries.reconciliation import LotRow, Part
from inventory.stock.reconciling import INFLOWS, OUTFLOWS, Column, LastCount, Noted, Sums, Topic, joined
from inventory.stock.words import ADJUST, HOLDS, WASTE
from inventory.web.presenting import count, day, ml

PROVES = (
    "The difference is 0 by law: the ledger cannot be otherwise. It proves nothing alone; whether the shelf holds what the"
    " ledger says is seen only by counting it."
)
COLUMNS: dict[Column, str] = {
    Column.RECEIVED: "Received",
    Column.OPENED: "Opened",
    Column.TRANSFERRED_IN: "Transferred in",
    Column.CAME_OVER: "Came from another number",
    Column.OVERFILL: "Overfill",
    Column.FOUND: "Found",
    Column.GIVEN: "Given",
    Column.WASTED: "Wasted",
    Column.RETURNED: "Returned",
    Column.TRANSFERRED_OUT: "Transferred out",
    Column.WENT_OVER: "Went to another number",
    Column.LOST: "Lost",
}
TOPICS: dict[Topic, str] = {
    Topic.UNEXPLAINED: "Differences without a cause",
    Topic.SHORTFALL: "Doses that were given of more than the ledger held",
    Topic.UNWITNESSED: "Wasted without the witness that is asked for",
    Topic.LOST_UNDERWAY: "Broken or lost on the way",
    Topic.LATE: "Recorded after the period, and belonging to it",
    Topic.COUNTED: "Counts that differed",
    Topic.PAST_USE_BY: "Open vials past their use-by, not discarded",
    Topic.HELD: "Open holds",
    Topic.ON_ITS_WAY: "On their way for more than 7 days",
    Topic.REVERSED: "Reversed in the period",
    Topic.EXPLAINED: "Adjustments with a cause",
    Topic.WITNESSED: "Wasted before a witness",
}
AT_LENGTH = {Topic.REVERSED, Topic.EXPLAINED, Topic.WITNESSED}
"""Topics that are the course of things, and long: shown when asked for."""
ATTENTION = {
    Topic.UNEXPLAINED,
    Topic.SHORTFALL,
    Topic.UNWITNESSED,
    Topic.LOST_UNDERWAY,
    Topic.PAST_USE_BY,
    Topic.ON_ITS_WAY,
}
RENUMBERED = {Column.CAME_OVER, Column.WENT_OVER}
"""Columns of lots whose number was corrected into that of another: rare, and told only where it happened."""
_REVERSED = {
    "receive": "receipt",
    "open": "opening",
    "give": "dose",
    "waste": "waste",
    "adjust": "adjustment",
    "return": "return",
    "transfer": "transfer",
}
_MOVED = {
    "receive": "Received {amount}",
    "give": "Gave {amount}",
    "waste": "Wasted {amount}",
    "return": "Returned {amount}",
    "open": "Opened {amount}",
}
Pick = Callable[[Sums], int]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the equation. Volume in microlitres; containers rounded to hundredths."""

    sign: str
    words: str
    volume_ul: int
    containers: str
    reasons: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """The lots of one formulation, all of them together, and those on their way, which are no part of that sum."""

    formulation: str
    rows: list[LotRow]
    sums: Sums
    ways: list[LotRow]


@dataclass(frozen=True, slots=True)
class Told:
    """One thing that stands out, in words."""

    at: datetime
    zone: str
    what: str
    where: str
    by: str
    said: str
    lot_id: UUID | None
    recorded_at: datetime | None


def equation(rows: Sequence[LotRow]) -> list[Line]:
    """Return opening, what came, what went, closing, and the difference, of all rows together."""
    sums = joined(row.sums for row in rows)

    def line(sign: str, words: str, pick: Pick, reasons: Sequence[tuple[str, int]] = ()) -> Line:
        return Line(sign, words, pick(sums), in_containers(rows, pick), tuple(reasons))

    shown = {c for c in COLUMNS if sums.moved[c] or c not in RENUMBERED} - {Column.OPENED}
    return [
        line("", "Opening", lambda one: one.opening_ul),
        *(line("+", COLUMNS[c], _of(c), reasons_of(sums, c)) for c in INFLOWS if c in shown),
        *(line("−", COLUMNS[c], _of(c), reasons_of(sums, c)) for c in OUTFLOWS if c in shown),
        line("=", "Closing", lambda one: one.closing_ul),
        line("", "Difference", lambda one: one.difference_ul),
    ]


def columns_of(rows: Sequence[LotRow], *, by_part: bool) -> list[Column]:
    """Return the columns in which anything of the rows moved; opening a container moves inside a lot, between its parts."""
    every = [row.sums for row in rows]
    if by_part:
        every += [part.sums for row in rows for part in row.parts]
    return [column for column in COLUMNS if any(sums.moved[column] for sums in every)]


def _of(column: Column) -> Pick:
    return lambda sums: sums.moved[column]


def in_containers(rows: Sequence[LotRow], pick: Pick) -> str:
    """Return a sum as containers of each row's own size, rounded to hundredths: `12`, `0.33`."""
    return hundredths(sum((Fraction(pick(row.sums), row.container_ul) for row in rows), Fraction(0)))


def hundredths_of(volume_ul: int, container_ul: int) -> str:
    """Return a volume in containers of a size, rounded to hundredths."""
    return hundredths(Fraction(volume_ul, container_ul))


def hundredths(number: Fraction) -> str:
    """Return a number rounded half away from zero to hundredths, without trailing zeros."""
    scaled = (200 * abs(number.numerator) + number.denominator) // (2 * number.denominator)
    whole, rest = divmod(scaled, 100)
    decimals = f".{rest:02d}".rstrip("0").rstrip(".")
    return f"{'-' if number < 0 and scaled else ''}{whole:,}{decimals}"


def reasons_of(sums: Sums, column: Column) -> list[tuple[str, int]]:
    """Return what a column holds by reason in words, in microlitres."""
    if column not in {Column.WASTED, Column.FOUND, Column.LOST}:
        return []
    return [(reason_words(column, reason), ul) for reason, ul in sums.reasons(column)]


def reason_words(column: Column, reason: str) -> str:
    """Return the words of a reason of waste or adjustment."""
    if column is Column.WASTED:
        return WASTE[WasteReason(reason)].removesuffix(" (say what)")
    return ADJUST[AdjustReason(reason)]


def groups_of(found: Reconciliation) -> list[Group]:
    """Return the rows by formulation, with those on their way."""
    return [
        Group(name, rows, joined(row.sums for row in rows), _of_formulation(found.ways, name))
        for name in sorted({row.formulation for row in (*found.rows, *found.ways)})
        for rows in [_of_formulation(found.rows, name)]
    ]


def _of_formulation(rows: Sequence[LotRow], name: str) -> list[LotRow]:
    return [row for row in rows if row.formulation == name]


def way_words(row: LotRow) -> str:
    """Return what a row of a lot on its way is."""
    return f"{row.lot_number}, on its way from {row.site_code}"


def part_words(part: Part) -> str:
    """Return what a part of a lot is."""
    if not part.is_opened:
        return "Sealed"
    return f"Vial {part.label}" if part.label else "Single-dose containers, opened"


def unexplained_words(sums: Sums) -> str:
    """Return what differed without a cause, both ways, and how often."""
    lost, found = ml(sums.unexplained_lost_ul), ml(sums.unexplained_found_ul)
    return f"{lost} missing, {found} found, in {count(sums.unexplained, 'adjustment')}"


def count_words(last: LastCount) -> str:
    """Return how long before the end of the period, or before today, a location was counted."""
    return "never" if last.days is None else count(last.days, "day")


def longest_uncounted(last_counts: Sequence[LastCount]) -> LastCount | None:
    """Return the location that was counted the longest ago, or never."""
    return max(last_counts, key=lambda last: (last.days is None, last.days or 0), default=None)


def by_topic(noted: Sequence[Noted]) -> list[tuple[Topic, list[Told]]]:
    """Return what stands out in words, under its topics."""
    return [(topic, told_all(list(members))) for topic, members in groupby(noted, key=lambda one: one.topic)]


EXCEPTIONS_HEAD = ("Topic", "What", "When", "Recorded", "Where", "By", "What was said")


def exception_rows(noted: Sequence[Noted]) -> Iterator[tuple[str, ...]]:
    """Return what stands out as cells; the times are those of its site, with how far they are from UTC."""
    for topic, members in by_topic(noted):
        for one in members:
            times = (_iso(instant, one.zone) for instant in (one.at, one.recorded_at))
            yield TOPICS[topic], one.what, *times, one.where, one.by, one.said


def _iso(instant: datetime | None, zone: str) -> str:
    return instant.astimezone(ZoneInfo(zone)).isoformat(timespec="seconds") if instant else ""


def told_all(noted: Sequence[Noted]) -> list[Told]:
    """Return things that stand out, or movements, in words."""
    return [told(one) for one in noted]


def told(one: Noted) -> Told:
    """Return one thing that stands out in words."""
    return Told(
        at=one.at,
        zone=one.zone,
        what=_what(one),
        where=", ".join(_where(one)),
        by=f"{one.by}, witness {one.witness}" if one.witness else one.by,
        said=one.note,
        lot_id=one.lot_id,
        recorded_at=one.recorded_at if one.topic is Topic.LATE else None,
    )


def _where(one: Noted) -> Iterator[str]:
    if one.site_code:
        yield one.site_code
    if one.place:
        yield one.place
    if one.lot_number:
        yield f"lot {one.lot_number}"
    if one.label:
        yield f"vial {one.label}"


def _what(one: Noted) -> str:
    amount = ml(abs(one.amount_ul or 0))
    match one.topic:
        case Topic.COUNTED:
            number = written_number(one.site_code, one.number or 0)
            return (
                f"Count {number}: {one.differing:,} of {count(one.lines, 'line')} differed, {amount} in all"
            )
        case Topic.PAST_USE_BY:
            return f"Use by {day(one.use_by_on)}"
        case Topic.HELD:
            return HOLDS[HoldKind(one.kind)]
        case Topic.LOST_UNDERWAY:
            return f"Transfer {written_number(one.site_code, one.number or 0)}, {amount} {one.kind}"
        case Topic.ON_ITS_WAY:
            return f"Transfer {written_number(one.site_code, one.number or 0)}, {amount}"
    return _moved(one, amount)


def _moved(one: Noted, amount: str) -> str:
    came = (one.amount_ul or 0) > 0
    if one.kind == "reverse":
        return f"Reversed: {_REVERSED.get(one.undone or '', 'movement')} of {amount}"
    if one.kind == "transfer":
        return f"{'Arrived' if came else 'Sent'}: {amount}"
    if one.kind == "adjust" and one.reason == AdjustReason.MERGED:
        return f"{COLUMNS[Column.CAME_OVER if came else Column.WENT_OVER]}: {amount}"
    if one.kind == "adjust":
        reason = ADJUST[AdjustReason(one.reason or "other")]
        return f"{'Found' if came else 'Missing'}: {amount} ({reason})"
    said = _MOVED[one.kind].format(amount=amount)
    return f"{said}: {reason_words(Column.WASTED, one.reason)}" if one.reason else said


def whole_containers(volume_ul: int, container_ul: int) -> str:
    """Return a volume as a whole number of containers; nothing where it is none, or the size is not told (0)."""
    if not container_ul or not volume_ul or volume_ul % container_ul:
        return ""
    return f"{volume_ul // container_ul:,}"


def plain_ml(volume_ul: int) -> str:
    """Return a volume as decimal mL without its unit, for a column that names it."""
    return format_ml(volume_ul)
