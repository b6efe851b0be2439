"""Makes doses through the room's own services: a nurse, a patient, a shelf of 1 mL vials, and a dose of 1,000 mcg."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from inventory.catalogue.models import ContainerType
from inventory.doses.models import Dose
from inventory.doses.queries.containers import DoseRequest
from inventory.doses.rules.reaction_terms import ReactionOutcome, Reporter, Severity, Symptom
from inventory.doses.rules.sourcing import Draw, Supply, plan_draws
from inventory.doses.rules.terms import BodySite, EntryMode
from inventory.doses.services import Decisions, Told, record_dose, record_reaction
from inventory.kernel import clock
from inventory.kernel.db import db
from inventory.kernel.permissions import Actor, Role
from inventory.stock.ledger import Place
from inventory.stock.models import Lot, Vial
from tests.factories.catalogue import make_multi_dose_product
from tests.factories.patients import make_patient
from tests.factories.staff import make_actor
from tests.factories.stock import make_delivery, make_open_vial, make_place


@dataclass
class Bench:
    """A clinic in which a dose can be given at once."""

    nurse: Actor = field(default_factory=lambda: make_actor(Role.PRACTITIONER))
    place: Place = field(default_factory=make_place)
    patient_id: UUID = field(default_factory=make_patient)

    def __post_init__(self) -> None:
        self.lot: Lot = make_delivery(place=self.place, containers=3)

    def draws(self, volume_ul: int, *, lot: Lot | None = None, vial: Vial | None = None) -> tuple[Draw, ...]:
        """Return where a volume comes from: sealed containers of a lot, or an open vial."""
        chosen = lot or self.lot
        content = chosen.container_volume_ul
        supply = Supply(
            chosen.id,
            self.place.location_id,
            vial.id if vial else None,
            ContainerType(chosen.container_type),
            content,
            99,
        )
        return tuple(plan_draws(volume_ul, [supply]))

    def request(self, *, lot: Lot | None = None, vial: Vial | None = None, **changes: Any) -> DoseRequest:
        """Return a request to give 1,000 mcg into the left arm, with `changes`."""
        volume_ul = changes.get("volume_ul", 1_000)
        usual = DoseRequest(
            mode=EntryMode.ABOUT_TO_GIVE,
            site_id=self.place.site_id,
            patient_id=self.patient_id,
            draws=changes.pop("draws", None) or self.draws(volume_ul, lot=lot, vial=vial),
            dose_ng=volume_ul * 1_000,
            volume_ul=volume_ul,
            body_site=BodySite.LEFT_DELTOID,
            indication="B12 deficiency",
            consent_seen=True,
        )
        return replace(usual, **changes)

    def give(
        self,
        request: DoseRequest | None = None,
        *,
        at: datetime | None = None,
        actor: Actor | None = None,
        **more: Any,
    ) -> Dose:
        """Record a dose and return it."""
        outcome = record_dose(
            actor=actor or self.nurse,
            at=at or clock.now(),
            request=request or self.request(),
            decisions=more.pop("decisions", Decisions()),
            **more,
        )
        return db.session.get_one(Dose, outcome.subject_id)

    def open_multi(self, *, at: datetime | None = None) -> tuple[Lot, Vial]:
        """Receive and open a 10 mL multi-dose vial."""
        lot = make_delivery(place=self.place, product_id=make_multi_dose_product().id, containers=2, at=at)
        return lot, make_open_vial(lot, place=self.place, at=at)

    def react(
        self, dose: Dose, *, at: datetime | None = None, actor: Actor | None = None, **changes: Any
    ) -> UUID:
        """Record a reaction to a dose, hives ten minutes after it, judged severe, with `changes`; return its id."""
        usual = Told(
            severity=Severity.SEVERE,
            outcome=ReactionOutcome.ONGOING,
            reporter=Reporter.PATIENT,
            symptoms=(Symptom.HIVES,),
            onset_minutes=10,
        )
        outcome = record_reaction(
            actor=actor or self.nurse,
            at=at or clock.now(),
            dose_id=dose.id,
            told=replace(usual, **changes),
        )
        return outcome.subject_id
