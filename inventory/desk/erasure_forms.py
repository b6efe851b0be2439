"""The forms of erasure: what was asked, why it is refused, and the second person who carries it out."""

from inventory.audit.models import AskedBy, Ground
from inventory.web.fields import (
    DateField,
    LongTextField,
    RadioChoiceField,
    Required,
    SecretField,
    TextField,
)
from inventory.web.forms import ClinicForm

ASKED_BY_WORDS = {
    AskedBy.PATIENT: "The patient",
    AskedBy.REPRESENTATIVE: "Somebody who acts for the patient",
    AskedBy.AUTHORITY: "A court or an authority",
    AskedBy.RETENTION: "The clinic: the years of keeping are over",
}
GROUND_WORDS = {
    Ground.MUST_KEEP: "The law asks that the records be kept (GDPR 17(3)(b))",
    Ground.PUBLIC_HEALTH: "Public interest in the field of public health (GDPR 17(3)(c))",
    Ground.LEGAL_CLAIMS: "Needed for legal claims (GDPR 17(3)(e))",
    Ground.NOT_IDENTIFIED: "It is not certain that the patient asks (GDPR 12(6))",
    Ground.OTHER: "Another ground, named below",
}
DECISION_WORDS = {"refused": "Refused", "carried-out": "Carried out"}


class AskErasureForm(ClinicForm):
    """That somebody asks to have a patient's data erased."""

    asked_by = RadioChoiceField(
        "Who asks",
        [Required("Choose who asks.")],
        choices=[(one.value, words) for one, words in ASKED_BY_WORDS.items()],
    )
    asked_on = DateField("Asked on", [Required("Type the day of the request.")])
    words = LongTextField("What is asked", [Required("Say in a few words what was asked.")], limit=1_000)


class RefuseErasureForm(ClinicForm):
    """Why a request is refused."""

    ground = RadioChoiceField(
        "Legal ground",
        [Required("Choose the legal ground.")],
        choices=[(one.value, words) for one, words in GROUND_WORDS.items()],
    )
    because = LongTextField("Why, as the patient is told", [Required("Say why, as the patient is told.")])


class SecondPersonForm(ClinicForm):
    """The second of the two people by whom an erasure is carried out."""

    second_username = TextField("Second person's username", limit=80)
    second_password = SecretField("Second person's password")
