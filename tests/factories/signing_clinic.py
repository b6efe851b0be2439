"""A clinic whose reports are signed by a throwaway key of the test's own."""

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock
from uuid import UUID

from flask import current_app

from inventory.audit.acts import Act, Outcome, perform
from inventory.kernel.permissions import SYSTEM_ACTOR
from inventory.reports.models import Meaning, ReportRevision
from inventory.reports.signing import keys
from inventory.reports.signing.known import introduce
from tests.factories import signed_reports as made
from tests.factories.reports import RECORDED_AT


@contextmanager
def signing(key: made.SigningKey) -> Iterator[None]:
    """Sign every report that is stored meanwhile with this key."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "signing_key.p12"
        keys.keep_key(path, _of_clinic(key), password=keys.password())
        with mock.patch.dict(current_app.config, SIGNING_KEY_FILE=str(path)):
            yield


def keep_key(key: made.SigningKey, at: Any = RECORDED_AT) -> None:
    """Let the clinic's register of keys have this one, as the newest."""
    introduce(_of_clinic(key), actor=SYSTEM_ACTOR, at=at)


def _of_clinic(key: made.SigningKey) -> keys.SigningKey:
    return keys.SigningKey(key.private, key.certificate, is_own=False)


def keep_revision(report_id: UUID, number: int, content: bytes) -> None:
    """Store a report as it is after a further signature."""

    def keep(act: Act) -> Outcome:
        values = {
            "report_id": report_id,
            "number": number,
            "meaning": Meaning.REVIEWED,
            "note": "",
            "signed_at": act.recorded_at,
            "signer_id": act.actor.id,
            "signer_name": act.actor.name,
            "signer_credential": "",
            "key_sha256": "0" * 64,
            "previous_sha256": "0" * 64,
            "sha256": hashlib.sha256(content).hexdigest(),
            "content": content,
        }
        act.insert(ReportRevision, values)
        return act.record("reports.sign", "report", report_id)

    perform(keep, actor=SYSTEM_ACTOR, at=RECORDED_AT)
