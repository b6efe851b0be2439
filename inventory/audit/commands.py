"""`flask audit`: whether the trail and what it witnesses is as it was recorded; sealing looks; giving the head away."""

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from sqlalchemy.exc import OperationalError

from inventory.audit import publishing
from inventory.audit.held_heads import HeldHead, HeldHeadError, read_heads
from inventory.audit.queries import head as head_of_trail
from inventory.audit.sealed_views import seal_views
from inventory.audit.sealing import seal_looks
from inventory.audit.verification import Verification
from inventory.kernel.clinic_command import ClinicGroup
from inventory.kernel.db import db
from inventory.kernel.permissions import SYSTEM_ACTOR
from inventory.web.presenting import clinic_in_words

MOST_LINES = 100
"""How many findings are said line by line."""

audit_group = ClinicGroup("audit", help="The trail: everything that was done, chained.")


def _head(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str:
    head = re.sub(r"\s", "", value or "").lower()
    if value is not None and not re.fullmatch(r"[0-9a-f]{16,64}", head):
        raise click.BadParameter("a head is 64 hexadecimal digits; at least its first 16 are needed.")
    return head


@audit_group.command("verify")
@click.option("--head", callback=_head, help="A head that was printed or written down; is it in this chain?")
@click.option(
    "--heads",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file of heads held elsewhere (HEADS_FILE); is each of them in this chain?",
)
@click.pass_context
def verify(context: click.Context, *, head: str, heads: Path | None) -> None:
    """Check the chain, its payloads, the laws, the looks and every row that the trail witnesses. Exit 1 where anything is wrong."""
    held = _held(heads)
    click.echo(f"Checked: {clinic_in_words()}.")
    check = Verification(db.session(), sought_head=head, held_heads=held)
    found = _say_findings(check)
    if check.sought_at is not None:
        click.echo(f"The head {head} is in this chain, at entry {check.sought_at}.")
    if found:
        context.exit(1)
    if check.erased:
        click.echo(f"{check.erased} payloads were erased by the clinic; their hashes stay in the chain.")
    if held:
        click.echo(f"Held elsewhere: {len(held)} heads, all of them in this chain.")
    if check.looks or check.unsealed:
        click.echo(
            f"Looks at patients: {check.looks} in {check.seals} seals; the newest {check.unsealed} are not sealed yet."
        )
    if check.views or check.unsealed_views:
        click.echo(
            f"What auditors were shown: {check.views} sealed; the newest {check.unsealed_views} are not sealed yet."
        )
    click.echo(f"The trail is well: {check.entries} entries, head {check.seq} {check.hash}.")


def _held(file: Path | None) -> list[HeldHead]:
    """Return the heads of a file. Raises ClickException for one that holds something else, or nothing."""
    try:
        held = list(read_heads(file.read_text(encoding="utf-8").splitlines())) if file else []
    except (HeldHeadError, UnicodeDecodeError) as error:
        raise click.ClickException(f"{file}: {error}") from error
    if file and not held:
        raise click.ClickException(f"{file} holds no head.")
    return held


def _say_findings(check: Verification) -> int:
    """Say what is wrong: which entry is the first, then the lines, not more than MOST_LINES; return how many there are."""
    found, first = 0, None
    with _progress(check) as say:
        for line in check.whole():
            if check.first_bad is not None and first is None:
                first = check.first_bad
                say(f"The first bad entry is {first}.")
            found += 1
            if found <= MOST_LINES:
                say(line)
    if found > MOST_LINES:
        click.echo(f"... and {found - MOST_LINES} more.")
    return found


@contextmanager
def _progress(check: Verification) -> Iterator[Callable[[str], None]]:
    """Show on a terminal how far the check is; give what says a line without breaking the bar."""
    if not on_a_terminal():
        yield click.echo
        return
    length = head_of_trail(db.session()).seq
    with click.progressbar(length=length, label="Entries", file=sys.stderr) as bar:
        check.progress = bar.update

        def say(line: str) -> None:
            click.echo("\r\033[K", err=True, nl=False)
            click.echo(line)

        yield say


def on_a_terminal() -> bool:
    """Tell whether a person sees what is written to stderr."""
    return sys.stderr.isatty()


@audit_group.command("seal")
def seal() -> None:
    """Seal the looks at patients, and what auditors were shown, that no seal holds yet. While the clinic is served, it does so by itself within the hour."""
    seals = 0
    try:
        while seal_looks(actor=SYSTEM_ACTOR) is not None:
            seals += 1
        while seal_views(actor=SYSTEM_ACTOR) is not None:
            seals += 1
    except OperationalError as error:
        raise click.ClickException("Looks are being written at this moment. Try again.") from error
    click.echo(f"Sealed: {seals} new." if seals else "Every look is sealed already.")


@audit_group.command("publish-head")
def publish() -> None:
    """Give the head of the trail now, to the file and the addresses that are configured (HEADS_FILE, HEADS_MAIL_TO)."""
    wanted = publishing.channels()
    if not wanted:
        raise click.ClickException("Neither HEADS_FILE nor HEADS_MAIL_TO is set (docs/deploy.md).")
    failures = [channel for channel in wanted if not _given(channel)]
    if failures:
        raise click.ClickException("The head was not given everywhere.")


def _given(channel: str) -> bool:
    why = publishing.publish_head(actor=SYSTEM_ACTOR, channel=channel, again=True)
    click.echo(f"Not given to the {channel}: {why}" if why else f"Given to the {channel}.")
    return not why


COMMANDS: list[click.Command] = [audit_group]
