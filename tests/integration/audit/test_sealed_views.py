"""What auditors were shown is sealed into the chain: what is done to it later is named."""

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner
from sqlalchemy import func, select

from inventory.audit import sealed_views, upkeep
from inventory.audit.models import AuditEntry
from inventory.audit.sealed_views import is_due, last_seal, seal_views
from inventory.audit.services import log_view
from inventory.audit.verification import Verification
from inventory.kernel import clock
from inventory.kernel.db import db
from inventory.kernel.permissions import SYSTEM_ACTOR
from tests.integration.audit.test_verify import Tamper, tamper
from tests.support.at_once import at_once

LATER = datetime(2026, 3, 16, 10, 1, tzinfo=UTC)

__all__ = ["tamper"]


@pytest.fixture
def views(app: Flask) -> None:
    """Three pages that were shown before ten, of which the first two are sealed by one seal and the third by another."""
    for page in ("doses.dose", "reports.show", "audit.index"):
        with clock.frozen(LATER - timedelta(minutes=30)):
            log_view(SYSTEM_ACTOR, page=page, subject="1 patient")
        if page != "doses.dose":
            assert seal_views(actor=SYSTEM_ACTOR, at=LATER) is not None


def wrong() -> list[str]:
    db.session.rollback()
    return list(Verification(db.session()).whole())


def seals() -> int:
    db.session.rollback()
    sealing = select(func.count()).where(AuditEntry.action == sealed_views.ACTION)
    return int(db.session.scalar(sealing) or 0)


def test_seals_follow_each_other_and_the_trail_is_well(views: None, cli: FlaskCliRunner) -> None:
    assert seal_views(actor=SYSTEM_ACTOR, at=LATER) is None
    last = last_seal(db.session())
    assert (last.number, last.to_id, seals()) == (2, 3, 2)
    log_view(SYSTEM_ACTOR, page="audit.index", subject="No patient")
    done = cli.invoke(args=["audit", "verify"], catch_exceptions=False)
    assert "What auditors were shown: 3 sealed; the newest 1 are not sealed yet." in done.stdout
    assert done.exit_code == 0


@pytest.mark.parametrize(
    "statement, line",
    [
        (
            "UPDATE view_entry SET subject = 'Nothing' WHERE id = 2",
            "view 2: it was changed after it was sealed (seal 1)",
        ),
        ("DELETE FROM view_entry WHERE id = 3", "view 3: it is gone, though seal 2 holds it"),
        (
            "UPDATE view_entry SET id = -1 WHERE id = 1",
            "view -1: it was slipped in behind seal 1",
        ),
    ],
)
def test_what_was_done_to_a_view_is_named(views: None, tamper: Tamper, statement: str, line: str) -> None:
    assert wrong() == []
    tamper(statement)
    assert line in wrong()


def test_seal_that_was_taken_out_or_made_nothing_of_is_named(views: None, tamper: Tamper) -> None:
    seal = f"SELECT id FROM audit_entry WHERE action = '{sealed_views.ACTION}' ORDER BY id LIMIT 1"
    tamper(f"UPDATE audit_payload SET payload = '{{}}' WHERE entry_id = ({seal})")
    lines = wrong()
    assert "view seal 1: it cannot be read any more" in lines
    assert "view seal 2: it does not follow the seal before" in lines


def test_hour_that_is_over_is_sealed_by_whoever_comes_first(app: Flask) -> None:
    with clock.frozen(LATER - timedelta(minutes=30)):
        log_view(SYSTEM_ACTOR, page="audit.index", subject="No patient")
    assert not is_due(db.session(), LATER - timedelta(minutes=20))
    upkeep.do_what_is_due(at=LATER)
    assert seals() == 1
    upkeep.do_what_is_due(at=LATER)
    assert seals() == 1


def test_two_who_seal_at_once_seal_once(app: Flask) -> None:
    log_view(SYSTEM_ACTOR, page="audit.index", subject="No patient")
    db.session.rollback()

    at_once(app, [lambda: seal_views(actor=SYSTEM_ACTOR, at=LATER)] * 2)
    assert seals() == 1
    assert wrong() == []
