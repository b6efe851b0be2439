"""`make bench`: runs every benchmark, prints what it finds and writes it to docs/benchmarks.md.

    python -m bench [--quick] [report] [dose] [vial] [recall] [shelf] [due] [gate] [pages] [trail]

With parts named, or with --quick, it only prints. Each part is a module with `measured(ground)`, which returns its section.
The figures are ratios within one run on one machine, so that they can be compared with those of another.
"""

import argparse
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import import_module

from bench.figures import Section
from bench.ground import PROJECT, Ground, a_ground, machine, postgres_version

PARTS = {
    "report": "bench.administrations",
    "dose": "bench.doses",
    "vial": "bench.one_vial",
    "recall": "bench.recalls",
    "shelf": "bench.shelves",
    "due": "bench.due",
    "gate": "bench.gate",
    "pages": "bench.pages",
    "trail": "bench.trail",
}
DOCUMENT = PROJECT / "docs" / "benchmarks.md"
NOTES = PROJECT / "bench" / "notes.md"
"""What a person has found about the figures; it stands at the end of the document."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the parts that are asked for; where it was all of them, and in full, write the document."""
    parser = argparse.ArgumentParser(
        prog="bench", description="Measure the budgets, as ratios within one run."
    )
    parser.add_argument(
        "--quick", action="store_true", help="fewer doses and fewer rounds, in about two minutes"
    )
    parser.add_argument(
        "parts", nargs="*", choices=[[], *PARTS], help="only these parts", metavar="|".join(PARTS)
    )
    asked = parser.parse_args(arguments)
    with a_ground(quick=asked.quick) as ground:
        sections = [_run(ground, name) for name in asked.parts or PARTS]
        lines = [*_heading(ground), *_budgets(sections), *(line for one in sections for line in _shown(one))]
    print("\n".join(_budgets(sections)))
    if not asked.parts and not asked.quick:
        DOCUMENT.write_text("\n".join([*lines, "", NOTES.read_text(encoding="utf-8")]), encoding="utf-8")
        print(f"Written to {DOCUMENT.relative_to(PROJECT)}")


def _run(ground: Ground, name: str) -> Section:
    print(f"Measuring: {name} ...", flush=True)
    section: Section = import_module(PARTS[name]).measured(ground)
    print("\n".join(_shown(section)), flush=True)
    return section


def _heading(ground: Ground) -> list[str]:
    """Say what the figures are, and of which machine."""
    with ground.databases.empty("postgresql") as database:
        named = machine(postgres_version(database))
    return [
        "# Benchmarks",
        "",
        "Written by `make bench`. Ratios are what counts: each is taken within one run, against the floor named beside it.",
        "",
        f"{datetime.now(UTC):%Y-%m-%d}, {named}. PostgreSQL and SQLite both wait for the disk at every commit.",
    ]


def _budgets(sections: Sequence[Section]) -> list[str]:
    rows = [budget.row() for section in sections for budget in section.budgets]
    return ["", "## Budgets", "", "| Budget | Allowed | Measured | Met? |", "|---|---:|---:|---|", *rows]


def _shown(section: Section) -> list[str]:
    return ["", f"## {section.title}", "", *section.lines]


if __name__ == "__main__":
    main()
