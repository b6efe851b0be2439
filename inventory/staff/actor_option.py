"""The option by which a command says in whose name it acts: `--as USER`; without it, the row of commands (law 6).

Law kept here: a person may do on the command line what they may do on the pages, and no more (law 11).
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from inventory.kernel.clock import now
from inventory.kernel.permissions import SYSTEM_ACTOR, Permission
from inventory.staff import queries


def as_user(permission: Permission) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a command the option `--as USER` and hand it that person, who holds `permission`, as the keyword `actor`.

    Stands directly above the function, below the command's own decorators, so that the application is there to ask. Ends
    the command with NOT-PERMITTED and exit status 1 for a person without the permission; the row of commands may do all.
    """

    def with_actor(command: Callable[..., Any]) -> Callable[..., Any]:
        @click.option("--as", "as_username", metavar="USER", help="Act as this person; else as system:cli.")
        @wraps(command)
        def run(*args: Any, as_username: str | None, **values: Any) -> Any:
            actor = queries.actor_named(as_username, at=now())
            if actor is None:
                raise click.BadParameter(f"there is no active person {as_username!r}.", param_hint="--as")
            if actor != SYSTEM_ACTOR and not actor.can(permission):
                raise click.ClickException(f"NOT-PERMITTED {actor.name} may not do this ({permission}).")
            return command(*args, actor=actor, **values)

        return run

    return with_actor
