"""Forms that correct the record, or say that nothing was given: void, amend, not given, and the end of an incident."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import request
from sqlalchemy.orm import Session

from inventory.catalogue.models import ContainerType
from inventory.doses.forms.giving import DoseForm, amounts, carried_draws, chosen_in, details, given_at
from inventory.doses.models import Dose
from inventory.doses.queries.containers import DoseRequest
from inventory.doses.queries.offer import OTHER_LOT, Chosen, Offer, chosen_by, key_of, plan
from inventory.doses.rules.sourcing import Draw, Supply, plan_draws
from inventory.doses.rules.terms import (
    BODY_SITE_WORDS,
    NOT_GIVEN_WORDS,
    VOID_KIND_WORDS,
    BodySite,
    EntryMode,
    VoidKind,
)
from inventory.doses.services import NextStep, draws_of
from inventory.kernel.errors import Refusal
from inventory.patients.queries import patient_numbered, records_of
from inventory.web.fields import (
    ChoiceField,
    CodeField,
    DateField,
    LocalTimeField,
    LongTextField,
    RadioChoiceField,
    Required,
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

    record_number = CodeField(
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


class FollowUpForm(ClinicForm):
    """A step of looking into an incident: what was found; and, all three or none, what is next, until when, by whom."""

    found = LongTextField("What was found?", [Required("Say what was found so far.")])
    action = LongTextField("What is to be done next?")
    due_on = DateField("Until")
    assigned_to = ChoiceField("By whom", blank="Nobody")

    @property
    def next_step(self) -> NextStep | None:
        """The next step, or None where none is named. Raises Refusal STEP-NEEDED where it is named in part."""
        typed = (self.action.data, self.due_on.data, self.assigned_to.data)
        if not any(typed):
            return None
        for name, value in zip(("action", "due_on", "assigned_to"), typed, strict=True):
            if not value:
                raise Refusal("STEP-NEEDED", "Say what is to be done, until when and by whom.", name)
        return NextStep(str(self.action.data), self.due_on.data, UUID(self.assigned_to.data))


def sought_patient(session: Session, dose: Dose) -> UUID:
    """Return the patient that an amendment is for: as typed, else the dose's own, as for any number of the same person."""
    typed = request.form.get("record_number", "").strip()[:40]
    found = patient_numbered(session, typed) if typed else None
    return dose.patient_id if found is None or found in records_of(dose.patient_id) else found


def _by_the_clock_of(dose: Dose) -> type[AmendForm]:
    """Return the form that reads and shows the time in the zone the dose was recorded in, wherever it is amended."""
    zone = ZoneInfo(dose.given_zone)
    given_at = LocalTimeField("Given at", zone=lambda: zone)
    return type("AmendForm", (AmendForm,), {"given_at": given_at})


def amend_form(dose: Dose, offered: Offer) -> AmendForm:
    """Return the form filled with the entry as it stands; what was typed takes its place."""
    form = _by_the_clock_of(dose)(
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
    if same:
        chosen, unknown = _chosen_before(session, kept, offered), None
    else:
        chosen, unknown = chosen_in(session, form, offered)
    dose_ng, volume_ul = amounts(form, dose.strength if same else chosen.strength, chosen.default_dose_ng)
    draws = (
        redrawn(kept, chosen.supply, volume_ul) if same else plan(offered, chosen, volume_ul, may_spill=False)
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
        identity_check=dose.identity_check if offered.patient.id == dose.patient_id else None,
        **details(form),
    )


def _given_at(form: AmendForm, dose: Dose) -> Any:
    """Return the time as typed; the same minute is the same instant."""
    typed = given_at(form)
    return dose.given_at if typed <= dose.given_at < typed + A_MINUTE else typed


def _chosen_before(session: Session, kept: tuple[Draw, ...], offered: Offer) -> Chosen:
    """Return the first container a dose came from, as it was recorded."""
    first = kept[0]
    return chosen_by(session, offered, f"vial-{(first.vial_id or first.lot_id).hex}-{first.location_id.hex}")


def redrawn(kept: tuple[Draw, ...], supply: Supply, volume_ul: int) -> tuple[Draw, ...]:
    """Return the draws of a dose from the containers it came from, with another volume; the same volume changes nothing.

    A multi-dose vial gives it all. Single-dose containers are filled in their order, and what they do not hold comes from
    more containers of the first one's lot.
    """
    if sum(draw.volume_ul for draw in kept) == volume_ul:
        return kept
    if supply.container_type is ContainerType.MULTI_DOSE:
        return (replace(kept[0], volume_ul=volume_ul),)
    draws: list[Draw] = []
    for draw in kept:
        drawn = min(volume_ul, supply.content_ul)
        draws += [replace(draw, volume_ul=drawn)] if drawn else []
        volume_ul -= drawn
    sealed = replace(supply, vial_id=None, containers=0)
    return (*draws, *(plan_draws(volume_ul, [sealed]) if volume_ul else ()))
