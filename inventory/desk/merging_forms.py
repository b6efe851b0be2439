"""The forms of merging: which other record, which of the two is kept, and how somebody knows."""

from inventory.web.fields import CodeField, LongTextField, RadioChoiceField, Required, TickField
from inventory.web.forms import ClinicForm

THIS, OTHER = "this", "other"


class OtherRecordForm(ClinicForm):
    """The record that may be the same person's."""

    record_number = CodeField(
        "Number of the other record", [Required("Type the number of the other record.")], limit=40
    )


class MergeForm(OtherRecordForm):
    """Which of two compared records is kept, and how it is known that they are one person's."""

    kept = RadioChoiceField(
        "Which record is kept?",
        [Required("Choose the record that is kept.")],
        choices=[(THIS, "The left one"), (OTHER, "The right one")],
    )
    reason = LongTextField(
        "How do you know that they are one person?", [Required("Say how you know.")], limit=1_000
    )
    although_born_differently = TickField("They are one person although the dates of birth differ")


class UndoMergeForm(ClinicForm):
    """Why a merge was a mistake."""

    reason = LongTextField(
        "How do you know that they are two people?", [Required("Say how you know.")], limit=1_000
    )
