"""What the gate is asked, and what it answers with: the state of patient, product, containers and giver, as plain data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from inventory.catalogue.models import ContainerType, Route
from inventory.courses.rules.terms import CourseState
from inventory.doses.rules.reactions import ReactionState
from inventory.doses.rules.terms import BodySite, EntryMode
from inventory.kernel.quantity import Strength
from inventory.patients.laboratory import B12_STATUS, Analyte, Newest
from inventory.patients.models import AlertKind, AllergyStatus, ConsentStatus


class Weight(StrEnum):
    """How much a finding weighs. Integrity holds in both modes; a block becomes a deviation after the fact."""

    INTEGRITY = "integrity"
    BLOCK = "block"
    OVERRIDE = "override"
    ACKNOWLEDGE = "acknowledge"
    INFORM = "inform"


class Tier(StrEnum):
    """What the clinic asks of a finding. Once: acknowledged once per course, or in a year where there is none; then informs."""

    INTEGRITY = "integrity"
    BLOCK = "block"
    OVERRIDE = "override"
    ACKNOWLEDGE = "acknowledge"
    ONCE = "once"
    INFORM = "inform"


@dataclass(frozen=True, slots=True)
class GateSettings:
    """What the clinic has changed about the rules: those switched off, and the tiers of others, by their codes."""

    off: frozenset[str] = frozenset()
    tiers: Mapping[str, Tier] = field(default_factory=dict)

    def tier_of(self, code: str, default: Tier) -> Tier:
        """Return the tier the clinic gives a finding, else its default."""
        return self.tiers.get(code, default)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing the gate found: a stable code, how much it weighs, what to tell the person, the field it is about."""

    code: str
    weight: Weight
    message: str
    field: str | None = None


@dataclass(frozen=True, slots=True)
class PatientState:
    """What is known of the patient at the time of the dose."""

    born_on: date
    allergy_status: AllergyStatus
    alerts: frozenset[AlertKind]
    consent: ConsentStatus | None
    namesakes: int = 0
    died_on: date | None = None
    is_inactive: bool = False


@dataclass(frozen=True, slots=True)
class ProductState:
    """What the product is."""

    substance: str
    formulation: str
    strength: Strength
    routes: frozenset[Route]
    container_type: ContainerType
    is_cobalamin: bool
    lebers_caution: bool
    formulation_refused: bool
    has_benzyl_alcohol: bool
    contains_aluminium: bool
    overfill_limit_ul: int


@dataclass(frozen=True, slots=True)
class SourceState:
    """One container as it was at the time of the dose. Volumes in microlitres; `available_ul` is what the ledger says it held.

    `already_open` is false for a container that this very dose opens. `overfill_yielded_ul` is what it held more than its label
    before this dose.
    """

    name: str
    container_type: ContainerType
    volume_ul: int
    available_ul: int
    expires_on: date
    use_by_on: date | None
    already_open: bool
    closed: bool = False
    opened_later: bool = False
    held: bool = False
    recalled: bool = False
    lot_unknown: bool = False
    dedicated_to_another: bool = False
    on_its_way: str = ""
    overfill_yielded_ul: int = 0


@dataclass(frozen=True, slots=True)
class GiverState:
    """What is known of the person who gives."""

    may_give: bool
    licence_expires_on: date | None
    licence_renewal_pending: bool


@dataclass(frozen=True, slots=True)
class History:
    """What the patient was given before. `same_substance_today` counts valid doses of that day; `same_day` words them."""

    same_substance_today: int = 0
    same_day: tuple[str, ...] = ()
    last_site: BodySite | None = None
    last_formulation: str | None = None
    last_dose_ng: int | None = None


@dataclass(frozen=True, slots=True)
class CourseOrder:
    """A prescriber's order for the substance, as it stood at the time of the dose, and the slot that was due next, if one was."""

    formulation: str
    route: Route
    least_dose_ng: int
    most_dose_ng: int
    doses_a_day: int
    state: CourseState
    starts_on: date
    stops_on: date | None = None
    review_on: date | None = None
    due_on: date | None = None
    opens_on: date | None = None
    closes_on: date | None = None
    due_dose_ng: int | None = None
    last_given_on: date | None = None

    def stands_on(self, day: date) -> bool:
        """Tell whether doses are ordered on a day. A course is completed after the day of its last dose, not before."""
        if self.stops_on is not None and day > self.stops_on:
            return False
        if self.state is CourseState.COMPLETED:
            return self.last_given_on is not None and day <= self.last_given_on
        return self.state is CourseState.ACTIVE


@dataclass(frozen=True, slots=True)
class AuthorityState:
    """A standing order or group direction that covers the dose."""

    document: str
    document_version: str


@dataclass(frozen=True, slots=True)
class LabState:
    """What laboratory results say as of the time of the dose: of each analyte the newest that stands."""

    newest: Mapping[Analyte, Newest] = field(default_factory=dict)

    @property
    def b12_status(self) -> Newest | None:
        """The newest result that says something of the B12 status."""
        known = [self.newest[analyte] for analyte in B12_STATUS if analyte in self.newest]
        return max(known, key=lambda one: one.taken_at, default=None)


@dataclass(frozen=True, slots=True)
class Limits:
    """The clinic's own limits. Volumes in microlitres."""

    deltoid_inform_ul: int = 1_000
    deltoid_override_ul: int = 2_000
    thigh_inform_ul: int = 3_000
    thigh_override_ul: int = 5_000
    gluteal_inform_ul: int = 3_000
    gluteal_override_ul: int = 5_000
    child_limit_ul: int = 1_000
    child_under_years: int = 18
    near_expiry_days: int = 30
    late_after_minutes: int = 60
    hip_enabled: bool = False
    buttock_enabled: bool = False
    severe_anaemia_g_l: int = 80
    monitoring_b12_days: int = 365
    monitoring_haemoglobin_days: int = 0
    monitoring_potassium_days: int = 0


@dataclass(frozen=True, slots=True)
class Question:
    """All that the gate decides on. It reads nothing else.

    `acknowledged` are the findings that were acknowledged for this patient in this course, or within a year where there is none.
    `asks_authority` says that the clinic has courses or authorities at all: without them no dose is asked for one.
    """

    mode: EntryMode
    given_at: datetime
    given_on: date
    recorded_at: datetime
    dose_ng: int
    volume_ul: int
    route: Route
    body_site: BodySite
    consent_seen: bool
    patient: PatientState
    product: ProductState
    sources: tuple[SourceState, ...]
    giver: GiverState
    history: History = field(default_factory=History)
    labs: LabState = field(default_factory=LabState)
    limits: Limits = field(default_factory=Limits)
    gate: GateSettings = field(default_factory=GateSettings)
    order: CourseOrder | None = None
    authority: AuthorityState | None = None
    asks_authority: bool = False
    first_expiring: bool = True
    acknowledged: frozenset[str] = frozenset()
    reactions: tuple[ReactionState, ...] = ()

    def has(self, *kinds: AlertKind) -> bool:
        """Tell whether the patient has one of these alerts."""
        return bool(self.patient.alerts & set(kinds))
