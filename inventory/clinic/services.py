"""Every write about the clinic itself: sites, storage locations, settings. The first visit is in `first_visit`."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from inventory.audit.acts import Act, Outcome, perform
from inventory.clinic import queries, rules, setting_rules
from inventory.clinic.models import Counter, CounterKind, Location, LocationKind, Setting, Site
from inventory.clinic.settings import Settings, current_settings, encode
from inventory.kernel.errors import Refusal, Refusals
from inventory.kernel.ids import uuid7
from inventory.kernel.laws import means
from inventory.kernel.permissions import SYSTEM_USER_ID, Actor
from inventory.staff.queries import take_staff_turn
from inventory.staff.services.people import already_done, changes, edited_meanwhile

location_guards: list[Callable[[Session, UUID], str | None]] = []
"""Rooms above say here why a storage location cannot be closed (it holds stock), or None. Asked inside the act."""

means(
    Refusal("SITE-CODE-TAKEN", "Another site has this code.", "code"),
    constraint="uq_site_code",
    columns="site.code",
)
means(
    Refusal("LOCATION-TAKEN", "This site has a storage location of this name already.", "name"),
    constraint="uq_location_site_id_name",
    columns="location.site_id, location.name",
)


def add_site(
    *,
    actor: Actor,
    at: datetime,
    code: str,
    name: str,
    time_zone: str,
    address: str = "",
    request_key: str | None = None,
) -> Outcome:
    """Add a place where the clinic works. Raises Refusals SITE-CODE, SITE-NAME, ZONE-UNKNOWN; Refusal SITE-CODE-TAKEN."""
    facts = {"code": rules.site_code(code), "name": name, "address": address, "time_zone": time_zone}
    _refuse_if(rules.site_refusals(code=facts["code"], name=name, time_zone=time_zone))

    def write(act: Act) -> Outcome:
        site = Site(id=uuid7(), created_at=at, **facts)
        act.session.add(site)
        act.session.flush()
        act.session.add_all(Counter(site_id=site.id, kind=kind, value=0) for kind in CounterKind)
        return act.record("clinic.site-added", "site", site.id, site_id=site.id, facts=facts)

    return perform(write, actor=actor, at=at, request_key=request_key)


def edit_site(
    *,
    actor: Actor,
    at: datetime,
    site_id: UUID,
    version: int,
    code: str,
    name: str,
    time_zone: str,
    address: str = "",
    request_key: str | None = None,
) -> Outcome:
    """Change a site's entry, as it was at `version`; doses and reports keep the zone of their day.

    Raises Refusal EDITED-MEANWHILE, NOT-FOUND; otherwise as `add_site`.
    """
    after = {"code": rules.site_code(code), "name": name, "address": address, "time_zone": time_zone}
    _refuse_if(rules.site_refusals(code=after["code"], name=name, time_zone=time_zone))

    def write(act: Act) -> Outcome:
        site = queries.site(site_id)
        act.session.refresh(site, with_for_update={"key_share": True})
        if site.version != version:
            raise edited_meanwhile()
        before = {field: getattr(site, field) for field in after}
        for field, value in after.items():
            setattr(site, field, value)
        facts = changes(before, after)
        return act.record("clinic.site-edited", "site", site_id, site_id=site_id, facts=facts)

    return perform(write, actor=actor, at=at, request_key=request_key)


def add_location(
    *,
    actor: Actor,
    at: datetime,
    site_id: UUID,
    name: str,
    kind: LocationKind,
    request_key: str | None = None,
) -> Outcome:
    """Add a fridge, cabinet or room to a site. Raises Refusals LOCATION-NAME; Refusal LOCATION-TAKEN, NOT-FOUND."""
    _refuse_if(rules.location_refusals(name))

    def write(act: Act) -> Outcome:
        site = queries.site(site_id)
        location = Location(id=uuid7(), site_id=site.id, name=name.strip(), kind=kind)
        act.session.add(location)
        facts = {"name": location.name, "kind": kind}
        return act.record("clinic.location-added", "location", location.id, site_id=site_id, facts=facts)

    return perform(write, actor=actor, at=at, request_key=request_key)


def edit_location(
    *,
    actor: Actor,
    at: datetime,
    location_id: UUID,
    name: str,
    kind: LocationKind,
    request_key: str | None = None,
) -> Outcome:
    """Rename a storage location, or say what it is. Raises as `add_location`."""
    _refuse_if(rules.location_refusals(name))

    def write(act: Act) -> Outcome:
        location = _locked_location(act, location_id)
        before = {"name": location.name, "kind": str(location.kind)}
        location.name, location.kind = name.strip(), kind
        facts = changes(before, {"name": location.name, "kind": str(kind)})
        site_id = location.site_id
        return act.record("clinic.location-edited", "location", location_id, site_id=site_id, facts=facts)

    return perform(write, actor=actor, at=at, request_key=request_key)


def close_location(
    *, actor: Actor, at: datetime, location_id: UUID, request_key: str | None = None
) -> Outcome:
    """Close a storage location that is empty. Raises Refusal LOCATION-IN-USE, ALREADY-DONE, NOT-FOUND."""

    def write(act: Act) -> Outcome:
        location = _locked_location(act, location_id)
        if location.closed_at is not None:
            raise already_done()
        reasons = [reason for guard in location_guards if (reason := guard(act.session, location_id))]
        if reasons:
            raise Refusal("LOCATION-IN-USE", " ".join(reasons))
        location.closed_at = at
        site_id = location.site_id
        return act.record("clinic.location-closed", "location", location_id, site_id=site_id)

    return perform(write, actor=actor, at=at, request_key=request_key)


def reopen_location(
    *, actor: Actor, at: datetime, location_id: UUID, request_key: str | None = None
) -> Outcome:
    """Use a closed storage location again. Raises Refusal ALREADY-DONE, NOT-FOUND."""

    def write(act: Act) -> Outcome:
        location = _locked_location(act, location_id)
        if location.closed_at is None:
            raise already_done()
        location.closed_at = None
        site_id = location.site_id
        return act.record("clinic.location-reopened", "location", location_id, site_id=site_id)

    return perform(write, actor=actor, at=at, request_key=request_key)


def change_settings(
    *,
    actor: Actor,
    at: datetime,
    values: Mapping[str, Any],
    seen_version: str | None = None,
    request_key: str | None = None,
) -> Outcome:
    """Change the settings named in `values` (fields of Settings); the others stay.

    With `seen_version` (setting_rules.version_of) it refuses when they are no longer as the person saw them.
    Raises Refusals VALUE-RANGE, CLINIC-NAME, LIMITS-ORDER; Refusal EDITED-MEANWHILE.
    """

    def write(act: Act) -> Outcome:
        take_staff_turn(act.session)
        if seen_version is not None and seen_version != setting_rules.version_of(current_settings()):
            raise edited_meanwhile()
        return act.record(
            "clinic.settings-changed", "clinic", SYSTEM_USER_ID, facts=set_settings(act, values)
        )

    return perform(write, actor=actor, at=at, request_key=request_key)


def set_settings(act: Act, values: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Inside an act that has taken the staff turn: set these settings, and return what changed, before and after.

    Raises Refusals VALUE-RANGE, CLINIC-NAME, LIMITS-ORDER.
    """
    before = current_settings()
    after = replace(before, **values)
    _refuse_if(setting_rules.setting_refusals(asdict(after)))
    facts = _changed(before, after)
    for key in facts["after"]:
        _store(act.session, key, getattr(after, key))
    return facts


def _changed(before: Settings, after: Settings) -> dict[str, dict[str, Any]]:
    return changes(asdict(before), asdict(after))


def _store(session: Session, key: str, value: Any) -> None:
    row = session.get(Setting, key)
    if row is None:
        session.add(Setting(key=key, value=encode(value)))
    else:
        row.value = encode(value)


def _locked_location(act: Act, location_id: UUID) -> Location:
    location = queries.location(location_id)
    act.session.refresh(location, with_for_update={"key_share": True})
    return location


def _refuse_if(refusals: list[Refusal]) -> None:
    if refusals:
        raise Refusals(refusals)
