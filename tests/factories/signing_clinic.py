"""A clinic whose reports are signed as they are stored, by a throwaway key."""

import hashlib
import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, BinaryIO
from unittest import mock
from uuid import UUID

from sqlalchemy import insert

from inventory.audit.acts import Act, Outcome, perform
from inventory.kernel.db import unit_of_work
from inventory.kernel.ids import uuid7
from inventory.kernel.permissions import SYSTEM_ACTOR
from inventory.reports import manifest, register
from inventory.reports.models import ReportRevision, SigningKey
from tests.factories import signed_reports as made
from tests.factories.reports import RECORDED_AT


@contextmanager
def signing(key: made.SigningKey) -> Iterator[None]:
    """Sign every report that is stored meanwhile."""
    store = register.store_files

    def signed(
        report: Any, files: Mapping[str, BinaryIO], *, manifest: manifest.Manifest, **others: Any
    ) -> None:
        pdf = files["pdf"]
        pdf.seek(0)
        written = io.BytesIO(made.make_report(manifest, key=key, pdf=pdf.read()))
        store(report, {**files, "pdf": written}, manifest=manifest, **others)

    with mock.patch.object(register, "store_files", signed):
        yield


def keep_key(key: made.SigningKey, at: Any = RECORDED_AT) -> None:
    """Let the clinic's register of keys have this one, as the newest."""
    values = {"id": uuid7(), "fingerprint": key.fingerprint, "certificate": "invented", "made_at": at}
    with unit_of_work() as session:
        session.execute(insert(SigningKey).values(**values, actor_id=SYSTEM_ACTOR.id, source="made"))


def keep_revision(report_id: UUID, number: int, content: bytes) -> None:
    """Store a report as it is after a further signature."""

    def keep(act: Act) -> Outcome:
        values = {
            "report_id": report_id,
            "number": number,
            "sha256": hashlib.sha256(content).hexdigest(),
            "content": content,
            "previous_sha256": "0" * 64,
            "at": act.recorded_at,
        }
        act.insert(ReportRevision, values)
        return act.record("reports.sign", "report", report_id)

    perform(keep, actor=SYSTEM_ACTOR, at=RECORDED_AT)
