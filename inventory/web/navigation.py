"""The menu: what there is, who sees it, and how many things wait there.

Law kept here: least sight. An entry shows only to those who may open its page; a page that this
installation does not have has no entry.
"""

from collections.abc import Callable
from dataclasses import dataclass

from flask import Flask, current_app, request, url_for
from flask_login import current_user

from inventory.kernel.permissions import Permission

Badge = Callable[[], int]
_BADGES_KEY = "web.badges"
_MAY_OPEN_KEY = "web.may-open"
_RECALLS = ("recall", "new_recall", "add_to_recall", "release_recalled", "close_out", "recall_contact")
_RETENTION = ("erasure_request", "refuse_erasure", "carry_out_erasure", "erase_report_files")
_TEMPERATURES = (
    "location_temperatures",
    "type_temperature",
    "read_logger",
    "record_logger",
    "excursion",
    "decide_excursion",
)
_COURSES = ("course", "start", "adjust", "move_on", "review", "pause", "resume", "end", "decide")
_REACTIONS = (
    "record_reaction",
    "reaction",
    "correct_reaction",
    "follow_up_reaction",
    "decide_reaction",
    "retract_reaction",
)
_BELONGS = {
    **{f"courses.{page}": "patients.index" for page in _COURSES},
    **{f"doses.{page}": "doses.reactions" for page in (*_REACTIONS, "reaction_signals")},
    **{f"stock.{page}": "stock.temperatures" for page in _TEMPERATURES},
    **{f"stock.{page}": "stock.disposals" for page in ("dispose", "disposal", "reverse_disposal")},
    **{f"stock.{page}_transfer": "stock.transfer_list" for page in ("send", "receive", "cancel")},
    "stock.transfer": "stock.transfer_list",
    "stock.reconciled_lot": "stock.reconciliation",
    "desk.patient": "patients.index",
    "desk.ask_erasure": "patients.index",
    "desk.chart": "patients.index",
    **{
        f"patients.{page}": "clinic.settings"
        for page in ("checklist_items", "add_checklist_item", "edit_checklist_item")
    },
    **{f"desk.{page}": "desk.retention" for page in _RETENTION},
    "desk.story": "doses.index",
    "doses.gate_rules": "clinic.settings",
    "doses.gate_rule": "clinic.settings",
    "doses.gate_findings": "doses.incidents",
    "doses.incident": "doses.incidents",
    "doses.follow_up": "doses.incidents",
    "desk.due_calendar": "desk.due",
    "doses.enter_sheet": "desk.due",
    **{f"interop.{page}": "desk.due" for page in ("feeds", "end_feed")},
    "reports.jobs.show": "reports.index",
    **{f"desk.{page}": "desk.recalls_index" for page in _RECALLS},
}
"""Pages that are of one room for the code and of another for the person."""
_PERSONAL = frozenset({"staff.account", "staff.change_password", "clinic.choose_site"})
"""Pages about the person who looks, which no entry leads to."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A page in the menu. `icon` names a symbol of the sprite."""

    endpoint: str
    label: str
    icon: str
    permission: Permission


@dataclass(frozen=True, slots=True)
class Link:
    """An entry as this visitor sees it now."""

    label: str
    icon: str
    address: str
    is_here: bool
    badge: int


@dataclass(frozen=True, slots=True)
class Group:
    """Entries that belong together, under a heading (which may be empty)."""

    heading: str
    links: tuple[Link, ...]


MENU: tuple[tuple[str, tuple[Entry, ...]], ...] = (
    (
        "",
        (
            Entry("desk.today", "Today", "calendar-event", Permission.OWN_ACCOUNT),
            Entry("desk.due", "Due", "calendar-due", Permission.PATIENT_READ),
            Entry("doses.give", "Give a dose", "vaccine", Permission.DOSE_GIVE),
            Entry("doses.index", "Doses", "list-details", Permission.DOSE_READ),
            Entry("patients.index", "Patients", "users", Permission.PATIENT_READ),
        ),
    ),
    (
        "Stock",
        (
            Entry("stock.shelf", "Shelf", "packages", Permission.STOCK_READ),
            Entry("stock.receive", "Receive", "truck-delivery", Permission.STOCK_MANAGE),
            Entry("stock.transfer_list", "Transfers", "arrows-exchange", Permission.STOCK_READ),
            Entry("stock.temperatures", "Temperatures", "temperature", Permission.STOCK_READ),
            Entry("stock.disposals", "Returns", "truck-return", Permission.STOCK_READ),
            Entry("desk.recalls_index", "Recalls", "flag", Permission.STOCK_READ),
            Entry("reorder.index", "Reorder", "shopping-cart", Permission.REORDER_READ),
            Entry("catalogue.index", "Catalogue", "book", Permission.CATALOGUE_READ),
        ),
    ),
    (
        "Oversight",
        (
            Entry("doses.reactions", "Reactions", "heartbeat", Permission.DOSE_READ),
            Entry("doses.incidents", "Incidents", "alert-triangle", Permission.DOSE_READ),
            Entry("stock.reconciliation", "Reconciliation", "file-check", Permission.STOCK_RECONCILE),
            Entry("reports.index", "Reports", "file-text", Permission.REPORT_REGISTER),
            Entry("audit.index", "Trail", "history", Permission.AUDIT_READ),
            Entry("interop.exports", "Exports", "download", Permission.AUDIT_READ),
        ),
    ),
    (
        "Set-up",
        (
            Entry("courses.protocols", "Protocols", "clipboard-list", Permission.PATIENT_READ),
            Entry("staff.index", "People", "id-badge", Permission.STAFF_MANAGE),
            Entry("clinic.settings", "Settings", "settings", Permission.SETTINGS_MANAGE),
            Entry("desk.retention", "Retention", "archive", Permission.RETENTION_MANAGE),
        ),
    ),
)


def add_badge(app: Flask, endpoint: str, badge: Badge) -> None:
    """Let `badge` say how many things wait behind the entry of `endpoint`; asked once a page."""
    app.extensions.setdefault(_BADGES_KEY, {})[endpoint] = badge


def also_needs(app: Flask, may_open: Callable[[str], bool]) -> None:
    """Let `may_open` say, beside the permission, whether the page of an entry opens to whoever looks."""
    app.extensions[_MAY_OPEN_KEY] = may_open


def opens(endpoint: str) -> bool:
    """Tell whether the page exists and opens to the signed-in person's account, whatever their permissions."""
    may_open = current_app.extensions.get(_MAY_OPEN_KEY)
    return endpoint in current_app.view_functions and (may_open is None or bool(may_open(endpoint)))


def menu() -> list[Group]:
    """The menu for the signed-in person; empty for anyone else."""
    if not current_user.is_authenticated:
        return []
    here = _entry_here()
    groups = (
        Group(heading, tuple(_link(e, here) for e in entries if _shown(e))) for heading, entries in MENU
    )
    return [group for group in groups if group.links]


def _shown(entry: Entry) -> bool:
    return bool(current_user.can(entry.permission)) and opens(entry.endpoint)


def _entry_here() -> str:
    """The endpoint whose entry is lit: the page itself, else the first of the same room that is shown."""
    shown = [entry.endpoint for _, entries in MENU for entry in entries if _shown(entry)]
    if request.endpoint in shown:
        return str(request.endpoint)
    if _BELONGS.get(str(request.endpoint)) in shown:
        return _BELONGS[str(request.endpoint)]
    if request.endpoint in _PERSONAL:
        return ""
    room = f"{request.blueprint}."
    return next((endpoint for endpoint in shown if endpoint.startswith(room)), "")


def _link(entry: Entry, here: str) -> Link:
    badge = current_app.extensions.get(_BADGES_KEY, {}).get(entry.endpoint)
    return Link(
        label=entry.label,
        icon=entry.icon,
        address=url_for(entry.endpoint),
        is_here=entry.endpoint == here,
        badge=badge() if badge else 0,
    )


def init_app(app: Flask) -> None:
    """Let the layout ask for the menu, and whether a page it would link to exists."""
    app.jinja_env.globals.update(menu=menu, has_page=opens)
