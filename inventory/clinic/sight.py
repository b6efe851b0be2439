"""Whether what a page's address names belongs to a site the person works at; asked before every page, in this one place.

Law kept here: least sight (11). Each room says once how the sites of what it keeps are found (`belongs`); what belongs to no
site, such as a patient, a lot or a product, is the whole clinic's. Who works everywhere is never asked about.
"""

from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

from flask import Flask, request
from sqlalchemy import CompoundSelect, Select, select
from sqlalchemy.orm import Session

from inventory.audit.models import AuditEntry, AuditLink
from inventory.clinic.current import refuse_unseen, visible_sites
from inventory.clinic.models import Location
from inventory.kernel.db import db
from inventory.kernel.errors import not_found

Owners = Callable[[Session, UUID], Iterable[UUID | None]]
"""Returns the sites of what an id names: any of them may see it, and None is everybody. Nothing is nobody but who works everywhere."""

OWNERS: dict[str, tuple[str, Owners]] = {}
"""By the name of a route's argument, what it names in words, and its sites."""


def belongs(argument: str, what: str, owners: Owners) -> None:
    """Declare to which sites belongs what a route's `argument` names."""
    OWNERS[argument] = (what, owners)


def of_column(statement: Callable[[UUID], Select[Any] | CompoundSelect[Any]]) -> Owners:
    """Return the owners that a statement of one column of sites finds."""
    return lambda session, key: session.scalars(statement(key)).all()


def check_sight() -> None:
    """Refuse an address that names something of a site the person does not work at, as if it did not exist: NOT-FOUND."""
    if visible_sites() is None:
        return
    for argument, value in (request.view_args or {}).items():
        if argument in OWNERS:
            what, owners = OWNERS[argument]
            found = list(owners(db.session(), value))
            if not found:
                raise not_found(what)
            refuse_unseen(what, *found)


def init_app(app: Flask) -> None:
    """Ask before every page, once it is known who asks."""
    app.before_request(check_sight)


belongs("site_id", "site", lambda _, site_id: [site_id])
belongs(
    "location_id",
    "storage location",
    of_column(lambda key: select(Location.site_id).where(Location.id == key)),
)
belongs(
    "seq",
    "entry of the trail",
    of_column(
        lambda key: (
            select(AuditEntry.site_id)
            .join(AuditLink, AuditLink.entry_id == AuditEntry.id)
            .where(AuditLink.seq == key)
        )
    ),
)
