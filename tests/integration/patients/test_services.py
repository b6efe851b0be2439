"""What is done to a patient's record, on both databases."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select

from inventory.audit.models import AuditEntry, AuditPayload
from inventory.kernel.db import db
from inventory.kernel.errors import Refusal, Refusals
from inventory.kernel.permissions import SYSTEM_ACTOR, Role
from inventory.patients import queries, rules, services
from inventory.patients.models import AlertKind, AllergyStatus, ConsentStatus, Patient
from inventory.patients.services import Identity, Named
from tests.factories.patients import make_patient
from tests.factories.staff import make_actor

NIGHTINGALE = Identity(family_name="Nightingale", given_name="Flora", born_on=date(1961, 5, 12))


def add(at: datetime, identity: Identity = NIGHTINGALE, **rest: object) -> UUID:
    return services.add_patient(actor=SYSTEM_ACTOR, at=at, identity=identity, **rest).subject_id  # type: ignore[arg-type]


def facts_of(action: str, having: str = "") -> str:
    statement = (
        select(AuditPayload.payload)
        .join(AuditEntry, AuditEntry.id == AuditPayload.entry_id)
        .where(AuditEntry.action == action, AuditPayload.payload.contains(having))
    )
    return db.session.scalars(statement).one()


def test_makes_record_numbers_in_sequence(app: Flask, at: datetime) -> None:
    add(at, replace(NIGHTINGALE, family_name="Seacole", record_number="P-000041"))
    add(at, replace(NIGHTINGALE, family_name="Barton", record_number="p-12a456"))
    numbers = [
        queries.get_patient(db.session(), add(at, replace(NIGHTINGALE, family_name=name))).record_number
        for name in ("Cavell", "Dix")
    ]
    assert numbers == ["P-000042", "P-000043"]
    for last, following in (("P-999999", "P-1000000"), ("P-1000000", "P-1000001")):
        add(at, replace(NIGHTINGALE, family_name=f"After {following}", record_number=last))
        assert queries.next_record_number(db.session()) == following


def test_record_number_is_one_whatever_its_case_and_spacing(app: Flask, at: datetime) -> None:
    add(at, replace(NIGHTINGALE, record_number="AB 12"))
    with pytest.raises(Refusal, match=r"RECORD-NUMBER-TAKEN.*AB 12"):
        add(at, replace(NIGHTINGALE, family_name="Other", record_number="ab12"))


def test_asks_about_somebody_alike_and_believes_the_answer(app: Flask, at: datetime) -> None:
    add(at)
    for like in (
        replace(NIGHTINGALE, born_on=date(1999, 1, 1)),
        replace(NIGHTINGALE, family_name="FLORA", given_name="Nightingale"),
        replace(NIGHTINGALE, given_name="Another"),
    ):
        with pytest.raises(Refusal, match="PATIENT-LIKE"):
            add(at, like)
        assert add(at, like, is_another_person=True)


def test_refuses_birth_dates_no_living_person_has(app: Flask, at: datetime) -> None:
    for born_on, code in ((date(2026, 3, 18), "FUTURE"), (date(1899, 12, 31), "TOO-EARLY")):
        with pytest.raises(Refusals, match=f"BIRTH-DATE-{code}"):
            add(at, replace(NIGHTINGALE, born_on=born_on))
    assert db.session.scalar(select(Patient.id)) is None


def test_edit_keeps_before_and_after_in_the_trail(app: Flask, at: datetime) -> None:
    patient_id = add(at)
    services.edit_patient(
        actor=SYSTEM_ACTOR,
        at=at,
        patient_id=patient_id,
        version=1,
        identity=replace(NIGHTINGALE, phone="555 01"),
    )
    assert '"facts":{"after":{"phone":"555 01"},"before":{"phone":""}}' in facts_of("patients.edit")


def test_refuses_an_edit_of_what_somebody_else_changed(app: Flask, at: datetime) -> None:
    patient_id = add(at)
    first, second = (replace(NIGHTINGALE, phone=phone) for phone in "12")
    services.edit_patient(actor=SYSTEM_ACTOR, at=at, patient_id=patient_id, version=1, identity=first)
    with pytest.raises(Refusal, match="EDITED-MEANWHILE"):
        services.edit_patient(actor=SYSTEM_ACTOR, at=at, patient_id=patient_id, version=1, identity=second)
    assert queries.get_patient(db.session(), patient_id).phone == "1"


def test_facts_are_as_of_an_instant(app: Flask, at: datetime) -> None:
    patient_id = make_patient(at=at)
    alert = services.add_alert(
        actor=SYSTEM_ACTOR, at=at, patient_id=patient_id, kind=AlertKind.ALLERGY_COBALAMIN
    ).subject_id
    hour = timedelta(hours=1)
    services.resolve_alert(
        actor=make_actor(Role.PRESCRIBER), at=at + hour, alert_id=alert, reason="Tested negative."
    )
    for n, status in enumerate((ConsentStatus.GIVEN, ConsentStatus.WITHDRAWN)):
        services.record_consent(
            actor=SYSTEM_ACTOR,
            at=at + 3 * hour,
            patient_id=patient_id,
            status=status,
            decided_at=at + n * hour,
            information_sheet="B12 v3",
        )
    seen = [
        queries.patient_facts(db.session(), patient_id, at=at + n * hour / 2, lock=False)
        for n in (-1, 0, 1, 2)
    ]
    assert [f.alerts for f in seen] == [
        frozenset(),
        {AlertKind.ALLERGY_COBALAMIN},
        {AlertKind.ALLERGY_COBALAMIN},
        frozenset(),
    ]
    assert [f.consent for f in seen] == [None, "given", "given", "withdrawn"]
    assert seen[0].allergy_status is AllergyStatus.PRESENT
    long_ago = queries.patient_facts(db.session(), patient_id, at=at - timedelta(days=9))
    assert long_ago.allergy_status is AllergyStatus.NOT_ASKED


def test_facts_count_those_easily_taken_for_the_patient(app: Flask, at: datetime) -> None:
    patient_id = make_patient(family_name="O'Brien", given_name="José", at=at)
    make_patient(family_name="OBRIEN", given_name="Jose", born_on=date(1950, 1, 1), at=at)
    make_patient(family_name="O’Brien", given_name="Ann", at=at)
    make_patient(family_name="O’Briens", given_name="Ann", at=at)
    assert queries.patient_facts(db.session(), patient_id, at=at).namesakes == 2


def test_an_allergy_alert_says_that_allergies_are_present(app: Flask, at: datetime) -> None:
    patient_id = make_patient(at=at)
    services.add_alert(actor=SYSTEM_ACTOR, at=at, patient_id=patient_id, kind=AlertKind.ALLERGY_COBALT)
    with pytest.raises(Refusal, match="ALERT-STANDS"):
        services.add_alert(actor=SYSTEM_ACTOR, at=at, patient_id=patient_id, kind=AlertKind.ALLERGY_COBALT)
    with pytest.raises(Refusal, match="ALLERGY-ALERT"):
        services.set_allergies(
            actor=SYSTEM_ACTOR,
            at=at,
            patient_id=patient_id,
            status=AllergyStatus.NONE_KNOWN,
            asked_on=at.date(),
        )
    assert queries.get_patient(db.session(), patient_id).allergy_status == AllergyStatus.PRESENT


def test_allergies_that_are_present_are_named_in_the_same_act(app: Flask, at: datetime) -> None:
    asked = {"allergy_status": AllergyStatus.PRESENT, "allergies_asked_on": at.date()}
    with pytest.raises(Refusal, match="ALLERGY-WHICH"):
        add(at, **asked)
    with pytest.raises(Refusal, match="ALERT-NOTE"):
        add(at, allergies=[Named(AlertKind.ALLERGY_OTHER)], **asked)
    assert db.session.scalar(select(Patient.id)) is None
    patient_id = add(at, allergies=[Named(AlertKind.ALLERGY_COBALT, "Hives")], **asked)
    facts = queries.patient_facts(db.session(), patient_id, at=at)
    assert (facts.allergy_status, facts.alerts) == ("present", {AlertKind.ALLERGY_COBALT})
    assert '"alerts":[["allergy_cobalt","Hives"]]' in facts_of("patients.add")


def test_present_is_refused_until_an_allergy_is_named(app: Flask, at: datetime) -> None:
    patient_id = make_patient(at=at)

    def set_allergies(status: AllergyStatus, *kinds: AlertKind) -> None:
        services.set_allergies(
            actor=SYSTEM_ACTOR,
            at=at,
            patient_id=patient_id,
            status=status,
            asked_on=None if status is AllergyStatus.NOT_ASKED else at.date(),
            allergies=[Named(kind) for kind in kinds],
        )

    for status, kinds in (
        (AllergyStatus.PRESENT, []),
        (AllergyStatus.NONE_KNOWN, [AlertKind.ALLERGY_COBALT]),
    ):
        with pytest.raises(Refusal, match="ALLERGY-WHICH"):
            set_allergies(status, *kinds)
    set_allergies(AllergyStatus.PRESENT, AlertKind.ALLERGY_COBALT)
    set_allergies(AllergyStatus.PRESENT, AlertKind.ALLERGY_BENZYL_ALCOHOL)
    for status in (AllergyStatus.NONE_KNOWN, AllergyStatus.NOT_ASKED):
        with pytest.raises(Refusal, match="ALLERGY-ALERT"):
            set_allergies(status)
    alerts = queries.patient_facts(db.session(), patient_id, at=at).alerts
    assert alerts == {AlertKind.ALLERGY_COBALT, AlertKind.ALLERGY_BENZYL_ALCOHOL}


def test_what_stops_a_dose_is_lifted_by_a_prescriber_only(app: Flask, at: datetime) -> None:
    patient_id = make_patient(at=at)
    nurse, prescriber = make_actor(Role.PRACTITIONER), make_actor(Role.PRESCRIBER)
    for kind in sorted(services.LIFTED_BY_PRESCRIBER):
        alert_id = services.add_alert(
            actor=nurse, at=at, patient_id=patient_id, kind=kind, note="Seen"
        ).subject_id
        for decided_by in (None, make_actor(Role.PRACTITIONER)):
            with pytest.raises(Refusal, match="ALERT-PRESCRIBER"):
                services.resolve_alert(
                    actor=nurse, at=at, alert_id=alert_id, reason="No longer", decided_by=decided_by
                )
        services.resolve_alert(
            actor=nurse, at=at, alert_id=alert_id, reason="No longer", decided_by=prescriber
        )
        resolved = queries.get_alert(db.session(), patient_id, alert_id)
        assert (resolved.resolved_by_id, resolved.resolved_reason) == (prescriber.id, "No longer")
    proven = AlertKind.PROVEN_B12_DEFICIENCY
    with pytest.raises(Refusal, match="ALERT-PRESCRIBER"):
        services.add_alert(actor=nurse, at=at, patient_id=patient_id, kind=proven)
    services.add_alert(actor=nurse, at=at, patient_id=patient_id, kind=proven, decided_by=prescriber)
    assert f'"decided_by":"{prescriber.name}"' in facts_of("patients.add-alert", "proven")
    minor = services.add_alert(actor=nurse, at=at, patient_id=patient_id, kind=AlertKind.BLEEDING_RISK)
    services.resolve_alert(actor=nurse, at=at, alert_id=minor.subject_id, reason="Stopped apixaban")


def test_the_same_request_sent_twice_adds_one_patient(app: Flask, at: datetime) -> None:
    first = services.add_patient(actor=SYSTEM_ACTOR, at=at, identity=NIGHTINGALE, request_key="k")
    again = services.add_patient(actor=SYSTEM_ACTOR, at=at, identity=NIGHTINGALE, request_key="k")
    assert again.repeated
    assert again.subject_id == first.subject_id


def names_found(text: str) -> list[str]:
    statement = queries.found_by(rules.sought(text)).order_by(Patient.name_key)
    return [patient.full_name for patient in db.session.scalars(statement)]


def test_search_finds_by_the_beginning_of_each_word(app: Flask, at: datetime) -> None:
    for family, given in (
        ("O’Brien-Nuñez", "José María"),
        ("Obreau", "Marc"),
        ("Łukasz", "Ángel"),
        ("100%", "Q"),
    ):
        make_patient(family_name=family, given_name=given, record_number=f"R {family[:3]}-7", at=at)
    assert names_found("OBR") == ["Obreau, Marc", "O’Brien-Nuñez, José María"]
    assert names_found("mar nun") == ["O’Brien-Nuñez, José María"]
    assert names_found("lukasz angel") == ["Łukasz, Ángel"]
    assert names_found("angela") == []
    assert names_found("ro’b-7") == ["O’Brien-Nuñez, José María"]
    assert len(names_found("4 Mar 1980")) == 4


def test_search_follows_an_edited_name(app: Flask, at: datetime) -> None:
    patient_id = add(at)
    married = replace(NIGHTINGALE, family_name="Lovelace")
    services.edit_patient(actor=SYSTEM_ACTOR, at=at, patient_id=patient_id, version=1, identity=married)
    assert names_found("nightingale") == []
    assert names_found("love flora") == ["Lovelace, Flora"]
