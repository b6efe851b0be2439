"""The administration report from query to file, on the database whose address is given: every site, every day.

    python -m bench.report_issued sqlite:////path/to/clinic.sqlite3

prints it beside the floor of the same number of rows (bench.report_floor).
"""

import io
import sys
import time
from datetime import date

from bench.processes import measure, report_run
from bench.report import header
from config import load_config
from inventory.app import create_app
from inventory.kernel.clock import now
from inventory.reports.documents.administration import write_administration_report
from inventory.reports.queries.administrations import administration_rows
from inventory.reports.queries.requests import Asked, made_definite
from inventory.reports.queries.selection import take_snapshot
from inventory.server import keep_what_is_made


def issue(url: str, out: io.BytesIO) -> tuple[int, float]:
    """Write the report of everything in the database at `url`; return how many doses it shows, and the seconds it took."""
    app = create_app(load_config({"DATABASE_URL": url, "SECRET_KEY": "for a benchmark only"}))
    keep_what_is_made()
    with app.app_context():
        began = time.perf_counter()
        at = now()
        definite = made_definite(Asked(date(1900, 1, 1), at.date()), at=at)
        snapshot = take_snapshot(definite.selection)
        write_administration_report(out, header(), administration_rows(snapshot))
        return snapshot.row_count, time.perf_counter() - began


def compare(url: str) -> tuple[dict[str, float], dict[str, float]]:
    """Measure the database's report and the floor of as many rows, each in a process of its own."""
    ours = measure("bench.report_issued", "run", url)
    return ours, measure("bench.report_floor", str(ours["rows"]))


def main() -> None:
    """Print the comparison, or do the run itself."""
    if sys.argv[1] == "run":
        out = io.BytesIO()
        count, seconds = issue(sys.argv[2], out)
        report_run(seconds, count, out)
        return
    ours, floor = compare(sys.argv[1])
    print(f"{ours['rows']:,} doses, query to file: {ours['seconds']:.2f} s, {ours['megabytes']:.0f} MB peak")
    print(f"the floor of as many rows: {floor['seconds']:.2f} s, {floor['megabytes']:.0f} MB peak")
    time_ratio = ours["seconds"] / floor["seconds"]
    print(f"ratio: time {time_ratio:.2f}, memory {ours['megabytes'] / floor['megabytes']:.2f}")


if __name__ == "__main__":
    main()
