"""A table as a file that a spreadsheet opens: UTF-8 with a byte order mark, CRLF, and no cell that would run as a formula."""

import codecs
import csv
import io
import re
from collections.abc import Iterable, Sequence

from flask import Response

_FORMULA_BEGINS = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")  # the last four are the full-width signs
_NUMBER = re.compile(r"-\d+(?:\.\d+)?", re.ASCII)
_PHONE = re.compile(r"\+\d[\d ()-]{5,}", re.ASCII)


def safe_cell(text: str) -> str:
    """`text`, with an apostrophe before it when a spreadsheet would run it as a formula; a number and a telephone number stay as they are."""
    is_safe = not text.startswith(_FORMULA_BEGINS) or _NUMBER.fullmatch(text) or _is_phone(text)
    return text if is_safe else f"'{text}"


def _is_phone(text: str) -> bool:
    """Tell whether it is a telephone number that no spreadsheet would reckon with: hyphens alone would be minus signs."""
    return bool(_PHONE.fullmatch(text)) and ("-" not in text or bool(re.search(r"[\d)] [\d(]", text)))


def csv_answer(name: str, heading: Sequence[str], rows: Iterable[Sequence[str]]) -> Response:
    """Return a CSV file of the rows under their heading, to be saved as `name`."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(heading)
    writer.writerows([safe_cell(cell) for cell in row] for row in rows)
    content = codecs.BOM_UTF8 + text.getvalue().encode()
    answer = Response(content, content_type="text/csv; charset=utf-8")
    answer.headers.set("Content-Disposition", "attachment", filename=name)
    return answer
