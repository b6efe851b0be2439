"""The cells of the administration report: what its CSV holds, what its manifest is made of, and what is compared with the record.

`FORMAT` is a promise of what the cells say: whoever changes a word of them gives it the next number and keeps this one readable.
The file is UTF-8 with a byte order mark: without it Excel reads the file in the machine's old code page and
spoils every name beyond ASCII; programs read it as `utf-8-sig`. Lines end in CRLF (RFC 4180).
A cell that a spreadsheet would take for a formula gets a leading apostrophe, which is part of the cell wherever it is hashed. Amounts stand twice:
as the exact whole number that is stored, and as mcg or mL.
"""

import codecs
import csv
import io
from collections.abc import Callable, Sequence
from datetime import UTC, date
from typing import BinaryIO

from inventory.kernel.quantity import format_mcg, format_ml
from inventory.reports.documents.administration_row import AdministrationRow, Source
from inventory.web.spreadsheets import safe_cell

FORMAT = "administrations/1"
_BETWEEN = "; "


def _each(sources: tuple[Source, ...], said: Callable[[Source], str]) -> str:
    return _BETWEEN.join(said(source) for source in sources)


def _day(day: date | None) -> str:
    return day.isoformat() if day else ""


FIELDS: tuple[tuple[str, Callable[[AdministrationRow], str]], ...] = (
    ("number", lambda row: row.number),
    ("site", lambda row: row.site_code),
    ("given_at", lambda row: row.given_at.isoformat(timespec="seconds")),
    ("given_at_utc", lambda row: row.given_at.astimezone(UTC).isoformat(timespec="seconds")),
    ("recorded_at", lambda row: row.recorded_at.isoformat(timespec="seconds")),
    ("recorded_at_utc", lambda row: row.recorded_at.astimezone(UTC).isoformat(timespec="seconds")),
    ("patient_name", lambda row: row.patient_name),
    ("patient_record", lambda row: row.patient_record),
    ("patient_born_on", lambda row: _day(row.patient_born_on)),
    ("formulation", lambda row: row.formulation),
    ("product", lambda row: row.product),
    ("strength", lambda row: row.strength),
    ("lots", lambda row: _each(row.sources, lambda source: source.lot_number)),
    ("lots_expire_on", lambda row: _each(row.sources, lambda source: source.expires_on.isoformat())),
    ("vials", lambda row: _each(row.sources, lambda source: source.vial)),
    ("vials_use_by", lambda row: _each(row.sources, lambda source: _day(source.use_by))),
    ("drawn_ul", lambda row: _each(row.sources, lambda source: str(source.volume_ul))),
    ("dose_ng", lambda row: str(row.dose_ng)),
    ("dose_mcg", lambda row: format_mcg(row.dose_ng).replace(",", "")),
    ("volume_ul", lambda row: str(row.volume_ul)),
    ("volume_ml", lambda row: format_ml(row.volume_ul)),
    ("injection_site", lambda row: row.injection_site),
    ("route", lambda row: row.route),
    ("giver", lambda row: row.giver.name),
    ("giver_credential", lambda row: row.giver.credential),
    ("indication", lambda row: row.indication),
    ("consent", lambda row: row.consent),
    ("standing", lambda row: row.standing.value),
    ("marks", lambda row: _BETWEEN.join(row.marks)),
    ("remarks", lambda row: _BETWEEN.join(f"{remark.label}: {remark.text}" for remark in row.remarks)),
)


PSEUDONYMISED_FIELDS: tuple[tuple[str, Callable[[AdministrationRow], str]], ...] = tuple(
    {
        "number": ("dose", lambda row: row.number),
        "patient_name": ("patient", lambda row: row.patient_name),
        "patient_born_on": ("patient_age", lambda row: row.patient_age),
    }.get(name, (name, said))
    for name, said in FIELDS
    if name not in {"patient_record", "giver_credential", "indication", "remarks"}
)
"""What a pseudonymised report tells: nothing that names somebody."""
COLUMNS = tuple(name for name, _ in FIELDS)
PSEUDONYMISED_COLUMNS = tuple(name for name, _ in PSEUDONYMISED_FIELDS)
_SAID = tuple(said for _, said in FIELDS)
_SAID_OF_NOBODY = tuple(said for _, said in PSEUDONYMISED_FIELDS)


def cells_of(row: AdministrationRow) -> tuple[str, ...]:
    """The cells of one row, as the CSV holds them; the first is the number of the dose."""
    return tuple([safe_cell(said(row)) for said in _SAID])


def pseudonymised_cells_of(row: AdministrationRow) -> tuple[str, ...]:
    """The cells of one row of a pseudonymised report; the first is the pseudonym of the dose."""
    return tuple([safe_cell(said(row)) for said in _SAID_OF_NOBODY])


class CsvWriter:
    """Writes the heading at once, then each row as it is told, to `out` (binary), which stays open."""

    def __init__(self, out: BinaryIO, columns: Sequence[str] = COLUMNS) -> None:
        self._out = out
        self._out.write(codecs.BOM_UTF8)
        self._line = io.StringIO(newline="")
        self._writer = csv.writer(self._line, lineterminator="\r\n")
        self.write(columns)

    def write(self, cells: Sequence[str]) -> None:
        """Write one row."""
        self._writer.writerow(cells)
        self._out.write(self._line.getvalue().encode())
        self._line.seek(0)
        self._line.truncate()
