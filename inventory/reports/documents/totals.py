"""The sums at the end of an administration report, kept while the rows go by."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

from inventory.reports.documents.administration_row import AdministrationRow, Standing


@dataclass(slots=True)
class Sum:
    """Entries and their amounts: those that stand, and apart from them those void or amended."""

    given: int = 0
    dose_ng: int = 0
    volume_ul: int = 0
    apart: int = 0
    apart_dose_ng: int = 0
    apart_volume_ul: int = 0

    def add(self, row: AdministrationRow) -> None:
        """Count one row."""
        if row.standing is Standing.GIVEN:
            self.given += 1
            self.dose_ng += row.dose_ng
            self.volume_ul += row.volume_ul
        else:
            self.apart += 1
            self.apart_dose_ng += row.dose_ng
            self.apart_volume_ul += row.volume_ul


@dataclass(slots=True)
class Totals:
    """Sums by formulation, injection site and practitioner, and over everything."""

    everything: Sum = field(default_factory=Sum)
    by_formulation: dict[str, Sum] = field(default_factory=dict)
    by_injection_site: dict[str, Sum] = field(default_factory=dict)
    by_practitioner: dict[str, Sum] = field(default_factory=dict)
    by_day: dict[date, int] = field(default_factory=dict)
    """Doses given by the day on which they were."""

    def add(self, row: AdministrationRow) -> None:
        """Count one row in each of the sums."""
        self.everything.add(row)
        if row.standing is Standing.GIVEN:
            given_on = row.given_at.date()
            self.by_day[given_on] = self.by_day.get(given_on, 0) + 1
        giver = f"{row.giver.name}, {row.giver.credential}" if row.giver.credential else row.giver.name
        for sums, key in (
            (self.by_formulation, row.formulation),
            (self.by_injection_site, row.injection_site),
            (self.by_practitioner, giver),
        ):
            found = sums.get(key)
            if found is None:
                found = sums[key] = Sum()
            found.add(row)

    def tables(self) -> Iterator[tuple[str, list[tuple[str, Sum]]]]:
        """Each table's heading and its lines in alphabetical order."""
        for heading, sums in (
            ("Formulation", self.by_formulation),
            ("Injection site", self.by_injection_site),
            ("Practitioner", self.by_practitioner),
        ):
            yield heading, sorted(sums.items())
