"""What stands in the sign-off block of a report where somebody signed: meaning, name, time and note, in any alphabet."""

from collections.abc import Sequence
from datetime import datetime
from typing import BinaryIO

from inventory.reports.documents.fonts import REGULAR
from inventory.reports.documents.paper import Paper
from inventory.reports.documents.typeface import Typeface
from inventory.reports.documents.wrapping import wrapped

_SIZE, _EDGE = 6.5, 2.0


def write_signature_stamp(
    out: BinaryIO, size: tuple[float, float], lines: Sequence[str], *, created_at: datetime
) -> None:
    """Write a page of this size (points) with the lines from its top, as many as it holds; the last ends in an ellipsis."""
    width, height = size
    paper = Paper(out, size, created_at=created_at)
    face = Typeface(paper, REGULAR, _SIZE)
    rows = [row for line in lines for row in wrapped(face.printable(line), face, width - 2 * _EDGE)]
    most = int((height - _EDGE) // face.leading)
    shown = rows[:most] if len(rows) <= most else [*rows[: most - 1], f"{rows[most - 1]}…"]
    top = height - _EDGE
    for row in shown:
        top -= face.leading
        paper.addLiteral(
            f"BT {face.select} 1 0 0 1 {_EDGE:.2f} {top + _SIZE * 0.25:.2f} Tm {face.draw(row)} ET"
        )
    paper.showPage()
    paper.save()
