"""The register of reports, whatever they are about: an entry under the next number, then its files, then who takes them.

Laws kept here: an issued report is never changed (4), and it names the head of the chain it shows (10). A report that is
interrupted between its entry and its files keeps its number.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, BinaryIO, Literal
from uuid import UUID

from sqlalchemy import select

from inventory.audit.acts import Act, Outcome, perform
from inventory.audit.models import AuditEntry
from inventory.clinic.models import CounterKind
from inventory.clinic.numbers import next_number
from inventory.kernel.db import db
from inventory.kernel.errors import Refusal
from inventory.kernel.ids import uuid7
from inventory.kernel.permissions import SYSTEM_USER_ID, Actor, Permission
from inventory.reports.kinds import ReportKind, may_issue, may_read
from inventory.reports.manifest import Manifest
from inventory.reports.models import Report, ReportFile
from inventory.reports.queries.issued import IssuedReport, issued_report
from inventory.reports.queries.parameters import written
from inventory.reports.queries.superseded import report_label
from inventory.reports.signing.known import clinic_words, known_key
from inventory.reports.signing.pdf import Words, sign_issued
from inventory.staff.presenters import days_words

FileFormat = Literal["pdf", "csv"]
_MOST_NUMBERS = 9
"""A report that is interrupted more often than that is not entered again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What the register keeps of a report: what it is about, and the head of the chain it shows.

    `facts` is what the trail says of it beside its number.
    """

    kind: ReportKind
    site_id: UUID
    site_code: str
    covers_all_sites: bool
    period_from: date
    period_to: date
    filters: tuple[tuple[str, str], ...]
    row_count: int
    head_seq: int
    head_hash: str
    patient_id: UUID | None = None
    recall_id: UUID | None = None
    parameters: Mapping[str, Any] | None = None
    """What selects its rows again."""
    facts: Mapping[str, Any] = field(default_factory=dict)


def refuse_unless(actor: Actor, permission: Permission) -> None:
    """Raise Refusal NOT-PERMITTED unless the actor holds the permission.

    Commands without a name act as `system:cli`, which holds no role: whoever can run them owns the machine.
    """
    _refuse(actor, is_permitted=actor.can(permission))


def _refuse(actor: Actor, *, is_permitted: bool) -> None:
    if actor.id != SYSTEM_USER_ID and not is_permitted:
        raise Refusal("NOT-PERMITTED", f"{actor.name} may not do this.", status=403)


def refuse_reader(actor: Actor, kind: ReportKind) -> None:
    """Raise Refusal NOT-PERMITTED unless the actor may read reports of this kind."""
    _refuse(actor, is_permitted=may_read(actor, kind))


def refuse_issuer(actor: Actor, kind: ReportKind) -> None:
    """Raise Refusal NOT-PERMITTED unless the actor may issue a report of this kind."""
    _refuse(actor, is_permitted=may_issue(actor, kind))


def refuse_other_days(actor: Actor, entry: Entry) -> None:
    """Raise Refusal REPORT-DAYS for a report over days whose records the actor may not see."""
    if entry.period_from not in actor.days:
        raise Refusal(
            "REPORT-DAYS", f"Your account sees the records of {days_words(actor.days)} only.", "first_day"
        )
    if entry.period_to not in actor.days:
        raise Refusal(
            "REPORT-DAYS", f"Your account sees the records of {days_words(actor.days)} only.", "last_day"
        )


def take_number(entry: Entry, *, actor: Actor, at: datetime, request_key: str | None = None) -> Outcome:
    """Enter a report under its number as one act; the outcome names it.

    Raises Refusal as `known_key` before a number is taken: a report that could not be signed is not drawn either.
    """
    known_key(actor=actor, at=at)
    return perform(lambda act: enter(act, entry), actor=actor, at=at, request_key=request_key)


def take_number_anew(
    entry: Entry, *, actor: Actor, at: datetime, request_key: str | None, resumes: bool
) -> Outcome:
    """As `take_number`, for what shows a running state: with `resumes`, a report that the same request entered and that was interrupted
    keeps its number, and this one, which shows what is there now, is entered under the next.
    """
    outcome = take_number(entry, actor=actor, at=at, request_key=request_key)
    for key in keys_of(request_key)[1:] if request_key and resumes else ():
        if not outcome.repeated or issued_report(outcome.subject_id).files:
            break
        outcome = take_number(entry, actor=actor, at=at, request_key=key)
    return outcome


def keys_of(request_key: str) -> list[str]:
    """Return the keys under which one request may have entered reports: the newest has the last that is known."""
    return [request_key, *(f"{request_key}-{n}" for n in range(2, _MOST_NUMBERS + 1))]


def interrupted(request_key: str | None) -> IssuedReport | None:
    """Return the report that was entered under the key of a request and has no files yet, if there is one."""
    entered = select(AuditEntry.subject_id).where(
        AuditEntry.request_key == request_key, AuditEntry.subject_type == "report"
    )
    report_id = db.session.scalar(entered) if request_key else None
    report = issued_report(report_id) if report_id else None
    return None if report is None or report.files else report


def enter(act: Act, entry: Entry) -> Outcome:
    """Inside an act: enter a report under the site's next number; the outcome names it."""
    refuse_other_days(act.actor, entry)
    report_id, number = uuid7(), next_number(act.session, entry.site_id, CounterKind.REPORT)
    values = {
        "id": report_id,
        "kind": entry.kind,
        "number": number,
        "site_id": entry.site_id,
        "covers_all_sites": entry.covers_all_sites,
        "period_from": entry.period_from,
        "period_to": entry.period_to,
        "filters": json.dumps(entry.filters),
        "row_count": entry.row_count,
        "issued_at": act.recorded_at,
        "actor_id": act.actor.id,
        "actor_name": act.actor.name,
        "head_seq": entry.head_seq,
        "head_hash": entry.head_hash,
        "recall_id": entry.recall_id,
        "parameters": None if entry.parameters is None else written(entry.parameters),
    }
    act.insert(Report, values)
    facts = {"report": report_label(entry.site_code, number), **entry.facts}
    return act.record(
        "reports.issue", "report", report_id, site_id=entry.site_id, patient_id=entry.patient_id, facts=facts
    )


def store_files(
    report: IssuedReport,
    files: Mapping[FileFormat, BinaryIO],
    *,
    manifest: Manifest | None = None,
    secret_salt: str | None = None,
    actor: Actor,
    at: datetime,
) -> None:
    """Sign the PDF of a report with its manifest attached, and store its files as one act.

    `secret_salt` is kept where the manifest does not tell the salt of its rows itself. Raises Refusal as `known_key` and SIGNING-TIMESTAMP;
    the report then keeps its number, and has no files: none is stored unsigned.
    """
    key = known_key(actor=actor, at=at)
    about: dict[str, str | None] = {
        "manifest_sha256": manifest.sha256 if manifest else None,
        "manifest_salt": secret_salt,
        "key_sha256": key.fingerprint,
    }

    def store(act: Act) -> Outcome:
        hashes = {
            file_format: _store_file(act, report.id, file_format, file, about)
            for file_format, file in files.items()
        }
        facts: dict[str, Any] = {"report": report.label, "sha256": hashes, "key": key.fingerprint}
        if manifest is not None:
            facts["manifest_sha256"] = manifest.sha256
        return act.record("reports.store", "report", report.id, facts=facts)

    words = Words(clinic_words(), f"Issued as report {report.label}", f"Issued by {actor.name}")
    sign_issued(files["pdf"], manifest, key=key, words=words)
    # Two workers may have drawn it, where the first was slow and taken to be gone.
    perform(store, actor=actor, at=at, request_key=f"files-{report.id.hex}")


def _store_file(
    act: Act, report_id: UUID, file_format: FileFormat, file: BinaryIO, about: Mapping[str, str | None]
) -> str:
    file.seek(0)
    content = file.read()
    sha256 = hashlib.sha256(content).hexdigest()
    values = {"report_id": report_id, "format": file_format, "sha256": sha256, "content": content, **about}
    if file_format == "csv":
        values["key_sha256"] = None  # signed by nobody: the signed manifest vouches for its rows
    act.insert(ReportFile, values)
    return sha256
