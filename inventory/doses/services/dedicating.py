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
from inventory.doses.models import Dose, DoseSource, DoseVoid, VialDedication
from inventory.doses.services.drawing import Drawn
from inventory.kernel.errors import Refusal
from inventory.kernel.laws import means
from inventory.kernel.permissions import Actor
from inventory.patients.models import Patient
from inventory.patients.queries import get_patient
from inventory.stock.ledger import place_of
from inventory.stock.queries.relabelled import newest, same_container
from inventory.stock.services.wasting import locked_open_vial

_TAKEN = Refusal("VIAL-DEDICATED", "This vial is kept for a patient already. Open another one.", "patient")
means(_TAKEN, constraint="pk_vial_dedication", columns="vial_dedication.vial_id")


def dedicate_vial(
    *, actor: Actor, at: datetime, request_key: str | None = None, vial_id: UUID, patient_id: UUID
) -> Outcome:
    """Keep an open multi-dose vial for one patient, for good. Outcome: the vial.

    Raises Refusal NOT-FOUND, VIAL-CLOSED, SINGLE-DOSE-ONLY-ONCE, VIAL-DEDICATED, VIAL-OF-OTHERS.
    """

    def write(act: Act) -> Outcome:
        patient = get_patient(act.session, patient_id)
        # In the order of every act: the patient first.
        act.session.execute(
            select(Patient.id).where(Patient.id == patient_id).with_for_update(key_share=True)
        )
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

    One that is kept for the patient already stays so. Raises Refusal VIAL-DEDICATED, VIAL-OF-OTHERS.
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
    """Inside an act, the vial's account locked: keep the vial for the patient. Raises Refusal VIAL-DEDICATED, VIAL-OF-OTHERS."""
    if act.session.get(VialDedication, vial_id) is not None:
        raise _TAKEN
    if act.session.scalar(select(_of_others(same_container(act.session, vial_id), patient_id))):
        said = "Other patients have had doses from this vial: it cannot be kept for one. Open another one."
        raise Refusal("VIAL-OF-OTHERS", said, "patient")
    row = {"vial_id": vial_id, "patient_id": patient_id, "dedicated_at": since, "actor_id": act.actor.id}
    act.insert(VialDedication, row)


def _is_kept_for(session: Session, vial_id: UUID, patient_id: UUID) -> bool:
    kept = exists().where(VialDedication.vial_id == vial_id, VialDedication.patient_id == patient_id)
    return bool(session.scalar(select(kept)))


def _of_others(vial_ids: Collection[UUID], patient_id: UUID) -> Exists:
    """Whether a dose that stands was drawn from the vial, under any of its labels, for somebody else."""
    of_it = DoseSource.vial_id.in_(vial_ids)
    return (
        exists()
        .where(of_it, Dose.id == DoseSource.dose_id, Dose.patient_id != patient_id)
        .where(~exists().where(DoseVoid.dose_id == Dose.id))
    )
