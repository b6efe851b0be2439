"""Reads, as of the time of the dose, everything the gate decides on, and asks it.

The page asks early, without locks. The act asks again inside its transaction with the patient and the accounts locked
(law 7): what it then finds is what counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Table, exists, func, select
from sqlalchemy.orm import Session

from inventory.catalogue.models import ContainerType, Route
from inventory.clinic.models import Location, Site
from inventory.clinic.settings import Settings, current_settings
from inventory.doses.models import Dose, DoseVoid
from inventory.doses.queries import containers as containing
from inventory.doses.queries.containers import Container, DoseRequest
from inventory.doses.rules import gate
from inventory.doses.rules.terms import BodySite
from inventory.kernel.clock import local_day
from inventory.kernel.permissions import Actor, Permission
from inventory.kernel.quantity import Strength
from inventory.patients.queries import PatientFacts, patient_facts
from inventory.staff.models import User
from inventory.stock.models import Account, AccountKind, Hold, Lot, Movement, Vial

A_MINUTE = timedelta(minutes=1)
_RECENT_DOSES = 30

_ACCOUNT = cast(Table, Account.__table__)
_MOVEMENT = cast(Table, Movement.__table__)
_DOSE = cast(Table, Dose.__table__)
_VOID = cast(Table, DoseVoid.__table__)


@dataclass(frozen=True, slots=True)
class Assessment:
    """A request with all that was read for it, and what the gate found."""

    request: DoseRequest
    site: Any
    patient: PatientFacts
    product: Any
    giver: Any
    containers: tuple[Container, ...]
    settings: Settings
    question: gate.Question
    findings: tuple[gate.Finding, ...]

    @property
    def given_at(self) -> datetime:
        """When the dose was given: as typed, settled within its minute, or when it is recorded."""
        return self.question.given_at


def assess(
    session: Session,
    request: DoseRequest,
    *,
    giver: Actor,
    recorded_at: datetime,
    lock: bool = False,
    takes_over: bool = False,
) -> Assessment:
    """Ask the gate about `request` as of its time. With `lock`, patient first and then the accounts stay locked.

    `takes_over` is for an amendment that moves no stock: what is drawn has left its containers already.
    Raises Refusal NOT-FOUND for an unknown patient, site, lot or vial, and SOURCE-NEEDED, SOURCES-MIXED.
    """
    asked_at = min(request.given_at or recorded_at, recorded_at + gate.CLOCK_TOLERANCE * 2)
    patient = patient_facts(session, request.patient_id, at=asked_at, lock=lock)
    site = containing.one(
        session.execute(select(Site.id, Site.code, Site.time_zone).where(Site.id == request.site_id)), "site"
    )
    settings = current_settings()
    lots = containing.lots(session, request)
    accounts = containing.accounts(session, request, lock=lock)
    given_at = containing.settle(session, request, recorded_at, accounts)
    given_on = local_day(given_at, site.time_zone)
    containers = containing.resolve(
        session,
        request,
        lots=lots,
        accounts=accounts,
        given_at=given_at,
        # An amendment draws anew when it is recorded, not when the dose was given: what it takes back is there only now.
        drawn_at=recorded_at if request.amends_id else given_at,
        takes_over=takes_over,
    )
    product = next(iter(lots.values())) if lots else containing.unknown_product(session, request)
    states = tuple(c.state for c in containers) or (containing.unknown_state(request, product),)
    giver_row = _giver(session, giver)
    question = gate.Question(
        mode=request.mode,
        given_at=given_at,
        given_on=given_on,
        recorded_at=recorded_at,
        dose_ng=request.dose_ng,
        volume_ul=request.volume_ul,
        route=request.route,
        body_site=request.body_site,
        consent_seen=request.consent_seen,
        patient=gate.PatientState(
            patient.born_on, patient.allergy_status, patient.alerts, patient.consent, patient.namesakes
        ),
        product=_product_state(product),
        sources=states,
        giver=gate.GiverState(
            giver.can(Permission.DOSE_GIVE), giver_row.licence_expires_on, giver_row.licence_renewal_pending
        ),
        history=_history(session, request, product.substance_id, given_at, given_on),
        limits=limits_of(settings),
        first_expiring=takes_over
        or not containers
        or _is_first_expiring(session, containers, site.id, given_on),
    )
    return Assessment(
        request,
        site,
        patient,
        product,
        giver_row,
        containers,
        settings,
        question,
        tuple(gate.may_give(question)),
    )


def limits_of(settings: Settings) -> gate.Limits:
    """Return the gate's limits from the clinic's settings; their names are the same."""
    return gate.Limits(**{field.name: getattr(settings, field.name) for field in fields(gate.Limits)})


def _giver(session: Session, giver: Actor) -> Any:
    columns = (User.licence_expires_on, User.licence_renewal_pending)
    return containing.one(session.execute(select(*columns).where(User.id == giver.id)), "person")


def _product_state(product: Any) -> gate.ProductState:
    return gate.ProductState(
        substance=product.substance_name,
        formulation=product.formulation_name,
        strength=Strength(product.strength_ng, product.strength_ul),
        routes=frozenset(Route(code) for code in product.routes.split(",") if code),
        container_type=ContainerType(product.container_type),
        is_cobalamin=product.is_cobalamin,
        lebers_caution=product.lebers_caution,
        formulation_refused=product.formulation_refused,
        has_benzyl_alcohol=product.has_benzyl_alcohol,
        contains_aluminium=product.contains_aluminium,
        overfill_limit_ul=product.overfill_limit_ul,
    )


def _history(
    session: Session, request: DoseRequest, substance_id: UUID, given_at: datetime, given_on: date
) -> gate.History:
    """Return the patient's valid doses before this one, and how many of the substance fall on its day."""
    columns = [
        _DOSE.c[name]
        for name in ("id", "body_site", "formulation_name", "substance_id", "given_on", "given_at")
    ]
    rows = session.execute(
        select(*columns)
        .where(_DOSE.c.patient_id == request.patient_id, ~exists().where(_VOID.c.dose_id == _DOSE.c.id))
        .where(_DOSE.c.given_on >= given_on - timedelta(days=400))
        .order_by(_DOSE.c.given_at.desc(), _DOSE.c.id.desc())
        .limit(_RECENT_DOSES)
    ).all()
    others = [row for row in rows if row.id != request.amends_id]
    before = next((row for row in others if row.given_at <= given_at), None)
    return gate.History(
        same_substance_today=sum(
            row.substance_id == substance_id and row.given_on == given_on for row in others
        ),
        last_site=BodySite(before.body_site) if before else None,
        last_formulation=before.formulation_name if before else None,
    )


def _is_first_expiring(session: Session, containers: Sequence[Container], site_id: UUID, on: date) -> bool:
    """Tell whether nothing usable of the product at the site runs out sooner than what was chosen first."""
    first = containers[0]
    chosen = (first.vial.use_by_on if first.vial else None) or first.lot.expires_on
    ends_on = func.coalesce(Vial.use_by_on, Lot.expires_on)
    sooner = (
        select(Account.id)
        .join(Lot, Lot.id == Account.lot_id)
        .join(Location, Location.id == Account.location_id)
        .outerjoin(Vial, Vial.id == Account.vial_id)
        .where(
            Lot.product_id == first.lot.product_id,
            Account.kind.in_((AccountKind.SHELF, AccountKind.VIAL)),
            Account.balance_ul > 0,
            Location.site_id == site_id,
            Lot.expires_on >= on,
            ends_on >= on,
            ends_on < chosen,
            ~exists().where(Hold.lot_id == Lot.id, Hold.released_at.is_(None)),
        )
        .limit(1)
    )
    return session.scalar(sooner) is None
