"""Where the work is done: the site of the present session, and the clinic's settings, each read once a request.

Law kept here: least sight. Whoever works at some sites only is offered those, and sees nothing that belongs to another.
"""

from datetime import date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Flask, g, has_request_context
from flask_login import current_user

from inventory.audit.limits import Span, set_span_source
from inventory.clinic import queries
from inventory.clinic.models import Site
from inventory.clinic.settings import Settings, current_settings
from inventory.kernel.errors import Refusal, not_found, site_not_yours
from inventory.kernel.permissions import Days
from inventory.staff.policy import Policy, set_policy_source
from inventory.web.presenting import set_clinic_name_source, set_zone_source


def current_site() -> Site:
    """Return the site that the signed-in person works at: the one they chose, else the first. Raises Refusal NO-SITE."""
    site = chosen_site()
    if site is None:
        raise _no_site()
    return site


def current_site_id() -> UUID:
    """Return the id of `current_site`, for an act that needs no more of it. Raises Refusal NO-SITE."""
    if current_user.site_ids is not None:
        return current_site().id
    chosen: UUID | None = current_user.site_id
    found = chosen or queries.first_site_id()
    if found is None:
        raise _no_site()
    return found


def chosen_site() -> Site | None:
    """Return the site of the present session, else the first at which the person works, else None."""
    wanted = current_user.site_id if has_request_context() and current_user.is_authenticated else None
    found = sites_here()
    return next((site for site in found if site.id == wanted), found[0] if found else None)


def sites_here() -> list[Site]:
    """Return the sites at which the signed-in person works, the first one first; read once a request."""
    return [site for site in all_sites() if may_see(site.id)]


def all_sites() -> list[Site]:
    """Return every site of the clinic, the first one first, for the names of where something was; read once a request."""
    if not has_request_context():
        return queries.sites()
    if "clinic_sites" not in g:
        g.clinic_sites = queries.sites()
    found: list[Site] = g.clinic_sites
    return found


def visible_sites() -> frozenset[UUID] | None:
    """Return the sites whose stock, doses and papers the signed-in person may see; None for every site."""
    if not has_request_context():
        return None
    found: frozenset[UUID] | None = current_user.site_ids
    return found


def span_of(days: Days) -> Span:
    """Return these days on the clock of the clinic, which is that of its first site."""
    sites = all_sites()
    zone = ZoneInfo(sites[0].time_zone if sites else "UTC")

    def begins(day: date | None) -> datetime | None:
        return datetime.combine(day, time(), tzinfo=zone) if day else None

    after = days.last + timedelta(days=1) if days.last else None
    return Span(days, begins(days.first), begins(after))


def may_see(site_id: UUID | None) -> bool:
    """Tell whether the signed-in person may see what belongs to a site; what belongs to none is the clinic's."""
    allowed = visible_sites()
    return site_id is None or allowed is None or site_id in allowed


def refuse_unseen(what: str, *site_ids: UUID | None) -> None:
    """Raise Refusal NOT-FOUND for `what` unless one of the sites it belongs to is one the person may see."""
    if not any(may_see(site_id) for site_id in site_ids):
        raise not_found(what)


def refuse_elsewhere(site_id: UUID) -> None:
    """Raise Refusal SITE-NOT-YOURS for an act at a site where the person does not work, before its form is shown."""
    if not may_see(site_id):
        raise site_not_yours()


def _no_site() -> Refusal:
    return Refusal("NO-SITE", "The clinic has no site yet. An administrator adds one under Settings.")


def site_to_show() -> str:
    """Return the name of the present site where there are several to choose from; else nothing."""
    site = chosen_site()
    return site.name if site is not None and len(sites_here()) > 1 else ""


def settings_here() -> Settings:
    """Return the clinic's settings, read once a request."""
    if not has_request_context():
        return current_settings()
    if "clinic_settings" not in g:
        g.clinic_settings = current_settings()
    settings: Settings = g.clinic_settings
    return settings


def init_sources(app: Flask) -> None:
    """Tell the rooms below what the clinic knows: its name, its clock, its rules of passwords and sessions."""
    set_clinic_name_source(app, lambda: settings_here().clinic_name)
    set_zone_source(app, _zone)
    set_policy_source(app, lambda: _policy(app))
    set_span_source(app, lambda: span_of(current_user.days))


def _zone() -> str:
    site = chosen_site()
    return site.time_zone if site else "UTC"


def _policy(app: Flask) -> Policy:
    settings = settings_here()
    return Policy(
        min_password_length=settings.min_password_length,
        idle=min(app.config["SESSION_IDLE"], timedelta(minutes=settings.idle_minutes)),
        is_demo=settings.is_demo,
    )
