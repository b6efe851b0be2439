"""One table that is exported: its columns with what they say, its order, and the lines of its file.

Rows are read by their key, some at a time, so that memory stays flat however long the table is; the same rows give the same bytes.
"""

import codecs
import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, literal, or_, select, tuple_
from sqlalchemy.orm import Session

from inventory.audit.limits import patients_here, span_here
from inventory.clinic.current import visible_sites
from inventory.clinic.models import Site
from inventory.kernel.permissions import Actor, Permission
from inventory.patients.models import Patient
from inventory.staff.models import User
from inventory.stock.models import Lot
from inventory.web.spreadsheets import safe_cell

ROWS_AT_A_TIME = 1000


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the file: its heading, what stands in it, and where that comes from."""

    heading: str
    says: str
    value: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """A table as it is exported. `order` is a total order, `joins` what the columns need beside `source`.

    `sites`, `day` and `patient` are the columns by which it is narrowed to what the reader may see; `sites` may name
    two, of which one is enough. What `is_timeless` is the clinic's at any time, such as its sites and products.
    """

    name: str
    title: str
    row_is: str
    permission: tuple[Permission, ...]
    columns: Sequence[Column]
    source: Any
    order: Sequence[Any]
    joins: Sequence[tuple[Any, Any]] = ()
    conditions: Sequence[Any] = ()
    sites: Sequence[Any] = ()
    sites_may_lack: bool = False
    day: Any = None
    patient: Any = None
    is_timeless: bool = False

    def is_for(self, actor: Actor) -> bool:
        """Tell whether somebody may take it along."""
        return all(actor.can(permission) for permission in self.permission)

    def statement(self) -> Select[Any]:
        """Return the statement for the rows that the signed-in person may see."""
        found = select(*(column.value for column in self.columns)).select_from(self.source)
        for target, condition in self.joins:
            found = found.outerjoin(target, condition)
        found = found.where(*self.conditions)
        allowed = visible_sites()
        if allowed is not None and self.sites:
            here = [column.in_(allowed) for column in self.sites]
            lacking = [column.is_(None) for column in self.sites] if self.sites_may_lack else []
            found = found.where(or_(*here, *lacking))
        if self.day is not None:
            found = found.where(span_here().holds(self.day))
        return found if self.patient is None else found.where(patients_here(self.patient))


def lines_of(session: Session, table: Exported, statement: Select[Any]) -> Iterator[tuple[bytes, int]]:
    """Return the file of `table` in pieces, each with how many rows it has: a heading, then rows in their order."""
    yield codecs.BOM_UTF8 + _written([[column.heading for column in table.columns]]), 0
    width = len(table.columns)
    keyed = statement.add_columns(*table.order).order_by(*table.order).limit(ROWS_AT_A_TIME)
    last: Sequence[Any] = ()
    while True:
        rows = session.execute(keyed.where(_after(table.order, last)) if last else keyed).all()
        if rows:
            yield _written([[cell(value) for value in row[:width]] for row in rows]), len(rows)
        if len(rows) < ROWS_AT_A_TIME:
            return
        last = rows[-1][width:]


def _after(order: Sequence[Any], last: Sequence[Any]) -> Any:
    here = tuple_(*(literal(value, key.type) for value, key in zip(last, order, strict=True)))
    return tuple_(*order) > here


def _written(rows: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode()


def cell(value: Any) -> str:
    """Return a value as it stands in a file: instants in UTC, days as 2026-03-16, yes or no, nothing as nothing."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    return safe_cell(value.hex if isinstance(value, UUID) else str(value))


def person(user_id: Any) -> Any:
    """Return the username of whom a column names."""
    return select(User.username).where(User.id == user_id).scalar_subquery()


def record_number(patient_id: Any) -> Any:
    """Return the record number of the patient that a column names."""
    return select(Patient.record_number).where(Patient.id == patient_id).scalar_subquery()


def site(site_id: Any) -> Any:
    """Return the code of the site that a column names."""
    return select(Site.code).where(Site.id == site_id).scalar_subquery()


def lot_number(lot_id: Any) -> Any:
    """Return the number of the lot that a column names, as it is now."""
    return select(Lot.lot_number).where(Lot.id == lot_id).scalar_subquery()
