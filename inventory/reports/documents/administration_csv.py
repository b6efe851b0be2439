"""The rows of the administration report as CSV, for a spreadsheet or a program.

UTF-8 with a byte order mark: without it Excel reads the file in the machine's old code page and
spoils every name beyond ASCII; programs read it as `utf-8-sig`. Lines end in CRLF (RFC 4180).
A cell that a spreadsheet would take for a formula gets a leading apostrophe. Amounts stand twice:
as the exact whole number that is stored, and as mcg or mL.
"""

import codecs
import csv
import io
from collections.abc import Callable
from datetime import UTC, date
from typing import BinaryIO

from inventory.kernel.quantity import format_mcg, format_ml
from inventory.reports.documents.administration_row import AdministrationRow, Source
from inventory.web.spreadsheets import safe_cell

_BETWEEN = "; "


def _each(sources: tuple[Source, ...], said: Callable[[Source], str]) -> str:
    return _BETWEEN.join(said(source) for source in sources)


def _day(day: date | None) -> str:
    return day.isoformat() if day else ""


FIELDS: tuple[tuple[str, Callable[[AdministrationRow], str]], ...] = (
    ("site", lambda row: row.site_code),
    ("number", lambda row: row.number),
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


class CsvWriter:
    """Writes the heading at once, then each row as it is told, to `out` (binary), which stays open."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._out.write(codecs.BOM_UTF8)
        self._line = io.StringIO(newline="")
        self._writer = csv.writer(self._line, lineterminator="\r\n")
        self._cells([name for name, _ in FIELDS])

    def write(self, row: AdministrationRow) -> None:
        """Write one row."""
        self._cells([safe_cell(said(row)) for _, said in FIELDS])

    def _cells(self, cells: list[str]) -> None:
        self._writer.writerow(cells)
        self._out.write(self._line.getvalue().encode())
        self._line.seek(0)
        self._line.truncate()
