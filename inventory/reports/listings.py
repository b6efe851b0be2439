"""Issuing the reports that are lists: their rows and the head of the chain are of one read (laws 4 and 10)."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from inventory.kernel.permissions import Actor
from inventory.reports import register
from inventory.reports.documents.listing import write_listing
from inventory.reports.heading import heading_of
from inventory.reports.kinds import ReportKind
from inventory.reports.progress import Progress, unwatched
from inventory.reports.queries.as_of import NOW
from inventory.reports.queries.gaps import last_numbers
from inventory.reports.queries.issued import IssuedReport, issued_report
from inventory.reports.queries.listings.access import newest_look
from inventory.reports.queries.listings.kinds import LISTINGS
from inventory.reports.queries.listings.reader import Cells, Reader, reader_of
from inventory.reports.queries.parameters import parameters_of
from inventory.reports.queries.requests import Asked, Definite, made_definite, whole_life
from inventory.reports.queries.selection import Selection, head_of, reading
from inventory.reports.recording import Recording
from inventory.reports.services import look_at
from inventory.reports.tables import guarded


@dataclass(frozen=True, slots=True)
class Read:
    """A list as it was read: its rows at one head of the chain, and what selects them again."""

    kind: ReportKind
    definite: Definite
    rows: Sequence[Cells]
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
) -> IssuedReport:
    """Issue a report of a kind that is a list, as PDF and CSV, and return its entry in the register.

    Raises Refusals for a period or filter that cannot be; Refusal NOT-PERMITTED.
    """
    register.refuse_issuer(actor, kind)
    read = _read(kind, made_definite(asked, at=at, site_ids=actor.site_ids, kind=kind), at=at)
    entry = _entry(read)
    outcome = register.take_number(entry, actor=actor, at=at, request_key=request_key)
    report = issued_report(outcome.subject_id)
    if not outcome.repeated:
        look_at(report, actor)
        _write_files(report, read, actor=actor, at=at, progress=progress)
    return issued_report(outcome.subject_id)


def _read(kind: ReportKind, definite: Definite, *, at: datetime) -> Read:
    selection = definite.selection
    if kind is ReportKind.LOT:
        selection = whole_life(selection, at=at)
    with reading() as connection:
        head = head_of(connection)
        reader = reader_of(connection, selection, NOW)
        if kind is ReportKind.ACCESS:
            selection = replace(selection, last_look=newest_look(reader))
        if kind is ReportKind.COMPLETENESS:
            selection = replace(selection, last_numbers=last_numbers(connection, reader.site_ids))
        reader = Reader(connection, selection, NOW, reader.called, reader.site_ids)
        rows = list(LISTINGS[kind].rows(reader))
    return Read(kind, Definite(selection, definite.filters), rows, head.seq, head.hash)


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


def _write_files(report: IssuedReport, read: Read, *, actor: Actor, at: datetime, progress: Progress) -> None:
    layout = LISTINGS[read.kind].layout
    header = heading_of(report, sites=read.selection.sites, actor=actor)
    with tempfile.TemporaryFile() as pdf, tempfile.TemporaryFile() as csv:
        recording = Recording(
            report, csv, layout.columns, parameters=report.parameters, actor=actor, progress=progress
        )
        write_listing(pdf, header, layout, recording.passing(read.rows, guarded), seal=recording.seal)
        recording.store(report, pdf, csv, actor=actor, at=at)
