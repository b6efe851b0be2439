"""The forms that ask for reports."""

from collections.abc import Callable
from datetime import date
from uuid import UUID

from flask import request
from flask_login import current_user
from wtforms import HiddenField

from inventory.catalogue.queries import formulations
from inventory.clinic.current import current_site, sites_here
from inventory.doses.rules.terms import BODY_SITE_WORDS, BodySite
from inventory.kernel.db import db
from inventory.reports.kinds import KIND_WORDS, ReportKind, kinds_for
from inventory.reports.models import Meaning
from inventory.reports.queries import requests
from inventory.reports.queries.issued import Sought, issuers
from inventory.reports.queries.requests import Asked
from inventory.stock.forms.reconciliation import LEVELS, ReconciliationFilter
from inventory.web.fields import (
    ChoiceField,
    Choices,
    CodeField,
    DateField,
    RadioChoiceField,
    Required,
    SecretField,
    TextField,
)
from inventory.web.forms import ClinicForm, FilterForm
from inventory.web.presenting import site_today


class RegisterFilter(FilterForm):
    """What is looked for in the register."""

    kind = ChoiceField("Kind", blank="All kinds")
    issuer_id = ChoiceField("Issued by", blank="Everybody")
    first_day = DateField("Period from")
    last_day = DateField("Period to")

    @property
    def sought(self) -> Sought:
        """What the validated filter looks for."""
        return Sought(
            kind=ReportKind(self.kind.data) if self.kind.data else None,
            issuer_id=_id(self.issuer_id.data),
            first_day=self.first_day.data,
            last_day=self.last_day.data,
        )


class ReviewForm(ClinicForm):
    """A reviewer's signature: what it says, and the password once more. `seen_sha256` is the file that was looked at."""

    meaning = RadioChoiceField(
        "What your signature says",
        [Required("Choose what your signature says.")],
        choices=[
            (Meaning.REVIEWED.value, "Reviewed: I have looked through it"),
            (Meaning.APPROVED.value, "Approved: I stand for it"),
        ],
    )
    note = TextField("Note", limit=200)
    password = SecretField("Your password, once more")
    seen_sha256 = HiddenField()


class ReportForm(ClinicForm):
    """Days and filters of every kind; a kind's form keeps what it asks. What is left open lets everything through."""

    first_day = DateField("From", [Required("Choose the first day.")])
    last_day = DateField("To", [Required("Choose the last day.")])
    site_code = ChoiceField("Site", blank="All sites")
    giver_id = ChoiceField("Practitioner", blank="All practitioners")
    patient_record_number = CodeField("Patient's record number", limit=40)
    formulation_id = ChoiceField("Formulation", blank="All formulations")
    lot_number = CodeField("Lot number", limit=40)
    body_site = ChoiceField(
        "Injection site",
        choices=[(site.value, words) for site, words in BODY_SITE_WORDS.items()],
        blank="All injection sites",
    )
    person_id = ChoiceField("Who looked", blank="Everybody")
    level = ChoiceField("Shown", choices=LEVELS)
    recall_id = ChoiceField("Recall", blank="Choose the recall")

    def asked(self, today: date) -> Asked:
        """What the validated form asks for; a report without days is as of today."""
        said = {name: field.data for name, field in self._fields.items()}
        return Asked(
            first_day=said.get("first_day") or today,
            last_day=said.get("last_day") or today,
            site_code=said.get("site_code") or "",
            giver_id=_id(said.get("giver_id")),
            patient_record_number=said.get("patient_record_number") or "",
            formulation_id=_id(said.get("formulation_id")),
            lot_number=said.get("lot_number") or "",
            body_site=BodySite(said["body_site"]) if said.get("body_site") else None,
            person_id=_id(said.get("person_id")),
            by_part=said.get("level") == "vial",
            recall_id=_id(said.get("recall_id")),
        )


_FILTERS = (
    "site_code", "giver_id", "patient_record_number", "formulation_id", "lot_number", "body_site", "person_id", "level", "recall_id",
)  # fmt: skip


def report_form(kind: ReportKind) -> ReportForm:
    """Return the form of a kind: what it asks, and nothing else; what it cannot do without is marked as needed."""
    words, today = KIND_WORDS[kind], site_today()
    # A record's page leads here with the number of its patient: no name stands in an address.
    named = request.args.get("patient_record_number", "")
    form = ReportForm(first_day=today.replace(day=1), last_day=today, patient_record_number=named)
    for name in (*(() if words.has_days else ("first_day", "last_day")), *_FILTERS):
        if name not in words.asks:
            del form[name]
    if words.needs:
        form[words.needs].flags.required = True
        form[words.needs].blank = "Choose"
    _offer(form)
    return form


def _offer(form: ReportForm) -> None:
    offered: dict[str, Callable[[], Choices]] = {
        "site_code": lambda: ((site.code, f"{site.name} ({site.code})") for site in sites_here()),
        "giver_id": requests.givers,
        "formulation_id": requests.formulations,
        "person_id": requests.people,
        "recall_id": requests.recalls,
    }
    for name, choices in offered.items():
        if name in form:
            form[name].offer(choices())


def register_filter() -> RegisterFilter:
    """Return the filter of the register, with the kinds that the person may read and whoever issued one."""
    form = RegisterFilter()
    readable = kinds_for(current_user.actor)
    form.kind.offer((kind.value, words.title) for kind, words in KIND_WORDS.items() if kind in readable)
    form.issuer_id.offer(issuers())
    return form


class ReconciliationForm(ClinicForm):
    """Days and filters of a reconciliation that is issued."""

    first_day = DateField("From", [Required("Choose the first day.")])
    last_day = DateField("To", [Required("Choose the last day.")])
    site_code = ChoiceField("Site", blank="All sites")
    formulation_id = ChoiceField("Formulation", blank="All formulations")
    lot_number = CodeField("Lot number", limit=40)
    level = ChoiceField("Shown", choices=LEVELS)

    @property
    def asked(self) -> Asked:
        """What the validated form asks for."""
        assert self.first_day.data  # noqa: S101 - Required, and validated
        assert self.last_day.data  # noqa: S101
        return Asked(
            first_day=self.first_day.data,
            last_day=self.last_day.data,
            site_code=self.site_code.data or "",
            formulation_id=_id(self.formulation_id.data),
            lot_number=str(self.lot_number.data or ""),
            by_part=str(self.level.data) == "vial",
        )


def reconciliation_form() -> ReconciliationForm:
    """Return the form of a reconciliation, with what its page showed that led here."""
    seen = ReconciliationFilter(site_code=current_site().code, today=site_today())
    names = ("first_day", "last_day", "site_code", "formulation_id", "lot_number", "level")
    form = ReconciliationForm(**{name: seen[name].data for name in names})
    form.site_code.offer((site.code, f"{site.name} ({site.code})") for site in sites_here())
    form.formulation_id.offer((str(one.id), one.name) for one in formulations(db.session()))
    return form


def _id(chosen: str | None) -> UUID | None:
    return UUID(chosen) if chosen else None
