"""The closed sets of stock in words, and as they are offered in forms."""

from collections.abc import Collection
from uuid import UUID

from inventory.clinic.setting_rules import WITNESS_REASONS
from inventory.stock.models import (
    AdjustReason,
    CountOutcome,
    Hold,
    HoldKind,
    TransferDifference,
    VialClosure,
    WasteReason,
)
from inventory.stock.rules import DRILL_WORDS
from inventory.stock.services import Direction

WASTE = {
    WasteReason.REMAINDER: "Remainder of a single-dose container",
    WasteReason.DEAD_SPACE: "Dead space of the syringe",
    **{WasteReason(code): said for code, said in WITNESS_REASONS.items()},
    WasteReason.OTHER: "Other (say what)",
}
ADJUST = {
    AdjustReason.MISCOUNTED: "Counted wrongly before",
    AdjustReason.FOUND: "Found, cause unknown",
    AdjustReason.MISSING: "Missing, cause unknown",
    AdjustReason.OVERFILL: "Found: the vial held more than its label says",
    AdjustReason.OPENING_BALANCE: "Opening balance",
    AdjustReason.COUNTED: "Difference found by a count",
    AdjustReason.MERGED: "two numbers of one lot",
    AdjustReason.SHORTFALL: "Shortfall of a recorded dose",
    AdjustReason.OTHER: "Other",
}
COUNTED = ADJUST | {
    AdjustReason.OVERFILL: "The vial held more than its label says",
    AdjustReason.OTHER: "Other (say what)",
}
COUNT_OUTCOMES = {CountOutcome.POSTED: "Posted", CountOutcome.ABANDONED: "Given up"}
HOLDS = {
    HoldKind.HOLD: "On hold",
    HoldKind.RECALL: "Recalled",
    HoldKind.TEMPERATURE: "On hold: temperature",
    HoldKind.UNKNOWN_LOT: "On hold: lot to be confirmed",
}
CLOSURES = {
    VialClosure.USED_UP: "Used up",
    VialClosure.SINGLE_USE: "Used once",
    VialClosure.DISCARDED: "Discarded",
    VialClosure.NEVER_OPENED: "Never really opened",
    VialClosure.RELABELLED: "Taken over to the corrected lot",
    VialClosure.RETURNED: "Returned to the supplier",
}
DIFFERENCES = {
    TransferDifference.NOT_SENT: "Not sent",
    TransferDifference.BROKEN: "Broken on the way",
    TransferDifference.LOST: "Lost on the way",
}
DIFFERENCE_CHOICES = [(difference.value, said) for difference, said in DIFFERENCES.items()]
HOLD_CHOICES = [
    (HoldKind.HOLD.value, "Hold"),
    (HoldKind.RECALL.value, "Recall"),
    (HoldKind.TEMPERATURE.value, "Wrong temperature"),
]
DIRECTION_CHOICES = [
    (Direction.FOUND.value, "Found: there is more than recorded"),
    (Direction.MISSING.value, "Missing: there is less than recorded"),
]
SHELF_ADJUST_CHOICES = [
    (reason.value, ADJUST[reason])
    for reason in (AdjustReason.MISCOUNTED, AdjustReason.FOUND, AdjustReason.MISSING, AdjustReason.OTHER)
]
VIAL_ADJUST_CHOICES = [(AdjustReason.OVERFILL.value, ADJUST[AdjustReason.OVERFILL]), *SHELF_ADJUST_CHOICES]


def hold_words(hold: Hold, drills: Collection[UUID]) -> str:
    """Return the words for a hold; `drills` are the holds of recalls that are only practised."""
    return DRILL_WORDS if hold.id in drills else HOLDS[HoldKind(hold.kind)]
