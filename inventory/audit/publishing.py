"""The head of the chain is given to be held elsewhere: once a day, added to a file and mailed, as it is configured (law 10).

Each giving is an act of its own, taken before it is tried, so that it is tried once whoever tries beside; one that failed leaves
a second entry that says why, and is tried again after RETRY_AFTER. Nothing waits for it: not a page, not a transaction.
"""

import os
import smtplib
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from uuid import UUID

from flask import current_app
from sqlalchemy import select
from sqlalchemy.orm import Session

from inventory.audit.acts import Act, Outcome, perform
from inventory.audit.held_heads import HeldHead
from inventory.audit.models import AuditEntry, AuditHead, AuditPayload
from inventory.audit.queries import payload_of
from inventory.kernel import clock
from inventory.kernel.db import db
from inventory.kernel.ids import uuid7
from inventory.kernel.permissions import Actor
from inventory.web.presenting import clinic_name

GIVEN, FAILED = "audit.publish-head", "audit.fail-to-publish-head"
RETRY_AFTER = timedelta(hours=1)
SMTP_SECONDS = 15
FILE, MAIL = "file", "mail"


@dataclass(frozen=True, slots=True)
class Published:
    """The newest giving of a head through one channel; `why` is empty where it did not fail."""

    channel: str
    at: datetime
    seq: int
    why: str = ""


def channels() -> list[str]:
    """Return the channels that are configured."""
    config = current_app.config
    return [name for name, wanted in ((FILE, "HEADS_FILE"), (MAIL, "HEADS_MAIL_TO")) if config.get(wanted)]


def newest(session: Session, channel: str) -> Published | None:
    """Return the newest giving through a channel; None where there was none yet."""
    entry = AuditEntry
    found = session.execute(
        select(entry.action, entry.recorded_at, AuditPayload.payload)
        .join(AuditPayload, AuditPayload.entry_id == entry.id)
        .where(entry.action.in_((GIVEN, FAILED)), entry.subject_type == _subject(channel))
        .order_by(entry.recorded_at.desc(), entry.id.desc())
        .limit(1)
    ).first()
    if found is None:
        return None
    facts = payload_of(found.payload).get("facts", {})
    why = str(facts.get("why", "")) if found.action == FAILED else ""
    return Published(channel, found.recorded_at, int(facts.get("seq", 0)), why)


def given(session: Session) -> list[Published]:
    """Return the newest giving through each channel that is configured."""
    return [found for channel in channels() if (found := newest(session, channel))]


def is_due(session: Session, channel: str, at: datetime) -> bool:
    """Tell whether today's head (UTC) still has to be given, and was not refused a moment ago."""
    last = newest(session, channel)
    if last is None:
        return True
    return at - last.at >= RETRY_AFTER if last.why else last.at.date() < at.date()


def publish_head(*, actor: Actor, channel: str, at: datetime | None = None, again: bool = False) -> str:
    """Give the present head through `channel`; return what went wrong, in words, or nothing.

    Where it was given today already, or is being given at this moment, nothing is done, unless it is to be given `again`.
    """
    instant = at or clock.now()
    session = db.session()
    last = newest(session, channel)
    if not again and not is_due(session, channel, instant):
        return ""
    given = {"channel": channel, **_head(session)}
    # Whoever saw the same newest giving asks with the same key, and only one of them is the first.
    key = None if again else f"publish-head/{channel}/{instant:%Y-%m-%d}/{last.at.timestamp() if last else 0}"
    claim = perform(_recording(GIVEN, uuid7(), given), actor=actor, at=instant, request_key=key)
    if claim.repeated:
        return ""
    why = _tried(channel, HeldHead(instant, clinic_name(), given["seq"], given["hash"]))
    if why:
        current_app.logger.error("The head of the chain was not given to the %s: %s", channel, why)
        perform(_recording(FAILED, claim.subject_id, {**given, "why": why}), actor=actor, at=instant)
    return why


def _recording(action: str, subject_id: UUID, facts: Mapping[str, Any]) -> Callable[[Act], Outcome]:
    return lambda act: act.record(action, _subject(facts["channel"]), subject_id, facts=facts)


def _subject(channel: str) -> str:
    return f"head-{channel}"


def _head(session: Session) -> dict[str, Any]:
    session.rollback()
    return dict(session.execute(select(AuditHead.seq, AuditHead.hash)).mappings().one())


def _tried(channel: str, head: HeldHead) -> str:
    """Give the head; return what went wrong."""
    db.session.rollback()
    try:
        {FILE: _add_to_file, MAIL: _mail}[channel](head)
    except (OSError, smtplib.SMTPException) as error:
        return f"{type(error).__name__}: {error}"[:300]
    return ""


def _add_to_file(head: HeldHead) -> None:
    with Path(current_app.config["HEADS_FILE"]).open("a+b") as file:
        # A line that was cut short stays a line of its own, and does not spoil this one.
        if file.seek(0, os.SEEK_END):
            file.seek(-1, os.SEEK_END)
        cut = file.read(1) not in {b"", b"\n"}
        file.write(b"\n" * cut + f"{head}\n".encode())
        file.flush()
        os.fsync(file.fileno())


def _mail(head: HeldHead) -> None:
    config = current_app.config
    message = EmailMessage()
    message["Subject"] = f"Head of the trail: {' '.join(head.clinic.split())}, entry {head.seq}"
    message["From"] = config["SMTP_FROM"]
    message["To"] = ", ".join(config["HEADS_MAIL_TO"])
    message.set_content(
        f"{head}\n\nKeep this message. Its line is the head of the clinic's trail: whoever holds it can show that nothing\n"
        "before it was changed (flask --app wsgi audit verify --heads FILE, with the line in FILE).\n"
    )
    with _connected(config) as server:
        if config["SMTP_USER"]:
            server.login(config["SMTP_USER"], config["SMTP_PASSWORD"])
        server.send_message(message)


def _connected(config: Mapping[str, Any]) -> smtplib.SMTP:
    place = (config["SMTP_HOST"], config["SMTP_PORT"])
    if config["SMTP_TLS"] == "tls":
        return smtplib.SMTP_SSL(*place, timeout=SMTP_SECONDS, context=ssl.create_default_context())
    server = smtplib.SMTP(*place, timeout=SMTP_SECONDS)
    if config["SMTP_TLS"] == "starttls":
        try:
            server.starttls(context=ssl.create_default_context())
        except BaseException:
            server.close()
            raise
    return server
