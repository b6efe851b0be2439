"""What was acknowledged for a patient before: a finding that is to be acknowledged once is then told only (domain.md section 2)."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import cast
from uuid import UUID

from sqlalchemy import Table, bindparam, exists, select
from sqlalchemy.orm import Session

from inventory.doses.models import Dose, DoseFinding, DoseVoid
from inventory.doses.rules.terms import Disposition
from inventory.kernel.db import an_id

_DOSE, _FINDING, _VOID = (cast(Table, model.__table__) for model in (Dose, DoseFinding, DoseVoid))
# An amended entry is void and its dose stands: what was acknowledged for it was.
_NEVER_GIVEN = exists().where(_VOID.c.dose_id == _DOSE.c.id, _VOID.c.replaced_by_id.is_(None))
_ACKNOWLEDGED = (
    select(_FINDING.c.code)
    .distinct()
    .select_from(_DOSE.join(_FINDING, _FINDING.c.dose_id == _DOSE.c.id))
    .where(
        _DOSE.c.patient_id.in_(an_id("patient_ids", many=True)),
        _DOSE.c.given_on >= bindparam("since"),
        _DOSE.c.given_at < bindparam("before"),
        _FINDING.c.code.in_(bindparam("codes", expanding=True)),
        _FINDING.c.disposition.in_([Disposition.ACKNOWLEDGED, Disposition.OVERRIDDEN]),
        ~_NEVER_GIVEN,
    )
)


def acknowledged(
    session: Session,
    patient_ids: Iterable[UUID],
    codes: Iterable[str],
    *,
    since: date,
    before: datetime,
) -> frozenset[str]:
    """Return which of `codes` somebody acknowledged, or a prescriber overrode, for doses given on or after `since`, before `before`."""
    asked = {"patient_ids": list(patient_ids), "codes": sorted(codes), "since": since, "before": before}
    return frozenset(session.scalars(_ACKNOWLEDGED, asked))


def a_year_before(day: date) -> date:
    """Return the same day of the year before; 28 February for a leap day."""
    last = 28 if (day.month, day.day) == (2, 29) else day.day
    return day.replace(year=day.year - 1, day=last)
