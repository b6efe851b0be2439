"""Standing orders and group directions: entered with version and expiry, and withdrawn once."""

from datetime import datetime
from uuid import UUID

from inventory.audit.acts import Act, Outcome, perform
from inventory.catalogue.queries import formulation_by_id
from inventory.courses.models import Authority
from inventory.courses.queries.protocols import authority_by_id
from inventory.courses.rules.ordering import AuthorityDraft
from inventory.kernel.errors import Refusal, Refusals
from inventory.kernel.ids import uuid7
from inventory.kernel.laws import means
from inventory.kernel.permissions import Actor

means(
    Refusal(
        "AUTHORITY-KNOWN", "This version of the document is entered for this formulation already.", "document"
    ),
    constraint="uq_authority_document_document_version_formulation_id",
    columns="authority.document, authority.document_version, authority.formulation_id",
)


def add_authority(
    *,
    actor: Actor,
    at: datetime,
    formulation_id: UUID,
    draft: AuthorityDraft,
    request_key: str | None = None,
) -> Outcome:
    """Enter a document that lets doses be given without a patient's own order. Outcome: the authority.

    Raises Refusals AUTHORITY-DOCUMENT, AUTHORITY-VERSION, AUTHORITY-EXPIRY, DOSE-RANGE, COURSE-IV-ONLY; Refusal
    AUTHORITY-KNOWN, FORMULATION-REFUSED, NOT-FOUND.
    """
    refusals = list(draft.refusals())
    if refusals:
        raise Refusals(refusals)

    def write(act: Act) -> Outcome:
        formulation = formulation_by_id(act.session, formulation_id)
        if formulation.refused:
            raise Refusal(
                "FORMULATION-REFUSED", f"This clinic does not use {formulation.name}.", "formulation"
            )
        said = {name: getattr(draft, name) for name in AuthorityDraft.__dataclass_fields__}
        row = Authority(id=uuid7(), formulation_id=formulation_id, recorded_at=at, actor_id=actor.id, **said)
        act.session.add(row)
        act.session.flush()
        facts = {"formulation": formulation.name, **said}
        return act.record("courses.add-authority", "authority", row.id, facts=facts)

    return perform(write, actor=actor, at=at, request_key=request_key)


def withdraw_authority(
    *, actor: Actor, at: datetime, authority_id: UUID, reason: str, request_key: str | None = None
) -> Outcome:
    """Say that nothing more is given under an authority, and why. Raises Refusal REASON-NEEDED, ALREADY-DONE, NOT-FOUND."""
    if not reason.strip():
        raise Refusal("REASON-NEEDED", "Say why it is withdrawn.", "reason")

    def write(act: Act) -> Outcome:
        authority = authority_by_id(act.session, authority_id)
        act.session.refresh(authority, with_for_update={"key_share": True})
        if authority.withdrawn_at is not None:
            raise Refusal("ALREADY-DONE", "Somebody has withdrawn this already.")
        authority.withdrawn_at, authority.withdrawn_by_id = at, actor.id
        authority.withdrawn_reason = reason.strip()
        act.session.flush()
        facts = {"document": authority.document, "reason": reason.strip()}
        return act.record("courses.withdraw-authority", "authority", authority_id, facts=facts)

    return perform(write, actor=actor, at=at, request_key=request_key)
