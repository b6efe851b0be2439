"""The file a backup is: a zip of the database's own copy and a manifest that says what it is and holds its hash.

Law kept here: a backup is whole or not there. It is written beside its name, readable by its owner alone, and takes the
name only when it is finished; reading it checks the hash before anybody relies on a byte of it.
"""

import hashlib
import json
import os
import secrets
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from inventory.kernel.errors import Refusal

FORMAT = "clinic-backup"
FORMAT_VERSION = 1
MANIFEST = "manifest.json"
CONTENT = {"sqlite": "clinic.sqlite3", "postgresql": "clinic.pgdump"}
_CHUNK = 1 << 20
_UNREADABLE = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, KeyError, TypeError)


@dataclass(frozen=True, slots=True)
class ClinicFacts:
    """What a copy says of the clinic in it: its name, whether it is the demo, its schema's revision, its trail's head."""

    clinic: str
    demo: bool
    revision: str
    head_seq: int
    head_hash: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What stands beside the copy. `taken_at` is ISO 8601 in UTC, `content_bytes` the size of the copy."""

    engine: str
    taken_at: str
    clinic: ClinicFacts
    content_bytes: int
    content_sha256: str


def write_archive(
    target: Path, content: Path, *, engine: str, taken_at: str, clinic: ClinicFacts, force: bool
) -> Manifest:
    """Write `content` with its manifest to `target`. Raises Refusal BACKUP-EXISTS unless `force`, BACKUP-UNWRITABLE."""
    manifest = Manifest(engine, taken_at, clinic, content.stat().st_size, sha256_of(content))
    with _finished(target, force=force) as draft, zipfile.ZipFile(draft, "w", allowZip64=True) as archive:
        said = {"format": FORMAT, "format_version": FORMAT_VERSION, **asdict(manifest)}
        archive.writestr(MANIFEST, json.dumps(said, indent=1, ensure_ascii=False))
        # PostgreSQL's own format is compressed already.
        method = zipfile.ZIP_DEFLATED if engine == "sqlite" else zipfile.ZIP_STORED
        archive.write(content, CONTENT[engine], compress_type=method, compresslevel=1)
    return manifest


def read_archive(source: Path, folder: Path) -> tuple[Manifest, Path]:
    """Unpack a backup into `folder` and return its manifest and the copy, whose hash has been checked.

    Raises Refusal BACKUP-UNREADABLE, BACKUP-NOT-OURS, BACKUP-DAMAGED.
    """
    if not source.is_file():
        raise Refusal("BACKUP-UNREADABLE", f"There is no file {source}.")
    if not zipfile.is_zipfile(source):
        raise Refusal("BACKUP-NOT-OURS", f"{source.name} is not a backup of this program, or is cut short.")
    try:
        with zipfile.ZipFile(source) as archive:
            manifest = _manifest(json.loads(archive.read(MANIFEST)))
            content = folder / CONTENT[manifest.engine]
            _unpack(archive, content)
    except PermissionError:
        raise Refusal("BACKUP-UNREADABLE", f"{source.name} may not be read by this user.") from None
    except _UNREADABLE as error:
        raise _damaged(source, str(error)) from error
    if (content.stat().st_size, sha256_of(content)) != (manifest.content_bytes, manifest.content_sha256):
        raise _damaged(source, "its content is not what was written")
    return manifest, content


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file as hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def private_file(path: Path) -> Path:
    """Make an empty new file that its owner alone may read, and return its path."""
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    return path


def _manifest(said: dict[str, Any]) -> Manifest:
    if said["format"] != FORMAT:
        raise ValueError("its manifest is of something else")
    if said["format_version"] != FORMAT_VERSION:
        raise Refusal("BACKUP-NEWER", "The backup was made by a newer version of this program. Update first.")
    return Manifest(
        engine=said["engine"],
        taken_at=said["taken_at"],
        clinic=ClinicFacts(**said["clinic"]),
        content_bytes=said["content_bytes"],
        content_sha256=said["content_sha256"],
    )


def _unpack(archive: zipfile.ZipFile, content: Path) -> None:
    with archive.open(content.name) as packed, private_file(content).open("wb") as unpacked:
        _copy(packed, unpacked)


def _copy(source: IO[bytes], target: IO[bytes]) -> None:
    while chunk := source.read(_CHUNK):
        target.write(chunk)


@contextmanager
def _finished(target: Path, *, force: bool) -> Iterator[IO[bytes]]:
    """Give a file to write; when the block ends well it takes the name `target`, else it is gone."""
    if target.exists() and not force:
        raise _exists(target)
    draft = target.with_name(f".{target.name}.{secrets.token_hex(6)}")
    try:
        with private_file(draft).open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        _take_name(draft, target, force=force)
    except OSError as error:
        raise Refusal("BACKUP-UNWRITABLE", f"{target} cannot be written: {error.strerror}.") from error
    finally:
        draft.unlink(missing_ok=True)


def _take_name(draft: Path, target: Path, *, force: bool) -> None:
    if force:
        draft.replace(target)
        return
    try:
        # Unlike a rename, a link never takes the place of a file that came meanwhile.
        os.link(draft, target)
    except FileExistsError:
        raise _exists(target) from None


def _exists(target: Path) -> Refusal:
    return Refusal("BACKUP-EXISTS", f"{target} is there already. Choose another name, or say --force.")


def _damaged(source: Path, why: str) -> Refusal:
    return Refusal("BACKUP-DAMAGED", f"{source.name} is damaged ({why}). Nothing was touched. Use another.")
