"""The forms of a recall: its notice and lots, lots added later, its end, and what came of reaching a patient."""

from wtforms import HiddenField

from inventory.doses.rules.terms import CONTACT_MEANS_WORDS, CONTACT_OUTCOME_WORDS
from inventory.stock.forms.temperatures import UploadField
from inventory.stock.notices import MOST_CHARACTERS
from inventory.web.fields import (
    ChoiceField,
    LocalTimeField,
    LongTextField,
    ManyChoiceField,
    RadioChoiceField,
    Required,
    TextField,
    TickField,
)
from inventory.web.forms import ClinicForm, FilterForm

STATES = (("waiting", "Not yet reached"), ("reached", "Reached"))


class LotsForm(ClinicForm):
    """Lot numbers as they were pasted or uploaded, and which lots of ours they mean. `shown` is what the preview showed."""

    lots = LongTextField("Lot numbers", limit=MOST_CHARACTERS)
    file = UploadField("Or a file of them")
    chosen = ManyChoiceField("Lots to hold")
    shown = HiddenField()


class RecallForm(LotsForm):
    """A notice of a maker or an authority."""

    title = TextField("What is recalled", [Required("Say in a few words what is recalled.")], limit=200)
    reference = TextField("Reference of the authority or maker", limit=120)
    reason = LongTextField("Why it is recalled", [Required("Say why, as the notice does.")])
    is_drill = TickField("This is a drill: an exercise, not a real recall")


class CloseRecallForm(ClinicForm):
    """What came of a recall, and why it is closed although something is left to do."""

    outcome = LongTextField("What came of it", [Required("Say what came of the recall.")])
    although = LongTextField("Why it is closed although something is left to do")


class ContactForm(ClinicForm):
    """What came of one try to reach a patient."""

    outcome = RadioChoiceField(
        "What came of it",
        [Required("Choose what came of it.")],
        choices=[(one.value, words) for one, words in CONTACT_OUTCOME_WORDS.items()],
    )
    means = RadioChoiceField(
        "How",
        [Required("Choose how.")],
        choices=[(one.value, words) for one, words in CONTACT_MEANS_WORDS.items()],
        default="phone",
    )
    contacted_at = LocalTimeField("When")
    note = LongTextField("Note")


class RecipientsFilter(FilterForm):
    """Which of a recall's patients to show."""

    state = ChoiceField("Patients", choices=STATES, blank="All, those not reached first")
