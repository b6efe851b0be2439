"""What laboratories measure here: analytes with their codes and units, exact values, and the one place that converts. Pure.

Law kept here: exact amounts (8). A value is whole millionths of its unit, with the digits after the point that the laboratory
wrote; conversion is by ratios of whole numbers. Units are UCUM codes. No float comes near a result.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from fractions import Fraction

from inventory.kernel.errors import Refusal

MILLION = 1_000_000
MOST_PLACES = 6
B12_MOLAR_MASS = Fraction(135_537, 100)
"""Grams of vitamin B12 (cyanocobalamin) in a mole: 1355.37, so that 1 pg/mL is 0.738 pmol/L."""

_NUMBER = re.compile(r"([0-9]{1,9})(?:\.([0-9]{1,6}))?", re.ASCII)
_COMPARED = re.compile(r"(<=|>=|<|>|≤|≥)?\s*(.*)", re.DOTALL)


class Analyte(StrEnum):
    """What is measured."""

    B12 = "b12"
    ACTIVE_B12 = "active_b12"
    MMA = "mma"
    HOMOCYSTEINE = "homocysteine"
    FOLATE = "folate"
    FERRITIN = "ferritin"
    HAEMOGLOBIN = "haemoglobin"
    HAEMATOCRIT = "haematocrit"
    MCV = "mcv"
    RETICULOCYTES = "reticulocytes"
    POTASSIUM = "potassium"


B12_STATUS = frozenset({Analyte.B12, Analyte.ACTIVE_B12, Analyte.MMA, Analyte.HOMOCYSTEINE})
"""Results that say something of the B12 status."""


class Comparator(StrEnum):
    """What stands before a value that lies outside what the laboratory can measure; as in FHIR, and nothing for the value itself."""

    EXACT = ""
    BELOW = "<"
    AT_MOST = "<="
    AT_LEAST = ">="
    ABOVE = ">"


class Against(StrEnum):
    """Where a value lies against the laboratory's own range."""

    BELOW = "below"
    WITHIN = "within"
    ABOVE = "above"


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of an analyte by its UCUM code, with the LOINC code of a result in it; empty where none is verified.

    `per` is how many of the analyte's first unit one of it is, None where it cannot be converted.
    """

    ucum: str
    loinc: str = ""
    per: Fraction | None = Fraction(1)

    @property
    def words(self) -> str:
        """The unit as it is shown: mcg, never the Greek letter nor ug (ISMP)."""
        return re.sub(r"^ug\b", "mcg", self.ucum)


@dataclass(frozen=True, slots=True)
class Described:
    """An analyte in words, with the units it is reported in."""

    name: str
    units: tuple[Unit, ...]


@dataclass(frozen=True, slots=True)
class Amount:
    """A value as a laboratory reports it: whole millionths, digits after the point as written, and what stands before it."""

    millionths: int
    places: int = 0
    comparator: Comparator = Comparator.EXACT

    def __str__(self) -> str:
        digits = decimal(self.millionths, places=self.places)
        return f"{self.comparator} {digits}" if self.comparator else digits


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest result of an analyte as of some time, with the lower bound of the laboratory's range, in millionths."""

    analyte: Analyte
    amount: Amount
    unit: str
    taken_at: datetime
    low: int | None = None

    def is_under(self, bound: int, unit: str) -> bool:
        """Tell whether it certainly lies below `bound` millionths of `unit`."""
        here = convert(self.amount.millionths, analyte=self.analyte, from_unit=self.unit, to_unit=unit)
        return against(replace(self.amount, millionths=here), bound, None) is Against.BELOW

    @property
    def is_low(self) -> bool:
        """Whether it certainly lies below the laboratory's own range."""
        return against(self.amount, self.low, None) is Against.BELOW

    def __str__(self) -> str:
        return f"{self.amount} {unit_of(self.analyte, self.unit).words}"


_PER_MASS = B12_MOLAR_MASS / 1000  # pg/mL in one pmol/L
# domain.md section 3 names the LOINC codes; 72160-5 is holotranscobalamin in moles. A code of a mass is not given to moles.
ANALYTES: dict[Analyte, Described] = {
    Analyte.B12: Described(
        "Vitamin B12", (Unit("pg/mL", "2132-9"), Unit("ng/L", "2132-9"), Unit("pmol/L", per=_PER_MASS))
    ),
    Analyte.ACTIVE_B12: Described("Active B12", (Unit("pmol/L", "72160-5"),)),
    Analyte.MMA: Described(
        "Methylmalonic acid", (Unit("nmol/L", "13964-2"), Unit("umol/L", "13964-2", Fraction(1000)))
    ),
    Analyte.HOMOCYSTEINE: Described("Homocysteine", (Unit("umol/L", "13965-9"),)),
    Analyte.FOLATE: Described(
        "Folate", (Unit("ng/mL", "2284-8"), Unit("ug/L", "2284-8"), Unit("nmol/L", per=None))
    ),
    Analyte.FERRITIN: Described("Ferritin", (Unit("ng/mL", "2276-4"), Unit("ug/L", "2276-4"))),
    Analyte.HAEMOGLOBIN: Described(
        "Haemoglobin", (Unit("g/dL", "718-7"), Unit("g/L", "718-7", Fraction(1, 10)))
    ),
    Analyte.HAEMATOCRIT: Described("Haematocrit", (Unit("%", "4544-3"),)),
    Analyte.MCV: Described("MCV", (Unit("fL", "787-2"),)),
    Analyte.RETICULOCYTES: Described("Reticulocytes", (Unit("%", "17849-1"),)),
    Analyte.POTASSIUM: Described("Potassium", (Unit("mmol/L", "2823-3"),)),
}


def unit_of(analyte: Analyte, text: str) -> Unit:
    """Return the unit of the analyte that `text` writes, whatever its case: "pg/ml", "µmol/L", "mcg/L". Raises Refusal LAB-UNIT."""
    units = ANALYTES[analyte].units
    spelt = _spelt(text)
    found = next((unit for unit in units if _spelt(unit.ucum) == spelt), None)
    if found is None:
        offered = ", ".join(unit.words for unit in units)
        before = (
            f"{ANALYTES[analyte].name} is not measured in “{text.strip()[:20]}”."
            if spelt
            else "A value without its unit says nothing."
        )
        raise Refusal("LAB-UNIT", f"{before} Choose {offered}.", "unit")
    return found


def analyte_named(text: str) -> Analyte:
    """Return the analyte of this code, name or LOINC code. Raises Refusal LAB-ANALYTE."""
    spelt = " ".join(text.casefold().replace("_", " ").split())
    for analyte, described in ANALYTES.items():
        names = {analyte.replace("_", " "), described.name.casefold(), *_loinc_codes(described.units)}
        if spelt in names:
            return analyte
    said = ", ".join(analyte.value for analyte in Analyte)
    raise Refusal("LAB-ANALYTE", f"This is none of the analytes: {said}.", "analyte")


def parse_amount(text: str) -> Amount:
    """Return the value that `text` writes, such as "210", "0.35" or "< 150". Raises Refusal LAB-VALUE."""
    mark, digits = _split(text)
    whole, rest = _digits(digits)
    millionths = int(whole) * MILLION + int(rest.ljust(MOST_PLACES, "0") or 0)
    return Amount(millionths, len(rest), Comparator(mark.replace("≤", "<=").replace("≥", ">=")))


def parse_bound(text: str) -> int:
    """Return the millionths of a bound of the laboratory's range. Raises Refusal LAB-VALUE."""
    amount = parse_amount(text)
    if amount.comparator:
        raise Refusal("LAB-VALUE", "A bound of the range is a number alone: leave the other bound empty.")
    return amount.millionths


def decimal(millionths: int, *, places: int = 0) -> str:
    """Return whole millionths as a decimal number, exactly, with at least `places` digits after the point."""
    whole, rest = divmod(millionths, MILLION)
    digits = f"{rest:06d}".rstrip("0").ljust(places, "0")
    return f"{whole}.{digits}" if digits else str(whole)


def range_words(low: int | None, high: int | None) -> str:
    """Return the laboratory's range as it is read: "180 to 914", "from 180", "up to 271"; empty where there is none."""
    if low is not None and high is not None:
        return f"{decimal(low)} to {decimal(high)}"
    if low is not None:
        return f"from {decimal(low)}"
    return f"up to {decimal(high)}" if high is not None else ""


def convert(millionths: int, *, analyte: Analyte, from_unit: str, to_unit: str) -> int:
    """Return an amount in another unit of the analyte, rounded half up to the nearest millionth.

    Raises Refusal LAB-NOT-CONVERTIBLE where one of the units cannot be converted.
    """
    if from_unit == to_unit:
        return millionths
    per, into = (unit_of(analyte, unit).per for unit in (from_unit, to_unit))
    if per is None or into is None:
        said = f"{ANALYTES[analyte].name} in {from_unit} is not converted to {to_unit}."
        raise Refusal("LAB-NOT-CONVERTIBLE", said, "unit")
    exact = millionths * per / into
    return (2 * exact.numerator + exact.denominator) // (2 * exact.denominator)


def is_convertible(analyte: Analyte, from_unit: str, to_unit: str) -> bool:
    """Tell whether amounts of one unit can be given in the other."""
    units = {unit.ucum: unit.per for unit in ANALYTES[analyte].units}
    return from_unit == to_unit or None not in {units.get(from_unit), units.get(to_unit)}


def against(amount: Amount, low: int | None, high: int | None) -> Against | None:
    """Return where a value lies against the laboratory's range; None where that cannot be told."""
    at_most = amount.comparator in {Comparator.EXACT, Comparator.BELOW, Comparator.AT_MOST}
    at_least = amount.comparator in {Comparator.EXACT, Comparator.ABOVE, Comparator.AT_LEAST}
    if low is not None and at_most and _is_under(amount, low):
        return Against.BELOW
    if high is not None and at_least and _is_over(amount, high):
        return Against.ABOVE
    known = amount.comparator is Comparator.EXACT and not (low is None and high is None)
    return Against.WITHIN if known else None


def _is_under(amount: Amount, bound: int) -> bool:
    return amount.millionths < bound or (amount.comparator is Comparator.BELOW and amount.millionths == bound)


def _is_over(amount: Amount, bound: int) -> bool:
    return amount.millionths > bound or (amount.comparator is Comparator.ABOVE and amount.millionths == bound)


def _split(text: str) -> tuple[str, str]:
    found = _COMPARED.fullmatch(text.strip())
    return (found[1] or "", found[2].strip()) if found else ("", text)


def _digits(text: str) -> tuple[str, str]:
    if "," in text:
        raise Refusal("LAB-VALUE", "Type a point for the decimals and no comma: 0.35, 1200.")
    found = _NUMBER.fullmatch(text)
    if found is None:
        said = "Type the number as the laboratory gives it, such as 210, 0.35 or < 150; at most 6 digits after the point."
        raise Refusal("LAB-VALUE", said)
    return found[1], found[2] or ""


def _spelt(unit: str) -> str:
    plain = unit.strip().casefold().replace("µ", "u").replace("μ", "u").replace(" ", "")
    return re.sub(r"^mcg\b", "ug", plain)


def _loinc_codes(units: Iterable[Unit]) -> set[str]:
    return {unit.loinc for unit in units if unit.loinc}
