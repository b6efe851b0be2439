#!/usr/bin/env python3
"""Checks a report of the clinic without the clinic: one file, nothing but Python's standard library (3.9 or later).

    python verify.py REPORT.pdf [--key FINGERPRINT] [--csv ROWS.csv]

It reads the PDF's bytes, the manifest attached to it and both their signatures. FINGERPRINT is that of the clinic's key, which you
must have from the clinic by another way than the report; give --key again for each key you know. What it proves and what only
the clinic's own record can show is told in docs/verification.md.

Exit status: 0 proven; 1 something is wrong, or it cannot be checked; 2 consistent, author unproven.
"""
# ruff: noqa: B905  (the older Pythons that auditors have know no strict zip)

from __future__ import annotations

import argparse
import csv
import hashlib
import hmac
import io
import json
import re
import sys
import zlib
from heapq import nlargest
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_FILE = 128 * 1024 * 1024
MOST_MANIFEST = 64 * 1024 * 1024
MOST_REVISIONS = 16
DEEPEST = 24
SHOWN = 10


class Wrong(Exception):
    """What keeps the file from being what it says. Its text finishes a line of the answer."""


class Effort:
    """What one check may cost, however the file is made: it ends in seconds, and in a gigabyte."""

    def __init__(self) -> None:
        self.left = {"steps": 2_000_000, "unpacked": 512 * 1024 * 1024, "hashed": 2 * 1024 * 1024 * 1024}

    def spend(self, what: str, amount: int = 1) -> None:
        """Count `amount` against what is left. Raises Wrong when it is used up."""
        self.left[what] -= amount
        if self.left[what] < 0:
            raise Wrong("the PDF takes more work than any report")


# ------------------------------------------------------------------------------------------------- the PDF


class Name(str):
    """A PDF name, without its slash."""

    __slots__ = ()


class Ref(NamedTuple):
    """A reference to an object."""

    number: int
    generation: int


class Stream(NamedTuple):
    """A stream: its dictionary, and where its bytes begin."""

    told: dict[str, Any]
    start: int


# Whatever repeats here is bounded: places that overlap would else be read again and again.
_BLANK = rb"(?:[\0\t\n\f\r ]|%[^\r\n]{0,1000}[\r\n]){0,4096}"
_SPACE = re.compile(_BLANK)
_TOKEN = re.compile(
    rb"(?P<ref>(\d{1,10})[\0\t\n\f\r ]+(\d{1,5})[\0\t\n\f\r ]+R(?![^\0\t\n\f\r ()<>\[\]{}/%]))"
    rb"|(?P<number>[+-]?(?:\d{1,20}\.?\d{0,20}|\.\d{1,20}))"
    rb"|(?P<name>/[^\0\t\n\f\r ()<>\[\]{}/%]{0,256})"
    rb"|(?P<hex><[0-9A-Fa-f\0\t\n\f\r ]{0,262144}>)"
    rb"|(?P<mark><<|>>|\[|\]|\()"
    rb"|(?P<word>true|false|null)"
)
_OBJECT = re.compile(rb"(\d{1,10})[\0\t\n\f\r ]+(\d{1,5})[\0\t\n\f\r ]+obj(?![A-Za-z])")
_STREAM = re.compile(_BLANK + rb"stream(\r\n|\n)")
_END_STREAM = re.compile(_BLANK + rb"endstream")
_TEXT_PART = re.compile(rb"[^()\\]{0,65536}")
_BYTE_RANGE = re.compile(rb"/ByteRange *\[ *0 +\d{1,10} +(\d{1,10}) +(\d{1,10}) *\]")
_START = re.compile(
    rb"startxref[\t ]*(?:\r\n|\n|\r)[\t ]*(\d{1,12})[\t ]*(?:\r\n|\n|\r)%%EOF(?:\r\n|\n|\r)?\Z"
)
_SECTION = re.compile(rb"(\d{1,10}) (\d{1,10})[\t ]*(?:\r\n|\n|\r)")
_ENTRY = re.compile(rb"(\d{10}) (\d{5}) ([nf])(?: \r| \n|\r\n)")


class Parser:
    """Reads PDF values from bytes."""

    def __init__(self, data: bytes, effort: Effort) -> None:
        self.data = data
        self.effort = effort
        self.at = 0

    def value(self, at: int, depth: int = 0) -> Any:
        """Return the value at a place; `self.at` then stands behind it."""
        self.effort.spend("steps")
        found = _TOKEN.match(self.data, self.skip(at))
        if found is None or depth > DEEPEST:
            raise Wrong("the PDF cannot be read")
        self.at = found.end()
        kind, text = found.lastgroup, found.group()
        if kind == "mark":
            return self._compound(text, depth)
        return _plain(kind, text, found)

    def skip(self, at: int) -> int:
        """Return the place behind blanks and comments."""
        blank = _SPACE.match(self.data, at)
        return blank.end() if blank else at

    def _compound(self, mark: bytes, depth: int) -> Any:
        if mark == b"(":
            return self._text()
        if mark == b"[":
            return list(self._until(b"]", depth))
        if mark == b"<<":
            return _dictionary(list(self._until(b">>", depth)))
        raise Wrong("the PDF cannot be read")

    def _until(self, end: bytes, depth: int) -> Iterator[Any]:
        self.at = self.skip(self.at)
        while not self.data.startswith(end, self.at):
            yield self.value(self.at, depth + 1)
            self.at = self.skip(self.at)
        self.at += len(end)

    def _text(self) -> bytes:
        depth, at = 1, self.at
        while depth:
            self.effort.spend("steps")
            part = _TEXT_PART.match(self.data, at)
            at = part.end() if part else at
            char = self.data[at : at + 1]
            if not char or at - self.at > 65536:
                raise Wrong("the PDF cannot be read")
            depth += {b"(": 1, b")": -1}.get(char, 0)
            at += 2 if char == b"\\" else 1
        text, self.at = self.data[self.at : at - 1], at
        return _unescaped(text)


def _plain(kind: str | None, text: bytes, found: Any) -> Any:
    if kind == "ref":
        return Ref(int(found.group(2)), int(found.group(3)))
    if kind == "number":
        return _number(text)
    if kind == "name":
        spelt = re.sub(rb"#([0-9A-Fa-f]{2})", lambda code: bytes.fromhex(code.group(1).decode()), text[1:])
        return Name(spelt.decode("latin-1"))
    if kind == "hex":
        digits = re.sub(rb"[^0-9A-Fa-f]", b"", text).decode()
        return bytes.fromhex(digits + "0" * (len(digits) % 2))
    return {b"true": True, b"false": False, b"null": None}[text]


def _number(text: bytes) -> Any:
    return float(text) if b"." in text else int(text)


def _dictionary(items: list[Any]) -> dict[str, Any]:
    keys = items[0::2]
    if len(items) % 2 or not all(isinstance(key, Name) for key in keys) or len(set(keys)) != len(keys):
        raise Wrong("a dictionary of the PDF is ambiguous")
    return {str(key): value for key, value in zip(keys, items[1::2])}


_ESCAPES = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}


def _unescaped(text: bytes) -> bytes:
    def one(found: Any) -> bytes:
        code = found.group(1)
        if code[:1].isdigit():
            return bytes((int(code, 8) & 255,))
        return b"" if code in (b"\n", b"\r", b"\r\n") else _ESCAPES.get(code, code)

    return re.sub(rb"\\([0-7]{1,3}|\r\n|[\s\S])", one, text)


class Pdf:
    """The objects of a PDF as its newest cross-reference has them. Strict: what is doubtful is refused, not guessed."""

    def __init__(self, data: bytes, effort: Effort) -> None:
        self.data = data
        self.effort = effort
        self.parser = Parser(data, effort)
        self.places: dict[int, tuple[int, int, int]] = {}
        self.trailer: dict[str, Any] = {}
        self.opening: list[int] = []
        self.packed: dict[int, dict[int, Any]] = {}
        if not data.startswith(b"%PDF-"):
            raise Wrong("it is not a PDF")
        start = _START.search(data, max(0, len(data) - 100))
        if start is None:
            raise Wrong("the PDF has no proper end: it was cut, or something stands behind it")
        self._read_sections(int(start.group(1)))
        if "Encrypt" in self.trailer:
            raise Wrong("the PDF is encrypted")

    def resolve(self, value: Any) -> Any:
        """Return what a value is, or what it refers to."""
        for _ in range(DEEPEST):
            if not isinstance(value, Ref):
                return value
            value = self._object(value)
        raise Wrong("the PDF refers to itself")

    def dictionary(self, value: Any) -> dict[str, Any]:
        """Return the dictionary that a value is or refers to."""
        found = self.resolve(value)
        if not isinstance(found, dict):
            raise Wrong("the PDF lacks what every report has")
        return found

    def array(self, value: Any) -> list[Any]:
        """Return the array that a value is or refers to."""
        found = self.resolve(value)
        if not isinstance(found, list):
            raise Wrong("the PDF lacks what every report has")
        return found

    def content(self, value: Any) -> bytes:
        """Return the bytes of a stream, unpacked."""
        stream = self.resolve(value)
        if not isinstance(stream, Stream):
            raise Wrong("an attachment is none")
        return self._unpack(stream)

    def _read_sections(self, start: int) -> None:
        seen = 0
        while True:
            seen += 1
            trailer = self._table(start) if self.data.startswith(b"xref", start) else self._xref_stream(start)
            self.trailer = self.trailer or trailer
            before = trailer.get("Prev")
            if "XRefStm" in trailer or seen > MOST_REVISIONS * 2:
                raise Wrong("the PDF's cross-reference is not of the kind a report has")
            if before is None:
                return
            if type(before) is not int or not 0 < before < start:
                raise Wrong("the PDF's cross-reference leads nowhere")
            start = before

    def _table(self, start: int) -> dict[str, Any]:
        at = self.parser.skip(start + 4)
        while not self.data.startswith(b"trailer", at):
            section = _SECTION.match(self.data, at)
            if section is None:
                raise Wrong("the PDF's cross-reference cannot be read")
            at = self._rows_of_table(section.end(), int(section.group(1)), int(section.group(2)))
        return self.dictionary(self.parser.value(at + 7))

    def _rows_of_table(self, at: int, first: int, count: int) -> int:
        for number in range(first, first + count):
            entry = _ENTRY.match(self.data, at)
            if entry is None:
                raise Wrong("the PDF's cross-reference cannot be read")
            self._place(number, (int(entry.group(3) == b"n"), int(entry.group(1)), int(entry.group(2))))
            at = entry.end()
        return self.parser.skip(at)

    def _place(self, number: int, place: tuple[int, int, int]) -> None:
        self.effort.spend("steps")
        self.places.setdefault(number, place)

    def _xref_stream(self, start: int) -> dict[str, Any]:
        _, stream = self._object_at(start)
        if not isinstance(stream, Stream) or stream.told.get("Type") != "XRef":
            raise Wrong("the PDF's cross-reference cannot be read")
        widths: Any = stream.told.get("W")
        index: Any = stream.told.get("Index", [0, stream.told.get("Size")])
        if not (_are_sizes(widths, 3, most=8) and isinstance(index, list) and _are_sizes(index, len(index))):
            raise Wrong("the PDF's cross-reference cannot be read")
        rows, width, at = self._unpack(stream), sum(widths), 0
        for first, count in zip(index[0::2], index[1::2]):
            if width == 0 or at + count * width > len(rows):
                raise Wrong("the PDF's cross-reference cannot be read")
            for number in range(first, first + count):
                self._place(number, _row_of_stream(rows[at : at + width], widths))
                at += width
        return stream.told

    def _object(self, ref: Ref) -> Any:
        kind, place, more = self.places.get(ref.number, (0, 0, 0))
        if kind == 0:
            return None
        if ref.number in self.opening:
            raise Wrong("the PDF refers to itself")
        self.opening.append(ref.number)
        try:
            if kind == 2:
                return self._from_pack(place, ref.number)
            number, found = self._object_at(place)
        finally:
            self.opening.pop()
        if number != ref or more != ref.generation:
            raise Wrong("the PDF's cross-reference points to another object")
        return found

    def _object_at(self, at: int) -> tuple[Ref, Any]:
        head = _OBJECT.match(self.data, at) if at < len(self.data) else None
        if head is None:
            raise Wrong("the PDF's cross-reference points to no object")
        value = self.parser.value(head.end())
        begun = _STREAM.match(self.data, self.parser.at)
        if begun is not None and isinstance(value, dict):
            value = Stream(value, begun.end())
        return Ref(int(head.group(1)), int(head.group(2))), value

    def _from_pack(self, pack: int, number: int) -> Any:
        if pack not in self.packed:
            if len(self.packed) >= 256 or self.places.get(pack, (0, 0, 0))[0] != 1:
                raise Wrong("the PDF has more packed objects than any report")
            self.packed[pack] = self._unpack_objects(self.resolve(Ref(pack, 0)))
        return self.packed[pack].get(number)

    def _unpack_objects(self, stream: Any) -> dict[int, Any]:
        if not isinstance(stream, Stream) or stream.told.get("Type") != "ObjStm":
            raise Wrong("the PDF's packed objects cannot be read")
        count, first = self.resolve(stream.told.get("N")), self.resolve(stream.told.get("First"))
        if not _are_sizes([count, first], 2):
            raise Wrong("the PDF's packed objects cannot be read")
        inside = Parser(self._unpack(stream), self.effort)
        heads = [inside.value(inside.at) for _ in range(2 * count)]
        if not _are_sizes(heads, 2 * count):
            raise Wrong("the PDF's packed objects cannot be read")
        return {number: inside.value(first + at) for number, at in zip(heads[0::2], heads[1::2])}

    def _unpack(self, stream: Stream) -> bytes:
        length = self.resolve(stream.told.get("Length"))
        end = stream.start + length if _are_sizes([length], 1) else len(self.data)
        if not _END_STREAM.match(self.data, end):
            raise Wrong("a stream of the PDF does not end where it says")
        filters = self.resolve(stream.told.get("Filter"))
        filters = filters if isinstance(filters, list) else [filters] if filters is not None else []
        content = self.data[stream.start : end]
        if filters not in ([], ["FlateDecode"]):
            raise Wrong("a stream of the PDF is packed as in no report")
        parameters = self.resolve(stream.told.get("DecodeParms"))
        content = _inflated(content) if filters else content
        self.effort.spend("unpacked", len(content))
        return _without_predictor(content, self.dictionary(parameters)) if parameters else content


def _inflated(content: bytes) -> bytes:
    engine = zlib.decompressobj()
    try:
        found = engine.decompress(content, MOST_MANIFEST)
    except zlib.error:
        raise Wrong("a stream of the PDF is damaged") from None
    if not engine.eof or engine.unused_data.strip(b"\r\n"):
        raise Wrong("a stream of the PDF is damaged, or unpacks to more than any report")
    return found


def _are_sizes(values: Any, count: int, most: int = MOST_FILE) -> bool:
    return (
        isinstance(values, list)
        and len(values) == count
        and all(type(value) is int and 0 <= value <= most for value in values)
    )


def _row_of_stream(row: bytes, widths: list[int]) -> tuple[int, int, int]:
    first, second = widths[0], widths[0] + widths[1]
    kind = int.from_bytes(row[:first], "big") if first else 1
    if kind not in (0, 1, 2):
        raise Wrong("the PDF's cross-reference cannot be read")
    return kind, int.from_bytes(row[first:second], "big"), int.from_bytes(row[second:], "big")


def _without_predictor(content: bytes, told: dict[str, Any]) -> bytes:
    predictor, columns = told.get("Predictor", 1), told.get("Columns", 1)
    if predictor == 1:
        return content
    if predictor != 12 or not _are_sizes([columns], 1, most=4096) or len(content) % (columns + 1):
        raise Wrong("a stream of the PDF is packed as in no report")
    above, rows = bytes(columns), []
    for at in range(0, len(content), columns + 1):
        if content[at] != 2:
            raise Wrong("a stream of the PDF is packed as in no report")
        above = bytes((a + b) & 255 for a, b in zip(content[at + 1 : at + 1 + columns], above))
        rows.append(above)
    return b"".join(rows)


def attachments(pdf: Pdf) -> dict[str, bytes]:
    """Return the manifest and its signature as they are attached to a PDF, once each."""
    names = pdf.dictionary(pdf.dictionary(pdf.trailer.get("Root")).get("Names"))
    found: dict[str, bytes] = {}
    for name, told in _leaves(pdf, names.get("EmbeddedFiles"), 0):
        text = name.decode("utf-16", "replace") if name[:2] == b"\xfe\xff" else name.decode("latin-1")
        if text in found:
            raise Wrong(f"{text} is attached twice")
        if text in ("manifest.json", "manifest.sig"):
            found[text] = pdf.content(pdf.dictionary(pdf.dictionary(told).get("EF")).get("F"))
    if len(found) != 2:
        raise Wrong("it has no manifest, as every report of the clinic has")
    return found


def _leaves(pdf: Pdf, node: Any, depth: int) -> Iterator[tuple[bytes, Any]]:
    told = pdf.dictionary(node)
    if depth > 4:
        raise Wrong("the PDF's attachments cannot be read")
    for kid in pdf.array(told.get("Kids", [])):
        yield from _leaves(pdf, kid, depth + 1)
    names = pdf.array(told.get("Names", []))
    if len(names) > 200:
        raise Wrong("the PDF has more attachments than any report")
    for name, value in zip(names[0::2], names[1::2]):
        key = pdf.resolve(name)
        if not isinstance(key, bytes):
            raise Wrong("the PDF's attachments cannot be read")
        yield key, value


# ------------------------------------------------------------------------------------------- the signatures


class Key(NamedTuple):
    """An RSA key as a certificate or a manifest's signature holds it."""

    n: int
    e: int
    fingerprint: str


class Signed(NamedTuple):
    """A signature of the PDF: whose key, and how many bytes of the file it is over (its own container left out)."""

    key: Key
    end: int
    more: tuple[str, ...]


def signatures(pdf: Pdf) -> list[Signed]:
    """Check every signature of a PDF and return them, the oldest first. Raises Wrong for one that does not hold."""
    form = pdf.dictionary(pdf.dictionary(pdf.trailer.get("Root")).get("AcroForm", {}))
    found = [_checked(pdf, told) for told in _signature_values(pdf, form)]
    found.sort(key=lambda one: one.end)
    if len({one.end for one in found}) != len(found):
        raise Wrong("two signatures of the PDF end at the same place")
    return found


def _signature_values(pdf: Pdf, form: dict[str, Any]) -> Iterator[dict[str, Any]]:
    fields = pdf.array(form.get("Fields", []))
    if len(fields) > MOST_REVISIONS:
        raise Wrong("the PDF has more fields than any report")
    for field in map(pdf.dictionary, fields):
        if "Kids" in field:
            raise Wrong("the PDF has fields as no report has")
        if pdf.resolve(field.get("FT")) == "Sig" and "V" in field:
            yield pdf.dictionary(field["V"])


def _checked(pdf: Pdf, told: dict[str, Any]) -> Signed:
    data = pdf.data
    covered: Any = told.get("ByteRange")
    if (
        told.get("Type") != "Sig"
        or told.get("SubFilter") != "ETSI.CAdES.detached"
        or not _are_sizes(covered, 4)
    ):
        raise Wrong("a signature of the PDF is not of the kind that reports have (PAdES)")
    zero, gap, after, rest = covered
    end = after + rest
    if zero != 0 or not 0 < gap < after or end > len(data):
        raise Wrong("a signature of the PDF is over bytes that are not there")
    container = _container(data[gap:after])
    if told.get("Contents") != container:
        raise Wrong("a signature of the PDF does not stand where it says")
    pdf.effort.spend("hashed", end)
    digest = hashlib.sha256(memoryview(data)[:gap])
    digest.update(memoryview(data)[after:end])
    key, more = _signer(container, digest.digest())
    return Signed(key, end, more)


def _container(gap: bytes) -> bytes:
    if not re.fullmatch(rb"<(?:[0-9A-F]{2})+>|<(?:[0-9a-f]{2})+>", gap):
        raise Wrong("a signature of the PDF leaves out more than itself")
    return bytes.fromhex(gap[1:-1].decode())


SHA256 = bytes.fromhex("300d06096086480165030402010500")
RSA_SHA256 = bytes.fromhex("300d06092a864886f70d01010b0500")
RSA = bytes.fromhex("300d06092a864886f70d0101010500")
SIGNED_DATA = bytes.fromhex("06092a864886f70d010702")
DATA = bytes.fromhex("300b06092a864886f70d010701")
CONTENT_TYPE = bytes.fromhex("06092a864886f70d010903")
MESSAGE_DIGEST = bytes.fromhex("06092a864886f70d010904")
CERTIFICATE_V2 = bytes.fromhex("060b2a864886f70d010910022f")
ONE = bytes.fromhex("020101")


class Der(NamedTuple):
    """One DER element: its tag, its content, and all its bytes."""

    tag: int
    content: bytes
    whole: bytes


def der(data: bytes) -> tuple[Der, bytes]:
    """Return the first element of DER bytes, and what is behind it. Only the shortest form of a length is DER."""
    if len(data) < 2 or data[0] & 31 == 31:
        raise Wrong("a signature of the PDF cannot be read")
    length, head = data[1], 2
    if length >= 0x80:
        size = length & 0x7F
        length, head = int.from_bytes(data[2 : 2 + size], "big"), 2 + size
        if not 1 <= size <= 4 or length < 0x80 or length < 1 << (8 * (size - 1)):
            raise Wrong("a signature of the PDF cannot be read")
    if head + length > len(data):
        raise Wrong("a signature of the PDF cannot be read")
    whole = data[: head + length]
    return Der(data[0], whole[head:], whole), data[head + length :]


def elements(data: bytes, *tags: int) -> list[Der]:
    """Return the elements one behind the other in DER bytes; with `tags`, they must be exactly these."""
    found: list[Der] = []
    while data and len(found) < 64:
        element, data = der(data)
        found.append(element)
    if data or (tags and tuple(element.tag for element in found) != tags):
        raise Wrong("a signature of the PDF is not made as reports are signed")
    return found


def first_of(data: bytes) -> Der:
    """Return the first element of DER bytes."""
    return der(data)[0]


def _signer(container: bytes, digest: bytes) -> tuple[Key, tuple[str, ...]]:
    """Check a CMS container over bytes of this digest; return the key that signed, and what it holds that nobody signed."""
    outer, padding = der(container)
    if padding.strip(b"\0"):
        raise Wrong("something stands behind a signature of the PDF")
    kind, inner = elements(outer.content, 0x06, 0xA0)
    data = elements(inner.content, 0x30)[0]
    version, hashed, covered, kept, infos = elements(data.content, 0x02, 0x31, 0x30, 0xA0, 0x31)
    fixed = (outer.tag, kind.whole, version.whole, hashed.content, covered.whole)
    if fixed != (0x30, SIGNED_DATA, ONE, SHA256, DATA):
        raise Wrong("a signature of the PDF is not made as reports are signed")
    parts = elements(elements(infos.content, 0x30)[0].content)
    unsigned = parts[6:]
    if [part.tag for part in parts[:6]] != [0x02, 0x30, 0x30, 0xA0, 0x30, 0x04] or len(unsigned) > 1:
        raise Wrong("a signature of the PDF is not made as reports are signed")
    version, signer, hashed, attributes, algorithm, signature = parts[:6]
    if (version.whole, hashed.whole, algorithm.whole) != (ONE, SHA256, RSA_SHA256):
        raise Wrong("a signature of the PDF is not made as reports are signed")
    certificates = elements(kept.content)
    certificate = _certificate_of(signer, certificates)
    key = _key_of(certificate)
    _check_attributes(attributes, digest, certificate)
    if not rsa_verifies(b"\x31" + attributes.whole[1:], signature.content, key):
        raise Wrong("a signature of the PDF does not hold: it was changed, or another key made it")
    return key, _unsigned_words(certificates, unsigned)


def _unsigned_words(certificates: list[Der], unsigned: list[Der]) -> tuple[str, ...]:
    words = []
    if len(certificates) > 1:
        words.append(f"{len(certificates) - 1} further certificates beside it are not checked here")
    if unsigned:
        if unsigned[0].tag != 0xA1:
            raise Wrong("a signature of the PDF is not made as reports are signed")
        words.append("what is added to it unsigned (such as a timestamp) is not checked here")
    return tuple(words)


def _certificate_of(signer: Der, certificates: list[Der]) -> Der:
    for certificate in certificates:
        fields = _certificate_fields(certificate)
        if fields[2].whole + fields[0].whole == signer.content:
            return certificate
    raise Wrong("a signature of the PDF lacks its certificate")


def _certificate_fields(certificate: Der) -> list[Der]:
    """Return a certificate's fields from its serial number on: serial, algorithm, issuer, validity, subject, key."""
    fields = elements(elements(certificate.content, 0x30, 0x30, 0x03)[0].content)
    fields = fields[1:] if fields and fields[0].tag == 0xA0 else fields
    if certificate.tag != 0x30 or [field.tag for field in fields[:6]] != [0x02] + [0x30] * 5:
        raise Wrong("a certificate of the PDF cannot be read")
    return fields


def _key_of(certificate: Der) -> Key:
    spki = _certificate_fields(certificate)[5]
    algorithm, bits = elements(spki.content, 0x30, 0x03)
    if algorithm.whole != RSA or bits.content[:1] != b"\0":
        raise Wrong("a signature of the PDF is of a kind of key that reports are not signed with")
    numbers = elements(elements(bits.content[1:], 0x30)[0].content, 0x02, 0x02)
    n, e = (int.from_bytes(number.content, "big") for number in numbers)
    return Key(n, e, hashlib.sha256(spki.whole).hexdigest())


def _check_attributes(attributes: Der, digest: bytes, certificate: Der) -> None:
    told: dict[bytes, bytes] = {}
    for attribute in elements(attributes.content):
        name, values = elements(attribute.content, 0x06, 0x31)
        if name.whole in told:
            raise Wrong("a signature of the PDF says something twice")
        told[name.whole] = values.content
    if told.get(MESSAGE_DIGEST) != b"\x04\x20" + digest:
        raise Wrong("the PDF was changed: its bytes are not those that were signed")
    if told.get(CONTENT_TYPE) != DATA[2:]:
        raise Wrong("a signature of the PDF is not made as reports are signed")
    # SigningCertificateV2 > its certificates > the first > its hash, which is of SHA-256 where nothing else is said.
    named = first_of(first_of(first_of(told.get(CERTIFICATE_V2, b"")).content).content)
    if first_of(named.content).whole != b"\x04\x20" + hashlib.sha256(certificate.whole).digest():
        raise Wrong("a signature of the PDF is by another certificate than it says")


def rsa_verifies(content: bytes, signature: bytes, key: Key) -> bool:
    """Tell whether a signature is RSA PKCS#1 v1.5 with SHA-256 over the content: the whole padding is compared."""
    size = (key.n.bit_length() + 7) // 8
    is_key = 2048 <= key.n.bit_length() <= 8192 and key.n % 2 and 3 <= key.e < 2**32 and key.e % 2
    number = int.from_bytes(signature, "big")
    if not is_key or len(signature) != size or number >= key.n:
        return False
    info = bytes.fromhex("3031300d060960864801650304020105000420") + hashlib.sha256(content).digest()
    expected = b"\0\1" + b"\xff" * (size - len(info) - 3) + b"\0" + info
    return hmac.compare_digest(pow(number, key.e, key.n).to_bytes(size, "big"), expected)


# --------------------------------------------------------------------------------------------- the manifest

FACTS = {
    "manifest", "format", "report", "clinic", "kind", "parameters_sha256", "period", "filters", "issued_at", "issued_by",
    "columns", "row_count", "rows", "rows_root", "head_seq", "head_hash", "demo",
}  # fmt: skip


def canonical(content: bytes) -> dict[str, Any]:
    """Return the object that canonical JSON holds: sorted keys, no blanks, ASCII, whole numbers."""
    # More brackets and commas than rows would be made to fill the memory.
    if (
        content.count(b"[") + content.count(b"{") > 10_000
        or content.count(b",") > 10_000 + len(content) // 67
    ):
        raise Wrong("it has more parts than any manifest")
    try:
        told = json.loads(content.decode("ascii"), parse_float=_no_number, parse_constant=_no_number)
        again = json.dumps(told, sort_keys=True, separators=(",", ":")).encode("ascii")
    except (ValueError, RecursionError):
        raise Wrong("it is not canonical JSON") from None
    if not isinstance(told, dict) or again != content:
        raise Wrong("it is not canonical JSON")
    return told


def _no_number(text: str) -> NoReturn:
    raise ValueError(text)


def manifest_of(content: bytes) -> dict[str, Any]:
    """Return what a manifest says, having checked that it is whole and agrees with itself."""
    told = canonical(content)
    if FACTS.difference(told) or type(told["manifest"]) is not int or told["manifest"] != 1:
        raise Wrong("it is not a manifest of version 1")
    rows, salt = told["rows"], told.get("salt", "0" * 64)
    are_hashes = isinstance(rows, list) and all(map(_is_hash, rows))
    if not are_hashes or not _is_hash(salt) or not _is_hash(told["head_hash"]):
        raise Wrong("its hashes are none")
    if type(told["row_count"]) is not int or told["row_count"] != len(rows):
        raise Wrong("it counts other rows than it has")
    if told["rows_root"] != hashlib.sha256(bytes.fromhex("".join(rows))).hexdigest():
        raise Wrong("its root is not that of its rows")
    return told


def _is_hash(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[0-9a-f]{64}", value) is not None


def check_manifest_signature(content: bytes, signed: bytes, key: Key) -> None:
    """Raise Wrong unless manifest.sig is over the manifest, by the key that signed the PDF."""
    told = canonical(signed)
    if set(told) != {"algorithm", "e", "key_sha256", "n", "signature"}:
        raise Wrong("its signature is not of the kind that is known")
    if (told["algorithm"], told["n"], told["e"], told["key_sha256"]) != (
        "RSASSA-PKCS1-v1_5 SHA-256", key.n.to_bytes((key.n.bit_length() + 7) // 8, "big").hex(), key.e, key.fingerprint,
    ):  # fmt: skip
        raise Wrong("it was signed by another key than the PDF")
    if not isinstance(told["signature"], str) or not re.fullmatch(r"(?:[0-9a-f]{2})+", told["signature"]):
        raise Wrong("its signature is none")
    if not rsa_verifies(content, bytes.fromhex(told["signature"]), key):
        raise Wrong("it was changed: its signature does not hold")


_CELLS = json.JSONEncoder(separators=(",", ":"))


def row_hash(salt: bytes, place: int, cells: list[str]) -> str:
    """Return the hash of a row as the manifest has it."""
    own = hmac.digest(salt, place.to_bytes(8, "big"), "sha256")
    return hashlib.sha256(own + _CELLS.encode(cells).encode("ascii")).hexdigest()


def unmatched_lines(told: dict[str, Any], file: bytes) -> Iterator[str]:
    """Yield what of a CSV file is not as the manifest has it; nothing when every line is."""
    salt, hashes, place = bytes.fromhex(told["salt"]), told["rows"], -1
    try:
        lines = csv.reader(io.StringIO(file.decode("utf-8-sig"), newline=""), strict=True)
        if next(lines, None) != told["columns"]:
            yield "its columns are not those of the report"
            return
        for place, cells in enumerate(lines):
            name = f"row {place + 1} ({cells[0] if cells else 'empty'})"
            if place >= len(hashes):
                yield f"{name}: the report has no more rows"
            elif row_hash(salt, place, cells) != hashes[place]:
                yield f"{name}: it is not what was issued"
    except (UnicodeDecodeError, csv.Error) as error:
        yield f"it cannot be read as CSV ({error})"
        return
    if place + 1 < len(hashes):
        yield f"{len(hashes) - place - 1} rows of the report are missing at its end"


# ------------------------------------------------------------------------------------------------ the answer


class Answer:
    """The lines of the answer, and whether all is well so far."""

    def __init__(self) -> None:
        self.is_well = True
        self.is_proven = False

    def say(self, mark: str, text: str) -> None:
        """Write one line; what a file made us say may hold anything, and is shown without what would move the cursor."""
        self.is_well = self.is_well and mark != "WRONG"
        clean = "".join(char if char.isprintable() else "\ufffd" for char in text[:600])
        sys.stdout.write(f"{mark:<7} {clean}\n")


class Report(NamedTuple):
    """A report that was read: its attachments, by which keys it is signed, and why not up to the file's end (or empty)."""

    signed: list[Signed]
    manifest: bytes
    manifest_signature: bytes
    doubt: str = ""


def read_report(data: bytes) -> Report:
    """Return the newest part of the file that is signed as a whole. Raises Wrong where there is none."""
    said = (int(found.group(1)) + int(found.group(2)) for found in islice(_BYTE_RANGE.finditer(data), 1000))
    ends = {len(data), *(end for end in said if end < len(data))}
    effort = Effort()
    reasons: list[Wrong] = []
    for end in nlargest(MOST_REVISIONS, ends):
        try:
            return _read_up_to(data[:end], effort)._replace(doubt=str(reasons[0]) if reasons else "")
        except Wrong as reason:
            reasons.append(reason)
    # What a signature's own end says of itself tells more than what is behind it.
    raise reasons[min(1, len(reasons) - 1)]


def _read_up_to(data: bytes, effort: Effort) -> Report:
    pdf = Pdf(data, effort)
    signed = signatures(pdf)
    if not signed:
        raise Wrong("it is not signed")
    if signed[-1].end != len(data):
        raise Wrong("its end is not signed")
    attached = attachments(pdf)
    if len(signed) > 1 and attachments(Pdf(data[: signed[0].end], effort)) != attached:
        raise Wrong("its manifest was exchanged after it was first signed")
    return Report(signed, attached["manifest.json"], attached["manifest.sig"])


def judge(answer: Answer, data: bytes, keys: list[str], rows: bytes | None) -> None:
    """Check a report and say what was found."""
    answer.say("", f"The file has {len(data)} bytes, SHA-256 {hashlib.sha256(data).hexdigest()}.")
    try:
        report = read_report(data)
    except Wrong as reason:
        answer.say("WRONG", f"The PDF: {reason}.")
        return
    _judge_bytes(answer, report, len(data))
    try:
        told = manifest_of(report.manifest)
        check_manifest_signature(report.manifest, report.manifest_signature, report.signed[0].key)
    except Wrong as reason:
        answer.say("WRONG", f"The manifest: {reason}.")
        return
    answer.say(
        "well",
        f"The manifest is whole, lists {told['row_count']} rows, and is signed by the same key as the PDF.",
    )
    _tell(answer, told)
    if rows is not None:
        _judge_rows(answer, told, rows)
    _judge_key(answer, report, keys)


def _judge_bytes(answer: Answer, report: Report, size: int) -> None:
    first, last = report.signed[0], report.signed[-1]
    answer.say("well", f"The first {first.end} bytes are as they were when the report was signed.")
    for number, one in enumerate(report.signed[1:], start=2):
        answer.say(
            "well",
            f"Revision {number}, to byte {one.end}, is a further signature, and as it was when it was made.",
        )
        answer.say(
            "note", f"What revision {number} shows otherwise than the one before is not compared here."
        )
    for one in report.signed:
        for words in one.more:
            answer.say("note", f"Of the signature that ends at byte {one.end}: {words}.")
    if last.end < size:
        answer.say("WRONG", f"{size - last.end} bytes were appended behind byte {last.end}: {report.doubt}.")


def _tell(answer: Answer, told: dict[str, Any]) -> None:
    period = " to ".join(map(str, told["period"])) if isinstance(told["period"], list) else ""
    answer.say("says", f"Report {told['report']} ({told['kind']}) of {told['clinic']}, {period}.")
    answer.say("says", f"Issued {told['issued_at']} by {told['issued_by']}.")
    answer.say("says", f"Head of the trail: {told['head_seq']} {told['head_hash']}.")
    if told["demo"] is not False:
        answer.say("note", "It is a demonstration: its patients and doses are invented.")


def _judge_rows(answer: Answer, told: dict[str, Any], rows: bytes) -> None:
    if "salt" not in told:
        answer.say(
            "note", "The CSV cannot be compared: the report is pseudonymised, and leaves out its salt."
        )
        return
    found = 0
    for found, line in enumerate(unmatched_lines(told, rows), start=1):
        if found <= SHOWN:
            answer.say("WRONG", f"The CSV: {line}.")
    if found > SHOWN:
        answer.say("WRONG", f"The CSV: {found - SHOWN} more.")
    if not found:
        answer.say("well", f"The CSV has exactly the {told['row_count']} rows of the report, in its order.")


def _judge_key(answer: Answer, report: Report, keys: list[str]) -> None:
    groups = " ".join(re.findall("....", report.signed[0].key.fingerprint))
    answer.say("says", f"Signed with the key {groups}.")
    strangers = [one for one in report.signed if one.key.fingerprint not in keys]
    if not keys:
        return
    for one in strangers:
        answer.say(
            "WRONG",
            f"The signature that ends at byte {one.end} is by a key you did not name: {one.key.fingerprint}.",
        )
    answer.is_proven = not strangers


def verdict(answer: Answer, keys: list[str]) -> int:
    """Say what it all comes to, and return the exit status."""
    if not answer.is_well:
        answer.say("", "NOT PROVEN: do not rely on this file. What is wrong is said above.")
        return 1
    if not answer.is_proven:
        answer.say(
            "",
            "CONSISTENT, AUTHOR UNPROVEN: it agrees with itself; anybody could have made it. Give the fingerprint with --key.",
        )
        return 2
    held = " and ".join(keys)
    answer.say("", f"PROVEN to be from the holder of the key {held}, and unchanged since it was signed.")
    answer.say("", "Whether it is complete and still in the record, only the clinic's own check can show.")
    return 0


class Arguments(argparse.ArgumentParser):
    """Arguments whose errors end with 1, since 2 has its own meaning here."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong with the arguments."""
        self.print_usage(sys.stderr)
        self.exit(1, f"{self.prog}: {message}\n")


def fingerprint(text: str) -> str:
    """Return a fingerprint as it was typed, in lower case and without its blanks."""
    digits = re.sub(r"[\s:]", "", text).lower()
    if not _is_hash(digits):
        raise argparse.ArgumentTypeError("a fingerprint is 64 hexadecimal digits")
    return digits


def read_file(path: str) -> bytes:
    """Return the bytes of a file that is no longer than any report."""
    with Path(path).open("rb") as file:
        data = file.read(MOST_FILE + 1)
    if len(data) > MOST_FILE:
        raise OSError(f"{path} is longer than any report")
    return data


def main(arguments: list[str] | None = None) -> int:
    """Check the report that the command line names."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    parser = Arguments(description="Check a report of the clinic without the clinic.")
    parser.add_argument("report", help="the PDF")
    parser.add_argument(
        "--key", action="append", default=[], type=fingerprint, help="fingerprint of a key of the clinic"
    )
    parser.add_argument("--csv", help="the report's CSV file, to be compared line by line")
    asked = parser.parse_args(arguments)
    try:
        data, rows = read_file(asked.report), read_file(asked.csv) if asked.csv else None
    except OSError as error:
        sys.stderr.write(f"It cannot be read: {error}\n")
        return 1
    answer = Answer()
    try:
        judge(answer, data, asked.key, rows)
    except (ArithmeticError, LookupError, MemoryError, RecursionError, TypeError, ValueError) as error:
        answer.say(
            "WRONG", f"The file is not one that this program can read ({type(error).__name__}: {error})."
        )
    return verdict(answer, asked.key)


if __name__ == "__main__":
    sys.exit(main())
