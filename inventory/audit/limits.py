"""What of the records the person at the browser may see: which days, which patients. The rooms above say it, every list asks here.

Law kept here: least sight (11). Sites are asked of `clinic.current`; pages by id pass `clinic.sight`, which asks the same.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from flask import Flask, current_app, has_request_context
from flask_login import current_user
from sqlalchemy import ColumnElement, Date, and_, true

from inventory.kernel.permissions import EVERY_DAY, Days, Role

Patients = Callable[[Any], ColumnElement[bool]]
View = TypeVar("View", bound=Callable[..., Any])
_SPAN_KEY, _PATIENTS_KEY = "audit.span", "audit.patients"


@dataclass(frozen=True, slots=True)
class Span:
    """The days whose records somebody may see, and the same as instants on the clinic's clock: from included, to excluded."""

    days: Days = EVERY_DAY
    from_at: datetime | None = None
    to_at: datetime | None = None

    def __bool__(self) -> bool:
        """Whether anything is left out."""
        return bool(self.days)

    def has_instant(self, at: datetime) -> bool:
        """Tell whether an instant is of these days."""
        return (self.from_at is None or at >= self.from_at) and (self.to_at is None or at < self.to_at)

    def knows(self, at: datetime) -> bool:
        """Tell whether what became so at an instant was so on one of these days: it is not of a time after them."""
        return self.to_at is None or at < self.to_at

    def holds(self, column: Any) -> ColumnElement[bool]:
        """Return the condition that a column, of days or of instants, is of these days."""
        is_day = isinstance(column.type, Date)
        first, last = (self.days.first, self.days.last) if is_day else (self.from_at, self.to_at)
        bounds = [column >= first] if first is not None else []
        if last is not None:
            bounds.append(column <= last if is_day else column < last)
        return and_(true(), *bounds)


def set_span_source(app: Flask, source: Callable[[], Span]) -> None:
    """Let `source` say which days the signed-in person may see."""
    app.extensions[_SPAN_KEY] = source


def set_patients_source(app: Flask, source: Patients) -> None:
    """Let `source` say which patients a limited auditor may see, as a condition on a column of their ids."""
    app.extensions[_PATIENTS_KEY] = source


def span_here() -> Span:
    """Return the days whose records the signed-in person may see; of everybody but some auditors, every day."""
    if not has_request_context() or not current_user.days:
        return Span()
    found: Span = current_app.extensions[_SPAN_KEY]()
    return found


def is_limited_auditor() -> bool:
    """Tell whether the signed-in person is an auditor of some sites or some days only."""
    if not has_request_context() or Role.AUDITOR not in current_user.roles:
        return False
    return bool(current_user.days) or current_user.site_ids is not None


def patients_here(column: Any) -> ColumnElement[bool]:
    """Return the condition that a column names a patient whom the person may see, or none.

    A limited auditor sees the patients to whom something was given, or not given, at their sites on their days.
    """
    if not is_limited_auditor():
        return true()
    found: ColumnElement[bool] = column.is_(None) | current_app.extensions[_PATIENTS_KEY](column)
    return found


def keeps_to_days(view: View) -> View:
    """Mark a view whose page shows nothing of other days than those its reader may see."""
    view.__dict__["_keeps_to_days"] = True
    return view


def keeps(view: Callable[..., Any]) -> bool:
    """Tell whether a view is marked by `keeps_to_days`."""
    return bool(getattr(view, "_keeps_to_days", False))
