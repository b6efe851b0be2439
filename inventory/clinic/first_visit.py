"""The first visit: an empty clinic becomes one with a name, a site, a place for vials and an administrator, in one act."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date, datetime
from uuid import UUID

from inventory.audit.acts import Act, Outcome, perform
from inventory.clinic import rules, services, setting_rules
from inventory.clinic.models import LocationKind
from inventory.clinic.settings import Settings
from inventory.kernel.errors import Refusal, Refusals
from inventory.kernel.permissions import SYSTEM_ACTOR, Role
from inventory.staff import rules as staff_rules
from inventory.staff import services as staff
from inventory.staff.policy import current_policy

set_up_steps: list[Callable[[datetime], object]] = []
"""Rooms above say here what else a new clinic needs. Done inside the act, when the clinic has its name."""


@dataclass(frozen=True, slots=True)
class FirstVisit:
    """What the first visitor says about the clinic and about themself, who becomes its administrator."""

    clinic_name: str
    name: str
    code: str
    time_zone: str
    location: str
    username: str
    display_name: str
    roles: frozenset[Role]
    password: str
    credential_title: str = ""
    licence_number: str = ""
    licence_expires_on: date | None = None

    def refusals(self) -> list[Refusal]:
        """Return everything wrong with it, each beside its field."""
        policy = current_policy()
        settings = {**asdict(Settings()), "clinic_name": self.clinic_name}
        place = (
            [] if self.location else [Refusal("LOCATION-NAME", "Type a name, such as Cabinet.", "location")]
        )
        return [
            *setting_rules.setting_refusals(settings),
            *rules.site_refusals(code=rules.site_code(self.code), name=self.name, time_zone=self.time_zone),
            *place,
            *staff_rules.username_refusals(staff_rules.username_key(self.username)),
            *staff_rules.person_refusals(
                display_name=self.display_name,
                email="",
                roles=self.roles | {Role.ADMIN},
                licence_number=self.licence_number,
                licence_expires_on=self.licence_expires_on,
            ),
            *staff_rules.password_refusals(
                self.password,
                username=self.username,
                display_name=self.display_name,
                min_length=policy.min_password_length,
                is_demo=policy.is_demo,
            ),
        ]


def set_up(*, at: datetime, setup_code: str, visit: FirstVisit, request_key: str | None = None) -> Outcome:
    """Set the clinic up, once, with the code that the server printed; the outcome's subject is the administrator.

    Raises Refusal SETUP-CODE, SETUP-DONE, and what a step refuses; Refusals of sites, people and passwords.
    """
    refusals = visit.refusals()
    if refusals:
        raise Refusals(refusals)

    def write(act: Act) -> Outcome:
        staff.spend_setup_code(act, code=setup_code, at=at)
        services.change_settings(actor=SYSTEM_ACTOR, at=at, values={"clinic_name": visit.clinic_name})
        site_id = _add_place(visit, at)
        admin_id = _add_admin(visit, at)
        for step in set_up_steps:
            step(at)
        return act.record("clinic.set-up", "user", admin_id, site_id=site_id)

    return perform(write, actor=SYSTEM_ACTOR, at=at, request_key=request_key)


def _add_place(visit: FirstVisit, at: datetime) -> UUID:
    site_id = services.add_site(
        actor=SYSTEM_ACTOR, at=at, code=visit.code, name=visit.name, time_zone=visit.time_zone
    ).subject_id
    services.add_location(
        actor=SYSTEM_ACTOR, at=at, site_id=site_id, name=visit.location, kind=LocationKind.CABINET
    )
    return site_id


def _add_admin(visit: FirstVisit, at: datetime) -> UUID:
    admin_id = staff.add_person(
        actor=SYSTEM_ACTOR,
        at=at,
        username=visit.username,
        display_name=visit.display_name,
        roles=visit.roles | {Role.ADMIN},
        credential_title=visit.credential_title,
        licence_number=visit.licence_number,
        licence_expires_on=visit.licence_expires_on,
    ).subject_id
    staff.set_password(actor=SYSTEM_ACTOR, at=at, user_id=admin_id, password=visit.password)
    return admin_id
