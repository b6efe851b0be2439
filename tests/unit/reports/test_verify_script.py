"""docs/verify.py, which an auditor runs without the clinic: what it proves, and what it says of everything else."""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from inventory.reports import manifest
from tests.factories import signed_reports as made
from tests.support.hostile_pdfs import HOSTILE
from tests.support.verify_script import PROVEN, SCRIPT, UNPROVEN, WRONG, verified, verify

KEY = made.make_key()
OTHER = made.make_key("Another Clinic")
MANIFEST = made.make_manifest()
REPORT = made.make_report(MANIFEST)
ATTACHED = {manifest.CONTENT_NAME: MANIFEST.content, manifest.SIGNATURE_NAME: KEY.sign(MANIFEST.content)}
CSV = "\r\n".join(",".join(row) for row in (made.COLUMNS, *made.ROWS)).encode("utf-8-sig")


def test_it_works_copied_alone_into_an_empty_folder(tmp_path: Path) -> None:
    shutil.copy(SCRIPT, tmp_path / "verify.py")
    (tmp_path / "report.pdf").write_bytes(REPORT)
    (tmp_path / "rows.csv").write_bytes(CSV)
    command = [sys.executable, "-I", "verify.py", "report.pdf", "--csv", "rows.csv"]
    done = subprocess.run(
        [*command, "--key", KEY.fingerprint], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (PROVEN, "")
    assert f"PROVEN to be from the holder of the key {KEY.fingerprint}" in done.stdout
    assert "exactly the 7 rows of the report" in done.stdout
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode == UNPROVEN


def test_a_key_may_be_typed_as_it_is_printed() -> None:
    assert verify.fingerprint(manifest.in_groups(KEY.fingerprint).upper()) == KEY.fingerprint


@pytest.mark.parametrize("arguments", [["--key", "abc", "x.pdf"], [], ["missing.pdf"], ["."]])
def test_what_is_asked_wrongly_is_never_unproven(arguments: list[str], tmp_path: Path) -> None:
    command = [sys.executable, "-I", str(SCRIPT), *arguments]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == WRONG
    assert done.stderr
    assert "Traceback" not in done.stderr


def test_without_a_key_it_is_consistent_and_its_author_unproven() -> None:
    status, said = verified(REPORT)
    assert status == UNPROVEN
    assert "CONSISTENT, AUTHOR UNPROVEN" in said
    assert not re.search(r"^ +PROVEN", said, re.MULTILINE)


def test_it_tells_what_the_report_says_and_what_it_cannot_know() -> None:
    status, said = verified(REPORT, KEY.fingerprint)
    assert status == PROVEN
    assert "Report MAIN-7 (administrations) of Invented Clinic, 2026-03-01 to 2026-03-31." in said
    assert f"Head of the trail: 12 {'ab' * 32}." in said
    assert "only the clinic's own check can show" in said


def test_a_demonstration_says_so() -> None:
    assert "invented" in verified(made.make_report(made.make_manifest(demo=True)))[1]


def test_a_further_signature_by_the_same_key_is_proven_too() -> None:
    status, said = verified(made.sign_pdf(REPORT, field="Review"), KEY.fingerprint)
    assert status == PROVEN
    assert "Revision 2" in said


def test_a_further_signature_by_another_key_is_named_until_that_key_is_known() -> None:
    reviewed = made.sign_pdf(REPORT, OTHER, field="Review")
    status, said = verified(reviewed, KEY.fingerprint)
    assert status == WRONG
    assert OTHER.fingerprint in said
    assert verified(reviewed, KEY.fingerprint, OTHER.fingerprint)[0] == PROVEN


def test_objects_that_are_packed_are_read_too() -> None:
    packed = made.make_report(pdf=made.make_packed_pdf())
    assert b"/ObjStm" in packed
    assert b"\nxref" not in packed
    assert verified(packed, KEY.fingerprint)[0] == PROVEN


@pytest.mark.parametrize(
    "rows, words",
    [
        (CSV, "exactly the 7 rows"),
        (CSV.replace(b"Kowalska 3", b"Kowalski 3"), "row 3 (MAIN-000003): it is not what was issued"),
        (CSV.replace(b"number,", b"Number,"), "its columns are not those"),
        (CSV.rpartition(b"\r\n")[0], "1 rows of the report are missing"),
        (CSV + b"\r\nMAIN-000008,More,LOT", "row 8 (MAIN-000008): the report has no more rows"),
        (b"", "its columns are not those"),
        (CSV + b'\r\n"', "cannot be read as CSV"),
        (CSV + b"\xff", "cannot be read as CSV"),
    ],
)
def test_each_line_of_the_csv_is_held_against_the_manifest(rows: bytes, words: str) -> None:
    status, said = verified(REPORT, KEY.fingerprint, rows=rows)
    assert words in said
    assert status == (PROVEN if rows == CSV else WRONG)


def test_many_wrong_lines_are_counted() -> None:
    rows = made.ROWS * 4
    report = made.make_report(made.make_manifest(rows))
    spoilt = "\r\n".join(",".join(row) for row in (made.COLUMNS, *rows)).replace("LOT", "TOL").encode()
    assert "The CSV: 18 more." in verified(report, KEY.fingerprint, rows=spoilt)[1]


def test_rows_of_a_pseudonymised_report_cannot_be_compared() -> None:
    report = made.make_report(made.make_manifest(with_salt=False))
    status, said = verified(report, KEY.fingerprint, rows=CSV)
    assert status == PROVEN
    assert "The CSV cannot be compared" in said


# What is wrong ---------------------------------------------------------------------------------------------------


def forged_rows() -> bytes:
    """Another report's manifest, that the clinic did sign, in a PDF that it did not."""
    return made.sign_pdf(made.make_pdf("Forged"), OTHER, files=ATTACHED)


def exchanged_manifest() -> bytes:
    """A manifest exchanged by a later revision, signed by the clinic's key all the same."""
    told = made.make_manifest(made.ROWS[:2])
    pdf = made.sign_pdf(made.make_pdf(), files=ATTACHED)
    new = {"manifest.json": told.content, "manifest.sig": KEY.sign(told.content)}
    start = pdf.rindex(b"startxref")
    exchanged = made.exchange(pdf, new)
    assert exchanged[:start] == pdf[:start]
    return made.sign_pdf(exchanged, field="Review")


WRONGS: list[tuple[Callable[[], bytes], str]] = [
    (lambda: b"", "it is not a PDF"),
    (lambda: b"\x89PNG", "it is not a PDF"),
    (lambda: b"%PDF-1.7\n", "no proper end"),
    (made.make_pdf, "it is not signed"),
    (lambda: made.sign_pdf(made.make_pdf()), "the PDF lacks what every report has"),
    (lambda: made.attach(made.make_pdf(), ATTACHED), "it is not signed"),
    (lambda: made.make_report(key=OTHER), "a key you did not name"),
    (forged_rows, "signed by another key than the PDF"),
    (exchanged_manifest, "exchanged after it was first signed"),
    (lambda: REPORT[:-1], ""),
    (lambda: REPORT[: len(REPORT) // 2], ""),
    (lambda: REPORT + b"\n", "1 bytes were appended"),
    (lambda: REPORT + b"%%EOF\n" * 9, "54 bytes were appended"),
    (lambda: made.attach(REPORT, {"more.txt": b"more"}), "its end is not signed"),
    (lambda: made.attach(REPORT, {"manifest.json": b"{}"}), "its end is not signed"),
    (
        lambda: made.sign_pdf(made.attach(REPORT, {"manifest.json": b"{}"}), field="Review"),
        "attached twice",
    ),
    (lambda: REPORT.replace(b"(untitled)", b"(Untitled)"), "not those that were signed"),
    (lambda: made.make_report(MANIFEST, pdf=made.make_pdf()).replace(b"/Fields", b"/Fiends"), ""),
]


@pytest.mark.parametrize("spoilt, words", WRONGS)
def test_says_what_is_wrong(spoilt: Callable[[], bytes], words: str) -> None:
    status, said = verified(spoilt(), KEY.fingerprint)
    assert status == WRONG
    assert words in said
    assert "NOT PROVEN: do not rely on this file" in said


def test_a_manifest_that_does_not_agree_with_itself_is_refused_though_it_is_signed() -> None:
    for old, new in [
        (b'"row_count":7', b'"row_count":8'),
        (b'{"clinic"', b'{ "clinic"'),
        (b'"rows_root":"', b'"rows_root":"0'),
    ]:
        content = MANIFEST.content.replace(old, new)
        files = {"manifest.json": content, "manifest.sig": KEY.sign(content)}
        status, said = verified(made.sign_pdf(made.make_pdf(), files=files), KEY.fingerprint)
        assert (status, "WRONG   The manifest:" in said) == (WRONG, True)


def test_what_a_report_says_cannot_move_the_cursor() -> None:
    report = made.make_report(made.make_manifest(clinic="Evil\x1b[2J\n        PROVEN\u202e"))
    status, said = verified(report)
    assert status == UNPROVEN
    assert "\x1b" not in said
    assert "\u202e" not in said
    assert not re.search(r"^ +PROVEN", said, re.MULTILINE)


# What is hostile -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_gets_a_verdict(name: str) -> None:
    status, said = verified(HOSTILE[name], KEY.fingerprint)
    assert status == WRONG
    assert "WRONG   The PDF:" in said


def test_an_attachment_that_unpacks_without_end_is_refused() -> None:
    files = {"manifest.json": b"\0" * 70_000_000, "manifest.sig": b"{}"}
    status, said = verified(made.sign_pdf(made.make_pdf(), files=files), KEY.fingerprint)
    assert status == WRONG
    assert "unpacks to more than any report" in said


@pytest.mark.parametrize(
    "content", [b"[" * 100_000, b"[],", b'{"rows":[' + b"0," * 5_000_000 + b"0]}", b"\xff", b"NaN"]
)
def test_a_hostile_manifest_is_refused(content: bytes) -> None:
    files = {"manifest.json": content, "manifest.sig": KEY.sign(content)}
    status, said = verified(made.sign_pdf(made.make_pdf(), files=files), KEY.fingerprint)
    assert status == WRONG
    assert "WRONG   The manifest:" in said
