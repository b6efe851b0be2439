"""`flask import`, `flask backup` and `flask restore`: what is refused is one clear line each, and exit 1."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from flask.cli import with_appcontext

from inventory.audit.verification import Verification
from inventory.interop.rules import BadRowsError
from inventory.interop.services import (
    Imported,
    Restored,
    Source,
    back_up,
    import_labs,
    import_patients,
    import_stock,
    restore,
)
from inventory.kernel import clock
from inventory.kernel.clinic_command import ClinicCommand, ClinicGroup
from inventory.kernel.db import db
from inventory.kernel.errors import Refusal, Refusals
from inventory.kernel.permissions import Actor, Permission
from inventory.staff.actor_option import as_user
from inventory.stock import verification

MOST_FAULTS_SHOWN = 100
_FILE = click.Path(path_type=Path, dir_okay=False)

import_group = ClinicGroup(
    "import", help="Bring in patients, stock or laboratory results from a spreadsheet saved as CSV."
)


@import_group.command("patients")
@click.argument("file", type=_FILE)
@click.option("--dry-run", is_flag=True, help="Check everything and write nothing.")
@click.option("--namesakes", is_flag=True, help="Equal names with equal birth dates are different people.")
@as_user(Permission.PATIENT_WRITE)
def patients_command(*, file: Path, dry_run: bool, namesakes: bool, actor: Actor) -> None:
    """Add the patients of FILE, all of them or none (columns: docs/samples)."""
    with _refused_in_words(file), _progress("Patients") as tell:
        done = import_patients(
            actor=actor, at=clock.now(), source=_source(file), dry_run=dry_run, namesakes=namesakes, tell=tell
        )
    _say(file, done)


@import_group.command("stock")
@click.argument("file", type=_FILE)
@click.option("--dry-run", is_flag=True, help="Check everything and write nothing.")
@click.option("--site", "site_code", metavar="CODE", help="The site it lies at, where there are several.")
@as_user(Permission.STOCK_MANAGE)
def stock_command(*, file: Path, dry_run: bool, site_code: str | None, actor: Actor) -> None:
    """Put the stock of FILE on the shelves as opening balance, all of it or none (columns: docs/samples)."""
    with _refused_in_words(file), _progress("Stock") as tell:
        done = import_stock(
            actor=actor, at=clock.now(), source=_source(file), site_code=site_code, dry_run=dry_run, tell=tell
        )
    _say(file, done)


@import_group.command("labs")
@click.argument("file", type=_FILE)
@click.option("--dry-run", is_flag=True, help="Check everything and write nothing.")
@click.option(
    "--site",
    "site_code",
    metavar="CODE",
    help="The site whose clock the times are of, where there are several.",
)
@as_user(Permission.PATIENT_WRITE)
def labs_command(*, file: Path, dry_run: bool, site_code: str | None, actor: Actor) -> None:
    """Record the laboratory results of FILE, all of them or none (columns: docs/samples)."""
    with _refused_in_words(file), _progress("Results") as tell:
        done = import_labs(
            actor=actor, at=clock.now(), source=_source(file), site_code=site_code, dry_run=dry_run, tell=tell
        )
    _say(file, done)


@click.command("backup", cls=ClinicCommand)
@click.argument("file", type=_FILE)
@click.option("--force", is_flag=True, help="Overwrite FILE if it is there.")
@with_appcontext
@as_user(Permission.SETTINGS_MANAGE)
def backup_command(*, file: Path, force: bool, actor: Actor) -> None:
    """Write the whole clinic to FILE, while it works; only you can read it."""
    with _refused_in_words(file):
        manifest = back_up(file, actor=actor, at=clock.now(), force=force)
    size = file.stat().st_size / 1_000_000
    click.echo(
        f"The clinic is in {file} ({size:.1f} MB); head {manifest.clinic.head_seq} {manifest.clinic.head_hash}."
    )


@click.command("restore")
@click.argument("file", type=_FILE)
@click.option("--replace", is_flag=True, help="Put it in the place of the clinic that is there.")
@with_appcontext
def restore_command(*, file: Path, replace: bool) -> None:
    """Make this clinic what the backup FILE holds, and verify it. Stop the server first."""
    with _refused_in_words(file):
        done = restore(file, at=clock.now(), replace=replace)
    _say_restored(file, done)
    if not _verified():
        raise click.ClickException("RESTORE-UNWELL What was restored is not as it was recorded; see above.")


COMMANDS: list[click.Command] = [import_group, backup_command, restore_command]


def _source(file: Path) -> Source:
    try:
        return Source(file.name, file.read_bytes())
    except OSError as error:
        raise Refusal("IMPORT-UNREADABLE", f"The file cannot be read: {error.strerror}.") from error


@contextmanager
def _refused_in_words(file: Path) -> Iterator[None]:
    """End the command with the refusal's words, or a line for every bad row, and exit 1."""
    try:
        yield
    except Refusal as refusal:
        raise click.ClickException(f"{refusal.code} {file.name}: {refusal.message}") from refusal
    except Refusals as several:
        words = "\n".join(f"{one.code} {file.name}: {one.message}" for one in several.refusals)
        raise click.ClickException(words) from several
    except BadRowsError as bad:
        raise click.ClickException(_told(file, bad)) from bad


def _told(file: Path, bad: BadRowsError) -> str:
    shown = [str(fault) for fault in bad.faults[:MOST_FAULTS_SHOWN]]
    more = len(bad.faults) - len(shown)
    rows = len({fault.line for fault in bad.faults})
    last = [f"and {more:,} more"] if more else []
    head = f"IMPORT-BAD-ROWS {file.name}: {rows:,} of {bad.rows:,} rows cannot be used. Nothing was written."
    return "\n".join([head, *shown, *last])


@contextmanager
def _progress(label: str) -> Iterator[Callable[[int], None]]:
    """Give what counts rows up on stderr, where a person watches."""
    watched = sys.stderr.isatty()
    count = 0

    def tell(rows: int) -> None:
        nonlocal count
        count += rows
        if watched and count % 500 == 0:
            click.echo(f"\r{label}: {count:,} rows", nl=False, err=True)

    yield tell
    if watched and count >= 500:
        click.echo(err=True)


def _say(file: Path, done: Imported) -> None:
    counts = ", ".join(_count_of(number, what) for what, number in done.counts.items())
    if done.dry_run:
        click.echo(f"{file.name} is well and would add: {counts}. Nothing was written.")
    else:
        click.echo(f"Added from {file.name}: {counts}.")


def _count_of(number: int, things: str) -> str:
    words = things.replace("_", " ")
    return f"{number:,} {words.removesuffix('s') if number == 1 else words}"


def _say_restored(file: Path, done: Restored) -> None:
    taken = done.manifest.taken_at
    click.echo(f"Restored “{done.manifest.clinic.clinic}” as it was on {taken} from {file.name}.")
    if done.safety_copy:
        click.echo(f"What was here before is kept in {done.safety_copy}.")


def _verified() -> bool:
    """Say of trail and stock what their own verifications find; tell whether both are well."""
    trail = Verification(db.session())
    findings = [*trail.whole(), *verification.findings(db.session())]
    for finding in findings:
        click.echo(finding)
    if not findings:
        click.echo(f"The trail is well: {trail.entries} entries, head {trail.seq} {trail.hash}.")
        click.echo("The stock is well.")
    return not findings
