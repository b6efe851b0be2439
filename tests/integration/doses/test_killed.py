"""The process is killed in the middle of a dose: all of it is there, or nothing (law 5)."""

import pickle
import signal
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select

from inventory.audit.models import AuditEntry
from inventory.doses.models import Dose
from inventory.kernel.db import db
from inventory.stock.models import Movement
from tests.factories.doses import Bench
from tests.factories.stock import balance_ul
from tests.support.databases import Database

ROOT = Path(__file__).parents[3]

SCRIPT = """
import os, pickle, signal, sys
from importlib import import_module

config, actor, request, at, module, name = pickle.load(sys.stdin.buffer)
from inventory.app import create_app
from inventory.doses.services import record_dose

owner = import_module(module)
for part in name.split(".")[:-1]:
    owner = getattr(owner, part)
name = name.split(".")[-1]
whole = getattr(owner, name)


def dies(*args, **kwargs):
    if module != "sqlalchemy.orm":
        whole(*args, **kwargs)
    os.kill(os.getpid(), signal.SIGKILL)


setattr(owner, name, dies)
with create_app(config).app_context():
    record_dose(actor=actor, at=at, request=request)
"""

MOMENTS = [
    ("inventory.doses.services.recording", "draw_all"),
    ("inventory.doses.services.recording", "next_number"),
    ("inventory.audit.acts", "Act.record"),
    ("sqlalchemy.orm", "Session.commit"),
]


@pytest.mark.parametrize("module,name", MOMENTS, ids=[name for _, name in MOMENTS])
def test_leaves_nothing_of_a_dose_behind(
    app: Flask, at: datetime, database: Database, module: str, name: str
) -> None:
    bench = Bench()
    request = bench.request()
    entries = select(func.count()).select_from(AuditEntry)
    movements = select(func.count()).select_from(Movement)
    before = (db.session.scalar(entries), db.session.scalar(movements))
    db.session.rollback()
    told = pickle.dumps((database.config(), bench.nurse, request, at, module, name))
    killed = subprocess.run(
        [sys.executable, "-c", SCRIPT], input=told, cwd=ROOT, check=False, capture_output=True
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    assert (db.session.scalar(entries), db.session.scalar(movements)) == before
    assert db.session.scalar(select(func.count()).select_from(Dose)) == 0
    assert balance_ul(bench.lot) == 3_000
    db.session.rollback()
    assert bench.give(request).number == 1
