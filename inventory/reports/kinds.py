"""The kinds of report there are: what each is called and is about, what has to be asked for it, and who may issue and read it."""

from dataclasses import dataclass
from enum import StrEnum

from inventory.kernel.permissions import Actor, Permission

P = Permission


class ReportKind(StrEnum):
    """What a report is about."""

    ADMINISTRATIONS = "administrations"
    PSEUDONYMISED = "pseudonymised"
    PATIENT = "patient"
    PRACTITIONER = "practitioner"
    LOT = "lot"
    WASTAGE = "wastage"
    INCIDENTS = "incidents"
    REACTIONS = "reactions"
    CORRECTIONS = "corrections"
    ACCESS = "access"
    COMPLETENESS = "completeness"
    RECONCILIATION = "reconciliation"
    RECALL = "recall"


@dataclass(frozen=True, slots=True)
class KindWords:
    """The title of a report of this kind, one of what it counts, what it is for, and the permissions it takes.

    `permission` is that of reading it, `issues` that of making one; `names_patients` asks for the sight of patients besides.
    `asks` are the fields that narrow it, `needs` the one it cannot do without. A report that `is_of_all_sites` is none for
    somebody who works at some of them. `has_days` tells whether a period is asked.
    """

    title: str
    counts: str
    about: str
    asks: tuple[str, ...] = ()
    needs: str = ""
    permission: Permission = P.REPORT_READ
    issues: Permission = P.REPORT_ISSUE
    names_patients: bool = True
    is_of_all_sites: bool = False
    has_days: bool = True


KIND_WORDS = {
    ReportKind.ADMINISTRATIONS: KindWords(
        "Administration report",
        "dose",
        "Every dose given in a period, with voids, deviations and amendments marked.",
        ("site_code", "giver_id", "patient_record_number", "formulation_id", "lot_number", "body_site"),
    ),
    ReportKind.PSEUDONYMISED: KindWords(
        "Pseudonymised administration report",
        "dose",
        "The same without names, record numbers, birth dates and notes: patients bear pseudonyms that only this clinic can resolve.",
        ("site_code", "formulation_id", "lot_number", "body_site"),
        names_patients=False,
    ),
    ReportKind.PATIENT: KindWords(
        "Report of one patient",
        "row",
        "What one patient was given and not given in a period, with incidents, consents and alerts.",
        ("patient_record_number", "site_code"),
        needs="patient_record_number",
    ),
    ReportKind.PRACTITIONER: KindWords(
        "Report of one practitioner",
        "row",
        "What one person gave, recorded for others, corrected and wasted in a period.",
        ("giver_id", "site_code"),
        needs="giver_id",
    ),
    ReportKind.LOT: KindWords(
        "Trace of one lot",
        "row",
        "The whole life of one lot: from its receipts through its containers to the patients, with every movement.",
        ("lot_number", "site_code"),
        needs="lot_number",
        has_days=False,
    ),
    ReportKind.RECONCILIATION: KindWords(
        "Reconciliation",
        "lot",
        "What was there, came, went and is left of every lot in a period, with everything that stands out.",
        ("site_code", "formulation_id", "lot_number", "level"),
        permission=P.STOCK_RECONCILE,
        issues=P.STOCK_RECONCILE,
        names_patients=False,
    ),
    ReportKind.WASTAGE: KindWords(
        "Wastage report",
        "waste",
        "What was wasted in a period by reason, product and month, and what it had cost where that is known.",
        ("site_code", "formulation_id"),
        permission=P.STOCK_RECONCILE,
        issues=P.STOCK_RECONCILE,
        names_patients=False,
    ),
    ReportKind.INCIDENTS: KindWords(
        "Deviations and incidents",
        "row",
        "What was given otherwise than the rules allow or in spite of a finding, and what came of it.",
        ("site_code",),
    ),
    ReportKind.REACTIONS: KindWords(
        "Reactions",
        "row",
        "Reactions to the doses of a period: what was told, corrected and retracted, news, and what prescribers decided.",
        ("site_code",),
    ),
    ReportKind.CORRECTIONS: KindWords(
        "Corrections",
        "correction",
        "Voids, amendments, lot corrections and reversals of a period, the old and the new side by side.",
        ("site_code",),
    ),
    ReportKind.COMPLETENESS: KindWords(
        "Completeness exceptions",
        "exception",
        "Doses without consent seen or without a credential, late entries, and numbers that were skipped.",
        ("site_code",),
    ),
    ReportKind.ACCESS: KindWords(
        "Who read what",
        "look",
        "Who looked at which patient in a period, through which page.",
        ("patient_record_number", "person_id"),
        permission=P.AUDIT_READ,
        issues=P.AUDIT_READ,
        names_patients=False,
        is_of_all_sites=True,
    ),
    ReportKind.RECALL: KindWords(
        "Recall report",
        "patient",
        "How a recall stands or was closed out: its lots, every patient, every try to reach them.",
        ("recall_id",),
        needs="recall_id",
        is_of_all_sites=True,
        has_days=False,
    ),
}


def may_read(actor: Actor, kind: ReportKind) -> bool:
    """Tell whether a person may read reports of this kind."""
    return actor.can(KIND_WORDS[kind].permission) and _sees(actor, kind)


def may_issue(actor: Actor, kind: ReportKind) -> bool:
    """Tell whether a person may issue a report of this kind."""
    return actor.can(KIND_WORDS[kind].issues) and _sees(actor, kind)


def kinds_for(actor: Actor) -> frozenset[ReportKind]:
    """Return the kinds of report that a person may read."""
    return frozenset(kind for kind in ReportKind if may_read(actor, kind))


def kinds_issued_by(actor: Actor) -> tuple[ReportKind, ...]:
    """Return the kinds of report that a person may issue, in the order in which they are offered."""
    return tuple(kind for kind in KIND_WORDS if may_issue(actor, kind))


def _sees(actor: Actor, kind: ReportKind) -> bool:
    words = KIND_WORDS[kind]
    if words.is_of_all_sites and actor.site_ids is not None:
        return False
    return not words.names_patients or actor.can(P.PATIENT_READ)
