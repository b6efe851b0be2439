"""Keeps an opened multi-dose vial for one patient, since it was taken to the chair (domain facts, section 5).

Law kept here: one gate. A vial that is kept for somebody is never given to somebody else; who says so last is told.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Exists, exists, select
from sqlalchemy.orm import Session

from inventory.audit.acts import Act, Outcome, perform
from inventory.catalogue.models import ContainerType
from inventory.doses.models import Dose, DoseSource, DoseVoid, VialDedication, VialDedicationEnd
from inventory.doses.queries.dedicated import is_standing, owners_of
from inventory.doses.services.drawing import Drawn
from inventory.kernel.errors import Refusal
from inventory.kernel.laws import means
from inventory.kernel.permissions import Actor
from inventory.patients.queries import records_of
from inventory.patients.services.record import locked
from inventory.stock.ledger import place_of
from inventory.stock.models import Vial
from inventory.stock.queries.relabelled import newest, same_container
from inventory.stock.services.wasting import locked_open_vial

_TAKEN = Refusal("VIAL-DEDICATED", "This vial is kept for a patient already. Open another one.", "patient")
means(_TAKEN, constraint="pk_vial_dedication", columns="vial_dedication.vial_id, vial_dedication.patient_id")


def dedicate_vial(
    *, actor: Actor, at: datetime, request_key: str | None = None, vial_id: UUID, patient_id: UUID
) -> Outcome:
    """Keep an open multi-dose vial for one patient. Outcome: the vial.

    Raises Refusal NOT-FOUND, VIAL-CLOSED, SINGLE-DOSE-ONLY-ONCE, VIAL-DEDICATED, VIAL-OF-OTHERS, VIAL-DEDICATION-ENDED.
    """

    def write(act: Act) -> Outcome:
        # In the order of every act: the patient first.
        patient = locked(act.session, patient_id)
        vial, _ = locked_open_vial(act, vial_id)
        if vial.container_type == ContainerType.SINGLE_DOSE:
            raise Refusal("SINGLE-DOSE-ONLY-ONCE", "A single-dose container serves one patient anyway.")
        keep_for(act, vial_id, patient_id, since=act.recorded_at)
        facts = {"label_number": vial.label_number, "lot_number": vial.lot.lot_number}
        return act.record(
            "doses.dedicate-vial",
            "vial",
            vial_id,
            site_id=place_of(act.session, vial).site_id,
            patient_id=patient.id,
            facts=facts,
        )

    return perform(write, actor=actor, at=at, request_key=request_key)


def keep_drawn(act: Act, drawn: Sequence[Drawn], patient_id: UUID, *, since: datetime) -> list[int]:
    """Inside the act of a dose: keep the multi-dose vials it was drawn from for its patient; return their label numbers.

    One that is kept for the patient already stays so. Raises Refusal VIAL-DEDICATED, VIAL-OF-OTHERS, VIAL-DEDICATION-ENDED.
    """
    kept = []
    for source in drawn:
        heir = newest(act.session, source.vial_id)
        vial_id = heir.id if heir else source.vial_id
        if source.label_number is not None and not _is_kept_for(act.session, vial_id, patient_id):
            keep_for(act, vial_id, patient_id, since=since)
            kept.append(source.label_number)
    return kept


def keep_for(act: Act, vial_id: UUID, patient_id: UUID, *, since: datetime) -> None:
    """Inside an act, the vial's account locked: keep the vial for the patient. Raises Refusal VIAL-DEDICATED, VIAL-OF-OTHERS, VIAL-DEDICATION-ENDED."""
    if vial_id in owners_of(act.session, [vial_id]):
        raise _TAKEN
    if act.session.get(VialDedicationEnd, (vial_id, patient_id)) is not None:
        said = (
            "It was kept for this patient by mistake once, and is not kept for them again. Open another one."
        )
        raise Refusal("VIAL-DEDICATION-ENDED", said, "patient")
    if act.session.scalar(select(_of_others(same_container(act.session, vial_id), patient_id))):
        said = "Other patients have had doses from this vial: it cannot be kept for one. Open another one."
        raise Refusal("VIAL-OF-OTHERS", said, "patient")
    row = {"vial_id": vial_id, "patient_id": patient_id, "dedicated_at": since, "actor_id": act.actor.id}
    act.insert(VialDedication, row)


def _is_kept_for(session: Session, vial_id: UUID, patient_id: UUID) -> bool:
    return owners_of(session, [vial_id]).get(vial_id) in records_of(patient_id)


def _of_others(vial_ids: Collection[UUID], patient_id: UUID) -> Exists:
    """Whether a dose that stands was drawn from the vial, under any of its labels, for another person."""
    of_it = DoseSource.vial_id.in_(vial_ids)
    return (
        exists()
        .where(of_it, Dose.id == DoseSource.dose_id, Dose.patient_id.not_in(records_of(patient_id)))
        .where(~exists().where(DoseVoid.dose_id == Dose.id))
    )


def let_go(act: Act, dose: Dose) -> dict[UUID, int]:
    """Inside the act that says `dose` was never drawn for its patient: end what it kept for them; return vials and labels.

    A dedication ends where this dose made it, or an entry that it amended, and its patient had nothing else of the vial.
    """
    began = _given_at(act.session, dose)
    drawn_from = select(DoseSource.vial_id).where(DoseSource.dose_id == dose.id)
    ended: dict[UUID, int] = {}
    for vial_id in act.session.scalars(drawn_from).all():
        labels = same_container(act.session, vial_id)
        if act.session.scalar(select(_had_more(labels, dose))):
            continue
        kept = select(Vial.id, Vial.label_number).where(
            Vial.id == VialDedication.vial_id,
            VialDedication.vial_id.in_(labels),
            VialDedication.patient_id == dose.patient_id,
            VialDedication.dedicated_at.in_(began),
            is_standing(),
        )
        ended.update({one: label or 0 for one, label in act.session.execute(kept).all()})
    for one in ended:
        row = {"vial_id": one, "patient_id": dose.patient_id, "dose_id": dose.id}
        act.insert(VialDedicationEnd, {**row, "ended_at": act.recorded_at, "actor_id": act.actor.id})
    return ended


def keep_instead(
    act: Act, ended: Collection[UUID], drawn: Sequence[Drawn], patient_id: UUID, *, since: datetime
) -> list[int]:
    """Inside an amendment that names another patient: the vial was at their chair, so it is kept for them; return the labels.

    The old entry is void already. A vial of which others had doses meanwhile is kept for nobody.
    """
    its = [
        one
        for one in drawn
        if one.vial_id in ended
        and not act.session.scalar(select(_of_others(same_container(act.session, one.vial_id), patient_id)))
    ]
    return keep_drawn(act, its, patient_id, since=since)


def _given_at(session: Session, dose: Dose) -> set[datetime]:
    """Return when the dose was given, as it and the entries it amends say it: since then the vial was kept."""
    found, at = {dose.given_at}, dose
    while at.amends_id is not None:
        at = session.get_one(Dose, at.amends_id)
        found.add(at.given_at)
    return found


def _had_more(vial_ids: Collection[UUID], dose: Dose) -> Exists:
    """Whether another dose that stands was drawn from the vial, under any of its labels, for the patient of this one."""
    mine = Dose.patient_id.in_(records_of(dose.patient_id))
    of_patient = (Dose.id == DoseSource.dose_id, mine, Dose.id != dose.id)
    return (
        exists()
        .where(DoseSource.vial_id.in_(vial_ids), *of_patient)
        .where(~exists().where(DoseVoid.dose_id == Dose.id))
    )
