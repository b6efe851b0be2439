"""Pages of a long list, found by the last row seen and not by counting rows.

Law kept here: every list has a total order and a page, and page 20,000 costs what page 1 costs.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from flask import current_app, request, url_for
from itsdangerous import BadData, URLSafeSerializer
from sqlalchemy import ColumnElement, Select, literal, tuple_
from sqlalchemy.orm import QueryableAttribute, Session, scoped_session

from inventory.kernel.errors import Refusal

PAGE_SIZE = 50
Item = TypeVar("Item")
Key = ColumnElement[Any] | QueryableAttribute[Any]
_READERS: dict[str, Callable[[str], Any]] = {
    "datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
    "UUID": UUID,
}


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """Some rows in order, and the cursors of the pages before and after (empty where there is none)."""

    items: Sequence[Item]
    previous: str = ""
    next: str = ""

    def __bool__(self) -> bool:
        """Whether there is anything on the page."""
        return bool(self.items)


def paginate(
    session: Session | scoped_session[Any],
    statement: Select[Any],
    *,
    order: Sequence[Key],
    newest_first: bool = False,
    cursor: str = "",
    size: int = PAGE_SIZE,
) -> Page[Any]:
    """Return one page of `statement`, which must not be ordered or limited itself.

    `order` is a total order of columns that are never null (end it with the id); all of it runs
    upwards, or all downwards with `newest_first`. An index over the same columns keeps it flat.
    A statement of one thing gives the things, of several gives rows. Raises Refusal PAGE-CURSOR.
    """
    backwards, position = _read_cursor(cursor, order)
    downwards = newest_first != backwards
    found = session.execute(_window(statement, order, position, downwards=downwards, size=size + 1)).all()
    rows = list(found[:size])
    more = len(found) > size
    if backwards:
        rows.reverse()
    has_next = bool(position) if backwards else more
    has_previous = more if backwards else bool(position)
    width = len(order)
    return Page(
        items=[row[0] if len(row) == width + 1 else row for row in rows],
        previous=_cursor("b", order, rows[0][-width:]) if rows and has_previous else "",
        next=_cursor("f", order, rows[-1][-width:]) if rows and has_next else "",
    )


def _window(
    statement: Select[Any], order: Sequence[Key], position: Sequence[Any], *, downwards: bool, size: int
) -> Select[Any]:
    keys = [key.label(f"page_key_{n}") for n, key in enumerate(order)]
    if position:
        here = tuple_(*(literal(value, key.type) for value, key in zip(position, order, strict=True)))
        there = tuple_(*order)
        statement = statement.where(there < here if downwards else there > here)
    directed = [key.desc() if downwards else key.asc() for key in order]
    return statement.add_columns(*keys).order_by(*directed).limit(size)


def _cursor(direction: str, order: Sequence[Key], values: Sequence[Any]) -> str:
    return str(_seal(order).dumps([direction, *map(_packed, values)]))


def _read_cursor(cursor: str, order: Sequence[Key]) -> tuple[bool, list[Any]]:
    if not cursor:
        return False, []
    try:
        direction, *values = _seal(order).loads(cursor)
    except BadData:
        raise Refusal(
            "PAGE-CURSOR", "This address of a page is damaged. Start from the first page."
        ) from None
    return direction == "b", [_unpacked(value) for value in values]


def _seal(order: Sequence[Key]) -> URLSafeSerializer:
    """Signs cursors, each for its own list: what comes back is what was given out, in kind and number."""
    return URLSafeSerializer(str(current_app.secret_key), salt=f"page of {'; '.join(map(str, order))}")


def _packed(value: Any) -> Any:
    kind = type(value).__name__
    return [kind, str(value)] if kind in _READERS else value


def _unpacked(value: Any) -> Any:
    return _READERS[value[0]](value[1]) if isinstance(value, list) else value


def cursor_here() -> str:
    """The cursor in the address of this page; empty on the first page."""
    return request.args.get("page", "")


def page_address(cursor: str) -> str:
    """The address of this list, with its filters, at another page."""
    values = {**request.args.to_dict(flat=False), **(request.view_args or {})}
    values.pop("page", None)
    if cursor:
        values["page"] = cursor
    return url_for(str(request.endpoint), **values)
