"""The doses of a snapshot as rows of the administration report, read in batches by plain Core selects.

Law 4: nothing is left out. A void, an amendment, a deviation or an override is a mark and a remark on its row.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.engine import Connection

from inventory.doses.models import Dose, DoseFinding, DoseSource
from inventory.doses.rules.terms import BODY_SITE_WORDS
from inventory.kernel.numbering import written_number
from inventory.kernel.quantity import Strength
from inventory.reports.documents.administration_row import AdministrationRow, Practitioner, Source
from inventory.reports.queries.remarks import AnyRow, Facts, Finding, marked
from inventory.reports.queries.selection import Snapshot, reading
from inventory.stock.queries.corrections import Corrected

_BATCH = 1_000
# Names of people and sites come from the snapshot, which has them as they were: no join has to be made for each dose.
_DOSES = select(
    Dose.id,
    Dose.number,
    Dose.site_id,
    Dose.patient_id,
    Dose.patient_name,
    Dose.patient_record_number,
    Dose.patient_born_on,
    Dose.product_name,
    Dose.formulation_name,
    Dose.strength_ng,
    Dose.strength_ul,
    Dose.volume_ul,
    Dose.dose_ng,
    Dose.route,
    Dose.body_site,
    Dose.needle,
    Dose.given_at,
    Dose.given_zone,
    Dose.recorded_at,
    Dose.is_late,
    Dose.is_deviation,
    Dose.blocked_before,
    Dose.giver_id,
    Dose.giver_name,
    Dose.giver_credential,
    Dose.actor_id,
    Dose.indication,
    Dose.consent_seen,
    Dose.information_sheet,
    Dose.note,
    Dose.amends_id,
)
_SOURCES = select(
    DoseSource.dose_id,
    DoseSource.lot_number,
    DoseSource.expires_on,
    DoseSource.label_number,
    DoseSource.use_by_on,
    DoseSource.volume_ul,
).order_by(DoseSource.dose_id, DoseSource.position)
_FINDINGS = select(
    DoseFinding.dose_id,
    DoseFinding.code,
    DoseFinding.disposition,
    DoseFinding.message,
    DoseFinding.reason,
    DoseFinding.note,
    DoseFinding.decided_by_id,
    DoseFinding.second_person_id,
).order_by(DoseFinding.dose_id, DoseFinding.code)


class IdentifiedRow(NamedTuple):
    """A row, and the ids of its dose, its patient and its giver."""

    row: AdministrationRow
    dose_id: UUID
    patient_id: UUID
    giver_id: UUID


def administration_rows(snapshot: Snapshot) -> Iterator[AdministrationRow]:
    """Every dose of the snapshot, in its order; each batch is one short transaction."""
    for identified in identified_rows(snapshot):
        yield identified[0]


def identified_rows(snapshot: Snapshot) -> Iterator[IdentifiedRow]:
    """As `administration_rows`, with the ids of each."""
    for ids in snapshot.batches(_BATCH):
        with reading() as connection:
            doses = {dose.id: dose for dose in connection.execute(_DOSES.where(Dose.id.in_(ids)))}
            sources = _sources(connection, ids)
            findings = _findings(connection, ids, snapshot.called.people)
            corrections = _corrections(connection, ids, snapshot)
        for dose_id in ids:
            dose = doses[dose_id]
            facts = Facts(
                dose,
                findings.get(dose_id, ()),
                snapshot.voids.get(dose_id),
                snapshot.amended_by.get(dose_id),
                [said for said in corrections.get(dose_id, ()) if said.corrected_at >= dose.recorded_at],
                site_code=snapshot.called.codes[dose.site_id],
                amends=snapshot.amends.get(dose_id),
                recorded_by="" if dose.actor_id == dose.giver_id else snapshot.called.people[dose.actor_id],
            )
            row = _row(dose, tuple(sources.get(dose_id, ())), facts)
            yield IdentifiedRow(row, dose_id, dose.patient_id, dose.giver_id)


def _row(dose: AnyRow, sources: tuple[Source, ...], facts: Facts) -> AdministrationRow:
    zone = _zone(dose.given_zone)
    standing, marks, remarks = marked(facts, zone)
    return AdministrationRow(
        number=written_number(facts.site_code, dose.number),
        site_code=facts.site_code,
        given_at=dose.given_at.astimezone(zone),
        recorded_at=dose.recorded_at.astimezone(zone),
        patient_name=dose.patient_name,
        patient_record=dose.patient_record_number,
        patient_born_on=dose.patient_born_on,
        formulation=dose.formulation_name,
        product=dose.product_name,
        strength=_strength(dose.strength_ng, dose.strength_ul),
        sources=sources,
        dose_ng=dose.dose_ng,
        volume_ul=dose.volume_ul,
        injection_site=BODY_SITE_WORDS[dose.body_site],
        route=dose.route,
        giver=_practitioner(dose.giver_name, dose.giver_credential),
        indication=dose.indication,
        consent="Consent seen" if dose.consent_seen else "Consent not seen",
        standing=standing,
        marks=marks,
        remarks=remarks,
    )


@cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


@cache
def _strength(strength_ng: int, strength_ul: int) -> str:
    return str(Strength(strength_ng, strength_ul))


@cache
def _practitioner(name: str, credential: str) -> Practitioner:
    return Practitioner(name, credential)


def _sources(connection: Connection, ids: Sequence[UUID]) -> dict[UUID, list[Source]]:
    found: dict[UUID, list[Source]] = {}
    rows = connection.execute(_SOURCES.where(DoseSource.dose_id.in_(ids)))
    for dose_id, lot_number, expires_on, label, use_by_on, volume_ul in rows:
        source = Source(lot_number, expires_on, "" if label is None else str(label), use_by_on, volume_ul)
        found.setdefault(dose_id, []).append(source)
    return found


def _findings(
    connection: Connection, ids: Sequence[UUID], people: Mapping[UUID, str]
) -> dict[UUID, list[Finding]]:
    found: dict[UUID, list[Finding]] = {}
    rows = connection.execute(_FINDINGS.where(DoseFinding.dose_id.in_(ids)))
    for dose_id, code, disposition, message, reason, note, decided_by_id, second_id in rows:
        second = people[second_id] if second_id else None
        finding = Finding(code, disposition, message, reason, note, people[decided_by_id], second)
        found.setdefault(dose_id, []).append(finding)
    return found


def _corrections(
    connection: Connection, ids: Sequence[UUID], snapshot: Snapshot
) -> dict[UUID, list[Corrected]]:
    """What was ever corrected of the doses' lots; hardly any lot is."""
    found: dict[UUID, list[Corrected]] = {}
    if snapshot.corrections:
        of_corrected = select(DoseSource.dose_id, DoseSource.lot_id).where(
            DoseSource.dose_id.in_(ids), DoseSource.lot_id.in_(snapshot.corrections)
        )
        for dose_id, lot_id in connection.execute(of_corrected.order_by(DoseSource.position)):
            told = found.setdefault(dose_id, [])
            told += [said for said in snapshot.corrections[lot_id] if said not in told]
    return found
