"""Why stock is wasted, as a form says it, with the witness who confirmed it by name and password."""

from typing import Any

from inventory.catalogue.models import Product
from inventory.clinic.current import settings_here
from inventory.kernel.clock import now
from inventory.staff.current import address
from inventory.staff.services import confirm_person
from inventory.stock import words
from inventory.stock.forms import DiscardForm, WasteSealedForm, WasteVialForm
from inventory.stock.models import WasteReason
from inventory.stock.services import Why, witnessed_reasons


def why_of(form: WasteSealedForm | WasteVialForm | DiscardForm) -> Why:
    """Return the reason a form gives; whoever is named as witness has to confirm. Raises Refusal when they cannot."""
    reason, note = WasteReason(str(form.reason.data)), str(form.note.data)
    if not form.witness_username.data:
        return Why(reason, note)
    witness = confirm_person(
        username=str(form.witness_username.data),
        password=str(form.witness_password.data),
        at=now(),
        address=address(),
        field="witness_username",
    )
    return Why(reason, note, witness.id)


def witness_asked(product: Product) -> dict[str, Any]:
    """Return the reasons for which waste of the product needs a witness, in words; none by default."""
    reasons = witnessed_reasons(product, settings_here())
    return {"witness_reasons": [said for reason, said in words.WASTE.items() if reason in reasons]}
