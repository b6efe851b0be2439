"""Forms about the clinic: the first visit, sites, storage locations, settings."""

from typing import Any

from wtforms import Field, HiddenField

from inventory.clinic import rules, setting_rules
from inventory.clinic.models import LocationKind
from inventory.clinic.setting_rules import Kind, SettingRule
from inventory.kernel.permissions import Role
from inventory.staff import rules as staff_rules
from inventory.staff.forms import NewPasswordForm, VersionedForm
from inventory.staff.services import Bounds
from inventory.web.fields import (
    ChoiceField,
    CodeField,
    CountField,
    DateField,
    LocalTimeField,
    LongTextField,
    ManyChoiceField,
    RadioChoiceField,
    Required,
    TextField,
    TickField,
    VolumeField,
)
from inventory.web.forms import ClinicForm

KINDS = ((LocationKind.CABINET, "Cabinet"), (LocationKind.FRIDGE, "Fridge"), (LocationKind.ROOM, "Room"))
ALSO = tuple(
    (role, staff_rules.ROLE_MEANINGS[role]) for role in (Role.PRACTITIONER, Role.PRESCRIBER, Role.MANAGER)
)


ZONES = tuple((zone, zone.replace("_", " ")) for zone in rules.time_zones())


class SiteForm(ClinicForm):
    """A place where the clinic works."""

    name = TextField("Site's name", [Required("Type the site's name.")])
    code = CodeField("Site's code", [Required("Type a short code, such as MAIN.")], limit=12)
    time_zone = ChoiceField("Time zone", [Required("Choose the time zone.")], choices=ZONES, blank="Choose")
    address = LongTextField("Address", limit=500)
    version = HiddenField()

    @property
    def seen_version(self) -> int:
        """The version of the entry that the person saw; one that never was where it is damaged."""
        typed = self.version.data or ""
        return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 10 else 0


class LocationForm(ClinicForm):
    """A place in which vials are kept."""

    name = TextField("Name", [Required("Type a name, such as Fridge 1.")], limit=120)
    kind = RadioChoiceField("What it is", [Required("Choose what it is.")], choices=KINDS)


class FirstVisitForm(NewPasswordForm):
    """The clinic, its first site, and its first administrator."""

    setup_code = CodeField("Code", [Required("Type the code that the server printed.")], limit=40)
    clinic_name = TextField("Clinic's name", [Required("Type the clinic's name.")], limit=120)
    name = TextField("Site's name", [Required("Type the site's name.")])
    code = CodeField("Site's code", [Required("Type a short code, such as MAIN.")], limit=12, default="MAIN")
    time_zone = ChoiceField("Time zone", [Required("Choose the time zone.")], choices=ZONES, blank="Choose")
    location = TextField(
        "Where vials are kept", [Required("Type a name, such as Cabinet.")], limit=120, default="Cabinet"
    )
    display_name = TextField("Your name", [Required("Type your name, as it stands on reports.")])
    username = TextField("Username", [Required("Type a username.")], limit=40)
    also = ManyChoiceField("You are also", choices=ALSO)
    credential_title = TextField("Title", limit=40)
    licence_number = CodeField("Licence number", limit=60)
    licence_expires_on = DateField("Licence expires on")

    @property
    def roles(self) -> frozenset[Role]:
        """The administrator's roles."""
        return frozenset({Role.ADMIN, *(Role(role) for role in self.also.data or [])})


class SiteChoiceForm(ClinicForm):
    """The site at which one works now."""

    site = RadioChoiceField("Site", [Required("Choose a site.")])


class PersonSitesForm(ClinicForm):
    """The sites at which a person works; none ticked is every site."""

    sites = ManyChoiceField("Works at")


class PersonAccessForm(VersionedForm):
    """From when until when somebody signs in, and which days' records they see."""

    access_from = LocalTimeField("May sign in from")
    access_until = LocalTimeField("Until")
    records_from = DateField("Sees records from")
    records_until = DateField("To")

    @property
    def bounds(self) -> Bounds:
        """What is typed."""
        return Bounds(
            access_from=self.access_from.data,
            access_until=self.access_until.data,
            records_from=self.records_from.data,
            records_until=self.records_until.data,
        )


class RulesForm(ClinicForm):
    """The settings; its fields are made from their rules, below."""

    version = HiddenField()

    def values(self) -> dict[str, Any]:
        """Return the typed settings as `Settings` holds them."""
        typed = {name: self[name].data for name in setting_rules.RULES}
        return {name: tuple(value) if isinstance(value, list) else value for name, value in typed.items()}


def field_of(rule: SettingRule) -> Field:
    """Return the field in which a setting is typed."""
    needed = [Required()]
    if rule.kind is Kind.TICK:
        return TickField(rule.label)
    if rule.kind is Kind.REASONS:
        return ManyChoiceField(rule.label, choices=setting_rules.WITNESS_REASONS.items())
    if rule.kind is Kind.CHOICE:
        return RadioChoiceField(rule.label, needed, choices=rule.choices.items())
    if rule.kind in {Kind.TEXT, Kind.CURRENCY}:
        return TextField(rule.label, needed, limit=rule.most)
    return (VolumeField if rule.kind is Kind.VOLUME else CountField)(rule.label, needed)


for _name, _rule in setting_rules.RULES.items():
    setattr(RulesForm, _name, field_of(_rule))
