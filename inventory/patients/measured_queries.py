"""What is read of results and scores: those that stand, those that were corrected, and what the clinic typed last."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, TypeVar, cast
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Table, and_, bindparam, exists, func, select
from sqlalchemy.orm import Session, aliased

from inventory.audit.limits import span_here
from inventory.kernel.db import UtcDateTime, an_id
from inventory.kernel.errors import not_found
from inventory.patients.laboratory import Amount, Analyte, Comparator, Newest
from inventory.patients.models import LabResult, SymptomScore
from inventory.patients.queries import records_of
from inventory.web.pagination import Page, paginate

Measured = TypeVar("Measured", LabResult, SymptomScore)
ROWS_A_PAGE = 50
MOST_CHARTED = 400
"""How many results, and how many scores, one chart shows at most: the newest."""


HAS_RESULTS = exists().where(LabResult.patient_id.in_(an_id("records", many=True))).label("has_results")
"""Whether the laboratory ever measured anything of the person of `records`."""


def not_superseded(model: type[LabResult] | type[SymptomScore]) -> ColumnElement[bool]:
    """Return the condition that a row stands: no later one names it, and it retracts nothing."""
    later = aliased(model)
    named = select(later.id).where(later.corrects_id == model.id)
    return and_(~named.exists(), model.is_retraction.is_(False))


def newest_labs(
    session: Session, records: Sequence[UUID], analytes: Collection[Analyte], *, at: datetime
) -> dict[Analyte, Newest]:
    """Return of each analyte the newest result that stands, of the samples taken at or before `at`; in one statement."""
    asked = {"patient_ids": records, "analytes": sorted(analytes), "at": at}
    return {
        Analyte(row.analyte): Newest(
            Analyte(row.analyte),
            Amount(row.value_millionths, row.value_places, Comparator(row.comparator)),
            row.unit,
            row.taken_at,
            row.low_millionths,
        )
        for row in session.execute(_NEWEST, asked)
    }


def _newest() -> Select[Any]:
    table, later = cast("Table", LabResult.__table__), cast("Table", LabResult.__table__).alias()
    names = (
        "analyte",
        "comparator",
        "value_millionths",
        "value_places",
        "unit",
        "taken_at",
        "low_millionths",
    )
    order = (table.c.taken_at.desc(), table.c.id.desc())
    ranked = (
        select(
            *(table.c[name] for name in names),
            func.row_number().over(partition_by=table.c.analyte, order_by=order).label("place"),
        )
        .where(
            table.c.patient_id.in_(an_id("patient_ids", many=True)),
            table.c.analyte.in_(bindparam("analytes", expanding=True)),
            table.c.taken_at <= bindparam("at", type_=UtcDateTime()),
            table.c.is_retraction.is_(False),
            ~select(later.c.id).where(later.c.corrects_id == table.c.id).exists(),
        )
        .subquery()
    )
    return select(*(ranked.c[name] for name in names)).where(ranked.c.place == 1)


_NEWEST = _newest()  # sent for every dose, so it is made once


def labs_page(session: Session, patient_id: UUID, *, cursor: str) -> Page[LabResult]:
    """Return a page of all that was recorded of the patient's results, corrected ones too, the last sample first."""
    return _page(session, LabResult, LabResult.taken_at, patient_id, cursor)


def scores_page(session: Session, patient_id: UUID, *, cursor: str) -> Page[SymptomScore]:
    """Return a page of all that was recorded of the patient's scores, corrected ones too, the last visit first."""
    return _page(session, SymptomScore, SymptomScore.noted_at, patient_id, cursor)


def _page(session: Session, model: type[Measured], day: Any, patient_id: UUID, cursor: str) -> Page[Measured]:
    found = select(model).where(model.patient_id.in_(records_of(patient_id)), span_here().holds(day))
    return paginate(session, found, order=[day, model.id], newest_first=True, cursor=cursor, size=ROWS_A_PAGE)


def superseded_among(session: Session, rows: Sequence[LabResult] | Sequence[SymptomScore]) -> dict[UUID, Any]:
    """Return, by the id of each of these rows that was corrected or retracted, the row that says so."""
    if not rows:
        return {}
    model: Any = type(rows[0])
    later = session.scalars(select(model).where(model.corrects_id.in_([row.id for row in rows])))
    return {row.corrects_id: row for row in later}


def standing_labs(session: Session, patient_id: UUID) -> list[LabResult]:
    """Return the patient's newest results that stand, in the order in which the samples were taken."""
    return _standing(session, LabResult, LabResult.taken_at, patient_id, MOST_CHARTED)


def standing_scores(session: Session, patient_id: UUID, *, most: int = MOST_CHARTED) -> list[SymptomScore]:
    """Return the patient's newest scores that stand, in the order of the visits."""
    return _standing(session, SymptomScore, SymptomScore.noted_at, patient_id, most)


def _standing(
    session: Session, model: type[Measured], day: Any, patient_id: UUID, most: int
) -> list[Measured]:
    found: Select[Any] = select(model).where(
        model.patient_id.in_(records_of(patient_id)), not_superseded(model), span_here().holds(day)
    )
    newest = session.scalars(found.order_by(day.desc(), model.id.desc()).limit(most)).all()
    return list(reversed(newest))


def get_lab(session: Session, patient_id: UUID, result_id: UUID) -> LabResult:
    """Return a result of that person. Raises Refusal NOT-FOUND."""
    return _get(session, LabResult, patient_id, result_id)


def get_score(session: Session, patient_id: UUID, score_id: UUID) -> SymptomScore:
    """Return a score of that person. Raises Refusal NOT-FOUND."""
    return _get(session, SymptomScore, patient_id, score_id)


def _get(session: Session, model: type[Measured], patient_id: UUID, row_id: UUID) -> Measured:
    found: Measured | None = session.scalar(
        select(model).where(model.id == row_id, model.patient_id.in_(records_of(patient_id)))
    )
    if found is None:
        raise not_found("entry")
    return found


def last_units(session: Session) -> dict[Analyte, str]:
    """Return the unit in which the clinic typed each analyte last: the next report is likely of the same laboratory."""
    found = {analyte: session.scalar(_last(LabResult.unit, analyte)) for analyte in Analyte}
    return {analyte: unit for analyte, unit in found.items() if unit}


def _last(column: Any, analyte: Analyte) -> Select[Any]:
    return select(column).where(LabResult.analyte == analyte).order_by(LabResult.id.desc()).limit(1)


def last_laboratory(session: Session) -> str:
    """Return the laboratory that was named last."""
    return session.scalar(select(LabResult.laboratory).order_by(LabResult.id.desc()).limit(1)) or ""
