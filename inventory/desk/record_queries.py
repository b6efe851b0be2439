"""What the patient's record page reads from the rooms beneath: doses, what was not given, body sites, edits."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from inventory.audit.limits import is_limited_auditor, span_here
from inventory.audit.models import AuditEntry, AuditLink, AuditPayload
from inventory.clinic.current import visible_sites
from inventory.clinic.models import Site
from inventory.clinic.settings import Settings
from inventory.doses.models import Dose, DoseSource, DoseVoid, NotGiven
from inventory.doses.queries.assessment import limits_of
from inventory.doses.queries.lists import OVERRIDDEN
from inventory.doses.rules.rotation import allowed_sites, next_site
from inventory.doses.rules.terms import BodySite
from inventory.kernel.numbering import written_number
from inventory.patients.queries import records_of
from inventory.staff.models import User
from inventory.web.pagination import Page, paginate

DOSES_A_PAGE = 25
NEWEST = 20
"""How many edits, and how many doses not given, the record shows before it says that there are more."""


@dataclass(frozen=True, slots=True)
class SiteUse:
    """How often a body site was used for the patient, and when last; never where `last_at` is None."""

    site: BodySite
    times: int
    last_at: datetime | None
    is_next: bool


def seen_here(record: Any, day: Any) -> list[ColumnElement[bool]]:
    """Return the conditions that a record is of the sites and days of a limited auditor; none for anybody else.

    Whoever gives a dose sees those given at every site.
    """
    if not is_limited_auditor():
        return []
    sites = visible_sites()
    here = [] if sites is None else [record.site_id.in_(sites)]
    return [span_here().holds(day), *here]


def doses_page(session: Session, patient_id: UUID, *, cursor: str) -> Page[Any]:
    """Return a page of all the patient's doses, void ones too, the last given first: rows of (Dose, DoseVoid, is_overridden)."""
    statement: Any = (
        select(Dose, DoseVoid, OVERRIDDEN.label("is_overridden"))
        .outerjoin(DoseVoid, DoseVoid.dose_id == Dose.id)
        .where(Dose.patient_id.in_(records_of(patient_id)), *seen_here(Dose, Dose.given_on))
    )
    order = [Dose.given_at, Dose.id]
    return paginate(session, statement, order=order, newest_first=True, cursor=cursor, size=DOSES_A_PAGE)


def lots_of(session: Session, doses: Sequence[Dose]) -> dict[UUID, list[str]]:
    """Return the lot numbers each dose was drawn from."""
    found: dict[UUID, list[str]] = {dose.id: [] for dose in doses}
    sources = select(DoseSource.dose_id, DoseSource.lot_number).where(DoseSource.dose_id.in_(found))
    for dose_id, lot_number in session.execute(sources.order_by(DoseSource.dose_id, DoseSource.position)):
        if lot_number not in found[dose_id]:
            found[dose_id].append(lot_number)
    return found


def numbers_amended(session: Session, doses: Sequence[Dose]) -> dict[UUID, str]:
    """Return the written numbers of the doses that these amend, by the amended dose's id."""
    amended = [dose.amends_id for dose in doses if dose.amends_id]
    rows = session.execute(
        select(Dose.id, Site.code, Dose.number)
        .join(Site, Site.id == Dose.site_id)
        .where(Dose.id.in_(amended))
    )
    return {row.id: written_number(row.code, row.number) for row in rows}


def not_given(session: Session, patient_id: UUID) -> Sequence[NotGiven]:
    """Return the patient's newest doses that were not given, one more than is shown."""
    statement = select(NotGiven).where(
        NotGiven.patient_id.in_(records_of(patient_id)), *seen_here(NotGiven, NotGiven.decided_on)
    )
    return session.scalars(
        statement.order_by(NotGiven.decided_at.desc(), NotGiven.id).limit(NEWEST + 1)
    ).all()


def rotation(session: Session, patient_id: UUID, settings: Settings) -> list[SiteUse]:
    """Return the body sites the clinic injects into, and any other that was used, with their use; one is the next."""
    mine = Dose.patient_id.in_(records_of(patient_id))
    uses = session.execute(
        select(Dose.body_site, func.count().label("times"), func.max(Dose.given_at).label("last_at"))
        .outerjoin(DoseVoid, DoseVoid.dose_id == Dose.id)
        .where(mine, DoseVoid.dose_id.is_(None), *seen_here(Dose, Dose.given_on))
        .group_by(Dose.body_site)
    ).all()
    used = {BodySite(row.body_site): row for row in sorted(uses, key=lambda row: row.last_at, reverse=True)}
    allowed = allowed_sites(limits_of(settings))
    following = next_site(used, allowed)
    every = [site for site in BodySite if site in allowed or site in used]
    return [
        SiteUse(
            site,
            used[site].times if site in used else 0,
            used[site].last_at if site in used else None,
            site is following,
        )
        for site in every
    ]


def edits(session: Session, patient_id: UUID) -> Sequence[Any]:
    """Return the trail's newest entries about the patient's own data, one more than is shown: what, who, when, payload."""
    statement = (
        select(
            AuditEntry.id,
            AuditLink.seq,
            AuditEntry.action,
            AuditEntry.recorded_at,
            User.display_name,
            AuditPayload.payload,
        )
        .join(AuditLink, AuditLink.entry_id == AuditEntry.id)
        .join(AuditPayload, AuditPayload.entry_id == AuditEntry.id)
        .join(User, User.id == AuditEntry.actor_id)
        .where(
            AuditEntry.patient_id.in_(records_of(patient_id)),
            AuditEntry.action.startswith("patients."),
            span_here().holds(AuditEntry.recorded_at),
        )
    )
    return session.execute(statement.order_by(AuditLink.seq.desc()).limit(NEWEST + 1)).all()
