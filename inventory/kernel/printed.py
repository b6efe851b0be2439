"""Numbers as they are printed on a label or a card: two ways of typing one are one. Pure."""

import unicodedata

# Hyphens, dashes and the minus sign, which look alike and are typed for one another.
_DASHES = dict.fromkeys([*range(0x2010, 0x2016), 0x2212], "-")


def as_printed(text: str) -> str:
    """Return a printed number without white space and invisible characters (Unicode category Cf), every dash a hyphen."""
    plain = unicodedata.normalize("NFKC", text).translate(_DASHES)
    return "".join(c for c in plain if not c.isspace() and unicodedata.category(c) != "Cf")
