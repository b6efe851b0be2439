"""A reaction is written down as told, corrected by a row of its own, and blocks the next dose until a prescriber decides."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select

from inventory.doses.models import Dose, Incident
from inventory.doses.queries.assessment import assess
from inventory.doses.reaction_models import Reaction, ReactionDecision, ReactionFollowUp
from inventory.doses.rules.reaction_terms import (
    Criterion,
    DecisionKind,
    ReactionOutcome,
    Reporter,
    Severity,
    Symptom,
)
from inventory.doses.rules.terms import BodySite, EntryMode, IncidentKind, VoidKind
from inventory.doses.services import (
    Told,
    amend_dose,
    correct_reaction,
    decide_reaction,
    draws_of,
    follow_up_reaction,
    record_reaction,
    retract_reaction,
    void_dose,
)
from inventory.kernel.db import db
from inventory.kernel.errors import Refusal
from inventory.kernel.permissions import Actor, Role
from tests.factories.doses import Bench
from tests.factories.patients import make_patient
from tests.factories.staff import make_actor

HOUR = timedelta(hours=1)
MILD: dict[str, Any] = {"severity": Severity.MILD, "symptoms": (Symptom.PAIN_AT_SITE,)}
TOLD = Told(Severity.SEVERE, ReactionOutcome.ONGOING, Reporter.PATIENT, (Symptom.HIVES,), onset_minutes=10)


@pytest.fixture
def prescriber(app: Flask) -> Actor:
    return make_actor(Role.PRESCRIBER)


@pytest.fixture
def dose(bench: Bench, at: datetime) -> Dose:
    return bench.give(at=at)


def newest(case_id: UUID) -> Reaction:
    rows = db.session.scalars(select(Reaction).where(Reaction.case_id == case_id)).all()
    replaced = {row.corrects_id for row in rows}
    return next(row for row in rows if row.id not in replaced)


def codes(bench: Bench, at: datetime, **asked: Any) -> dict[str, str]:
    db.session.rollback()
    request = replace(bench.request(), **asked)
    found = assess(db.session(), request, giver=bench.nurse, recorded_at=at).findings
    return {finding.code: finding.message for finding in found if finding.code.startswith("REACTION")}


def refused(code: str, act: Any, **asked: Any) -> Refusal:
    with pytest.raises(Refusal) as refusal:
        act(**asked)
    assert refusal.value.code == code
    return refusal.value


def test_is_written_down_as_told(app: Flask, bench: Bench, dose: Dose, at: datetime) -> None:
    case_id = bench.react(
        dose,
        at=at + HOUR,
        symptoms=(Symptom.MUSCLE_CRAMPS, Symptom.HIVES),
        other_symptom=" Metallic taste ",
        criteria=(Criterion.HOSPITAL,),
    )
    row = newest(case_id)
    assert (row.patient_id, row.dose_id, row.site_id) == (dose.patient_id, dose.id, dose.site_id)
    assert (row.symptoms, row.other_symptom, row.criteria) == (
        "hives,muscle_cramps",
        "Metallic taste",
        "hospital",
    )
    assert (row.onset_at, row.recorded_at) == (dose.given_at + timedelta(minutes=10), at + HOUR)


def test_a_grave_one_opens_an_incident_and_a_mild_one_does_not(
    app: Flask, bench: Bench, dose: Dose, at: datetime
) -> None:
    bench.react(dose, at=at + HOUR, **MILD)
    assert db.session.scalars(select(Incident)).all() == []
    bench.react(dose, at=at + HOUR)
    [incident] = db.session.scalars(select(Incident))
    assert (incident.kind, incident.dose_id, incident.what) == (
        IncidentKind.REACTION,
        dose.id,
        "Severe reaction: Hives.",
    )


@pytest.mark.parametrize(
    "code, field, changes",
    [
        ("ONSET-NEEDED", "onset_minutes", {"onset_minutes": None}),
        ("TIME-FUTURE", "onset_minutes", {"onset_minutes": 61}),
        ("SYMPTOM-NEEDED", "other_symptom", {"symptoms": (), "other_symptom": " "}),
    ],
)
def test_bad_input_is_refused_where_it_stands(
    bench: Bench, at: datetime, code: str, field: str, changes: dict[str, Any]
) -> None:
    dose = bench.give(at=at)
    assert refused(code, bench.react, dose=dose, at=at + HOUR, **changes).field == field


def test_a_time_before_the_dose_is_refused_and_its_own_minute_is_at_once(
    app: Flask, bench: Bench, at: datetime
) -> None:
    dose = bench.give(at=at + timedelta(seconds=20))
    early = {"onset_minutes": None, "onset_at": at - timedelta(minutes=1)}
    assert refused("ONSET-BEFORE-DOSE", bench.react, dose=dose, at=at + HOUR, **early).field == "onset_at"
    case_id = bench.react(dose, at=at + HOUR, onset_minutes=None, onset_at=at)
    assert newest(case_id).onset_at == dose.given_at
    refused("ONSET-TWICE", bench.react, dose=dose, at=at + HOUR, onset_at=at)


def test_blocks_the_next_dose_until_a_prescriber_decides(
    app: Flask, bench: Bench, dose: Dose, prescriber: Actor, at: datetime
) -> None:
    case_id = bench.react(dose, at=at + HOUR)
    assert "no prescriber has decided" in codes(bench, at + 2 * HOUR)["REACTION-UNRESOLVED"]
    asked = {"at": at + 3 * HOUR, "case_id": case_id, "seen_id": case_id, "reason": "Tested"}
    refused("DECISION-PRESCRIBER", decide_reaction, actor=bench.nurse, kind=DecisionKind.STOP, **asked)
    decide_reaction(actor=prescriber, kind=DecisionKind.MAY_CONTINUE, **asked)
    assert codes(bench, at + 4 * HOUR).keys() == {"REACTION-NOT-OVER"}
    follow_up_reaction(
        actor=bench.nurse, at=at + 5 * HOUR, case_id=case_id, outcome=ReactionOutcome.RECOVERED
    )
    assert codes(bench, at + 6 * HOUR) == {}


def test_the_newest_decision_holds_and_may_stop_doses(
    app: Flask, bench: Bench, dose: Dose, prescriber: Actor, at: datetime
) -> None:
    case_id = bench.react(dose, at=at + HOUR)
    for hours, kind in ((2, DecisionKind.MAY_CONTINUE), (3, DecisionKind.STOP)):
        decide_reaction(
            actor=prescriber,
            at=at + hours * HOUR,
            case_id=case_id,
            seen_id=case_id,
            kind=kind,
            reason="Seen",
        )
    assert "no further dose" in codes(bench, at + 4 * HOUR)["REACTION-UNRESOLVED"]
    late = {"mode": EntryMode.ALREADY_GIVEN, "given_at": at + 2.5 * HOUR}
    assert "REACTION-UNRESOLVED" not in codes(bench, at + 4 * HOUR, **late)


def test_another_formulation_only_blocks_the_same_one(
    app: Flask, bench: Bench, dose: Dose, prescriber: Actor, at: datetime
) -> None:
    case_id = bench.react(dose, at=at + HOUR)
    decide_reaction(
        actor=prescriber,
        at=at + 2 * HOUR,
        case_id=case_id,
        seen_id=case_id,
        kind=DecisionKind.OTHER_FORMULATION,
        reason="Preservative suspected",
    )
    assert "another formulation only" in codes(bench, at + 3 * HOUR)["REACTION-UNRESOLVED"]


def test_a_mild_one_only_informs_until_it_is_over(app: Flask, bench: Bench, dose: Dose, at: datetime) -> None:
    bench.react(dose, at=at + HOUR, **MILD)
    assert codes(bench, at + 2 * HOUR).keys() == {"REACTION-NOT-OVER"}
    assert codes(bench, at, given_at=at, mode=EntryMode.ALREADY_GIVEN) == {}


def test_a_correction_is_a_new_row_and_is_decided_anew(
    app: Flask, bench: Bench, dose: Dose, prescriber: Actor, at: datetime
) -> None:
    case_id = bench.react(dose, at=at + HOUR)
    decide = {"actor": prescriber, "case_id": case_id, "kind": DecisionKind.MAY_CONTINUE, "reason": "Seen"}
    decide_reaction(at=at + 2 * HOUR, seen_id=case_id, **decide)
    correct = {"actor": bench.nurse, "at": at + 3 * HOUR, "case_id": case_id, "seen_id": case_id}
    refused("REACTION-SAME", correct_reaction, told=TOLD, reason="Typed wrongly", **correct)
    worse = replace(TOLD, symptoms=(Symptom.HIVES, Symptom.TROUBLE_BREATHING))
    correct_reaction(told=worse, reason="Told later", **correct)
    assert "REACTION-UNRESOLVED" in codes(bench, at + 4 * HOUR)
    assert newest(case_id).corrects_id == case_id
    refused("REACTION-CHANGED", decide_reaction, at=at + 5 * HOUR, seen_id=case_id, **decide)
    refused("REACTION-CHANGED", correct_reaction, told=TOLD, reason="Again", **correct)


def test_who_gives_the_dose_does_not_take_the_block_away(
    app: Flask, bench: Bench, dose: Dose, prescriber: Actor, at: datetime
) -> None:
    case_id = bench.react(dose, at=at + HOUR)
    asked = {"at": at + 2 * HOUR, "case_id": case_id, "reason": "Another patient"}
    lighter = {"seen_id": case_id, "told": replace(TOLD, **MILD)}
    refused("REACTION-PRESCRIBER", correct_reaction, actor=bench.nurse, **asked, **lighter)
    refused("REACTION-PRESCRIBER", retract_reaction, actor=bench.nurse, **asked)
    retract_reaction(actor=prescriber, **asked)
    assert codes(bench, at + 3 * HOUR) == {}
    refused("REACTION-RETRACTED", retract_reaction, actor=prescriber, **asked)


def test_somebody_elses_reaction_is_corrected_by_a_prescriber_alone(
    app: Flask, bench: Bench, dose: Dose, prescriber: Actor, at: datetime
) -> None:
    case_id = bench.react(dose, at=at + HOUR, **MILD)
    asked = {"at": at + 2 * HOUR, "case_id": case_id, "reason": "Another patient"}
    refused("REACTION-NOT-YOURS", retract_reaction, actor=make_actor(Role.PRACTITIONER), **asked)
    retract_reaction(actor=prescriber, **asked)


def test_news_is_of_after_the_onset_and_not_to_come(
    app: Flask, bench: Bench, dose: Dose, at: datetime
) -> None:
    case_id = bench.react(dose, at=at + HOUR, **MILD)
    asked = {"actor": bench.nurse, "at": at + 2 * HOUR, "case_id": case_id}
    better = {**asked, "outcome": ReactionOutcome.RECOVERING}
    refused("FOLLOW-UP-BEFORE", follow_up_reaction, happened_at=at, **better)
    refused("TIME-FUTURE", follow_up_reaction, happened_at=at + 3 * HOUR, **better)
    refused("FOLLOW-UP-SERIOUS", follow_up_reaction, outcome=ReactionOutcome.DIED, **asked)
    follow_up_reaction(happened_at=at + HOUR, note=" Less red ", **better)
    [news] = db.session.scalars(select(ReactionFollowUp))
    assert (news.outcome, news.note, news.happened_at) == ("recovering", "Less red", at + HOUR)


def test_the_same_request_twice_is_one_reaction(app: Flask, bench: Bench, dose: Dose, at: datetime) -> None:
    asked = {"actor": bench.nurse, "at": at + HOUR, "dose_id": dose.id, "told": TOLD, "request_key": "once"}
    first, second = record_reaction(**asked), record_reaction(**asked)
    assert first.subject_id == second.subject_id
    assert second.repeated


def amend(bench: Bench, dose: Dose, at: datetime, **changes: Any) -> UUID:
    request = replace(bench.request(draws=draws_of(db.session(), dose.id)), **changes)
    outcome = amend_dose(actor=bench.nurse, at=at, dose_id=dose.id, request=request, reason="Typed wrongly")
    return outcome.subject_id


def test_an_amended_dose_takes_its_reaction_and_the_decision_along(
    app: Flask, bench: Bench, dose: Dose, prescriber: Actor, at: datetime
) -> None:
    case_id = bench.react(dose, at=at + HOUR)
    decide_reaction(
        actor=prescriber,
        at=at + 2 * HOUR,
        case_id=case_id,
        seen_id=case_id,
        kind=DecisionKind.MAY_CONTINUE,
        reason="Seen",
    )
    anew = amend(bench, dose, at + 3 * HOUR, body_site=BodySite.RIGHT_DELTOID)
    assert newest(case_id).dose_id == anew
    assert "REACTION-UNRESOLVED" not in codes(bench, at + 4 * HOUR)
    refused("DOSE-VOID", bench.react, dose=dose, at=at + 4 * HOUR)


def test_a_dose_of_another_patient_takes_its_reaction_there_undecided(
    app: Flask, bench: Bench, dose: Dose, prescriber: Actor, at: datetime
) -> None:
    case_id = bench.react(dose, at=at + HOUR)
    decide_reaction(
        actor=prescriber,
        at=at + 2 * HOUR,
        case_id=case_id,
        seen_id=case_id,
        kind=DecisionKind.MAY_CONTINUE,
        reason="Seen",
    )
    other = make_patient()
    amend(bench, dose, at + 3 * HOUR, patient_id=other)
    assert codes(bench, at + 4 * HOUR) == {}
    assert "REACTION-UNRESOLVED" in codes(bench, at + 4 * HOUR, patient_id=other)


def test_what_a_reaction_stands_on_is_not_taken_away(
    app: Flask, bench: Bench, dose: Dose, at: datetime
) -> None:
    bench.react(dose, at=at + HOUR)
    void = {"actor": bench.nurse, "at": at + 2 * HOUR, "dose_id": dose.id, "reason": "Wrong"}
    refused("REACTION-STANDS", void_dose, kind=VoidKind.NEVER_OPENED, **void)
    refused(
        "REACTION-BEFORE-DOSE",
        amend,
        bench=bench,
        dose=dose,
        at=at + 2 * HOUR,
        given_at=at + timedelta(minutes=30),
    )
    assert db.session.scalars(select(ReactionDecision)).all() == []
