"""The closed sets of words a dose is recorded with, in the field's terms."""

from enum import StrEnum


class BodySite(StrEnum):
    """Where a dose goes in, by HL7 v2 table 0163 code."""

    LEFT_DELTOID = "LD"
    RIGHT_DELTOID = "RD"
    LEFT_VASTUS_LATERALIS = "LVL"
    RIGHT_VASTUS_LATERALIS = "RVL"
    LEFT_VENTROGLUTEAL = "LVG"
    RIGHT_VENTROGLUTEAL = "RVG"
    LEFT_DORSOGLUTEAL = "LG"
    RIGHT_DORSOGLUTEAL = "RG"


DELTOIDS = frozenset({BodySite.LEFT_DELTOID, BodySite.RIGHT_DELTOID})
THIGHS = frozenset({BodySite.LEFT_VASTUS_LATERALIS, BodySite.RIGHT_VASTUS_LATERALIS})
HIPS = frozenset({BodySite.LEFT_VENTROGLUTEAL, BodySite.RIGHT_VENTROGLUTEAL})
BUTTOCKS = frozenset({BodySite.LEFT_DORSOGLUTEAL, BodySite.RIGHT_DORSOGLUTEAL})

BODY_SITE_WORDS: dict[BodySite, str] = {
    BodySite.LEFT_DELTOID: "Left arm (deltoid)",
    BodySite.RIGHT_DELTOID: "Right arm (deltoid)",
    BodySite.LEFT_VASTUS_LATERALIS: "Left thigh (vastus lateralis)",
    BodySite.RIGHT_VASTUS_LATERALIS: "Right thigh (vastus lateralis)",
    BodySite.LEFT_VENTROGLUTEAL: "Left hip (ventrogluteal)",
    BodySite.RIGHT_VENTROGLUTEAL: "Right hip (ventrogluteal)",
    BodySite.LEFT_DORSOGLUTEAL: "Left buttock (dorsogluteal)",
    BodySite.RIGHT_DORSOGLUTEAL: "Right buttock (dorsogluteal)",
}


class EntryMode(StrEnum):
    """Whether the dose was recorded before the needle or after it: preventing and recording are two modes."""

    ABOUT_TO_GIVE = "about_to_give"
    ALREADY_GIVEN = "already_given"


class Disposition(StrEnum):
    """What became of a finding of the gate on this dose."""

    OVERRIDDEN = "overridden"
    ACKNOWLEDGED = "acknowledged"
    INFORMED = "informed"
    DEVIATION = "deviation"


class OverrideReason(StrEnum):
    """Why a prescriber lets a dose pass in spite of a finding."""

    BENEFIT_OUTWEIGHS_RISK = "benefit_outweighs_risk"
    TOLERATED_BEFORE = "tolerated_before"
    ASKED_AND_NONE_KNOWN = "asked_and_none_known"
    SPLIT_OVER_TWO_SITES = "split_over_two_sites"
    PRESCRIBED_SO = "prescribed_so"
    RENEWED_ENTRY_PENDING = "renewed_entry_pending"
    OVERFILL_FOUND = "overfill_found"
    DEFICIENCY_PROVEN = "deficiency_proven"
    OTHER = "other"


OVERRIDE_REASON_WORDS: dict[OverrideReason, str] = {
    OverrideReason.BENEFIT_OUTWEIGHS_RISK: "Benefit outweighs the risk",
    OverrideReason.TOLERATED_BEFORE: "Tolerated before",
    OverrideReason.ASKED_AND_NONE_KNOWN: "Asked now, none known",
    OverrideReason.SPLIT_OVER_TWO_SITES: "One dose split over two sites",
    OverrideReason.PRESCRIBED_SO: "Prescribed so",
    OverrideReason.RENEWED_ENTRY_PENDING: "Licence renewed, entry pending",
    OverrideReason.OVERFILL_FOUND: "Overfill found in the vial",
    OverrideReason.DEFICIENCY_PROVEN: "Deficiency is proven",
    OverrideReason.OTHER: "Other (say which)",
}


class VoidKind(StrEnum):
    """What really happened to a dose that is voided, which decides what becomes of its volume."""

    NEVER_OPENED = "never_opened"
    DRAWN_NOT_GIVEN = "drawn_not_given"
    AMENDED = "amended"


VOID_KIND_WORDS: dict[VoidKind, str] = {
    VoidKind.NEVER_OPENED: "Never opened: nothing was drawn, nothing was given",
    VoidKind.DRAWN_NOT_GIVEN: "Drawn, not given: the volume was wasted",
    VoidKind.AMENDED: "Recorded wrongly: replaced by an amended entry",
}


class NotGivenReason(StrEnum):
    """Why a dose that was due or asked for was not given."""

    REFUSED = "refused"
    UNWELL = "unwell"
    CONTRAINDICATED = "contraindicated"
    NOT_ATTENDED = "not_attended"
    OUT_OF_STOCK = "out_of_stock"
    OTHER = "other"


NOT_GIVEN_WORDS: dict[NotGivenReason, str] = {
    NotGivenReason.REFUSED: "Patient refused",
    NotGivenReason.UNWELL: "Patient unwell",
    NotGivenReason.CONTRAINDICATED: "Contraindicated",
    NotGivenReason.NOT_ATTENDED: "Did not attend",
    NotGivenReason.OUT_OF_STOCK: "Out of stock",
    NotGivenReason.OTHER: "Other (say which)",
}


class IncidentKind(StrEnum):
    """What somebody has to look into."""

    DEVIATION = "deviation"
    STOCK_DISCREPANCY = "stock_discrepancy"


class ContactOutcome(StrEnum):
    """What came of reaching a patient about a recall."""

    TOLD = "told"
    MESSAGE_LEFT = "message_left"
    NOT_REACHED = "not_reached"
    WRONG_DETAILS = "wrong_details"
    DECEASED = "deceased"


CONTACT_OUTCOME_WORDS: dict[ContactOutcome, str] = {
    ContactOutcome.TOLD: "Told",
    ContactOutcome.MESSAGE_LEFT: "Message left, or letter sent",
    ContactOutcome.NOT_REACHED: "Not reached",
    ContactOutcome.WRONG_DETAILS: "Contact details are wrong",
    ContactOutcome.DECEASED: "Deceased",
}
CONTACT_ENDS = frozenset({ContactOutcome.TOLD, ContactOutcome.DECEASED})
"""The outcomes after which nobody has to be reached any more."""


class ContactMeans(StrEnum):
    """How a patient was reached for."""

    PHONE = "phone"
    IN_PERSON = "in_person"
    LETTER = "letter"
    EMAIL = "email"


CONTACT_MEANS_WORDS: dict[ContactMeans, str] = {
    ContactMeans.PHONE: "Phone",
    ContactMeans.IN_PERSON: "In person",
    ContactMeans.LETTER: "Letter",
    ContactMeans.EMAIL: "E-mail",
}
