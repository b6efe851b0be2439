"""`flask report`: the same reports from the command line. Exit 0 when issued, 1 when not; one line each says what."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO

import click
from flask.cli import with_appcontext

from inventory.kernel.clinic_command import ClinicCommand
from inventory.kernel.clock import now
from inventory.kernel.errors import Refusal, Refusals
from inventory.kernel.permissions import Actor, Permission
from inventory.reports import services
from inventory.reports.queries.issued import IssuedReport
from inventory.reports.queries.requests import Asked
from inventory.reports.register import FileFormat
from inventory.staff.actor_option import as_user

_DAY = click.DateTime(["%Y-%m-%d"])


@click.group("report")
def report() -> None:
    """Issue reports."""


@report.group("issue")
def issue() -> None:
    """Issue a report and write it to a file."""


@issue.command("administrations", cls=ClinicCommand)
@click.option("--from", "first", type=_DAY, required=True, metavar="YYYY-MM-DD", help="First day, included.")
@click.option("--to", "last", type=_DAY, required=True, metavar="YYYY-MM-DD", help="Last day, included.")
@click.option("--site", "site_code", default="", metavar="CODE", help="One site; without it, all sites.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="A .pdf or .csv file to write.")
@with_appcontext
@as_user(Permission.REPORT_ISSUE)
def administrations(first: datetime, last: datetime, site_code: str, out: Path, actor: Actor) -> None:
    """Issue the report of every dose given in a period of each site's own days."""
    asked = Asked(first_day=first.date(), last_day=last.date(), site_code=site_code)
    try:
        line = _issued(asked, out, actor)
    except (Refusal, Refusals) as refusal:
        click.echo(f"not issued: {refusal}", err=True)
        raise SystemExit(1) from None
    except OSError as error:
        click.echo(f"not issued: {out} cannot be written ({error.strerror})", err=True)
        raise SystemExit(1) from None
    click.echo(line)


def _issued(asked: Asked, out: Path, actor: Actor) -> str:
    file_format: FileFormat = "csv" if out.suffix.lower() == ".csv" else "pdf"
    at = now()
    # Opened first: a report that cannot be written must not take a number.
    with _written_beside(out) as written:
        report = services.issue_administration_report(asked=asked, actor=actor, at=at)
        file = services.fetch_file(report_id=report.id, file_format=file_format, actor=actor, at=at)
        written.write(file.content)
    return _said(report, out, dict(report.files)[file_format])


@contextmanager
def _written_beside(out: Path) -> Iterator[IO[bytes]]:
    """Give a file beside `out` that takes its place when the block ends well, and is gone when it does not."""
    place = out.resolve()
    if place.exists() and not place.is_file():
        raise OSError(errno.EEXIST, "it is there, and no file")
    with NamedTemporaryFile(dir=place.parent, prefix=f".{place.name}.", delete=False) as beside:
        try:
            yield beside
            beside.close()
            Path(beside.name).replace(place)
        except BaseException:
            Path(beside.name).unlink(missing_ok=True)
            raise


def _said(report: IssuedReport, out: Path, sha256: str) -> str:
    days = f"{report.period_from} to {report.period_to}"
    return f"report {report.label} issued: {report.row_count} doses, {days}, in {out} (sha256 {sha256})"


COMMANDS = [report]
