"""The administration report's section of docs/benchmarks.md: ours against bare ReportLab column text."""

from bench.report import compare

TITLE = "Administration report, rows to file"


def measured() -> list[str]:
    """Measure at each size; return a table."""
    lines = [
        "The floor is bare ReportLab writing the same rows as column text, one line a row. Budget: twice its time, twice its memory.",
        "",
        "| Rows | Floor | Ours | Time, ours to floor | Memory, ours to floor |",
        "|---:|---:|---:|---:|---:|",
    ]
    for one in compare():
        bare, ours = one["floor"], one["ours"]
        lines.append(
            f"| {one['rows']:,} | {one['rows'] / bare['seconds']:,.0f} rows/s, {bare['megabytes']:.0f} MB "
            f"| {one['rows'] / ours['seconds']:,.0f} rows/s, {ours['megabytes']:.0f} MB "
            f"| {one['time_ratio']:.2f} | {one['memory_ratio']:.2f} |"
        )
    return lines
