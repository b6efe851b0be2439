"""A report that names somebody who was erased since: their rows are told apart from those that somebody changed."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from flask import Flask

from inventory.audit.models import AskedBy
from inventory.kernel.permissions import SYSTEM_ACTOR, Role
from inventory.patients.services.erasure import Asked, ask_erasure, carry_out_erasure
from inventory.reports.issuing import issue_report
from inventory.reports.kinds import ReportKind
from inventory.reports.queries.issued import stored_content
from inventory.reports.verification.checks import verify_report
from inventory.reports.verification.verdict import Answer, Check, Verdict
from tests.factories.patients import make_patient
from tests.factories.reports import NOON, OPENED_ON, RECORDED_AT, ReportingClinic, make_busy_clinic
from tests.factories.staff import make_actor

K = ReportKind
LATER = RECORDED_AT + timedelta(days=1)
NAMES = {
    K.ADMINISTRATIONS: "MAIN-000001",
    K.PSEUDONYMISED: "D-",
    K.PRACTITIONER: "dose MAIN-000001",
    K.LOT: "dose MAIN-000001",
    K.INCIDENTS: "finding MAIN-000005",
    K.CORRECTIONS: "void MAIN-000001",
    K.COMPLETENESS: "late MAIN-000001",
    K.ACCESS: "look ",
}


@pytest.fixture
def busy(app: Flask) -> ReportingClinic:
    """A clinic of which every kind of report has something to tell, and a second patient with a dose: number 6."""
    clinic = make_busy_clinic()
    other = make_patient(record_number="R-88", family_name="Other", at=OPENED_ON)
    clinic.give(NOON + timedelta(days=5), patient_id=other, consent_seen=False)
    return clinic


def issued(clinic: ReportingClinic, kind: ReportKind) -> UUID:
    asked = clinic.asked_for(kind)
    return issue_report(kind=kind, asked=asked, actor=SYSTEM_ACTOR, at=RECORDED_AT).id


def erase(patient_id: UUID) -> None:
    words = Asked(AskedBy.PATIENT, LATER.date(), "Forget me.")
    request = ask_erasure(actor=SYSTEM_ACTOR, at=LATER, patient_id=patient_id, asked=words)
    carry_out_erasure(
        actor=make_actor(Role.PRESCRIBER),
        at=LATER,
        request_id=request.subject_id,
        second=make_actor(Role.ADMIN),
        obstacle=lambda *_: None,
    )


def verified(content: bytes) -> Answer:
    return verify_report(content, actor=SYSTEM_ACTOR)


def lines(answer: Answer, check: Check) -> list[tuple[Verdict, str]]:
    return [(line.verdict, line.words) for line in answer.lines if line.check is check]


def test_rows_of_an_erased_patient_are_told_from_those_that_somebody_changed(
    busy: ReportingClinic, behind: Callable[[str], None]
) -> None:
    pdfs = {kind: stored_content(issued(busy, kind), "pdf")[1] for kind in NAMES}
    erase(busy.patient_id)
    for kind, pdf in pdfs.items():
        answer = verified(pdf)
        found = lines(answer, Check.ROWS)
        assert [verdict for verdict, _ in found] == [Verdict.UNKNOWN, Verdict.WELL], (kind, found)
        assert NAMES[kind] in found[0][1]
        assert "erased since the report was issued" in found[0][1]
        assert found[1][1] == "Every other printed row is in the record as it was printed."
        assert lines(answer, Check.COMPLETE)[0][0] is Verdict.WELL
        assert lines(answer, Check.TRAIL)[0][0] is Verdict.WELL
        assert answer.conclusion.startswith("Nothing is wrong with this file, but")
    behind("UPDATE dose SET volume_ul = volume_ul + 1, dose_ng = dose_ng + 1000 WHERE number IN (2, 6)")
    found = lines(verified(pdfs[K.ADMINISTRATIONS]), Check.ROWS)
    assert [verdict for verdict, _ in found] == [Verdict.UNKNOWN, Verdict.WRONG]
    assert "MAIN-000001" in found[0][1]
    assert "MAIN-000002" not in found[0][1], "an erasure changes no volume"
    assert "MAIN-000006 (dose_ng, dose_mcg, volume_ul, volume_ml)" in found[1][1]
    assert "MAIN-000002 (" in found[1][1]


def test_row_that_only_looks_erased_is_one_that_was_changed(
    busy: ReportingClinic, behind: Callable[[str], None]
) -> None:
    pdf = stored_content(issued(busy, K.ADMINISTRATIONS), "pdf")[1]
    erase(busy.patient_id)
    behind("UPDATE dose SET patient_name = 'Erased' WHERE number = 6")
    found = lines(verified(pdf), Check.ROWS)
    assert (Verdict.WRONG, "MAIN-000006 (patient_name): not as printed any more.") in found


def test_report_about_the_erased_alone_says_so_and_knows_its_bytes(busy: ReportingClinic) -> None:
    pdf = stored_content(issued(busy, K.PATIENT), "pdf")[1]
    erase(busy.patient_id)
    answer = verified(pdf)
    assert answer.is_well, answer
    [(verdict, said)] = lines(answer, Check.ROWS)
    assert verdict is Verdict.UNKNOWN
    assert said.startswith("The patient whom it is about was erased since")
    [(verdict, said)] = lines(answer, Check.BYTES)
    assert verdict is Verdict.WELL
    assert "whose SHA-256 the register kept when its file was erased" in said
    flipped = bytes((*pdf[:-9], pdf[-9] ^ 1, *pdf[-8:]))
    assert lines(verified(flipped), Check.BYTES)[0][0] is Verdict.WRONG


def test_file_that_was_emptied_by_nobody_who_may_is_found(
    busy: ReportingClinic, behind: Callable[[str], None], engine_kind: str
) -> None:
    pdf = stored_content(issued(busy, K.ADMINISTRATIONS), "pdf")[1]
    nothing = "X''" if engine_kind == "sqlite" else "''"
    behind(f"UPDATE report_file SET content = {nothing} WHERE format = 'pdf'")
    answer = verified(pdf)
    assert not answer.is_well
    assert "The trail did not record its report file" in lines(answer, Check.NUMBER)[0][1]
