"""What a typed code must look like: GTIN and NDC. Pure; law kept here: codes are kept as typed, never derived blindly."""

import re

_NDC10 = re.compile(r"\d{10}|\d{4}-\d{4}-\d{2}|\d{5}-\d{3}-\d{2}|\d{5}-\d{4}-\d", re.ASCII)
_NDC11 = re.compile(r"\d{11}|\d{5}-\d{4}-\d{2}", re.ASCII)
_GTIN = re.compile(r"\d{8}|\d{12,14}", re.ASCII)


def is_gtin(digits: str) -> bool:
    """Tell whether `digits` has the form of a GTIN: 8, 12, 13 or 14 digits."""
    return bool(_GTIN.fullmatch(digits))


def has_gtin_check_digit(digits: str) -> bool:
    """Tell whether the last of `digits` is the check digit of the others (GS1 General Specifications, 7.9)."""
    weighted = (int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(reversed(digits)))
    return sum(weighted) % 10 == 0


def gtin14(digits: str) -> str:
    """Return a GTIN of any length as its 14 digits."""
    return digits.zfill(14)


def ndc10_in(gtin: str) -> str | None:
    """Return the ten digits of the NDC that a GTIN of 14 digits is made of, if it is a GTIN of the United States' drugs."""
    return gtin[3:13] if gtin[1:3] == "03" else None


def is_ndc10(text: str) -> bool:
    """Tell whether `text` is a ten-digit NDC: 4-4-2, 5-3-2 or 5-4-1, or without hyphens."""
    return bool(_NDC10.fullmatch(text))


def is_ndc11(text: str) -> bool:
    """Tell whether `text` is an eleven-digit NDC: 5-4-2, or without hyphens."""
    return bool(_NDC11.fullmatch(text))
