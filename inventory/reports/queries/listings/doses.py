"""Doses as the lists tell them: what was given, to whom, of what, and how its entry stands."""

from collections.abc import Iterator
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Row, Select, exists, select
from sqlalchemy.orm import aliased

from inventory.doses.models import Dose, DoseSource, DoseVoid
from inventory.doses.rules.terms import BODY_SITE_WORDS, VOID_KIND_WORDS, VoidKind
from inventory.kernel.quantity import format_mcg, format_ml
from inventory.reports.queries.as_of import RECORDED
from inventory.reports.queries.listings.reader import Reader, when
from inventory.reports.queries.selection import void_known

COLUMNS = (
    "dose", "patient_name", "patient_record", "product", "lots", "dose_ng", "dose_mcg", "volume_ul", "volume_ml",
    "injection_site", "giver", "giver_credential", "standing", "said",
)  # fmt: skip


_BATCH = 1_000


def in_period(reader: Reader, *, site_ids: bool = True) -> list[ColumnElement[bool]]:
    """The conditions of a dose that was given on a day of the period at a site of the report."""
    found = [
        reader.about_then(Dose.given_at),
        Dose.given_on >= reader.selection.first_day,
        Dose.given_on <= reader.selection.last_day,
    ]
    return [*found, Dose.site_id.in_(reader.site_ids)] if site_ids else found


def doses(reader: Reader, *conditions: ColumnElement[bool]) -> Iterator[Row[tuple[Dose]]]:
    """Every dose that was recorded by then and meets the conditions, in the order given."""
    yield from reader.connection.execute(_recorded(reader, *conditions))


def standings(reader: Reader, *conditions: ColumnElement[bool]) -> dict[UUID, str]:
    """How the entries stand that no longer count as given: void, or amended."""
    anew = aliased(Dose)
    amended = select(Dose.id).where(
        exists().where(anew.amends_id == Dose.id, reader.as_of.known(anew.id, *RECORDED)), *conditions
    )
    void = (
        select(DoseVoid.dose_id, DoseVoid.kind)
        .join(Dose, Dose.id == DoseVoid.dose_id)
        .where(void_known(reader.as_of), *conditions)
    )
    found = {row.dose_id: _standing(row.kind) for row in reader.connection.execute(void)}
    return found | dict.fromkeys(reader.connection.execute(amended).scalars(), "amended")


def lots_of(reader: Reader, *conditions: ColumnElement[bool]) -> dict[UUID, str]:
    """The lot numbers that each dose bears, as they were copied onto it."""
    rows = reader.connection.execute(
        select(DoseSource.dose_id, DoseSource.lot_number)
        .join(Dose, Dose.id == DoseSource.dose_id)
        .where(*conditions)
        .order_by(DoseSource.dose_id, DoseSource.position)
    )
    found: dict[UUID, list[str]] = {}
    for dose_id, number in rows:
        found.setdefault(dose_id, []).append(number)
    return {dose_id: "; ".join(numbers) for dose_id, numbers in found.items()}


def told_doses(
    reader: Reader, *conditions: ColumnElement[bool]
) -> Iterator[tuple[Row[tuple[Dose]], dict[str, str]]]:
    """Every dose that `doses` gives, with its cells. What is said of them elsewhere is read batch by batch, and held no longer."""
    for some in reader.connection.execute(_recorded(reader, *conditions)).partitions(_BATCH):
        among = Dose.id.in_([dose.id for dose in some])
        standing, lots = standings(reader, among), lots_of(reader, among)
        for dose in some:
            yield dose, _cells(reader, dose, standing, lots)


def _cells(
    reader: Reader, dose: Row[tuple[Dose]], standing: dict[UUID, str], lots: dict[UUID, str]
) -> dict[str, str]:
    """The cells of one dose, and of the instant at which it was given."""
    return {
        **when(dose.given_at, ZoneInfo(dose.given_zone)),
        "site": reader.code(dose.site_id),
        "dose": reader.numbered(dose.site_id, dose.number),
        "patient_name": dose.patient_name,
        "patient_record": dose.patient_record_number,
        "product": dose.product_name,
        "lots": lots.get(dose.id, ""),
        "dose_ng": str(dose.dose_ng),
        "dose_mcg": format_mcg(dose.dose_ng).replace(",", ""),
        "volume_ul": str(dose.volume_ul),
        "volume_ml": format_ml(dose.volume_ul),
        "injection_site": BODY_SITE_WORDS[dose.body_site],
        "giver": dose.giver_name,
        "giver_credential": dose.giver_credential,
        "standing": standing.get(dose.id, "given"),
        "said": dose.note or "",
    }


def _recorded(reader: Reader, *conditions: ColumnElement[bool]) -> Select[tuple[Dose]]:
    return (
        select(Dose.__table__)
        .where(reader.as_of.known(Dose.id, *RECORDED), *conditions)
        .order_by(Dose.given_at, Dose.id)
    )


def void_words(kind: str) -> str:
    """What a void says happened."""
    return VOID_KIND_WORDS[VoidKind(kind)]


def _standing(kind: str) -> str:
    return "amended" if kind == VoidKind.AMENDED else "void"
