"""What a report says in a form that can be checked without the clinic: its manifest, and how that is signed. Pure.

A manifest is one object of canonical JSON (`docs/verification.md`): the facts of the report, the head of the chain, and a
salted hash of each of its rows. It is attached to the PDF as `manifest.json`, beside it `manifest.sig` with its RSA signature.
Nothing but Python's standard library is needed here, and `docs/verify.py` reads the same bytes by code of its own.
"""

import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from json.encoder import encode_basestring_ascii
from typing import Any

VERSION = 1
CONTENT_NAME = "manifest.json"
SIGNATURE_NAME = "manifest.sig"
ALGORITHM = "RSASSA-PKCS1-v1_5 SHA-256"
MOST_BYTES = 64 * 1024 * 1024
"""No manifest is longer: enough for nearly a million rows."""

FACTS = frozenset(
    (
        "format",
        "report",
        "clinic",
        "kind",
        "parameters_sha256",
        "period",
        "filters",
        "issued_at",
        "issued_by",
        "columns",
        "head_seq",
        "head_hash",
        "demo",
    )
)
"""What every manifest tells beside its rows. It may tell more."""

_OURS = frozenset(("manifest", "row_count", "rows", "rows_root", "salt"))
_MOST_SIGNATURE_BYTES = 64 * 1024
_MOST_PARTS = 10_000
_BYTES_OF_A_ROW = 67
_SALT_BYTES = 32
_HASH_BYTES = 32
_BLOCK = 64
_HEX_HASH = re.compile(r"[0-9a-f]{64}")
_HEX = re.compile(r"(?:[0-9a-f]{2})+")


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest that is written: its bytes, their SHA-256 and the salt, which `content` leaves out when pseudonymised."""

    content: bytes
    sha256: str
    salt: bytes
    row_count: int


class ManifestWriter:
    """Takes the rows of a report one by one and keeps 32 bytes of each.

    `facts` are the values of `FACTS` by name, plain enough for JSON without fractions. Without `with_salt` the manifest
    keeps its salt to itself, so that nobody can try a name against a row's hash.
    """

    def __init__(
        self, facts: Mapping[str, Any], *, salt: bytes | None = None, with_salt: bool = True
    ) -> None:
        missing, taken = FACTS.difference(facts), _OURS.intersection(facts)
        if missing or taken:
            raise ValueError(
                f"a manifest lacks {sorted(missing)}, or is told what it says itself: {sorted(taken)}"
            )
        self._facts = dict(facts)
        self._hasher = RowHasher(secrets.token_bytes(_SALT_BYTES) if salt is None else salt)
        self._with_salt = with_salt
        self._hashes = bytearray()
        self._count = 0

    def add(self, cells: Sequence[str]) -> None:
        """Take the next row: its cells as the CSV has them."""
        self._hashes += self._hasher.row_hash(self._count, cells)
        self._count += 1

    def close(self) -> Manifest:
        """Return the manifest of the rows so far."""
        salt = self._hasher.salt
        told = {
            **self._facts,
            "manifest": VERSION,
            "row_count": self._count,
            "rows_root": hashlib.sha256(self._hashes).hexdigest(),
            **({"salt": salt.hex()} if self._with_salt else {}),
        }
        parts = {name: canonical(value) for name, value in told.items()}
        # The hashes are written at one stroke: as a list of strings they would take twice the memory and ten times the time.
        parts["rows"] = f"[{_quoted(self._hashes)}]"
        content = f"{{{','.join(f'{canonical(name)}:{parts[name]}' for name in sorted(parts))}}}".encode(
            "ascii"
        )
        return Manifest(content, hashlib.sha256(content).hexdigest(), salt, self._count)


class RowHasher:
    """Makes the hash of a row: SHA-256 of its own salt and the canonical JSON of its cells.

    A row's own salt is HMAC-SHA256 of its place (8 bytes, from 0) under the report's salt: one row can be shown to somebody
    without the others.
    """

    def __init__(self, salt: bytes) -> None:
        if len(salt) != _SALT_BYTES:
            raise ValueError(f"a salt has {_SALT_BYTES} bytes")
        self.salt = salt
        # HMAC by its definition: a prepared hash that is copied takes a third of the time of `hmac.digest`.
        key = salt.ljust(_BLOCK, b"\0")
        self._inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in key))
        self._outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in key))

    def row_salt(self, place: int) -> bytes:
        """Return the salt of the row at `place`, counted from 0."""
        inner = self._inner.copy()
        inner.update(place.to_bytes(8, "big"))
        outer = self._outer.copy()
        outer.update(inner.digest())
        return outer.digest()

    def row_hash(self, place: int, cells: Sequence[str]) -> bytes:
        """Return the hash of the row at `place`."""
        return hashlib.sha256(self.row_salt(place) + canonical_cells(cells).encode("ascii")).digest()


def canonical(value: Any) -> str:
    """Return canonical JSON: sorted keys, no blanks, ASCII, and no number with a fraction (ValueError)."""
    return _ENCODER.encode(_without_fractions(value))


def canonical_cells(cells: Sequence[str]) -> str:
    """Return the canonical JSON of a row's cells. Nearly every row needs no escape, and is only joined."""
    joined = '","'.join(cells)
    is_plain = joined.isascii() and joined.isprintable() and "\\" not in joined
    if is_plain and cells and joined.count('"') == 2 * len(cells) - 2:
        return f'["{joined}"]'
    return f"[{','.join(map(encode_basestring_ascii, cells))}]"


@dataclass(frozen=True, slots=True)
class SignedManifest:
    """What `manifest.sig` says: which RSA key signed, and the signature."""

    n: int
    e: int
    signature: bytes
    key_sha256: str

    def signs(self, content: bytes) -> bool:
        """Tell whether the signature is over `content`, by the key it names (not whose key that is)."""
        return verifies(content, self.signature, n=self.n, e=self.e)


def signed_manifest(content: bytes, signature: bytes, n: int, e: int) -> bytes:
    """Return the bytes of `manifest.sig`. Raises ValueError for a signature that is not over `content` by this key."""
    if not verifies(content, signature, n=n, e=e):
        raise ValueError("the signature is not over this manifest")
    size = _size(n)
    told = {
        "algorithm": ALGORITHM,
        "e": e,
        "key_sha256": fingerprint(n, e),
        "n": n.to_bytes(size, "big").hex(),
        "signature": signature.hex(),
    }
    return canonical(told).encode("ascii")


def read_signature(signed: bytes) -> SignedManifest:
    """Return what the bytes of a `manifest.sig` say. Raises ValueError when they are not canonical, or contradict themselves."""
    told = read_canonical(signed, most=_MOST_SIGNATURE_BYTES)
    if set(told) != {"algorithm", "e", "key_sha256", "n", "signature"} or told["algorithm"] != ALGORITHM:
        raise ValueError("it is no signature of the kind that is known")
    if not (_is_hex(told["n"]) and _is_hex(told["signature"]) and type(told["e"]) is int):
        raise ValueError("key or signature are no numbers")
    found = SignedManifest(
        int(told["n"], 16), told["e"], bytes.fromhex(told["signature"]), told["key_sha256"]
    )
    if told["n"].startswith("00") or found.key_sha256 != fingerprint(found.n, found.e):
        raise ValueError("the fingerprint is not that of the key")
    return found


def read_manifest(content: bytes) -> dict[str, Any]:
    """Return what a manifest says. Raises ValueError unless it is canonical, complete and agrees with itself."""
    told = read_canonical(content)
    lacking = FACTS.union(_OURS).difference(told) - {"salt"}
    if lacking or told["manifest"] != VERSION or type(told["manifest"]) is not int:
        raise ValueError(f"it is no manifest of version {VERSION}")
    rows = told["rows"]
    if not (
        isinstance(rows, list) and all(isinstance(row, str) and _HEX_HASH.fullmatch(row) for row in rows)
    ):
        raise ValueError("its rows are no hashes")
    if type(told["row_count"]) is not int or told["row_count"] != len(rows):
        raise ValueError("it counts other rows than it has")
    if told["rows_root"] != hashlib.sha256(bytes.fromhex("".join(rows))).hexdigest():
        raise ValueError("its root is not that of its rows")
    if "salt" in told and not (isinstance(told["salt"], str) and _HEX_HASH.fullmatch(told["salt"])):
        raise ValueError("its salt is none")
    return told


def read_canonical(content: bytes, *, most: int = MOST_BYTES) -> dict[str, Any]:
    """Return the object that canonical JSON holds. Raises ValueError where it is anything else."""
    # More brackets and commas than rows would be made to fill the memory.
    brackets, commas = content.count(b"[") + content.count(b"{"), content.count(b",")
    if (
        len(content) > most
        or brackets > _MOST_PARTS
        or commas > _MOST_PARTS + len(content) // _BYTES_OF_A_ROW
    ):
        raise ValueError("it is too long, or has too many parts")
    try:
        told = json.loads(content.decode("ascii"), parse_float=_refuse, parse_constant=_refuse)
        is_canonical = isinstance(told, dict) and canonical(told).encode("ascii") == content
    except RecursionError:
        is_canonical = False
    if not is_canonical:
        raise ValueError("it is not canonical JSON")
    return dict(told)


def verifies(content: bytes, signature: bytes, *, n: int, e: int) -> bool:
    """Tell whether `signature` is RSA PKCS#1 v1.5 with SHA-256 over `content`: the whole padding is compared."""
    size = _size(n)
    if not (2048 <= n.bit_length() <= 8192 and n % 2 and 3 <= e < 2**32 and e % 2 and len(signature) == size):
        return False
    number = int.from_bytes(signature, "big")
    if number >= n:
        return False
    digest_info = _SHA256_INFO + hashlib.sha256(content).digest()
    expected = b"\0\1" + b"\xff" * (size - len(digest_info) - 3) + b"\0" + digest_info
    return hmac.compare_digest(pow(number, e, n).to_bytes(size, "big"), expected)


def fingerprint(n: int, e: int) -> str:
    """Return the fingerprint of an RSA key: SHA-256 of its DER SubjectPublicKeyInfo, as 64 lower-case hexadecimal digits."""
    key = _der(0x30, _der_integer(n) + _der_integer(e))
    return hashlib.sha256(_der(0x30, _RSA_ENCRYPTION + _der(0x03, b"\0" + key))).hexdigest()


def in_groups(digits: str) -> str:
    """Return a fingerprint as it is shown: in groups of four."""
    return " ".join(digits[start : start + 4] for start in range(0, len(digits), 4))


_SHA256_INFO = bytes.fromhex("3031300d060960864801650304020105000420")
_RSA_ENCRYPTION = bytes.fromhex("300d06092a864886f70d0101010500")


def _der(tag: int, content: bytes) -> bytes:
    if len(content) < 0x80:
        return bytes((tag, len(content))) + content
    length = len(content).to_bytes((len(content).bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content


def _der_integer(number: int) -> bytes:
    return _der(0x02, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def _size(n: int) -> int:
    return (n.bit_length() + 7) // 8


def _quoted(hashes: bytearray) -> str:
    return '"' + hashes.hex(",", _HASH_BYTES).replace(",", '","') + '"' if hashes else ""


def _is_hex(value: Any) -> bool:
    return isinstance(value, str) and _HEX.fullmatch(value) is not None


def _refuse(number: str) -> Any:
    raise ValueError(f"{number} has no canonical form")


def _without_fractions(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_fractions(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_fractions(one) for one in value]
    return _refuse(str(value)) if isinstance(value, float) else value


_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"))
