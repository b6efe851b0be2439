"""What falls due by the clock is done by whoever comes first: after a request was answered, at most once a minute.

It needs no service beside the clinic. The person who asked has the page already; what goes wrong here is logged, and tried again.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

from flask import Flask, Response, request
from sqlalchemy.exc import SQLAlchemyError

from inventory.audit import publishing, sealed_views, sealing
from inventory.kernel import clock
from inventory.kernel.db import db
from inventory.kernel.errors import Refusal
from inventory.kernel.permissions import SYSTEM_ACTOR

AGAIN_AFTER = timedelta(minutes=1)


@dataclass(slots=True)
class Upkeep:
    """Of one process: who is at it, and when to look again."""

    lock: Lock
    not_before: datetime | None = None


def init_app(app: Flask) -> None:
    """Have each answered request see whether something is due: no more than a comparison, nearly always."""
    upkeep = Upkeep(Lock())

    @app.after_request
    def see(response: Response) -> Response:
        now = clock.now()
        if request.endpoint != "static" and (upkeep.not_before is None or now >= upkeep.not_before):
            response.call_on_close(lambda: _once(app, upkeep, now))
        return response


def _once(app: Flask, upkeep: Upkeep, now: datetime) -> None:
    """Do what is due, unless somebody of this process is at it."""
    if not upkeep.lock.acquire(blocking=False):
        return
    try:
        upkeep.not_before = now + AGAIN_AFTER
        with app.app_context():
            do_what_is_due(at=now)
    except (SQLAlchemyError, Refusal):
        app.logger.exception("What was due could not be done; it is tried again in a minute.")
    finally:
        upkeep.lock.release()


def do_what_is_due(*, at: datetime) -> None:
    """Seal the looks and what auditors were shown in the hours before, and give the head of the day to whoever is to hold it."""
    session = db.session()
    if sealing.is_due(session, at):
        sealing.seal_looks(actor=SYSTEM_ACTOR, at=at)
    if sealed_views.is_due(session, at):
        sealed_views.seal_views(actor=SYSTEM_ACTOR, at=at)
    for channel in publishing.channels():
        if publishing.is_due(session, channel, at):
            publishing.publish_head(actor=SYSTEM_ACTOR, channel=channel, at=at)
