"""Every write about the clinic itself: the first visit, sites, storage locations, settings."""

from datetime import datetime
from uuid import UUID

from inventory.audit.acts import Act, Outcome, perform
from inventory.clinic import rules
from inventory.clinic.models import Location, LocationKind, Site
from inventory.kernel.errors import Refusal, Refusals
from inventory.kernel.ids import uuid7
from inventory.kernel.laws import means
from inventory.kernel.permissions import Actor

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
    code = rules.site_code(code)
    _refuse_if(rules.site_refusals(code=code, name=name, time_zone=time_zone))

    def write(act: Act) -> Outcome:
        site = Site(id=uuid7(), code=code, name=name, address=address, time_zone=time_zone, created_at=at)
        act.session.add(site)
        act.session.flush()
        facts = {"code": code, "name": name, "address": address, "time_zone": time_zone}
        return act.record("clinic.site-added", "site", site.id, site_id=site.id, facts=facts)

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
    """Add a fridge, cabinet or room to a site. Raises Refusal LOCATION-NAME, LOCATION-TAKEN."""
    _refuse_if(rules.location_refusals(name))

    def write(act: Act) -> Outcome:
        location = Location(id=uuid7(), site_id=site_id, name=name, kind=kind)
        act.session.add(location)
        facts = {"name": name, "kind": kind}
        return act.record("clinic.location-added", "location", location.id, site_id=site_id, facts=facts)

    return perform(write, actor=actor, at=at, request_key=request_key)


def _refuse_if(refusals: list[Refusal]) -> None:
    if refusals:
        raise Refusals(refusals)
