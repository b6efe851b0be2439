"""Voids and amendments: a correction is a new row that names the old one, and says what really happened (law 4).

An amendment voids a dose and records it anew; it moves stock only if a container or a volume changes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import exists, select

from inventory.audit.acts import Act, Outcome, perform
from inventory.doses.models import Dose, DoseFinding, DoseSource, DoseVoid
from inventory.doses.queries.assessment import Assessment, assess
from inventory.doses.queries.containers import DoseRequest, Kept, lots
from inventory.doses.rules.sourcing import Draw
from inventory.doses.rules.terms import Disposition, EntryMode, OverrideReason, VoidKind
from inventory.doses.services.decisions import Decided, Decisions, Override
from inventory.doses.services.dedicating import keep_instead, let_go
from inventory.doses.services.drawing import Drawn, draw_all
from inventory.doses.services.fulfilling import give_slot_back, keep_slot
from inventory.doses.services.recording import NO_DECISIONS, as_unknown, decided_on, with_lot, write_dose
from inventory.doses.services.taking_back import sources_of, take_back
from inventory.kernel.errors import Refusal, not_found
from inventory.kernel.permissions import Actor, Permission
from inventory.patients.models import Patient
from inventory.stock.models import Vial
from inventory.stock.queries.relabelled import lock_through
from inventory.stock.services.merging import settle

_ANYWHERE = UUID(int=0)


def void_dose(
    *, actor: Actor, at: datetime, dose_id: UUID, kind: VoidKind, reason: str, request_key: str | None = None
) -> Outcome:
    """Void a dose: nothing was opened, or it was drawn and not given. Outcome: the dose.

    Raises Refusal NOT-FOUND, VOID-NOT-YOURS, ALREADY-VOID, REASON-NEEDED, VOID-KIND, VIAL-USED-SINCE,
    VIAL-ON-ITS-WAY, VOID-LOCATION-CLOSED.
    """

    def write(act: Act) -> Outcome:
        if kind is VoidKind.AMENDED:
            raise Refusal("VOID-KIND", "To correct an entry, amend it.", "kind")
        dose = _correctable(act, dose_id, reason)
        lot_ids = [source.lot_id for source, _ in sources_of(act.session, dose.id)]
        lock_through(act.session, lot_ids)
        take_back(act, dose, kind)
        settle(act, lot_ids)
        _void(act, dose, kind, reason)
        facts: dict[str, Any] = {"number": dose.number, "kind": kind, "reason": reason.strip()}
        if kind is VoidKind.NEVER_OPENED and (ended := let_go(act, dose)):
            facts["no_longer_kept"] = list(ended.values())
        facts |= give_slot_back(act, dose)
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
        anew = _assess_anew(act, dose, request)
        giver = giver_of(dose, actor)
        decided = _carried_over(act, dose, anew.assessment, decided_on(anew.assessment, decisions, actor))
        _void(act, dose, VoidKind.AMENDED, reason)
        keeps_slot = keep_slot(act, dose, anew.assessment)
        drawn = _drawn(act, anew)
        return write_dose(
            act,
            anew.assessment,
            decided,
            drawn,
            action="doses.amend",
            giver=giver,
            mode=EntryMode(dose.mode),
            more=_kept_instead(act, anew, drawn),
            keeps_slot=keeps_slot,
        )

    return perform(write, actor=actor, at=at, request_key=request_key)


def assess_amendment(*, actor: Actor, at: datetime, dose_id: UUID, request: DoseRequest) -> Assessment:
    """Return what the gate finds of an amendment, exactly as `amend_dose` will ask it; nothing is written.

    What the old entry took is taken back first, in a transaction that is then given up.
    """

    def write(act: Act) -> Outcome:
        dose = _correctable(act, dose_id, "not asked yet")
        raise _AssessedError(_assess_anew(act, dose, request).assessment)

    try:
        perform(write, actor=actor, at=at)
    except _AssessedError as done:
        return done.assessment
    raise AssertionError("unreachable")


class _AssessedError(Exception):
    """Gives up the transaction of an assessment, and carries what was found out of it."""

    def __init__(self, assessment: Assessment) -> None:
        super().__init__()
        self.assessment = assessment


@dataclass(frozen=True, slots=True)
class _Anew:
    """An amendment under way: the old entry's containers, what is kept of it, and the assessment of the new one."""

    sources: list[tuple[DoseSource, Vial]]
    kept: Kept
    assessment: Assessment
    ended: dict[UUID, int]
    """The vials that the old entry kept for a patient who was not the one, with their labels."""


def _assess_anew(act: Act, dose: Dose, request: DoseRequest) -> _Anew:
    """Take back what does not stay as it was, and ask the gate about the rest. Raises Refusal AMEND-NOTHING."""
    given_at = request.given_at or dose.given_at
    asked, unknown = with_lot(
        act,
        replace(
            request,
            mode=EntryMode.ALREADY_GIVEN,
            amends_id=dose.id,
            given_at=given_at,
            blocked_before=dose.blocked_before,
        ),
    )
    sources = sources_of(act.session, dose.id, lock=True)
    kept = Kept(
        moves_nothing=_draw_alike(asked.draws, tuple(_draw_of(*source) for source in sources)),
        vial_ids=frozenset(vial.id for _, vial in sources),
        known_at=dose.recorded_at if given_at == dose.given_at else act.recorded_at,
        zone=dose.given_zone,
    )
    if kept.moves_nothing and _says_the_same(dose, asked):
        raise Refusal("AMEND-NOTHING", "Nothing is different from the entry as it stands.")
    if not kept.moves_nothing:
        # In the order of every dose: the lots before their accounts.
        lock_through(act.session, [source.lot_id for source, _ in sources])
        lots(act.session, asked, lock=True)
        again = frozenset(draw.vial_id for draw in asked.draws if draw.vial_id)
        take_back(act, dose, VoidKind.NEVER_OPENED, keep=again)
    ended = let_go(act, dose) if asked.patient_id != dose.patient_id else {}
    giver = giver_of(dose, act.actor)
    assessment = assess(act.session, asked, giver=giver, recorded_at=act.recorded_at, lock=True, kept=kept)
    return _Anew(sources, kept, as_unknown(assessment) if unknown else assessment, ended)


def _kept_instead(act: Act, anew: _Anew, drawn: Sequence[Drawn]) -> dict[str, Any]:
    """Keep the vial for the right patient, where it was kept for the wrong one; return what the trail tells of it."""
    if not anew.ended:
        return {}
    assessment = anew.assessment
    kept = keep_instead(act, anew.ended, drawn, assessment.patient.id, since=assessment.given_at)
    return {"no_longer_kept": list(anew.ended.values()), "dedicated_vials": kept}


def _drawn(act: Act, anew: _Anew) -> list[Drawn]:
    """Take the containers over as they are, or draw anew; what was taken back is there since now, and leaves now."""
    if not anew.kept.moves_nothing:
        drawn = draw_all(act, anew.assessment)
        settle(act, [source.lot_id for source, _ in anew.sources])
        return drawn
    lots = [container.lot for container in anew.assessment.containers]
    return [_taken_over(source, lot) for (source, _), lot in zip(anew.sources, lots, strict=True)]


def _carried_over(act: Act, dose: Dose, assessment: Assessment, decided: Sequence[Decided]) -> list[Decided]:
    """Let what was decided about the old entry stand, where the patient and the product are still the same."""
    if (dose.patient_id, dose.product_id) != (assessment.patient.id, assessment.product.product_id):
        return list(decided)
    rows = act.session.scalars(select(DoseFinding).where(DoseFinding.dose_id == dose.id))
    before = {
        row.code: row for row in rows if row.disposition in {Disposition.OVERRIDDEN, Disposition.ACKNOWLEDGED}
    }
    undecided = {Disposition.DEVIATION, Disposition.INFORMED}
    return [
        _as_before(item, before[item.finding.code])
        if item.disposition in undecided and item.finding.code in before
        else item
        for item in decided
    ]


def _as_before(item: Decided, row: DoseFinding) -> Decided:
    decider = Actor(row.decided_by_id, "")
    second = Actor(row.second_person_id, "") if row.second_person_id else None
    override = None
    if row.reason is not None:
        override = Override(OverrideReason(row.reason), decider, row.note or "", second)
    return Decided(item.finding, Disposition(row.disposition), decider, override)


def giver_of(dose: Dose, actor: Actor) -> Actor:
    """Return who gave a dose, as it was written then: whoever amends the entry did not give it, and is its recorder.

    The roles are those of `actor`, who may give doses and so may write one down.
    """
    return Actor(id=dose.giver_id, name=dose.giver_name, roles=actor.roles, credential=dose.giver_credential)


def draws_of(session: Any, dose_id: UUID) -> tuple[Draw, ...]:
    """Return the draws of a recorded dose: an amendment with the same moves no stock."""
    return tuple(_draw_of(source, vial) for source, vial in sources_of(session, dose_id))


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


def _draw_of(source: DoseSource, vial: Vial) -> Draw:
    return Draw(source.lot_id, vial.location_id, source.vial_id, source.volume_ul)


def _draw_alike(asked: Sequence[Draw], before: Sequence[Draw]) -> bool:
    """Tell whether the same is drawn from the same; a vial is the same wherever it was taken meanwhile."""

    def taken(draws: Sequence[Draw]) -> list[Draw]:
        return [replace(one, location_id=_ANYWHERE) if one.vial_id else one for one in draws]

    return taken(asked) == taken(before)


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
