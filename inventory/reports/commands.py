"""`flask report`: the same reports from the command line. Exit 0 when issued, 1 when not; one line each says what."""

import errno
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, Any

import click
from flask import current_app
from flask.cli import with_appcontext

from inventory.audit.services import log_access
from inventory.doses.rules.terms import BodySite
from inventory.kernel.clinic_command import ClinicCommand
from inventory.kernel.clock import now
from inventory.kernel.db import db
from inventory.kernel.errors import Refusal, Refusals
from inventory.kernel.permissions import SYSTEM_ACTOR, Actor, Permission
from inventory.reports import pseudonyms, services
from inventory.reports.issuing import issue_report
from inventory.reports.jobs.process import end_with_server, yield_to_the_server
from inventory.reports.jobs.queue import queue_of
from inventory.reports.kinds import KIND_WORDS, KindWords, ReportKind
from inventory.reports.manifest import in_groups
from inventory.reports.progress import Progress, unwatched
from inventory.reports.queries import requests
from inventory.reports.queries.issued import IssuedReport
from inventory.reports.queries.requests import Asked
from inventory.reports.register import FileFormat
from inventory.reports.signing.known import known_keys, rotate_key, signing_now
from inventory.reports.verification.checks import verify_report
from inventory.reports.verification.reading import MOST_BYTES
from inventory.staff.actor_option import as_user
from inventory.web.presenting import clinic_in_words

Option = Callable[[Callable[..., Any]], Callable[..., Any]]
_DAY = click.DateTime(["%Y-%m-%d"])


@click.group("report")
def report() -> None:
    """Issue reports, and verify them."""


@report.group("issue")
def issue() -> None:
    """Issue a report and write it to a file. Each kind asks only what it needs."""


def _kind(kind: ReportKind) -> click.Command:
    """Return the command of one kind of report, with the options that the kind asks."""
    words = KIND_WORDS[kind]

    def issued(*, out: Path, actor: Actor, **options: Any) -> None:
        asked = partial(_asked, options)

        def made(at: datetime) -> IssuedReport:
            with _bar() as progress:
                return issue_report(kind=kind, asked=asked(at), actor=actor, at=at, progress=progress)

        _issue(made, out, actor)

    command = as_user(words.issues)(issued)
    for option in reversed([*_days(words), *(_OPTIONS[name] for name in words.asks), _OUT]):
        command = option(command)
    about = f"{words.title}. {words.about}"
    return issue.command(kind.value, cls=ClinicCommand, help=about)(with_appcontext(command))


def _days(words: KindWords) -> list[Option]:
    return [_FROM, _TO] if words.has_days else []


_OUT: Option = click.option(
    "--out", type=click.Path(path_type=Path), required=True, help="A .pdf or .csv file to write."
)
_FROM: Option = click.option(
    "--from", "first", type=_DAY, required=True, metavar="YYYY-MM-DD", help="First day, included."
)
_TO: Option = click.option(
    "--to", "last", type=_DAY, required=True, metavar="YYYY-MM-DD", help="Last day, included."
)
_OPTIONS: dict[str, Option] = {
    "site_code": click.option(
        "--site", "site_code", default="", metavar="CODE", help="One site; without it, all sites."
    ),
    "giver_id": click.option("--practitioner", default="", metavar="USERNAME", help="Who gave the doses."),
    "patient_record_number": click.option(
        "--patient",
        "patient_record_number",
        default="",
        metavar="RECORD",
        help="One patient's record number.",
    ),
    "formulation_id": click.option(
        "--formulation", default="", metavar="NAME", help="One formulation; without it, all."
    ),
    "lot_number": click.option(
        "--lot", "lot_number", default="", metavar="NUMBER", help="One lot; without it, all lots."
    ),
    "body_site": click.option(
        "--body-site", type=click.Choice([site.value for site in BodySite]), help="One injection site."
    ),
    "person_id": click.option("--person", default="", metavar="USERNAME", help="Who looked at patients."),
    "level": click.option("--by-vial", is_flag=True, help="Also vial by vial."),
    "recall_id": click.option("--recall", default="", metavar="NUMBER", help="The number of the recall."),
}


def _asked(options: Mapping[str, Any], at: datetime) -> Asked:
    """What the options ask for. Raises Refusal CHOICE-INVALID for a name that is nobody's."""
    today = at.date()
    first, last = options.get("first"), options.get("last")
    body_site = options.get("body_site")
    return Asked(
        first_day=first.date() if first else today,
        last_day=last.date() if last else today,
        site_code=options.get("site_code", ""),
        patient_record_number=options.get("patient_record_number", ""),
        lot_number=options.get("lot_number", ""),
        body_site=BodySite(body_site) if body_site else None,
        giver_id=requests.person_named(options["practitioner"], "giver_id")
        if options.get("practitioner")
        else None,
        person_id=requests.person_named(options["person"], "person_id") if options.get("person") else None,
        formulation_id=requests.formulation_named(options["formulation"])
        if options.get("formulation")
        else None,
        recall_id=requests.recall_numbered(options["recall"]) if options.get("recall") else None,
        by_part=options.get("by_vial", False),
    )


for _each in KIND_WORDS:
    _kind(_each)


@report.command("pseudonym", cls=ClinicCommand)
@click.argument("code")
@with_appcontext
@as_user(Permission.PATIENT_READ)
def pseudonym(code: str, actor: Actor) -> None:
    """Say which patient of this clinic a pseudonym stands for. It is a look at the patient, and logged."""
    patient = pseudonyms.resolved(code)
    if patient is None:
        click.echo("nobody of this clinic bears this pseudonym", err=True)
        raise SystemExit(1)
    log_access(actor, patient.id, "pseudonym")
    click.echo(f"{code.strip().upper()}: record number {patient.record_number}")


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
    return _said(report, out, next(file.sha256 for file in report.files if file.format == file_format))


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


@report.group("key")
def key() -> None:
    """The key that signs the reports."""


@key.command("show", cls=ClinicCommand)
@with_appcontext
def show_key() -> None:
    """Print the fingerprints of the keys that sign and signed, the newest first."""
    known, present = known_keys(db.session()), signing_now()
    for one in known:
        stands = "signs now" if one.fingerprint == present else "earlier  "
        click.echo(f"{stands}  {in_groups(one.fingerprint)}  since {one.known_at:%Y-%m-%d}")
    if present not in {one.fingerprint for one in known}:
        click.echo("no known key signs now: the next report says why, or is signed with another")


@key.command("rotate", cls=ClinicCommand)
@with_appcontext
@as_user(Permission.SETTINGS_MANAGE)
def rotate(actor: Actor) -> None:
    """Make a new key and sign with it from now on; what was signed before stays verifiable."""
    try:
        made = rotate_key(actor=actor, at=now())
    except Refusal as refusal:
        click.echo(f"not rotated: {refusal}", err=True)
        raise SystemExit(1) from None
    click.echo(f"signs now  {in_groups(made.fingerprint)}")
    click.echo("Give the fingerprint to your auditors on another way than the reports.")


@click.command("worker", cls=ClinicCommand)
@click.option("--with-server", is_flag=True, hidden=True, help="End when the server that started it ends.")
@with_appcontext
def worker(*, with_server: bool) -> None:
    """Make the long reports that people ask for, one at a time: beside gunicorn. `flask serve` starts one itself."""
    yield_to_the_server()
    queue_of(current_app).listen(until=end_with_server if with_server else None)


COMMANDS = [report, worker]
