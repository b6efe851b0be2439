"""A clinic with a long past: its shelf is stocked by the rooms' services, what was given from it since is written in bulk.

Going through the services would take half an hour for a million doses. What they wrote once stands as the pattern: each row is
that of a real dose with the ids, numbers, instants and people of its own. The database's laws are put aside while this is
written and stand again afterwards; `contradictions` asks whether what was written keeps them.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy import make_url

from bench.ground import running, settle
from inventory.audit.acts import batch
from inventory.doses.queries.containers import DoseRequest
from inventory.doses.rules.sourcing import Draw
from inventory.doses.rules.terms import BodySite, EntryMode
from inventory.doses.services import record_dose
from inventory.kernel import clock
from inventory.kernel.permissions import Role
from inventory.stock.ledger import Place
from tests.factories.catalogue import make_multi_dose_product
from tests.factories.clinic import locations_of, make_site
from tests.factories.patients import make_patient
from tests.factories.staff import make_actor, make_user
from tests.factories.stock import make_delivery, make_open_vial
from tests.support.databases import Database

CONTENT_UL, DOSE_UL = 10_000, 1_000
_DAYS = 360
_SIDE_BY_SIDE = 8
"""How many lots are in use at the same time; the number of lots must be a multiple of it."""
_LOTS_A_COMMIT = 100


@dataclass(frozen=True)
class Past:
    """How much there was: lots on the shelf, of each so many vials used up, from each so many doses, to so many patients."""

    lots: int
    vials: int = 0
    doses: int = 0
    patients: int = 1

    @property
    def given(self) -> int:
        """All doses."""
        return self.lots * self.vials * self.doses

    @property
    def movements(self) -> int:
        """All movements: receipts, openings, doses."""
        return self.lots * (1 + self.vials) + self.given


@dataclass(frozen=True)
class Stocked:
    """The ids of a stocked clinic; they hold for every copy of its database."""

    manager_id: UUID
    lot_ids: tuple[UUID, ...]


def stock(database: Database, past: Past) -> Stocked:
    """Stock the empty `database` a year ago by the services, with one vial opened and one dose given from it."""
    began = datetime.now(UTC) - timedelta(days=_DAYS + 5)
    with running(database), clock.frozen(began):
        site = make_site(locations=("Cabinet",))
        place = Place(site.id, locations_of(site)[0].id)
        manager_id, nurse = make_user(roles=Role.MANAGER).id, make_actor(Role.PRACTITIONER)
        product_id = make_multi_dose_product().id
        lots: list[UUID] = []
        while len(lots) < past.lots:
            with batch():
                for _ in range(min(_LOTS_A_COMMIT, past.lots - len(lots))):
                    made = make_delivery(
                        product_id=product_id,
                        place=place,
                        containers=past.vials + 5,
                        lot_number=f"LOT{len(lots):05}",
                        expires_on=(began + timedelta(days=800)).date(),
                    )
                    lots.append(made.id)
        with batch():
            vial = make_open_vial(make_delivery(product_id=product_id, place=place), place=place)
            record_dose(actor=nurse, at=began, request=_request(place, make_patient(), vial))
    settle(database)
    return Stocked(manager_id, tuple(lots))


def _request(place: Place, patient_id: UUID, vial: Any) -> DoseRequest:
    return DoseRequest(
        mode=EntryMode.ABOUT_TO_GIVE,
        site_id=place.site_id,
        patient_id=patient_id,
        draws=(Draw(vial.lot_id, place.location_id, vial.id, DOSE_UL),),
        dose_ng=DOSE_UL * 1_000,
        volume_ul=DOSE_UL,
        body_site=BodySite.LEFT_DELTOID,
        indication="B12 deficiency",
        consent_seen=True,
    )


def live_through(database: Database, past: Past) -> None:
    """Write what was opened and given of each lot in the year since the clinic was stocked, up to yesterday."""
    with laws_aside(database) as connection:
        said = _WORDS[database.kind]
        for statement in _Writing(connection, said, past).statements():
            connection.execute(statement)
    _settle(database)


@dataclass(frozen=True)
class _Words:
    """How one database says what the other says otherwise."""

    numbers: str
    identity: str
    instant: str
    day: str
    padded: str


_WORDS = {
    "sqlite": _Words(
        numbers="(WITH RECURSIVE told(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM told WHERE n < {0} - 1) SELECT n FROM told)",
        identity="printf('{0}%031x', {1})",
        instant="strftime('%Y-%m-%d %H:%M:%S.000000', {0}, 'unixepoch')",
        day="date({0}, 'unixepoch')",
        padded="printf('%06d', {0})",
    ),
    "postgresql": _Words(
        numbers="(SELECT n FROM generate_series(0::bigint, {0} - 1) AS told(n))",
        identity="('{0}' || lpad(to_hex({1}), 31, '0'))::uuid",
        instant="to_timestamp({0})",
        day="(to_timestamp({0}) AT TIME ZONE 'UTC')::date",
        padded="lpad(({0})::text, 6, '0')",
    ),
}


class _Writing:
    """The statements that write a past. Vial v is of lot number `_LOT`; dose d is of vial d / doses."""

    def __init__(self, connection: Any, said: _Words, past: Past) -> None:
        self._said, self._past = said, past
        self._columns = {table: _columns(connection, table) for table in _TABLES}
        self._first = {
            table: _one(connection, f"SELECT max(id) + 1 FROM {table}") for table in ("account", "movement")
        }
        self._label = _one(connection, "SELECT max(label_number) FROM vial")
        self._number = _one(connection, "SELECT max(number) FROM dose")
        began = datetime.now(UTC) - timedelta(days=_DAYS)
        self._began = int(began.timestamp())
        self._apart = max(1, (_DAYS - 1) * 86_400 // max(1, past.given))

    def statements(self) -> Iterator[str]:
        """Give them in the order in which they are to be executed."""
        past, side = self._past, _SIDE_BY_SIDE
        yield from _KEPT
        lot = f"(n / {side * past.vials}) * {side} + n % {side}"
        counted = f"{self._count(past.lots * past.vials)} AS counted"
        yield f"CREATE TEMPORARY TABLE opened AS SELECT n AS v, kept.* FROM {counted} JOIN kept ON kept.i = {lot}"
        yield "CREATE UNIQUE INDEX opened_v ON opened (v)"
        yield self._cloned("patient", f"{self._count(past.patients)} AS counted", self._patient())
        yield self._cloned("vial", "opened", self._vial())
        yield self._cloned("account WHERE kind = 'vial'", "opened", self._account())
        yield self._cloned("movement WHERE kind = 'open'", "opened", self._opening())
        given = f"{self._count(past.given)} AS counted JOIN opened ON opened.v = counted.n / {past.doses}"
        yield self._cloned("movement WHERE kind = 'give'", given, self._gift())
        yield self._cloned("dose_source", given, self._source())
        yield self._cloned("dose", given, self._dose())
        yield from self._sums()

    def _count(self, so_many: int) -> str:
        return self._said.numbers.format(so_many)

    def _id(self, prefix: str, number: str) -> str:
        return self._said.identity.format(prefix, number)

    def _at(self, dose: str) -> str:
        return self._said.instant.format(f"{self._began} + ({dose}) * {self._apart}")

    def _patient(self) -> dict[str, str]:
        number = self._said.padded.format("n")
        return {
            "id": self._id("a", "n"),
            **dict.fromkeys(("record_number", "record_number_key"), f"'P' || {number}"),
            "family_name": f"'Invented ' || {number}",
            "name_key": f"'invented ' || {number}",
            "phone": f"'555 ' || {number}",
            "address": f"{number} || ' Invented Street'",
        }

    def _vial(self) -> dict[str, str]:
        doses = self._past.doses
        return {
            "id": self._id("b", "v"),
            "lot_id": "opened.lot_id",
            "label_number": f"{self._label} + 1 + v",
            "opened_at": self._at(f"v * {doses}"),
            "closed_at": self._at(f"v * {doses} + {doses - 1}"),
            "closed_by_id": "t.opened_by_id",
            "closure": "'used_up'",
        }

    def _account(self) -> dict[str, str]:
        doses = self._past.doses
        return {
            "id": f"{self._first['account']} + v",
            "lot_id": "opened.lot_id",
            "vial_id": self._id("b", "v"),
            "balance_ul": str(CONTENT_UL - doses * DOSE_UL),
            "last_movement_id": f"{self._opened_by()} + {doses}",
            "last_occurred_at": self._at(f"v * {doses} + {doses - 1}"),
        }

    def _opened_by(self) -> str:
        return f"{self._first['movement']} + v * {self._past.doses + 1}"

    def _opening(self) -> dict[str, str]:
        return {
            "id": self._opened_by(),
            "act_id": self._id("c", "v"),
            "lot_id": "opened.lot_id",
            "from_id": "opened.shelf_id",
            "to_id": f"{self._first['account']} + v",
            **dict.fromkeys(("occurred_at", "recorded_at"), self._at(f"v * {self._past.doses}")),
        }

    def _given_by(self) -> str:
        return f"{self._opened_by()} + 1 + n % {self._past.doses}"

    def _gift(self) -> dict[str, str]:
        return {
            "id": self._given_by(),
            "act_id": self._id("d", "n"),
            "lot_id": "opened.lot_id",
            "from_id": f"{self._first['account']} + v",
            "to_id": "opened.given_id",
            **dict.fromkeys(("occurred_at", "recorded_at"), self._at("n")),
        }

    def _source(self) -> dict[str, str]:
        return {
            "dose_id": self._id("e", "n"),
            "vial_id": self._id("b", "v"),
            "lot_id": "opened.lot_id",
            "lot_number": "opened.lot_number",
            "movement_id": self._given_by(),
            "label_number": f"{self._label} + 1 + v",
        }

    def _dose(self) -> dict[str, str]:
        patient = f"(n * 7919) % {self._past.patients}"
        number = self._said.padded.format(patient)
        return {
            "id": self._id("e", "n"),
            "number": f"{self._number} + 1 + n",
            "patient_id": self._id("a", patient),
            "patient_name": f"'Invented ' || {number} || ', Ada'",
            "patient_record_number": f"'P' || {number}",
            **dict.fromkeys(("given_at", "recorded_at"), self._at("n")),
            "given_on": self._said.day.format(f"{self._began} + n * {self._apart}"),
        }

    def _cloned(self, pattern: str, rows: str, changed: dict[str, str]) -> str:
        """Write a row as the pattern (the first that the services wrote) for each of `rows`, with what is changed."""
        table = pattern.split(maxsplit=1)[0]
        columns = self._columns[table]
        values = ", ".join(changed.get(name, f"t.{name}") for name in columns)
        first = f"(SELECT * FROM {pattern} ORDER BY 1 LIMIT 1) AS t"
        return f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values} FROM {rows} CROSS JOIN {first}"

    def _sums(self) -> Iterator[str]:
        past = self._past
        taken = {"shelf_id": -past.vials * CONTENT_UL, "given_id": past.vials * past.doses * DOSE_UL}
        for account, moved in taken.items():
            side = {"shelf_id": "from_id", "given_id": "to_id"}[account]
            newest = f"SELECT {{}} FROM movement WHERE movement.{side} = account.id"
            yield (
                f"UPDATE account SET balance_ul = balance_ul + {moved}, last_movement_id = ({newest.format('max(id)')}),"
                f" last_occurred_at = ({newest.format('max(occurred_at)')}) WHERE id IN (SELECT {account} FROM kept)"
            )
        for kind, more in (("vial", past.lots * past.vials), ("dose", past.given)):
            yield f"UPDATE counter SET value = value + {more} WHERE kind = '{kind}'"


_TABLES = ("patient", "vial", "account", "movement", "dose_source", "dose")
_KEPT = (
    """
CREATE TEMPORARY TABLE kept AS
SELECT row_number() OVER (ORDER BY lot.id) - 1 AS i, lot.id AS lot_id, lot.lot_number,
  shelf.id AS shelf_id, given.id AS given_id
FROM lot JOIN account AS shelf ON shelf.lot_id = lot.id AND shelf.kind = 'shelf'
  JOIN account AS given ON given.lot_id = lot.id AND given.kind = 'given'
WHERE lot.lot_number LIKE 'LOT%'
""",
    "CREATE UNIQUE INDEX kept_i ON kept (i)",
)


def _columns(connection: Any, table: str) -> list[str]:
    return [column[0] for column in connection.execute(f"SELECT * FROM {table} LIMIT 0").description]


def _one(connection: Any, statement: str) -> int:
    return int(connection.execute(statement).fetchone()[0])


@contextmanager
def laws_aside(database: Database) -> Iterator[Any]:
    """Give a connection on which no trigger fires and nothing waits for the disk; the laws stand again afterwards."""
    put_aside = {"sqlite": _sqlite_aside, "postgresql": _postgres_aside}[database.kind]
    with put_aside(database) as connection:
        yield connection


@contextmanager
def _sqlite_aside(database: Database) -> Iterator[Any]:
    connection = sqlite3.connect(str(make_url(database.owner_url).database), isolation_level=None)
    laws: Sequence[tuple[str, str]] = connection.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
    ).fetchall()
    for pragma in ("journal_mode = OFF", "synchronous = OFF", "foreign_keys = OFF", "cache_size = -400000"):
        connection.execute(f"PRAGMA {pragma}").fetchall()
    connection.execute("BEGIN")
    for name, _ in laws:
        connection.execute(f'DROP TRIGGER "{name}"')
    yield connection
    for _, law in laws:
        connection.execute(law)
    connection.execute("COMMIT")
    connection.execute("PRAGMA journal_mode = WAL").fetchall()
    connection.close()


@contextmanager
def _postgres_aside(database: Database) -> Iterator[Any]:
    superuser = make_url(database.owner_url).set(drivername="postgresql", username="postgres")
    with psycopg.connect(superuser.render_as_string(hide_password=False)) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("SET work_mem = '256MB'")
        yield connection
        for table in ("account", "movement"):
            connection.execute(
                f"SELECT setval(pg_get_serial_sequence('public.{table}', 'id'), (SELECT max(id) FROM {table}))"
            )


def _settle(database: Database) -> None:
    """Leave the database as its own housekeeping would."""
    if database.kind == "postgresql":
        url = make_url(database.owner_url).set(drivername="postgresql")
        with psycopg.connect(url.render_as_string(hide_password=False), autocommit=True) as connection:
            connection.execute("VACUUM (ANALYZE)")
    settle(database)
