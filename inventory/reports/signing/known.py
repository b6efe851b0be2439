"""The key that signs now, known to the database before it signs anything: what it signed is told from a stranger's for good."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from flask import current_app
from sqlalchemy import select
from sqlalchemy.orm import Session

from inventory.audit.acts import Act, Outcome, perform
from inventory.clinic.first_visit import set_up_steps
from inventory.clinic.settings import current_settings
from inventory.kernel.db import db
from inventory.kernel.errors import Refusal
from inventory.kernel.ids import uuid7
from inventory.kernel.laws import means
from inventory.kernel.permissions import SYSTEM_ACTOR, Actor
from inventory.reports.models import SigningKey as KnownKey
from inventory.reports.signing import keys

_KNOWN_ALREADY = "SIGNING-KEY-KNOWN"
means(
    Refusal(_KNOWN_ALREADY, "This key is known already."),
    constraint="uq_signing_key_fingerprint",
    columns="signing_key.fingerprint",
)


def clinic_words() -> str:
    """Return the clinic's name as a report prints it."""
    return current_settings().clinic_name or "Clinic without a name"


def known_key(*, actor: Actor, at: datetime) -> keys.SigningKey:
    """Return the key that signs now; the first time it is written down in the trail. Raises Refusal as `keys.present_key`."""
    key = keys.present_key(clinic_words(), at=at)
    if db.session.scalar(select(KnownKey.id).where(KnownKey.fingerprint == key.fingerprint)) is None:
        introduce(key, actor=actor, at=at)
    return key


def rotate_key(*, actor: Actor, at: datetime) -> keys.SigningKey:
    """Make a new key and sign with it from now on. What was signed before stays verifiable: its certificate is kept.

    Raises Refusal SIGNING-KEY-OWN where the clinic brings its key along, and SIGNING-KEY-UNREADABLE as `keys.present_key`.
    """
    if current_app.config["SIGNING_P12"]:
        said = "The clinic signs with a key of its own (SIGNING_P12). Put another file in its place."
        raise Refusal("SIGNING-KEY-OWN", said, status=409)
    path = Path(current_app.config["SIGNING_KEY_FILE"])
    made = keys.make_key(clinic_words(), at=at)
    keys.keep_key(path, made, password=keys.password(), in_place=path.exists())
    return known_key(actor=actor, at=at)


def signing_now() -> str | None:
    """Return the fingerprint of the key that would sign now, known or not; None where none can be opened, or is made yet."""
    try:
        key = keys.kept_key()
    except Refusal:
        return None
    return key.fingerprint if key else None


def known_keys(session: Session) -> Sequence[KnownKey]:
    """Return every key that ever signed, the newest first."""
    return session.scalars(select(KnownKey).order_by(KnownKey.known_at.desc(), KnownKey.id.desc())).all()


def introduce(key: keys.SigningKey, *, actor: Actor, at: datetime) -> None:
    """Write a key down in the trail, once: it signs for the clinic from now on."""

    def write(act: Act) -> Outcome:
        values = {
            "id": uuid7(),
            "fingerprint": key.fingerprint,
            "certificate": key.pem,
            "is_own": key.is_own,
            "known_at": act.recorded_at,
            "actor_id": act.actor.id,
        }
        made = act.insert(KnownKey, values)
        return act.record("reports.signing-key", "signing_key", made, facts={"fingerprint": key.fingerprint})

    try:
        perform(write, actor=actor, at=at)
    except Refusal as refusal:
        # Somebody introduced the same key at the same moment.
        if refusal.code != _KNOWN_ALREADY:
            raise


# An auditor can be given the fingerprint before the first report is issued.
set_up_steps.append(lambda at: known_key(actor=SYSTEM_ACTOR, at=at))
