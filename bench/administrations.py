"""The administration report: the engine alone, and from query to file, against bare ReportLab column text."""

from bench import report_issued
from bench.figures import Section, at_most
from bench.ground import Ground
from bench.report import SIZES, compare

TITLE = "Administration report"
EXPLAINED = """
The floor is bare ReportLab writing the same number of rows as column text, one line a row. Budget: twice its time, twice its
memory, and time linear in rows. *Engine* writes invented rows; *query to file* is every dose of a clinic's database.
"""


def measured(ground: Ground) -> Section:
    """Measure the engine at each size, and whole reports."""
    section = Section(
        TITLE,
        [
            *EXPLAINED.strip().splitlines(),
            "",
            "| What | Rows | Floor | Ours | Time, ours to floor | Memory, ours to floor |",
            "|---|---:|---:|---:|---:|---:|",
        ],
    )
    engine = compare((5_000, 20_000) if ground.quick else SIZES)
    for one in engine:
        _add(section, "Engine", one["floor"], one["ours"])
    slower = (engine[-1]["ours"]["seconds"] / engine[-1]["rows"]) / (
        engine[0]["ours"]["seconds"] / engine[0]["rows"]
    )
    section.budgets.append(at_most("Report: time of a row in a long one to a short one", 1.2, slower))
    for doses in (2_000, 10_000) if ground.quick else (10_000, 100_000):
        ours, floor = report_issued.compare(ground.clinic(doses).url)
        _add(section, "Query to file", floor, ours)
        if doses == 10_000:
            section.budgets.append(at_most("Report of 10,000 doses, query to file", 1, ours["seconds"], " s"))
    return section


def _add(section: Section, what: str, floor: dict[str, float], ours: dict[str, float]) -> None:
    rows = int(ours["rows"])
    seconds, memory = ours["seconds"] / floor["seconds"], ours["megabytes"] / floor["megabytes"]
    bare, full = (f"{one['seconds']:.2f} s, {one['megabytes']:.0f} MB" for one in (floor, ours))
    section.lines.append(f"| {what} | {rows:,} | {bare} | {full} | {seconds:.2f} | {memory:.2f} |")
    if rows >= 90_000:
        section.budgets.append(
            at_most(f"Report of {rows:,} rows, {what.lower()}: time to the floor", 2, seconds)
        )
        section.budgets.append(
            at_most(f"Report of {rows:,} rows, {what.lower()}: memory to the floor", 2, memory)
        )
