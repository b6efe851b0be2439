"""The key with which a test's clinic signs its reports, for signatures that the clinic did not make through its services."""

from datetime import datetime

from inventory.kernel.permissions import SYSTEM_ACTOR
from inventory.reports.signing import keys
from inventory.reports.signing.known import introduce
from tests.factories import signed_reports as made
from tests.factories.reports import RECORDED_AT


def clinic_key() -> made.SigningKey:
    """Return the key in use."""
    key = keys.present_key("Invented Clinic", at=RECORDED_AT)
    return made.SigningKey(key.private, key.certificate)


def keep_key(key: made.SigningKey, at: datetime) -> None:
    """Let the clinic's register of keys have this one, as the newest."""
    own = keys.SigningKey(key.private, key.certificate, is_own=False)
    introduce(own, actor=SYSTEM_ACTOR, at=at)
