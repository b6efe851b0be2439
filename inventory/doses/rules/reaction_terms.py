"""The closed sets of words a reaction is recorded with. The lists of symptoms are domain.md section 1, as data."""

from enum import StrEnum


class Symptom(StrEnum):
    """What was seen or felt after a dose. Anything else is told in free words."""

    PAIN_AT_SITE = "pain_at_site"
    REDNESS_AT_SITE = "redness_at_site"
    ITCH_AT_SITE = "itch_at_site"
    MILD_DIARRHOEA = "mild_diarrhoea"
    FEELING_OF_SWELLING = "feeling_of_swelling"
    MUSCLE_CRAMPS = "muscle_cramps"
    IRREGULAR_HEARTBEAT = "irregular_heartbeat"
    UNUSUAL_WEAKNESS = "unusual_weakness"
    SWOLLEN_ANKLES = "swollen_ankles"
    SWELLING_OF_FACE = "swelling_of_face"
    TROUBLE_BREATHING = "trouble_breathing"
    SEVERE_DIZZINESS = "severe_dizziness"
    VISION_CHANGE = "vision_change"
    SLURRED_SPEECH = "slurred_speech"
    HIVES = "hives"


SYMPTOM_WORDS: dict[Symptom, str] = {
    Symptom.PAIN_AT_SITE: "Pain at the site",
    Symptom.REDNESS_AT_SITE: "Redness at the site",
    Symptom.ITCH_AT_SITE: "Itch at the site",
    Symptom.MILD_DIARRHOEA: "Mild diarrhoea",
    Symptom.FEELING_OF_SWELLING: "Feeling of swelling",
    Symptom.MUSCLE_CRAMPS: "Muscle cramps",
    Symptom.IRREGULAR_HEARTBEAT: "Irregular heartbeat",
    Symptom.UNUSUAL_WEAKNESS: "Unusual weakness or tiredness",
    Symptom.SWOLLEN_ANKLES: "Swollen ankles or feet",
    Symptom.SWELLING_OF_FACE: "Swelling of face, throat or tongue",
    Symptom.TROUBLE_BREATHING: "Trouble breathing",
    Symptom.SEVERE_DIZZINESS: "Severe dizziness",
    Symptom.VISION_CHANGE: "Vision change",
    Symptom.SLURRED_SPEECH: "Slurred speech",
    Symptom.HIVES: "Hives",
}
EMERGENCIES = (
    Symptom.SWELLING_OF_FACE,
    Symptom.TROUBLE_BREATHING,
    Symptom.SEVERE_DIZZINESS,
    Symptom.VISION_CHANGE,
    Symptom.SLURRED_SPEECH,
    Symptom.HIVES,
)
"""The severe list: an emergency."""
ATTENTION_AT_ONCE = (
    Symptom.MUSCLE_CRAMPS,
    Symptom.IRREGULAR_HEARTBEAT,
    Symptom.UNUSUAL_WEAKNESS,
    Symptom.SWOLLEN_ANKLES,
)
"""The serious list: medical attention at once, and a check of potassium."""
MILD = (
    Symptom.PAIN_AT_SITE,
    Symptom.REDNESS_AT_SITE,
    Symptom.ITCH_AT_SITE,
    Symptom.MILD_DIARRHOEA,
    Symptom.FEELING_OF_SWELLING,
)
"""The mild list: referred where it persists."""


class Severity(StrEnum):
    """How strong it was. Says nothing about seriousness, which is regulatory."""

    MILD = "mild"
    MODERATE = "moderate"
    SEVERE = "severe"


SEVERITY_WORDS = {Severity.MILD: "Mild", Severity.MODERATE: "Moderate", Severity.SEVERE: "Severe"}


class Criterion(StrEnum):
    """What makes a reaction serious to a regulator; none of them is not serious."""

    DEATH = "death"
    LIFE_THREATENING = "life_threatening"
    HOSPITAL = "hospital"
    DISABILITY = "disability"
    CONGENITAL = "congenital"
    MEDICALLY_IMPORTANT = "medically_important"


CRITERION_WORDS: dict[Criterion, str] = {
    Criterion.DEATH: "Death",
    Criterion.LIFE_THREATENING: "Life-threatening",
    Criterion.HOSPITAL: "Admitted to hospital, or kept there longer",
    Criterion.DISABILITY: "Lasting disability",
    Criterion.CONGENITAL: "Congenital anomaly",
    Criterion.MEDICALLY_IMPORTANT: "Otherwise medically important",
}


class Action(StrEnum):
    """What was done."""

    NOTHING = "nothing"
    OBSERVED = "observed"
    TREATED_HERE = "treated_here"
    REFERRED = "referred"
    EMERGENCY_CALLED = "emergency_called"
    SENT_TO_HOSPITAL = "sent_to_hospital"


ACTION_WORDS: dict[Action, str] = {
    Action.NOTHING: "Nothing was needed",
    Action.OBSERVED: "Observed",
    Action.TREATED_HERE: "Treated here (say with what, in the note)",
    Action.REFERRED: "Referred to a doctor",
    Action.EMERGENCY_CALLED: "Emergency service called",
    Action.SENT_TO_HOSPITAL: "Sent to hospital",
}


class ReactionOutcome(StrEnum):
    """How it stood when it was told."""

    ONGOING = "ongoing"
    RECOVERING = "recovering"
    RECOVERED = "recovered"
    LASTING = "lasting"
    DIED = "died"
    UNKNOWN = "unknown"


OUTCOME_WORDS: dict[ReactionOutcome, str] = {
    ReactionOutcome.ONGOING: "Still there",
    ReactionOutcome.RECOVERING: "Getting better",
    ReactionOutcome.RECOVERED: "Over",
    ReactionOutcome.LASTING: "Over, with lasting effects",
    ReactionOutcome.DIED: "Died",
    ReactionOutcome.UNKNOWN: "Not known",
}
OVER = frozenset({ReactionOutcome.RECOVERED, ReactionOutcome.LASTING, ReactionOutcome.DIED})
"""The outcomes after which nobody waits for news."""


class Reporter(StrEnum):
    """Who told of it."""

    PATIENT = "patient"
    GIVER = "giver"
    COLLEAGUE = "colleague"
    RELATIVE = "relative"
    OTHER = "other"


REPORTER_WORDS: dict[Reporter, str] = {
    Reporter.PATIENT: "The patient",
    Reporter.GIVER: "Who gave the dose",
    Reporter.COLLEAGUE: "Another professional",
    Reporter.RELATIVE: "A relative",
    Reporter.OTHER: "Somebody else",
}


class DecisionKind(StrEnum):
    """What a prescriber decided about further doses."""

    MAY_CONTINUE = "may_continue"
    OTHER_FORMULATION = "other_formulation"
    STOP = "stop"


DECISION_WORDS: dict[DecisionKind, str] = {
    DecisionKind.MAY_CONTINUE: "May continue as before",
    DecisionKind.OTHER_FORMULATION: "Another formulation only",
    DecisionKind.STOP: "Stop: no further dose",
}
