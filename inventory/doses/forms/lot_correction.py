"""The form that corrects a lot's number or expiry, with the word of whoever approves it."""

from datetime import date, datetime
from typing import Any

from wtforms import HiddenField

from inventory.kernel.errors import Refusal
from inventory.kernel.permissions import Actor
from inventory.staff.services import confirm_person
from inventory.stock.models import Lot
from inventory.stock.rules import LOT_NUMBER_LIMIT
from inventory.stock.services.correcting import (
    Correction,
    RightExpiry,
    may_approve,
    refuse_unconfirmed,
)
from inventory.web.fields import (
    CodeField,
    ExpiryField,
    LongTextField,
    RadioChoiceField,
    Required,
    SecretField,
    TextField,
    TickField,
)
from inventory.web.forms import ClinicForm
from inventory.web.presenting import day


class CorrectLotForm(ClinicForm):
    """What the pack really says. `seen` is how often the lot had been corrected, `shown` the other lot that has the number."""

    lot_number = CodeField(
        "Lot number", [Required("Type the lot number as printed.")], limit=LOT_NUMBER_LIMIT
    )
    expires_on = ExpiryField("Expiry", [Required("Type the expiry as printed.")])
    reason = LongTextField("How is it known?", [Required("Say how it is known.")])
    right_expiry = RadioChoiceField("Which expiry is right?")
    same_lot = TickField("They are one lot: merge them")
    approver_username = TextField("Approved by, user name", limit=80)
    approver_password = SecretField("Approved by, password")
    seen = HiddenField()
    shown = HiddenField()


def correction_form(lot: Lot, *, seen: int) -> CorrectLotForm:
    """Return the form with what stands there now."""
    form = CorrectLotForm(
        data={"lot_number": lot.lot_number, "expires_on": lot.expires_on, "seen": str(seen)}
    )
    if not form.is_submitted() and lot.expires_month_only:
        form.expires_on.raw_data = [f"{lot.expires_on:%Y-%m}"]
    return form


def offer_merge(form: CorrectLotForm, other: Lot) -> None:
    """Let the form ask whether `other` is the same lot, and which expiry is right where they differ."""
    if form.shown.data != str(other.id):
        form.same_lot.data = False
    typed: date | None = form.expires_on.data
    if typed is not None and typed != other.expires_on:
        form.right_expiry.offer(
            [
                (RightExpiry.OTHER.value, f"{day(other.expires_on)}, as lot {other.lot_number} has it"),
                (RightExpiry.TYPED.value, f"{day(typed)}, as typed above"),
            ]
        )


def correction_of(
    form: CorrectLotForm, lot: Lot, other: Lot | None, *, actor: Actor, at: datetime, address: str
) -> Correction:
    """Return what the form says. Asks about the other lot before anybody's password. Raises Refusal as both do."""
    merge_with = other.id if other is not None and form.same_lot.data else None
    right = RightExpiry(form.right_expiry.data) if form.right_expiry.data else None
    if other is not None:
        refuse_unconfirmed(other, merge_with=merge_with, expires_on=form.expires_on.data, right_expiry=right)
    return Correction(
        lot_id=lot.id,
        lot_number=str(form.lot_number.data),
        expires_on=form.expires_on.data,
        expires_month_only=form.expires_on.month_only,
        reason=str(form.reason.data),
        approved_by=_approver(form, actor, at, address),
        seen=_number(form.seen.data),
        merge_with=merge_with,
        right_expiry=right,
    )


def _approver(form: CorrectLotForm, actor: Actor, at: datetime, address: str) -> Actor:
    if may_approve(actor):
        return actor
    return confirm_person(
        username=str(form.approver_username.data),
        password=str(form.approver_password.data),
        at=at,
        address=address,
        field="approver_username",
    )


def _number(text: Any) -> int:
    if not str(text).isdecimal():
        raise Refusal("LOT-CORRECTED-MEANWHILE", "This page was changed on the way. Load it again.")
    return int(text)
