"""Signing a file: what is written and read for it, the time that an authority stamps, and what tampering leaves behind."""

import io
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.status import PdfSignatureStatus
from pyhanko_certvalidator import ValidationContext

from inventory.kernel.errors import Refusal
from inventory.reports.documents.administration_row import AdministrationRow
from inventory.reports.documents.signature_stamp import write_signature_stamp
from inventory.reports.signing import keys
from inventory.reports.signing.pdf import Words, sign_issued, sign_review
from tests.factories.signed_reports import make_manifest
from tests.factories.timestamps import STAMPED_AT, answering, make_authority
from tests.support.signing_key import TEST_SECRETS, signing_key_file

Pdf = Callable[..., bytes]
Row = Callable[..., AdministrationRow]
AT = datetime(2026, 12, 1, 8, 0, tzinfo=UTC)
WORDS = Words("Invented Clinic", "Issued as report MAIN-12", "Issued by Aud Auditor")


@pytest.fixture
def bare_app() -> Iterator[Flask]:
    """Settings, and nothing else of an application."""
    app = Flask("settings")
    app.config.update(
        SIGNING_P12=None,
        SIGNING_KEY_FILE=str(signing_key_file()),
        SIGNING_PASSWORD=TEST_SECRETS["SIGNING_PASSWORD"],
        TSA_URL=None,
    )
    with app.app_context():
        yield app


@pytest.fixture
def key(bare_app: Flask) -> keys.SigningKey:
    return keys.present_key("Invented Clinic", at=AT)


def issued(pdf: bytes, key: keys.SigningKey) -> io.BytesIO:
    file = io.BytesIO(pdf)
    sign_issued(file, make_manifest(), key=key, words=WORDS)
    return file


def reviewed(pdf: bytes, key: keys.SigningKey, folder: Path) -> io.BytesIO:
    stamp = folder / "stamp.pdf"
    with stamp.open("wb") as out:
        write_signature_stamp(out, (600, 26), ["Reviewed by Petra Prescriber"], created_at=AT)
    file = io.BytesIO(pdf)
    words = Words("Petra Prescriber", "Reviewed: report MAIN-12")
    sign_review(file, str(stamp), lines=(1, 3, 4), key=key, words=words)
    return file


def statuses(file: io.BytesIO, key: keys.SigningKey) -> list[PdfSignatureStatus]:
    """Return what pyHanko says of each signature, with the clinic's certificate and the authority's trusted."""
    trusted = ValidationContext(trust_roots=[key.signer().signing_cert, make_authority().tsa_cert])
    signatures = PdfFileReader(file, strict=False).embedded_regular_signatures
    return [validate_pdf_signature(one, trusted) for one in signatures]


def test_the_end_of_a_long_report_is_found_without_reading_the_pages_before_it(
    row: Row, pdf: Pdf, key: keys.SigningKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = pdf([row(number=f"MAIN-{n:06}") for n in range(1, 900)])
    pages = len(PdfFileReader(io.BytesIO(content), strict=False).root["/Pages"]["/Kids"])
    assert pages > 30
    read, get_object = [], PdfFileReader.get_object

    def counting(self: PdfFileReader, ref: Any, *args: Any, **kwargs: Any) -> Any:
        read.append(ref.idnum)
        return get_object(self, ref, *args, **kwargs)

    monkeypatch.setattr(PdfFileReader, "get_object", counting)
    issued(content, key)
    assert len(set(read)) < 15


def test_a_signature_is_appended_to_the_file_itself(
    row: Row, pdf: Pdf, key: keys.SigningKey, tmp_path: Path
) -> None:
    content = pdf([row()])
    path = tmp_path / "report.pdf"
    path.write_bytes(content)
    with path.open("r+b") as file:
        sign_issued(file, make_manifest(), key=key, words=WORDS)
    first = path.read_bytes()
    assert len(first) > len(content)
    assert first.startswith(content)
    assert reviewed(first, key, tmp_path).getvalue().startswith(first)


def test_signature_without_an_authority_is_b_b_and_valid(row: Row, pdf: Pdf, key: keys.SigningKey) -> None:
    file = issued(pdf([row()]), key)
    [signature] = PdfFileReader(file, strict=False).embedded_regular_signatures
    assert signature.sig_object["/SubFilter"] == "/ETSI.CAdES.detached"
    assert signature.sig_object["/Reason"] == "Issued as report MAIN-12"
    [status] = statuses(file, key)
    assert status.bottom_line
    assert status.timestamp_validity is None
    assert (status.md_algorithm, status.pkcs7_signature_mechanism) == ("sha256", "sha256_rsa")


def test_authority_stamps_both_signatures_with_its_time(
    bare_app: Flask, row: Row, pdf: Pdf, key: keys.SigningKey, tmp_path: Path
) -> None:
    with answering() as url:
        bare_app.config["TSA_URL"] = url
        both = reviewed(issued(pdf([row()]), key).getvalue(), key, tmp_path)
    for status in statuses(both, key):
        assert status.bottom_line
        assert status.timestamp_validity is not None
        assert status.timestamp_validity.timestamp == STAMPED_AT
        assert status.timestamp_validity.trusted


@pytest.mark.parametrize("answer", [(500, None), (200, b"<p>Sign in to the hotel's network</p>"), (200, b"")])
def test_an_answer_that_is_no_timestamp_is_a_refusal(
    bare_app: Flask, row: Row, pdf: Pdf, key: keys.SigningKey, answer: tuple[int, bytes | None]
) -> None:
    with answering(*answer) as url:
        bare_app.config["TSA_URL"] = url
        with pytest.raises(Refusal, match="SIGNING-TIMESTAMP"):
            issued(pdf([row()]), key)


def test_a_full_disk_is_not_said_to_be_the_authority(
    row: Row, pdf: Pdf, key: keys.SigningKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(IncrementalPdfFileWriter, "write_in_place", full)
    with pytest.raises(OSError, match="No space left"):
        issued(pdf([row()]), key)


def test_review_leaves_the_first_signature_valid_and_changes_nothing_else(
    row: Row, pdf: Pdf, key: keys.SigningKey, tmp_path: Path
) -> None:
    first, second = statuses(reviewed(issued(pdf([row()]), key).getvalue(), key, tmp_path), key)
    assert first.bottom_line
    assert first.modification_level is not None
    assert first.modification_level.name == "FORM_FILLING"
    assert second.bottom_line
    assert second.modification_level is not None
    assert second.modification_level.name == "NONE"


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_one_byte_flipped_in_what_was_signed_is_found(
    row: Row, pdf: Pdf, key: keys.SigningKey, share: float
) -> None:
    content = pdf([row()])
    signed = bytearray(issued(content, key).getvalue())
    place = content.index(b"stream", int(len(content) * share)) + 40
    signed[place] ^= 1
    [status] = statuses(io.BytesIO(bytes(signed)), key)
    assert not status.intact
    assert not status.bottom_line


def test_a_page_changed_behind_the_signature_is_found(row: Row, pdf: Pdf, key: keys.SigningKey) -> None:
    writer = IncrementalPdfFileWriter(issued(pdf([row()]), key), strict=False)
    page = writer.root["/Pages"]["/Kids"][0]
    page["/Rotate"] = type(page["/MediaBox"][0])(180)
    writer.update_container(page)
    out = io.BytesIO()
    writer.write(out)
    [status] = statuses(out, key)
    assert status.intact
    assert not status.bottom_line
