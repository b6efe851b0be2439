"""How often each finding of the gate came up, and what became of it: one statement, grouped, whatever was recorded.

It walks `ix_dose_site_given_at` over the period, which holds all that is asked of a dose, and goes by the key of `dose_finding`
from each dose to its findings: its cost grows with the doses of the period, not with those of the clinic. What stopped a dose
stands in the trail, found by `ix_audit_entry_action`.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Table, case, func, literal, null, select, union_all
from sqlalchemy import cast as sql_cast
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from inventory.audit.models import AuditEntry, AuditPayload
from inventory.doses.models import Dose, DoseFinding
from inventory.doses.queries.blocks import BLOCKED
from inventory.kernel.db import dialect_name

_DOSE, _FINDING, _ENTRY, _PAYLOAD = (
    cast(Table, model.__table__) for model in (Dose, DoseFinding, AuditEntry, AuditPayload)
)
STOPPED = "blocked"
"""The outcome of a finding that kept a dose from being given."""
Period = tuple[datetime, datetime]
"""From the first instant, included, to the last, excluded."""


def tally(session: Session, periods: Mapping[UUID, Period]) -> Sequence[Any]:
    """Return how often each finding came up at these sites, each within its own period: code, outcome, reason, count.

    The outcome is a disposition, or `blocked` where the dose was not given then. Void and amended entries count too: it was
    found, and somebody decided.
    """
    if not periods:
        return []
    given = union_all(
        *(
            select(_DOSE.c.id).where(
                _DOSE.c.site_id == site_id, _DOSE.c.given_at >= first, _DOSE.c.given_at < end
            )
            for site_id, (first, end) in periods.items()
        )
    ).subquery()
    found = (
        select(
            _FINDING.c.code,
            _FINDING.c.disposition.label("outcome"),
            _FINDING.c.reason,
            func.count().label("count"),
        )
        .select_from(given.join(_FINDING, _FINDING.c.dose_id == given.c.id))
        .group_by(_FINDING.c.code, _FINDING.c.disposition, _FINDING.c.reason)
    )
    stopped = (_stopped(site_id, period) for site_id, period in periods.items())
    return session.execute(union_all(found, *stopped)).all()


def _stopped(site_id: UUID, period: Period) -> Select[Any]:
    codes = _codes().table_valued("value", joins_implicitly=True)
    return (
        select(codes.c.value.label("code"), literal(STOPPED).label("outcome"), null().label("reason"))
        .add_columns(func.count().label("count"))
        .select_from(_ENTRY.join(_PAYLOAD, _PAYLOAD.c.entry_id == _ENTRY.c.id))
        .where(
            _ENTRY.c.action == BLOCKED,
            _ENTRY.c.recorded_at >= period[0],
            _ENTRY.c.recorded_at < period[1],
            _ENTRY.c.site_id == site_id,
        )
        .group_by(codes.c.value)
    )


def _codes() -> Any:
    """Return the function that makes a row of each code in a payload; one that was erased has none."""
    payload: ColumnElement[str] = case((_PAYLOAD.c.payload == "", "{}"), else_=_PAYLOAD.c.payload)
    if dialect_name() == "sqlite":
        return func.json_each(payload, "$.facts.codes")
    return func.jsonb_array_elements_text(sql_cast(payload, JSONB)["facts"]["codes"])
