"""`flask report`: the same reports from the command line. Exit 0 when issued, 1 when not; one line each says what."""

from datetime import datetime
from pathlib import Path

import click
from flask.cli import with_appcontext

from inventory.kernel.clinic_command import ClinicCommand
from inventory.kernel.clock import now
from inventory.kernel.errors import Refusal, Refusals
from inventory.kernel.permissions import Actor
from inventory.reports import services
from inventory.reports.queries.issued import IssuedReport
from inventory.reports.queries.requests import Asked
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
@as_user
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
    file_format: services.FileFormat = "csv" if out.suffix.lower() == ".csv" else "pdf"
    # Opened first: a report that cannot be written must not take a number.
    with out.open("ab"):
        pass
    at = now()
    report = services.issue_administration_report(asked=asked, actor=actor, at=at)
    file = services.fetch_file(report_id=report.id, file_format=file_format, actor=actor, at=at)
    out.write_bytes(file.content)
    return _said(report, out, dict(report.files)[file_format])


def _said(report: IssuedReport, out: Path, sha256: str) -> str:
    days = f"{report.period_from} to {report.period_to}"
    return f"report {report.label} issued: {report.row_count} doses, {days}, in {out} (sha256 {sha256})"


COMMANDS = [report]
