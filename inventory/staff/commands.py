"""`flask user`: people from the command line. A password is never typed here: a one-time link is printed instead."""

from datetime import datetime
from typing import Any

import click

from inventory.kernel.clinic_command import ClinicGroup
from inventory.kernel.clock import now
from inventory.kernel.errors import Refusal, Refusals
from inventory.kernel.permissions import Actor, Permission, Role
from inventory.staff import queries, services
from inventory.staff.actor_option import as_user
from inventory.staff.links import outside_address
from inventory.staff.services.links import IssuedLink

user_group = ClinicGroup("user", help="People of the clinic.")


@user_group.command("add")
@click.argument("username")
@click.option("--name", "display_name", required=True, help="The name as it stands on reports.")
@click.option(
    "--role", "roles", multiple=True, required=True, type=click.Choice([str(role) for role in Role]),
    help="What the person does here; repeat it for several.",
)  # fmt: skip
@click.option("--email", default="", help="E-mail address.")
@click.option("--title", "credential_title", default="", help="Such as RN or MD.")
@click.option("--licence-number", default="", help="Needed for a practitioner or a prescriber.")
@click.option("--licence-expires", type=click.DateTime(["%Y-%m-%d"]), help="YYYY-MM-DD.")
@as_user(Permission.STAFF_MANAGE)
def add(*, actor: Actor, roles: tuple[str, ...], licence_expires: datetime | None, **entry: Any) -> None:
    """Add a person and print the link, good for 24 hours, by which they choose their password."""
    try:
        outcome = services.add_person(
            actor=actor,
            at=now(),
            roles=[Role(role) for role in roles],
            licence_expires_on=licence_expires.date() if licence_expires else None,
            **entry,
        )
        issued = services.issue_link(actor=actor, at=now(), user_id=outcome.subject_id)
    except (Refusal, Refusals) as refusal:
        raise click.ClickException(str(refusal)) from refusal
    click.echo(f"Added {entry['username']}.")
    _print_link(issued)


@user_group.command("link")
@click.argument("username")
@as_user(Permission.STAFF_MANAGE)
def link(*, actor: Actor, username: str) -> None:
    """Print a link, good for 24 hours, by which a person chooses a new password."""
    user = queries.person_named(username)
    if user is None:
        raise click.ClickException(f"There is no person {username!r}.")
    try:
        issued = services.issue_link(actor=actor, at=now(), user_id=user.id)
    except Refusal as refusal:
        raise click.ClickException(str(refusal)) from refusal
    _print_link(issued)


@user_group.command("setup-code")
def setup_code() -> None:
    """Print a new one-time code for the first visit to an empty clinic."""
    if not queries.nobody_yet():
        raise click.ClickException("This clinic is set up already.")
    click.echo(services.issue_setup_code(at=now()))


def _print_link(issued: IssuedLink) -> None:
    click.echo(f"The link works once, within 24 hours: {outside_address('staff.link', token=issued.token)}")


COMMANDS: list[click.Command] = [user_group]
