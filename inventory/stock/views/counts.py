"""Counting a storage location: begin, count blind, explain what differs, and look back at what was counted."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from inventory.audit.acts import Outcome
from inventory.catalogue.act_forms import act_page
from inventory.catalogue.gs1 import read_scan
from inventory.clinic.current import current_site
from inventory.clinic.queries import location
from inventory.kernel.clock import now
from inventory.kernel.db import db
from inventory.kernel.errors import Refusal
from inventory.kernel.permissions import Permission
from inventory.staff.confirmed import confirmed_by
from inventory.staff.current import current_actor
from inventory.stock import presenters, queries, services
from inventory.stock.forms import ReasonForm
from inventory.stock.forms.counts import (
    CountsFilter,
    SheetForm,
    StartCountForm,
    post_form,
    sheet_form,
)
from inventory.stock.models import StockCount
from inventory.stock.presenters.counts import ShownRate
from inventory.stock.queries import CountedLine, ToCount
from inventory.stock.queries.found_held import is_found_held
from inventory.stock.views.blueprint import bp
from inventory.stock.views.lots import FOUND_HELD
from inventory.web.access import requires
from inventory.web.pagination import cursor_here
from inventory.web.presenting import site_today, site_zone
from inventory.web.spreadsheets import csv_answer

PERIOD = timedelta(days=90)
"""The period over which counts are summed up where none is chosen."""


@bp.get("/counts")
@requires(Permission.STOCK_READ)
def counts() -> ResponseReturnValue:
    """The counts of this site, how often they differed, and how long ago each location was counted."""
    filters = CountsFilter()
    filters.location.offer((p.id, p.name) for p in queries.locations_of(db.session(), current_site().id))
    valid = filters.validate()
    chosen = UUID(filters.location.data) if valid and filters.location.data else None
    first, last = _period(filters) if valid else (site_today() - PERIOD, site_today())
    page = queries.counts_page(
        db.session(), site_id=current_site().id, location_id=chosen, cursor=cursor_here()
    )
    shown = {"first": first, "last": last, "rates": _rates(first, last, chosen), "page": page}
    shown["counts"] = presenters.shown_counts(queries.summaries(db.session(), page.items))
    return render_template("stock/counts/index.html", filters=filters, **shown), 200 if valid else 422


@bp.route("/counts/new", methods=["GET", "POST"])
@requires(Permission.STOCK_USE)
def start_count() -> ResponseReturnValue:
    """Begin to count a storage location."""
    form = StartCountForm()
    form.location.offer(_places())
    if not form.is_submitted():
        form.location.data = request.args.get("location")
    return act_page(
        form,
        lambda: services.start_count(
            actor=current_actor(),
            at=now(),
            request_key=form.act_key,
            site_id=current_site().id,
            location_id=UUID(str(form.location.data)),
        ),
        template="stock/counts/start.html",
        to=lambda outcome: url_for("stock.count_sheet", count_id=outcome.subject_id),
        done="The count has begun. Until it is handed in, take nothing from here.",
        shown=lambda: {"submit_text": "Begin to count", "cancel_to": url_for("stock.counts")},
    )


@bp.get("/counts/<uuid:count_id>")
@requires(Permission.STOCK_READ)
def count(count_id: UUID) -> ResponseReturnValue:
    """One count: what was counted beside what the ledger held, once it is handed in; before that, no amount."""
    return render_template("stock/counts/count.html", **_shown(_count_here(count_id)))


@bp.route("/counts/<uuid:count_id>/sheet", methods=["GET", "POST"])
@requires(Permission.STOCK_USE)
def count_sheet(count_id: UUID) -> ResponseReturnValue:
    """Count what is listed, blind, and hand it in."""
    found = _count_here(count_id)
    if not _is_sent() and not _is_being_counted(found):
        return redirect(url_for("stock.count", count_id=count_id))
    if request.form.get("step") == "add":
        return _added(found)
    form, sheet = _sheet(found, _also())
    return act_page(
        form,
        lambda: services.hand_in_count(
            actor=current_actor(),
            at=now(),
            request_key=form.act_key,
            count_id=count_id,
            tally=form.tally(sheet),
        ),
        template="stock/counts/sheet.html",
        to=_count_page,
        done="The count is handed in.",
        shown=lambda: _sheet_shown(_count_here(count_id), _also()),
    )


@bp.route("/counts/<uuid:count_id>/post", methods=["GET", "POST"])
@requires(Permission.STOCK_USE)
def post_count(count_id: UUID) -> ResponseReturnValue:
    """Say why each line differs, and post it."""
    found = _count_here(count_id)
    if not _is_sent() and (found.closed_at or _is_being_counted(found)):
        return redirect(url_for("stock.count", count_id=count_id))
    lines = _differing(found)
    form = post_form(lines)
    return act_page(
        form,
        lambda: services.post_count(
            actor=current_actor(),
            at=now(),
            request_key=form.act_key,
            count_id=count_id,
            explanations=form.explanations(lines),
            approved_by=confirmed_by(form, "approver", current_site().id),
        ),
        template="stock/counts/post.html",
        to=_posted,
        done="The count is posted, and the ledger is what was counted.",
        shown=lambda: _shown(_count_here(count_id)) | _approval(_count_here(count_id)),
    )


@bp.route("/counts/<uuid:count_id>/abandon", methods=["GET", "POST"])
@requires(Permission.STOCK_USE)
def abandon_count(count_id: UUID) -> ResponseReturnValue:
    """Give a count up, saying why."""
    _count_here(count_id)
    form = ReasonForm()
    return act_page(
        form,
        lambda: services.abandon_count(
            actor=current_actor(),
            at=now(),
            request_key=form.act_key,
            count_id=count_id,
            reason=str(form.reason.data),
        ),
        template="stock/counts/abandon.html",
        to=_count_page,
        done="The count is given up. Nothing was adjusted.",
        shown=lambda: _shown(_count_here(count_id)) | {"submit_text": "Give the count up"},
    )


@bp.get("/counts/<uuid:count_id>/count.csv")
@requires(Permission.STOCK_READ)
def count_csv(count_id: UUID) -> Response:
    """The lines of a count as a file for a spreadsheet."""
    found = _count_here(count_id)
    if _is_being_counted(found):
        raise Refusal("COUNT-NOT-HANDED-IN", "Count first, and hand in what was counted.")
    rows = presenters.csv_rows(queries.lines_of(db.session(), found))
    return csv_answer(f"count-{current_site().code}-{found.number}.csv", presenters.CSV_HEADING, rows)


def _is_sent() -> bool:
    return request.method == "POST"


def _count_page(outcome: Outcome) -> str:
    return url_for("stock.count", count_id=outcome.subject_id)


def _posted(outcome: Outcome) -> str:
    """Say so where something that was found is held, and return where the count is seen."""
    count = _count_here(outcome.subject_id)
    found = [line.lot.id for line in queries.lines_of(db.session(), count) if line.difference_ul > 0]
    if is_found_held(db.session(), found, count.location_id):
        flash(FOUND_HELD, "warning")
    return _count_page(outcome)


def _count_here(count_id: UUID) -> StockCount:
    """Return a count of the site one works at. Raises Refusal NOT-FOUND."""
    return queries.count_by_id(db.session(), count_id, site_id=current_site().id)


def _is_being_counted(found: StockCount) -> bool:
    return found.closed_at is None and queries.count_result(db.session(), found.id) is None


def _differing(found: StockCount) -> list[CountedLine]:
    return [line for line in queries.lines_of(db.session(), found) if line.difference_ul]


def _places() -> list[tuple[UUID, str]]:
    places = queries.locations_of(db.session(), current_site().id)
    last = queries.last_counts(db.session(), current_site().id)
    return [(p.id, f"{p.name} ({presenters.counted_words(last.get(p.id))})") for p in places]


def _period(filters: CountsFilter) -> tuple[date, date]:
    """Return the days chosen, and show in the filters those that were left open."""
    last = filters.last_day.data = filters.last_day.data or site_today()
    first = filters.first_day.data = filters.first_day.data or min(last, site_today()) - PERIOD
    return first, last


def _rates(first: date, last: date, location_id: UUID | None) -> list[ShownRate]:
    found = queries.count_rates(
        db.session(),
        site_id=current_site().id,
        since=_midnight(first),
        until=_midnight(last + timedelta(days=1)),
    )
    rates = [rate for rate in found if location_id in (None, rate.location_id)]
    open_counts = queries.open_counts(db.session(), [rate.location_id for rate in rates])
    return presenters.shown_rates(rates, open_counts)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=site_zone()).astimezone(UTC)


def _also() -> list[UUID]:
    """Return the lots that were found besides those listed, as the form carries them; what is damaged is left out."""
    words = request.form.get("also", "").split()[:200]
    known = "0123456789abcdef"
    return [UUID(hex=word) for word in words if len(word) == 32 and not word.strip(known)]


def _sheet(found: StockCount, also: list[UUID]) -> tuple[SheetForm, list[ToCount]]:
    sheet = queries.sheet(db.session(), found, at=now(), also=also)
    return sheet_form(sheet, also=also), sheet


def _added(found: StockCount) -> ResponseReturnValue:
    """List a lot that was found besides; what was typed already stays."""
    also, typed = _also(), request.form.get("found", "")
    refusal: Refusal | None = None
    names: list[UUID] = []
    try:
        names = queries.lots_named(db.session(), typed, scan=_scan(typed)) if typed.strip() else []
    except Refusal as error:
        refusal = Refusal(error.code, error.message, "found")
    also = list(dict.fromkeys([*also, *names]))
    form, sheet = _sheet(found, also)
    if refusal:
        form.apply_refusal(refusal)
    else:
        form.found.data = ""
    added = [line for line in sheet if line.lot.id in names and not line.vial]
    shown = _sheet_shown(found, also) | {"added": added}
    return render_template("stock/counts/sheet.html", form=form, **shown), 422 if refusal else 200


def _scan(text: str) -> Any:
    try:
        return read_scan(text, on=site_today())
    except Refusal:
        return None


def _sheet_shown(found: StockCount, also: list[UUID]) -> dict[str, Any]:
    sheet = queries.sheet(db.session(), found, at=now(), also=also)
    return {
        "count": found,
        "location": location(found.location_id),
        "products": presenters.by_product(sheet),
        "submit_text": "Hand in the count",
    }


def _shown(found: StockCount) -> dict[str, Any]:
    result = queries.count_result(db.session(), found.id)
    lines = queries.lines_of(db.session(), found) if result else []
    people = {found.started_by_id, found.closed_by_id, result.actor_id if result else None}
    return {
        "count": found,
        "location": location(found.location_id),
        "result": result,
        "lines": presenters.shown_lines(lines),
        "differing": presenters.shown_lines(line for line in lines if line.difference_ul),
        "state": presenters.count_state(found, result),
        "names": queries.names_of(db.session(), {person for person in people if person}),
        "cancel_to": url_for("stock.count", count_id=found.id),
    }


def _approval(found: StockCount) -> dict[str, Any]:
    """Tell whether a second person has to confirm: above the threshold, unless the one who posts is one."""
    result = queries.count_result(db.session(), found.id)
    needed = services.approval_needed(
        db.session(),
        _differing(found),
        location_id=found.location_id,
        actor_id=current_actor().id,
        at=now(),
    )
    own = result is not None and services.may_approve(current_actor(), counted_by_id=result.actor_id)
    return {"submit_text": "Post the count", "needs_approver": needed and not own}
