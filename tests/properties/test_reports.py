"""No report that was tampered with is called proven or well, and no file whatever makes a verifier fall over.

The verifiers are tried from both sides: what a vandal does to the bytes, and what a forger does who can make PDFs, manifests and
signatures of his own but has not the clinic's key.
"""

import logging
import re
from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from inventory.reports import manifest
from inventory.reports.verification import pdf
from inventory.reports.verification.reading import Reading, reading_of
from inventory.reports.verification.rows import difference
from tests.factories import signed_reports as made
from tests.properties.effort import effort
from tests.support.verify_script import PROVEN, verified

# What pyHanko says of a spoilt file is a stack trace each.
logging.getLogger("pyhanko").setLevel(logging.CRITICAL)
KEY = made.make_key()
FORGER = made.make_key("Forger")
MANIFEST = made.make_manifest()
REPORT = made.make_report(MANIFEST)
REVIEWED = made.sign_pdf(REPORT, field="Review")
ANOTHER = made.make_report(made.make_manifest(made.ROWS[:3], report="MAIN-8"), pdf=made.make_pdf("Another"))
PACKED = made.make_report(MANIFEST, pdf=made.make_packed_pdf())
GENUINE = (REPORT, REVIEWED, ANOTHER, PACKED)

Spoil = Callable[[bytes], bytes]
PLACES = st.integers(0, 2**20)


def _flip(place: int, bit: int) -> Spoil:
    def spoil(data: bytes) -> bytes:
        at = place % len(data)
        return data[:at] + bytes((data[at] ^ (1 << bit),)) + data[at + 1 :]

    return spoil


def _cut(place: int, length: int) -> Spoil:
    def spoil(data: bytes) -> bytes:
        at = place % len(data)
        return data[:at] + data[at + length :]

    return spoil


def _put(place: int, more: bytes) -> Spoil:
    def spoil(data: bytes) -> bytes:
        at = place % (len(data) + 1)
        return data[:at] + more + data[at:]

    return spoil


def _splice(place: int, other: bytes, length: int) -> Spoil:
    """Put bytes of another report over those at the same place."""

    def spoil(data: bytes) -> bytes:
        at = place % len(data)
        return data[:at] + other[at : at + length] + data[at + length :]

    return spoil


def _swap_objects(first: int, second: int) -> Spoil:
    def spoil(data: bytes) -> bytes:
        parts = data.split(b"endobj")
        one, two = first % len(parts), second % len(parts)
        parts[one], parts[two] = parts[two], parts[one]
        return b"endobj".join(parts)

    return spoil


def _exchange_words(old: bytes, new: bytes) -> Spoil:
    return lambda data: data.replace(old, new)


WORDS = st.sampled_from(
    (
        b"/ByteRange",
        b"/Contents",
        b"/Sig",
        b"/V",
        b"/Fields",
        b"/Prev",
        b"/Root",
        b"manifest",
        b"/FlateDecode",
        b"startxref",
        b" 0 R",
        b"/EmbeddedFiles",
        b"/Length",
        b"%%EOF",
    )
)
SPOILT: st.SearchStrategy[Spoil] = st.one_of(
    st.builds(_flip, PLACES, st.integers(0, 7)),
    st.builds(_cut, PLACES, st.integers(1, 3_000)),
    st.builds(_put, PLACES, st.binary(min_size=1, max_size=40)),
    st.builds(_splice, PLACES, st.sampled_from(GENUINE), st.integers(1, 5_000)),
    st.builds(_swap_objects, st.integers(0, 60), st.integers(0, 60)),
    st.builds(_exchange_words, WORDS, WORDS),
)


def judged(data: bytes) -> None:
    """Hold that the answer is `proven` for what the clinic issued, and for nothing else."""
    status, said = verified(data, KEY.fingerprint)
    assert (status == PROVEN) == (data in GENUINE), said


@effort(400, 1)
@given(st.sampled_from(GENUINE), st.lists(SPOILT, min_size=1, max_size=3))
def test_a_report_that_was_tampered_with_is_not_proven(report: bytes, spoils: list[Spoil]) -> None:
    for spoil in spoils:
        report = spoil(report)
    judged(report)


@effort(20, 1)
@given(st.data())
def test_what_a_forger_makes_is_not_proven(data: st.DataObject) -> None:
    """He has every report that was issued, their manifests and signatures, PDFs and a key of his own."""
    forged = data.draw(st.sampled_from((*GENUINE, made.make_pdf("Forged"))))
    contents = st.sampled_from((MANIFEST.content, made.make_manifest().content, b"{}"))
    told = data.draw(contents)
    signed = data.draw(st.sampled_from((KEY.sign(MANIFEST.content), FORGER.sign(told))))
    files = {manifest.CONTENT_NAME: told, manifest.SIGNATURE_NAME: signed}
    for step in range(data.draw(st.integers(1, 3))):
        act = data.draw(st.sampled_from(("attach", "exchange", "sign")))
        if act == "attach":
            forged = made.attach(forged, files)
        elif act == "exchange" and b"/EmbeddedFiles" in forged:
            forged = made.exchange(forged, files)
        else:
            forged = made.sign_pdf(forged, FORGER, field=f"Forged {step}")
    judged(forged)


def read_here(data: bytes) -> Reading | None:
    """Read a PDF as the clinic's verification does, within this process; None where anything of it is doubted."""
    try:
        found = pdf.read(data)
    except Exception:  # noqa: BLE001 - whatever it is, the child says it and ends
        return None
    reading = reading_of(found)
    try:
        return reading if reading.signatures and not reading.doubts and reading.told else None
    except ValueError:
        return None


def signed_part(data: bytes) -> bytes:
    """Everything but what stands in the signatures' own containers."""
    return re.sub(rb"/Contents <[0-9A-Fa-f]*>", b"/Contents <>", data)


def test_what_the_clinic_issued_is_read_without_a_doubt() -> None:
    assert [one for one in GENUINE if read_here(one) is None] == []
    assert [verified(one, KEY.fingerprint)[0] for one in GENUINE] == [PROVEN] * len(GENUINE)


@effort(150, 1)
@given(st.sampled_from(GENUINE), st.lists(SPOILT, min_size=1, max_size=2))
def test_no_signature_is_called_well_over_bytes_that_were_changed(report: bytes, spoils: list[Spoil]) -> None:
    for spoil in spoils:
        report = spoil(report)
    reading = read_here(report)
    if reading is not None and {one.key for one in reading.signatures} == {KEY.fingerprint}:
        assert signed_part(report) in map(signed_part, GENUINE)


@effort(10, 1)
@given(st.sampled_from(GENUINE), st.sampled_from(("attach", "exchange", "sign", "attach and sign")))
def test_whatever_is_added_is_called_a_doubt_or_a_strangers(report: bytes, act: str) -> None:
    more = {"attach": made.attach, "exchange": made.exchange}.get(act.split(maxsplit=1)[0])
    forged = more(report, {"more.txt": b"more"}) if more else report
    forged = made.sign_pdf(forged, FORGER, field="Forged") if "sign" in act else forged
    reading = read_here(forged)
    assert reading is None or FORGER.fingerprint in {one.key for one in reading.signatures}
    assert reading is None or act == "sign"


@effort(300, 1)
@given(
    st.binary(max_size=200)
    | st.binary(max_size=200).map(lambda tail: b"%PDF-1.7\n" + tail + b"\nstartxref\n9\n%%EOF\n")
)
def test_no_bytes_whatever_make_it_fall_over(data: bytes) -> None:
    judged(data)


@effort(25, 1)
@given(st.lists(SPOILT, min_size=1, max_size=2))
def test_a_manifest_that_was_tampered_with_is_not_read_as_the_signed_one(spoils: list[Spoil]) -> None:
    content = MANIFEST.content
    for spoil in spoils:
        content = spoil(content)
    if content == MANIFEST.content:
        return
    assert not manifest.read_signature(KEY.sign(MANIFEST.content)).signs(content)
    files = {manifest.CONTENT_NAME: content, manifest.SIGNATURE_NAME: KEY.sign(MANIFEST.content)}
    # Even where the clinic's own key signed the PDF around it.
    status, said = verified(made.sign_pdf(made.make_pdf(), files=files), KEY.fingerprint)
    assert status != PROVEN, said


@given(
    st.lists(st.lists(st.text(max_size=5), min_size=1, max_size=3).map(tuple), min_size=1, max_size=4),
    st.data(),
)
def test_rows_that_are_not_those_issued_are_named(rows: list[tuple[str, ...]], data: st.DataObject) -> None:
    told = manifest.read_manifest(made.make_manifest(rows).content)
    hasher = manifest.RowHasher(bytes.fromhex(told["salt"]))
    place = data.draw(st.integers(0, len(rows) - 1))
    other = tuple(data.draw(st.lists(st.text(max_size=5), max_size=3)))
    same = hasher.row_hash(place, other).hex() == told["rows"][place]
    assert same == (other == rows[place])


NAMED_ROWS = st.lists(st.tuples(st.sampled_from("ABC"), st.sampled_from("xy")), max_size=5)


@effort(300, 1)
@given(NAMED_ROWS, NAMED_ROWS, st.booleans())
def test_the_record_is_well_only_where_it_has_the_same_rows_in_the_same_order(
    printed: list[tuple[str, ...]], now: list[tuple[str, ...]], has_csv: bool
) -> None:
    told = manifest.read_manifest(made.make_manifest(printed).content)
    found = difference(
        hashes=told["rows"],
        salt=bytes.fromhex(told["salt"]),
        columns=("name", "value"),
        printed=lambda: iter(printed if has_csv else ()),
        now=lambda: iter(now),
    )
    assert (found is None) == (printed == now)
    if found is not None and has_csv:
        assert found.has_names == (sorted(printed) != sorted(now) or _in_other_places(printed, now))


def _in_other_places(printed: list[tuple[str, ...]], now: list[tuple[str, ...]]) -> bool:
    """Whether namesakes changed places: then each is as the other was."""
    names = {row[0] for row in printed}
    return any(
        [row for row in printed if row[0] == name] != [row for row in now if row[0] == name] for name in names
    )
