"""The rows of a report as they are drawn: each goes to the CSV and into the manifest in passing (law 10)."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, BinaryIO, TypeVar

from inventory.clinic.settings import current_settings
from inventory.kernel.permissions import Actor
from inventory.reports import register
from inventory.reports.documents.administration_csv import CsvWriter
from inventory.reports.manifest import Manifest, ManifestWriter
from inventory.reports.progress import Progress, unwatched, watched
from inventory.reports.queries import parameters as kept
from inventory.reports.queries.issued import IssuedReport
from inventory.reports.signing.known import clinic_words

Row = TypeVar("Row")


class Recording:
    """Writes a report's CSV and its manifest while its rows go by. A pseudonymised one keeps its salt out of the manifest."""

    def __init__(
        self,
        report: IssuedReport,
        csv: BinaryIO,
        columns: Sequence[str],
        *,
        parameters: Mapping[str, Any],
        actor: Actor,
        tells_salt: bool = True,
        progress: Progress = unwatched,
    ) -> None:
        facts = _facts(report, columns, parameters, actor)
        self._csv = CsvWriter(csv, columns)
        self._manifest = ManifestWriter(facts, with_salt=tells_salt)
        self._closed: Manifest | None = None
        self._tells_salt = tells_salt
        self._progress, self._of = progress, report.row_count

    def passing(self, rows: Iterable[Row], cells_of: Callable[[Row], Sequence[str]]) -> Iterator[Row]:
        """Yield the rows as they are, having written the cells of each."""
        write, add = self._csv.write, self._manifest.add
        for row in watched(rows, self._of, self._progress):
            cells = cells_of(row)
            write(cells)
            add(cells)
            yield row

    def take(self, rows: Iterable[Sequence[str]]) -> None:
        """Write rows that are cells already, of a report whose paper shows them otherwise."""
        for _ in self.passing(rows, lambda cells: cells):
            pass

    def manifest(self) -> Manifest:
        """The manifest of the rows that went by; the last of them has then been drawn."""
        if self._closed is None:
            self._closed = self._manifest.close()
        return self._closed

    def seal(self) -> str:
        """The SHA-256 of the manifest, for the paper itself."""
        return self.manifest().sha256

    def store(
        self, report: IssuedReport, pdf: BinaryIO, csv: BinaryIO, *, actor: Actor, at: datetime
    ) -> None:
        """Store both files with the manifest; where it keeps its salt to itself, the clinic keeps it."""
        register.store_files(
            report,
            {"pdf": pdf, "csv": csv},
            manifest=self.manifest(),
            secret_salt=None if self._tells_salt else self.manifest().salt.hex(),
            actor=actor,
            at=at,
        )


def _facts(
    report: IssuedReport, columns: Sequence[str], parameters: Mapping[str, Any], actor: Actor
) -> dict[str, Any]:
    return {
        "format": parameters["format"],
        "report": report.label,
        "clinic": clinic_words(),
        "kind": report.kind.value,
        "parameters_sha256": kept.digest_of(parameters),
        "period": [report.period_from.isoformat(), report.period_to.isoformat()],
        "filters": [list(pair) for pair in report.filters],
        "issued_at": report.issued_at.isoformat(),
        "issued_by": actor.name,
        "columns": list(columns),
        "head_seq": report.head_seq,
        "head_hash": report.head_hash,
        "demo": current_settings().is_demo,
    }
