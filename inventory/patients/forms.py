"""What is typed about a patient."""

from typing import Any

from wtforms import HiddenField

from inventory.patients.models import ALLERGIES, AlertKind, AllergyStatus, ConsentStatus, RecordState
from inventory.patients.services import Identity, Named
from inventory.patients.terms import ALERT_WORDS, ALLERGY_WORDS, CONSENT_WORDS, STATE_WORDS
from inventory.web.fields import (
    Between,
    ChoiceField,
    CodeField,
    DateField,
    LocalTimeField,
    LongTextField,
    ManyChoiceField,
    RadioChoiceField,
    Required,
    SecretField,
    TextField,
    TickField,
)
from inventory.web.forms import ClinicForm, CodedForm
from inventory.web.presenting import site_today

IDENTITY_FIELDS = tuple(Identity.__dataclass_fields__)


class _NotAfterToday(Between):
    def __init__(self, code_message: str) -> None:
        super().__init__(message=code_message)

    def __call__(self, form: object, field: Any) -> None:
        self.most = site_today()
        super().__call__(form, field)


class SearchForm(CodedForm):
    """What to look for, sent by POST: an address never holds a name. `page` is where in a long result."""

    q = TextField("Name, record number or date of birth")
    inactive = TickField("Inactive patients too")
    page = HiddenField()


class IdentityForm(ClinicForm):
    """Who a patient is and how to reach them."""

    family_name = TextField("Family name", [Required("Type the family name.")])
    given_name = TextField("Given name")
    born_on = DateField("Date of birth", [Required("Type the date of birth.")])
    record_number = CodeField("Record number", limit=40)
    phone = TextField("Telephone", limit=60)
    email = TextField("E-mail", limit=254)
    address = LongTextField("Address", limit=500)
    notes = LongTextField("Notes")

    @property
    def identity(self) -> Identity:
        """What was typed, for the service."""
        return Identity(**{name: self._fields[name].data for name in IDENTITY_FIELDS})


class _NamingForm(ClinicForm):
    """Which allergies there are, and one note about them."""

    allergies = ManyChoiceField(
        "Which allergies",
        choices=[(kind.value, ALERT_WORDS[kind]) for kind in AlertKind if kind in ALLERGIES],
    )
    allergies_note = LongTextField("What they are allergic to, and how it showed")

    @property
    def named(self) -> list[Named]:
        """The allergies that were ticked, each with the note, for the service."""
        note = str(self.allergies_note.data or "")
        return [Named(AlertKind(kind), note) for kind in self.allergies.data or []]


class _PrescriberForm(ClinicForm):
    """The word of a prescriber beside somebody who is none."""

    prescriber_username = TextField("Prescriber's username", limit=80)
    prescriber_password = SecretField("Prescriber's password")

    @property
    def word(self) -> tuple[str, str] | None:
        """Username and password as typed; None where nothing was."""
        username = str(self.prescriber_username.data or "")
        password = str(self.prescriber_password.data or "")
        return (username, password) if username or password else None


class NewPatientForm(IdentityForm, _NamingForm):
    """A new patient, with the answer about allergies where they were asked."""

    allergy_status = RadioChoiceField(
        "Asked for allergies?", choices=[(status.value, words) for status, words in ALLERGY_WORDS.items()]
    )
    allergies_asked_on = DateField("Asked on", [_NotAfterToday("Not after today.")])
    is_another_person = TickField("This is another person")


class EditPatientForm(IdentityForm):
    """A patient's entry as somebody saw it; `version` says which."""

    version = HiddenField()

    @property
    def seen_version(self) -> int:
        """The version that was seen; one that never was where the field is damaged."""
        typed = str(self.version.data or "")
        return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 10 else 0


class AllergiesForm(_NamingForm):
    """What the patient said when asked for allergies."""

    allergy_status = RadioChoiceField(
        "Allergies",
        [Required("Choose what the patient said.")],
        choices=[(status.value, words) for status, words in ALLERGY_WORDS.items()],
    )
    allergies_asked_on = DateField("Asked on", [_NotAfterToday("Not after today.")])

    @property
    def answer(self) -> AllergyStatus:
        """The answer, for the service."""
        return AllergyStatus(str(self.allergy_status.data))


class StateForm(ClinicForm):
    """Whether the clinic still sees the patient."""

    state = RadioChoiceField(
        "State", [Required("Choose the state.")], choices=[(s.value, w) for s, w in STATE_WORDS.items()]
    )
    died_on = DateField("Died on", [_NotAfterToday("The day of death is in the future.")])
    reason = LongTextField("Why", limit=1_000)

    @property
    def chosen(self) -> RecordState:
        """The state, once the form is valid."""
        return RecordState(str(self.state.data))


class AlertForm(_PrescriberForm):
    """Something to know before a dose."""

    kind = ChoiceField(
        "What must be known",
        [Required("Choose what must be known.")],
        choices=[(kind.value, words) for kind, words in ALERT_WORDS.items()],
        blank="Choose",
    )
    note = LongTextField("Note")

    @property
    def chosen(self) -> AlertKind:
        """The kind, for the service."""
        return AlertKind(str(self.kind.data))


class ResolveForm(_PrescriberForm):
    """Why an alert no longer holds."""

    reason = LongTextField("Why it no longer holds", [Required("Say why this no longer holds.")])


class ConsentForm(ClinicForm):
    """What the patient decided, when, and what they had been given to read."""

    decision = RadioChoiceField(
        "The patient's decision",
        [Required("Choose what the patient decided.")],
        choices=[(status.value, words) for status, words in CONSENT_WORDS.items()],
    )
    information_sheet = TextField("Information sheet and its version", limit=120)
    decided_at = LocalTimeField("Decided at", [Required("Type when the patient decided.")])
    note = LongTextField("Note")

    @property
    def decided(self) -> ConsentStatus:
        """The decision, for the service."""
        return ConsentStatus(str(self.decision.data))
