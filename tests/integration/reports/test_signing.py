"""Every report is signed with the clinic's key; a reviewer signs once more, and nothing before it changes."""

import hashlib
import io
import shutil
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner
from pyhanko.pdf_utils.reader import PdfFileReader
from sqlalchemy import func, select

from inventory.kernel.db import db, is_writing
from inventory.kernel.errors import Refusal
from inventory.kernel.permissions import SYSTEM_ACTOR, Actor, Role
from inventory.reports import manifest, register, reviewing, services
from inventory.reports.models import Meaning, Report, ReportFile, ReportRevision, SigningKey
from inventory.reports.queries.issued import IssuedReport, issued_report
from inventory.reports.queries.revisions import newest_pdf, revisions_of
from inventory.reports.reviewing import Review, review_report
from inventory.reports.signing import keys
from inventory.reports.signing.known import known_keys, rotate_key, signing_now
from tests.factories.reports import ReportingClinic
from tests.factories.staff import PASSWORD, make_actor, make_user
from tests.support.client import CheckingClient
from tests.support.databases import Database
from tests.support.verify_script import PROVEN, UNPROVEN, WRONG, verified

SignIn = Callable[..., CheckingClient]
OCTOBER = (date(2026, 10, 1), date(2026, 10, 31))
NOON = datetime(2026, 10, 5, 12, 0, tzinfo=UTC)
LATER = datetime(2026, 12, 2, 9, 0, tzinfo=UTC)


@pytest.fixture
def report(clinic: ReportingClinic) -> IssuedReport:
    clinic.give(NOON)
    return clinic.issue(*OCTOBER)


def reviewed(report: IssuedReport, actor: Actor, meaning: Meaning = Meaning.REVIEWED, note: str = "") -> None:
    seen = newest_pdf(db.session(), report.id)[0]
    review_report(actor=actor, at=LATER, report_id=report.id, review=Review(meaning, note, seen))


def pdf_of(report: IssuedReport) -> bytes:
    return newest_pdf(db.session(), report.id)[1]


def signatures(pdf: bytes) -> list[tuple[str, str]]:
    reader = PdfFileReader(io.BytesIO(pdf))
    return [
        (signed.field_name, str(signed.sig_object["/Reason"]))
        for signed in reader.embedded_regular_signatures
    ]


def test_an_issued_report_is_signed_and_carries_its_manifest(
    clinic: ReportingClinic, report: IssuedReport
) -> None:
    pdf = pdf_of(report)
    assert signatures(pdf) == [("Issued", f"Issued as report {report.label}")]
    reader = PdfFileReader(io.BytesIO(pdf))
    names = reader.root["/Names"]["/EmbeddedFiles"]["/Names"]
    assert [str(names[place]) for place in range(0, len(names), 2)] == ["manifest.json", "manifest.sig"]
    file = db.session.scalars(select(ReportFile).where(ReportFile.format == "pdf")).one()
    [known] = known_keys(db.session())
    assert file.key_sha256 == known.fingerprint
    assert file.sha256 == hashlib.sha256(pdf).hexdigest()


@pytest.mark.parametrize("program", [["pdfsig", "-nocert"], ["qpdf", "--check"]], ids=["pdfsig", "qpdf"])
def test_other_programs_accept_it_before_and_after_a_review(
    clinic: ReportingClinic, report: IssuedReport, tmp_path: Path, program: list[str]
) -> None:
    if shutil.which(program[0]) is None:
        pytest.fail(f"{program[0]} is not installed: tests.support.browser_setup installs it")
    for step in (1, 2):
        file = tmp_path / "report.pdf"
        file.write_bytes(pdf_of(report))
        done = subprocess.run([*program, str(file)], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        if program[0] == "pdfsig":
            assert done.stdout.count("Signature is Valid.") == step
        reviewed(report, make_actor(Role.PRESCRIBER), Meaning.REVIEWED if step == 1 else Meaning.APPROVED)


def test_an_auditor_without_the_clinic_proves_it_with_the_fingerprint(
    clinic: ReportingClinic, report: IssuedReport
) -> None:
    [known] = known_keys(db.session())
    reviewed(report, make_actor(Role.PRESCRIBER, display_name="Dr Ωmega"))
    pdf = pdf_of(report)
    status, said = verified(pdf, known.fingerprint)
    assert status == PROVEN, said
    assert verified(pdf)[0] == UNPROVEN
    assert verified(pdf, "ab" * 32)[0] == WRONG


def test_a_review_appends_and_keeps_every_byte_before_it(
    clinic: ReportingClinic, report: IssuedReport
) -> None:
    issued = pdf_of(report)
    reviewed(
        report, make_actor(Role.PRESCRIBER, display_name="Petra Prescriber"), note="Complete for October"
    )
    reviewed(report, make_actor(Role.AUDITOR), Meaning.APPROVED)
    newest = pdf_of(report)
    assert newest.startswith(issued)
    assert [field for field, _ in signatures(newest)] == ["Issued", "Review 1", "Review 2"]
    assert signatures(newest)[1][1] == f"Reviewed: report {report.label}. Complete for October"
    first, second = revisions_of(db.session(), report.id)
    assert (first.number, second.number) == (2, 3)
    assert first.previous_sha256 == hashlib.sha256(issued).hexdigest()
    assert second.previous_sha256 == first.sha256
    names = [str(one.sig_object["/Name"]) for one in PdfFileReader(io.BytesIO(newest)).embedded_signatures]
    assert names[1] == "Petra Prescriber"


def test_each_meaning_stands_on_a_line_that_says_it_or_says_nothing(
    clinic: ReportingClinic, report: IssuedReport
) -> None:
    for _ in range(3):
        reviewed(report, make_actor(Role.PRESCRIBER), Meaning.APPROVED)
    with pytest.raises(Refusal, match="REVIEW-FULL"):
        reviewed(report, make_actor(Role.PRESCRIBER), Meaning.APPROVED)
    reviewed(report, make_actor(Role.PRESCRIBER))
    fields = [field for field, _ in signatures(pdf_of(report))]
    assert fields == ["Issued", "Review 2", "Review 3", "Review 4", "Review 1"]


def test_readers_list_the_issuer_first(clinic: ReportingClinic, report: IssuedReport) -> None:
    fields = PdfFileReader(io.BytesIO(pdf_of(report))).root["/AcroForm"]["/Fields"]
    assert [str(field.get_object()["/T"]) for field in fields] == [
        "Issued",
        *(f"Review {n}" for n in range(1, 5)),
    ]


def test_what_is_downloaded_is_the_newest_and_the_first_stays(
    clinic: ReportingClinic, report: IssuedReport
) -> None:
    issued = pdf_of(report)
    reviewed(report, make_actor(Role.PRESCRIBER))
    fetched = {
        number: services.fetch_file(
            report_id=report.id, file_format="pdf", actor=clinic.auditor, at=LATER, revision=number
        ).content
        for number in (None, 1, 2)
    }
    assert fetched[1] == issued
    assert fetched[None] == fetched[2] == pdf_of(report)


def test_refuses_the_same_signature_twice_and_a_fifth(clinic: ReportingClinic, report: IssuedReport) -> None:
    first = make_actor(Role.PRESCRIBER)
    reviewed(report, first)
    with pytest.raises(Refusal, match="REVIEW-TWICE"):
        reviewed(report, first)
    reviewed(report, first, Meaning.APPROVED)
    second = make_actor(Role.AUDITOR)
    reviewed(report, second)
    reviewed(report, second, Meaning.APPROVED)
    with pytest.raises(Refusal, match="REVIEW-FULL"):
        reviewed(report, make_actor(Role.PRESCRIBER))


def test_refuses_who_may_not_sign_and_who_saw_another_file(
    clinic: ReportingClinic, report: IssuedReport
) -> None:
    with pytest.raises(Refusal, match="NOT-PERMITTED"):
        reviewed(report, make_actor(Role.PRACTITIONER))
    seen = newest_pdf(db.session(), report.id)[0]
    reviewed(report, make_actor(Role.PRESCRIBER))
    late = Review(Meaning.REVIEWED, "", seen)
    with pytest.raises(Refusal, match="REVIEW-MEANWHILE"):
        review_report(actor=make_actor(Role.AUDITOR), at=LATER, report_id=report.id, review=late)
    assert db.session.scalar(select(func.count()).select_from(ReportRevision)) == 1


def test_the_same_request_twice_is_one_signature(clinic: ReportingClinic, report: IssuedReport) -> None:
    review = Review(Meaning.REVIEWED, "", newest_pdf(db.session(), report.id)[0])
    actor = make_actor(Role.PRESCRIBER)
    done = [
        review_report(actor=actor, at=LATER, report_id=report.id, review=review, request_key="the same")
        for _ in range(2)
    ]
    assert [one.repeated for one in done] == [False, True]
    assert len(revisions_of(db.session(), report.id)) == 1


def test_nobody_waits_while_a_file_is_signed(
    clinic: ReportingClinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Signing may wait for a timestamp authority: it must not hold the database meanwhile."""
    waited = []

    def seen(sign: Callable[..., None]) -> Callable[..., None]:
        return lambda *args, **kwargs: (waited.append(is_writing()), sign(*args, **kwargs))[1]

    monkeypatch.setattr(register, "sign_issued", seen(register.sign_issued))
    monkeypatch.setattr(reviewing, "sign_review", seen(reviewing.sign_review))
    reviewed(clinic.issue(*OCTOBER), make_actor(Role.PRESCRIBER))
    assert waited == [False, False]


def test_of_two_reviewers_at_once_one_signs_and_the_other_looks_again(
    app: Flask, clinic: ReportingClinic, report: IssuedReport
) -> None:
    actors = [make_actor(Role.PRESCRIBER), make_actor(Role.AUDITOR)]
    review = Review(Meaning.REVIEWED, "", newest_pdf(db.session(), report.id)[0])
    db.session.rollback()

    def sign(actor: Actor) -> str:
        with app.app_context():
            try:
                review_report(actor=actor, at=LATER, report_id=report.id, review=review)
            except Refusal as refusal:
                return refusal.code
        return "signed"

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(sign, actors)) == ["REVIEW-MEANWHILE", "signed"]


def test_rotation_signs_with_another_key_and_keeps_the_first(
    app: Flask, clinic: ReportingClinic, report: IssuedReport, cli: FlaskCliRunner, tmp_path: Path
) -> None:
    copy = tmp_path / "signing_key.p12"
    shutil.copy(app.config["SIGNING_KEY_FILE"], copy)
    app.config["SIGNING_KEY_FILE"] = str(copy)
    [first] = [key.fingerprint for key in known_keys(db.session())]
    made = rotate_key(actor=SYSTEM_ACTOR, at=LATER)
    again = clinic.issue(*OCTOBER)
    assert issued_report(again.id).key_sha256 == made.fingerprint != first
    assert issued_report(report.id).key_sha256 == first
    said = cli.invoke(args=["report", "key", "show"]).output.splitlines()
    assert [line[:9] for line in said] == ["signs now", "earlier  "]
    assert manifest.in_groups(made.fingerprint) in said[0]


def test_a_key_is_made_once_encrypted_and_for_its_owner_alone(app: Flask, tmp_path: Path) -> None:
    app.config["SIGNING_KEY_FILE"] = str(tmp_path / "made.p12")
    first = keys.present_key("Riverside", at=LATER)
    second = keys.present_key("Riverside", at=LATER)
    assert first.fingerprint == second.fingerprint
    file = tmp_path / "made.p12"
    assert file.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["made.p12"]
    app.config["SIGNING_PASSWORD"] = "another"
    with pytest.raises(Refusal, match="SIGNING-KEY-UNREADABLE"):
        keys.present_key("Riverside", at=LATER)


def test_an_expired_certificate_signs_nothing(
    app: Flask, clinic: ReportingClinic, report: IssuedReport
) -> None:
    with pytest.raises(Refusal, match="SIGNING-KEY-EXPIRED"):
        keys.present_key("Riverside", at=datetime(2050, 1, 1, tzinfo=UTC))


def test_a_report_that_could_not_be_signed_takes_no_number(
    app: Flask, clinic: ReportingClinic, tmp_path: Path
) -> None:
    usable = app.config["SIGNING_KEY_FILE"]
    damaged = tmp_path / "signing_key.p12"
    damaged.write_bytes(b"not a key")
    app.config["SIGNING_KEY_FILE"] = str(damaged)
    with pytest.raises(Refusal, match="SIGNING-KEY-UNREADABLE"):
        clinic.issue(*OCTOBER)
    assert db.session.scalar(select(func.count()).select_from(Report)) == 0
    app.config["SIGNING_KEY_FILE"] = usable
    assert clinic.issue(*OCTOBER).label == "MAIN-1"


def test_a_key_whose_file_is_gone_is_replaced_and_both_are_known(
    app: Flask, clinic: ReportingClinic, report: IssuedReport, tmp_path: Path
) -> None:
    """As after a restore without the key's file: what was signed before still names the key that signed it."""
    [first] = [key.fingerprint for key in known_keys(db.session())]
    app.config["SIGNING_KEY_FILE"] = str(tmp_path / "gone.p12")
    again = clinic.issue(*OCTOBER)
    newest, oldest = known_keys(db.session())
    assert signing_now() == newest.fingerprint
    assert oldest.fingerprint == issued_report(report.id).key_sha256 == first
    assert newest.fingerprint == issued_report(again.id).key_sha256 != first


def test_a_key_brought_along_is_known_as_such_and_not_rotated_here(
    app: Flask, clinic: ReportingClinic, report: IssuedReport, cli: FlaskCliRunner, tmp_path: Path
) -> None:
    own = tmp_path / "own.p12"
    keys.keep_key(own, keys.make_key("Riverside", at=LATER), password=b"its own")
    app.config.update(SIGNING_P12=str(own), SIGNING_P12_PASSWORD="its own")
    again = clinic.issue(*OCTOBER)
    newest, _ = known_keys(db.session())
    assert (newest.is_own, newest.fingerprint) == (True, issued_report(again.id).key_sha256)
    done = cli.invoke(args=["report", "key", "rotate"])
    assert done.exit_code == 1
    assert "not rotated: SIGNING-KEY-OWN" in done.stderr


def test_a_key_is_not_said_to_sign_when_its_file_does_not_open(
    app: Flask,
    clinic: ReportingClinic,
    report: IssuedReport,
    cli: FlaskCliRunner,
    signed_in_client: SignIn,
) -> None:
    client = signed_in_client(Role.AUDITOR)
    assert "The key that signs now" in client.get("/reports/keys").get_data(as_text=True)
    app.config["SIGNING_PASSWORD"] = "another"
    shown = client.get("/reports/keys").get_data(as_text=True)
    assert "The key that signs now" not in shown
    assert "None of these keys signs now" in shown
    assert cli.invoke(args=["report", "key", "show"]).output.splitlines()[-1].startswith("no known key")


def test_an_authority_that_does_not_answer_is_named(app: Flask, clinic: ReportingClinic) -> None:
    app.config["TSA_URL"] = "http://127.0.0.1:9/tsa"
    with pytest.raises(Refusal, match="SIGNING-TIMESTAMP"):
        clinic.issue(*OCTOBER)
    assert db.session.scalar(select(func.count()).select_from(ReportFile)) == 0


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE report_revision SET note = 'x'",
        "DELETE FROM report_revision",
        "UPDATE report_revision SET content = sha256",
        "UPDATE signing_key SET certificate = 'x'",
        "DELETE FROM signing_key",
    ],
)
def test_the_database_keeps_revisions_and_keys(
    clinic: ReportingClinic, report: IssuedReport, database: Database, statement: str
) -> None:
    reviewed(report, make_actor(Role.PRESCRIBER))
    if database.kind == "postgresql":
        statement = statement.replace("content = sha256", "content = 'x'::bytea")
    db.session.rollback()
    owner = database.connect_as_owner()
    with pytest.raises(Exception, match="law:insert_only"):
        owner.execute(statement)
    owner.close()


def test_signed_on_its_page_with_the_password_once_more(
    clinic: ReportingClinic, report: IssuedReport, signed_in_client: SignIn
) -> None:
    user = make_user(roles=Role.PRESCRIBER, password=PASSWORD, licence_expires_on=date(2030, 1, 1))
    client = signed_in_client(user=user)
    path = f"/reports/{report.id}/review"
    wrong = client.submit(path, {"meaning": "reviewed", "password": "not it"})
    assert wrong.status_code == 422
    assert "CONFIRM-WRONG" in wrong.get_data(as_text=True)
    typed = {"meaning": "reviewed", "note": "Complete", "password": PASSWORD}
    page = client.submit(path, typed, follow_redirects=True).get_data(as_text=True)
    assert "The report is signed" in page
    assert "Complete" in page
    assert client.get(f"/reports/{report.id}/revisions/1.pdf").status_code == 200
    assert client.get(f"/reports/{report.id}/revisions/9.pdf").status_code == 404
    [known] = db.session.scalars(select(SigningKey)).all()
    shown = client.get("/reports/keys").get_data(as_text=True)
    assert manifest.in_groups(known.fingerprint) in shown
    pem = client.get(f"/reports/keys/{known.fingerprint}.pem").get_data(as_text=True)
    assert pem.startswith("-----BEGIN CERTIFICATE-----")
    assert client.get(f"/reports/keys/{'0' * 64}.pem").status_code == 404
    assert signed_in_client(Role.PRACTITIONER).get(path).status_code == 403
