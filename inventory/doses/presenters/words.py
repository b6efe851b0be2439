"""Words of the doses room that several pages share: alerts, allergies, consent, age, and what to do about a finding."""

from typing import Any

from inventory.doses.rules.gate import Finding
from inventory.kernel.quantity import format_ml
from inventory.patients.models import AllergyStatus, ConsentStatus
from inventory.patients.presenters import alert_state
from inventory.patients.queries import PatientFacts
from inventory.web.presenting import day

WHAT_TO_DO: dict[str, str] = {
    "LOT-EXPIRED": "Take a lot that is in date, and discard this one under Stock.",
    "LOT-RECALLED": "Take another lot. Put this one aside until it is returned.",
    "LOT-HELD": "Take another lot, or ask the manager whether the hold can be released.",
    "LOT-UNKNOWN": "Take a lot that was received, or ask the manager to receive the delivery first.",
    "VIAL-PAST-USE-BY": "Discard the vial under Stock and open another.",
    "VIAL-CLOSED": "This vial was discarded. Choose another.",
    "VIAL-DEDICATED": "Choose another vial. This one serves its own patient until it is discarded.",
    "VIAL-NO-USE-BY": "Discard the vial: nobody can say until when it may be used.",
    "VIAL-NOT-OPEN-THEN": "Check the time, or choose the vial that was open then.",
    "SINGLE-DOSE-REUSED": "Open a new container. What is left of this one is waste.",
    "REMAINDER-POOLED": "Draw the whole dose from one vial.",
    "STOCK-SHORT": "Choose another vial or lot. If more is really there, ask the manager to correct the stock.",
    "ROUTE-NOT-ON-LABEL": "Choose a product whose label lists intramuscular use.",
    "FORMULATION-REFUSED": "Choose a product of a formulation this clinic uses.",
    "BENZYL-ALCOHOL-NEONATE": "Choose a product without preservative.",
    "GIVER-NOT-AUTHORISED": "Somebody whose role gives doses signs in and records it.",
    "CONSENT-REFUSED": "Do not give the dose. If the patient has decided otherwise, record the new consent first.",
    "SITE-OFF": "Choose an arm or a thigh.",
    "LICENCE-EXPIRED": "An administrator enters the renewed licence under People.",
    "ALLERGIES-NOT-ASKED": "Ask now, and record the answer on the patient's record.",
    "ALLERGIES-UNNAMED": "Ask which, and name them on the patient's record.",
    "ALLERGY-COBALAMIN": "A prescriber decides. Have adrenaline at hand if it is given.",
    "ALLERGY-BENZYL-ALCOHOL": "Choose a product without benzyl alcohol.",
    "LEBERS-OPTIC-ATROPHY": "Choose hydroxocobalamin, or a prescriber decides.",
    "REACTION-UNRESOLVED": "A prescriber looks at the earlier reaction first.",
    "PREGNANCY-ANAEMIA-UNPROVEN": "Prove the deficiency first, or a prescriber decides.",
    "SECOND-DOSE-TODAY": "Check that this is not the same dose again.",
    "VOLUME-OVER-LIMIT": "Split the dose over two sites, or choose a larger muscle.",
    "OVERFILL": "If more was really in the vial, say so.",
}


def alert_mark(alert: Any) -> tuple[str, str]:
    """Return an alert (its kind and note) as it is read before a dose, and the tone to show it in."""
    words, tone = alert_state(alert)
    return f"{words}: {alert.note}" if alert.note else words, tone


def allergy_words(patient: PatientFacts) -> tuple[str, str]:
    """Return what is known of allergies, and the tone to show it in."""
    if patient.allergy_status is AllergyStatus.NOT_ASKED:
        return "Allergies: never asked", "stop"
    if patient.allergy_status is AllergyStatus.PRESENT:
        return "Allergies recorded", "stop"
    return f"No known allergies (asked {day(patient.allergies_asked_on)})", "good"


def consent_words(patient: PatientFacts) -> tuple[str, str]:
    """Return what the patient decided, and the tone to show it in."""
    sheet = f", sheet {patient.information_sheet}" if patient.information_sheet else ""
    if patient.consent is None:
        return "No consent recorded", "attention"
    if patient.consent is ConsentStatus.GIVEN:
        return f"Consent given{sheet}", "good"
    return f"Consent {patient.consent.value}", "stop"


def todo(finding: Finding) -> str:
    """Return what to do about a finding, where its own words do not say so."""
    return WHAT_TO_DO.get(finding.code, "")


def containers_words(count: int, kind: str) -> str:
    """Return a number of containers, such as `2 ampoules`."""
    return f"{count:,} {kind}" if count == 1 else f"{count:,} {kind}s"


def volume_words(volume_ul: int) -> str:
    """Return a volume with its unit."""
    return f"{format_ml(volume_ul)} mL"
