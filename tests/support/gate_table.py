"""Writes down every finding of the gate for its users, as the registry has them: `python -m tests.support.gate_table`."""

from pathlib import Path

from inventory.doses.presenters.gate import TIER_WORDS
from inventory.doses.rules.gate.registry import SUBJECTS
from inventory.doses.rules.gate.rule import Rule

PLACE = Path(__file__).parents[2] / "docs" / "gate.md"
HEAD = "| Code | What is found | Default | Source | May be set |\n|---|---|---|---|---|\n"


def section() -> str:
    """Return the headings and tables of the findings, subject by subject."""
    return "\n".join(
        f"### {subject}\n\n{HEAD}{''.join(map(_line, rules))}" for subject, rules in SUBJECTS.items()
    )


def _line(rule: Rule) -> str:
    may_be_set = "no" if rule.is_fixed else "yes"
    return f"| {rule.code} | {rule.words} | {TIER_WORDS[rule.tier]} | {rule.source} | {may_be_set} |\n"


def main() -> None:
    """Write the tables anew; what stands before the first of them stays."""
    before = PLACE.read_text(encoding="utf-8").partition("### ")[0]
    PLACE.write_text(before + section(), encoding="utf-8")


if __name__ == "__main__":
    main()
