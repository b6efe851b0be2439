"""The form of the confirmation: one answer for each thing the gate found, and the word of whoever must stand beside."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from flask import request

from inventory.doses.queries.assessment import Assessment
from inventory.doses.rules.gate import Finding, Weight, override_reasons
from inventory.doses.rules.terms import EntryMode, OverrideReason
from inventory.doses.services import Decisions, Override
from inventory.kernel.errors import Refusal, Refusals
from inventory.kernel.permissions import Actor, Permission
from inventory.staff.services import confirm_person
from inventory.web.fields import ChoiceField, SecretField, TextField, TickField
from inventory.web.forms import ClinicForm

_BASE = {
    "prescriber_username": TextField("Prescriber's username", limit=80),
    "prescriber_password": SecretField("Prescriber's password"),
    "second_username": TextField("Second person's username", limit=80),
    "second_password": SecretField("Second person's password"),
}


@dataclass(frozen=True, slots=True)
class Asking:
    """Whose word a confirmation needs besides the giver's own."""

    actor: Actor
    at: datetime
    address: str
    needs_second_person: bool

    @property
    def prescriber(self) -> bool:
        """Whether a prescriber must confirm beside somebody who is none."""
        return not self.actor.can(Permission.DOSE_OVERRIDE)

    @property
    def second(self) -> bool:
        """Whether another person must confirm beside a prescriber; beside a nurse, the nurse is the second."""
        return self.needs_second_person and not self.prescriber


def confirm_form(findings: Sequence[Finding], mode: EntryMode) -> ClinicForm:
    """Return a form with a reason and a note for each finding to override, and a tick for each to acknowledge.

    After the fact nothing has to be acknowledged, and an override is optional: without one it is a deviation.
    """
    fields: dict[str, Any] = dict(_BASE)
    for finding in findings:
        if finding.weight is Weight.OVERRIDE:
            fields[f"override-{finding.code}"] = ChoiceField(
                finding.message.rstrip("."),
                choices=override_reasons(finding.code).items(),
                blank="Choose a reason",
            )
            fields[f"note-{finding.code}"] = TextField("Note", limit=500)
        elif finding.weight is Weight.ACKNOWLEDGE and mode is EntryMode.ABOUT_TO_GIVE:
            fields[f"acknowledge-{finding.code}"] = TickField(finding.message.rstrip("."))
    form: ClinicForm = type("ConfirmForm", (ClinicForm,), fields)()
    return form


def shown_codes() -> frozenset[str]:
    """Return the codes of the findings that stood on the confirmation page this request was sent from."""
    return frozenset(request.form.get("shown", "")[:4_000].split())


def shown_before() -> frozenset[str] | None:
    """Return what the page before has shown; None on the way to the first confirmation, where nothing is new."""
    return shown_codes() if request.form.get("step") == "record" else None


def decisions(form: ClinicForm, assessment: Assessment, asking: Asking) -> Decisions:
    """Return what was decided about each finding. Raises Refusal where somebody's word is missing or wrong.

    A prescriber is asked for only where something is overridden. Passwords are checked once each, and never kept.
    """
    codes = [finding.code for finding in assessment.findings]
    ticked = {code for code in codes if _value(form, f"acknowledge-{code}")}
    chosen = {code: reason for code in codes if (reason := _value(form, f"override-{code}"))}
    seen = shown_codes()
    if not chosen:
        return Decisions(acknowledged=frozenset(ticked), shown=seen)
    decider = _confirmed(form, "prescriber", asking) if asking.prescriber else asking.actor
    second = _second(form, asking)
    overrides = {
        code: Override(OverrideReason(reason), decider, _value(form, f"note-{code}") or "", second)
        for code, reason in chosen.items()
    }
    return Decisions(acknowledged=frozenset(ticked), overrides=overrides, shown=seen)


def _second(form: ClinicForm, asking: Asking) -> Actor | None:
    if not asking.needs_second_person:
        return None
    return _confirmed(form, "second", asking) if asking.second else asking.actor


def _confirmed(form: ClinicForm, who: str, asking: Asking) -> Actor:
    return confirm_person(
        username=_value(form, f"{who}_username") or "",
        password=_value(form, f"{who}_password") or "",
        at=asking.at,
        address=asking.address,
        field=f"{who}_username",
    )


def _value(form: ClinicForm, name: str) -> Any:
    return form[name].data if name in form else None


def beside(refused: Refusal | Refusals, findings: Sequence[Finding]) -> Refusals:
    """Return what still stands against the dose without the words of the findings, which stand as labels beside it."""
    messages = {finding.code: f"{finding.message} " for finding in findings}
    every = refused.refusals if isinstance(refused, Refusals) else [refused]
    return Refusals(
        [replace(one, message=one.message.removeprefix(messages.get(one.code, ""))) for one in every]
    )
