"""Reads, as of the time of the dose, everything the gate decides on, and asks it.

The page asks early, without locks. The act asks again inside its transaction with the patient and the accounts locked
(law 7): what it then finds is what counts.
"""

from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from typing import Any, cast
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Table, and_, bindparam, exists, literal, or_, select, union_all
from sqlalchemy.orm import Session

from inventory.catalogue.models import ContainerType, Route
from inventory.clinic.models import Location, Site
from inventory.clinic.settings import Settings, current_settings
from inventory.doses.models import Dose, DoseVoid, VialDedication
from inventory.doses.queries import containers as containing
from inventory.doses.queries import statements
from inventory.doses.queries.acknowledged import a_year_before, acknowledged
from inventory.doses.queries.containers import Container, DoseRequest, Kept
from inventory.doses.queries.dedicated import is_standing
from inventory.doses.queries.gate_rules import GATE_RULES, settings_from
from inventory.doses.queries.ordered import (
    HAS_AUTHORITIES,
    HAS_COURSES,
    NOTHING_ORDERED,
    Asked,
    Ordered,
    ordered,
)
from inventory.doses.queries.reaction_states import HAS_REACTIONS, reactions_before
from inventory.doses.queries.relabelled import lock_heirs, reached
from inventory.doses.rules import gate
from inventory.doses.rules.gate.laboratory import READ
from inventory.doses.rules.reactions import ReactionState
from inventory.doses.rules.terms import BODY_SITE_WORDS, BodySite
from inventory.kernel.clock import local_day
from inventory.kernel.db import an_id
from inventory.kernel.numbering import written_number
from inventory.kernel.permissions import Actor, Permission
from inventory.kernel.quantity import Strength, format_mcg
from inventory.patients.measured_queries import HAS_RESULTS, newest_labs
from inventory.patients.queries import PatientFacts, patient_facts
from inventory.staff.models import User
from inventory.stock.models import Account, AccountKind, Hold, Lot, Vial

_ACCOUNT, _DOSE, _VOID, _LOT, _VIAL, _HOLD, _PLACE, _SITE, _USER, _DEDICATION = (
    cast(Table, model.__table__)
    for model in (Account, Dose, DoseVoid, Lot, Vial, Hold, Location, Site, User, VialDedication)
)
# Statements that every dose sends are made once.
_SITE_AND_GIVER = (
    select(
        *(_SITE.c[name] for name in ("id", "code", "time_zone")),
        *(_USER.c[name] for name in ("licence_expires_on", "licence_renewal_pending")),
        GATE_RULES,
        HAS_COURSES,
        HAS_AUTHORITIES,
        HAS_REACTIONS,
        HAS_RESULTS,
    )
    .select_from(_SITE.join(_USER, _USER.c.id == an_id("giver_id")))
    .where(_SITE.c.id == an_id("site_id"))
)
_of_patient = (
    _DOSE.c.patient_id.in_(an_id("records", many=True)),
    _DOSE.c.id != an_id("amends_id"),
    ~exists().where(_VOID.c.dose_id == _DOSE.c.id),
)
_told = (
    _SITE.c.code.label("site_code"),
    *(_DOSE.c[name] for name in ("number", "given_on", "given_at", "given_zone", "dose_ng", "body_site")),
    *(_DOSE.c[name] for name in ("giver_name", "formulation_name", "substance_id")),
)
_told_of = _DOSE.join(_SITE, _SITE.c.id == _DOSE.c.site_id)
_last_before = (
    select(literal(0).label("that_day"), *_told)
    .select_from(_told_of)
    .where(*_of_patient, _DOSE.c.given_at <= bindparam("given_at"))
    .order_by(_DOSE.c.given_at.desc(), _DOSE.c.id.desc())
    .limit(1)
    .subquery()
)
_OF_HISTORY = union_all(
    select(literal(1).label("that_day"), *_told)
    .select_from(_told_of)
    .where(*_of_patient, _DOSE.c.given_on == bindparam("given_on")),
    select(_last_before),
)
_NOBODY = UUID(int=0)
_usable = (
    _LOT.c.product_id == an_id("product_id"),
    _LOT.c.expires_on >= bindparam("day"),
    _ACCOUNT.c.balance_ul > 0,
)


def _is_held(*covers: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(_HOLD.c.lot_id == _LOT.c.id, _HOLD.c.released_at.is_(None), *covers)


# Shelves and open vials are asked apart: together they would be sought among every vial that was ever opened.
_SOONER = union_all(
    select(_ACCOUNT.c.id)
    .join(_LOT, _LOT.c.id == _ACCOUNT.c.lot_id)
    .join(_PLACE, _PLACE.c.id == _ACCOUNT.c.location_id)
    .where(
        *_usable,
        _ACCOUNT.c.kind == AccountKind.SHELF,
        _PLACE.c.site_id == an_id("site_id"),
        _LOT.c.expires_on < bindparam("chosen"),
        ~_is_held(
            _HOLD.c.vial_id.is_(None),
            or_(_HOLD.c.location_id.is_(None), _HOLD.c.location_id == _ACCOUNT.c.location_id),
        ),
    ),
    select(_ACCOUNT.c.id)
    .join(_VIAL, and_(_VIAL.c.id == _ACCOUNT.c.vial_id, _VIAL.c.location_id == _ACCOUNT.c.location_id))
    .join(_LOT, _LOT.c.id == _VIAL.c.lot_id)
    .where(
        *_usable,
        _VIAL.c.location_id.in_(statements.AT_SITE),
        _VIAL.c.closed_at.is_(None),
        _VIAL.c.use_by_on >= bindparam("day"),
        # A use-by is printed once; the expiry of its lot may have been corrected since.
        or_(_VIAL.c.use_by_on < bindparam("chosen"), _LOT.c.expires_on < bindparam("chosen")),
        ~_is_held(
            or_(_HOLD.c.location_id.is_(None), _HOLD.c.location_id == _VIAL.c.location_id),
            or_(_HOLD.c.vial_id.is_(None), _HOLD.c.vial_id == _VIAL.c.id),
        ),
        ~exists().where(
            _DEDICATION.c.vial_id == _VIAL.c.id,
            _DEDICATION.c.patient_id.not_in(an_id("records", many=True)),
            is_standing(),
        ),
    ),
).limit(1)


@dataclass(frozen=True, slots=True)
class Assessment:
    """A request with all that was read for it, and what the gate found."""

    request: DoseRequest
    site: Any
    patient: PatientFacts
    product: Any
    containers: tuple[Container, ...]
    settings: Settings
    question: gate.Question
    findings: tuple[gate.Finding, ...]
    zone: str
    ordered: Ordered = NOTHING_ORDERED

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
    kept: Kept | None = None,
) -> Assessment:
    """Ask the gate about `request` as of its time. With `lock`, patient, lots and accounts stay locked, in this order.

    `kept` is what an amendment keeps of the entry it corrects. Raises Refusal NOT-FOUND for an unknown patient, site, lot
    or vial, SOURCE-NEEDED, SOURCES-MIXED, SOURCE-ELSEWHERE, SOURCES-DISAGREE.
    """
    read = _read(session, request, giver=giver, recorded_at=recorded_at, lock=lock, kept=kept)
    giver_state = gate.GiverState(
        giver.can(Permission.DOSE_GIVE), read.site.licence_expires_on, read.site.licence_renewal_pending
    )
    first_expiring = (
        (kept is not None and kept.moves_nothing) or not read.containers or _is_first_expiring(session, read)
    )
    under = _ordered(session, request, read)
    question = replace(
        _question(request, read, giver_state, known_at=kept.known_at if kept else recorded_at),
        history=_history(session, request, read),
        labs=_labs(session, read),
        first_expiring=first_expiring,
        order=under.order,
        authority=under.authority,
        asks_authority=under.is_asked,
        reactions=_reactions(session, request, read),
    )
    question, findings = _answered(session, read, question)
    return Assessment(
        request,
        read.site,
        read.patient,
        read.product,
        read.containers,
        read.settings,
        question,
        findings,
        read.zone,
        under,
    )


def _answered(
    session: Session, read: "_Read", question: gate.Question
) -> tuple[gate.Question, tuple[gate.Finding, ...]]:
    """Ask the gate, and once more where a finding needs acknowledging once only and may have been acknowledged before."""
    findings = gate.may_give(question)
    once = gate.asked_once(question, findings)
    if not once:
        return question, tuple(findings)
    since = a_year_before(question.given_on)
    seen = acknowledged(session, read.patient.records, once, since=since, before=question.given_at)
    question = replace(question, acknowledged=seen)
    return question, tuple(gate.may_give(question) if seen else findings)


@dataclass(frozen=True, slots=True)
class _Read:
    """What a request names, as it was when the dose was given. `site` carries the giver's licence beside it."""

    site: Any
    patient: PatientFacts
    product: Any
    containers: tuple[Container, ...]
    settings: Settings
    given_at: datetime
    given_on: date
    zone: str


def _read(
    session: Session,
    request: DoseRequest,
    *,
    giver: Actor,
    recorded_at: datetime,
    lock: bool,
    kept: Kept | None,
) -> _Read:
    asked_at = min(request.given_at or recorded_at, recorded_at + gate.CLOCK_TOLERANCE * 2)
    patient = patient_facts(session, request.patient_id, at=asked_at, lock=lock)
    site_and_giver = {"site_id": request.site_id, "giver_id": giver.id, "records": patient.records}
    site = containing.one(session.execute(_SITE_AND_GIVER, site_and_giver), "site")
    lots = containing.lots(session, request, lock=lock)
    # After the lots are locked, no vial of them is taken elsewhere until the act ends.
    vials = containing.vials(session, request)
    if lock:
        lock_heirs(session, vials.values())
    request = containing.located(request, vials)
    accounts = containing.accounts(session, request, lock=lock)
    given_at = containing.settle(session, request, recorded_at, accounts)
    containers = containing.resolve(
        session,
        request,
        lots=lots,
        vials=vials,
        accounts=accounts,
        given_at=given_at,
        recorded_at=recorded_at,
        kept=kept,
    )
    if kept is None or not kept.moves_nothing:
        containers = reached(session, containers, mode=request.mode, recorded_at=recorded_at)
    product = next(iter(lots.values())) if lots else containing.unknown_product(session, request)
    zone = kept.zone if kept else site.time_zone
    return _Read(
        site, patient, product, containers, current_settings(), given_at, local_day(given_at, zone), zone
    )


def _question(
    request: DoseRequest, read: _Read, giver: gate.GiverState, *, known_at: datetime
) -> gate.Question:
    patient = read.patient
    return gate.Question(
        mode=request.mode,
        given_at=read.given_at,
        given_on=read.given_on,
        recorded_at=known_at,
        dose_ng=request.dose_ng,
        volume_ul=request.volume_ul,
        route=request.route,
        body_site=request.body_site,
        consent_seen=request.consent_seen,
        patient=gate.PatientState(
            patient.born_on,
            patient.allergy_status,
            patient.alerts,
            patient.consent,
            patient.namesakes,
            died_on=patient.died_on,
            is_inactive=patient.is_inactive,
        ),
        product=_product_state(read.product),
        sources=tuple(c.state for c in read.containers) or (containing.unknown_state(request, read.product),),
        giver=giver,
        limits=limits_of(read.settings),
        gate=settings_from(read.site.gate_rules),
    )


def limits_of(settings: Settings) -> gate.Limits:
    """Return the gate's limits from the clinic's settings; their names are the same."""
    return gate.Limits(**{field.name: getattr(settings, field.name) for field in fields(gate.Limits)})


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


def _history(session: Session, request: DoseRequest, read: _Read) -> gate.History:
    """Return the valid doses that the person had on the day of this one, on any record of theirs, and the last before it."""
    asked = {
        "records": read.patient.records,
        "amends_id": request.amends_id or _NOBODY,
        "given_at": read.given_at,
        "given_on": read.given_on,
    }
    rows = session.execute(_OF_HISTORY, asked).all()
    before = next((row for row in rows if not row.that_day), None)
    same = [row for row in rows if row.that_day and row.substance_id == read.product.substance_id]
    return gate.History(
        same_substance_today=len(same),
        same_day=tuple(_in_words(row) for row in same),
        last_site=BodySite(before.body_site) if before else None,
        last_formulation=before.formulation_name if before else None,
        last_dose_ng=before.dose_ng if before else None,
    )


def _labs(session: Session, read: _Read) -> gate.LabState:
    newest = (
        newest_labs(session, read.patient.records, READ, at=read.given_at) if read.site.has_results else {}
    )
    return gate.LabState(newest)


def _reactions(session: Session, request: DoseRequest, read: _Read) -> tuple[ReactionState, ...]:
    without = request.amends_id or _NOBODY
    if not read.site.has_reactions:
        return ()
    return reactions_before(session, read.patient.records, at=read.given_at, without=without)


def _ordered(session: Session, request: DoseRequest, read: _Read) -> Ordered:
    """Return under which order, or which authority, the dose would be given."""
    asked = Asked(
        records=read.patient.records,
        substance_id=read.product.substance_id,
        formulation_id=read.product.formulation_id,
        route=request.route,
        dose_ng=request.dose_ng,
        given_at=read.given_at,
        given_on=read.given_on,
        amends_id=request.amends_id or _NOBODY,
    )
    return ordered(
        session, asked, has_courses=read.site.has_courses, has_authorities=read.site.has_authorities
    )


def _in_words(dose: Any) -> str:
    at = f"{dose.given_at.astimezone(ZoneInfo(dose.given_zone)):%H:%M}"
    where = BODY_SITE_WORDS[BodySite(dose.body_site)].lower()
    return f"dose {written_number(dose.site_code, dose.number)} at {at}: {format_mcg(dose.dose_ng)} mcg, {where}, by {dose.giver_name}"


def _is_first_expiring(session: Session, read: _Read) -> bool:
    """Tell whether nothing usable of the product at the site runs out sooner than what was chosen first."""
    first = read.containers[0]
    use_by_on = first.vial.use_by_on if first.vial else None
    chosen = min(use_by_on or first.lot.expires_on, first.lot.expires_on)
    asked = {
        "product_id": first.lot.product_id,
        "site_id": read.site.id,
        "day": read.given_on,
        "chosen": chosen,
        "records": read.patient.records,
    }
    return session.scalar(_SOONER, asked) is None
