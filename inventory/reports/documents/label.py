"""The label of an opened vial as PDF: until when it may be used, large, and its number as a barcode (Code 128).

Law kept here: nothing typed is dropped unseen. A name that does not fit ends in an ellipsis, and the page of the vial, to
which the barcode leads, has all of it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO

from reportlab.graphics.barcode.code128 import Code128
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm

from inventory.reports.documents.fonts import BOLD, REGULAR
from inventory.reports.documents.paper import Paper
from inventory.reports.documents.typeface import Typeface
from inventory.reports.documents.wrapping import wrapped

WIDTH, HEIGHT = 62 * mm, 29 * mm
_EDGE = 5.0
_BAR_HEIGHT = 16.0
_LOW_BAR_HEIGHT = 12.0
"""Where the label says for whom it is kept, over two lines."""
_WIDEST_BAR = 0.85
_QUIET_BARS = 10
"""How many bars' width a scanner needs blank on either side (ISO/IEC 15417)."""
_A4_EDGE = 15 * mm


@dataclass(frozen=True, slots=True)
class VialLabel:
    """What a label says, in words. `code` is that of the barcode; `kept` is empty for a vial that is for everybody."""

    product: str
    strength: str
    lot_number: str
    opened: str
    use_by: str
    number: str
    code: str
    kept: str
    is_demo: bool
    is_barred: bool = False
    """Past its use-by or on hold: it says so larger than anything else."""


def write_vial_label(out: BinaryIO, label: VialLabel, *, created_at: datetime, on_a4: bool = False) -> None:
    """Write the label to `out` (binary): a page of its own size, or with `on_a4` an A4 page to cut it from."""
    paper = Paper(out, A4 if on_a4 else (WIDTH, HEIGHT), created_at=created_at)
    paper.setTitle(f"Label of {label.number}, {label.code}")
    if on_a4:
        paper.translate(_A4_EDGE, A4[1] - _A4_EDGE - HEIGHT)
        paper.setLineWidth(0.3)
        paper.rect(0, 0, WIDTH, HEIGHT)
    _draw_texts(paper, label)
    _draw_barcode(paper, label)
    paper.showPage()
    paper.save()


def _draw_texts(paper: Paper, label: VialLabel) -> None:
    top = HEIGHT - _EDGE
    bold = Typeface(paper, BOLD, 7)
    for line in _lines(bold, label.product, most=1 if label.kept else 2, width=_room() - 24):
        top = _write(paper, bold, line, top)
    small = Typeface(paper, REGULAR, 6)
    for text in (f"{label.strength}   Lot {label.lot_number}", f"Opened {label.opened}   {label.number}"):
        top = _write(paper, small, _fitted(small, text), top)
    whose = Typeface(paper, BOLD, 6)
    for line in _lines(whose, label.kept, most=2, width=_room()):
        top = _write(paper, whose, line, top)
    _draw_use_by(paper, label)
    if label.is_demo:
        demo = Typeface(paper, BOLD, 7)
        _write(paper, demo, "DEMO", HEIGHT - _EDGE, left=WIDTH - _EDGE - demo.width("DEMO"))


def _draw_use_by(paper: Paper, label: VialLabel) -> None:
    large, small = Typeface(paper, BOLD, 13), Typeface(paper, REGULAR, 6)
    said = "DO NOT USE" if label.is_barred else f"USE BY {label.use_by}"
    top = _EDGE + _bar_height(label) + 8 + large.leading
    _write(paper, large, said, top)
    if label.is_barred:
        beside = _EDGE + large.width(said) + 6
        _write(paper, small, f"use by {label.use_by}", top - large.leading + small.leading, left=beside)


def _bar_height(label: VialLabel) -> float:
    return _LOW_BAR_HEIGHT if label.kept else _BAR_HEIGHT


def _draw_barcode(paper: Paper, label: VialLabel) -> None:
    code = label.code
    modules = Code128(code, barWidth=1, quiet=0).width
    bar = min(_WIDEST_BAR, WIDTH / (modules + 2 * _QUIET_BARS))
    bars = Code128(code, barWidth=bar, barHeight=_bar_height(label), quiet=0)
    bars.drawOn(paper, max(_EDGE, _QUIET_BARS * bar), _EDGE + 7)
    face = Typeface(paper, REGULAR, 6)
    _write(paper, face, code, _EDGE + face.leading)


def _lines(face: Typeface, text: str, *, most: int, width: float) -> Iterator[str]:
    lines = wrapped(face.printable(text), face, width)
    yield from lines[: most - 1]
    yield _fitted(face, " ".join(lines[most - 1 :]), width=width)


def _fitted(face: Typeface, text: str, *, width: float = 0.0) -> str:
    """The text in one line, with an ellipsis where it does not fit."""
    room, shown = width or _room(), face.printable(text)
    if face.width(shown) <= room:
        return shown
    while shown and face.width(f"{shown}…") > room:
        shown = shown[:-1]
    return f"{shown.rstrip()}…"


def _room() -> float:
    return WIDTH - 2 * _EDGE


def _write(paper: Paper, face: Typeface, line: str, top: float, *, left: float = _EDGE) -> float:
    """Write one printable line below `top` and return where it ends."""
    end = top - face.leading
    paper.addLiteral(
        f"BT {face.select} 1 0 0 1 {left:.2f} {end + face.size * 0.25:.2f} Tm {face.draw(line)} ET"
    )
    return end
