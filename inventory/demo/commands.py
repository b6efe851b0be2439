"""`flask demo build`: fills the demo's own database, as many doses as are asked for."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click
import flask_migrate
from flask import current_app
from flask.cli import AppGroup

from inventory.demo import services
from inventory.kernel import clock
from inventory.kernel.errors import Refusal

demo_group = AppGroup("demo", help="The invented clinic, in a database of its own.")


@demo_group.command("build")
@click.option(
    "--doses",
    type=click.IntRange(1, services.MOST_DOSES),
    default=services.DEFAULT_DOSES,
    show_default=True,
    help="How many doses were given.",
)
@click.option("--seed", type=int, default=services.DEFAULT_SEED, help="The same seed gives the same clinic.")
def build_command(*, doses: int, seed: int) -> None:
    """Build the demo clinic, with its people, stock and history. Only into the demo's empty database."""
    try:
        services.refuse_real_clinic()
        flask_migrate.upgrade(directory=current_app.config["MIGRATIONS_DIR"])
        services.refuse_present_clinic()
        with _progress(doses) as tell:
            services.build(at=clock.now(), doses=doses, seed=seed, tell=tell)
    except Refusal as refusal:
        raise click.ClickException(f"{refusal.code}: {refusal.message}") from refusal
    click.echo(f"The demo clinic is built: {doses:,} doses. Serve it with: make demo")


COMMANDS: list[click.Command] = [demo_group]


@contextmanager
def _progress(doses: int) -> Iterator[Callable[[int], None]]:
    """Give what moves a progress bar on stderr, told how many doses there are by now."""
    with click.progressbar(length=doses, label="Doses", file=sys.stderr) as bar:
        yield lambda made: bar.update(made - bar.pos)
