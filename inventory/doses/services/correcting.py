"""Voids and amendments: a correction is a new row that names the old one, and says what really happened (law 4).

A void reverses what the dose took. Volume that would come back into a closed container is wasted instead: a reversal
never refills an ampoule. An amendment voids a dose and records it anew; it moves stock only if a container or a volume
changes.
"""

from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import exists, select

from inventory.audit.acts import Act, Outcome, perform
from inventory.doses.models import Dose, DoseSource, DoseVoid
from inventory.doses.queries.assessment import assess
from inventory.doses.queries.containers import DoseRequest
from inventory.doses.rules.sourcing import Draw
from inventory.doses.rules.terms import EntryMode, VoidKind
from inventory.doses.services.decisions import Decisions
from inventory.doses.services.drawing import Drawn, draw_all
from inventory.doses.services.recording import NO_DECISIONS, decided_on, write_dose
from inventory.kernel.errors import Refusal, not_found
from inventory.kernel.permissions import Actor, Permission
from inventory.patients.models import Patient
from inventory.stock import ledger
from inventory.stock.ledger import Place, Posting
from inventory.stock.models import AccountKind, Movement, MovementKind, Vial, WasteReason


def void_dose(
    *, actor: Actor, at: datetime, dose_id: UUID, kind: VoidKind, reason: str, request_key: str | None = None
) -> Outcome:
    """Void a dose: nothing was opened, or it was drawn and not given. Outcome: the dose.

    Raises Refusal NOT-FOUND, VOID-NOT-YOURS, ALREADY-VOID, REASON-NEEDED, VOID-KIND, VIAL-USED-SINCE.
    """

    def write(act: Act) -> Outcome:
        if kind is VoidKind.AMENDED:
            raise Refusal("VOID-KIND", "To correct an entry, amend it.", "kind")
        dose = _correctable(act, dose_id, reason)
        take_back(act, dose, kind)
        _void(act, dose, kind, reason)
        facts = {"number": dose.number, "kind": kind, "reason": reason.strip()}
        return act.record(
            "doses.void", "dose", dose.id, site_id=dose.site_id, patient_id=dose.patient_id, facts=facts
        )

    return perform(write, actor=actor, at=at, request_key=request_key)


def amend_dose(
    *,
    actor: Actor,
    at: datetime,
    dose_id: UUID,
    request: DoseRequest,
    reason: str,
    decisions: Decisions = NO_DECISIONS,
    request_key: str | None = None,
) -> Outcome:
    """Record a dose anew as `request` says it really was, and void the old entry. Outcome: the new dose.

    `request.given_at` None keeps the time of the old entry; `request.draws` equal to those of the old entry (see
    `draws_of`) move no stock. Raises as `record_dose` and `void_dose` do, and AMEND-NOTHING.
    """

    def write(act: Act) -> Outcome:
        dose = _correctable(act, dose_id, reason)
        asked = replace(
            request,
            mode=EntryMode.ALREADY_GIVEN,
            amends_id=dose.id,
            given_at=request.given_at or dose.given_at,
        )
        sources = _sources(act, dose.id)
        takes_over = asked.unknown_lot is None and asked.draws == tuple(
            _draw_of(*source) for source in sources
        )
        if takes_over and _says_the_same(dose, asked):
            raise Refusal("AMEND-NOTHING", "Nothing is different from the entry as it stands.")
        if not takes_over:
            take_back(act, dose, VoidKind.NEVER_OPENED)
        giver = giver_of(dose, actor)
        assessment = assess(
            act.session, asked, giver=giver, recorded_at=act.recorded_at, lock=True, takes_over=takes_over
        )
        decided = decided_on(assessment, decisions, actor)
        _void(act, dose, VoidKind.AMENDED, reason)
        if takes_over:
            drawn = [
                _taken_over(source, assessment.containers[i].lot) for i, (source, _) in enumerate(sources)
            ]
        else:
            # What was taken back is there since now; what is drawn instead leaves now as well.
            drawn = draw_all(act, assessment, occurred_at=act.recorded_at)
        return write_dose(act, assessment, decided, drawn, action="doses.amend", giver=giver)

    return perform(write, actor=actor, at=at, request_key=request_key)


def giver_of(dose: Dose, actor: Actor) -> Actor:
    """Return who gave a dose, as it was written then: whoever amends the entry did not give it, and is its recorder.

    The roles are those of `actor`, who may give doses and so may write one down.
    """
    return Actor(id=dose.giver_id, name=dose.giver_name, roles=actor.roles, credential=dose.giver_credential)


def draws_of(session: Any, dose_id: UUID) -> tuple[Draw, ...]:
    """Return the draws of a recorded dose: an amendment with the same moves no stock."""
    return tuple(_draw_of(source, vial) for source, vial in _source_rows(session, dose_id))


def take_back(act: Act, dose: Dose, kind: VoidKind) -> None:
    """Reverse what the dose took, so that each container is as `kind` says it really was."""
    for source, vial in _sources(act, dose.id):
        given = act.session.get_one(Movement, source.movement_id)
        others = _moves_of(act, vial, beside=given)
        opened_by_it = [m for m in others if m.act_id == given.act_id]
        used_since = [m for m in others if m.act_id != given.act_id]
        ledger.reverse(act, given, note=f"Dose {dose.number} was taken back.")
        if (
            kind is VoidKind.NEVER_OPENED
            and any(m.kind == MovementKind.OPEN for m in opened_by_it)
            and not used_since
        ):
            for movement in reversed(opened_by_it):
                ledger.reverse(act, movement, note=f"Dose {dose.number} was taken back.")
        elif kind is VoidKind.DRAWN_NOT_GIVEN or vial.closed_at is not None:
            _waste(act, vial, given)


def _correctable(act: Act, dose_id: UUID, reason: str) -> Dose:
    """Return the dose, its patient locked. Raises what speaks against correcting it."""
    dose = act.session.get(Dose, dose_id)
    if dose is None:
        raise not_found("dose")
    # In the order of every act: the patient first.
    act.session.execute(
        select(Patient.id).where(Patient.id == dose.patient_id).with_for_update(key_share=True)
    )
    if act.session.scalar(select(exists().where(DoseVoid.dose_id == dose.id))):
        raise Refusal("ALREADY-VOID", "This dose is void already.", status=409)
    if dose.giver_id != act.actor.id and not act.actor.can(Permission.DOSE_VOID_ANY):
        raise Refusal(
            "VOID-NOT-YOURS", "Only who gave this dose, or a prescriber, may correct it.", status=403
        )
    if not reason.strip():
        raise Refusal("REASON-NEEDED", "Say why the entry is corrected.", "reason")
    return dose


def _void(act: Act, dose: Dose, kind: VoidKind, reason: str) -> None:
    row = {
        "dose_id": dose.id,
        "kind": kind,
        "reason": reason.strip(),
        "voided_at": act.recorded_at,
        "actor_id": act.actor.id,
    }
    act.insert(DoseVoid, row)


def _sources(act: Act, dose_id: UUID) -> list[tuple[DoseSource, Vial]]:
    return _source_rows(act.session, dose_id)


def _source_rows(session: Any, dose_id: UUID) -> list[tuple[DoseSource, Vial]]:
    rows = session.execute(
        select(DoseSource, Vial)
        .join(Vial, Vial.id == DoseSource.vial_id)
        .where(DoseSource.dose_id == dose_id)
        .order_by(DoseSource.position)
    )
    return [(source, vial) for source, vial in rows]


def _draw_of(source: DoseSource, vial: Vial) -> Draw:
    return Draw(source.lot_id, vial.location_id, source.vial_id, source.volume_ul)


def _moves_of(act: Act, vial: Vial, *, beside: Movement) -> list[Movement]:
    """Return the standing movements of a vial in order: neither `beside`, nor reversals, nor what was reversed."""
    account_id = ledger.vial_account(act.session, vial.id)
    undone = select(Movement.reverses_id).where(Movement.reverses_id.is_not(None))
    return list(
        act.session.scalars(
            select(Movement)
            .where(
                (Movement.from_id == account_id) | (Movement.to_id == account_id),
                Movement.id != beside.id,
                Movement.kind != MovementKind.REVERSE,
                Movement.id.not_in(undone.where(Movement.lot_id == vial.lot_id)),
            )
            .order_by(Movement.id)
        )
    )


def _waste(act: Act, vial: Vial, given: Movement) -> None:
    waste_id = ledger.lot_accounts(act.session, vial.lot_id)[AccountKind.WASTE]
    posting = Posting(
        MovementKind.WASTE, given.from_id, waste_id, given.amount_ul, reason=WasteReason.DRAWN_NOT_GIVEN
    )
    place = Place(given.site_id, given.location_id)
    ledger.post(act, posting, lot_id=vial.lot_id, place=place, occurred_at=act.recorded_at)


def _taken_over(source: DoseSource, lot: Any) -> Drawn:
    return Drawn(
        vial_id=source.vial_id,
        lot=lot,
        movement_id=source.movement_id,
        volume_ul=source.volume_ul,
        use_by_on=source.use_by_on,
        label_number=source.label_number,
        shortfall_ul=0,
    )


def _says_the_same(dose: Dose, asked: DoseRequest) -> bool:
    names = (
        "patient_id",
        "dose_ng",
        "volume_ul",
        "route",
        "body_site",
        "given_at",
        "indication",
        "consent_seen",
    )
    more = ("information_sheet", "needle", "note")
    return all((getattr(dose, name) or None) == (getattr(asked, name) or None) for name in (*names, *more))
