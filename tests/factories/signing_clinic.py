"""The key with which a test's clinic signs its reports, for signatures that the clinic did not make through its services."""

from datetime import datetime

from sqlalchemy import insert

from inventory.kernel.db import unit_of_work
from inventory.kernel.ids import uuid7
from inventory.kernel.permissions import SYSTEM_ACTOR
from inventory.reports.models import SigningKey
from inventory.reports.signing import keys
from tests.factories import signed_reports as made
from tests.factories.reports import RECORDED_AT


def clinic_key() -> made.SigningKey:
    """Return the key in use."""
    key = keys.present_key("Invented Clinic", at=RECORDED_AT)
    return made.SigningKey(key.private, key.certificate)


def keep_key(key: made.SigningKey, at: datetime) -> None:
    """Let the clinic's register of keys have this one, as the newest."""
    values = {"id": uuid7(), "fingerprint": key.fingerprint, "certificate": "invented", "known_at": at}
    with unit_of_work() as session:
        session.execute(insert(SigningKey).values(**values, actor_id=SYSTEM_ACTOR.id, is_own=False))
