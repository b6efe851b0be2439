"""How values are worded, and what the menu and the assets say."""

from datetime import UTC, date, datetime

import pytest
from flask import Blueprint, Flask
from flask.testing import FlaskClient

from inventory.kernel.clock import frozen
from inventory.kernel.permissions import Permission
from inventory.web.access import requires
from inventory.web.assets import asset
from inventory.web.navigation import add_badge
from inventory.web.presenting import (
    count,
    day,
    local_time,
    mcg,
    ml,
    relative_days,
    set_zone_source,
    site_today,
    when,
)

NOON = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)


def test_words_do_not_depend_on_the_machine() -> None:
    assert day(date(2026, 11, 2)) == "2 Nov 2026"
    assert day(None) == "—"


@pytest.mark.parametrize(
    "volume,words", [(500, "0.5 mL"), (1_000, "1 mL"), (1, "0.001 mL"), (0, "0 mL"), (None, "—")]
)
def test_volume_is_exact_millilitres(volume: int | None, words: str) -> None:
    assert ml(volume) == words


@pytest.mark.parametrize("dose,words", [(1_000_000, "1,000 mcg"), (100_000, "100 mcg"), (12_500, "12.5 mcg")])
def test_dose_is_exact_mcg(dose: int, words: str) -> None:
    assert mcg(dose) == words


@pytest.mark.parametrize(
    "on,words",
    [
        (date(2026, 7, 1), "today"),
        (date(2026, 7, 2), "tomorrow"),
        (date(2026, 6, 30), "yesterday"),
        (date(2026, 7, 13), "in 12 days"),
        (date(2026, 6, 28), "3 days ago"),
    ],
)
def test_days_are_counted_from_today(on: date, words: str) -> None:
    assert relative_days(on, date(2026, 7, 1)) == words


def test_counts_agree_with_their_noun() -> None:
    assert [count(1, "vial"), count(1_204, "vial"), count(2, "box", "boxes"), count(7)] == [
        "1 vial",
        "1,204 vials",
        "2 boxes",
        "7",
    ]


def test_time_is_the_sites(web_app: Flask) -> None:
    with web_app.test_request_context("/"):
        assert local_time(NOON) == "1 Jul 2026, 13:00"
        assert 'datetime="2026-07-01T12:00:00+00:00"' in when(NOON)


def test_zone_comes_from_its_source(web_app: Flask) -> None:
    set_zone_source(web_app, lambda: "Pacific/Auckland")
    with web_app.test_request_context("/"), frozen(NOON):
        assert site_today() == date(2026, 7, 2)


def test_repeated_hour_names_its_zone(web_app: Flask) -> None:
    with web_app.test_request_context("/"):
        assert local_time(datetime(2026, 10, 25, 0, 30, tzinfo=UTC)) == "25 Oct 2026, 01:30 BST"
        assert local_time(datetime(2026, 10, 25, 1, 30, tzinfo=UTC)) == "25 Oct 2026, 01:30 GMT"


def test_static_address_changes_with_the_file(web_app: Flask) -> None:
    with web_app.test_request_context("/"):
        assert asset("css/clinic.css").startswith("/static/css/clinic.css?v=")
        with pytest.raises(FileNotFoundError):
            asset("css/none.css")


@pytest.fixture
def page_with_menu(web_app: Flask, visitor: FlaskClient) -> str:
    for room, endpoint, permission in (
        ("stock", "shelf", Permission.STOCK_READ),
        ("staff", "index", Permission.STAFF_MANAGE),
        ("desk", "today", Permission.OWN_ACCOUNT),
    ):
        blueprint = Blueprint(room, __name__, url_prefix=f"/{room}")
        blueprint.add_url_rule("/", endpoint, requires(permission)(lambda: "page"))
        web_app.register_blueprint(blueprint)
    add_badge(web_app, "stock.shelf", lambda: 3)
    return visitor.get("/nowhere", headers={"X-Person": "yes"}).text


def test_menu_shows_what_exists_and_is_allowed(page_with_menu: str) -> None:
    assert "Shelf" in page_with_menu
    assert "Today" in page_with_menu
    assert "People" not in page_with_menu
    assert "Reorder" not in page_with_menu


def test_menu_says_how_many_wait(page_with_menu: str) -> None:
    assert '<span class="menu-badge">3<span class="visually-hidden"> waiting</span></span>' in page_with_menu
