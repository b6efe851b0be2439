"""The checks of a file against the register and the record (law 10): what is well, what is wrong, what nobody can know.

Nothing is called well that was not compared. A file that this clinic cannot have issued is not compared with the record at all.
"""

import hashlib
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any
from uuid import UUID

from sqlalchemy.exc import SQLAlchemyError

from inventory.audit.verification import Verification
from inventory.kernel.db import db
from inventory.kernel.errors import Refusal
from inventory.kernel.permissions import SYSTEM_USER_ID, Actor
from inventory.reports.kinds import kinds_for
from inventory.reports.manifest import in_groups
from inventory.reports.models import Report, ReportFile
from inventory.reports.queries import erased, evidence
from inventory.reports.queries.evidence import Stored
from inventory.reports.queries.issued import IssuedReport, issued_report, stored_content
from inventory.reports.queries.parameters import digest_of
from inventory.reports.queries.parameters import read as read_parameters
from inventory.reports.tables import Table, table_of
from inventory.reports.verification import rows
from inventory.reports.verification.reading import Reading, Unreadable, read_signed
from inventory.reports.verification.verdict import Answer, Check, Line, Lines, Verdict
from inventory.web.presenting import count, local_time

MOST_FINDINGS = 10

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Case:
    """A file under way through the checks."""

    content: bytes
    actor: Actor
    most_links: int | None
    reading: Reading | None = None
    stored: Stored | None = None
    report: IssuedReport | None = None
    told: dict[str, Any] = field(default_factory=dict)
    is_genuine: bool = False


def verify_report(content: bytes, *, actor: Actor, most_links: int | None = None) -> Answer:
    """Check a file, and return a line for each check. Whatever the file holds, it is an answer and no error.

    With `most_links`, a trail whose printed head stands further than that is left to the command.
    """
    case = _Case(content, actor, most_links)
    lines = [*_signature(case), *_bytes_and_number(case), *_key(case)]
    if case.report is not None and case.is_genuine:
        lines += [*_rows(case), *_trail(case), *_newest(case)]
    elif case.report is not None or case.told:
        lines += _not_compared()
    return Answer(tuple(lines), case.report.id if case.report else None)


# The file itself -------------------------------------------------------------------------------------------------


def _signature(case: _Case) -> Lines:
    case.stored = evidence.stored_as(case.content)
    if case.stored is not None and case.stored.format == "csv":
        yield Line(
            Check.SIGNATURE, Verdict.NOTE, "A CSV file bears no signature. Its bytes are compared below."
        )
        return
    try:
        case.reading = read_signed(case.content)
    except Unreadable as reason:
        yield Line(Check.SIGNATURE, Verdict.WRONG, f"The file cannot be read: {reason}.")
        return
    if not case.reading.signatures:
        yield _unsigned(case)
        return
    doubts = list(case.reading.doubts)
    try:
        case.told = case.reading.told
    except ValueError as error:
        doubts.append(f"Its manifest cannot be relied on: {error}.")
    for doubt in doubts:
        yield Line(Check.SIGNATURE, Verdict.WRONG, doubt)
    if not doubts:
        signed = count(len(case.reading.signatures), "signature")
        yield Line(
            Check.SIGNATURE,
            Verdict.WELL,
            f"{signed}, up to the last byte of the file, and nothing added since.",
        )


def _unsigned(case: _Case) -> Line:
    if case.stored is not None and _manifest_sha256(case.stored.report_id) is None:
        return Line(Check.SIGNATURE, Verdict.UNKNOWN, "It was issued before reports were signed.")
    return Line(Check.SIGNATURE, Verdict.WRONG, "It is not signed.")


def _manifest_sha256(report_id: UUID) -> str | None:
    return db.session.get_one(ReportFile, (report_id, "pdf")).manifest_sha256


# The register ----------------------------------------------------------------------------------------------------


def _bytes_and_number(case: _Case) -> Lines:
    report_id = (
        case.stored.report_id if case.stored else evidence.report_named(str(case.told.get("report", "")))
    )
    if report_id is not None and not _may_read(case.actor, report_id):
        case.stored = None
        yield Line(
            Check.NUMBER, Verdict.UNKNOWN, "It is a report that is not yours to read. Ask somebody who may."
        )
        return
    case.report = issued_report(report_id) if report_id else None
    if case.report is None:
        yield Line(Check.BYTES, Verdict.WRONG, "The register has no file with these bytes.")
        yield Line(Check.NUMBER, Verdict.WRONG, _unregistered(case))
        return
    yield _same_bytes(case, case.report)
    yield from _same_number(case, case.report)


def _may_read(actor: Actor, report_id: UUID) -> bool:
    if actor.id == SYSTEM_USER_ID:
        return True
    report = db.session.get_one(Report, report_id)
    at_site = actor.site_ids is None or (not report.covers_all_sites and actor.works_at(report.site_id))
    return at_site and report.kind in kinds_for(actor)


def _unregistered(case: _Case) -> str:
    if not case.told or case.reading is None:
        return "It does not say which report it is, or cannot be believed."
    said = f"It says it is report {case.told['report']}, which this clinic's register does not have."
    known = {key.fingerprint for key in evidence.known_keys()}
    if not case.reading.doubts and known.issuperset(one.key for one in case.reading.signatures):
        said += " Yet this clinic's key signed it: somebody took it out of the register, or the key was used elsewhere."
    return said


def _same_bytes(case: _Case, report: IssuedReport) -> Line:
    if case.stored is not None:
        which = f", revision {case.stored.revision}" if case.stored.revision > 1 else ""
        holds = (
            "as the register holds it"
            if not case.stored.is_erased
            else "whose SHA-256 the register kept when its file was erased"
        )
        said = (
            f"It is byte for byte the {case.stored.format.upper()} of report {report.label}{which}, {holds}."
        )
        return Line(Check.BYTES, Verdict.WELL, said)
    return Line(
        Check.BYTES,
        Verdict.WRONG,
        _changed_bytes(case.content, evidence.stored_pdfs(report.id), report.label),
    )


def _changed_bytes(content: bytes, held: Sequence[Stored], label: str) -> str:
    for one in reversed(held):
        if content.startswith(one.content):
            more = count(len(content) - len(one.content), "byte")
            return f"It begins with report {label}, revision {one.revision}, and {more} were added behind it."
    return f"It is not the file of report {label} that the register holds, nor any revision of it."


def _same_number(case: _Case, report: IssuedReport) -> Lines:
    doubts = [
        f"The trail did not record {what} as the register has it." for what in evidence.unwitnessed(report.id)
    ]
    for name, registered in _registered(report, db.session.get_one(Report, report.id)):
        if case.told and case.told[name] != registered:
            doubts.append(f"Its manifest says otherwise than the register: {name.replace('_', ' ')}.")
    if case.stored is not None and case.stored.format == "pdf":
        kept, own = _manifest_sha256(report.id), _sha256_of_manifest(case)
        if kept != own:
            doubts.append("Its manifest is not the one that the register knows.")
    case.is_genuine = not doubts and case.stored is not None
    for doubt in doubts:
        yield Line(Check.NUMBER, Verdict.WRONG, doubt)
    if not doubts and case.stored is not None:
        said = (
            f"{report.label}: {report.title}, issued {local_time(report.issued_at)} by {report.actor_name}."
        )
        yield Line(Check.NUMBER, Verdict.WELL, said)
    elif not doubts:
        said = f"It says it is report {report.label}. The clinic issued one of that number, with other bytes."
        yield Line(Check.NUMBER, Verdict.NOTE, said)


def _registered(report: IssuedReport, row: Report) -> Iterator[tuple[str, Any]]:
    yield "report", report.label
    yield "kind", report.kind.value
    yield "head_seq", report.head_seq
    yield "head_hash", report.head_hash
    if row.parameters is not None:
        yield "parameters_sha256", digest_of(read_parameters(row.parameters))


def _sha256_of_manifest(case: _Case) -> str | None:
    content = case.reading.manifest if case.reading else b""
    return hashlib.sha256(content).hexdigest() if content else None


def _key(case: _Case) -> Lines:
    signatures = case.reading.signatures if case.reading else ()
    known = {key.fingerprint: key for key in evidence.known_keys()}
    for fingerprint in dict.fromkeys(one.key for one in signatures if one.holds):
        key = known.get(fingerprint)
        if key is None:
            case.is_genuine = False
            said = f"It was signed with a key that is none of this clinic's: {in_groups(fingerprint)}."
            yield Line(Check.KEY, Verdict.WRONG, said)
        elif key.retired_at is None:
            yield Line(Check.KEY, Verdict.WELL, f"The key in use: {in_groups(fingerprint)}.")
        else:
            said = f"A key of this clinic, retired {local_time(key.retired_at)}: {in_groups(fingerprint)}."
            yield Line(Check.KEY, Verdict.WELL, said)
    if any(not one.holds for one in signatures):
        yield Line(Check.KEY, Verdict.UNKNOWN, "A signature that does not hold is nobody's.")


# The record ------------------------------------------------------------------------------------------------------


def _not_compared() -> Lines:
    said = "Not compared, because of what is wrong above. Download the report again and check that."
    for check in (Check.ROWS, Check.COMPLETE, Check.TRAIL):
        yield Line(check, Verdict.UNKNOWN, said)


def _rows(case: _Case) -> Lines:
    assert case.report is not None  # noqa: S101 - only genuine files come so far
    told = case.told or _told_by_pdf(case.report)
    try:
        found = _difference(case.report, told) if told else "It was issued before its rows were listed."
    except Refusal as refusal:
        found = refusal.message
    except (ArithmeticError, LookupError, SQLAlchemyError, TypeError, ValueError) as error:
        # A record that was changed behind the application may hold anything.
        log.exception("the rows of report %s cannot be read again", case.report.label)
        said = f"The record is damaged: its rows cannot be read again ({type(error).__name__}). Run `flask audit verify`."
        yield Line(Check.ROWS, Verdict.WRONG, said)
        return
    if isinstance(found, str):
        yield Line(Check.ROWS, Verdict.UNKNOWN, found)
        yield Line(Check.COMPLETE, Verdict.UNKNOWN, found)
    elif found is None:
        many = count(len(told["rows"]), "row")
        yield Line(Check.ROWS, Verdict.WELL, f"{many}, each as it was printed.")
        yield Line(
            Check.COMPLETE,
            Verdict.WELL,
            "The record had no further row for these days and filters at the printed head.",
        )
    else:
        yield from _rows_that_differ(found)


def _told_by_pdf(report: IssuedReport) -> dict[str, Any]:
    """Return what the manifest in the register's own PDF says; nothing where it has none."""
    try:
        return read_signed(stored_content(report.id, "pdf")[1]).told
    except (Refusal, Unreadable, ValueError, IndexError):
        return {}


def _difference(report: IssuedReport, told: dict[str, Any]) -> rows.Difference | str | None:
    salt = told.get("salt") or db.session.get_one(ReportFile, (report.id, "pdf")).manifest_salt
    if not salt:
        return "The salt of its rows is not in the register any more."
    parameters = read_parameters(db.session.get_one(Report, report.id).parameters)
    gone = erased.erased_since(report.head_seq)
    if parameters.get("patient_id") in {patient_id.hex for patient_id in gone}:
        return "The patient whom it is about was erased since the report was issued, so its rows cannot be compared any more."

    def now() -> Table:
        return table_of(report.kind, parameters, report.head_seq)

    if list(now().columns) != told["columns"]:
        return "Its rows have other columns than the record gives now."
    return rows.difference(
        hashes=told["rows"],
        salt=bytes.fromhex(salt),
        columns=told["columns"],
        printed=lambda: rows.csv_lines(stored_content(report.id, "csv")[1]),
        now=lambda: now().rows,
        named_by=now().named_by,
        erased=rows.Erased(erased.rows_about(gone), erased.WORDS) if gone else rows.Erased(),
    )


def _rows_that_differ(found: rows.Difference) -> Lines:
    if found.erased:
        said = f"{_listed(found.erased)}: erased since the report was issued, so nobody can compare what was printed."
        yield Line(Check.ROWS, Verdict.UNKNOWN, said)
    for names, what in (
        (found.changed, "not as printed any more"),
        (found.gone, "printed, but not in the record any more"),
    ):
        if names:
            yield Line(Check.ROWS, Verdict.WRONG, f"{_listed(names)}: {what}.")
    if not found.has_names:
        yield Line(
            Check.ROWS,
            Verdict.WRONG,
            f"From row {found.first} on, the record has other rows, or in another order.",
        )
    elif not (found.changed or found.gone):
        which = "Every other" if found.erased else "Every"
        yield Line(Check.ROWS, Verdict.WELL, f"{which} printed row is in the record as it was printed.")
    if found.more:
        said = f"{_listed(found.more)}: in the record for these days and filters, but not in the report."
        yield Line(Check.COMPLETE, Verdict.WRONG, said)
    elif found.has_names:
        yield Line(
            Check.COMPLETE,
            Verdict.WELL,
            "The record has no row for these days and filters that was not printed.",
        )
    else:
        yield Line(Check.COMPLETE, Verdict.UNKNOWN, "Since the rows differ, nobody can tell.")


def _listed(names: Sequence[str]) -> str:
    more = len(names) - MOST_FINDINGS
    return ", ".join(names[:MOST_FINDINGS]) + (f" and {more} more" if more > 0 else "")


def _trail(case: _Case) -> Lines:
    report = case.report
    assert report is not None  # noqa: S101 - only genuine files come so far
    if case.most_links is not None and report.head_seq > case.most_links:
        said = "The trail is too long to be checked on a page: run `flask report verify` on the clinic's computer."
        yield Line(Check.TRAIL, Verdict.UNKNOWN, said)
        return
    check = Verification(db.session())
    findings = check.up_to(report.head_seq)
    shown = list(islice(findings, MOST_FINDINGS))
    more = sum(1 for _ in findings)
    if check.hash != report.head_hash:
        shown.insert(0, f"entry {report.head_seq} has another hash than the printed head")
    for finding in shown:
        yield Line(Check.TRAIL, Verdict.WRONG, f"{finding[:1].upper()}{finding[1:]}.")
    if more:
        yield Line(Check.TRAIL, Verdict.WRONG, f"{count(more, 'further finding')}: run `flask audit verify`.")
    if not shown:
        many = count(report.head_seq, "entry", "entries")
        said = f"{many} from the first to the printed head, each following the one before, with the rows they recorded."
        yield Line(Check.TRAIL, Verdict.WELL, said)


def _newest(case: _Case) -> Lines:
    report = case.report
    assert report is not None  # noqa: S101 - only genuine files come so far
    later = evidence.later_than(report.id)
    if case.stored and case.stored.format == "pdf" and case.stored.revision < later.newest_revision:
        said = f"Revision {later.newest_revision} has further signatures. This file is revision {case.stored.revision}."
        yield Line(Check.NEWEST, Verdict.NOTE, said)
    if later.report_label:
        said = f"Report {later.report_label} of the same days and filters was issued later."
        yield Line(Check.NEWEST, Verdict.NOTE, said)
    elif not (case.stored and case.stored.revision < later.newest_revision):
        yield Line(Check.NEWEST, Verdict.WELL, "Nothing newer of the same days and filters was issued.")
