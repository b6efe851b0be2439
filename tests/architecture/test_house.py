"""The house keeps its own rules: one clock, one commit, small files, locked requirements, docs that name what exists."""

import ast
import hashlib
import re
import statistics
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted([*(ROOT / "inventory").rglob("*.py"), ROOT / "config.py", ROOT / "wsgi.py"])
MOST_LINES_OF_A_FILE = 400
MOST_LINES_OF_A_FUNCTION = 40
USUAL_LINES_OF_A_FUNCTION = 8


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node


def calls(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_module_says_what_lives_in_it(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))


def test_no_file_outgrows_a_person() -> None:
    lengths = {relative(path): len(path.read_text(encoding="utf-8").splitlines()) for path in MODULES}
    assert {path: lines for path, lines in lengths.items() if lines > MOST_LINES_OF_A_FILE} == {}


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return how many lines a function works: without its signature and its docstring."""
    steps = function.body[1:] if ast.get_docstring(function) is not None else function.body
    return (function.end_lineno or 0) - steps[0].lineno + 1 if steps else 0


def test_no_function_outgrows_a_screen() -> None:
    lengths = {
        f"{relative(path)}:{function.lineno} {function.name}": body_lines(function)
        for path in MODULES
        for function in functions(path)
    }
    assert {name: lines for name, lines in lengths.items() if lines > MOST_LINES_OF_A_FUNCTION} == {}
    assert statistics.median(lengths.values()) <= USUAL_LINES_OF_A_FUNCTION


def test_only_the_clock_tells_the_time() -> None:
    asking = {"datetime.now", "datetime.utcnow", "date.today", "datetime.today"}
    found = [relative(path) for path in MODULES if calls(path) & asking]
    assert found == ["inventory/kernel/clock.py"]


def test_only_the_unit_of_work_commits() -> None:
    """Law 5: one act, one transaction. The raw cursor of a new PostgreSQL connection is set up in the same module."""
    found = [relative(path) for path in MODULES if any(call.endswith(".commit") for call in calls(path))]
    assert found == ["inventory/kernel/db.py"]


def test_no_module_uses_the_legacy_query() -> None:
    pattern = re.compile(r"\b(?:[A-Z]\w+\.query\b|session\.query\()")
    assert [relative(path) for path in MODULES if pattern.search(path.read_text(encoding="utf-8"))] == []


def test_nothing_is_put_off() -> None:
    marks = re.compile(r"\b(TODO|FIXME|XXX)\b")
    assert [relative(path) for path in MODULES if marks.search(path.read_text(encoding="utf-8"))] == []


@pytest.mark.parametrize("word", ["utils", "helpers", "misc", "common"])
def test_no_module_has_a_name_that_says_nothing(word: str) -> None:
    assert [relative(path) for path in MODULES if word in path.relative_to(ROOT).with_suffix("").parts] == []


# Requirements ----------------------------------------------------------------------------------------------------


def locked(name: str) -> dict[str, str]:
    text = (ROOT / name).read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip()]
    assert all("--hash=sha256:" in line for line in lines), "a requirement without a hash"
    return {line.split("==")[0].strip(): line.split()[0] for line in lines}


def asked(name: str) -> list[str]:
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    return [re.split(r"[\[<>=; ]", line)[0].lower() for line in lines if line and line[0] not in "-#"]


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_lock_file_names_no_address(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert "://" not in text
    assert "--index" not in text
    assert "--find-links" not in text


def test_tests_run_on_the_packages_the_clinic_runs_on() -> None:
    running, testing = locked("requirements.txt"), locked("requirements-dev.txt")
    assert {name: pin for name, pin in running.items() if testing.get(name) != pin} == {}


@pytest.mark.parametrize("name", ["requirements", "requirements-dev"])
def test_what_is_asked_for_is_locked_and_has_its_reason(name: str) -> None:
    reasons = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8").lower()
    pins = locked(f"{name}.txt")
    for package in asked(f"{name}.in"):
        assert package in pins, f"{package} is not locked: make lock"
        assert package in reasons, f"{package} has no reason in docs/dependencies.md"


# What is vendored ------------------------------------------------------------------------------------------------


VENDOR = [ROOT / "static" / "vendor", ROOT / "tests" / "vendor"]


def vendored() -> list[Path]:
    return sorted(sums.parent for base in VENDOR for sums in base.rglob("SHA256SUMS"))


def test_every_vendored_file_is_accounted_for() -> None:
    files = [path for base in VENDOR for path in base.rglob("*") if path.is_file()]
    assert [relative(path) for path in files if not set(path.parents) & set(vendored())] == []


@pytest.mark.parametrize("folder", vendored(), ids=relative)
def test_vendored_files_are_what_they_were(folder: Path) -> None:
    lines = (folder / "SHA256SUMS").read_text(encoding="ascii").splitlines()
    sums = {name.lstrip("*./"): digest for digest, name in (line.split(maxsplit=1) for line in lines)}
    sums.pop("VERSION", None)
    files = [
        path for path in folder.rglob("*") if path.is_file() and path.name not in {"SHA256SUMS", "VERSION"}
    ]
    found = {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files
    }
    assert sums == found


@pytest.mark.parametrize("folder", vendored(), ids=relative)
def test_vendored_files_carry_version_and_licence(folder: Path) -> None:
    names = {path.name.upper() for path in folder.rglob("*")}
    assert "VERSION" in names
    assert any(name.startswith(("LICENSE", "LICENCE", "OFL")) for name in names)


# Make and the docs -----------------------------------------------------------------------------------------------


def make_targets() -> set[str]:
    return set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


def test_make_help_tells_of_every_target() -> None:
    told = set(
        re.findall(r"^([a-z]+):.*## \S", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    )
    assert told == make_targets()


def documents() -> list[Path]:
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize("path", documents(), ids=relative)
def test_document_names_make_targets_that_exist(path: Path) -> None:
    named = re.findall(r"^ {4}make ([a-z]+)|`make ([a-z]+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    assert {first or second for first, second in named} - make_targets() == set()


@pytest.mark.parametrize("path", documents(), ids=relative)
def test_document_links_to_files_that_exist(path: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", path.read_text(encoding="utf-8"))
    assert [link for link in links if not (path.parent / link).exists()] == []


def test_every_setting_is_documented_and_every_documented_setting_is_read() -> None:
    source = (ROOT / "config.py").read_text(encoding="utf-8")
    read = set(re.findall(r'(?:env\.get\(|env, |if demo else )"([A-Z0-9_]+)"', source)) | {
        "DEMO_DATABASE_URL"
    }
    table = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    assert {name for row in rows for name in re.findall(r"`([A-Z0-9_]+)`", row)} == read


def test_python_asked_for_is_the_same_everywhere() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["requires-python"] == ">=3.11"
    assert project["tool"]["ruff"]["target-version"] == "py311"
    assert "(3, 11)" in (ROOT / "Makefile").read_text(encoding="utf-8")
