"""Pseudonyms for people and doses: stable in one clinic, and resolved by nobody without its secret.

A pseudonym is the beginning of an HMAC-SHA256 of the row's id under a key that is derived from the clinic's SECRET_KEY: `P-` and
ten letters or digits for a patient, `G-` for a giver, `D-` for a dose. Another secret gives other pseudonyms, so a report keeps a
mark of the key that it was made with.
"""

import base64
import hashlib
import hmac
from collections.abc import Iterator
from datetime import date
from uuid import UUID

from flask import current_app
from sqlalchemy import select

from inventory.kernel.db import db
from inventory.patients.models import Patient
from inventory.reports.documents.administration_row import AdministrationRow, Practitioner
from inventory.reports.queries.administrations import IdentifiedRow

FORMAT = "pseudonymised/1"
_LENGTH = 10
_OLDEST_BAND = 90


def key() -> bytes:
    """The clinic's key for pseudonyms."""
    secret = str(current_app.config["SECRET_KEY"]).encode()
    return hmac.digest(secret, b"pseudonyms/1", "sha256")


def mark_of(secret: bytes) -> str:
    """What tells this key from another without telling it."""
    return hashlib.sha256(b"mark:" + secret).hexdigest()[:16]


def pseudonym(secret: bytes, prefix: str, subject_id: UUID) -> str:
    """The pseudonym of a row: `P-7K2M9QWX4A`."""
    digest = hmac.digest(secret, prefix.encode() + subject_id.bytes, "sha256")
    return f"{prefix}-{base64.b32encode(digest).decode()[:_LENGTH]}"


def age_band(born_on: date | None, on: date) -> str:
    """Ten years of age in which somebody was on a day: `40 to 49`; from ninety on they are one."""
    if born_on is None:
        return "not recorded"
    age = on.year - born_on.year - ((on.month, on.day) < (born_on.month, born_on.day))
    band = max(age, 0) // 10 * 10
    return f"{_OLDEST_BAND} and older" if band >= _OLDEST_BAND else f"{band} to {band + 9}"


def pseudonymised(rows: Iterator[IdentifiedRow], secret: bytes) -> Iterator[AdministrationRow]:
    """Yield the rows without what names somebody: names, record numbers, birth dates, numbers of doses, and every free text."""
    for row, dose_id, patient_id, giver_id in rows:
        band = age_band(row.patient_born_on, row.given_at.date())
        row.number = pseudonym(secret, "D", dose_id)
        row.patient_name = pseudonym(secret, "P", patient_id)
        row.patient_record, row.patient_born_on, row.patient_age = "", None, band
        row.giver = Practitioner(pseudonym(secret, "G", giver_id), "")
        row.indication, row.remarks = "", ()
        yield row


def resolved(code: str) -> Patient | None:
    """Return the patient whose pseudonym this is, if it is anybody's."""
    secret, wanted = key(), code.strip().upper()
    for patient_id in db.session.scalars(select(Patient.id)):
        if hmac.compare_digest(pseudonym(secret, "P", patient_id), wanted):
            return db.session.get(Patient, patient_id)
    return None
