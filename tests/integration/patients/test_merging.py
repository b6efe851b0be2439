"""Two records of one person are merged, read together, and parted again; nothing else changes whose a dose is."""

from datetime import date, datetime, timedelta
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import func, select

from inventory.audit.models import AuditEntry
from inventory.audit.verification import Verification
from inventory.kernel.db import db
from inventory.kernel.errors import Refusal
from inventory.kernel.permissions import SYSTEM_ACTOR
from inventory.patients import queries
from inventory.patients.models import AlertKind, AllergyStatus, ConsentStatus, Patient, PatientMerge
from inventory.patients.services import add_alert, edit_patient, merge_records, record_consent, undo_merge
from inventory.patients.services.people import Identity
from inventory.stock import verification
from tests.factories.patients import make_patient
from tests.support.at_once import at_once

pytestmark = pytest.mark.usefixtures("app")
WHY = "Same passport, seen at the desk."


def merge(kept_id: UUID, merged_id: UUID, *, at: datetime, **more: object) -> UUID:
    said = {"reason": WHY} | more
    return merge_records(actor=SYSTEM_ACTOR, at=at, kept_id=kept_id, merged_id=merged_id, **said).subject_id  # type: ignore[arg-type]


def undo(merge_id: UUID, *, at: datetime) -> None:
    undo_merge(actor=SYSTEM_ACTOR, at=at, merge_id=merge_id, reason="They are twins.")


def records(patient_id: UUID) -> set[UUID]:
    db.session.rollback()
    return set(queries.records_of(patient_id))


def merges() -> int:
    return int(db.session.scalar(select(func.count()).select_from(PatientMerge)) or 0)


def is_well() -> bool:
    db.session.rollback()
    return not [*verification.findings(db.session()), *Verification(db.session()).whole()]


def test_groups_are_joined_over_several_steps_and_parted_where_they_were_joined(at: datetime) -> None:
    a, b, c, d = (make_patient() for _ in range(4))
    first, second, third = merge(a, b, at=at), merge(c, d, at=at), merge(c, a, at=at)
    for one in (a, b, c, d):
        assert records(one) == {a, b, c, d}
        assert queries.records_of(one)[0] == c
    undo(first, at=at)
    assert records(b) == {b}
    assert records(a) == records(d) == {a, c, d}
    undo(third, at=at)
    assert records(a) == {a}
    assert records(c) == {c, d}
    undo(second, at=at)
    assert records(c) == {c}
    assert is_well()
    again = merge(b, a, at=at)
    assert again
    assert queries.records_of(a) == (b, a)


def test_what_is_known_of_one_record_is_known_of_the_other(at: datetime) -> None:
    kept, merged = make_patient(family_name="Ferrer"), make_patient(family_name="Ferrer", none_known=False)
    other = make_patient(family_name="Ferrer")
    add_alert(actor=SYSTEM_ACTOR, at=at, patient_id=merged, kind=AlertKind.ALLERGY_COBALT)
    record_consent(actor=SYSTEM_ACTOR, at=at, patient_id=merged, status=ConsentStatus.REFUSED, decided_at=at)
    before = queries.patient_facts(db.session(), kept, at=at)
    assert (before.allergy_status, before.alerts, before.consent) == (AllergyStatus.NONE_KNOWN, set(), None)
    assert before.namesakes == 2
    merge(kept, merged, at=at)
    for lock in (False, True):
        for one in (kept, merged):
            facts = queries.patient_facts(db.session(), one, at=at, lock=lock)
            assert facts.records == (kept, merged)
            assert facts.allergy_status is AllergyStatus.PRESENT
            assert facts.alerts == {AlertKind.ALLERGY_COBALT}
            assert facts.consent is ConsentStatus.REFUSED
            assert facts.namesakes == 1
    assert [one.record_number for one in queries.namesakes_of(db.session(), kept)] == [
        queries.get_patient(db.session(), other).record_number
    ]
    assert queries.patient_facts(db.session(), other, at=at).namesakes == 1
    with pytest.raises(Refusal, match="stands on the record already"):
        add_alert(actor=SYSTEM_ACTOR, at=at, patient_id=other, kind=AlertKind.PREGNANCY) and add_alert(
            actor=SYSTEM_ACTOR, at=at, patient_id=other, kind=AlertKind.PREGNANCY
        )
    add_alert(actor=SYSTEM_ACTOR, at=at, patient_id=merged, kind=AlertKind.PREGNANCY)
    with pytest.raises(Refusal, match="stands on the record already"):
        add_alert(actor=SYSTEM_ACTOR, at=at, patient_id=kept, kind=AlertKind.PREGNANCY)


def test_the_last_answer_about_allergies_counts_unless_one_is_present(at: datetime) -> None:
    asked = make_patient(at=at - timedelta(days=9))
    never = make_patient(none_known=False)
    merge(never, asked, at=at)
    facts = queries.patient_facts(db.session(), never, at=at)
    assert (facts.allergy_status, facts.allergies_asked_on) == (
        AllergyStatus.NONE_KNOWN,
        (at - timedelta(days=9)).date(),
    )
    assert (
        queries.patient_facts(db.session(), never, at=at - timedelta(days=20)).allergy_status == "not_asked"
    )


@pytest.mark.parametrize(
    "code, pair",
    [
        ("MERGE-ITSELF", "aa"),
        ("MERGE-ONE-PERSON", "ab"),
        ("MERGE-ONE-PERSON", "ba"),
        ("MERGED-ALREADY", "cb"),
    ],
)
def test_no_merge_with_itself_twice_in_a_circle_or_of_what_is_merged(
    at: datetime, code: str, pair: str
) -> None:
    people = {name: make_patient() for name in "abc"}
    merge(people["a"], people["b"], at=at)
    with pytest.raises(Refusal) as refused:
        merge(people[pair[0]], people[pair[1]], at=at)
    assert refused.value.code == code
    assert merges() == 1
    assert records(people["c"]) == {people["c"]}


def test_a_merge_needs_a_reason_and_a_word_where_the_birth_dates_differ(at: datetime) -> None:
    a, b = make_patient(), make_patient(born_on=date(1980, 4, 3))
    for said, code in (({"reason": " "}, "REASON-NEEDED"), ({}, "MERGE-BORN")):
        with pytest.raises(Refusal) as refused:
            merge(a, b, at=at, **said)
        assert refused.value.code == code
    assert merges() == 0
    merge(a, b, at=at, although_born_differently=True)
    assert records(a) == {a, b}


def test_a_merge_is_undone_once(at: datetime) -> None:
    a, b = make_patient(), make_patient()
    done = merge(a, b, at=at)
    undo(done, at=at)
    with pytest.raises(Refusal) as refused:
        undo(done, at=at)
    assert refused.value.code == "MERGE-UNDONE"
    with pytest.raises(Refusal) as refused:
        undo(a, at=at)
    assert refused.value.code == "NOT-FOUND"


def test_either_record_has_the_merge_in_its_own_history(at: datetime) -> None:
    a, b = make_patient(has_baseline=False), make_patient(has_baseline=False)
    undo(merge(a, b, at=at), at=at)
    for one, told in (
        (a, {"patients.merge", "patients.undo-merge"}),
        (b, {"patients.merge-of", "patients.undo-merge-of"}),
    ):
        about = db.session.scalars(select(AuditEntry.action).where(AuditEntry.patient_id == one)).all()
        assert set(about) == {"patients.add", *told}


def test_two_who_merge_at_once_get_a_clear_answer_and_one_merge(app: Flask, at: datetime) -> None:
    for _ in range(4):
        a, b = make_patient(), make_patient()

        def said(kept: UUID, merged: UUID) -> str:
            try:
                merge(kept, merged, at=at)
            except Refusal as refusal:
                return refusal.code
            return "merged"

        answers = at_once(app, [lambda: said(a, b), lambda: said(b, a)])  # noqa: B023  run before the next turn
        assert sorted(answers) == ["MERGE-ONE-PERSON", "merged"]
        assert records(a) == {a, b}
    assert is_well()


def test_a_record_that_was_merged_can_still_be_corrected(at: datetime) -> None:
    a, b = make_patient(), make_patient()
    merge(a, b, at=at)
    identity = Identity(family_name="Other", born_on=date(1980, 3, 4))
    version = queries.get_patient(db.session(), b).version
    edit_patient(actor=SYSTEM_ACTOR, at=at, patient_id=b, version=version, identity=identity)
    db.session.rollback()
    assert db.session.get_one(Patient, b).person_id == a
    assert records(b) == {a, b}
