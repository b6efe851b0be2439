"""The floor of a report: bare ReportLab writing rows as column text. It imports nothing of ours.

One line a row with ReportLab's text objects, one a column and page, in a built-in font, and nothing else: no wrapping, no
heads, no marks, no totals.
"""

import io
import sys
import time

from reportlab.pdfgen.canvas import Canvas

from bench.processes import report_run

_LINES_A_PAGE = 59
_NAMES = ("Kowalska, Anna", "Smith, John")
_PRODUCTS = (
    "Cyanocobalamin injection, 10 mL vial",
    "Hydroxocobalamin, 1 mL ampoule",
    "Mecobalamin ampoule",
)
_PLACES = ("Left deltoid", "Right deltoid", "Left vastus lateralis", "Right vastus lateralis")


def floor(count: int, out: io.BytesIO) -> None:
    """Write as many rows of twelve columns as bare column text: a text object a column and page, one line a row."""
    canvas = Canvas(out, pagesize=(842, 595), invariant=1)
    page: list[tuple[str, ...]] = []
    for number in range(1, count + 1):
        page.append(_plain_cells(number))
        if len(page) == _LINES_A_PAGE or number == count:
            canvas.setFont("Helvetica", 7)
            for column in range(12):
                text = canvas.beginText(30 + 65 * column, 560)
                text.setLeading(9)
                for cells in page:
                    text.textLine(cells[column])
                canvas.drawText(text)
            canvas.showPage()
            page.clear()
    canvas.save()


def _plain_cells(number: int) -> tuple[str, ...]:
    """Return twelve cells with about the text of the report's first lines, made as cheaply as may be."""
    patient = number * 7 % 3_000
    return (
        str(number),
        "2026-01-01 09:30",
        f"{_NAMES[number % 2]} {patient}",
        f"R{patient:06} 1980-03-04",
        _PRODUCTS[number % 3],
        f"LOT{number // 3 % 40:03} 2027-03-31",
        "1,000 mcg",
        "1 mL",
        _PLACES[number % 4],
        "Practitioner 3, RN 10003",
        "Pernicious anaemia",
        "VOID" if number % 50 == 0 else "",
    )


def main() -> None:
    """Write as many rows as the command line says, and print what it took."""
    out, count = io.BytesIO(), int(sys.argv[1])
    began = time.perf_counter()
    floor(count, out)
    report_run(time.perf_counter() - began, count, out)


if __name__ == "__main__":
    main()
