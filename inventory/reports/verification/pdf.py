"""Reads the signatures of a PDF with pyHanko, in a process of its own that ends in bounded time and memory.

Whoever uploads a file decides what is in it, and a library that reads PDFs was not written for files that mean harm. So it runs
beside the application: `reading` starts it, hands it the file, and takes one JSON object back. Whatever goes wrong here is an answer.
"""

import base64
import contextlib
import hashlib
import io
import json
import logging
import sys
from typing import Any

from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.diff_analysis import ModificationLevel
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko.sign.validation.settings import KeyUsageConstraints
from pyhanko.sign.validation.status import SignatureCoverageLevel
from pyhanko_certvalidator import ValidationContext

from inventory.reports.manifest import CONTENT_NAME, MOST_BYTES, SIGNATURE_NAME

MOST_MEMORY = 1536 * 1024 * 1024
MOST_SECONDS = 40
MOST_SIGNATURES = 16

log = logging.getLogger(__name__)


def main() -> None:
    """Read a PDF from the standard input and write what was found to the standard output."""
    _bound()
    try:
        found = read(sys.stdin.buffer.read())
    except Exception as error:
        log.exception("unreadable")
        found = {"unreadable": f"{type(error).__name__}: {error}"[:200]}
    json.dump(found, sys.stdout)


def read(content: bytes) -> dict[str, Any]:
    """Return the signatures and the manifest of a PDF. Raises whatever pyHanko raises."""
    reader = PdfFileReader(io.BytesIO(content), strict=True)
    signatures = reader.embedded_signatures
    if len(signatures) > MOST_SIGNATURES:
        raise ValueError("it has more signatures than any report")
    return {
        "signatures": [_signature(one) for one in signatures],
        "attached": {
            name: base64.b64encode(data).decode("ascii") for name, data in _attached(reader).items()
        },
    }


def _signature(signature: EmbeddedPdfSignature) -> dict[str, Any]:
    key = hashlib.sha256(signature.signer_cert.public_key.dump()).hexdigest()
    # Whose key it is, the clinic's own register of keys says: no authority, and nothing from the network.
    context = ValidationContext(trust_roots=[], allow_fetching=False)
    try:
        status = validate_pdf_signature(
            signature, context, key_usage_settings=KeyUsageConstraints(key_usage=set())
        )
    except Exception as error:
        log.exception("a signature cannot be validated")
        return {"key": key, "holds": False, "reason": f"{type(error).__name__}: {error}"[:200]}
    return {
        "key": key,
        "holds": bool(status.intact and status.valid),
        "covers_file": status.coverage is SignatureCoverageLevel.ENTIRE_FILE,
        "covers_revision": status.coverage >= SignatureCoverageLevel.ENTIRE_REVISION,
        "only_signed_since": (status.modification_level or ModificationLevel.OTHER)
        <= ModificationLevel.FORM_FILLING,
        "end": int(signature.byte_range[2]) + int(signature.byte_range[3]),
    }


def _attached(reader: PdfFileReader) -> dict[str, bytes]:
    try:
        names = reader.root["/Names"]["/EmbeddedFiles"]["/Names"]
    except KeyError:
        return {}
    found: dict[str, bytes] = {}
    for place in range(0, len(names), 2):
        name = str(names[place])
        if name in found:
            raise ValueError(f"{name} is attached twice")
        if name in {CONTENT_NAME, SIGNATURE_NAME}:
            found[name] = names[place + 1]["/EF"]["/F"].data
            if len(found[name]) > MOST_BYTES:
                raise ValueError("its manifest is too long")
    return found


def _bound() -> None:
    """Let the system end this process when it takes too much; where it cannot, the caller's patience alone does."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource  # noqa: PLC0415 - there is none on Windows

        resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))
