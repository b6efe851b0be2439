"""`flask report`: the same reports from the command line. Exit 0 when issued, 1 when not; one line each says what."""

import errno
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, Any

import click
from flask.cli import with_appcontext

from inventory.kernel.clinic_command import ClinicCommand
from inventory.kernel.clock import now
from inventory.kernel.errors import Refusal, Refusals
from inventory.kernel.permissions import SYSTEM_ACTOR, Actor, Permission
from inventory.reports import services
from inventory.reports.queries.issued import IssuedReport
from inventory.reports.queries.requests import Asked
from inventory.reports.reconciliations import issue_reconciliation
from inventory.reports.register import FileFormat
from inventory.reports.verification.checks import verify_report
from inventory.reports.verification.reading import MOST_BYTES
from inventory.staff.actor_option import as_user
from inventory.stock.queries.scopes import Wanted
from inventory.web.presenting import clinic_in_words

_DAY = click.DateTime(["%Y-%m-%d"])


@click.group("report")
def report() -> None:
    """Issue reports, and verify them."""


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
    _issue(lambda at: services.issue_administration_report(asked=asked, actor=actor, at=at), out, actor)


@issue.command("reconciliation", cls=ClinicCommand)
@click.option("--from", "first", type=_DAY, required=True, metavar="YYYY-MM-DD", help="First day, included.")
@click.option("--to", "last", type=_DAY, required=True, metavar="YYYY-MM-DD", help="Last day, included.")
@click.option("--site", "site_code", default="", metavar="CODE", help="One site; without it, all sites.")
@click.option("--lot", "lot_number", default="", metavar="NUMBER", help="One lot; without it, all lots.")
@click.option("--by-vial", is_flag=True, help="Also vial by vial.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="A .pdf or .csv file to write.")
@with_appcontext
@as_user(Permission.STOCK_RECONCILE)
def reconciliation(*, by_vial: bool, out: Path, actor: Actor, **asked: Any) -> None:
    """Issue what was there, came, went and is left over a period of each site's own days."""
    wanted = Wanted(
        first_day=asked["first"].date(),
        last_day=asked["last"].date(),
        site_code=asked["site_code"],
        lot_number=asked["lot_number"],
    )
    _issue(lambda at: issue_reconciliation(wanted=wanted, by_part=by_vial, actor=actor, at=at), out, actor)


@report.command("verify", cls=ClinicCommand)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.pass_context
def verify(context: click.Context, *, file: Path) -> None:
    """Check a report's file against this clinic's record: a line for each check. Exit 1 where anything is wrong."""
    click.echo(f"Checked: {clinic_in_words()}.")
    # One byte more than any report has is enough to refuse it.
    with file.open("rb") as opened:
        answer = verify_report(opened.read(MOST_BYTES + 1), actor=SYSTEM_ACTOR)
    for line in answer.lines:
        click.echo(f"{line.verdict:<8} {line.check}: {line.words}")
    click.echo(answer.conclusion)
    if not answer.is_well:
        context.exit(1)


def _issue(issued: Callable[[datetime], IssuedReport], out: Path, actor: Actor) -> None:
    try:
        line = _issued(issued, out, actor)
    except (Refusal, Refusals) as refusal:
        click.echo(f"not issued: {refusal}", err=True)
        raise SystemExit(1) from None
    except OSError as error:
        click.echo(f"not issued: {out} cannot be written ({error.strerror})", err=True)
        raise SystemExit(1) from None
    click.echo(line)


def _issued(issued: Callable[[datetime], IssuedReport], out: Path, actor: Actor) -> str:
    file_format: FileFormat = "csv" if out.suffix.lower() == ".csv" else "pdf"
    at = now()
    # Opened first: a report that cannot be written must not take a number.
    with _written_beside(out) as written:
        report = issued(at)
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
    return f"report {report.label} issued: {report.counted}, {days}, in {out} (sha256 {sha256})"


COMMANDS = [report]
