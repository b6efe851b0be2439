"""The rows of a report as they are drawn: each goes to the CSV and into the manifest in passing (law 10)."""

import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, BinaryIO, TypeVar

from inventory.clinic.settings import current_settings
from inventory.kernel.permissions import Actor
from inventory.reports.documents.administration_csv import CsvWriter
from inventory.reports.heading import clinic_words
from inventory.reports.manifest import Manifest, ManifestWriter
from inventory.reports.queries import parameters as kept
from inventory.reports.queries.issued import IssuedReport

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
    ) -> None:
        salt = secrets.token_bytes(32)
        facts = _facts(report, columns, parameters, actor)
        self._csv = CsvWriter(csv, columns)
        self._manifest = ManifestWriter(facts, salt=salt, with_salt=tells_salt)
        self._closed: Manifest | None = None
        self.secret_salt = None if tells_salt else salt.hex()
        """The salt that only the clinic keeps."""

    def passing(self, rows: Iterable[Row], cells_of: Callable[[Row], Sequence[str]]) -> Iterator[Row]:
        """Yield the rows as they are, having written the cells of each."""
        write, add = self._csv.write, self._manifest.add
        for row in rows:
            cells = cells_of(row)
            write(cells)
            add(cells)
            yield row

    def manifest(self) -> Manifest:
        """The manifest of the rows that went by; the last of them has then been drawn."""
        if self._closed is None:
            self._closed = self._manifest.close()
        return self._closed


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
