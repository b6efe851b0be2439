"""Whether what a page's address names is the person's to see: of their sites, and of their days; asked before every page, here.

Law kept here: least sight (11). Each room says once how the sites of what it keeps are found (`belongs`); what belongs to no
site, such as a patient, a lot or a product, is the whole clinic's. Who works everywhere is never asked about.

An auditor may be let in to some days of the records only. They open no page but those that say of themselves that they keep
to these days (`keeps_to_days`), and those about their own account; and what such a page's address names must be of these days (`dated`).
"""

from collections.abc import Callable, Iterable
from datetime import date, datetime
from typing import Any
from uuid import UUID

from flask import Flask, current_app, request
from sqlalchemy import CompoundSelect, Select, select
from sqlalchemy.orm import Session

from inventory.audit.limits import Span, is_limited_auditor, keeps, span_here
from inventory.audit.models import AuditEntry, AuditLink
from inventory.clinic.current import refuse_unseen, visible_sites
from inventory.clinic.models import Location
from inventory.kernel.db import db
from inventory.kernel.errors import Refusal, not_found
from inventory.kernel.permissions import Permission
from inventory.web.access import permission_of
from inventory.web.navigation import also_needs

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


Test = Callable[[Session, Any, Span], bool]
"""Tells whether what an id names is of these days."""

DATED: dict[str, Test] = {}
"""By the name of a route's argument, how it is told whether what it names is of the days that a person may see."""


def dated(argument: str, test: Test) -> None:
    """Declare how it is told whether what a route's `argument` names is of somebody's days."""
    DATED[argument] = test


def of_moments(statement: Callable[[Any], Select[Any]]) -> Test:
    """Return the test that every day and instant which a statement finds is of the days; finding none is not."""

    def test(session: Session, key: Any, span: Span) -> bool:
        found = [moment for row in session.execute(statement(key)) for moment in row]
        return bool(found) and all(_is_within(moment, span) for moment in found)

    return test


def _is_within(moment: date | datetime | None, span: Span) -> bool:
    if isinstance(moment, datetime):
        return span.has_instant(moment)
    return moment is not None and moment in span.days


def may_open(endpoint: str) -> bool:
    """Tell whether a page keeps to the days of whoever asks; who sees every day opens all."""
    if not span_here():
        return True
    view = current_app.view_functions[endpoint]
    access = permission_of(view)
    is_own = access is not None and set(access.permissions) <= {Permission.OWN_ACCOUNT}
    return keeps(view) or is_own


def check_days() -> None:
    """Refuse a page that does not keep to the days a person may see (DAYS-ONLY), and what is of other days: NOT-FOUND."""
    if request.endpoint is None or not is_limited_auditor():
        return
    span = span_here()
    if not may_open(request.endpoint):
        raise Refusal(
            "DAYS-ONLY", "Your account is limited to some days, and this page shows others too.", status=403
        )
    for argument, value in (request.view_args or {}).items():
        if argument in DATED and not DATED[argument](db.session(), value, span):
            raise not_found(OWNERS[argument][0] if argument in OWNERS else "page")


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
    app.before_request(check_days)
    also_needs(app, may_open)


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

dated(
    "seq",
    of_moments(
        lambda key: (
            select(AuditEntry.recorded_at)
            .join(AuditLink, AuditLink.entry_id == AuditEntry.id)
            .where(AuditLink.seq == key)
        )
    ),
)
