"""The closed sets of stock."""

from enum import StrEnum


class AccountKind(StrEnum):
    """Where a lot's volume can be. Shelves are per location, vials per opened container; the rest one per lot."""

    SUPPLIER = "supplier"
    SHELF = "shelf"
    VIAL = "vial"
    GIVEN = "given"
    WASTE = "waste"
    ADJUSTMENT = "adjustment"
    TRANSIT = "transit"
    RETURNED = "returned"


class MovementKind(StrEnum):
    """What a movement is. A reversal names the one movement it undoes, exactly."""

    RECEIVE = "receive"
    OPEN = "open"
    GIVE = "give"
    WASTE = "waste"
    ADJUST = "adjust"
    RETURN = "return"
    TRANSFER = "transfer"
    REVERSE = "reverse"


class WasteReason(StrEnum):
    """Why volume was wasted."""

    BROKEN = "broken"
    LOST = "lost"
    REMAINDER = "remainder"
    DEAD_SPACE = "dead_space"
    DRAWN_NOT_GIVEN = "drawn_not_given"
    NOT_NEEDED = "not_needed"
    EXPIRED = "expired"
    PAST_USE_BY = "past_use_by"
    CONTAMINATED = "contaminated"
    TEMPERATURE = "temperature"
    RECALL = "recall"
    SAMPLE = "sample"
    OTHER = "other"


class AdjustReason(StrEnum):
    """Why the ledger was brought to what is really there."""

    FOUND = "found"
    MISSING = "missing"
    MISCOUNTED = "miscounted"
    OVERFILL = "overfill"
    OPENING_BALANCE = "opening_balance"
    COUNTED = "counted"
    MERGED = "merged"
    SHORTFALL = "shortfall"
    OTHER = "other"


class HoldKind(StrEnum):
    """Why stock must not be used until somebody releases it."""

    HOLD = "hold"
    RECALL = "recall"
    TEMPERATURE = "temperature"
    UNKNOWN_LOT = "unknown_lot"


class VialClosure(StrEnum):
    """How an opened container ended."""

    USED_UP = "used_up"
    SINGLE_USE = "single_use"
    DISCARDED = "discarded"
    NEVER_OPENED = "never_opened"
    RELABELLED = "relabelled"
    RETURNED = "returned"


class TransferDifference(StrEnum):
    """Why less arrived than was sent."""

    NOT_SENT = "not_sent"
    BROKEN = "broken"
    LOST = "lost"


class CountOutcome(StrEnum):
    """How a count ended."""

    POSTED = "posted"
    ABANDONED = "abandoned"


class DisposalKind(StrEnum):
    """How stock left the clinic unused."""

    RETURN = "return"
    DESTRUCTION = "destruction"


class ReadingSource(StrEnum):
    """Where a temperature came from."""

    TYPED = "typed"
    LOGGER = "logger"


class ExcursionDecision(StrEnum):
    """What was decided about stock that was kept outside its limits."""

    RELEASE = "release"
    CONDEMN = "condemn"
