"""Signing a PDF by pyHanko: PAdES B-B, or B-T where a timestamp authority is set. Only what is appended is written anew.

The issuer's signature attaches the manifest and leaves empty fields for those who review, at the places that the sign-off block
keeps free; each of them fills one, so that nothing else ever changes in a signed file.
"""

import asyncio
import urllib.request
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from http.client import HTTPException
from typing import Any, BinaryIO
from urllib.error import HTTPError

from asn1crypto import tsp
from flask import current_app
from pyhanko.pdf_utils import embed, generic
from pyhanko.pdf_utils.content import ImportedPdfPage
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.layout import AxisAlignment, Margins, SimpleBoxLayoutRule
from pyhanko.sign.fields import SigFieldSpec, SigSeedSubFilter, append_signature_field, enumerate_sig_fields
from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner
from pyhanko.sign.timestamps import TimeStamper
from pyhanko.sign.timestamps.common_utils import TimestampRequestError
from pyhanko.stamp import StaticStampStyle

from inventory.kernel.errors import Refusal
from inventory.reports import manifest
from inventory.reports.documents.places import Place, signature_places
from inventory.reports.manifest import Manifest
from inventory.reports.signing.keys import SigningKey

ISSUED_FIELD = "Issued"
_REVIEW_FIELD = "Review"
_TSA_SECONDS = 20
_WHOLE = SimpleBoxLayoutRule(AxisAlignment.ALIGN_MIN, AxisAlignment.ALIGN_MIN, margins=Margins(0, 0, 0, 0))
"""A stamp fills its place: it was drawn to its size."""
_CHUNK = 256 * 1024


@dataclass(frozen=True, slots=True)
class Words:
    """What a signature says of itself: who, why, and how to reach them."""

    name: str
    reason: str
    contact: str = ""


class _Writer(IncrementalPdfFileWriter):
    """Takes a page by the number of its object; 0 is the first page.

    pyHanko counts, and reads every page before the one that is meant: at the end of a long report that takes half a minute.
    """

    def find_page_for_modification(self, page_ix: int) -> tuple[Any, Any]:
        """Return the reference of a page, and no resources, which a field does not need."""
        if page_ix == 0:
            first: tuple[Any, Any] = super().find_page_for_modification(0)  # type: ignore[no-untyped-call]
            return first
        page = generic.IndirectObject(page_ix, 0, self.prev)  # type: ignore[no-untyped-call]
        return page, generic.DictionaryObject()  # type: ignore[no-untyped-call]


def sign_issued(pdf: BinaryIO, told: Manifest | None, *, key: SigningKey, words: Words) -> None:
    """Attach the manifest to a report and sign it: what is appended is written to the file itself, which stays in its place.

    Raises Refusal SIGNING-TIMESTAMP where an authority is set and does not answer; the file is then of no use.
    """
    writer = _opened(pdf)
    if told is not None:
        _attach(
            writer,
            {
                manifest.CONTENT_NAME: told.content,
                manifest.SIGNATURE_NAME: key.sign_manifest(told.content),
            },
        )
    # First, since readers list the signatures in the order of their fields.
    append_signature_field(writer, SigFieldSpec(ISSUED_FIELD))
    for number, place in enumerate(signature_places(writer.prev), start=1):
        append_signature_field(writer, _field(f"{_REVIEW_FIELD} {number}", place))
    _sign(writer, key=key, words=words, field=ISSUED_FIELD)


def sign_review(pdf: BinaryIO, stamp: str, *, lines: Sequence[int], key: SigningKey, words: Words) -> None:
    """Sign a report once more, in the first free one of these lines of its sign-off block, where the page of `stamp` (a path) is shown.

    Raises Refusal REVIEW-FULL where none of them is free, SIGNING-TIMESTAMP; the file is then of no use.
    """
    writer = _opened(pdf)
    empty = {name for name, value, _ in enumerate_sig_fields(writer.prev) if value is None}
    free = [name for name in (f"{_REVIEW_FIELD} {number}" for number in lines) if name in empty]
    if not free:
        said = "Every line of this report for such a signature is taken. Issue the report again where more have to sign."
        raise Refusal("REVIEW-FULL", said, status=409)
    page = ImportedPdfPage(stamp)  # type: ignore[no-untyped-call]
    style = StaticStampStyle(background=page, background_layout=_WHOLE, border_width=0)
    _sign(writer, key=key, words=words, field=free[0], stamp=style)


def _opened(pdf: BinaryIO) -> _Writer:
    pdf.seek(0)
    return _Writer(pdf, strict=False)


def _field(name: str, place: Place) -> SigFieldSpec:
    left, bottom, right, top = (round(edge) for edge in place.box)
    return SigFieldSpec(name, on_page=place.page_object, box=(left, bottom, right, top))


def _attach(writer: IncrementalPdfFileWriter, files: Mapping[str, bytes]) -> None:
    for name, content in files.items():
        data = embed.EmbeddedFileObject.from_file_data(writer, content, mime_type="application/json")
        embed.embed_file(writer, embed.FileSpec(name, file_name=name, embedded_data=data))


def _sign(
    writer: _Writer, *, key: SigningKey, words: Words, field: str, stamp: StaticStampStyle | None = None
) -> None:
    about = PdfSignatureMetadata(
        field_name=field,
        md_algorithm="sha256",
        subfilter=SigSeedSubFilter.PADES,
        name=words.name,
        reason=words.reason,
        contact_info=words.contact or None,
    )
    signer = PdfSigner(about, key.signer(), timestamper=timestamper(), stamp_style=stamp)
    try:
        # pyHanko runs a loop of its own, which a thread that has one already refuses: a bridge from ASGI, a browser's test.
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="signing") as apart:
            apart.submit(signer.sign_pdf, writer, in_place=True, chunk_size=_CHUNK).result()
    except TimestampRequestError as error:
        said = "The timestamp authority did not answer. Nothing was stored; try again, or take TSA_URL out (docs/signing.md)."
        raise Refusal("SIGNING-TIMESTAMP", said, status=503) from error


class UrlTimeStamper(TimeStamper):
    """Asks a timestamp authority by HTTP (RFC 3161)."""

    def __init__(self, url: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._url = url

    async def async_request_tsa_response(self, req: tsp.TimeStampReq) -> tsp.TimeStampResp:
        """Send the request and return the answer. Raises TimestampRequestError."""
        try:
            answer = await asyncio.to_thread(self._ask, req.dump())
            return tsp.TimeStampResp.load(answer, strict=True)
        except (OSError, HTTPException, ValueError) as error:
            raise TimestampRequestError(f"no timestamp from {self._url}") from error

    def _ask(self, request: bytes) -> bytes:
        headers = {"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"}
        asked = urllib.request.Request(self._url, data=request, headers=headers)  # noqa: S310  config.py allows http(s) alone
        try:
            with urllib.request.urlopen(asked, timeout=_TSA_SECONDS) as answer:  # noqa: S310
                return bytes(answer.read(1024 * 1024))
        except HTTPError as refused:
            refused.close()  # an error that is an answer holds its connection open
            raise


def timestamper() -> Any:
    """Return who stamps signatures with the time, or None where no authority is set."""
    url = current_app.config["TSA_URL"]
    return UrlTimeStamper(url) if url else None


def signed_on(at: datetime) -> str:
    """Return an instant as a signature's line says it."""
    return f"{at:%Y-%m-%d %H:%M} UTC"
