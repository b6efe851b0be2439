"""Whose word counts as a witness of what happens to stock: another person, who works there and handles stock or gives doses."""

from uuid import UUID

from inventory.audit.acts import Act
from inventory.kernel.errors import Refusal
from inventory.kernel.permissions import Permission
from inventory.staff.queries import actor_of, person
from inventory.staff.services import refuse_from_elsewhere

_MAY_SEE = (Permission.STOCK_USE, Permission.STOCK_MANAGE, Permission.DOSE_GIVE)


def refuse_witness(act: Act, witness_id: UUID | None, site_id: UUID) -> None:
    """Inside an act: raise Refusal WITNESS-SAME, WITNESS-SITE or WITNESS-ROLE where the word of this person does not count."""
    field = "witness_username"
    if witness_id is None:
        return
    if witness_id == act.actor.id:
        raise Refusal("WITNESS-SAME", "The witness is another person than the one recording.", field)
    witness = actor_of(person(witness_id))
    refuse_from_elsewhere(witness, site_id, field)
    if not any(witness.can(one) for one in _MAY_SEE):
        said = f"{witness.name} neither handles stock nor gives doses. Ask somebody who does."
        raise Refusal("WITNESS-ROLE", said, field)
