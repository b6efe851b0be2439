"""The only clock. Services are told the time; this module tells it to those who call them.

Law 6: instants are UTC. `frozen` lets the demo clinic and the tests live at another time.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

_frozen: ContextVar[datetime | None] = ContextVar("frozen_clock", default=None)


def now() -> datetime:
    """Return the present instant, aware, in UTC, to the microsecond."""
    return _frozen.get() or datetime.now(UTC)


def local_day(instant: datetime, zone: str) -> date:
    """Return the calendar day of `instant` in the IANA zone `zone`."""
    return instant.astimezone(ZoneInfo(zone)).date()


@contextmanager
def frozen(instant: datetime) -> Iterator[None]:
    """Make `now` answer `instant` (aware) inside the block."""
    if instant.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    token = _frozen.set(instant.astimezone(UTC))
    try:
        yield
    finally:
        _frozen.reset(token)
