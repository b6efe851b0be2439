"""`flask audit verify`: whether the trail, and every row it witnesses, is as it was recorded."""

import re

import click

from inventory.audit.verification import Verification
from inventory.kernel.clinic_command import ClinicGroup
from inventory.kernel.db import db
from inventory.web.presenting import clinic_in_words

audit_group = ClinicGroup("audit", help="The trail: everything that was done, chained.")


def _head(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str:
    head = re.sub(r"\s", "", value or "").lower()
    if value is not None and not re.fullmatch(r"[0-9a-f]{16,64}", head):
        raise click.BadParameter("a head is 64 hexadecimal digits; at least its first 16 are needed.")
    return head


@audit_group.command("verify")
@click.option("--head", callback=_head, help="A head that was printed or written down; is it in this chain?")
@click.pass_context
def verify(context: click.Context, *, head: str) -> None:
    """Check the chain, its payloads, the laws and every row that the trail witnesses. Exit 1 where anything is wrong."""
    click.echo(f"Checked: {clinic_in_words()}.")
    check = Verification(db.session(), sought_head=head)
    found = 0
    for line in check.whole():
        click.echo(line)
        found += 1
    if check.sought_at is not None:
        click.echo(f"The head {head} is in this chain, at entry {check.sought_at}.")
    if found:
        context.exit(1)
    if check.erased:
        click.echo(f"{check.erased} payloads were erased by the clinic; their hashes stay in the chain.")
    click.echo(f"The trail is well: {check.entries} entries, head {check.seq} {check.hash}.")


COMMANDS: list[click.Command] = [audit_group]
