"""The option by which a command says in whose name it acts: `--as USER`; without it, the row of commands (law 6)."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from inventory.staff import queries


def as_user(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the option `--as USER` and hand it that person as the keyword `actor`.

    Stands directly above the function, below the command's own decorators, so that the application is there to ask.
    """

    @click.option("--as", "as_username", metavar="USER", help="Act as this person; else as system:cli.")
    @wraps(command)
    def run(*args: Any, as_username: str | None, **values: Any) -> Any:
        actor = queries.actor_named(as_username)
        if actor is None:
            raise click.BadParameter(f"there is no active person {as_username!r}.", param_hint="--as")
        return command(*args, actor=actor, **values)

    return run
