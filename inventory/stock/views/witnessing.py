"""Why stock is wasted, as a form says it, with the witness who confirmed it by name and password."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from inventory.catalogue.models import Product
from inventory.clinic.current import current_site, settings_here
from inventory.staff.confirmed import confirmed_by
from inventory.stock import services, words
from inventory.stock.forms import DiscardForm, WasteSealedForm, WasteVialForm
from inventory.stock.models import Lot, Vial, WasteReason
from inventory.stock.services import Why, witnessed_reasons
from inventory.web.forms import ClinicForm
from inventory.web.presenting import site_today


def why_of(form: WasteSealedForm | WasteVialForm | DiscardForm) -> Why:
    """Return the reason a form gives; whoever is named as witness has to confirm. Raises Refusal when they cannot."""
    reason, note = WasteReason(str(form.reason.data)), str(form.note.data)
    return Why(reason, note, witness_id(form))


def witness_id(form: ClinicForm) -> UUID | None:
    """Return who confirmed as the witness, None where nobody is named. Raises Refusal where their word does not count here."""
    witness = confirmed_by(form, "witness", current_site().id)
    return witness.id if witness else None


def offer_reasons(
    form: WasteSealedForm | WasteVialForm | DiscardForm,
    reasons: Collection[WasteReason],
    lot: Lot,
    vial: Vial | None = None,
) -> None:
    """Offer those of the reasons that can be true of it today."""
    true = services.true_on(reasons, site_today(), lot, vial)
    form.reason.offer((reason.value, words.WASTE[reason]) for reason in true)


def witness_asked(product: Product) -> dict[str, Any]:
    """Return the reasons for which waste of the product needs a witness, in words; none by default."""
    reasons = witnessed_reasons(product, settings_here())
    return {"witness_reasons": [said for reason, said in words.WASTE.items() if reason in reasons]}
