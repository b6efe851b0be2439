"""Templates keep the page's laws: nothing inline, every page in a layout, and what was vendored is what was published."""

import hashlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
PARTS = ("layout", "components")
SAFE_ALLOWED: set[str] = set()
"""Templates that may say `|safe`, each with its reason beside it. None needs to."""
VENDORED = sorted(path.parent for path in (ROOT / "static" / "vendor").rglob("SHA256SUMS"))
CONTENT_OF_A_PAGE = re.compile(r"{%-?\s*extends\s+[^%]*\"(layout|errors)/")
MACRO_FILE = re.compile(r"{%-?\s*macro\s")
WHOLE_DOCUMENT = {"errors/500.html"}
"""Pages that stand alone, because what the layout needs may be what broke."""
NO_PAGE = {"errors/typed.html"}
"""Pieces that pages include."""

INLINE = {
    "an inline style": re.compile(r"<[^>]*\sstyle\s*=", re.IGNORECASE),
    "a style element": re.compile(r"<style\b", re.IGNORECASE),
    "an inline script": re.compile(r"<script(?![^>]*\ssrc=)", re.IGNORECASE),
    "an inline handler": re.compile(r"<[^>{]*\son[a-z]+\s*=", re.IGNORECASE),
    "a script address": re.compile(r"=\s*[\"']?\s*javascript:", re.IGNORECASE),
    "a foreign address": re.compile(r"(src|href|action)\s*=\s*[\"'](https?:)?//", re.IGNORECASE),
}


def named(path: Path) -> str:
    return path.relative_to(ROOT / "templates").as_posix()


def inline_in(text: str) -> list[str]:
    return [what for what, pattern in INLINE.items() if pattern.search(text)]


@pytest.mark.parametrize("path", TEMPLATES, ids=named)
def test_template_has_nothing_inline(path: Path) -> None:
    assert inline_in(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "text",
    [
        '<p style="color: red">',
        "<style>p {}</style>",
        "<script>alert(1)</script>",
        '<a class="x" onclick="go()">',
        '<a href="javascript:go()">',
        '<script src="https://cdn.example/x.js"></script>',
    ],
)
def test_inline_would_be_seen(text: str) -> None:
    assert inline_in(text)


@pytest.mark.parametrize("path", TEMPLATES, ids=named)
def test_template_escapes_everything(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    unescaped = re.search(r"\|\s*safe\b|autoescape\s+false", text)
    assert named(path) in SAFE_ALLOWED or not unescaped


def test_every_page_extends_a_layout() -> None:
    homeless = [
        named(path)
        for path in TEMPLATES
        if path.relative_to(ROOT / "templates").parts[0] not in PARTS
        and named(path) not in WHOLE_DOCUMENT | NO_PAGE
        and not CONTENT_OF_A_PAGE.search(text := path.read_text(encoding="utf-8"))
        and not MACRO_FILE.search(text)
        and not path.name.startswith("_")
    ]
    assert homeless == []


def test_every_page_has_a_title() -> None:
    untitled = [
        named(path)
        for path in TEMPLATES
        if '"layout/' in (text := path.read_text(encoding="utf-8"))
        and CONTENT_OF_A_PAGE.search(text)
        and path.relative_to(ROOT / "templates").parts[0] not in PARTS
        and "{% block title %}" not in text
    ]
    assert untitled == []


def test_components_read_nothing() -> None:
    """A component is given what it shows: no query, no session, no service."""
    asking = re.compile(r"\b(db|session|queries|services)\.")
    found = [
        named(p)
        for p in (ROOT / "templates" / "components").glob("*.html")
        if asking.search(p.read_text("utf-8"))
    ]
    assert found == []


def test_something_is_vendored() -> None:
    assert {"tabler", "tabler-icons"} <= {folder.name for folder in VENDORED}


@pytest.mark.parametrize("folder", VENDORED, ids=lambda folder: folder.name)
def test_vendored_files_are_as_published(folder: Path) -> None:
    lines = (folder / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    listed = {name.lstrip("*"): digest for digest, name in (line.split(maxsplit=1) for line in lines)}
    present = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()} - {"SHA256SUMS"}
    assert {"VERSION", "LICENSE"} <= {name.partition(".")[0] for name in present}
    assert present - {"VERSION"} <= set(listed) | {"VERSION"}
    assert {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in listed} == listed


def test_style_sheets_load_nothing_from_elsewhere() -> None:
    sheets = list((ROOT / "static").rglob("*.css"))
    assert sheets
    for sheet in sheets:
        text = sheet.read_text(encoding="utf-8")
        assert "@import" not in text, sheet.name
        assert not re.search(r"url\(\s*[\"']?(https?:)?//", text), sheet.name


def test_every_icon_named_is_in_the_sprite() -> None:
    sprite = (ROOT / "static/vendor/tabler-icons/sprite.svg").read_text(encoding="utf-8")
    there = set(re.findall(r'<symbol id="([^"]+)"', sprite))
    naming = re.compile(r"(?:\bicon\(|icon_name=)\"([a-z0-9-]+)\"")
    templates = {name for path in TEMPLATES for name in naming.findall(path.read_text(encoding="utf-8"))}
    menu = re.findall(
        r'Entry\("[^"]+", "[^"]+", "([^"]+)"', (ROOT / "inventory/web/navigation.py").read_text("utf-8")
    )
    assert menu
    assert (templates | set(menu)) - there == set()


def test_every_code_of_the_web_room_is_explained() -> None:
    explained = set(
        re.findall(r"^\| ([A-Z][A-Z-]+) \|", (ROOT / "docs/refusals.md").read_text("utf-8"), re.MULTILINE)
    )
    source = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "inventory/web").glob("*.py"))
    used = set(re.findall(r'"([A-Z]+(?:-[A-Z]+)+)"', source)) - {"X-FRAME"}
    assert used
    assert used - explained == set()
