"""The pages of the doses room: give a dose, one dose's record, corrections, lists, incidents."""

from uuid import UUID

from flask import Flask

from inventory.audit.limits import set_patients_source
from inventory.clinic.current import all_sites, chosen_site
from inventory.doses import belonging
from inventory.doses.presenters.dose import body_site_words, number_words
from inventory.doses.queries.lists import open_incidents
from inventory.doses.queries.reactions import undecided_at
from inventory.doses.verification import disagreements
from inventory.doses.views import (
    correcting,
    dedicating,
    dose,
    gate,
    giving,
    late_sheet,
    listing,
    lot_correction,
    reactions,
    signals,
)
from inventory.doses.views.blueprint import bp
from inventory.kernel.db import db
from inventory.kernel.numbering import written_number
from inventory.patients import verification as whose
from inventory.stock import verification
from inventory.stock.concerns import CONCERNS
from inventory.web.navigation import add_badge

__all__ = [
    "belonging",
    "bp",
    "correcting",
    "dedicating",
    "dose",
    "gate",
    "giving",
    "init_app",
    "late_sheet",
    "listing",
    "lot_correction",
    "reactions",
    "signals",
]


def init_app(app: Flask) -> None:
    """Let every page word body sites and numbers alike, say in the menu how many incidents are open and reactions undecided, verify with the stock."""
    add_badge(app, "doses.incidents", _open_here)
    add_badge(app, "doses.reactions", _undecided_here)
    for check in (disagreements, whose.disagreements):
        if check not in verification.CHECKS:
            verification.CHECKS.append(check)
    for concern in (lot_correction.past_expiry_of, lot_correction.formerly_past_of):
        if concern not in CONCERNS:
            CONCERNS.append(concern)
    set_patients_source(app, belonging.given_here)
    app.jinja_env.filters.update(body_site=body_site_words, numbered=_numbered)


def _open_here() -> int:
    site = chosen_site()
    return open_incidents(db.session(), site.id) if site else 0


def _undecided_here() -> int:
    site = chosen_site()
    return undecided_at(db.session(), site.id) if site else 0


def _numbered(number: int, site_id: UUID | None = None) -> str:
    """Word a number of the room; that of a dose, of which the site is told, as it is written everywhere."""
    code = next((site.code for site in all_sites() if site.id == site_id), "")
    return written_number(code, number) if code else number_words(number)
