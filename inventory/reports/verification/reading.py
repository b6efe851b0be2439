"""Reads a file that somebody says is a report: the one door through which foreign bytes come in.

What cannot be read, or takes too long, is Unreadable with a reason in words; nothing else comes out.
"""

import base64
import json
import logging
import subprocess
import sys
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from inventory.reports import manifest

MOST_BYTES = 128 * 1024 * 1024
PATIENCE = 60
"""Seconds after which a file that is still being read is given up."""

_TAIL = 1024
_CHILD = "import sys; sys.path[:] = {path!r}; from inventory.reports.verification.pdf import main; main()"

log = logging.getLogger(__name__)


class Unreadable(Exception):
    """The file cannot be read as a signed PDF. The text finishes a sentence."""


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature of a PDF, the oldest first.

    `only_signed_since`: nothing but further signatures was added behind it.
    """

    key: str
    holds: bool
    reason: str = ""
    covers_file: bool = False
    covers_revision: bool = False
    only_signed_since: bool = False
    end: int = 0


@dataclass(frozen=True)
class Reading:
    """What a PDF holds: its signatures, and its manifest with its signature as they are attached."""

    signatures: tuple[Signature, ...]
    manifest: bytes = b""
    manifest_signature: bytes = b""

    @cached_property
    def doubts(self) -> tuple[str, ...]:
        """What is wrong with its signatures, in sentences; nothing where all of them hold up to the file's end."""
        found = [
            f"Signature {number} does not hold: the file was changed after it was signed. {one.reason}".strip()
            for number, one in enumerate(self.signatures, start=1)
            if not (one.holds and one.covers_revision)
        ]
        if not found and not self.signatures[-1].covers_file:
            found.append("Something was added behind the last signature.")
        if not found and not all(one.only_signed_since for one in self.signatures):
            found.append("More than a further signature was added after it was signed.")
        return tuple(found)

    @cached_property
    def told(self) -> dict[str, Any]:
        """What the manifest says. Raises ValueError unless it is whole and signed by the key of the first signature."""
        told = manifest.read_manifest(self.manifest)
        signed = manifest.read_signature(self.manifest_signature)
        if signed.key_sha256 != self.signatures[0].key or not signed.signs(self.manifest):
            raise ValueError("it is not signed by the key that signed the PDF")
        return told


def read_signed(content: bytes) -> Reading:
    """Read a signed PDF. Raises Unreadable."""
    if len(content) > MOST_BYTES:
        raise Unreadable("it is larger than any report")
    if not content.startswith(b"%PDF-"):
        raise Unreadable("it is not a PDF")
    if b"%%EOF" not in content[-_TAIL:]:
        raise Unreadable("its end is missing")
    return reading_of(_read_beside(content))


def reading_of(found: dict[str, Any]) -> Reading:
    """Return what `pdf.read` found, as objects. Raises Unreadable where it found nothing."""
    if "unreadable" in found:
        log.warning("a file could not be verified: %s", found["unreadable"])
        raise Unreadable(f"it is damaged, or not made as reports are ({found['unreadable']})")
    attached = {name: base64.b64decode(data) for name, data in found["attached"].items()}
    return Reading(
        tuple(Signature(**one) for one in found["signatures"]),
        attached.get(manifest.CONTENT_NAME, b""),
        attached.get(manifest.SIGNATURE_NAME, b""),
    )


def _read_beside(content: bytes) -> dict[str, Any]:
    command = [sys.executable, "-c", _CHILD.format(path=sys.path)]
    try:
        done = subprocess.run(command, input=content, capture_output=True, timeout=PATIENCE, check=True)  # noqa: S603
        found = json.loads(done.stdout)
    except subprocess.TimeoutExpired:
        log.warning("a file could not be verified within %s seconds", PATIENCE)
        raise Unreadable(f"reading it takes longer than {PATIENCE} seconds") from None
    except subprocess.CalledProcessError as error:
        log.warning("a file could not be verified: %s", error.stderr[-2000:].decode("utf-8", "replace"))
        raise Unreadable("reading it takes more time or memory than a report does") from None
    return dict(found)
