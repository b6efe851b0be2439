"""The engine of the administration report, given invented rows, against the floor of as many rows (bench.report_floor)."""

import io
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from bench.processes import measure, report_run
from inventory.kernel.numbering import written_number
from inventory.reports.documents.administration import write_administration_report
from inventory.reports.documents.administration_row import (
    AdministrationRow,
    Practitioner,
    Remark,
    ReportedSite,
    ReportHeader,
    Source,
    Standing,
)

SIZES = (20_000, 100_000)
_ZONE = ZoneInfo("Europe/London")
_START = datetime(2026, 1, 1, 8, 0, tzinfo=UTC)
_NAMES = ("Kowalska, Anna", "Brontë, Zoë", "Кузнецова, Наталья", "Παπαδόπουλος, Γιώργος", "Smith, John")
_PRODUCTS = (
    ("Cyanocobalamin", "Cyanocobalamin injection, 10 mL vial", "1,000 mcg/mL", 1_000_000),
    ("Hydroxocobalamin", "Hydroxocobalamin, 1 mL ampoule", "1,000 mcg/mL", 1_000_000),
    ("Methylcobalamin", "Mecobalamin ampoule", "500 mcg/mL", 500_000),
)
_PLACES = ("Left deltoid", "Right deltoid", "Left vastus lateralis", "Right vastus lateralis")
_GIVERS = tuple(Practitioner(f"Practitioner {number}", f"RN {10_000 + number}") for number in range(12))


def rows(count: int) -> Iterator[AdministrationRow]:
    """Invented rows: 3,000 patients, 40 lots; one in 50 void, one in 20 late, one in 9 from two containers."""
    for number in range(1, count + 1):
        formulation, product, strength, dose_ng = _PRODUCTS[number % 3]
        given_at = (_START + timedelta(minutes=number)).astimezone(_ZONE)
        patient = number * 7 % 3_000
        lot = number // 3 % 40
        is_void, is_late = number % 50 == 0, number % 20 == 0
        yield AdministrationRow(
            number=written_number("MAIN", number),
            site_code="MAIN",
            given_at=given_at,
            recorded_at=given_at,
            patient_name=f"{_NAMES[patient % 5]} {patient}",
            patient_record=f"R{patient:06}",
            patient_born_on=date(1950 + patient % 50, 1 + patient % 12, 1 + patient % 28),
            formulation=formulation,
            product=product,
            strength=strength,
            sources=tuple(
                Source(f"LOT{lot:03}", date(2027, 3, 31), f"{lot + extra}", date(2026, 12, 1), 1_000)
                for extra in range(2 if number % 9 == 0 else 1)
            ),
            dose_ng=dose_ng,
            volume_ul=1_000,
            injection_site=_PLACES[number % 4],
            route="IM",
            giver=_GIVERS[number % 12],
            indication="Pernicious anaemia" if patient % 2 else "Dietary deficiency (vegan)",
            consent="Consent seen",
            standing=Standing.VOID if is_void else Standing.GIVEN,
            marks=("VOID",) * is_void + ("LATE",) * is_late,
            remarks=(Remark("VOID", "Drawn, not given: the patient fainted. Piet Prescriber."),) * is_void
            + (Remark("LATE", "Recorded 2 h 10 min after it was given."),) * is_late,
        )


def header() -> ReportHeader:
    """The heading of the invented report."""
    return ReportHeader(
        number="MAIN-1",
        clinic_name="Bench Clinic",
        sites=(ReportedSite("MAIN", "Main Street", "Europe/London"),),
        first_day=date(2026, 1, 1),
        last_day=date(2026, 12, 31),
        filters=(("Practitioner", "all"),),
        generated_by="Bench",
        generated_as="auditor",
        generated_at=_START,
        chain_sequence=1,
        chain_hash="0" * 64,
    )


def ours(count: int, out: io.BytesIO) -> None:
    """Write the administration report."""
    write_administration_report(out, header(), rows(count))


def compare(sizes: Sequence[int] = SIZES) -> list[dict[str, Any]]:
    """Measure both at each size; the ratios are what the budget speaks of."""
    results = []
    for count in sizes:
        bare, full = (measure(what, str(count)) for what in ("bench.report_floor", "bench.report"))
        results.append(
            {
                "rows": count,
                "floor": bare,
                "ours": full,
                "time_ratio": full["seconds"] / bare["seconds"],
                "memory_ratio": full["megabytes"] / bare["megabytes"],
            }
        )
    return results


def main() -> None:
    """Print the comparison, or do the one run named on the command line."""
    if len(sys.argv) == 2:
        out, asked = io.BytesIO(), int(sys.argv[1])
        began = time.perf_counter()
        ours(asked, out)
        report_run(time.perf_counter() - began, asked, out)
        return
    for result in compare():
        count = result["rows"]
        for name in ("floor", "ours"):
            one = result[name]
            print(
                f"{count:>8,} rows {name:6} {count / one['seconds']:>8,.0f} rows/s {one['seconds']:>6.2f} s"
                f" {one['megabytes']:>5.0f} MB peak, file {one['bytes'] / 1e6:.1f} MB"
            )
        print(f"{count:>8,} rows ratio: time {result['time_ratio']:.2f}, memory {result['memory_ratio']:.2f}")


if __name__ == "__main__":
    main()
