"""Words of the doses room that several pages share: alerts, allergies, consent, containers and volumes."""

from typing import Any

from inventory.kernel.quantity import format_ml
from inventory.patients.models import AllergyStatus, ConsentStatus
from inventory.patients.presenters import alert_state
from inventory.patients.queries import PatientFacts
from inventory.web.presenting import day


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


def containers_words(count: int, kind: str) -> str:
    """Return a number of containers, such as `2 ampoules`."""
    return f"{count:,} {kind}" if count == 1 else f"{count:,} {kind}s"


def volume_words(volume_ul: int) -> str:
    """Return a volume with its unit."""
    return f"{format_ml(volume_ul)} mL"
