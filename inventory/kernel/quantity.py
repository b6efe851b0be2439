"""Exact amounts. Law 8: volume is whole microlitres, strength the label's ratio, dose whole nanograms; no float anywhere.

Shown as mL and mcg (never the Greek letter), with a leading zero and no trailing zero (ISMP).
"""

import re
from dataclasses import dataclass
from decimal import Decimal

from inventory.kernel.errors import Refusal

UL_PER_ML = 1_000
NG_PER_MCG = 1_000

_DECIMAL = re.compile(r"[0-9]{1,12}(\.[0-9]{1,9})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Strength:
    """The label's ratio: `ng` nanograms of active substance in `ul` microlitres."""

    ng: int
    ul: int

    def __post_init__(self) -> None:
        if self.ng <= 0 or self.ul <= 0:
            raise ValueError("a strength is a ratio of two positive whole numbers")

    def dose_ng(self, volume_ul: int) -> int:
        """Return the nanograms in `volume_ul`, rounded half up to the nearest whole nanogram."""
        return (2 * volume_ul * self.ng + self.ul) // (2 * self.ul)

    def volume_ul(self, dose_ng: int) -> int:
        """Return the volume that holds `dose_ng`, rounded half up to the nearest whole microlitre."""
        return (2 * dose_ng * self.ul + self.ng) // (2 * self.ng)

    def agrees(self, *, dose_ng: int, volume_ul: int) -> bool:
        """Tell whether the dose is within half a nanogram of what the volume holds, as the database checks it."""
        return 2 * abs(dose_ng * self.ul - self.ng * volume_ul) <= self.ul

    def __str__(self) -> str:
        per = "mL" if self.ul == UL_PER_ML else f"{format_ml(self.ul)} mL"
        return f"{format_mcg(self.ng)} mcg/{per}"


def parse_ml(text: str, *, field: str | None = None) -> int:
    """Return the whole microlitres that `text` (decimal mL) says. Raises Refusal AMOUNT-INVALID."""
    return _parse(text, UL_PER_ML, "mL", "0.001 mL", field)


def parse_mcg(text: str, *, field: str | None = None) -> int:
    """Return the whole nanograms that `text` (decimal mcg) says. Raises Refusal AMOUNT-INVALID."""
    return _parse(text, NG_PER_MCG, "mcg", "0.001 mcg", field)


def format_ml(volume_ul: int) -> str:
    """Return `volume_ul` as decimal mL without the unit, such as 0.25."""
    return _format(volume_ul, UL_PER_ML)


def format_mcg(dose_ng: int) -> str:
    """Return `dose_ng` as decimal mcg without the unit, thousands grouped by a comma, such as 1,000."""
    return _format(dose_ng, NG_PER_MCG, group=True)


def _parse(text: str, scale: int, unit: str, smallest: str, field: str | None) -> int:
    cleaned = text.strip()
    if unit == "mcg" and re.fullmatch(r"[0-9]{1,3}(,[0-9]{3})+(\.[0-9]+)?", cleaned):
        cleaned = cleaned.replace(",", "")
    if not _DECIMAL.fullmatch(cleaned):
        raise Refusal("AMOUNT-INVALID", f"Type {unit} as a plain decimal number, such as 0.5 or 12.", field)
    scaled = Decimal(cleaned) * scale
    if scaled != int(scaled):
        raise Refusal("AMOUNT-INVALID", f"The smallest step is {smallest}.", field)
    return int(scaled)


def _format(amount: int, scale: int, *, group: bool = False) -> str:
    sign = "-" if amount < 0 else ""
    whole, rest = divmod(abs(amount), scale)
    shown = f"{whole:,}" if group else str(whole)
    decimals = f"{rest:03d}".rstrip("0")
    return f"{sign}{shown}.{decimals}" if decimals else f"{sign}{shown}"
