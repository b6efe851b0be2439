"""Somebody else's word at the present browser: a prescriber, a second person or a witness confirms by name and password.

No session is opened for them. The tries are counted as those of a sign-in are, so that this is no way to guess faster.
"""

from datetime import datetime
from uuid import UUID

from inventory.kernel.db import unit_of_work
from inventory.kernel.errors import Refusal
from inventory.kernel.permissions import Actor
from inventory.staff import passwords, queries
from inventory.staff.services.sign_in import count_attempt, mark_success


def confirm_person(
    *,
    username: str,
    password: str,
    at: datetime,
    address: str,
    field: str = "username",
    site_id: UUID | None = None,
) -> Actor:
    """Return the active person of this name and password, as the actor of a decision of theirs.

    `field` is the form's field for the name; what does not fit is said beside that of the password. Raises Refusal
    CONFIRM-NEEDED for an empty one, CONFIRM-WRONG, which never tells what was wrong, TooManyTries SIGN-IN-WAIT, and
    WITNESS-SITE for somebody who does not work at `site_id`.
    """
    if not username or not password:
        raise Refusal("CONFIRM-NEEDED", "Whoever confirms types their own username and password.", field)
    attempt = count_attempt(username=username, address=address, at=at)
    user = queries.person_named(username)
    right = passwords.matches(user.password_hash if user else None, password)
    if user is None or not right or not queries.is_let_in(user, at):
        raise Refusal(
            "CONFIRM-WRONG",
            "Username and password do not fit together.",
            field.replace("username", "password"),
        )
    confirmed = queries.actor_of(user)
    with unit_of_work() as session:
        mark_success(session, attempt)
    if site_id is not None:
        refuse_from_elsewhere(confirmed, site_id, field)
    return confirmed


def refuse_from_elsewhere(person: Actor, site_id: UUID, field: str) -> None:
    """Raise Refusal WITNESS-SITE for somebody whose word counts at other sites only."""
    if not person.works_at(site_id):
        raise Refusal(
            "WITNESS-SITE", f"{person.name} does not work at this site. Ask somebody who does.", field
        )
