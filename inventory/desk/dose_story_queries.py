"""What a dose's whole story is read from: its entries before and after, the trail about it, its movements, looks and reports."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session, aliased

from inventory.audit.limits import span_here
from inventory.audit.models import AccessEntry, AuditEntry, AuditLink, AuditPayload
from inventory.clinic.models import Site
from inventory.doses.models import Dose, DoseSource, Incident
from inventory.doses.queries.story import get_dose
from inventory.patients.queries import records_of
from inventory.reports.kinds import ReportKind
from inventory.reports.models import Report
from inventory.reports.queries.superseded import report_label
from inventory.staff.models import User
from inventory.stock.models import Account, Movement

NEWEST = 50
"""How many looks and how many reports the story shows, the newest of them."""
LOOKED_THROUGH = ("dose", "dose story", "incident")
"""The pages by which a look at the patient was one through a dose of theirs."""


@dataclass(frozen=True, slots=True)
class CoveringReport:
    """A report over the site and the day of the dose, issued since it was recorded. Its filters may leave the dose out."""

    id: UUID
    label: str
    issued_at: Any
    actor_name: str
    filters: tuple[tuple[str, str], ...]


def versions_of(session: Session, dose_id: UUID) -> list[Dose]:
    """Return the dose as it was first recorded, and each amendment after it. Raises Refusal NOT-FOUND."""
    first = get_dose(session, dose_id)
    while first.amends_id is not None:
        first = get_dose(session, first.amends_id)
    found = [first]
    while (later := session.scalar(select(Dose).where(Dose.amends_id == found[-1].id))) is not None:
        found.append(later)
    return found


def entries_of(session: Session, doses: Sequence[Dose]) -> Sequence[Any]:
    """Return the trail about these doses, the oldest first: what was done to them, to their incidents, to their lots since."""
    ids = [dose.id for dose in doses]
    lots = select(DoseSource.lot_id).where(DoseSource.dose_id.in_(ids))
    about = or_(
        and_(AuditEntry.subject_type == "dose", AuditEntry.subject_id.in_(ids)),
        and_(
            AuditEntry.subject_type == "incident",
            AuditEntry.subject_id.in_(select(Incident.id).where(Incident.dose_id.in_(ids))),
        ),
        and_(
            AuditEntry.subject_type == "lot",
            AuditEntry.subject_id.in_(lots),
            AuditEntry.action == "stock.correct-lot",
            AuditEntry.recorded_at >= doses[0].recorded_at,
        ),
    )
    statement = (
        select(
            AuditLink.seq,
            AuditEntry.action,
            AuditEntry.recorded_at,
            User.display_name,
            AuditPayload.payload,
        )
        .join(AuditLink, AuditLink.entry_id == AuditEntry.id)
        .join(AuditPayload, AuditPayload.entry_id == AuditEntry.id)
        .join(User, User.id == AuditEntry.actor_id)
        .where(about, span_here().holds(AuditEntry.recorded_at))
    )
    return session.execute(statement.order_by(AuditLink.seq)).all()


def movements_of(session: Session, doses: Sequence[Dose]) -> Sequence[Any]:
    """Return what the acts of these doses moved, and what reversed it, in the order of the ledger."""
    drawn = select(DoseSource.movement_id).where(DoseSource.dose_id.in_([dose.id for dose in doses]))
    acts = select(Movement.act_id).where(or_(Movement.id.in_(drawn), Movement.reverses_id.in_(drawn)))
    lots = select(Movement.lot_id).where(Movement.id.in_(drawn))
    source, target = aliased(Account), aliased(Account)
    statement = (
        select(
            Movement.id,
            Movement.kind,
            Movement.reason,
            Movement.amount_ul,
            Movement.occurred_at,
            Movement.reverses_id,
            Movement.lot_id,
            source.kind.label("from_kind"),
            target.kind.label("to_kind"),
            User.display_name,
        )
        .join(source, source.id == Movement.from_id)
        .join(target, target.id == Movement.to_id)
        .join(User, User.id == Movement.actor_id)
        .where(Movement.act_id.in_(acts), Movement.lot_id.in_(lots))
    )
    return session.execute(statement.order_by(Movement.id)).all()


def looks_of(session: Session, doses: Sequence[Dose]) -> Sequence[Any]:
    """Return who looked at the patient through a dose of theirs since this one was recorded, the newest first."""
    statement = (
        select(AccessEntry.at, AccessEntry.page, User.display_name)
        .join(User, User.id == AccessEntry.actor_id)
        .where(
            AccessEntry.patient_id.in_(records_of(doses[-1].patient_id)),
            AccessEntry.at >= doses[0].recorded_at,
            AccessEntry.page.in_(LOOKED_THROUGH),
            span_here().holds(AccessEntry.at),
        )
    )
    return session.execute(
        statement.order_by(AccessEntry.at.desc(), AccessEntry.id.desc()).limit(NEWEST)
    ).all()


def reports_over(session: Session, dose: Dose) -> list[CoveringReport]:
    """Return the administration reports over the site and the day of the dose, issued since then, the newest first."""
    span = span_here()
    rows = session.execute(
        select(Report, Site.code)
        .join(Site, Site.id == Report.site_id)
        .where(
            Report.kind == ReportKind.ADMINISTRATIONS,
            Report.period_from <= dose.given_on,
            Report.period_to >= dose.given_on,
            Report.issued_at >= dose.recorded_at,
            or_(Report.site_id == dose.site_id, Report.covers_all_sites),
            span.holds(Report.period_from),
            span.holds(Report.period_to),
        )
        .order_by(Report.issued_at.desc(), Report.id)
        .limit(NEWEST)
    )
    return [
        CoveringReport(
            report.id,
            report_label(code, report.number),
            report.issued_at,
            report.actor_name,
            tuple((label, words) for label, words in json.loads(report.filters) if words != "all"),
        )
        for report, code in rows
    ]
