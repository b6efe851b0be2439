"""What stands at the head of an issued report's files, from its entry in the register."""

from collections.abc import Sequence
from typing import Protocol

from inventory.clinic.settings import current_settings
from inventory.kernel.permissions import Actor, Role
from inventory.reports.documents.administration_row import ReportedSite, ReportHeader
from inventory.reports.queries.issued import IssuedReport
from inventory.reports.signing.known import clinic_words


class CoveredSite(Protocol):
    """A site as a report names it."""

    @property
    def code(self) -> str:
        """Its short code."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def time_zone(self) -> str:
        """The IANA zone whose days the period counts."""


def issued_as(actor: Actor) -> str:
    """Return the roles of whoever issues a report; nobody's are the command line's."""
    return ", ".join(role.value for role in Role if role in actor.roles) or "command line"


def heading_of(
    report: IssuedReport,
    *,
    sites: Sequence[CoveredSite],
    actor: Actor,
    not_given: int | None = None,
    gaps: tuple[str, ...] | None = (),
) -> ReportHeader:
    """Return the head of a report over a period, as it was entered in the register."""
    return ReportHeader(
        number=report.label,
        clinic_name=clinic_words(),
        sites=tuple(ReportedSite(site.code, site.name, site.time_zone) for site in sites),
        first_day=report.period_from,
        last_day=report.period_to,
        filters=report.filters,
        generated_by=actor.name,
        generated_as=issued_as(actor),
        generated_at=report.issued_at,
        chain_sequence=report.head_seq,
        chain_hash=report.head_hash,
        is_demo=current_settings().is_demo,
        not_given=not_given,
        gaps=gaps,
        title=report.title,
        zone=sites[0].time_zone,
    )
