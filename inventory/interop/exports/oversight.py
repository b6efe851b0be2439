"""What tells who did and saw what, as it is exported: the trail, looks, what auditors were shown, reports, people, sites."""

from sqlalchemy import String, cast, select

from inventory.audit.limits import span_here
from inventory.audit.models import AccessEntry, AuditEntry, AuditLink, ViewEntry
from inventory.clinic.current import visible_sites
from inventory.clinic.models import Site
from inventory.doses.models import GateRule
from inventory.interop.exports.table import Column, Exported, person, site
from inventory.kernel.db import db
from inventory.kernel.permissions import SYSTEM_USER_ID, Permission
from inventory.patients.models import Patient
from inventory.staff.models import User, UserRole

_AUDIT = (Permission.AUDIT_READ,)


def trail() -> Exported:
    """The chained trail, without what exactly was written."""
    return Exported(
        name="trail",
        title="Trail",
        row_is="One entry of the trail, in the order of the chain",
        permission=_AUDIT,
        source=AuditLink,
        joins=(
            (AuditEntry, AuditEntry.id == AuditLink.entry_id),
            (Patient, Patient.id == AuditEntry.patient_id),
        ),
        order=(AuditLink.seq,),
        sites=(AuditEntry.site_id,),
        sites_may_lack=True,
        day=AuditEntry.recorded_at,
        patient=AuditEntry.patient_id,
        columns=(
            Column("entry", "Place in the chain", AuditLink.seq),
            Column("recorded_at", "Instant in UTC", AuditEntry.recorded_at),
            Column("by", "Username", person(AuditEntry.actor_id)),
            Column("action", "What was done", AuditEntry.action),
            Column("subject", "Kind of what it was done to", AuditEntry.subject_type),
            Column("subject_id", "Its id", AuditEntry.subject_id),
            Column("site", "Code of the site; empty where it is the clinic's", site(AuditEntry.site_id)),
            Column("patient", "Record number", Patient.record_number),
            Column("digest", "SHA-256 of the entry", AuditEntry.digest),
            Column("hash", "SHA-256 of the link", AuditLink.hash),
        ),
    )


def gate_rules() -> Exported:
    """What the clinic asked of each finding of the gate, and from when on."""
    return Exported(
        name="gate-rules",
        title="Settings of the gate",
        row_is="One change of what is asked of a finding",
        permission=_AUDIT,
        source=GateRule,
        order=(GateRule.changed_at, GateRule.id),
        day=GateRule.changed_at,
        columns=(
            Column("finding", "Code of the finding", GateRule.code),
            Column("version", "1 for the first change", GateRule.version),
            Column("asks", "block, override, acknowledge, once or inform", GateRule.tier),
            Column("is_on", "Whether it is looked for: yes or no", GateRule.is_on),
            Column("changed_at", "Instant in UTC", GateRule.changed_at),
            Column("changed_by", "Username", person(GateRule.actor_id)),
        ),
    )


def looks() -> Exported:
    """Who looked at which patient."""
    return Exported(
        name="looks",
        title="Looks at patients",
        row_is="One look at one patient",
        permission=_AUDIT,
        source=AccessEntry,
        joins=((Patient, Patient.id == AccessEntry.patient_id),),
        order=(AccessEntry.id,),
        day=AccessEntry.at,
        patient=AccessEntry.patient_id,
        columns=(
            Column("at", "Instant in UTC", AccessEntry.at),
            Column("by", "Username", person(AccessEntry.actor_id)),
            Column("patient", "Record number", Patient.record_number),
            Column("page", "Through which page", AccessEntry.page),
        ),
    )


def views() -> Exported:
    """What auditors were shown."""
    return Exported(
        name="auditors-views",
        title="What auditors looked at",
        row_is="One page or file that an auditor was shown",
        permission=_AUDIT,
        source=ViewEntry,
        order=(ViewEntry.id,),
        day=ViewEntry.at,
        columns=(
            Column("at", "Instant in UTC", ViewEntry.at),
            Column("by", "Username", person(ViewEntry.actor_id)),
            Column("page", "Name of the page", ViewEntry.page),
            Column("about", "What it was about", ViewEntry.subject),
        ),
    )


def reports() -> Exported:
    """The register of reports. Reports belong to a room beside this one: they are known here by table only."""
    report, file = db.metadata.tables["report"].c, db.metadata.tables["report_file"].c

    # As on the register's page: one that covers all sites is for those who see all of them, and all its days are theirs.
    whole = [] if visible_sites() is None else [report.covers_all_sites.is_(False)]

    def sha256(file_format: str) -> object:
        return (
            select(file.sha256)
            .where(file.report_id == report.id, file.format == file_format)
            .scalar_subquery()
        )

    return Exported(
        name="reports",
        title="Reports",
        row_is="One issued report",
        permission=(Permission.REPORT_READ, Permission.STOCK_RECONCILE, Permission.PATIENT_READ),
        source=db.metadata.tables["report"],
        joins=((Site, Site.id == report.site_id),),
        order=(report.issued_at, report.id),
        sites=(report.site_id,),
        day=report.period_from,
        conditions=(span_here().holds(report.period_to), *whole),
        columns=(
            Column("report", "Number as it is printed", Site.code + "-" + cast(report.number, String)),
            Column("kind", "What it is", report.kind),
            Column("period_from", "First day", report.period_from),
            Column("period_to", "Last day", report.period_to),
            Column("all_sites", "yes or no", report.covers_all_sites),
            Column("filters", "What was asked", report.filters),
            Column("rows", "How many", report.row_count),
            Column("issued_at", "Instant in UTC", report.issued_at),
            Column("issued_by", "Name then", report.actor_name),
            Column("head_entry", "Head of the chain it shows", report.head_seq),
            Column("head_hash", "SHA-256", report.head_hash),
            Column("pdf_sha256", "SHA-256 of the PDF", sha256("pdf")),
            Column("csv_sha256", "SHA-256 of the CSV", sha256("csv")),
        ),
    )


def people() -> Exported:
    """Who works here, in which role."""
    return Exported(
        name="people",
        title="People and roles",
        row_is="One role of one person",
        permission=_AUDIT,
        source=User,
        joins=((UserRole, UserRole.user_id == User.id),),
        conditions=(User.id != SYSTEM_USER_ID, UserRole.role.is_not(None)),
        order=(User.username, UserRole.role),
        is_timeless=True,
        columns=(
            Column("username", "By which they sign in", User.username),
            Column("name", "As it stands on reports", User.display_name),
            Column("role", "What they may do", UserRole.role),
            Column("title", "Of the credential", User.credential_title),
            Column("licence", "Number of the licence", User.licence_number),
            Column("licence_expires_on", "", User.licence_expires_on),
            Column("created_at", "Instant in UTC", User.created_at),
            Column("deactivated_at", "Instant in UTC; empty while active", User.deactivated_at),
            Column("access_from", "Instant in UTC; empty: always", User.access_from),
            Column("access_until", "Instant in UTC; empty: no end", User.access_until),
        ),
    )


def sites() -> Exported:
    """Where the clinic works."""
    return Exported(
        name="sites",
        title="Sites",
        row_is="One site",
        permission=_AUDIT,
        source=Site,
        order=(Site.code,),
        sites=(Site.id,),
        is_timeless=True,
        columns=(
            Column("site", "Code", Site.code),
            Column("name", "", Site.name),
            Column("address", "", Site.address),
            Column("time_zone", "Of its days", Site.time_zone),
        ),
    )


OVERSIGHT = (trail, gate_rules, looks, views, reports, people, sites)
