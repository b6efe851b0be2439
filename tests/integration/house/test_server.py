"""Serving: where the door may stand, what is printed, and that the database is brought up to date by its owner."""

import http.client
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from flask import Flask
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.exc import ProgrammingError

from config import load_config
from inventory import server
from inventory.app import create_app
from tests.support.databases import Database, Databases, close_engines

ROOT = Path(__file__).resolve().parents[3]
SERVE = [sys.executable, "-m", "flask", "--app", "wsgi", "serve"]


@pytest.fixture
def empty_database(databases: Databases, engine_kind: str) -> Iterator[Database]:
    with databases.empty(engine_kind) as empty:
        yield empty


def app_with(tmp_path: Path, **env: str) -> Flask:
    return create_app(load_config({"INSTANCE": str(tmp_path), **env}))


def serve_env(tmp_path: Path, port: int) -> dict[str, str]:
    return {"INSTANCE": str(tmp_path), "PORT": str(port), "PATH": "", "PYTHONUNBUFFERED": "1"}


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.7.7", "clinic.example.org"])
def test_refuses_to_listen_beyond_this_machine(host: str, tmp_path: Path) -> None:
    with pytest.raises(click.ClickException, match="BEHIND_TLS_PROXY=1") as refusal:
        server.refuse_open_door(app_with(tmp_path, HOST=host))
    assert "\n" not in refusal.value.message


@pytest.mark.parametrize(
    "env", [{}, {"HOST": "::1"}, {"HOST": "localhost"}, {"HOST": "0.0.0.0", "BEHIND_TLS_PROXY": "1"}]
)
def test_listens_here_or_behind_a_proxy(env: dict[str, str], tmp_path: Path) -> None:
    server.refuse_open_door(app_with(tmp_path, **env))


def test_says_in_one_line_that_the_port_is_taken(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = subprocess.run(
            SERVE,
            cwd=ROOT,
            env=serve_env(tmp_path, port),
            text=True,
            capture_output=True,
            timeout=60,
            check=False,
        )
    assert ended.returncode == 1
    assert (
        ended.stderr
        == f"Error: 127.0.0.1:{port} is in use already. Choose another with PORT=8001, for example.\n"
    )
    assert not (tmp_path / "clinic.sqlite3").exists()


def test_prints_what_the_rooms_have_to_say(tmp_path: Path) -> None:
    app = app_with(tmp_path)
    app.extensions[server.BANNER] = [lambda: ["one", "two"], lambda: ["three"]]
    assert server.banner(app) == [
        "The clinic is served on http://127.0.0.1:8000 (stop with Ctrl-C)",
        "one",
        "two",
        "three",
    ]


def test_migrates_as_owner_and_serves_as_a_role_that_cannot_drop_a_table(empty_database: Database) -> None:
    app = create_app(empty_database.config(OWNER_DATABASE_URI=empty_database.owner_url))
    server.prepare(app)
    server.prepare(app)
    close_engines(app)
    engine = create_engine(empty_database.url)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM alembic_version")).scalar() == 1
        tables = inspect(connection).get_table_names()
        if empty_database.kind == "postgresql":
            with pytest.raises(ProgrammingError, match="must be owner"):
                connection.execute(text("DROP TABLE movement CASCADE"))
    engine.dispose()
    assert {"movement", "dose", "audit_entry"} <= set(tables)


def test_serves_until_it_is_told_to_stop(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with subprocess.Popen(
        SERVE,
        cwd=ROOT,
        env=serve_env(tmp_path, port),
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        try:
            address = wait_for_address(process)
            connection = http.client.HTTPConnection(address, timeout=10)
            connection.request("GET", "/static/css/clinic.css")
            assert connection.getresponse().status == 200
            connection.close()
        finally:
            process.send_signal(signal.SIGTERM)
            said = process.communicate(timeout=20)[0]
    assert process.returncode == 0, said
    assert "Traceback" not in said
    assert (tmp_path / "clinic.sqlite3").exists()


def wait_for_address(process: subprocess.Popen[str]) -> str:
    """Return the printed address once the server answers there."""
    assert process.stdout is not None
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        line = process.stdout.readline()
        found = re.search(r"served on http://(\S+)", line)
        if found:
            return found[1]
        assert line, "the server ended without an address"
    raise AssertionError("no address within 30 seconds")
