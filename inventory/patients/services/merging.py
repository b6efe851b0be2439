"""Says that two records are one person's, and takes it back: rows that are only ever added; no other row changes its patient."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from inventory.audit.acts import Act, Outcome, perform
from inventory.kernel.errors import Refusal, not_found
from inventory.kernel.ids import uuid7
from inventory.kernel.laws import means
from inventory.kernel.permissions import Actor
from inventory.patients.models import Patient, PatientMerge, PatientMergeUndo
from inventory.patients.queries import get_patient
from inventory.patients.services.erasure import is_erased, open_request
from inventory.patients.services.record import locked

_UNDONE = Refusal("MERGE-UNDONE", "This merge was undone already. Load the page again.", status=409)
means(_UNDONE, constraint="pk_patient_merge_undo", columns="patient_merge_undo.merge_id")


def merge_records(
    *,
    actor: Actor,
    at: datetime,
    kept_id: UUID,
    merged_id: UUID,
    reason: str,
    although_born_differently: bool = False,
    request_key: str | None = None,
) -> Outcome:
    """Say that both records are one person's: `merged_id` leads to `kept_id` from now on. The outcome's subject is the merge.

    Raises Refusal NOT-FOUND, MERGE-ITSELF, MERGE-ONE-PERSON, MERGED-ALREADY, MERGE-ERASED, MERGE-ERASURE-ASKED,
    REASON-NEEDED, and MERGE-BORN while the dates of birth differ and `although_born_differently` does not say so.
    """

    def write(act: Act) -> Outcome:
        kept, merged = _both_locked(act.session, kept_id, merged_id)
        _refuse_merge(act.session, kept, merged)
        _refuse_unsaid(kept, merged, reason, although_born_differently=although_born_differently)
        pair = {"id": uuid7(), "kept_id": kept.id, "merged_id": merged.id}
        row = {"reason": reason.strip(), "recorded_at": act.recorded_at, "actor_id": actor.id}
        act.insert(PatientMerge, pair | row)
        return _told(act, "patients.merge", pair, reason.strip())

    return perform(write, actor=actor, at=at, request_key=request_key)


def undo_merge(
    *, actor: Actor, at: datetime, merge_id: UUID, reason: str, request_key: str | None = None
) -> Outcome:
    """Say that a merge was a mistake: what was merged by it stands apart again. The outcome's subject is the merge.

    Raises Refusal NOT-FOUND, MERGE-UNDONE, MERGE-ERASED, REASON-NEEDED.
    """

    def write(act: Act) -> Outcome:
        merge = act.session.get(PatientMerge, merge_id)
        if merge is None:
            raise not_found("merge")
        pair = {"id": merge.id, "kept_id": merge.kept_id, "merged_id": merge.merged_id}
        _both_locked(act.session, merge.kept_id, merge.merged_id)
        if act.session.get(PatientMergeUndo, merge_id) is not None:
            raise _UNDONE
        _refuse_erased(act.session, merge.kept_id, merge.merged_id)
        _refuse_unreasoned(reason)
        row = {"reason": reason.strip(), "recorded_at": act.recorded_at, "actor_id": actor.id}
        act.insert(PatientMergeUndo, {"merge_id": merge_id} | row)
        return _told(act, "patients.undo-merge", pair, reason.strip())

    return perform(write, actor=actor, at=at, request_key=request_key)


def _both_locked(session: Session, kept_id: UUID, merged_id: UUID) -> tuple[Patient, Patient]:
    """Return both records as they are now, locked in one order, whoever merges which into which."""
    found = {one: locked(session, one) for one in sorted({kept_id, merged_id})}
    return found[kept_id], found[merged_id]


def _refuse_merge(session: Session, kept: Patient, merged: Patient) -> None:
    if kept.id == merged.id:
        said = "A record cannot be merged with itself. Type the number of the other record."
        raise Refusal("MERGE-ITSELF", said, "record_number")
    if kept.kept_id == merged.kept_id:
        raise Refusal("MERGE-ONE-PERSON", "These are records of one person already.", "record_number")
    for one in (kept, merged):
        if one.kept_id != one.id:
            of = get_patient(session, one.kept_id).record_number
            said = f"{one.record_number} was merged into {of} already. Merge {of} instead."
            raise Refusal("MERGED-ALREADY", said, "record_number")
    _refuse_erased(session, kept.id, merged.id)
    if open_request(session, kept.id) or open_request(session, merged.id):
        said = "An erasure is asked for about one of them. Decide about it under Retention first."
        raise Refusal("MERGE-ERASURE-ASKED", said)


def _refuse_erased(session: Session, *patient_ids: UUID) -> None:
    if any(is_erased(session, one) for one in patient_ids):
        raise Refusal(
            "MERGE-ERASED", "One of these records was erased: nobody can tell any more whose it was."
        )


def _refuse_unsaid(kept: Patient, merged: Patient, reason: str, *, although_born_differently: bool) -> None:
    _refuse_unreasoned(reason)
    if kept.born_on != merged.born_on and not although_born_differently:
        said = (
            "The dates of birth differ. Find out which one is right; if they are one person all the same, say so below"
            " and why in the reason."
        )
        raise Refusal("MERGE-BORN", said, "although_born_differently")


def _refuse_unreasoned(reason: str) -> None:
    if not reason.strip():
        raise Refusal("REASON-NEEDED", "Say how you know.", "reason")


def _told(act: Act, action: str, pair: Mapping[str, UUID], reason: str) -> Outcome:
    """Write an entry about either record: each has its own history, should they be two people's after all."""
    # The database has changed whose they are, behind what the session read.
    act.session.expire_all()
    kept_id, merged_id = pair["kept_id"], pair["merged_id"]
    facts: dict[str, UUID | str] = {"merged": merged_id, "reason": reason}
    outcome = act.record(action, "patient-merge", pair["id"], patient_id=kept_id, facts=facts)
    facts = {"kept": kept_id, "reason": reason}
    act.record(f"{action}-of", "patient", merged_id, patient_id=merged_id, facts=facts)
    return outcome
