"""A dose that was stopped before it was given is written down, so that giving it all the same is not forgotten (law 7)."""

import hashlib
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from inventory.audit.acts import Act, Outcome, perform
from inventory.doses.queries.blocks import BLOCKED
from inventory.kernel.permissions import Actor


def record_block(
    *,
    actor: Actor,
    at: datetime,
    site_id: UUID,
    patient_id: UUID,
    codes: Iterable[str],
    source: str,
    form_key: UUID,
) -> Outcome:
    """Record which findings stopped a dose of `source` (in words) that `actor` was about to give. Outcome: the patient.

    Once for each form and set of findings, however often its page is sent.
    """
    named = sorted(codes)

    def write(act: Act) -> Outcome:
        facts = {"codes": named, "source": source}
        return act.record(BLOCKED, "patient", patient_id, site_id=site_id, patient_id=patient_id, facts=facts)

    told_apart = hashlib.sha256(" ".join(named).encode()).hexdigest()[:20]
    return perform(write, actor=actor, at=at, request_key=f"{form_key}/{told_apart}")
