"""No report that was tampered with is called proven or well, and no file whatever makes a verifier fall over.

The verifiers are tried from both sides: what a vandal does to the bytes, and what a forger does who can make PDFs, manifests and
signatures of his own but has not the clinic's key.
"""

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from inventory.reports import manifest
from tests.factories import signed_reports as made
from tests.properties.effort import effort
from tests.support.verify_script import PROVEN, verified

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
