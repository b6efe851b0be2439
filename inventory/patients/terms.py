"""What a person reads for each code of a patient's record."""

from inventory.patients.models import AlertKind, AllergyStatus, ConsentStatus, RecordState

ALERT_WORDS: dict[AlertKind, str] = {
    AlertKind.ALLERGY_COBALAMIN: "Allergy or anaphylaxis to cobalamin (B12)",
    AlertKind.ALLERGY_COBALT: "Allergy to cobalt",
    AlertKind.ALLERGY_BENZYL_ALCOHOL: "Allergy to benzyl alcohol",
    AlertKind.ALLERGY_OTHER: "Other allergy",
    AlertKind.LEBERS_OPTIC_ATROPHY: "Leber's optic atrophy",
    AlertKind.BLEEDING_RISK: "Bleeding risk or anticoagulant",
    AlertKind.PREGNANCY: "Pregnancy",
    AlertKind.MEGALOBLASTIC_ANAEMIA_OF_PREGNANCY: "Megaloblastic anaemia of pregnancy",
    AlertKind.PROVEN_B12_DEFICIENCY: "B12 deficiency proven",
    AlertKind.RENAL_DISEASE: "Renal disease",
    AlertKind.SEVERE_ANAEMIA: "Severe anaemia",
    AlertKind.POTASSIUM_PLAN: "Potassium plan is in place",
    AlertKind.FOLATE: "Takes more than 0.1 mg folate a day",
    AlertKind.BIOTIN: "Takes biotin",
    AlertKind.SERIOUS_REACTION: "Serious or severe reaction, unresolved",
    AlertKind.OTHER: "Other",
}
ALLERGY_WORDS: dict[AllergyStatus, str] = {
    AllergyStatus.NOT_ASKED: "Never asked",
    AllergyStatus.NONE_KNOWN: "None known",
    AllergyStatus.PRESENT: "Present",
}
CONSENT_WORDS: dict[ConsentStatus, str] = {
    ConsentStatus.GIVEN: "Given",
    ConsentStatus.REFUSED: "Refused",
    ConsentStatus.WITHDRAWN: "Withdrawn",
}
STATE_WORDS: dict[RecordState, str] = {
    RecordState.ACTIVE: "Active",
    RecordState.INACTIVE: "Inactive",
    RecordState.DECEASED: "Deceased",
}
FIELD_WORDS: dict[str, str] = {
    "family_name": "Family name",
    "given_name": "Given name",
    "born_on": "Date of birth",
    "record_number": "Record number",
    "phone": "Telephone",
    "email": "E-mail",
    "address": "Address",
    "notes": "Notes",
    "allergy_status": "Allergies",
    "allergies_asked_on": "Allergies asked on",
    "state": "State",
    "died_on": "Died on",
}
