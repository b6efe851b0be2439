"""Requests to erase a patient's data: recorded, refused on a legal ground, or carried out by two people (law 10)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import delete, exists, select
from sqlalchemy.orm import Session

from inventory.audit.acts import Act, Outcome, perform
from inventory.audit.erasing import BIRTH_ERASED, ERASE_PATIENT, ERASED, begin_erasure, erase_rows
from inventory.audit.models import AskedBy, Decision, ErasureKind, ErasureRequest, Ground
from inventory.kernel.errors import Refusal, not_found
from inventory.kernel.ids import uuid7
from inventory.kernel.permissions import Actor, Permission
from inventory.patients import queries, rules
from inventory.patients.models import NameWord, Patient, RecordState
from inventory.patients.services.record import locked

Obstacle = Callable[[Session, UUID], Refusal | None]


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked: by whom, on which day, and in which words (without the patient's name, since they are kept)."""

    by: AskedBy
    on: date
    words: str


def ask_erasure(
    *, actor: Actor, at: datetime, patient_id: UUID, asked: Asked, request_key: str | None = None
) -> Outcome:
    """Write down that an erasure is asked for; the outcome's subject is the request.

    Raises Refusal ERASURE-ASKED while another request about the patient is open, ERASURE-WORDS, ERASURE-DAY, NOT-FOUND.
    """

    def write(act: Act) -> Outcome:
        locked(act.session, patient_id)
        if not asked.words.strip():
            raise Refusal("ERASURE-WORDS", "Say in a few words what was asked.", "words")
        if asked.on > rules.last_day_on_earth(at):
            raise Refusal("ERASURE-DAY", "The request cannot be of a day to come.", "asked_on")
        if open_request(act.session, patient_id) is not None:
            raise Refusal("ERASURE-ASKED", "A request about this patient is open already.")
        request = ErasureRequest(
            id=uuid7(),
            patient_id=patient_id,
            asked_by=asked.by,
            asked_on=asked.on,
            words=asked.words.strip(),
            recorded_at=act.recorded_at,
            actor_id=actor.id,
        )
        act.session.add(request)
        act.session.flush()
        facts = {"asked_by": asked.by, "asked_on": asked.on.isoformat()}
        return act.record(
            "patients.ask-erasure", "erasure_request", request.id, patient_id=patient_id, facts=facts
        )

    return perform(write, actor=actor, at=at, request_key=request_key)


def refuse_erasure(
    *,
    actor: Actor,
    at: datetime,
    request_id: UUID,
    ground: Ground,
    because: str,
    request_key: str | None = None,
) -> Outcome:
    """Refuse a request on a legal ground, with the reason that the patient is told.

    Raises Refusal ERASURE-DECIDED, ERASURE-BECAUSE, NOT-PERMITTED, NOT-FOUND.
    """
    _refuse_unless(actor)

    def write(act: Act) -> Outcome:
        request = _undecided(act.session, request_id)
        if not because.strip():
            raise Refusal("ERASURE-BECAUSE", "Say why, as the patient is told.", "because")
        _decide(act, request, Decision.REFUSED, ground=ground, because=because.strip())
        facts = {"ground": ground, "because": because.strip()}
        return act.record(
            "patients.refuse-erasure",
            "erasure_request",
            request.id,
            patient_id=request.patient_id,
            facts=facts,
        )

    return perform(write, actor=actor, at=at, request_key=request_key)


def carry_out_erasure(
    *,
    actor: Actor,
    at: datetime,
    request_id: UUID,
    second: Actor,
    obstacle: Obstacle,
    request_key: str | None = None,
) -> Outcome:
    """Erase the data of the person, on every record of theirs, as two people decided: `second` confirms by their own password.

    `obstacle` says what stands against it inside the act, with the patient locked. Raises what it returns, Refusal
    ERASURE-SECOND, ERASURE-DECIDED, ERASURE-TRAIL-UNWELL, NOT-PERMITTED, NOT-FOUND.
    """
    _refuse_unless(actor)

    def write(act: Act) -> Outcome:
        request = _undecided(act.session, request_id)
        patient = locked(act.session, request.patient_id)
        against = obstacle(act.session, patient.id)
        if against is not None:
            raise against
        erasure_id = begin_erasure(act, kind=ErasureKind.PATIENT, second=second, request_id=request.id)
        records = queries.records_of(patient.id)
        counts = erase_rows(act, erasure_id, records)
        for one in records:
            _make_nameless(act.session, queries.get_patient(act.session, one))
        _decide(act, request, Decision.CARRIED_OUT)
        facts = {"second": second.name, "rows": counts, "request": request.id}
        return act.record(ERASE_PATIENT, "erasure", erasure_id, patient_id=patient.id, facts=facts)

    return perform(write, actor=actor, at=at, request_key=request_key)


def open_request(session: Session, patient_id: UUID) -> UUID | None:
    """Return the request about a person that is not decided, if there is one."""
    return session.scalar(
        select(ErasureRequest.id)
        .where(
            ErasureRequest.patient_id.in_(queries.records_of(patient_id)), ErasureRequest.decided_at.is_(None)
        )
        .limit(1)
    )


def is_erased(session: Session, patient_id: UUID) -> bool:
    """Tell whether the person's data were erased."""
    done = exists().where(
        ErasureRequest.patient_id.in_(queries.records_of(patient_id)),
        ErasureRequest.decision == Decision.CARRIED_OUT,
    )
    return bool(session.scalar(select(done)))


def _refuse_unless(actor: Actor) -> None:
    if not actor.can(Permission.RETENTION_MANAGE):
        raise Refusal("NOT-PERMITTED", f"{actor.name} may not do this.", status=403)


def _undecided(session: Session, request_id: UUID) -> ErasureRequest:
    request = session.scalar(
        select(ErasureRequest)
        .where(ErasureRequest.id == request_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if request is None:
        raise not_found("request")
    if request.decided_at is not None:
        raise Refusal("ERASURE-DECIDED", "This request was decided already. Load the page again.", status=409)
    return request


def _decide(
    act: Act,
    request: ErasureRequest,
    decision: Decision,
    *,
    ground: Ground | None = None,
    because: str | None = None,
) -> None:
    request.decision, request.ground, request.because = decision, ground, because
    request.decided_at, request.decided_by_id = act.recorded_at, act.actor.id
    act.session.flush()


def _make_nameless(session: Session, patient: Patient) -> None:
    """Leave of the patient only that there was one: their doses still belong to somebody."""
    number = f"ERASED-{patient.id.hex[-10:].upper()}"
    patient.record_number, patient.record_number_key = number, rules.record_number_key(number)
    patient.family_name, patient.given_name = ERASED, ""
    patient.name_key, patient.born_on = rules.name_key(ERASED), BIRTH_ERASED
    patient.phone = patient.email = patient.address = patient.notes = ""
    patient.care_groups = patient.indication = ""
    patient.state, patient.died_on = RecordState.INACTIVE, None
    session.flush()
    session.execute(delete(NameWord).where(NameWord.patient_id == patient.id))
