"""The manifest of a report: the same bytes for ever, and what is refused as none."""

import hashlib
import hmac
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from hypothesis import given
from hypothesis import strategies as st

from inventory.reports import manifest
from inventory.reports.manifest import Manifest, ManifestWriter

SALT = bytes(range(32))
FACTS: dict[str, Any] = {
    "format": "administrations/1",
    "report": "MAIN-7",
    "clinic": "Riverside Clinic",
    "kind": "administrations",
    "parameters_sha256": "0" * 64,
    "period": ["2026-03-01", "2026-03-31"],
    "filters": [["Practitioner", "all"]],
    "issued_at": "2026-04-01T08:00:00.000000Z",
    "issued_by": "Zo\u00eb",
    "columns": ["number", "patient"],
    "head_seq": 12,
    "head_hash": "ab" * 32,
    "demo": False,
}
ROWS = [("MAIN-000001", "Kowalska"), ("MAIN-000002", 'Zo\u00eb "Z" \\')]
CELLS = st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=12), max_size=6)
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def written(rows: list[Any], **choices: Any) -> Manifest:
    writer = ManifestWriter(FACTS, salt=SALT, **choices)
    for row in rows:
        writer.add(row)
    return writer.close()


def signature(content: bytes, key: rsa.RSAPrivateKey = KEY) -> bytes:
    return key.sign(content, padding.PKCS1v15(), hashes.SHA256())


def signed(content: bytes) -> bytes:
    numbers = KEY.public_key().public_numbers()
    return manifest.signed_manifest(content, signature(content), numbers.n, numbers.e)


def test_its_bytes_are_those_of_the_first_one_for_ever() -> None:
    made = written(ROWS)
    assert made.sha256 == "3fc9a8afe0213b7ac1610733e30b74e0e0670d272df848f8ce334e293a7752a6"
    assert made.content.startswith(
        b'{"clinic":"Riverside Clinic","columns":["number","patient"],"demo":false,'
    )
    assert b'"issued_by":"Zo\\u00eb"' in made.content


@given(st.lists(CELLS, max_size=5), st.booleans())
def test_it_is_what_its_definition_says(rows: list[list[str]], with_salt: bool) -> None:
    made = written(rows, with_salt=with_salt)
    told = json.loads(made.content)
    row_hashes = []
    for place, cells in enumerate(rows):
        row_salt = hmac.digest(SALT, place.to_bytes(8, "big"), "sha256")
        text = json.dumps(cells, separators=(",", ":"))
        row_hashes.append(hashlib.sha256(row_salt + text.encode()))
    assert told["rows"] == [one.hexdigest() for one in row_hashes]
    assert told["rows_root"] == hashlib.sha256(b"".join(one.digest() for one in row_hashes)).hexdigest()
    assert told == manifest.read_manifest(made.content)
    assert told["row_count"] == made.row_count == len(rows)
    assert made.content == json.dumps(told, sort_keys=True, separators=(",", ":")).encode()


def test_a_pseudonymised_one_keeps_its_salt_to_itself() -> None:
    made = written(ROWS, with_salt=False)
    assert "salt" not in manifest.read_manifest(made.content)
    assert SALT.hex().encode() not in made.content
    assert made.salt == SALT


def test_two_reports_of_the_same_rows_have_no_hash_in_common() -> None:
    first, second = ManifestWriter(FACTS), ManifestWriter(FACTS)
    for writer in (first, second):
        writer.add(ROWS[0])
        writer.add(ROWS[0])
    told = [json.loads(writer.close().content)["rows"] for writer in (first, second)]
    assert len({*told[0], *told[1]}) == 4


def test_refuses_facts_that_are_missing_or_its_own() -> None:
    with pytest.raises(ValueError, match="head_seq"):
        ManifestWriter({name: value for name, value in FACTS.items() if name != "head_seq"})
    with pytest.raises(ValueError, match="rows_root"):
        ManifestWriter({**FACTS, "rows_root": "0" * 64})
    with pytest.raises(ValueError, match="canonical form"):
        ManifestWriter({**FACTS, "head_seq": 1.5}, salt=SALT).close()
    with pytest.raises(ValueError, match="32 bytes"):
        ManifestWriter(FACTS, salt=b"short")


@pytest.mark.parametrize(
    "spoil",
    [
        lambda content: content.replace(b'"row_count":2', b'"row_count":3'),
        lambda content: content.replace(b'"row_count":2', b'"row_count":2.0'),
        lambda content: content.replace(b'"manifest":1', b'"manifest":true'),
        lambda content: content.replace(b'"manifest":1', b'"manifest":2'),
        lambda content: content.replace(b'"rows_root":"', b'"rows_root":"0'),
        lambda content: content.replace(b'"salt":"00', b'"salt":"0x'),
        lambda content: content.replace(b"{", b"{ "),
        lambda content: content + b"\n",
        lambda content: content.replace(b'"demo":false', b'"demo":false,"demo":false'),
        lambda content: content.replace(b'"demo":false,', b""),
        lambda _: b"[" * 100_000,
        lambda content: b"\xff" + content,
        lambda _: b"[]",
        lambda _: b"",
        lambda content: content.replace(b'"head_seq":12', b'"head_seq":' + b"9" * 5000),
    ],
)
def test_refuses_what_is_no_manifest(spoil: Any) -> None:
    content = written(ROWS).content
    assert spoil(content) != content
    with pytest.raises(ValueError):
        manifest.read_manifest(spoil(content))


def test_a_signature_is_read_back_and_holds_for_its_manifest_alone() -> None:
    content = written(ROWS).content
    found = manifest.read_signature(signed(content))
    assert found.signs(content)
    assert not found.signs(written(ROWS[:1]).content)


def test_the_fingerprint_is_that_of_the_keys_public_half() -> None:
    der = KEY.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    numbers = KEY.public_key().public_numbers()
    found = manifest.fingerprint(numbers.n, numbers.e)
    assert found == hashlib.sha256(der).hexdigest()
    assert manifest.in_groups(found).split(" ") == [found[at : at + 4] for at in range(0, 64, 4)]


def test_refuses_to_write_a_signature_of_another_key() -> None:
    content = written(ROWS).content
    numbers = KEY.public_key().public_numbers()
    with pytest.raises(ValueError, match="not over this manifest"):
        manifest.signed_manifest(content, signature(content, OTHER_KEY), numbers.n, numbers.e)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda told: {**told, "algorithm": "none"},
        lambda told: {**told, "key_sha256": "0" * 64},
        lambda told: {**told, "e": "65537"},
        lambda told: {**told, "e": 3},
        lambda told: {**told, "n": "00" + told["n"]},
        lambda told: {**told, "n": told["n"].upper()},
        lambda told: {**told, "signature": ""},
        lambda told: {**told, "more": 1},
        lambda told: {"algorithm": told["algorithm"]},
    ],
)
def test_refuses_what_is_no_signature(spoil: Any) -> None:
    told = json.loads(signed(written(ROWS).content))
    with pytest.raises(ValueError):
        manifest.read_signature(manifest.canonical(spoil(told)).encode())


def test_compares_the_whole_padding() -> None:
    """A key with the exponent 3 lets a signature be made up whose padding only begins rightly."""
    n = (1 << 3071) + 1
    digest_info = bytes.fromhex("3031300d060960864801650304020105000420") + hashlib.sha256(b"x").digest()
    begun = b"\0\1" + b"\xff" * 8 + b"\0" + digest_info
    wanted = int.from_bytes(begun.ljust(384, b"\xff"), "big")
    root = 1 << (wanted.bit_length() // 3 + 1)
    while root**3 > wanted:
        root = (2 * root + wanted // root**2) // 3
    assert pow(root, 3, n).to_bytes(384, "big").startswith(begun)
    assert not manifest.verifies(b"x", root.to_bytes(384, "big"), n=n, e=3)


@pytest.mark.parametrize(
    "n, e", [(0, 3), (15, 3), ((1 << 2047) + 1, 1), ((1 << 2047) + 1, 2), (1 << 2047, 3)]
)
def test_refuses_a_key_that_is_none(n: int, e: int) -> None:
    assert not manifest.verifies(b"x", b"\0" * 256, n=n, e=e)
    assert not manifest.verifies(b"x", b"\0" * 255 + b"\1", n=n, e=e)
