"""Who may do what. Law 11: every route names one of these permissions, or says that it is public."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

SYSTEM_USER_ID = UUID(int=0)
"""The row that commands act as when nobody is named: `system:cli`. It can never sign in."""


class Role(StrEnum):
    """What a person is in the clinic. Roles combine; auditor stands alone."""

    PRACTITIONER = "practitioner"
    PRESCRIBER = "prescriber"
    MANAGER = "manager"
    AUDITOR = "auditor"
    ADMIN = "admin"


class Permission(StrEnum):
    """One thing a route lets a person do."""

    OWN_ACCOUNT = "own-account"
    DOSE_READ = "dose-read"
    DOSE_GIVE = "dose-give"
    DOSE_OVERRIDE = "dose-override"
    DOSE_VOID_ANY = "dose-void-any"
    INCIDENT_CLOSE = "incident-close"
    PATIENT_READ = "patient-read"
    PATIENT_WRITE = "patient-write"
    COURSE_PRESCRIBE = "course-prescribe"
    PROTOCOL_MANAGE = "protocol-manage"
    STOCK_READ = "stock-read"
    STOCK_USE = "stock-use"
    STOCK_MANAGE = "stock-manage"
    STOCK_RECONCILE = "stock-reconcile"
    CATALOGUE_READ = "catalogue-read"
    CATALOGUE_MANAGE = "catalogue-manage"
    REORDER_READ = "reorder-read"
    REORDER_MANAGE = "reorder-manage"
    REPORT_REGISTER = "report-register"
    REPORT_READ = "report-read"
    REPORT_ISSUE = "report-issue"
    REPORT_SIGN = "report-sign"
    AUDIT_READ = "audit-read"
    STAFF_MANAGE = "staff-manage"
    SETTINGS_MANAGE = "settings-manage"
    RETENTION_MANAGE = "retention-manage"


P = Permission
_CARE = {P.OWN_ACCOUNT, P.DOSE_READ, P.PATIENT_READ, P.STOCK_READ, P.CATALOGUE_READ}
_GIVE = _CARE | {P.DOSE_GIVE, P.PATIENT_WRITE, P.STOCK_USE, P.REPORT_REGISTER, P.REPORT_READ, P.REPORT_ISSUE}

ROLE_PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.PRACTITIONER: frozenset(_GIVE),
    Role.PRESCRIBER: frozenset(
        _GIVE
        | {
            P.DOSE_OVERRIDE,
            P.DOSE_VOID_ANY,
            P.COURSE_PRESCRIBE,
            P.PROTOCOL_MANAGE,
            P.INCIDENT_CLOSE,
            P.STOCK_RECONCILE,
            P.RETENTION_MANAGE,
            P.REPORT_SIGN,
        }
    ),
    Role.MANAGER: frozenset(
        {
            P.OWN_ACCOUNT,
            P.STOCK_READ,
            P.STOCK_USE,
            P.STOCK_MANAGE,
            P.STOCK_RECONCILE,
            P.CATALOGUE_READ,
            P.CATALOGUE_MANAGE,
            P.REORDER_READ,
            P.REORDER_MANAGE,
            P.REPORT_REGISTER,
            P.REPORT_SIGN,
        }
    ),
    Role.AUDITOR: frozenset(
        _CARE
        | {
            P.REPORT_REGISTER,
            P.REPORT_READ,
            P.REPORT_ISSUE,
            P.REPORT_SIGN,
            P.AUDIT_READ,
            P.REORDER_READ,
            P.STOCK_RECONCILE,
        }
    ),
    Role.ADMIN: frozenset(
        {
            P.OWN_ACCOUNT,
            P.STAFF_MANAGE,
            P.SETTINGS_MANAGE,
            P.RETENTION_MANAGE,
            P.AUDIT_READ,
            P.CATALOGUE_READ,
            P.REPORT_REGISTER,
        }
    ),
}


@dataclass(frozen=True, slots=True)
class Days:
    """The days, both included, whose records an account may see; None is without end on that side."""

    first: date | None = None
    last: date | None = None

    def __bool__(self) -> bool:
        """Whether anything is left out."""
        return self.first is not None or self.last is not None

    def __contains__(self, day: date) -> bool:
        """Tell whether the records of `day` may be seen."""
        return (self.first is None or day >= self.first) and (self.last is None or day <= self.last)


EVERY_DAY = Days()


@dataclass(frozen=True, slots=True)
class Actor:
    """The person (or `system:cli`) in whose name an act is done, with the credential they held at that moment.

    `site_ids` are the sites they work at; None is every site. `days` are those whose records they may see.
    """

    id: UUID
    name: str
    roles: frozenset[Role] = frozenset()
    credential: str = ""
    site_ids: frozenset[UUID] | None = None
    days: Days = EVERY_DAY

    def can(self, permission: Permission) -> bool:
        """Tell whether any of the actor's roles grants `permission`."""
        return any(permission in ROLE_PERMISSIONS[role] for role in self.roles)

    def works_at(self, site_id: UUID) -> bool:
        """Tell whether this is one of the sites the actor works at."""
        return self.site_ids is None or site_id in self.site_ids


SYSTEM_ACTOR = Actor(id=SYSTEM_USER_ID, name="system:cli")
