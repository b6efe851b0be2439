"""`flask report`: the same reports from the command line. Exit 0 when issued, 1 when not; one line each says what."""

import errno
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, Any

import click
from flask import current_app
from flask.cli import with_appcontext

from inventory.kernel.clinic_command import ClinicCommand
from inventory.kernel.clock import now
from inventory.kernel.errors import Refusal, Refusals
from inventory.kernel.permissions import Actor, Permission
from inventory.reports import services
from inventory.reports.jobs.process import end_with_server, yield_to_the_server
from inventory.reports.jobs.queue import queue_of
from inventory.reports.progress import Progress, unwatched
from inventory.reports.queries.issued import IssuedReport
from inventory.reports.queries.requests import Asked
from inventory.reports.reconciliations import issue_reconciliation
from inventory.reports.register import FileFormat
from inventory.staff.actor_option import as_user
from inventory.stock.queries.scopes import Wanted

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

    def issued(at: datetime) -> IssuedReport:
        with _bar() as progress:
            return services.issue_administration_report(asked=asked, actor=actor, at=at, progress=progress)

    _issue(issued, out, actor)


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


@contextmanager
def _bar() -> Iterator[Progress]:
    """Give what shows on a terminal how far a report has come; elsewhere nothing is shown."""
    if not sys.stderr.isatty():
        yield unwatched
        return
    with click.progressbar(length=1, label="Drawing", file=sys.stderr) as bar:

        def show(done: int, of: int) -> None:
            bar.length = of or 1
            bar.update(done - bar.pos)

        yield show


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


@click.command("worker", cls=ClinicCommand)
@click.option("--with-server", is_flag=True, hidden=True, help="End when the server that started it ends.")
@with_appcontext
def worker(*, with_server: bool) -> None:
    """Make the long reports that people ask for, one at a time: beside gunicorn. `flask serve` starts one itself."""
    yield_to_the_server()
    queue_of(current_app).listen(until=end_with_server if with_server else None)


COMMANDS = [report, worker]
