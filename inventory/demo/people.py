"""The demo's staff and patients, and what must be known of each of them before a dose."""

import random
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from uuid import UUID

from inventory.demo.calendar import Period
from inventory.demo.names import invented_birth_date, invented_names
from inventory.demo.products import used
from inventory.kernel.db import db
from inventory.kernel.permissions import SYSTEM_ACTOR, Actor, Role
from inventory.patients.models import AlertKind, AllergyStatus, ConsentStatus
from inventory.patients.services import (
    Identity,
    add_alert,
    add_patient,
    record_consent,
    resolve_alert,
)
from inventory.staff.queries import actor_of, person
from inventory.staff.rules import DEMO_PASSWORD
from inventory.staff.services import add_person, set_password

SHEET = "B12 injections, version 3"
LICENCE_ENDS_SOON_DAYS = 12


@dataclass(frozen=True, slots=True)
class Colleague:
    """Somebody who works in the demo clinic; with an account, they can sign in."""

    username: str
    name: str
    roles: tuple[Role, ...]
    title: str = ""
    licence: str = ""
    licence_days: int = 500
    has_account: bool = True


NURSE = Colleague("nurse", "Nadia Okoro", (Role.PRACTITIONER,), "RN", "RN-204417")
PRESCRIBER = Colleague("prescriber", "Dr Tomas Brandt", (Role.PRESCRIBER,), "MD", "GMC-7731905")
MANAGER = Colleague("manager", "Priya Raman", (Role.MANAGER,))
AUDITOR = Colleague("auditor", "Julian Frost", (Role.AUDITOR,))
ADMIN = Colleague("admin", "Rosa Delgado", (Role.ADMIN,))
LINDQVIST = Colleague(
    "k.lindqvist",
    "Karin Lindqvist",
    (Role.PRACTITIONER,),
    "RN",
    "RN-118230",
    LICENCE_ENDS_SOON_DAYS,
    has_account=False,
)
ADEYEMI = Colleague(
    "s.adeyemi", "Samuel Adeyemi", (Role.PRACTITIONER,), "RN", "RN-339102", 210, has_account=False
)
COLLEAGUES = (NURSE, PRESCRIBER, MANAGER, AUDITOR, ADMIN, LINDQVIST, ADEYEMI)
ACCOUNTS = tuple(one for one in COLLEAGUES if one.has_account)


def employ(period: Period, at: datetime) -> dict[str, Actor]:
    """Add everybody who works here; return them as actors by username."""
    return {colleague.username: _employ(colleague, period, at) for colleague in COLLEAGUES}


def _employ(colleague: Colleague, period: Period, at: datetime) -> Actor:
    user_id = add_person(
        actor=SYSTEM_ACTOR,
        at=at,
        username=colleague.username,
        display_name=colleague.name,
        roles=colleague.roles,
        credential_title=colleague.title,
        licence_number=colleague.licence,
        licence_expires_on=period.today + timedelta(days=colleague.licence_days)
        if colleague.licence
        else None,
    ).subject_id
    if colleague.has_account:
        set_password(actor=SYSTEM_ACTOR, at=at, user_id=user_id, password=DEMO_PASSWORD)
    return actor_of(person(user_id))


@dataclass(frozen=True, slots=True)
class Story:
    """What is special about one patient. `alerts` are noted at the beginning; a resolved one is history by now."""

    alerts: tuple[tuple[AlertKind, str], ...] = ()
    resolved: str = ""
    article: str = ""
    consent: ConsentStatus | None = ConsentStatus.GIVEN
    needs_prescriber: bool = False
    is_new: bool = False


STORIES: dict[int, Story] = {
    3: Story(((AlertKind.BLEEDING_RISK, "Apixaban"),)),
    5: Story(
        ((AlertKind.ALLERGY_COBALT, "Nickel and cobalt contact allergy, patch test"),), needs_prescriber=True
    ),
    9: Story(((AlertKind.ALLERGY_OTHER, "Penicillin: rash in 2009"),)),
    13: Story(((AlertKind.LEBERS_OPTIC_ATROPHY, "Confirmed; family history"),), article="hydroxo-1"),
    17: Story(((AlertKind.PREGNANCY, "Second trimester"),), article="hydroxo-1"),
    23: Story(((AlertKind.SEVERE_ANAEMIA, "Hb 68 g/L"), (AlertKind.POTASSIUM_PLAN, "Potassium after 48 h"))),
    25: Story(((AlertKind.OTHER, "Faints: give lying down"),)),
    27: Story(((AlertKind.RENAL_DISEASE, "eGFR 28"), (AlertKind.BLEEDING_RISK, "Warfarin, INR 2.4"))),
    29: Story(
        ((AlertKind.ALLERGY_BENZYL_ALCOHOL, "Swelling after a preserved injection"),), article="hydroxo-1"
    ),
    33: Story(consent=None),
    37: Story(consent=ConsentStatus.REFUSED),
    45: Story(
        ((AlertKind.SERIOUS_REACTION, "Palpitations after a dose"),),
        resolved="ECG and potassium normal; reviewed",
    ),
    57: Story(is_new=True, consent=None),
    58: Story(is_new=True, consent=None),
    59: Story(is_new=True, consent=None),
}
_PLAIN = Story()
_INDICATIONS = (
    "Pernicious anaemia",
    "B12 deficiency, vegan diet",
    "Malabsorption: Crohn's disease",
    "Malabsorption: coeliac disease",
    "B12 deficiency after gastrectomy",
    "B12 deficiency while on metformin",
)


@dataclass(slots=True)
class DemoPatient:
    """A patient of the demo, and where their course stands."""

    number: int
    patient_id: UUID
    story: Story
    article: str
    indication: str
    given: int = 0
    next_site: int = 0
    last_on: date | None = None
    done: dict[str, bool] = field(default_factory=dict)

    @property
    def interval_days(self) -> int:
        """Weekly for the first four doses, then monthly."""
        return 7 if self.given < 4 else 28

    @property
    def is_treated(self) -> bool:
        """Whether doses are given to them at all."""
        return not self.story.is_new and self.story.consent is not ConsentStatus.REFUSED


def register(
    count: int, *, actor: Actor, prescriber: Actor, at: datetime, rng: random.Random
) -> list[DemoPatient]:
    """Add patients, from the second `at` on, with their alerts and consents; the newest are left out (see `newcomers`)."""
    articles = [article.key for article in used() for _ in range(article.share)]
    patients = []
    for number, (family, given) in enumerate(invented_names(count, rng)):
        story = STORIES.get(number, _PLAIN)
        identity = Identity(
            family_name=family,
            given_name=given,
            born_on=invented_birth_date(rng),
            record_number=f"WS-{number + 1:05d}",
            phone=f"+44 20 7946 {number % 1000:04d}",
        )
        article = story.article or rng.choice(articles)
        indication = rng.choice(_INDICATIONS)
        if not story.is_new:
            patient_id = _admit(identity, story, actor=actor, prescriber=prescriber, at=at)
            patients.append(DemoPatient(number, patient_id, story, article, indication))
    return patients


def newcomers(*, actor: Actor, at: datetime, rng: random.Random) -> None:
    """Add the patients who came these days and were not asked for anything yet."""
    new = [number for number, story in STORIES.items() if story.is_new]
    for number, (family, given) in zip(new, invented_names(len(new), rng), strict=True):
        born_on = invented_birth_date(rng)
        add_patient(
            actor=actor,
            at=at,
            identity=Identity(
                family_name=family, given_name=given, born_on=born_on, record_number=f"WS-{number + 1:05d}"
            ),
            is_another_person=True,
        )


def _admit(identity: Identity, story: Story, *, actor: Actor, prescriber: Actor, at: datetime) -> UUID:
    """Add one patient, asked for allergies that day, with what is to be known of them."""
    patient_id = add_patient(
        actor=actor,
        at=at,
        identity=identity,
        is_another_person=True,
        allergy_status=AllergyStatus.NONE_KNOWN,
        allergies_asked_on=at.date(),
    ).subject_id
    for kind, note in story.alerts:
        alert_id = add_alert(actor=actor, at=at, patient_id=patient_id, kind=kind, note=note).subject_id
        if story.resolved:
            resolve_alert(
                actor=prescriber, at=at + timedelta(minutes=1), alert_id=alert_id, reason=story.resolved
            )
    if story.consent is not None:
        sheet = SHEET if story.consent is ConsentStatus.GIVEN else ""
        record_consent(
            actor=actor,
            at=at,
            patient_id=patient_id,
            status=story.consent,
            decided_at=at,
            information_sheet=sheet,
        )
    db.session.flush()
    return patient_id
