"""A reviewer's signature: one more on the PDF of a report, by somebody who has typed their password again.

Law kept here: an issued report is never changed (4). A signature is appended, and makes a revision with its own hash; every
revision stays.
"""

import hashlib
import io
import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

from pyhanko.pdf_utils.reader import PdfFileReader
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from inventory.audit.acts import Act, Outcome, perform
from inventory.kernel.db import db
from inventory.kernel.errors import Refusal
from inventory.kernel.permissions import Actor, Permission
from inventory.reports import register
from inventory.reports.documents.places import signature_places
from inventory.reports.documents.sign_off import lines_for
from inventory.reports.documents.signature_stamp import write_signature_stamp
from inventory.reports.keeping import refuse_erased
from inventory.reports.models import Meaning, Report, ReportRevision
from inventory.reports.queries.issued import IssuedReport, issued_report
from inventory.reports.queries.revisions import newest_pdf, newest_sha256
from inventory.reports.signing.keys import SigningKey
from inventory.reports.signing.known import known_key
from inventory.reports.signing.pdf import Words, sign_review, signed_on

MEANING_WORDS = {Meaning.REVIEWED: "Reviewed", Meaning.APPROVED: "Approved"}
_NOTE_LIMIT = 200


@dataclass(frozen=True, slots=True)
class Review:
    """What a reviewer's signature says, and a note that is printed with it. `seen_sha256` is the file that they saw."""

    meaning: Meaning
    note: str
    seen_sha256: str


def review_report(
    *, actor: Actor, at: datetime, report_id: UUID, review: Review, request_key: str | None = None
) -> Outcome:
    """Sign the newest PDF of a report once more, in the reviewer's name; the outcome's subject is the report.

    Raises Refusal NOT-PERMITTED, NOT-FOUND, REVIEW-TWICE for the same person and meaning, REVIEW-MEANWHILE where somebody else
    signed since the reviewer looked, REVIEW-FULL, REVIEW-NOTE, REPORT-CHANGED, REPORT-ERASED, and as `known_key` and `sign_review`.
    """
    report = issued_report(report_id)
    register.refuse_unless(actor, Permission.REPORT_SIGN)
    register.refuse_reader(actor, report.kind)
    if len(review.note) > _NOTE_LIMIT:
        raise Refusal("REVIEW-NOTE", f"At most {_NOTE_LIMIT} characters are printed.", "note")
    key = known_key(actor=actor, at=at)
    session = db.session()
    # Signed before the act, which nobody else's must wait for: a timestamp authority may take seconds. What cannot be signed any
    # more is refused by the act, unless it is the same request once more.
    signed = b""
    if newest_sha256(session, report_id) == review.seen_sha256:
        _refuse(session, actor, report_id, review)
        signed = _signed(_content(session, report_id), report, review, actor=actor, key=key, at=at)

    def write(act: Act) -> Outcome:
        _lock(act.session, report_id)
        _refuse(act.session, actor, report_id, review)
        number = _next(act.session, report_id)
        _insert(act, report_id, number, review, key=key, content=signed)
        facts = {
            "report": report.label,
            "meaning": review.meaning,
            "revision": number,
            "follows": review.seen_sha256,
        }
        return act.record("reports.review", "report", report_id, facts=facts)

    return perform(write, actor=actor, at=at, request_key=request_key)


def _lock(session: Session, report_id: UUID) -> None:
    """Let one signature after the other be made. On SQLite the act has the whole database to itself."""
    session.execute(select(Report.id).where(Report.id == report_id).with_for_update(key_share=True))


def _refuse(session: Session, actor: Actor, report_id: UUID, review: Review) -> None:
    refuse_erased(session, report_id)
    twice = select(ReportRevision.number).where(
        ReportRevision.report_id == report_id,
        ReportRevision.signer_id == actor.id,
        ReportRevision.meaning == review.meaning,
    )
    if session.scalar(twice) is not None:
        said = f"You have signed this report as {MEANING_WORDS[review.meaning].lower()} already."
        raise Refusal("REVIEW-TWICE", said, "meaning")
    if review.seen_sha256 != newest_sha256(session, report_id):
        said = "Somebody else signed this report after you opened it. Load the page, look at the newest file, then sign."
        raise Refusal("REVIEW-MEANWHILE", said, status=409)


def _content(session: Session, report_id: UUID) -> bytes:
    sha256, content = newest_pdf(session, report_id)
    if hashlib.sha256(content).hexdigest() != sha256:
        said = "The stored file is not the one that was issued. Tell the administrator."
        raise Refusal("REPORT-CHANGED", said, status=409)
    return content


def _next(session: Session, report_id: UUID) -> int:
    newest = session.scalar(
        select(func.max(ReportRevision.number)).where(ReportRevision.report_id == report_id)
    )
    return (newest or 1) + 1


def _signed(
    content: bytes, report: IssuedReport, review: Review, *, actor: Actor, key: SigningKey, at: datetime
) -> bytes:
    meaning = MEANING_WORDS[review.meaning]
    lines = [
        f"{meaning} by {actor.name}{f', {actor.credential}' if actor.credential else ''}, {signed_on(at)}",
        f"Signed in this clinic's system with its key, after the password was typed again. {review.note}".strip(),
    ]
    words = Words(
        actor.name,
        f"{meaning}: report {report.label}{f'. {review.note}' if review.note else ''}",
        f"Signed in, and by password, as {actor.name}",
    )
    pdf = io.BytesIO(content)
    with tempfile.TemporaryDirectory() as folder:
        stamp = Path(folder) / "stamp.pdf"
        with stamp.open("wb") as file:
            write_signature_stamp(file, _size_of_place(pdf), lines, created_at=at)
        sign_review(pdf, str(stamp), lines=lines_for(meaning), key=key, words=words)
    return pdf.getvalue()


def _size_of_place(pdf: BinaryIO) -> tuple[float, float]:
    places = signature_places(PdfFileReader(pdf, strict=False))
    if not places:
        raise Refusal(
            "REVIEW-NO-PLACE", "This report has no block for signatures. Issue it again.", status=409
        )
    left, bottom, right, top = (round(edge) for edge in places[0].box)
    return float(right - left), float(top - bottom)


def _insert(
    act: Act, report_id: UUID, number: int, review: Review, *, key: SigningKey, content: bytes
) -> None:
    values = {
        "report_id": report_id,
        "number": number,
        "meaning": review.meaning,
        "note": review.note,
        "signed_at": act.recorded_at,
        "signer_id": act.actor.id,
        "signer_name": act.actor.name,
        "signer_credential": act.actor.credential,
        "key_sha256": key.fingerprint,
        "previous_sha256": review.seen_sha256,
        "sha256": hashlib.sha256(content).hexdigest(),
        "content": content,
    }
    act.insert(ReportRevision, values)


def may_review(actor: Actor, report: IssuedReport) -> bool:
    """Tell whether the person may sign this report now, as far as it can be told beforehand."""
    return actor.can(Permission.REPORT_SIGN) and bool(report.files) and _has_place(db.session(), report.id)


def _has_place(session: Session, report_id: UUID) -> bool:
    signed = select(func.count()).select_from(ReportRevision).where(ReportRevision.report_id == report_id)
    return (session.scalar(signed) or 0) < 4
