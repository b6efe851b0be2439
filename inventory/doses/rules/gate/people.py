"""Who gives, who is given, and what they agreed to."""

from inventory.doses.rules.gate.rule import Source, day, rule
from inventory.doses.rules.question import Question, Tier
from inventory.doses.rules.terms import OverrideReason
from inventory.patients.models import ConsentStatus


@rule(
    "GIVER-NOT-AUTHORISED",
    Tier.BLOCK,
    "The giver's role does not give doses.",
    source=Source.STANDARD,
    todo="Somebody whose role gives doses signs in and records it.",
    is_fixed=True,
)
def giver_not_authorised(q: Question) -> str:
    """Roles are given under People."""
    return "" if q.giver.may_give else "Your role does not give doses."


@rule(
    "LICENCE-EXPIRED",
    Tier.OVERRIDE,
    "The giver's licence has expired. Its last day is included.",
    source=Source.HOUSE,
    todo="An administrator enters the renewed licence under People.",
    reasons=(OverrideReason.RENEWED_ENTRY_PENDING,),
)
def licence_expired(q: Question) -> str:
    """The licence as it is entered now: a renewal may be on its way."""
    expires = q.giver.licence_expires_on
    if expires is None or q.given_on <= expires:
        return ""
    pending = " The renewal is entered as pending." if q.giver.licence_renewal_pending else ""
    return f"The giver's licence expired on {day(expires)}.{pending}"


@rule(
    "CONSENT-REFUSED",
    Tier.BLOCK,
    "The patient has refused or withdrawn consent.",
    source=Source.STANDARD,
    todo="Do not give the dose. If the patient has decided otherwise, record the new consent first.",
    field="consent_seen",
    is_fixed=True,
)
def consent_refused(q: Question) -> str:
    """The latest decision as of the dose counts."""
    if q.patient.consent not in {ConsentStatus.REFUSED, ConsentStatus.WITHDRAWN}:
        return ""
    return f"The patient's consent is {q.patient.consent}."


@rule(
    "CONSENT-NOT-RECORDED",
    Tier.ACKNOWLEDGE,
    "No consent is recorded, and the giver has seen none.",
    source=Source.HOUSE,
    field="consent_seen",
)
def consent_not_recorded(q: Question) -> str:
    """A consent that the giver has seen on paper is enough."""
    missing = q.patient.consent is None and not q.consent_seen
    return "No consent is recorded for this patient." if missing else ""


@rule(
    "PATIENT-NAMESAKE",
    Tier.ACKNOWLEDGE,
    "Another patient has the same name, or the same birth date and family name.",
    source=Source.STANDARD,
)
def patient_namesake(q: Question) -> str:
    """Two identifiers tell people apart."""
    alike = "Another patient has the same name or birth date. Check both identifiers."
    return alike if q.patient.namesakes else ""


RULES = (giver_not_authorised, licence_expired, consent_refused, consent_not_recorded, patient_namesake)
