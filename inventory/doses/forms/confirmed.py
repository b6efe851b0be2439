"""Reads a dose off the form of its confirmation page alone, which carries everything that was shown there.

Law kept here: one gate. Nothing is decided from this: the act asks the gate again, with the patient and the shelf locked.
"""

from collections.abc import Iterable
from uuid import UUID

from flask import request

from inventory.doses.forms.confirming import shown_codes
from inventory.doses.forms.giving import MODES, DoseForm, carried_draws, details, mode_here, when
from inventory.doses.forms.identifying import identified
from inventory.doses.queries.containers import DoseRequest
from inventory.doses.queries.offer import OTHER_LOT
from inventory.doses.rules.terms import BODY_SITE_WORDS, BodySite
from inventory.doses.services import Decisions
from inventory.kernel.errors import Refusal

_NEEDS_SOMEBODY = ("override-", "prescriber_", "second_")
_ACKNOWLEDGE = "acknowledge-"


def confirmed_dose(
    *, patient_id: UUID, site_id: UUID, allowed: Iterable[BodySite]
) -> tuple[DoseForm, DoseRequest] | None:
    """Return the valid form and the dose it confirms; None where something has to be read, asked or said anew."""
    if request.form.get("step") != "record" or _needs_somebody():
        return None
    form = _form(allowed)
    form.mode.data = mode_here()
    draws = carried_draws(form)
    if not form.validate() or not draws or form.source.data == OTHER_LOT:
        return None
    dose_ng, volume_ul = form.dose_mcg.data, form.volume_ml.data
    if not dose_ng or not volume_ul:
        return None
    mode = MODES[str(form.mode.data)]
    try:
        return form, DoseRequest(
            mode=mode,
            site_id=site_id,
            patient_id=patient_id,
            draws=draws,
            dose_ng=dose_ng,
            volume_ul=volume_ul,
            **when(form),
            **identified(form, patient_id, mode),
            **details(form),
        )
    except Refusal:
        return None


def acknowledged() -> Decisions:
    """Return what was ticked on the confirmation page; the gate says whether it is enough."""
    ticked = (name for name, value in request.form.items() if value and name.startswith(_ACKNOWLEDGE))
    return Decisions(
        acknowledged=frozenset(name.removeprefix(_ACKNOWLEDGE) for name in ticked), shown=shown_codes()
    )


def _needs_somebody() -> bool:
    return any(value for name, value in request.form.items() if name.startswith(_NEEDS_SOMEBODY))


def _form(allowed: Iterable[BodySite]) -> DoseForm:
    form = DoseForm()
    form.body_site.offer((site.value, BODY_SITE_WORDS[site]) for site in allowed)
    form.offer_sources(())
    form.offer_others((), ())
    return form
