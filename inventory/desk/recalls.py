"""Recalls: all of them, and the cockpit of one, with its stock, its patients and how far reaching them has come.

Law kept here: least sight (11). Whoever may not see patients runs the recall of the stock and sees how many there are; each
look at the list is logged.
"""

from typing import Any
from uuid import UUID

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from inventory.audit.services import log_list
from inventory.clinic.current import chosen_site, may_see, visible_sites
from inventory.desk.blueprint import bp
from inventory.desk.recall_forms import RecipientsFilter
from inventory.doses.queries import recalls as received
from inventory.doses.queries.recalls import RecalledDose, Recipient
from inventory.doses.rules.terms import CONTACT_MEANS_WORDS, CONTACT_OUTCOME_WORDS
from inventory.doses.services.recalls import note_list_taken
from inventory.kernel.clock import now
from inventory.kernel.db import db
from inventory.kernel.permissions import Permission
from inventory.reports import recalls as reports
from inventory.reports.documents.recall import DRILL, dose_words, progress_words, standing_words
from inventory.reports.jobs.asking import issue_or_ask
from inventory.reports.jobs.views import led_to
from inventory.reports.kinds import ReportKind
from inventory.reports.queries.requests import Asked
from inventory.staff.current import current_actor
from inventory.stock.queries import recalls
from inventory.stock.queries.recalls import Fate, RecallRow
from inventory.stock.services.recalls import still_to_do
from inventory.web.access import requires
from inventory.web.forms import ClinicForm
from inventory.web.pagination import cursor_here
from inventory.web.presenting import site_today
from inventory.web.spreadsheets import csv_answer

LETTERS = (
    "recall", "drill", "record_number", "name", "born_on", "address", "phone", "email", "doses", "what_was_given", "contact",
)  # fmt: skip


@bp.get("/recalls")
@requires(Permission.STOCK_READ)
def recalls_index() -> str:
    """List every recall, the last opened first."""
    page = recalls.recalls_page(db.session(), cursor=cursor_here())
    return render_template("desk/recalls.html", page=page, label=recalls.recall_label)


@bp.get("/recalls/<uuid:recall_id>")
@requires(Permission.STOCK_READ)
def recall(recall_id: UUID) -> ResponseReturnValue:
    """Show the cockpit of a recall."""
    filters = RecipientsFilter()
    state = (filters.state.data or "") if filters.validate() else ""
    told = _stock_of(recall_id)
    people = _people(recall_id, list(told["lots"]), state) if _sees_patients() else {}
    shown = render_template("desk/recall.html", filters=filters, **told, **people)
    log_list(current_actor(), [one.id for one in people["page"].items] if people else [], "recall")
    return shown, 422 if filters.errors else 200


@bp.get("/recalls/<uuid:recall_id>/patients.csv")
@requires(Permission.PATIENT_READ, Permission.REPORT_READ)
def recall_letters(recall_id: UUID) -> ResponseReturnValue:
    """Give the list of a recall's patients, for letters; who took it is noted."""
    session = db.session()
    row = recalls.recall_row(session, recall_id)
    about = (row.label, DRILL if row.recall.is_drill else "")
    people = list(received.recipients(session, recall_id))
    ids = [one.id for one in people]
    doses = received.doses_of(session, recalls.recalled_lot_ids(session, recall_id))
    note_list_taken(actor=current_actor(), at=now(), recall_id=recall_id, patients=len(people))
    log_list(current_actor(), ids, "recall list for letters")
    name = f"{'DRILL-' if row.recall.is_drill else ''}recall-{row.label}.csv"
    return csv_answer(name, LETTERS, ((*about, *_letter(one, doses.get(one.id, []))) for one in people))


@bp.post("/recalls/<uuid:recall_id>/report")
@requires(Permission.REPORT_ISSUE, Permission.PATIENT_READ)
def recall_report(recall_id: UUID) -> ResponseReturnValue:
    """Issue the report of a recall, as it stands or as it was closed out."""
    form = ClinicForm()
    if not form.validate_on_submit():
        return redirect(url_for("desk.recall", recall_id=recall_id))
    asked = Asked(site_today(), site_today(), recall_id=recall_id)
    made = issue_or_ask(
        kind=ReportKind.RECALL, asked=asked, actor=current_actor(), at=now(), request_key=form.act_key
    )
    return led_to(made)


def _sees_patients() -> bool:
    return current_actor().can(Permission.PATIENT_READ)


def _stock_of(recall_id: UUID) -> dict[str, Any]:
    session = db.session()
    row, lines = recalls.recall_row(session, recall_id), recalls.lines_of(session, recall_id)
    lots = {line.lot.id: line.lot for line in lines if line.lot is not None}
    fates, standing = recalls.fates_of(session, lots), recalls.standing_stock(session, lots)
    seen = visible_sites()
    mine = [one for one in standing if seen is None or one.site_id is None or one.site_id in seen]
    return {
        "row": row,
        "lines": lines,
        "lots": lots,
        "standing": mine,
        "elsewhere_ul": sum(one.volume_ul for one in standing) - sum(one.volume_ul for one in mine),
        "standing_words": standing_words,
        "fates": fates,
        "total": sum(fates.values(), Fate()),
        "given": received.doses_by_lot(session, list(lots)),
        "progress": (far := received.progress(session, recall_id)),
        "progress_words": progress_words(far),
        "to_do": still_to_do(session, recall_id) if row.is_open else [],
        "is_held": any(line.hold is not None and line.hold.released_at is None for line in lines),
        "runs": current_actor().can(Permission.STOCK_MANAGE) and may_see(row.recall.site_id),
        "everywhere": seen is None,
        "clears_at": _clears_at(row),
        "reports": _reports(recall_id),
    }


def _clears_at(row: RecallRow) -> UUID | None:
    """Return the site from which this person may send stock of the recall back, or destroy it; None in a drill."""
    site = chosen_site()
    may = current_actor().can(Permission.STOCK_MANAGE) and not row.recall.is_drill
    return site.id if site and may else None


def _reports(recall_id: UUID) -> list[UUID]:
    """Return the issued reports of a recall for whoever may open them: they cover every site."""
    may = current_actor().can(Permission.REPORT_READ) and visible_sites() is None
    return reports.reports_of_recall(recall_id) if may else []


def _people(recall_id: UUID, lot_ids: list[UUID], state: str) -> dict[str, Any]:
    session = db.session()
    page = received.recipients_page(session, recall_id, state=state, cursor=cursor_here())
    ids = [one.id for one in page.items]
    return {
        "page": page,
        "doses": received.doses_of(session, lot_ids, ids),
        "contacts": received.contacts_of(session, recall_id, ids),
        "outcomes": CONTACT_OUTCOME_WORDS,
        "means": CONTACT_MEANS_WORDS,
    }


def _letter(one: Recipient, doses: list[RecalledDose]) -> tuple[str, ...]:
    stands = CONTACT_OUTCOME_WORDS[one.outcome] if one.outcome else "No contact yet"
    return (
        one.record_number,
        one.name,
        one.born_on.isoformat(),
        one.address,
        one.phone,
        one.email,
        str(one.doses),
        "; ".join(dose_words(dose) for dose in doses),
        stands if one.doses else "Void entries only: nothing of it was given",
    )
