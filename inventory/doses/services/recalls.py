"""Reaching the patients of a recall: each try is recorded, none is ever changed (law 4), and the newest says how it stands."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from inventory.audit.acts import Act, Outcome, perform
from inventory.doses.models import RecallContact
from inventory.doses.queries import recalls
from inventory.doses.rules.terms import ContactMeans, ContactOutcome
from inventory.kernel.errors import Refusal
from inventory.kernel.ids import uuid7
from inventory.kernel.permissions import Actor
from inventory.stock.queries.recalls import recall_by_id, recall_row
from inventory.stock.rules import moment
from inventory.stock.services.recalls import closing_guards
from inventory.web.presenting import count


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What came of one try to reach a patient. `contacted_at` None is now."""

    outcome: ContactOutcome
    means: ContactMeans
    note: str = ""
    contacted_at: datetime | None = None


def record_contact(
    *,
    actor: Actor,
    at: datetime,
    request_key: str | None = None,
    recall_id: UUID,
    patient_id: UUID,
    told: Told,
) -> Outcome:
    """Record a try to reach a patient about a recall, also one that is closed; the outcome names the contact.

    Raises Refusal NOT-FOUND, RECALL-NOT-RECIPIENT, TIME-FUTURE, TIME-TOO-EARLY, CONTACT-TOO-EARLY.
    """

    def write(act: Act) -> Outcome:
        recall = recall_by_id(act.session, recall_id)
        when = moment(told.contacted_at, recorded_at=act.recorded_at, field="contacted_at")
        one = recalls.recipient(act.session, recall_id, patient_id)
        if one is None:
            said = "This patient was given nothing of the recalled lots."
            raise Refusal("RECALL-NOT-RECIPIENT", said)
        _refuse_too_early(when, recall.opened_at, one.first_given_at)
        contact_id = uuid7()
        values = {
            "id": contact_id,
            "recall_id": recall_id,
            "patient_id": patient_id,
            "outcome": told.outcome,
            "means": told.means,
            "note": told.note.strip() or None,
            "contacted_at": when,
            "recorded_at": act.recorded_at,
            "actor_id": act.actor.id,
        }
        act.insert(RecallContact, values)
        facts = {
            "recall": recall_row(act.session, recall.id).label,
            "outcome": told.outcome,
            "means": told.means,
            "note": values["note"],
            "contacted_at": when,
        }
        return act.record(
            "doses.recall-contact", "recall-contact", contact_id, patient_id=patient_id, facts=facts
        )

    return perform(write, actor=actor, at=at, request_key=request_key)


def _refuse_too_early(contacted_at: datetime, opened_at: datetime, first_given_at: datetime) -> None:
    """Nobody is told about a recall before it is opened, nor of a dose before it is given. A time is typed by the minute."""
    for begins_at, begins in (
        (opened_at, "this recall was opened"),
        (first_given_at, "anything of these lots was given to this patient"),
    ):
        if contacted_at < begins_at.replace(second=0, microsecond=0):
            said = f"This is before {begins}. Check the date and time."
            raise Refusal("CONTACT-TOO-EARLY", said, "contacted_at")


def note_list_taken(*, actor: Actor, at: datetime, recall_id: UUID, patients: int) -> None:
    """Note in the trail that somebody took the list of a recall's patients out of the clinic's system."""

    def write(act: Act) -> Outcome:
        label = recall_row(act.session, recall_id).label
        return act.record(
            "doses.take-recall-list", "recall", recall_id, facts={"recall": label, "patients": patients}
        )

    perform(write, actor=actor, at=at)


def patients_to_reach(session: Session, recall_id: UUID) -> str:
    """Return in words how many patients of a recall still have to be reached; nothing where all are."""
    far = recalls.progress(session, recall_id)
    said = [
        f"{count(number, 'patient')} {words}"
        for number, words in (
            (far.never_tried, "nobody has tried to reach"),
            (far.tried, "tried and not told"),
        )
        if number
    ]
    return " and ".join(said)


if patients_to_reach not in closing_guards:
    closing_guards.append(patients_to_reach)
