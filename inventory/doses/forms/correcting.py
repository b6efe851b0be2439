"""Forms that correct the record, or say that nothing was given: void, amend, not given, and the end of an incident."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import request
from sqlalchemy.orm import Session

from inventory.catalogue.models import ContainerType
from inventory.doses.forms.giving import DoseForm, amounts, carried_draws, chosen_in, details, given_at
from inventory.doses.models import Dose
from inventory.doses.queries.containers import DoseRequest
from inventory.doses.queries.offer import OTHER_LOT, Chosen, Offer, chosen_by, key_of, plan
from inventory.doses.rules.sourcing import Draw
from inventory.doses.rules.terms import (
    BODY_SITE_WORDS,
    NOT_GIVEN_WORDS,
    VOID_KIND_WORDS,
    BodySite,
    EntryMode,
    VoidKind,
)
from inventory.doses.services import draws_of
from inventory.kernel.errors import Refusal
from inventory.patients.queries import patient_numbered
from inventory.web.fields import (
    ChoiceField,
    LocalTimeField,
    LongTextField,
    RadioChoiceField,
    Required,
    TextField,
)
from inventory.web.forms import ClinicForm

SAME = "same"
"""The source of an amendment that leaves the containers as they were recorded."""
A_MINUTE = timedelta(minutes=1)
WRONG = "wrong"


class VoidForm(ClinicForm):
    """What really happened to a dose, and why it was recorded otherwise."""

    kind = RadioChoiceField(
        "What really happened?",
        [Required("Say what really happened.")],
        choices=[
            (VoidKind.NEVER_OPENED.value, VOID_KIND_WORDS[VoidKind.NEVER_OPENED]),
            (VoidKind.DRAWN_NOT_GIVEN.value, VOID_KIND_WORDS[VoidKind.DRAWN_NOT_GIVEN]),
            (WRONG, "It was given, but to another patient, from another vial, or otherwise than recorded"),
        ],
    )
    reason = LongTextField("Why was it recorded?", [Required("Say why it was recorded.")])


class AmendForm(DoseForm):
    """A dose as it really was, and why the entry is corrected."""

    record_number = TextField(
        "Patient's record number", [Required("Type the patient's record number.")], limit=40
    )
    reason = LongTextField("Why is it corrected?", [Required("Say why the entry is corrected.")])


class NotGivenForm(ClinicForm):
    """What was not given, and why."""

    formulation = ChoiceField(
        "Formulation", [Required("Choose what was to be given.")], blank="Choose a formulation"
    )
    reason = RadioChoiceField(
        "Why was it not given?",
        [Required("Say why.")],
        choices=[(r.value, w) for r, w in NOT_GIVEN_WORDS.items()],
    )
    decided_at = LocalTimeField("When")
    note = LongTextField("Note")


class CloseForm(ClinicForm):
    """How an incident ended."""

    outcome = LongTextField("What was found, and what was done?", [Required("Say what was found and done.")])


def sought_patient(session: Session, dose: Dose) -> UUID:
    """Return the patient that an amendment is for: as typed, else the dose's own."""
    typed = request.form.get("record_number", "").strip()[:40]
    return (patient_numbered(session, typed) if typed else None) or dose.patient_id


def amend_form(dose: Dose, offered: Offer) -> AmendForm:
    """Return the form filled with the entry as it stands; what was typed takes its place."""
    form = AmendForm(
        data={
            "source": SAME,
            "dose_mcg": dose.dose_ng,
            "volume_ml": dose.volume_ul,
            "body_site": dose.body_site,
            "given_at": dose.given_at,
            "indication": dose.indication,
            "consent_seen": dose.consent_seen,
            "information_sheet": dose.information_sheet or "",
            "needle": dose.needle or "",
            "note": dose.note or "",
            "record_number": dose.patient_record_number,
        }
    )
    form.mode.data = "already"
    sites = dict.fromkeys((*offered.body_sites, BodySite(dose.body_site)))
    form.body_site.offer((site.value, BODY_SITE_WORDS[site]) for site in sites)
    form.offer_sources(map(key_of, offered.drawables), [(SAME, "As recorded"), (OTHER_LOT, "Another lot")])
    return form


def amended(session: Session, form: AmendForm, dose: Dose, offered: Offer) -> DoseRequest:
    """Return the dose as the valid `form` says it was. Raises Refusal PATIENT-UNKNOWN and those of `asked`."""
    if not patient_numbered(session, str(form.record_number.data)):
        raise Refusal("PATIENT-UNKNOWN", "No patient has this record number.", "record_number")
    kept = draws_of(session, dose.id)
    same = form.source.data == SAME
    chosen, unknown = (
        (_chosen_before(session, kept, offered), None) if same else chosen_in(session, form, offered)
    )
    dose_ng, volume_ul = amounts(form, dose.strength if same else chosen.strength, chosen.default_dose_ng)
    draws = (
        kept if same and volume_ul == dose.volume_ul else plan(offered, chosen, volume_ul, may_spill=False)
    )
    return DoseRequest(
        mode=EntryMode.ALREADY_GIVEN,
        site_id=dose.site_id,
        patient_id=offered.patient.id,
        draws=() if unknown else (carried_draws(form) or draws),
        dose_ng=dose_ng,
        volume_ul=volume_ul,
        given_at=_given_at(form, dose),
        unknown_lot=unknown,
        blocked_before=dose.blocked_before,
        amends_id=dose.id,
        **details(form),
    )


def _given_at(form: AmendForm, dose: Dose) -> Any:
    """Return the time as typed; the same minute is the same instant."""
    typed = given_at(form)
    return dose.given_at if typed <= dose.given_at < typed + A_MINUTE else typed


def _chosen_before(session: Session, kept: tuple[Draw, ...], offered: Offer) -> Chosen:
    """Return the container a dose came from, as it will be when the amendment has put back what the dose took."""
    first = kept[0]
    vial = (
        chosen_by(session, offered, f"vial-{first.vial_id.hex}-{first.location_id.hex}")
        if first.vial_id
        else None
    )
    if vial is not None and vial.supply.container_type is ContainerType.MULTI_DOSE:
        return vial
    sealed = chosen_by(session, offered, f"lot-{first.lot_id.hex}-{first.location_id.hex}")
    back = sum(draw.lot_id == first.lot_id for draw in kept)
    return replace(sealed, supply=replace(sealed.supply, containers=sealed.supply.containers + back))
