"""Issuing the reports that are lists: their rows and the head of the chain are of one read (laws 4 and 10).

The rows are read into a file and drawn from there, so that a list takes no more memory however long it is. One that was interrupted is
read again as of the head that it was entered with.
"""

import tempfile
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice

from sqlalchemy.engine import Connection

from inventory.kernel.permissions import Actor
from inventory.reports import register
from inventory.reports.documents.listing import write_listing
from inventory.reports.heading import heading_of
from inventory.reports.kinds import ReportKind
from inventory.reports.progress import Progress, reading_on, unwatched
from inventory.reports.queries.as_of import NOW
from inventory.reports.queries.gaps import last_numbers
from inventory.reports.queries.issued import IssuedReport, issued_report
from inventory.reports.queries.listings.access import newest_look
from inventory.reports.queries.listings.kinds import LISTINGS
from inventory.reports.queries.listings.reader import Reader, reader_of
from inventory.reports.queries.parameters import parameters_of, selection_of
from inventory.reports.queries.requests import Asked, Definite, made_definite, whole_life
from inventory.reports.queries.selection import Selection, head_of, reading
from inventory.reports.recording import Recording
from inventory.reports.services import look_at
from inventory.reports.spool import Spool
from inventory.reports.tables import guarded, rows_as_of


@dataclass(frozen=True, slots=True)
class Read:
    """A list as it was read: its rows at one head of the chain, and what selects them again."""

    kind: ReportKind
    definite: Definite
    rows: Spool
    head_seq: int
    head_hash: str

    @property
    def selection(self) -> Selection:
        """What was selected."""
        return self.definite.selection


def issue_listing(
    *,
    kind: ReportKind,
    asked: Asked,
    actor: Actor,
    at: datetime,
    request_key: str | None = None,
    progress: Progress = unwatched,
    resumes: bool = False,
) -> IssuedReport:
    """Issue a report of a kind that is a list, as PDF and CSV, and return its entry in the register.

    With `resumes`, one that the same request entered and that was interrupted is drawn as it was entered. Raises Refusals for a period
    or filter that cannot be; Refusal NOT-PERMITTED; whatever `progress` raises.
    """
    wanted = _wanted(kind, asked, actor, at)
    begun = register.interrupted(request_key) if resumes else None
    with Spool() as rows:
        is_new = False
        if begun is None:
            entry = _entry(_read(kind, wanted, rows, progress))
            outcome = register.take_number(entry, actor=actor, at=at, request_key=request_key)
            begun, is_new = issued_report(outcome.subject_id), not outcome.repeated
        if not is_new:
            if begun.files or not resumes:
                return begun
            rows.fill(reading_on(rows_as_of(kind, begun.parameters, begun.head_seq), progress))
        look_at(begun, actor)
        _write_files(begun, rows, actor=actor, at=at, progress=progress)
    return issued_report(begun.id)


def rows_of_listing(*, kind: ReportKind, asked: Asked, actor: Actor, at: datetime, most: int) -> int | None:
    """Return how many rows the list would have now, or None where they are more than `most`: those beyond are not read.

    Raises Refusals and Refusal NOT-PERMITTED as issuing it does.
    """
    wanted = _wanted(kind, asked, actor, at)
    with reading(streams=True) as connection:
        rows = LISTINGS[kind].rows(_reader(connection, kind, wanted.selection))
        counted = sum(1 for _ in islice(rows, most + 1))
    return counted if counted <= most else None


def _wanted(kind: ReportKind, asked: Asked, actor: Actor, at: datetime) -> Definite:
    register.refuse_issuer(actor, kind)
    definite = made_definite(asked, at=at, site_ids=actor.site_ids, kind=kind)
    if kind is ReportKind.LOT:
        return Definite(whole_life(definite.selection, at=at), definite.filters)
    return definite


def _read(kind: ReportKind, wanted: Definite, rows: Spool, progress: Progress) -> Read:
    with reading(streams=True) as connection:
        head = head_of(connection)
        reader = _reader(connection, kind, wanted.selection)
        rows.fill(reading_on(LISTINGS[kind].rows(reader), progress))
    return Read(kind, Definite(reader.selection, wanted.filters), rows, head.seq, head.hash)


def _reader(connection: Connection, kind: ReportKind, selection: Selection) -> Reader:
    """Return what reads a list as the record is now; its selection tells what is counted beside the chain."""
    reader = reader_of(connection, selection, NOW)
    if kind is ReportKind.ACCESS:
        selection = replace(selection, last_look=newest_look(reader))
    if kind is ReportKind.COMPLETENESS:
        selection = replace(selection, last_numbers=last_numbers(connection, reader.site_ids))
    return replace(reader, selection=selection)


def _entry(read: Read) -> register.Entry:
    selection = read.selection
    site = selection.sites[0]
    return register.Entry(
        kind=read.kind,
        site_id=site.id,
        site_code=site.code,
        covers_all_sites=len(selection.sites) > 1,
        period_from=selection.first_day,
        period_to=selection.last_day,
        filters=read.definite.filters,
        row_count=len(read.rows),
        head_seq=read.head_seq,
        head_hash=read.head_hash,
        patient_id=selection.patient_id,
        parameters=parameters_of(LISTINGS[read.kind].format, selection),
        facts={
            "kind": read.kind.value,
            "from": selection.first_day.isoformat(),
            "to": selection.last_day.isoformat(),
            "rows": len(read.rows),
        },
    )


def _write_files(
    report: IssuedReport, rows: Spool, *, actor: Actor, at: datetime, progress: Progress
) -> None:
    layout = LISTINGS[report.kind].layout
    header = heading_of(report, sites=selection_of(report.parameters).sites, actor=actor)
    with tempfile.TemporaryFile() as pdf, tempfile.TemporaryFile() as csv:
        recording = Recording(
            report, csv, layout.columns, parameters=report.parameters, actor=actor, progress=progress
        )
        write_listing(pdf, header, layout, recording.passing(rows, guarded), seal=recording.seal)
        recording.store(report, pdf, csv, actor=actor, at=at)
