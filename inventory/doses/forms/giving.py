"""The form of a dose, and how it is read into a request. Law kept here: a dose in mcg and a volume in mL are one amount, exactly."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from flask import request
from sqlalchemy.orm import Session
from wtforms import HiddenField

from inventory.doses.forms.identifying import identified
from inventory.doses.queries.containers import DoseRequest, UnknownLot
from inventory.doses.queries.offer import (
    OTHER_LOT,
    Chosen,
    Offer,
    chosen_by,
    chosen_product,
    is_key,
    key_of,
    plan,
)
from inventory.doses.rules.sourcing import Draw
from inventory.doses.rules.terms import BODY_SITE_WORDS, BodySite, EntryMode
from inventory.kernel.errors import Refusal
from inventory.kernel.quantity import Strength, format_mcg, format_ml
from inventory.stock.queries import Drawable, lot_by_number
from inventory.web.fields import (
    Between,
    ChoiceField,
    CodeField,
    DoseField,
    ExpiryField,
    LocalTimeField,
    LongTextField,
    RadioChoiceField,
    Required,
    TextField,
    TickField,
    VolumeField,
)
from inventory.web.forms import ClinicForm

MODES = {"about": EntryMode.ABOUT_TO_GIVE, "already": EntryMode.ALREADY_GIVEN}
"""The two modes as they stand in an address and in a form."""
MODE_WORDS = (("about", "About to give"), ("already", "Already given, at ..."))
MOST_UL = 50_000
_CARRIED_BESIDE = ("given_at-which",)
_NEVER_CARRIED = {"csrf_token", "request_key", "draws", "mode", "dose_mcg", "volume_ml"}


class FindForm(ClinicForm):
    """Whether the dose is still to be given, and for whom."""

    mode = RadioChoiceField(
        "Is the dose still to be given?",
        [Required("Say which of the two.")],
        choices=MODE_WORDS,
        default="about",
    )
    q = TextField("Patient", [Required("Type a name, a record number or a date of birth.")])


class DoseForm(ClinicForm):
    """What is typed about a dose, given or to be given."""

    source = RadioChoiceField("Vial", [Required("Choose the vial the dose comes from.")])
    dose_mcg = DoseField("Dose", [Between(most=10_000_000_000, message="At most 10,000,000 mcg.")])
    volume_ml = VolumeField("Volume", [Between(most=MOST_UL, message="At most 50 mL.")])
    body_site = RadioChoiceField("Body site", [Required("Choose where the dose goes in.")])
    given_at = LocalTimeField("Given at")
    indication = TextField("Indication", [Required("Say what the dose is for.")], limit=300)
    consent_seen = TickField("Consent seen")
    information_sheet = TextField("Information sheet given (its version)", limit=120)
    needle = TextField("Needle", limit=60)
    note = LongTextField("Note")
    dedicate = TickField("For this patient only")
    other_product = ChoiceField("Product of that lot", blank="Choose a product")
    other_lot_number = CodeField("Lot number", limit=40)
    other_expires_on = ExpiryField("Expiry of that lot")
    other_location = ChoiceField("Where it was kept", blank="Choose a place")
    identity_ticked = TickField("I asked for name and date of birth: both are as above")
    identity_name = TextField("Name, as the patient says it", limit=200)
    identity_other = TextField("Date of birth or record number", limit=40)
    mode = HiddenField()
    draws = HiddenField()

    def offer_sources(self, keys: Iterable[str], more: Sequence[tuple[str, str]] = ()) -> None:
        """Accept these containers, and one that was offered earlier: the gate says what became of it."""
        sent = request.form.get("source", "")
        offered = [*more, *((key, key) for key in keys)]
        self.source.offer([*offered, (sent, sent)] if is_key(sent) else offered)

    def offer_others(self, products: Iterable[Any], locations: Iterable[Any]) -> None:
        """Set what a lot that is not in stock may be of, and where it may have been kept."""
        self.other_product.offer(
            (row.id, f"{row.name}, {Strength(row.strength_ng, row.strength_ul)}") for row in products
        )
        self.other_location.offer((place.id, place.name) for place in locations)


def mode_here() -> str:
    """Return the mode of this request: as sent with the form, else as in the address, else about to give."""
    if request.form.get("step") == "already":
        return "already"
    typed = request.form.get("mode") or request.args.get("mode", "")
    return typed if typed in MODES else "about"


def dose_form(offered: Offer, *, mode: str) -> DoseForm:
    """Return the form for this patient, filled with what is most likely; what was typed takes its place."""
    suggested = offered.suggested
    form = DoseForm(
        data={
            "source": key_of(suggested) if suggested else None,
            "dose_mcg": offered.suggested_dose_ng,
            "volume_ml": _volume_of(suggested, offered.suggested_dose_ng),
            "body_site": offered.suggested_site.value if offered.suggested_site else None,
            "indication": _indication(offered),
            "information_sheet": offered.patient.information_sheet,
        }
    )
    if (offered.recent or offered.planned) and not offered.looks_back:
        # The patient's own dose stays when another vial is picked; only its volume follows.
        form.dose_mcg.render_kw = {"data-own-dose": ""}
    form.mode.data = mode
    form.body_site.offer((site.value, BODY_SITE_WORDS[site]) for site in offered.body_sites)
    form.offer_sources(
        map(key_of, offered.drawables), [(OTHER_LOT, "Another lot")] if mode == "already" else ()
    )
    return form


def slot_here() -> UUID | None:
    """Return which dose of a course the address means; None where it names none."""
    try:
        return UUID(request.args.get("slot", ""))
    except ValueError:
        return None


def _indication(offered: Offer) -> str:
    if offered.planned:
        return str(offered.planned.indication)
    return str(offered.recent[0].indication) if offered.recent else ""


def _volume_of(suggested: Drawable | None, dose_ng: int | None) -> int | None:
    return suggested.lot.strength.volume_ul(dose_ng) if suggested and dose_ng else None


def asked(session: Session, form: DoseForm, offered: Offer) -> DoseRequest:
    """Return the dose that the valid `form` asks for. Raises Refusal for what the fields together do not say."""
    chosen, unknown = chosen_in(session, form, offered)
    dose_ng, volume_ul = amounts(form, chosen.strength, chosen.default_dose_ng)
    mode = MODES[str(form.mode.data)]
    planned = plan(offered, chosen, volume_ul, may_spill=mode is EntryMode.ABOUT_TO_GIVE)
    return DoseRequest(
        mode=mode,
        site_id=offered.site_id,
        patient_id=offered.patient.id,
        draws=() if unknown else (carried_draws(form) or planned),
        dose_ng=dose_ng,
        volume_ul=volume_ul,
        unknown_lot=unknown,
        **when(form),
        **identified(form, offered.patient.id, mode),
        **details(form),
    )


def chosen_in(session: Session, form: DoseForm, offered: Offer) -> tuple[Chosen, UnknownLot | None]:
    """Return the container that the form names, or the lot that was never received. Raises Refusal."""
    if form.source.data == OTHER_LOT:
        return other_lot(session, form, offered)
    return _named(session, form, offered), None


def when(form: DoseForm) -> dict[str, Any]:
    """Return the time of a dose given already; a dose about to be given has none. Raises Refusal TIME-NEEDED."""
    if MODES[str(form.mode.data)] is EntryMode.ABOUT_TO_GIVE:
        return {}
    return {"given_at": given_at(form)}


def details(form: DoseForm) -> dict[str, Any]:
    """Return what is recorded as it was typed."""
    return {
        "body_site": BodySite(form.body_site.data),
        "indication": form.indication.data,
        "consent_seen": form.consent_seen.data,
        "information_sheet": form.information_sheet.data or None,
        "needle": form.needle.data or None,
        "note": form.note.data or None,
        "dedicate": bool(form.dedicate.data),
    }


def given_at(form: DoseForm) -> datetime:
    """Return when a dose was given. Raises Refusal TIME-NEEDED."""
    typed = form.given_at.data
    if not isinstance(typed, datetime):
        raise Refusal("TIME-NEEDED", "Type when the dose was given.", "given_at")
    return typed


def _named(session: Session, form: DoseForm, offered: Offer) -> Chosen:
    try:
        return chosen_by(session, offered, str(form.source.data))
    except Refusal as refusal:
        said = "This vial does not exist any more. Choose again."
        raise Refusal("CHOICE-INVALID", said, "source") from refusal


def other_lot(session: Session, form: DoseForm, offered: Offer) -> tuple[Chosen, UnknownLot | None]:
    """Return the lot that was typed: one the clinic knows, though nothing of it is left, or one it never received.

    Raises Refusal OTHER-LOT-NEEDED, LOT-NUMBER-INVALID, LOT-EXPIRY-DIFFERS.
    """
    product_id = UUID(_needed(form, "other_product"))
    lot_number = str(_needed(form, "other_lot_number"))
    expires_on: date = _needed(form, "other_expires_on")
    location_id = UUID(_needed(form, "other_location"))
    known = _known_lot(session, product_id, lot_number)
    if known is None:
        unknown = UnknownLot(product_id, lot_number, expires_on, location_id)
        return chosen_product(session, product_id, location_id), unknown
    if known.expires_on != expires_on:
        said = (
            f"Lot {known.lot_number} is known with the expiry {known.expires_on.isoformat()}. Check the vial."
        )
        raise Refusal("LOT-EXPIRY-DIFFERS", said, "other_expires_on")
    return chosen_by(session, offered, f"lot-{known.id.hex}-{location_id.hex}"), None


def _known_lot(session: Session, product_id: UUID, lot_number: str) -> Any:
    try:
        return lot_by_number(session, product_id=product_id, lot_number=lot_number)
    except Refusal as refusal:
        raise Refusal(refusal.code, refusal.message, "other_lot_number") from refusal


def _needed(form: DoseForm, name: str) -> Any:
    value = form[name].data
    if not value:
        raise Refusal("OTHER-LOT-NEEDED", "For another lot, fill this in as it stands on the vial.", name)
    return value


def amounts(form: DoseForm, strength: Strength, default_dose_ng: int | None) -> tuple[int, int]:
    """Return dose (ng) and volume (µL) as typed; one that is left empty follows from the other by the strength.

    With both empty it is the product's usual dose. Raises Refusal DOSE-NEEDED, DOSE-ZERO, VALUE-RANGE. Whether two that
    were typed agree is for the gate to say.
    """
    dose_ng, volume_ul = form.dose_mcg.data, form.volume_ml.data
    if dose_ng is None and volume_ul is None:
        dose_ng = default_dose_ng
    if dose_ng is None and volume_ul is None:
        raise Refusal("DOSE-NEEDED", "Type the dose in mcg, or the volume in mL.", "dose_mcg")
    volume_ul = strength.volume_ul(dose_ng) if volume_ul is None else volume_ul
    dose_ng = strength.dose_ng(volume_ul) if dose_ng is None else dose_ng
    if dose_ng <= 0 or volume_ul <= 0:
        raise Refusal("DOSE-ZERO", "A dose is more than nothing.", "dose_mcg")
    if volume_ul > MOST_UL:
        said = f"At {strength} this is {format_ml(volume_ul)} mL; at most 50 mL."
        raise Refusal("VALUE-RANGE", said, "dose_mcg")
    return dose_ng, volume_ul


def carried_draws(form: DoseForm) -> tuple[Draw, ...]:
    """Return the draws that the confirmation page showed; none on the way to it, or where they are damaged."""
    if request.form.get("step") != "record" or not form.draws.data:
        return ()
    try:
        return tuple(_draw(part) for part in str(form.draws.data)[:60_000].split(","))
    except ValueError:
        return ()


def written_draws(draws: Iterable[Draw]) -> str:
    """Return draws as they are carried through the confirmation page."""
    return ",".join(
        f"{d.lot_id.hex}.{d.location_id.hex}.{d.vial_id.hex if d.vial_id else ''}.{d.volume_ul}"
        for d in draws
    )


def _draw(text: str) -> Draw:
    lot, location, vial, volume = text.split(".")
    if not (volume.isascii() and volume.isdigit() and len(volume) < 9):
        raise ValueError(text)
    return Draw(UUID(lot), UUID(location), UUID(vial) if vial else None, int(volume))


def carried(form: DoseForm, wanted: DoseRequest) -> list[tuple[str, str]]:
    """Return the fields of the form as hidden values of the page that follows, both amounts written out."""
    names = [field.name for field in form if field.name not in _NEVER_CARRIED]
    typed = [
        (name, value) for name in (*names, *_CARRIED_BESIDE) for value in request.form.getlist(name) if value
    ]
    return [
        *typed,
        ("mode", str(form.mode.data)),
        ("dose_mcg", format_mcg(wanted.dose_ng)),
        ("volume_ml", format_ml(wanted.volume_ul)),
        ("draws", written_draws(wanted.draws)),
    ]
