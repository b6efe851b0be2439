"""Accessibility: axe-core on the page as the browser shows it; what it finds is told in words a developer can act on."""

from functools import cache
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

AXE_FOLDER = Path(__file__).parents[1] / "vendor" / "axe-core"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@cache
def _source() -> str:
    return (AXE_FOLDER / "axe.min.js").read_text(encoding="utf-8")


def assert_accessible(page: Page) -> None:
    """Fail with every violation on the present page: the rule, the element and why."""
    page.evaluate(_source())
    result: dict[str, Any] = page.evaluate(
        "rules => axe.run(document, {runOnly: {type: 'tag', values: rules}, resultTypes: ['violations']})",
        RULES,
    )
    told = [told for violation in result["violations"] for told in _told(violation)]
    assert not told, f"{page.url} has {len(told)} accessibility violations:\n" + "\n".join(told)


def _told(violation: dict[str, Any]) -> list[str]:
    return [
        f"- {violation['id']} ({violation['impact']}): {violation['help']}\n  {node['html'][:200]}\n"
        f"  {' '.join(str(node.get('failureSummary', '')).split())}"
        for node in violation["nodes"]
    ]
