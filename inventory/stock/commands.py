"""`flask stock verify`: is every balance what its movements make it, now and at every instant before?"""

import sys

import click

from inventory.kernel.clinic_command import ClinicGroup
from inventory.kernel.db import db
from inventory.stock import verification
from inventory.web.presenting import clinic_in_words

stock = ClinicGroup("stock", help="The ledger of stock.")


@stock.command()
def verify() -> None:
    """Re-add the ledger from its movements. Exit status 0 when well, 1 with a line for each finding."""
    click.echo(f"Checked: {clinic_in_words()}.")
    found = 0
    for line in verification.findings(db.session()):
        click.echo(line)
        found += 1
    if found:
        click.echo(f"The stock is not well: {found:,} {'finding' if found == 1 else 'findings'}.")
        sys.exit(1)
    n = verification.counted(db.session())
    click.echo(
        f"The stock is well: {n.movements:,} movements between {n.accounts:,} accounts of {n.lots:,} lots re-added."
    )


COMMANDS: list[click.Command] = [stock]
