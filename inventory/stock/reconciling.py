"""What came, what went and what is left, in columns that add up. Pure: sums of what the ledger moved, no database.

Law kept here: of every vial, lot and site, opening + received + transferred in + came from another number + overfill + found = given
+ wasted + returned + transferred out + went to another number + lost + closing, in whole microlitres. Opening a container moves inside
a lot: out of what is sealed, into its vial. What is on its way stands apart, in columns of its own that close too.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from types import MappingProxyType
from uuid import UUID
from zoneinfo import ZoneInfo

from inventory.stock.models.terms import AdjustReason, MovementKind


class Column(StrEnum):
    """What a movement counts as."""

    RECEIVED = "received"
    OPENED = "opened"
    TRANSFERRED_IN = "transferred_in"
    CAME_OVER = "came_over"
    OVERFILL = "overfill"
    FOUND = "found"
    GIVEN = "given"
    WASTED = "wasted"
    RETURNED = "returned"
    TRANSFERRED_OUT = "transferred_out"
    WENT_OVER = "went_over"
    LOST = "lost"


INFLOWS = (
    Column.RECEIVED,
    Column.OPENED,
    Column.TRANSFERRED_IN,
    Column.CAME_OVER,
    Column.OVERFILL,
    Column.FOUND,
)
OUTFLOWS = (
    Column.GIVEN,
    Column.WASTED,
    Column.RETURNED,
    Column.TRANSFERRED_OUT,
    Column.WENT_OVER,
    Column.LOST,
)
UNEXPLAINED = frozenset(AdjustReason) - {
    AdjustReason.OVERFILL,
    AdjustReason.OPENING_BALANCE,
    AdjustReason.MERGED,
}
"""Reasons of an adjustment that say that something differed, and not why."""
_OF_KIND: Mapping[str, Column] = MappingProxyType(
    {
        MovementKind.RECEIVE: Column.RECEIVED,
        MovementKind.OPEN: Column.OPENED,
        MovementKind.GIVE: Column.GIVEN,
        MovementKind.WASTE: Column.WASTED,
        MovementKind.RETURN: Column.RETURNED,
    }
)


@dataclass(frozen=True, slots=True)
class Flow:
    """Volume that went into a place (positive) or out of it (negative), in microlitres, and by how many movements.

    A reversal has the kind and the reason of what it undoes: it counts against that one's column, when it was recorded.
    """

    kind: str
    reason: str | None
    amount_ul: int
    times: int = 1
    is_reversal: bool = False

    @property
    def was_into(self) -> bool:
        """Whether the movement, or the one that is undone, brought something in."""
        return (self.amount_ul > 0) is not self.is_reversal


def column_of(flow: Flow) -> Column:
    """Return the column a flow belongs to."""
    if flow.kind == MovementKind.TRANSFER:
        return Column.TRANSFERRED_IN if flow.was_into else Column.TRANSFERRED_OUT
    if flow.kind == MovementKind.ADJUST:
        if flow.reason == AdjustReason.MERGED:
            return Column.CAME_OVER if flow.was_into else Column.WENT_OVER
        if not flow.was_into:
            return Column.LOST
        return Column.OVERFILL if flow.reason == AdjustReason.OVERFILL else Column.FOUND
    return _OF_KIND[flow.kind]


@dataclass(slots=True)
class Sums:
    """The columns of a place over a period, in microlitres; wasted, found and lost also by reason."""

    opening_ul: int = 0
    closing_ul: int = 0
    moved: Counter[Column] = field(default_factory=Counter)
    by_reason: Counter[tuple[Column, str]] = field(default_factory=Counter)
    unexplained: int = 0
    """How many adjustments say no cause; one that was reversed is none."""

    def add(self, flow: Flow) -> None:
        """Put one flow into its column."""
        column = column_of(flow)
        amount = flow.amount_ul if column in INFLOWS else -flow.amount_ul
        self.moved[column] += amount
        if flow.reason is not None:
            self.by_reason[column, flow.reason] += amount
        if flow.kind == MovementKind.ADJUST and flow.reason in UNEXPLAINED:
            self.unexplained += -flow.times if flow.is_reversal else flow.times

    def join(self, other: "Sums") -> None:
        """Add the columns of another place."""
        self.opening_ul += other.opening_ul
        self.closing_ul += other.closing_ul
        self.unexplained += other.unexplained
        # Not `+=`, which drops what a reversal made negative.
        self.moved.update(other.moved)
        self.by_reason.update(other.by_reason)

    @property
    def net_ul(self) -> int:
        """What the period added, all told."""
        return sum(self.moved[c] for c in INFLOWS) - sum(self.moved[c] for c in OUTFLOWS)

    @property
    def difference_ul(self) -> int:
        """What the columns leave unaccounted for: nothing, by law."""
        return self.opening_ul + self.net_ul - self.closing_ul

    @property
    def is_empty(self) -> bool:
        """Whether nothing was there and nothing moved."""
        return not (self.opening_ul or self.closing_ul or any(self.moved.values()) or self.by_reason)

    @property
    def unexplained_found_ul(self) -> int:
        """What was found without a cause."""
        return self._unexplained(Column.FOUND)

    @property
    def unexplained_lost_ul(self) -> int:
        """What is missing without a cause."""
        return self._unexplained(Column.LOST)

    @property
    def unexplained_ul(self) -> int:
        """What differed without a cause, both ways."""
        return self.unexplained_found_ul + self.unexplained_lost_ul

    def reasons(self, column: Column) -> list[tuple[str, int]]:
        """Return what a column holds by reason, the most first."""
        found = [(reason, ul) for (of, reason), ul in self.by_reason.items() if of is column and ul]
        return sorted(found, key=lambda one: (-one[1], one[0]))

    def _unexplained(self, column: Column) -> int:
        return sum(ul for (of, why), ul in self.by_reason.items() if of is column and why in UNEXPLAINED)


@dataclass(frozen=True, slots=True)
class Transit:
    """What was on its way: sent, arrived, broken or lost underway. In microlitres."""

    opening_ul: int = 0
    sent_ul: int = 0
    arrived_ul: int = 0
    lost_ul: int = 0

    @property
    def closing_ul(self) -> int:
        """What is still on its way."""
        return self.opening_ul + self.sent_ul - self.arrived_ul - self.lost_ul

    @property
    def is_empty(self) -> bool:
        """Whether nothing was on its way."""
        return not (self.opening_ul or self.sent_ul or self.arrived_ul or self.lost_ul)

    @property
    def sums(self) -> Sums:
        """The same in the columns of a place, so that with those of all sites what was transferred adds up to nothing."""
        moved = {
            Column.TRANSFERRED_IN: self.sent_ul,
            Column.TRANSFERRED_OUT: self.arrived_ul,
            Column.WASTED: self.lost_ul,
        }
        return Sums(self.opening_ul, self.closing_ul, Counter(moved))

    def __add__(self, other: "Transit") -> "Transit":
        """Return both together."""
        return Transit(
            self.opening_ul + other.opening_ul,
            self.sent_ul + other.sent_ul,
            self.arrived_ul + other.arrived_ul,
            self.lost_ul + other.lost_ul,
        )


def joined(parts: Iterable[Sums]) -> Sums:
    """Return the sums of several places together."""
    together = Sums()
    for part in parts:
        together.join(part)
    return together


def period_of(first: date, last: date, zone: str) -> tuple[datetime, datetime]:
    """Return the instants at which the first local day begins and the last one has ended, in the IANA zone."""
    return _midnight(first, zone), _midnight(last + timedelta(days=1), zone)


def _midnight(day: date, zone: str) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)


class Topic(StrEnum):
    """What a reader of a reconciliation must be told beside the columns, the gravest first."""

    UNEXPLAINED = "unexplained"
    SHORTFALL = "shortfall"
    UNWITNESSED = "unwitnessed"
    LOST_UNDERWAY = "lost_underway"
    LATE = "late"
    COUNTED = "counted"
    PAST_USE_BY = "past_use_by"
    HELD = "held"
    ON_ITS_WAY = "on_its_way"
    REVERSED = "reversed"
    EXPLAINED = "explained"
    WITNESSED = "witnessed"


def topics_of(
    *, kind: str, reason: str | None, is_late: bool, is_witnessed: bool, needs_witness: bool
) -> list[Topic]:
    """Return under which topics a single movement of the period is told; under none where it is nothing special."""
    found = [Topic.LATE] if is_late else []
    if kind == MovementKind.REVERSE:
        found.append(Topic.REVERSED)
    if kind == MovementKind.ADJUST:
        found.append(_topic_of_adjustment(reason))
    if kind == MovementKind.WASTE and is_witnessed:
        found.append(Topic.WITNESSED)
    if kind == MovementKind.WASTE and needs_witness and not is_witnessed:
        found.append(Topic.UNWITNESSED)
    return found


def _topic_of_adjustment(reason: str | None) -> Topic:
    if reason == AdjustReason.SHORTFALL:
        return Topic.SHORTFALL
    return Topic.UNEXPLAINED if reason in UNEXPLAINED else Topic.EXPLAINED


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted:
    """One thing that a reader must be told. Volume in microlitres, above zero where it came in."""

    topic: Topic
    at: datetime
    site_code: str = ""
    zone: str = "UTC"
    lot_id: UUID | None = None
    lot_number: str = ""
    label: int | None = None
    kind: str = ""
    reason: str | None = None
    undone: str | None = None
    amount_ul: int | None = None
    note: str = ""
    by: str = ""
    witness: str = ""
    recorded_at: datetime | None = None
    number: int | None = None
    use_by_on: date | None = None
    place: str = ""
    lines: int = 0
    differing: int = 0


@dataclass(frozen=True, slots=True)
class LastCount:
    """A storage location in which stock is or was kept, when it was last counted, and how many local days ago. None is never."""

    site_code: str
    location: str
    zone: str
    counted_at: datetime | None
    days: int | None
