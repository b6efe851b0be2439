"""Once a day the head of the chain is given to be held elsewhere, and such heads are looked for in the chain."""

import email
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.policy import default
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner
from sqlalchemy import select

from inventory.audit import publishing, upkeep
from inventory.audit.held_heads import HeldHead, HeldHeadError, read_heads
from inventory.audit.models import AuditEntry, AuditHead, AuditLink
from inventory.audit.publishing import FAILED, GIVEN
from inventory.audit.verification import Verification
from inventory.kernel.db import db
from inventory.kernel.permissions import SYSTEM_ACTOR, Role
from tests.factories.patients import make_patient
from tests.factories.stock import make_place
from tests.integration.audit.test_verify import Tamper, tamper
from tests.support.at_once import at_once
from tests.support.client import CheckingClient
from tests.support.mail_server import LOOPBACK, MailServer, mail_server

__all__ = ["tamper"]

MONDAY = datetime(2026, 3, 16, 9, 30, tzinfo=UTC)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "heads.txt"


@pytest.fixture
def settings(file: Path) -> dict[str, object]:
    return {"HEADS_FILE": str(file)}


@pytest.fixture
def mail(app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MailServer]:
    """A mail server that the clinic is to send its heads by."""
    with mail_server(tmp_path) as server:
        monkeypatch.setenv("SSL_CERT_FILE", str(server.certificate))
        app.config.update(
            HEADS_FILE=None,
            HEADS_MAIL_TO=["auditor@example.org", "owner@example.org"],
            SMTP_HOST=LOOPBACK,
            SMTP_PORT=server.port,
            SMTP_TLS="starttls",
            SMTP_FROM="clinic@example.org",
            SMTP_USER="clinic",
            SMTP_PASSWORD="a password for tests",
        )
        yield server


def lines(file: Path) -> list[str]:
    return file.read_text(encoding="utf-8").splitlines() if file.exists() else []


def actions() -> list[str]:
    db.session.rollback()
    given = select(AuditEntry.action).where(AuditEntry.action.in_((GIVEN, FAILED)))
    return list(db.session.scalars(given.order_by(AuditEntry.id)))


def hash_at(seq: int) -> str:
    db.session.rollback()
    return db.session.scalars(select(AuditLink.hash).where(AuditLink.seq == seq)).one()


def test_a_line_is_added_once_a_day_and_is_in_the_chain(app: Flask, file: Path, cli: FlaskCliRunner) -> None:
    make_patient(has_baseline=False)
    for hours in (0, 5, 24, 25, 48):
        upkeep.do_what_is_due(at=MONDAY + timedelta(hours=hours))
    assert [line.split("\t")[0] for line in lines(file)] == [
        f"2026-03-{day}T09:30:00Z" for day in (16, 17, 18)
    ]
    assert lines(file)[0].split("\t")[2:] == ["1", hash_at(1)]
    assert actions() == [GIVEN] * 3
    checked = cli.invoke(args=["audit", "verify", "--heads", str(file)])
    assert "Held elsewhere: 3 heads, all of them in this chain." in checked.output
    assert checked.exit_code == 0


def test_is_given_once_whoever_tries_beside(app: Flask, file: Path) -> None:
    make_patient(has_baseline=False)

    def give() -> str:
        return publishing.publish_head(actor=SYSTEM_ACTOR, channel="file", at=MONDAY)

    assert at_once(app, [give] * 6) == [""] * 6
    assert len(lines(file)) == 1
    assert actions() == [GIVEN]


def test_nothing_is_given_where_nothing_is_configured(app: Flask, file: Path, cli: FlaskCliRunner) -> None:
    app.config["HEADS_FILE"] = None
    upkeep.do_what_is_due(at=MONDAY)
    assert not file.exists()
    assert actions() == []
    assert "Neither HEADS_FILE nor HEADS_MAIL_TO is set" in cli.invoke(args=["audit", "publish-head"]).output


def test_the_command_gives_it_at_once_and_again(app: Flask, file: Path, cli: FlaskCliRunner) -> None:
    for _ in range(2):
        assert cli.invoke(args=["audit", "publish-head"]).output == "Given to the file.\n"
    assert len(lines(file)) == 2


def test_a_file_that_cannot_be_written_breaks_nothing_and_is_shown(
    app: Flask,
    file: Path,
    at_instant: Callable[[datetime], None],
    signed_in_client: Callable[..., CheckingClient],
) -> None:
    at_instant(MONDAY)
    make_place()
    file.mkdir()
    auditor = signed_in_client(Role.AUDITOR)
    auditor.get("/audit").close()
    assert actions() == [GIVEN, FAILED]
    shown = auditor.get("/audit").get_data(as_text=True)
    assert "was not given to the file" in shown
    assert "Is a directory" in shown
    file.rmdir()
    upkeep.do_what_is_due(at=MONDAY + timedelta(minutes=59))
    assert lines(file) == []
    upkeep.do_what_is_due(at=MONDAY + timedelta(minutes=60))
    assert len(lines(file)) == 1
    assert "was not given" not in auditor.get("/audit").get_data(as_text=True)
    assert list(Verification(db.session()).whole()) == []


def test_a_line_that_was_cut_short_does_not_spoil_the_next(app: Flask, file: Path) -> None:
    file.write_text("2026-03-15T09:30:00Z\tRiver", encoding="utf-8")
    upkeep.do_what_is_due(at=MONDAY)
    assert len(lines(file)) == 2
    assert next(read_heads(lines(file)[1:])).seq == 0


def test_mails_the_head_over_tls_with_a_password(app: Flask, mail: MailServer) -> None:
    make_patient(has_baseline=False)
    head = db.session.scalars(select(AuditHead.hash)).one()
    for hours in (0, 1):
        upkeep.do_what_is_due(at=MONDAY + timedelta(hours=hours))
    assert actions() == [GIVEN]
    assert mail.secured == [True]
    assert mail.signed_in == ["\0clinic\0a password for tests"]
    message = email.message_from_string(mail.messages[0], policy=default)
    assert message["To"] == "auditor@example.org, owner@example.org"
    said = message.get_content().splitlines()
    assert [(one.seq, one.hash) for one in read_heads(said[:1])] == [(1, head)]


def test_does_not_speak_to_a_mail_server_it_cannot_trust(
    app: Flask, mail: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    upkeep.do_what_is_due(at=MONDAY)
    assert actions() == [GIVEN, FAILED]
    assert (mail.signed_in, mail.messages) == ([], [])
    found = publishing.newest(db.session(), "mail")
    assert found is not None
    assert "CERTIFICATE_VERIFY_FAILED" in found.why


def test_a_mail_that_is_refused_is_tried_again_an_hour_later(
    app: Flask, mail: MailServer, cli: FlaskCliRunner
) -> None:
    mail.refuses = "550 no such person"
    upkeep.do_what_is_due(at=MONDAY)
    assert actions() == [GIVEN, FAILED]
    refused = cli.invoke(args=["audit", "publish-head"])
    assert refused.exit_code == 1
    assert "no such person" in refused.output
    mail.refuses = ""
    later = db.session.scalars(select(AuditEntry.recorded_at).order_by(AuditEntry.id.desc())).first()
    assert later is not None
    upkeep.do_what_is_due(at=later + timedelta(hours=1))
    assert len(mail.messages) == 1


# Heads that somebody held ----------------------------------------------------------------------------------------


@pytest.fixture
def held(app: Flask, file: Path, at: datetime) -> list[HeldHead]:
    """Three heads of three days, with a patient entered before each."""
    for days in range(3):
        make_patient(has_baseline=False)
        upkeep.do_what_is_due(at=MONDAY + timedelta(days=days))
    return list(read_heads(lines(file)))


def wrong(held: list[HeldHead]) -> list[str]:
    db.session.rollback()
    return list(Verification(db.session(), held_heads=held).whole())


def test_names_the_line_whose_head_is_another(held: list[HeldHead]) -> None:
    assert wrong(held) == []
    other = HeldHead(MONDAY, "A clinic", 3, "a" * 64, 2)
    assert wrong([held[0], other]) == [
        "audit entry 3: its hash is not the one that was held on 2026-03-16 09:30 (line 2)"
    ]
    assert wrong([HeldHead(MONDAY, "A clinic", 0, "a" * 64, 1)]) == [
        "audit entry 0: its hash is not the one that was held on 2026-03-16 09:30 (line 1)"
    ]


def test_a_trail_cut_short_lacks_the_head_that_stood_beyond_its_end(
    held: list[HeldHead], tamper: Tamper, cli: FlaskCliRunner, file: Path
) -> None:
    assert held[-1].seq == 5
    tamper(
        "UPDATE audit_head SET seq = 4, hash = (SELECT hash FROM audit_link WHERE seq = 4)",
        "DELETE FROM audit_payload WHERE entry_id IN (SELECT entry_id FROM audit_link WHERE seq > 4)",
        "CREATE TEMPORARY TABLE cut AS SELECT entry_id FROM audit_link WHERE seq > 4",
        "DELETE FROM audit_link WHERE seq > 4",
        "DELETE FROM audit_entry WHERE id IN (SELECT entry_id FROM cut)",
    )
    assert wrong([]) == []
    done = cli.invoke(args=["audit", "verify", "--heads", str(file)])
    assert done.exit_code == 1
    said = "the head of 2026-03-18 09:30 (line 3) is not in this chain: it stood at entry 5, and the chain ends at entry 4"
    assert done.output.splitlines()[1:] == [said]


@pytest.mark.parametrize(
    "text,said",
    [
        ("", "holds no head"),
        ("no head\n", "line 1 is not a head"),
        (f"yesterday\tA\t1\t{'a' * 64}\n", "line 1 does not begin with a time"),
        (f"2026-03-16T09:30:00Z\tA\t1\t{'a' * 63}\n", "line 1 is not a head"),
    ],
)
@pytest.mark.parametrize("engine_kind", ["sqlite"])
def test_a_file_that_holds_no_heads_is_refused(
    app: Flask, file: Path, cli: FlaskCliRunner, text: str, said: str
) -> None:
    file.write_text(text, encoding="utf-8")
    refused = cli.invoke(args=["audit", "verify", "--heads", str(file)])
    assert refused.exit_code == 1
    assert said in refused.output


def test_a_line_comes_back_as_it_went() -> None:
    head = HeldHead(MONDAY, "St\tMary's\n Clinic, Riverside", 12, "ab" * 32)
    line = str(head)
    assert line.count("\t") == 3
    (back,) = read_heads(["", line])
    assert (back.at, back.seq, back.hash, back.line) == (head.at, 12, head.hash, 2)
    assert back.clinic == "St Mary's Clinic, Riverside"
    (again,) = read_heads([re.sub("\t", "   ", line)])
    assert again.seq == 12
    with pytest.raises(HeldHeadError):
        list(read_heads([line[:-1]]))
