"""The commands that the documents name are there, and each says what it does."""

import re
from pathlib import Path

import click
import pytest
from flask import Flask

from inventory.server import prepare_command, serve_command

ROOT = Path(__file__).resolve().parents[2]
FLASK = re.compile(r"flask --app wsgi ([a-z]+(?: [a-z]+)?)")


@pytest.fixture
def engine_kind() -> str:
    return "sqlite"


def commands(app: Flask) -> dict[str, click.Command]:
    """Return every command by its full name, groups too."""
    top = {**app.cli.commands, "serve": serve_command, "prepare": prepare_command}
    found: dict[str, click.Command] = {}
    for name, command in top.items():
        found[name] = command
        if isinstance(command, click.Group):
            found |= {f"{name} {inner}": below for inner, below in command.commands.items()}
    return found


def test_every_command_of_the_readme_exists(app: Flask) -> None:
    table = (
        (ROOT / "README.md")
        .read_text(encoding="utf-8")
        .split("## From the command line")[1]
        .split("\n## ")[0]
    )
    named = [
        cell
        for row in re.findall(r"^\| (`.+?) \|", table, re.MULTILINE)
        for cell in re.findall(r"`([^`]+)`", row)
    ]
    words = {" ".join(word for word in name.split() if word.isalpha() and word.islower()) for name in named}
    known = set(commands(app))
    assert words
    assert {
        name for name in words if not any(name == one or name.startswith(f"{one} ") for one in known)
    } == set()


def test_every_command_of_the_docs_exists(app: Flask) -> None:
    known = set(commands(app))
    for path in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        for name in FLASK.findall(path.read_text(encoding="utf-8")):
            assert name in known or name.split()[0] in known, f"{path.name} names flask {name}"


def test_every_command_says_what_it_does(app: Flask) -> None:
    silent = [name for name, command in commands(app).items() if not (command.help or command.short_help)]
    assert silent == []
