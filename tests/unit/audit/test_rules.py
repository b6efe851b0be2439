"""How the trail is hashed, and how it is worded."""

import json
from datetime import UTC, date, datetime, timedelta, timezone
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.audit import presenters, rules
from inventory.audit.acts import row_key

VALUES = st.one_of(
    st.integers(), st.booleans(), st.text(), st.uuids(), st.dates(), st.datetimes(timezones=st.just(UTC))
)
ROWS = st.dictionaries(st.text("abc_", min_size=1), VALUES, max_size=6)


@given(ROWS, st.text("xyz", min_size=1))
def test_a_column_that_is_added_empty_changes_no_digest(row: dict[str, object], column: str) -> None:
    assert rules.row_digest(row | {column: None}) == rules.row_digest(row)
    assert rules.row_digest(row | {column: 0}) != rules.row_digest(row)


@given(ROWS)
def test_the_order_of_columns_does_not_count(row: dict[str, object]) -> None:
    assert rules.canonical(dict(reversed(row.items()))) == rules.canonical(row)
    assert rules.canonical(row).isascii()


def test_values_have_one_form() -> None:
    noon = datetime(2026, 3, 16, 13, tzinfo=timezone(timedelta(hours=1)))
    said = json.loads(rules.canonical([UUID(int=7), noon, date(2026, 3, 16), b"x"]))
    assert said[:3] == ["0" * 31 + "7", "2026-03-16T12:00:00.000000Z", "2026-03-16"]
    assert len(said[3]) == 64
    with pytest.raises(TypeError):
        rules.canonical(1j)


def test_a_link_hangs_on_everything_before_it() -> None:
    zeros, digest = "0" * 64, "ab" * 32
    linked = rules.link_hash(zeros, 1, digest)
    assert len({linked, rules.link_hash(zeros, 2, digest), rules.link_hash(digest, 1, digest)}) == 3
    assert rules.link_hash(zeros, 1, zeros) != linked


def test_a_key_names_a_row() -> None:
    assert row_key((UUID(int=1), "pdf")) == "0" * 31 + "1/pdf"


def test_facts_are_read_in_the_words_of_the_clinic(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presenters, "local_time", lambda instant: f"{instant:%H:%M}")
    facts = {
        "volume_ul": 500,
        "dose_ng": 1_000_000,
        "expires_on": "2027-08-31",
        "given_at": "2026-03-16T09:30:00.000000Z",
        "sources": [{"lot_number": "A1", "volume_ul": 500}],
        "is_late": False,
        "note": "",
        "before": {"phone": "1"},
        "after": {"phone": "2", "email": "x"},
    }
    assert dict(presenters.other_facts(facts)) == {
        "Volume": "0.5 mL",
        "Dose": "1,000 mcg",
        "Expires on": "31 Aug 2027",
        "Given at": "09:30",
        "Sources": "lot number A1, volume 0.5 mL",
        "Is late": "No",
        "Note": "—",
    }
    assert presenters.changes(facts) == [("Phone", "1", "2"), ("Email", None, "x")]
    assert presenters.changes({"before": "damaged", "after": None}) == []
    assert presenters.action_words("patients.add-alert") == "Patients: add alert"
