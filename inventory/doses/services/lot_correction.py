"""A lot is corrected, and what its doses make of that, in one act: doses newly past the expiry become deviations to look into.

Laws kept here: a dose keeps the snapshot it had; a vial that serves one patient serves that patient under its new label too.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from inventory.audit.acts import Act, Outcome, perform
from inventory.doses.models import VialDedication
from inventory.doses.queries.dedicated import is_standing
from inventory.doses.queries.past_expiry import newly_past
from inventory.doses.rules.terms import IncidentKind
from inventory.doses.services.incidents import open_incident
from inventory.kernel.permissions import Actor
from inventory.stock.services.correcting import Correction, ExpiryChange, correct
from inventory.stock.services.merging import Relabelled
from inventory.web.presenting import day


def correct_lot(
    *, actor: Actor, at: datetime, request_key: str | None = None, correction: Correction
) -> Outcome:
    """Correct a lot's number or expiry; each dose that is newly past the expiry opens an incident. Outcome: the lot.

    Raises Refusal as `stock.services.correcting.correct`.
    """

    def write(act: Act) -> Outcome:
        done = correct(act, correction)
        late = [number for change in done.expiries for number in _deviations(act, change)]
        if done.taken_over is not None:
            _carry_dedications(act, done.taken_over.vials)
        lot_id, facts = done.facts[0]
        outcome = act.record(done.action, "lot", lot_id, facts={**facts, "doses_past_expiry": late})
        for other_id, told in done.facts[1:]:
            act.record("stock.correct-lot", "lot", other_id, facts=told)
        return outcome

    return perform(write, actor=actor, at=at, request_key=request_key)


def _deviations(act: Act, change: ExpiryChange) -> list[int]:
    """Open an incident about each dose that the change makes late; return the numbers of the doses."""
    late = newly_past(act.session, change.lot_ids, before=change.before, after=change.after)
    for dose_id, site_id, _, given_on in late:
        said = (
            f"LOT-EXPIRED: Lot {change.lot_number} expired on {day(change.after)}, as it was corrected"
            f" since; this dose was given on {day(given_on)}."
        )
        open_incident(act, site_id, dose_id, IncidentKind.DEVIATION, said)
    return [number for _, _, number, _ in late]


def _carry_dedications(act: Act, vials: Iterable[Relabelled]) -> None:
    now_in = {vial.old_id: vial.new_id for vial in vials}
    standing = select(VialDedication).where(VialDedication.vial_id.in_(now_in), is_standing())
    for one in act.session.scalars(standing).all():
        act.insert(VialDedication, _row(now_in[one.vial_id], one))


def _row(vial_id: UUID, one: VialDedication) -> dict[str, Any]:
    return {
        "vial_id": vial_id,
        "patient_id": one.patient_id,
        "dedicated_at": one.dedicated_at,
        "actor_id": one.actor_id,
    }
