"""How often each finding came up and what became of it: counted over a period, by site, whatever was recorded."""

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import event

from inventory.doses.presenters.found import found_lines, never_found
from inventory.doses.queries.found import tally
from inventory.doses.rules.gate.registry import REGISTRY
from inventory.doses.rules.terms import EntryMode, OverrideReason
from inventory.doses.services import Decisions, Override, record_block
from inventory.kernel.db import db
from inventory.kernel.permissions import Role
from inventory.patients.models import AlertKind
from inventory.patients.services import add_alert
from tests.factories.clinic import make_site
from tests.factories.doses import Bench
from tests.factories.staff import make_actor
from tests.support.client import CheckingClient

DAY = timedelta(days=1)


def alert(bench: Bench, kind: AlertKind, at: datetime) -> None:
    add_alert(actor=bench.nurse, at=at, patient_id=bench.patient_id, kind=kind)


def block(bench: Bench, *codes: str, at: datetime) -> None:
    record_block(
        actor=bench.nurse,
        at=at,
        site_id=bench.place.site_id,
        patient_id=bench.patient_id,
        codes=codes,
        source="Lot A",
        form_key=UUID(int=hash(codes) % 2**64),
    )


def counted(*site_ids: UUID, first: datetime, end: datetime) -> dict[tuple[str, str, str | None], int]:
    rows = tally(db.session(), dict.fromkeys(site_ids, (first, end)))
    return {(row.code, row.outcome, row.reason): row.count for row in rows}


@pytest.fixture
def busy(bench: Bench, at: datetime) -> Bench:
    """A clinic with each outcome: told, acknowledged, overridden, deviated from, stopped."""
    alert(bench, AlertKind.BLEEDING_RISK, at)
    alert(bench, AlertKind.ALLERGY_COBALT, at)
    prescriber = make_actor(Role.PRESCRIBER)
    seen = frozenset({"BLEEDING-RISK"})
    tolerated = {"ALLERGY-COBALAMIN": Override(OverrideReason.TOLERATED_BEFORE, prescriber)}
    bench.give(decisions=Decisions(acknowledged=seen, overrides=tolerated))
    bench.give(bench.request(mode=EntryMode.ALREADY_GIVEN), at=at + DAY)
    block(bench, "LOT-EXPIRED", "LOT-HELD", at=at)
    block(bench, "LOT-EXPIRED", at=at + DAY)
    return bench


def test_counts_each_outcome_with_its_reasons(busy: Bench, at: datetime) -> None:
    found = counted(busy.place.site_id, first=at, end=at + 2 * DAY)
    assert found.pop(("SAME-SITE", "informed", None)) == 1
    assert found == {
        ("BLEEDING-RISK", "acknowledged", None): 1,
        ("BLEEDING-RISK", "informed", None): 1,
        ("ALLERGY-COBALAMIN", "overridden", "tolerated_before"): 1,
        ("ALLERGY-COBALAMIN", "deviation", None): 1,
        ("LOT-EXPIRED", "blocked", None): 2,
        ("LOT-HELD", "blocked", None): 1,
    }


def test_the_first_instant_counts_and_the_last_does_not(busy: Bench, at: datetime) -> None:
    first_day = counted(busy.place.site_id, first=at, end=at + DAY)
    assert first_day["ALLERGY-COBALAMIN", "overridden", "tolerated_before"] == 1
    assert first_day["LOT-EXPIRED", "blocked", None] == 1
    assert ("ALLERGY-COBALAMIN", "deviation", None) not in first_day
    assert counted(busy.place.site_id, first=at + 2 * DAY, end=at + 3 * DAY) == {}


def test_counts_the_asked_sites_only(busy: Bench, at: datetime) -> None:
    harbour = make_site("HARB", name="Harbour", time_zone="America/New_York")
    here, there = busy.place.site_id, harbour.id
    whole = counted(here, first=at, end=at + 2 * DAY)
    assert counted(there, first=at, end=at + 2 * DAY) == {}
    assert counted(here, there, first=at, end=at + 2 * DAY) == whole
    assert counted(first=at, end=at + 2 * DAY) == {}


def test_one_statement_asks_for_all_of_it(busy: Bench, at: datetime) -> None:
    harbour = make_site("HARB", name="Harbour", time_zone="America/New_York")
    sent: list[str] = []
    event.listen(db.engine, "before_cursor_execute", lambda *told: sent.append(told[2]))
    counted(busy.place.site_id, harbour.id, first=at, end=at + DAY)
    assert len([words for words in sent if words.lstrip().startswith("SELECT")]) == 1


def test_lines_tell_the_most_frequent_first_with_shares_and_reasons(busy: Bench, at: datetime) -> None:
    rows = tally(db.session(), {busy.place.site_id: (at, at + 2 * DAY)})
    lines = found_lines(rows)
    assert [(line.code, line.shown) for line in lines] == [
        ("ALLERGY-COBALAMIN", 2),
        ("BLEEDING-RISK", 2),
        ("LOT-EXPIRED", 2),
        ("LOT-HELD", 1),
        ("SAME-SITE", 1),
    ]
    assert (lines[0].outcomes, lines[0].overridden) == ((0, 0, 1, 0, 1), "50%")
    assert lines[0].reasons == "Tolerated before (1)"
    assert set(never_found(lines)) == set(REGISTRY) - {line.code for line in lines}
    assert [line.is_set_by_the_clinic for line in lines] == [True, True, False, False, True]


# The page ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def prescriber(busy: Bench, signed_in_client: Callable[..., CheckingClient]) -> CheckingClient:
    return signed_in_client(Role.PRESCRIBER)


def test_the_page_shows_the_last_thirty_days_and_names_no_patient(
    prescriber: CheckingClient, busy: Bench
) -> None:
    page = prescriber.get("/gate/findings").get_data(as_text=True)
    assert "ALLERGY-COBALAMIN" in page
    assert "Tolerated before (1)" in page
    assert "Never found in this period:" in page
    assert "P-0000" not in page


def test_the_page_keeps_to_period_and_site(prescriber: CheckingClient, at: datetime) -> None:
    page = prescriber.get("/gate/findings?from_on=2026-03-18&to_on=2026-03-19").get_data(as_text=True)
    assert "Nothing was found" in page
    harbour = make_site("HARB", name="Harbour", time_zone="America/New_York")
    page = prescriber.get(f"/gate/findings?site={harbour.id}").get_data(as_text=True)
    assert "Nothing was found" in page


@pytest.mark.parametrize(
    "asked, status",
    [
        ("from_on=2026-03-18&to_on=2026-03-17", 422),
        ("from_on=yesterday", 422),
        ("site=elsewhere", 422),
        ("from_on=0001-01-01&to_on=9999-12-31", 422),
        ("to_on=2001-01-01", 200),
        ("from_on=2030-01-01", 200),
    ],
)
def test_the_page_takes_any_days(prescriber: CheckingClient, asked: str, status: int) -> None:
    assert prescriber.get(f"/gate/findings?{asked}").status_code == status


@pytest.mark.parametrize("role", [Role.PRACTITIONER, Role.MANAGER, Role.ADMIN, Role.AUDITOR])
def test_prescribers_judge_the_gate(
    app: Flask, signed_in_client: Callable[..., CheckingClient], role: Role
) -> None:
    assert signed_in_client(role).get("/gate/findings").status_code == 403
