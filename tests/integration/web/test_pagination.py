"""A long list read page by page, forwards and back, on both databases."""

from datetime import UTC, datetime, timedelta
from itertools import chain
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import Column, Integer, MetaData, String, Table, Uuid, select

from inventory.kernel.db import UtcDateTime, db
from inventory.kernel.errors import Refusal
from inventory.web.pagination import Page, page_address, paginate

NOTES = Table(
    "page_test_note",
    MetaData(),
    Column("number", Integer, primary_key=True),
    Column("word", String(20), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("key", Uuid, nullable=False),
    prefixes=["TEMPORARY"],
)
START = datetime(2026, 1, 1, tzinfo=UTC)
ORDERS = {
    "number": [NOTES.c.number],
    "word": [NOTES.c.word, NOTES.c.number],
    "instant": [NOTES.c.at, NOTES.c.key],
}


@pytest.fixture(autouse=True)
def _notes(app: Flask) -> None:
    """Twenty-three rows; three share each instant and many share a word, so that ties cross pages."""
    NOTES.create(db.session.connection())
    rows = [
        {
            "number": n,
            "word": "aeiou"[n % 5],
            "at": START + timedelta(microseconds=n // 3),
            "key": UUID(int=100 - n),
        }
        for n in range(23)
    ]
    db.session.execute(NOTES.insert(), rows)


def read(order: str, cursor: str, *, newest_first: bool) -> Page[int]:
    return paginate(
        db.session,
        select(NOTES.c.number),
        order=ORDERS[order],
        newest_first=newest_first,
        cursor=cursor,
        size=5,
    )


@pytest.mark.parametrize("order", list(ORDERS))
@pytest.mark.parametrize("newest_first", [False, True])
def test_pages_forwards_and_back_show_every_row_once(order: str, newest_first: bool) -> None:
    keys = ORDERS[order]
    directed = [key.desc() if newest_first else key.asc() for key in keys]
    expected = list(db.session.scalars(select(NOTES.c.number).order_by(*directed)))
    forwards, page = [], read(order, "", newest_first=newest_first)
    assert not page.previous
    while page.next:
        forwards.append(list(page.items))
        page = read(order, page.next, newest_first=newest_first)
    forwards.append(list(page.items))
    assert list(chain(*forwards)) == expected
    backwards = [list(page.items)]
    while page.previous:
        page = read(order, page.previous, newest_first=newest_first)
        backwards.append(list(page.items))
        assert page.next
    assert list(chain(*reversed(backwards))) == expected


def test_rows_keep_their_names() -> None:
    page = paginate(db.session, select(NOTES.c.number, NOTES.c.word), order=[NOTES.c.number], size=1)
    assert (page.items[0].number, page.items[0].word) == (0, "a")


def test_empty_list_is_one_empty_page() -> None:
    page = paginate(db.session, select(NOTES.c.number).where(NOTES.c.number < 0), order=[NOTES.c.number])
    assert not page
    assert (page.previous, page.next) == ("", "")


@pytest.mark.parametrize("cursor", ["x", "!!", "é", "WyJmIiwxXQ", "WyJmIiwxXQ.c2lnbmVk"])
def test_refuses_a_damaged_address(cursor: str) -> None:
    with pytest.raises(Refusal, match="PAGE-CURSOR"):
        read("number", cursor, newest_first=False)


def test_refuses_the_address_of_another_list() -> None:
    elsewhere = read("word", "", newest_first=False).next
    with pytest.raises(Refusal, match="PAGE-CURSOR"):
        read("number", elsewhere, newest_first=False)


def test_address_of_another_page_keeps_the_filters(app: Flask) -> None:
    with app.test_request_context("/static/x?q=ana&q=b&page=old"):
        assert page_address("new") == "/static/x?q=ana&q=b&page=new"
        assert page_address("") == "/static/x?q=ana&q=b"
