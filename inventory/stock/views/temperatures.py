"""Temperatures: every location's last reading, one location's line and readings, typing one, and a logger's file."""

import hashlib
from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import current_app, render_template, url_for
from flask.typing import ResponseReturnValue

from inventory.audit.acts import Outcome
from inventory.catalogue.act_forms import act_page
from inventory.clinic.current import current_site
from inventory.clinic.models import Location
from inventory.kernel.clock import now
from inventory.kernel.db import db
from inventory.kernel.errors import Refusal
from inventory.kernel.permissions import Permission
from inventory.staff.current import current_actor
from inventory.stock.drafts import Draft, opened, sealed
from inventory.stock.exposure import Limits, Reading, exposure_of
from inventory.stock.forms.temperatures import LoggerConfirmForm, LoggerForm, TemperatureForm
from inventory.stock.logger_files import DayOrder, Logged, Manner, Unit, read_logger_file
from inventory.stock.presenters import temperatures as presenters
from inventory.stock.queries import temperatures as queries
from inventory.stock.queries.lots import lots_by_id
from inventory.stock.queries.unwatched import unwatched_lots
from inventory.stock.services import temperatures as services
from inventory.stock.views.blueprint import bp
from inventory.web.access import requires
from inventory.web.pagination import cursor_here
from inventory.web.presenting import site_zone

bp.add_app_template_filter(presenters.degrees, "degrees")
bp.add_app_template_global(presenters.limits_words, "limits_words")
bp.add_app_template_global(presenters.spread_words, "spread_words")


@bp.get("/temperatures")
@requires(Permission.STOCK_READ)
def temperatures() -> ResponseReturnValue:
    """Every location of the site as it stands, what waits for a decision first."""
    session, site = db.session(), current_site()
    return render_template(
        "stock/temperatures/index.html",
        waiting=queries.excursions_of(session, site_id=site.id, is_open=True),
        decided=queries.excursions_of(session, site_id=site.id, is_open=False),
        places=queries.watched(session, site_id=site.id, at=now()),
    )


@bp.get("/temperatures/<uuid:location_id>")
@requires(Permission.STOCK_READ)
def location_temperatures(location_id: UUID) -> ResponseReturnValue:
    """One location: its line of 30 days, the days as a table, and every reading."""
    session, at, location = db.session(), now(), _location(location_id)
    first = at - timedelta(days=queries.CHART_DAYS)
    readings = queries.readings_between(session, location_id, first=first, last=at)
    limits = queries.limits_at(session, [location_id]).get(location_id, Limits(None, None))
    return render_template(
        "stock/temperatures/location.html",
        location=location,
        limits=limits,
        unwatched=unwatched_lots(session, location_id),
        waiting=[one for one in _waiting() if one.location_id == location_id],
        chart=presenters.chart_of(readings, limits, first=first, last=at),
        days=presenters.days_of(readings),
        page=queries.readings_page(session, location_id, cursor=cursor_here()),
    )


@bp.route("/temperatures/<uuid:location_id>/new", methods=["GET", "POST"])
@requires(Permission.STOCK_USE)
def type_temperature(location_id: UUID) -> ResponseReturnValue:
    """Type one temperature."""
    form, location = TemperatureForm(), _location(location_id)
    return act_page(
        form,
        lambda: services.record_temperature(
            actor=current_actor(),
            at=now(),
            request_key=form.act_key,
            location=location,
            decicelsius=int(form.temperature.data * 10),
            read_at=form.read_at.data,
            note=str(form.note.data),
        ),
        template="stock/temperatures/new.html",
        to=_location_page,
        done="The temperature is recorded.",
        shown=lambda: _form_shown(location_id, "Record the temperature"),
    )


@bp.route("/temperatures/<uuid:location_id>/file", methods=["GET", "POST"])
@requires(Permission.STOCK_USE)
def read_logger(location_id: UUID) -> ResponseReturnValue:
    """Read a logger's file and show what is in it; nothing is written yet."""
    form, location = LoggerForm(), _location(location_id)
    if form.validate_on_submit():
        try:
            return _preview(location, form)
        except Refusal as refusal:
            form.apply_refusal(refusal)
    return _file_page(form, location_id)


@bp.post("/temperatures/<uuid:location_id>/file/record")
@requires(Permission.STOCK_USE)
def record_logger(location_id: UUID) -> ResponseReturnValue:
    """Record what was read from a file and confirmed; where that fails, ask for the file again."""
    form, location = LoggerConfirmForm(), _location(location_id)
    return act_page(
        form,
        lambda: _record(form, location),
        template="stock/temperatures/not_recorded.html",
        to=_location_page,
        done="The readings are recorded.",
        shown=lambda: _form_shown(location_id),
    )


def _record(form: LoggerConfirmForm, location: Location) -> Outcome:
    draft = opened(str(form.draft.data), secret=str(current_app.secret_key))
    if draft.location_id != location.id:
        raise Refusal("LOGGER-STALE", "This was read for another location. Choose the file again.", "file")
    return services.record_logger_file(
        actor=current_actor(),
        at=now(),
        request_key=form.act_key,
        location=location,
        readings=draft.readings,
        file=services.LoggerFile(draft.name, draft.sha256, draft.left_out),
    )


def _preview(location: Location, form: LoggerForm) -> ResponseReturnValue:
    logged, raw = _logged(form), form.file.data
    fresh = queries.fresh_readings(db.session(), location.id, logged.readings)
    confirm = LoggerConfirmForm(formdata=None)
    digest = hashlib.sha256(raw).hexdigest()
    draft = Draft(location.id, form.file.filename, digest, len(logged.faults), logged.readings)
    confirm.draft.data = sealed(draft, secret=str(current_app.secret_key))
    return render_template(
        "stock/temperatures/preview.html",
        form=confirm,
        location=location,
        file_name=form.file.filename,
        logged=logged,
        fresh=fresh,
        known=len(logged.readings) - len(fresh),
        exposed=_exposed(location.id, fresh),
        unwatched=unwatched_lots(db.session(), location.id, since=fresh[0].read_at) if fresh else [],
        submit_text="",
        cancel_to=url_for("stock.read_logger", location_id=location.id),
    )


def _logged(form: LoggerForm) -> Logged:
    """Read the chosen file as the form says. Raises Refusal as `read_logger_file`."""
    manner = Manner(site_zone(), DayOrder(str(form.day_order.data)), Unit(str(form.unit.data)))
    return read_logger_file(form.file.data, manner, until=now())


def _exposed(location_id: UUID, fresh: list[Reading]) -> dict[str, Any] | None:
    """Return what recording would find outside its limits: how many readings, and which lots; None where nothing is."""
    if not fresh:
        return None
    kept = queries.kept_at(db.session(), location_id, since=fresh[0].read_at)
    found = exposure_of(kept, fresh)
    if found is None:
        return None
    return {"exposure": found, "lots": lots_by_id(db.session(), {one.lot_id for one in found.kept})}


def _file_page(form: LoggerForm, location_id: UUID) -> ResponseReturnValue:
    shown = _form_shown(location_id, "Read the file")
    return render_template("stock/temperatures/file.html", form=form, **shown), form.status


def _location(location_id: UUID) -> Location:
    return queries.location_here(db.session(), location_id, site_id=current_site().id)


def _location_page(outcome: Outcome) -> str:
    return url_for("stock.location_temperatures", location_id=outcome.subject_id)


def _form_shown(location_id: UUID, submit_text: str = "") -> dict[str, Any]:
    return {
        "location": _location(location_id),
        "limits": queries.limits_at(db.session(), [location_id]).get(location_id, Limits(None, None)),
        "submit_text": submit_text,
        "cancel_to": url_for("stock.location_temperatures", location_id=location_id),
    }


def _waiting() -> list[Any]:
    found = queries.excursions_of(db.session(), site_id=current_site().id, is_open=True)
    return [excursion for excursion, _ in found]
