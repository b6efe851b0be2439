"""How a number that a site gives is written: one form on pages, in reports and in what the commands print."""


def written_number(site_code: str, number: int) -> str:
    """Return the number of a dose as it is written everywhere: `MAIN-000401`."""
    return f"{site_code}-{number:06d}"
