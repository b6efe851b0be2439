"""Prices: whole amounts of a currency's smallest unit. Law 8 holds for money too: no float, and rounded once, at the end."""

import re
from decimal import Decimal
from fractions import Fraction

from inventory.kernel.errors import Refusal

MOST_MINOR = 10**11
_CODE = re.compile(r"[A-Z]{3}", re.ASCII)
# ISO 4217: the currencies whose smallest unit is no hundredth.
_WHOLE = frozenset(
    {"BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"}
)  # fmt: skip
_THOUSANDTHS = frozenset({"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"})


def is_currency(code: str) -> bool:
    """Tell whether `code` is written as ISO 4217 does: three capital letters."""
    return bool(_CODE.fullmatch(code))


def places(currency: str) -> int:
    """Return how many digits the currency has after the point."""
    if currency in _WHOLE:
        return 0
    return 3 if currency in _THOUSANDTHS else 2


def to_minor(amount: Decimal, currency: str, *, field: str | None = None) -> int:
    """Return an amount in the currency's smallest unit. Raises Refusal PRICE-INVALID."""
    scaled = amount * 10 ** places(currency)
    if scaled != int(scaled) or not 0 <= scaled <= MOST_MINOR:
        digits = places(currency)
        said = (
            f"A price in {currency} has at most {digits} digits after the point."
            if digits
            else (f"A price in {currency} is a whole number.")
        )
        raise Refusal("PRICE-INVALID", said, field)
    return int(scaled)


def rounded(exact: Fraction) -> int:
    """Return the nearest whole number, halves up."""
    return (2 * exact.numerator + exact.denominator) // (2 * exact.denominator)


def format_minor(minor: int, currency: str, *, group: bool = True) -> str:
    """Return an amount of the smallest unit as it is written, without the currency: 1,234.50."""
    digits = places(currency)
    whole, rest = divmod(abs(minor), 10**digits)
    shown = f"{whole:,}" if group else str(whole)
    sign = "-" if minor < 0 else ""
    return f"{sign}{shown}.{rest:0{digits}d}" if digits else f"{sign}{shown}"
