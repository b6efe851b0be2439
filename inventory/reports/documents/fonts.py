"""The fonts that every document embeds: DejaVu, vendored with its licence under static/vendor/fonts."""

from functools import cache
from pathlib import Path

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

REGULAR = "DejaVuSansCondensed"
BOLD = "DejaVuSansCondensed-Bold"

_FOLDER = Path(__file__).resolve().parents[3] / "static" / "vendor" / "fonts" / "dejavu"


@cache
def embedded_font(name: str) -> TTFont:
    """The vendored font, read once a process and known to ReportLab under `name`."""
    font = TTFont(name, str(_FOLDER / f"{name}.ttf"), asciiReadable=True)
    pdfmetrics.registerFont(font)
    return font
