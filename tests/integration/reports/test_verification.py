"""A file is checked against the register, the record and the trail; each thing that is wrong is named, and nothing else is."""

import io
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner

from inventory.kernel.db import db
from inventory.kernel.permissions import SYSTEM_ACTOR, Role
from inventory.reports.models import Meaning
from inventory.reports.queries.issued import IssuedReport
from inventory.reports.queries.revisions import newest_pdf
from inventory.reports.reviewing import Review, review_report
from inventory.reports.tables import not_recheckable
from inventory.reports.verification import checks
from inventory.reports.verification.checks import verify_report
from inventory.reports.verification.verdict import Check, Verdict
from tests.factories import signed_reports as made
from tests.factories.reports import RECORDED_AT, ReportingClinic
from tests.factories.signing_clinic import clinic_key, keep_key
from tests.factories.staff import make_actor
from tests.support.client import CheckingClient
from tests.support.verify_script import PROVEN, verified

STRANGER = made.make_key("Stranger")
NOON = datetime(2026, 10, 5, 12, 0, tzinfo=UTC)
FIRST, LAST = date(2026, 10, 1), date(2026, 10, 31)
ALL_WELL = dict.fromkeys((one.value for one in Check), Verdict.WELL)


@pytest.fixture
def signed_clinic(clinic: ReportingClinic) -> ReportingClinic:
    """A clinic that signs, with three doses."""
    for minutes in range(3):
        clinic.give(NOON + timedelta(minutes=minutes))
    return clinic


@pytest.fixture
def report(signed_clinic: ReportingClinic) -> IssuedReport:
    return signed_clinic.issue(FIRST, LAST)


@pytest.fixture
def pdf(signed_clinic: ReportingClinic, report: IssuedReport) -> bytes:
    return signed_clinic.content(report, "pdf")


def verdicts(content: bytes, **asked: object) -> dict[str, Verdict]:
    """The verdict of each check; where it has several lines, the worst."""
    order = (Verdict.NOTE, Verdict.WELL, Verdict.UNKNOWN, Verdict.WRONG)
    found: dict[str, Verdict] = {}
    for line in verify_report(content, actor=SYSTEM_ACTOR, **asked).lines:
        found[line.check.value] = max(
            found.get(line.check.value, line.verdict), line.verdict, key=order.index
        )
    return found


def said(content: bytes, check: Check) -> str:
    return " ".join(
        line.words for line in verify_report(content, actor=SYSTEM_ACTOR).lines if line.check is check
    )


def test_what_the_clinic_issued_is_well_in_every_line(pdf: bytes) -> None:
    assert verdicts(pdf) == ALL_WELL
    assert "3 rows, each as it was printed" in said(pdf, Check.ROWS)
    assert verify_report(pdf, actor=SYSTEM_ACTOR).conclusion.startswith("This file is proven")
    assert verified(pdf, clinic_key().fingerprint)[0] == PROVEN


def test_its_csv_is_checked_by_its_bytes_and_rows(
    signed_clinic: ReportingClinic, report: IssuedReport
) -> None:
    csv = signed_clinic.content(report, "csv")
    found = verdicts(csv)
    assert found.pop("Signature") is Verdict.NOTE
    assert found == {
        name: verdict for name, verdict in ALL_WELL.items() if name not in {"Signature", "Key of the clinic"}
    }
    status, words = verified(signed_clinic.content(report, "pdf"), clinic_key().fingerprint, rows=csv)
    assert (status, "exactly the 3 rows" in words) == (PROVEN, True)
    assert verdicts(csv + b"\r\n")["Signature"] is Verdict.WRONG


def test_what_was_recorded_since_takes_nothing_away(signed_clinic: ReportingClinic, pdf: bytes) -> None:
    signed_clinic.give(NOON + timedelta(hours=1))
    assert verdicts(pdf) == ALL_WELL


def test_an_empty_report_is_well_too(signed_clinic: ReportingClinic) -> None:
    empty = signed_clinic.content(signed_clinic.issue(date(2026, 9, 1), date(2026, 9, 30)), "pdf")
    assert verdicts(empty) == ALL_WELL


def test_a_later_report_of_the_same_days_is_named(signed_clinic: ReportingClinic, pdf: bytes) -> None:
    later = signed_clinic.issue(FIRST, LAST)
    assert verdicts(pdf)["Newest report"] is Verdict.NOTE
    assert later.label in said(pdf, Check.NEWEST)
    assert verdicts(signed_clinic.content(later, "pdf")) == ALL_WELL


def test_a_further_signature_is_a_revision(report: IssuedReport, pdf: bytes) -> None:
    seen = newest_pdf(db.session(), report.id)[0]
    reviewer = make_actor(Role.PRESCRIBER, Role.MANAGER)
    review_report(
        actor=reviewer, at=RECORDED_AT, report_id=report.id, review=Review(Meaning.REVIEWED, "", seen)
    )
    reviewed = newest_pdf(db.session(), report.id)[1]
    assert verdicts(reviewed) == ALL_WELL
    assert "revision 2" in said(reviewed, Check.BYTES)
    assert "2 signatures" in said(reviewed, Check.SIGNATURE)
    assert verdicts(pdf)["Newest report"] is Verdict.NOTE
    assert verified(reviewed, clinic_key().fingerprint)[0] == PROVEN


def test_a_further_signature_that_the_register_does_not_have_is_no_revision(pdf: bytes) -> None:
    more = made.sign_pdf(pdf, clinic_key(), field="More")
    assert verdicts(more)["Unchanged bytes"] is Verdict.WRONG


def test_keys_that_were_retired_still_prove(pdf: bytes) -> None:
    keep_key(STRANGER, RECORDED_AT + timedelta(days=1))
    assert verdicts(pdf) == ALL_WELL
    assert "retired" in said(pdf, Check.KEY)


def test_a_trail_that_is_too_long_for_a_page_is_left_to_the_command(pdf: bytes) -> None:
    found = verify_report(pdf, actor=SYSTEM_ACTOR, most_links=1)
    assert [line.check for line in found.unknown] == [Check.TRAIL]
    assert found.conclusion == "Nothing is wrong with this file, but not everything could be checked."


# The file is not what was issued ---------------------------------------------------------------------------------


@pytest.mark.parametrize("place", [0.1, 0.4, 0.6, 0.9])
def test_a_byte_that_was_flipped_is_found(pdf: bytes, place: float) -> None:
    at = int(len(pdf) * place)
    flipped = pdf[:at] + bytes((pdf[at] ^ 1,)) + pdf[at + 1 :]
    found = verdicts(flipped)
    assert Verdict.WRONG in {found["Signature"], found["Unchanged bytes"]}
    assert found["Unchanged bytes"] is Verdict.WRONG
    assert found.get("Rows still in the record") in {None, Verdict.UNKNOWN}


def test_what_was_added_behind_is_told_from_what_was_issued(report: IssuedReport, pdf: bytes) -> None:
    more = made.attach(pdf, {"rows.csv": b"more"})
    assert verdicts(more)["Signature"] is Verdict.WRONG
    assert f"It begins with report {report.label}, revision 1, and" in said(more, Check.BYTES)


def test_a_signature_of_another_key_is_not_the_clinics(pdf: bytes) -> None:
    forged = made.sign_pdf(pdf, STRANGER, field="Forged")
    found = verdicts(forged)
    assert found["Key of the clinic"] is Verdict.WRONG
    assert STRANGER.fingerprint[:4] in said(forged, Check.KEY)


def test_rows_in_the_name_of_the_clinic_by_another_key_prove_nothing(
    report: IssuedReport, pdf: bytes
) -> None:
    forged = made.make_report(made.make_manifest(report=report.label), key=STRANGER)
    found = verdicts(forged)
    assert found["Signature"] is Verdict.WELL
    assert (
        found["Unchanged bytes"] is found["Key of the clinic"] is found["Registered number"] is Verdict.WRONG
    )
    assert found["Rows still in the record"] is Verdict.UNKNOWN


def test_a_report_that_the_register_lost_is_told_from_a_forgery(report: IssuedReport) -> None:
    lost = made.make_report(made.make_manifest(report="MAIN-99"), key=clinic_key())
    assert "Yet this clinic's key signed it" in said(lost, Check.NUMBER)
    forged = made.make_report(made.make_manifest(report="MAIN-99"), key=STRANGER)
    assert "Yet" not in said(forged, Check.NUMBER)


@pytest.mark.parametrize(
    "content, words",
    [
        (b"", "it is not a PDF"),
        (b"PK\3\4", "it is not a PDF"),
        (b"%PDF-1.7\n", "its end is missing"),
        (b"%PDF-1.7\nstartxref\n9\n%%EOF\n", "it is damaged"),
        (made.make_pdf(), "It is not signed"),
        (made.make_report()[:-2000], "its end is missing"),
        (made.make_report()[:4000] + b"%%EOF", "it is damaged"),
    ],
)
def test_what_is_no_report_gets_a_clear_answer(app: Flask, content: bytes, words: str) -> None:
    answer = verify_report(content, actor=SYSTEM_ACTOR)
    assert not answer.is_well
    assert words in answer.lines[0].words
    assert answer.conclusion == "Do not rely on this file: something about it is wrong."


# The record is not what it was -----------------------------------------------------------------------------------


def test_a_dose_that_was_changed_is_named_with_its_column(pdf: bytes, behind: Callable[[str], None]) -> None:
    behind("UPDATE dose SET indication = 'Other' WHERE number = 2")
    found = verdicts(pdf)
    assert found["Rows still in the record"] is found["Trail up to the printed head"] is Verdict.WRONG
    assert "MAIN-000002 (indication): not as printed any more" in said(pdf, Check.ROWS)
    assert "dose MAIN-000002" in said(pdf, Check.TRAIL).replace("Dose", "dose")
    assert found["Signature"] is found["Complete for its filters"] is Verdict.WELL


def test_a_link_that_was_taken_out_is_named(pdf: bytes, behind: Callable[[str], None]) -> None:
    behind("DELETE FROM audit_link WHERE seq = 3")
    assert "Audit entry 3: missing from the chain" in said(pdf, Check.TRAIL)


def test_a_register_that_was_changed_is_named(
    pdf: bytes, report: IssuedReport, behind: Callable[[str], None]
) -> None:
    behind("UPDATE report SET actor_name = 'Somebody Else'")
    assert "The trail did not record its entry" in said(pdf, Check.NUMBER)
    assert verdicts(pdf)["Rows still in the record"] is Verdict.UNKNOWN


@pytest.mark.parametrize(
    "raised, expected", [(not_recheckable(), Verdict.UNKNOWN), (KeyError("dose"), Verdict.WRONG)]
)
def test_rows_that_cannot_be_read_again_are_never_called_well(
    pdf: bytes, monkeypatch: pytest.MonkeyPatch, raised: Exception, expected: Verdict
) -> None:
    def refuse(*_: object) -> None:
        raise raised

    monkeypatch.setattr(checks, "table_of", refuse)
    found = verdicts(pdf)
    assert found["Rows still in the record"] is expected
    assert found.get("Complete for its filters") is not Verdict.WELL
    assert found["Trail up to the printed head"] is Verdict.WELL


# Who may ask -----------------------------------------------------------------------------------------------------


def test_a_report_of_another_site_is_not_told_about(signed_clinic: ReportingClinic, pdf: bytes) -> None:
    signed_clinic.open_site("EAST", "Europe/London", "LOTEAST")
    east = frozenset({signed_clinic.places["EAST"].site_id})
    elsewhere = replace(make_actor(Role.AUDITOR), site_ids=east)
    answer = verify_report(pdf, actor=elsewhere)
    assert answer.report_id is None
    assert Check.ROWS not in {line.check for line in answer.lines if line.verdict is Verdict.WELL}
    assert "not yours to read" in " ".join(line.words for line in answer.lines)


# The command -----------------------------------------------------------------------------------------------------


def test_the_command_says_each_check_and_ends_accordingly(
    pdf: bytes, cli: FlaskCliRunner, tmp_path: Path
) -> None:
    file = tmp_path / "report.pdf"
    file.write_bytes(pdf)
    done = cli.invoke(args=["report", "verify", str(file)])
    assert done.exit_code == 0, done.output
    assert done.output.count("\nwell ") == len(Check)
    assert done.output.endswith("the record still says the same.\n")
    file.write_bytes(pdf + b" ")
    done = cli.invoke(args=["report", "verify", str(file)])
    assert done.exit_code == 1
    assert "wrong" in done.output


# The page --------------------------------------------------------------------------------------------------------


def uploaded(client: CheckingClient, content: bytes, name: str = "report.pdf") -> Any:
    fields = client.form("/verify").fields
    data = {key: values[0] for key, values in fields.items() if values and key != "file"}
    return client.post("/verify", data={**data, "file": (io.BytesIO(content), name)})


def test_the_page_has_a_row_for_each_check(
    pdf: bytes, report: IssuedReport, signed_in_client: Callable[..., CheckingClient]
) -> None:
    client = signed_in_client(Role.AUDITOR)
    assert 'href="/verify"' in client.get("/reports/").text
    answer = uploaded(client, pdf)
    assert answer.status_code == 200
    assert "The file is proven" in answer.text
    assert answer.text.count(">Well<") == len(Check)
    assert f"/reports/{report.id}" in answer.text


def test_the_page_says_what_is_wrong(pdf: bytes, signed_in_client: Callable[..., CheckingClient]) -> None:
    answer = uploaded(signed_in_client(Role.AUDITOR), pdf[:-1] + b" ")
    assert answer.status_code == 200
    assert "Something is wrong with this file" in answer.text
    assert "proven" not in answer.text


def test_the_page_asks_for_a_file(app: Flask, signed_in_client: Callable[..., CheckingClient]) -> None:
    client = signed_in_client(Role.AUDITOR)
    assert "Choose the file of a report." in uploaded(client, b"", name="").text
    assert "it is not a PDF" in uploaded(client, b"").text


def test_an_upload_of_500_mb_is_refused_before_it_is_read(
    app: Flask, signed_in_client: Callable[..., CheckingClient]
) -> None:
    class Unread(io.RawIOBase):
        """What nobody may read."""

        def readinto(self, _buffer: Any) -> int:
            raise AssertionError("the body was read")

    client = signed_in_client(Role.AUDITOR)
    answer = client.post(
        "/verify",
        environ_overrides={"wsgi.input": Unread(), "CONTENT_LENGTH": "500000000"},
        content_type="multipart/form-data; boundary=x",
    )
    assert answer.status_code == 413
    assert "larger than this clinic accepts" in answer.text
