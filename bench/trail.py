"""A check of the whole trail at a million entries, against reading the same rows by the bare driver and hashing as many bytes.

python -m bench trail              a million entries, on both databases
python -m bench.trail 20000        as many as are said
"""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import make_url, select, text

from bench.figures import Section, at_most
from bench.ground import ENGINE_NAMES, Ground, a_ground, running
from bench.long_past import Past, live_through, stock
from bench.long_trail import write_trail
from bench.processes import measure, peak_megabytes
from config import load_config
from inventory.app import create_app
from inventory.audit import rules
from inventory.audit.verification import Verification
from inventory.audit.witness import WITNESSED
from inventory.kernel.db import db
from tests.support.databases import Database

TITLE = "Check of the trail"
EXPLAINED = """
`flask audit verify`, whole: every link, entry and payload, and every row that they witness, each hashed again and compared. The floor
is the bare driver reading the same rows, table after table, and hashlib over as many bytes. Each is a process of its own.
"""
HEAD = (
    "| Database | Entries | Rows | Floor | Ours | Time, ours to floor | Memory, floor and ours |",
    "|---|---:|---:|---:|---:|---:|---:|",
)
MILLION, FEWER = 1_000_000, 20_000
_ALLOWED = 3
_TURNS = 2
_DOSES, _VIALS, _SAMPLE = 10, 25, 500


def measured(ground: Ground) -> Section:
    """Measure both databases."""
    return _measured(ground, FEWER if ground.quick else MILLION)


def _measured(ground: Ground, entries: int) -> Section:
    section = Section(TITLE, [*EXPLAINED.strip().splitlines(), "", *HEAD])
    for kind, name in ENGINE_NAMES.items():
        with _clinic(ground, kind, entries) as database:
            floor = measure("bench.trail_floor", json.dumps(_asked(database)))
            ours = measure(
                "bench.trail", json.dumps({"url": database.url, "instance": str(database.instance)})
            )
        ratio = ours["seconds"] / floor["seconds"]
        section.lines.append(
            f"| {name} | {ours['entries']:,} | {floor['rows']:,} | {floor['seconds']:.1f} s | {ours['seconds']:.1f} s"
            f" | {ratio:.2f} | {floor['megabytes']:.0f} MB, {ours['megabytes']:.0f} MB |"
        )
        told = f"Check of {ours['entries']:,} entries, {name}: time to the floor's"
        section.budgets.append(at_most(told, _ALLOWED, ratio))
    return section


def _in_turns(database: Database) -> tuple[dict[str, Any], dict[str, Any]]:
    """Measure floor and ours by turns, so that both meet the machine as it is; the quickest of each counts."""
    place = {"url": database.url, "instance": str(database.instance)}
    turns = {"bench.trail_floor": json.dumps(_asked(database)), "bench.trail": json.dumps(place)}
    taken = [{name: measure(name, told) for name, told in turns.items()} for _ in range(_TURNS)]
    floor, ours = (min((one[name] for one in taken), key=lambda one: one["seconds"]) for name in turns)
    return floor, ours


@contextmanager
def _clinic(ground: Ground, kind: str, entries: int) -> Iterator[Database]:
    # Eight lots are in use at a time, and each vial gives ten doses.
    lots = max(8, entries // (_DOSES * _VIALS) // 8 * 8)
    past = Past(lots=lots, vials=max(1, entries // (_DOSES * lots)), doses=_DOSES, patients=1_000)
    print(f"Writing a trail of {past.given:,} doses ({ENGINE_NAMES[kind]}) ...", flush=True)
    with ground.databases.fresh(kind) as database:
        stock(database, past)
        live_through(database, past)
        write_trail(database)
        yield database


def _asked(database: Database) -> dict[str, Any]:
    """Return what the floor is to read, and how many bytes it is to hash of each row."""
    url = make_url(database.url)
    place = (
        url.database
        if database.kind == "sqlite"
        else url.set(drivername="postgresql").render_as_string(hide_password=False)
    )
    with running(database):
        hashed = {name: [_size(name)] for name in WITNESSED}
        payload = db.session.scalar(text("SELECT avg(length(payload)) FROM audit_payload"))
        # The entry, its payload behind salt and colon, its link.
        chain = [_size("audit_entry"), 33 + int(payload or 0), 72]
    return {"kind": database.kind, "place": place, "hashed": {"audit_link": chain, **hashed}}


def _size(name: str) -> int:
    """Return how long the canonical form of a row of the table is, on average."""
    rows = db.session.execute(select(db.metadata.tables[name]).limit(_SAMPLE)).mappings().all()
    forms = [
        rules.canonical({column: value for column, value in row.items() if value is not None}) for row in rows
    ]
    return sum(map(len, forms)) // max(1, len(forms))


def main() -> None:
    """Check the trail that the JSON on the command line names; or measure as many entries as it says."""
    if not sys.argv[1].startswith("{"):
        with a_ground(quick=False) as ground:
            print("\n".join(_measured(ground, int(sys.argv[1])).lines))
        return
    asked = json.loads(sys.argv[1])
    env = {"DATABASE_URL": asked["url"], "INSTANCE": asked["instance"], "SECRET_KEY": "of a benchmark"}
    with create_app(load_config(env)).app_context():
        check, began = Verification(db.session()), time.perf_counter()
        found = list(check.whole())
        seconds = time.perf_counter() - began
    if found:
        raise RuntimeError(f"the trail is not well: {found[:3]}")
    print(json.dumps({"entries": check.entries, "seconds": seconds, "megabytes": peak_megabytes()}))


if __name__ == "__main__":
    main()
