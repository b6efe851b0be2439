"""`make bench`: runs every benchmark, prints what it finds and writes it to docs/benchmarks.md.

Each part is a module with `TITLE` and `measured() -> list[str]`, the lines of its section in Markdown. The figures are
ratios within one run on one machine, so that they can be compared with those of another.
"""

import os
import platform
import sys
from datetime import UTC, datetime
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

PARTS = ("administrations", "doses", "lists")
DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "benchmarks.md"


def heading() -> list[str]:
    """Say what the figures are, and of which machine."""
    return [
        "# Benchmarks",
        "",
        "Written by `make bench`. Ratios are what counts: each is taken within one run, against the floor named beside it.",
        "",
        f"{datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()} on {platform.system()}, {os.cpu_count()} cores.",
    ]


def section(name: str) -> list[str]:
    """Run one part, and show its lines as they will stand in the document."""
    part = import_module(f"bench.{name}")
    lines = ["", f"## {part.TITLE}", "", *part.measured()]
    print("\n".join(lines), flush=True)
    return lines


def main(chosen: list[str]) -> None:
    """Run all parts and write the document; or run the parts named on the command line, and only print."""
    present = [name for name in PARTS if find_spec(f"bench.{name}")]
    lines = [line for name in chosen or present for line in section(name)]
    if not chosen:
        DOCUMENT.write_text("\n".join([*heading(), *lines]) + "\n", encoding="utf-8")
        print(f"\nWritten to {DOCUMENT.relative_to(Path.cwd())}")


if __name__ == "__main__":
    main(sys.argv[1:])
