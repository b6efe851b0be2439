"""Records a dose: gate, stock, snapshot, findings and trail in one act (laws 5, 7 and 9)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from inventory.audit.acts import Act, Outcome, perform
from inventory.clinic.models import CounterKind
from inventory.clinic.numbers import next_number
from inventory.doses.models import Dose, DoseFinding, DoseSource
from inventory.doses.queries.assessment import Assessment, assess
from inventory.doses.queries.blocks import standing_blocks
from inventory.doses.queries.containers import DoseRequest
from inventory.doses.rules.gate import Finding, Weight
from inventory.doses.rules.sourcing import Draw, Supply, plan_draws
from inventory.doses.rules.terms import Disposition, EntryMode, IncidentKind
from inventory.doses.services.decisions import Decided, Decisions, decide
from inventory.doses.services.dedicating import keep_drawn
from inventory.doses.services.drawing import Drawn, draw_all
from inventory.doses.services.fulfilling import fulfil_order
from inventory.doses.services.incidents import is_looked_into, open_incident
from inventory.kernel.errors import Refusal
from inventory.kernel.ids import uuid7
from inventory.kernel.permissions import Actor
from inventory.kernel.quantity import format_ml
from inventory.staff.services import refuse_from_elsewhere
from inventory.stock.services.unknown import unknown_lot

NO_DECISIONS = Decisions()
NOTHING_MORE: Mapping[str, Any] = {}


def record_dose(
    *,
    actor: Actor,
    at: datetime,
    request: DoseRequest,
    decisions: Decisions = NO_DECISIONS,
    request_key: str | None = None,
) -> Outcome:
    """Record one dose given by `actor`: the stock it takes, what was found and decided, its entry. Outcome: the dose.

    Raises Refusals with every finding of the gate that still stands against it (codes of domain.md section 2), Refusal
    NOT-FOUND, SOURCE-NEEDED, SOURCES-MIXED, UNKNOWN-LOT-LATER, STOCK-SHORT-THEN, VIAL-OF-OTHERS. Nothing is written then.
    """

    def write(act: Act) -> Outcome:
        resolved, unknown = with_lot(act, _with_blocks(act, request))
        assessment = assess(act.session, resolved, giver=actor, recorded_at=act.recorded_at, lock=True)
        if unknown:
            assessment = as_unknown(assessment)
        decided = decided_on(assessment, decisions, actor)
        drawn = draw_all(act, assessment)
        kept = _kept_vials(act, assessment, drawn)
        return write_dose(
            act, assessment, decided, drawn, action="doses.record", giver=actor, mode=request.mode, more=kept
        )

    return perform(write, actor=actor, at=at, request_key=request_key)


def decided_on(assessment: Assessment, decisions: Decisions, actor: Actor) -> list[Decided]:
    """Return what became of the assessment's findings. Raises Refusals; Refusal WITNESS-SITE for a word of another site."""
    for code, override in decisions.overrides.items():
        for person in (override.decided_by, override.second_person):
            if person is not None:
                refuse_from_elsewhere(person, assessment.request.site_id, f"override-{code}")
    return decide(
        assessment.findings,
        decisions,
        mode=assessment.request.mode,
        actor=actor,
        needs_second_person=assessment.settings.override_needs_second_person,
    )


def write_dose(
    act: Act,
    assessment: Assessment,
    decided: Sequence[Decided],
    drawn: Sequence[Drawn],
    *,
    action: str,
    giver: Actor,
    mode: EntryMode,
    more: Mapping[str, Any] = NOTHING_MORE,
    keeps_slot: bool = False,
) -> Outcome:
    """Write the dose with its sources, findings, incidents and entry, which tells `more`; the volume has been drawn.

    `keeps_slot`: it amends a dose whose slot of a course stands as given.
    """
    dose_id = uuid7()
    for position, source in enumerate(drawn, start=1):
        act.insert(DoseSource, _source_row(dose_id, position, source))
    row = {**_dose_row(act, assessment, decided, dose_id, giver), "mode": mode}
    act.insert(Dose, row)
    for item in decided:
        act.insert(DoseFinding, _finding_row(dose_id, item))
    ordered = fulfil_order(act, assessment, dose_id, kept=keeps_slot)
    _open_incidents(act, assessment, decided, drawn, dose_id)
    return act.record(
        action,
        "dose",
        dose_id,
        site_id=assessment.site.id,
        patient_id=assessment.patient.id,
        facts={**_facts(row, decided, drawn), **ordered, **more},
    )


def _kept_vials(act: Act, assessment: Assessment, drawn: Sequence[Drawn]) -> dict[str, Any]:
    """Keep the vial for the patient where the giver says so; return what the trail tells of it."""
    if not assessment.request.dedicate:
        return {}
    kept = keep_drawn(act, drawn, assessment.patient.id, since=assessment.given_at)
    return {"dedicated_vials": kept} if kept else {}


def _with_blocks(act: Act, request: DoseRequest) -> DoseRequest:
    """Let a dose given already say what stopped it before: the giver's own blocks that no dose has followed."""
    if request.mode is not EntryMode.ALREADY_GIVEN:
        return request
    codes = standing_blocks(
        act.session, giver_id=act.actor.id, patient_id=request.patient_id, at=act.recorded_at
    )
    return replace(request, blocked_before=" ".join(codes)[:500] or request.blocked_before)


def with_lot(act: Act, request: DoseRequest) -> tuple[DoseRequest, bool]:
    """Give a lot that was never received its row, on hold, and draw from it."""
    typed = request.unknown_lot
    if typed is None:
        return request, False
    if request.mode is not EntryMode.ALREADY_GIVEN:
        raise Refusal(
            "UNKNOWN-LOT-LATER",
            "A lot that was never received can only be recorded after the fact.",
            "source",
        )
    lot, is_new = unknown_lot(
        act, product_id=typed.product_id, lot_number=typed.lot_number, expires_on=typed.expires_on
    )
    supply = Supply(lot.id, typed.location_id, None, lot.container_type, lot.container_volume_ul, 0)
    draws: list[Draw] = plan_draws(request.volume_ul, [supply])
    return replace(request, draws=tuple(draws), unknown_lot=None), is_new


def as_unknown(assessment: Assessment) -> Assessment:
    """Say once that the lot was unknown, instead of that it is on hold and empty, which follows from it."""
    from_lot = {"LOT-HELD", "STOCK-SHORT"}
    lot_number = assessment.containers[0].lot.lot_number
    kept = [finding for finding in assessment.findings if finding.code not in from_lot]
    words = f"Lot {lot_number} was never received; it is on hold until somebody looks."
    return replace(assessment, findings=(Finding("LOT-UNKNOWN", Weight.BLOCK, words), *kept))


def _source_row(dose_id: UUID, position: int, source: Drawn) -> dict[str, Any]:
    return {
        "dose_id": dose_id,
        "position": position,
        "vial_id": source.vial_id,
        "lot_id": source.lot.id,
        "movement_id": source.movement_id,
        "volume_ul": source.volume_ul,
        "lot_number": source.lot.lot_number,
        "expires_on": source.lot.expires_on,
        "use_by_on": source.use_by_on,
        "label_number": source.label_number,
    }


def _dose_row(
    act: Act, assessment: Assessment, decided: Sequence[Decided], dose_id: UUID, giver: Actor
) -> dict[str, Any]:
    request, question, product = assessment.request, assessment.question, assessment.product
    late_after = timedelta(minutes=assessment.settings.late_after_minutes)
    return {
        "id": dose_id,
        "number": next_number(act.session, assessment.site.id, CounterKind.DOSE),
        "site_id": assessment.site.id,
        "patient_id": assessment.patient.id,
        "patient_name": assessment.patient.name,
        "patient_record_number": assessment.patient.record_number,
        "patient_born_on": assessment.patient.born_on,
        "product_id": product.product_id,
        "product_name": f"{product.product_name}, {product.maker}" if product.maker else product.product_name,
        "formulation_id": product.formulation_id,
        "formulation_name": product.formulation_name,
        "substance_id": product.substance_id,
        "strength_ng": product.strength_ng,
        "strength_ul": product.strength_ul,
        "volume_ul": request.volume_ul,
        "dose_ng": request.dose_ng,
        "route": request.route,
        "body_site": request.body_site,
        "needle": request.needle or None,
        "given_at": question.given_at,
        "given_zone": assessment.zone,
        "given_on": question.given_on,
        "recorded_at": act.recorded_at,
        "is_late": question.recorded_at - question.given_at > late_after,
        "is_deviation": any(item.disposition is Disposition.DEVIATION for item in decided),
        "blocked_before": request.blocked_before or None,
        "giver_id": giver.id,
        "giver_name": giver.name,
        "giver_credential": giver.credential,
        "actor_id": act.actor.id,
        "indication": request.indication,
        "consent_seen": request.consent_seen,
        "information_sheet": request.information_sheet or None,
        "note": request.note or None,
        "amends_id": request.amends_id,
    }


def _finding_row(dose_id: UUID, item: Decided) -> dict[str, Any]:
    override = item.override
    second = override.second_person if override else None
    return {
        "dose_id": dose_id,
        "code": item.finding.code,
        "disposition": item.disposition,
        "message": item.finding.message,
        "reason": override.reason if override else None,
        "note": (override.note or None) if override else None,
        "decided_by_id": item.decided_by.id,
        "second_person_id": second.id if second else None,
    }


def _open_incidents(
    act: Act, assessment: Assessment, decided: Sequence[Decided], drawn: Sequence[Drawn], dose_id: UUID
) -> None:
    deviations = [item.finding for item in decided if item.disposition is Disposition.DEVIATION]
    if deviations and not is_looked_into(act.session, assessment.request.amends_id):
        words = " ".join(f"{finding.code}: {finding.message}" for finding in deviations)
        open_incident(act, assessment.site.id, dose_id, IncidentKind.DEVIATION, words)
    short = [source for source in drawn if source.shortfall_ul]
    if short:
        lots = ", ".join(sorted({source.lot.lot_number for source in short}))
        words = (
            f"The stock did not hold what was given (lot {lots}); the shortfall was posted from adjustment."
            f"{_still_to_correct(assessment, short)}"
        )
        open_incident(act, assessment.site.id, dose_id, IncidentKind.STOCK_DISCREPANCY, words)


def _still_to_correct(assessment: Assessment, short: Sequence[Drawn]) -> str:
    """Say what is left to do where the vial was on its way: it arrives with less than the ledger will say."""
    on_their_way = [one for one in assessment.containers if one.state.on_its_way]
    missing_ul = sum(source.shortfall_ul for source in short)
    return "".join(
        f" {one.state.name} was {one.state.on_its_way} when this was written down. Once it has arrived, take off it as"
        f" missing what was given: {format_ml(missing_ul)} mL."
        for one in on_their_way
    )


def _facts(row: dict[str, Any], decided: Sequence[Decided], drawn: Sequence[Drawn]) -> dict[str, Any]:
    names = (
        "number",
        "product_name",
        "dose_ng",
        "volume_ul",
        "route",
        "body_site",
        "given_at",
        "mode",
        "is_late",
    )
    more = ("is_deviation", "giver_name", "amends_id", "blocked_before")
    return {
        **{name: row[name] for name in (*names, *more) if row[name] is not None},
        "sources": [[source.lot.lot_number, source.label_number, source.volume_ul] for source in drawn],
        "findings": {item.finding.code: item.disposition for item in decided},
        **({"dead_space_ul": lost} if (lost := sum(source.dead_space_ul for source in drawn)) else {}),
        **_overrides(decided),
    }


def _overrides(decided: Sequence[Decided]) -> dict[str, Any]:
    """Return who let the dose pass in spite of what, and why, as the trail tells it; nothing where nobody had to."""
    told = {
        item.finding.code: {
            "reason": item.override.reason,
            "note": item.override.note,
            "decided_by": item.override.decided_by.name,
            "second_person": item.override.second_person.name if item.override.second_person else "",
        }
        for item in decided
        if item.override
    }
    return {"overrides": told} if told else {}
