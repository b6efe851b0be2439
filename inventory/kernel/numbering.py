"""How numbers that a site gives are written: one form on pages, on labels, in reports and in what the commands print."""

import re

_VIAL = re.compile(r"([A-Z0-9-]{1,12})-V0*([1-9][0-9]{0,8})", re.ASCII)


def written_number(site_code: str, number: int) -> str:
    """Return the number of a dose as it is written everywhere: `MAIN-000401`."""
    return f"{site_code}-{number:06d}"


def vial_code(site_code: str, label_number: int) -> str:
    """Return what the barcode on a vial's label says: `MAIN-V000012`, for vial 12 of the site that opened it."""
    return f"{site_code}-V{label_number:06d}"


def read_vial_code(text: str) -> tuple[str, int] | None:
    """Return the site's code, in capitals, and the label number that a barcode says; None where it is no vial's."""
    found = _VIAL.fullmatch(text.strip().upper())
    return (found[1], int(found[2])) if found else None
