"""Forms about people: sign-in, passwords, a person's entry."""

from wtforms import HiddenField
from wtforms.validators import ValidationError

from inventory.kernel.permissions import Role
from inventory.staff import rules
from inventory.web.fields import (
    ChoiceField,
    CodeField,
    DateField,
    ManyChoiceField,
    Required,
    SecretField,
    TextField,
    TickField,
)
from inventory.web.forms import ClinicForm, FilterForm
from inventory.web.typed_text import CodedMessage

STATES = (("active", "Active"), ("deactivated", "Deactivated"), ("all", "Everybody"))


class VersionedForm(ClinicForm):
    """A form that changes an entry as the page showed it."""

    version = HiddenField()

    @property
    def seen_version(self) -> int:
        """The version of the entry that the person saw; one that never was where it is damaged."""
        typed = self.version.data or ""
        return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 10 else 0


class SignInForm(ClinicForm):
    """Name and password."""

    username = TextField("Username", [Required("Type your username.")], limit=80)
    password = SecretField("Password", [Required("Type your password.")])


class NewPasswordForm(ClinicForm):
    """A new password, typed twice because it cannot be seen."""

    password = SecretField("New password", [Required("Type a new password.")])
    repeated = SecretField("New password again", [Required("Type the new password again.")])

    def validate_repeated(self, field: SecretField) -> None:
        """Refuse two that differ: PASSWORD-MISMATCH."""
        if field.data != self.password.data:
            raise ValidationError(CodedMessage("PASSWORD-MISMATCH", "The two passwords differ."))


class ChangePasswordForm(NewPasswordForm):
    """A new password, with the present one as proof."""

    current = SecretField("Present password", [Required("Type your present password.")])


class PersonForm(VersionedForm):
    """What is written about a person."""

    display_name = TextField("Name", [Required("Type the person's name, as it stands on reports.")])
    email = TextField("E-mail", limit=254)
    roles = ManyChoiceField(
        "Roles", [Required("Choose at least one role.")], choices=rules.ROLE_MEANINGS.items()
    )
    credential_title = TextField("Title", limit=40)
    licence_number = CodeField("Licence number", limit=60)
    licence_expires_on = DateField("Licence expires on")
    licence_renewal_pending = TickField("Renewed, entry pending")

    @property
    def chosen_roles(self) -> frozenset[Role]:
        """The ticked roles."""
        return frozenset(Role(role) for role in self.roles.data or [])


class NewPersonForm(PersonForm):
    """A person's entry with the name they sign in by, which stays."""

    username = TextField("Username", [Required("Type a username.")], limit=40)


class PeopleFilter(FilterForm):
    """Finds people."""

    q = TextField("Name or username", limit=80)
    state = ChoiceField("State", choices=STATES)
