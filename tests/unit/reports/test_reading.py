"""The one door for foreign files: whatever a file does to its reader, the answer is a reason in words."""

import logging

import pytest

from inventory.reports.verification import reading
from inventory.reports.verification.reading import Unreadable, read_signed
from tests.factories import signed_reports as made
from tests.support.hostile_pdfs import HOSTILE

REPORT = made.make_report()


def test_a_report_is_read_in_a_process_of_its_own() -> None:
    found = read_signed(REPORT)
    assert found.doubts == ()
    assert found.told["report"] == "MAIN-7"
    assert [one.key for one in found.signatures] == [made.make_key().fingerprint]
    assert found.signatures[0].end == len(REPORT)


def test_a_file_that_is_read_without_end_is_given_up(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(reading, "PATIENCE", 1)
    monkeypatch.setattr(reading, "_CHILD", "import time; time.sleep(60)")
    with caplog.at_level(logging.WARNING), pytest.raises(Unreadable, match="longer than 1 seconds"):
        read_signed(REPORT)
    assert "within 1 seconds" in caplog.text


def test_a_file_that_ends_its_reader_is_refused(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(reading, "_CHILD", "import sys; sys.stdin.buffer.read(); sys.exit('out of memory')")
    with caplog.at_level(logging.WARNING), pytest.raises(Unreadable, match="more time or memory"):
        read_signed(REPORT)
    assert "out of memory" in caplog.text


def test_a_file_larger_than_any_report_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_BYTES", len(REPORT) - 1)
    with pytest.raises(Unreadable, match="larger than any report"):
        read_signed(REPORT)


@pytest.mark.parametrize(
    "name", ["nested", "refers in a circle", "bomb in the cross-reference", "place that is nowhere"]
)
def test_a_hostile_file_is_refused_with_a_reason(name: str) -> None:
    with pytest.raises(Unreadable, match="damaged, or not made as reports are"):
        read_signed(HOSTILE[name])
