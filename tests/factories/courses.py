"""Makes protocols and courses through the room's own services: weekly four times, then monthly, unless told otherwise."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from itertools import count
from typing import Any
from uuid import UUID

from inventory.catalogue.models import Route
from inventory.courses import services
from inventory.courses.models import CourseSlot
from inventory.courses.queries.courses import CourseView, course_view
from inventory.courses.queries.protocols import versions_of
from inventory.courses.rules.calendar import Interval
from inventory.courses.rules.ordering import AuthorityDraft, Order, ProtocolDraft
from inventory.courses.rules.planning import Step
from inventory.courses.rules.terms import AuthorityKind, Unit
from inventory.kernel import clock
from inventory.kernel.db import db
from inventory.kernel.permissions import Actor, Role
from tests.factories.catalogue import make_formulation
from tests.factories.doses import Bench
from tests.factories.staff import make_actor

STARTS_ON = date(2026, 3, 16)
AT = datetime(2026, 3, 16, 9, 30, tzinfo=UTC)
WEEKLY_THEN_MONTHLY = ProtocolDraft(
    "An invented guideline",
    (
        Step(1, 1_000_000, Interval(1, Unit.WEEK), doses=4, early_days=2, late_days=3),
        Step(2, 1_000_000, Interval(1, Unit.MONTH), early_days=7, late_days=7),
    ),
    review_months=6,
)
_numbers = count(1)


def make_protocol(draft: ProtocolDraft = WEEKLY_THEN_MONTHLY, *, actor: Actor, name: str = "") -> UUID:
    """Publish a protocol and return the id of its only version."""
    named = name or f"Invented protocol {next(_numbers)}"
    made = services.add_protocol(actor=actor, at=clock.now(), name=named, draft=draft).subject_id
    return versions_of(db.session(), made)[0].version.id


def make_authority(formulation_id: UUID, *, actor: Actor, **changes: Any) -> UUID:
    """Enter a standing order for 1,000 mcg, good for the year."""
    usual: dict[str, Any] = {
        "kind": AuthorityKind.STANDING_ORDER,
        "document": "Invented standing order",
        "document_version": str(next(_numbers)),
        "route": Route.IM,
        "least_dose_ng": 1_000_000,
        "most_dose_ng": 1_000_000,
        "valid_from": date(2026, 1, 1),
        "expires_on": date(2026, 12, 31),
    }
    draft = AuthorityDraft(**{**usual, **changes})
    return services.add_authority(
        actor=actor, at=clock.now(), formulation_id=formulation_id, draft=draft
    ).subject_id


@dataclass
class Ward:
    """A clinic in which a course runs: a prescriber, and a bench at which its doses are given."""

    bench: Bench = field(default_factory=Bench)
    prescriber: Actor = field(default_factory=lambda: make_actor(Role.PRESCRIBER))
    draft: ProtocolDraft = WEEKLY_THEN_MONTHLY
    course_id: UUID | None = None

    def __post_init__(self) -> None:
        self.formulation_id = make_formulation()
        self.version_id = make_protocol(self.draft, actor=self.prescriber)

    def order(self, **changes: Any) -> Order:
        """Return an order of 1,000 mcg into a muscle, with `changes`."""
        usual: dict[str, Any] = {
            "route": Route.IM,
            "least_dose_ng": 1_000_000,
            "most_dose_ng": 1_000_000,
            "starts_on": STARTS_ON,
            "indication": "B12 deficiency",
            "review_on": date(2026, 9, 16),
        }
        return Order(**{**usual, **changes})

    def start(self, *, at: datetime = AT, actor: Actor | None = None, **changes: Any) -> UUID:
        """Order a course and return its id."""
        known = {
            "patient_id": changes.pop("patient_id", self.bench.patient_id),
            "formulation_id": changes.pop("formulation_id", self.formulation_id),
            "version_id": changes.pop("version_id", self.version_id),
            "site_id": self.bench.place.site_id,
        }
        return services.start_course(
            actor=actor or self.prescriber, at=at, order=self.order(**changes), **known
        ).subject_id

    def view(self, course_id: UUID) -> CourseView:
        """Return the course as it stands."""
        return course_view(db.session(), course_id)

    def open_slot(self, course_id: UUID) -> CourseSlot:
        """Return the dose that is due next."""
        slot = self.view(course_id).open_slot
        assert slot is not None
        return slot

    def states(self, course_id: UUID) -> list[tuple[str, str]]:
        """Return what became of each slot, with its day."""
        return [(f"{slot.due_on:%d %b}", str(slot.state)) for slot in self.view(course_id).slots]
