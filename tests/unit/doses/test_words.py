"""The words of the doses room: every code is explained in the docs."""

import re
from pathlib import Path

from inventory.doses.rules.gate.registry import REGISTRY

ROOT = Path(__file__).resolve().parents[3]
CODE = re.compile(r'"([A-Z]+(?:-[A-Z]+)+|OVERFILL|DORSOGLUTEAL)"')


def codes() -> set[str]:
    sources = (path.read_text("utf-8") for path in (ROOT / "inventory/doses").rglob("*.py"))
    return {code for source in sources for code in CODE.findall(source)}


def explained() -> set[str]:
    text = (ROOT / "docs/refusals.md").read_text("utf-8")
    return set(re.findall(r"^\| ([A-Z][A-Z-]+) \|", text, re.MULTILINE))


def test_every_code_of_the_room_is_explained() -> None:
    assert len(codes()) > 60
    assert codes() - explained() == set()


def test_every_finding_of_the_gate_is_explained() -> None:
    assert set(REGISTRY) - explained() == set()
