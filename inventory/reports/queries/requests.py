"""What somebody asks a report for, made definite: sites, days and filters that exist, and their words for the heading."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from functools import partial
from typing import Generic, NamedTuple, TypeVar
from uuid import UUID

from sqlalchemy import func, select

from inventory.catalogue.models import Formulation
from inventory.clinic.models import Site
from inventory.doses.rules.terms import BODY_SITE_WORDS, BodySite
from inventory.kernel.clock import local_day
from inventory.kernel.db import db
from inventory.kernel.errors import Refusal, Refusals
from inventory.kernel.permissions import Role
from inventory.patients.models import Patient
from inventory.patients.queries import KEPT, get_patient, records_of
from inventory.patients.rules import record_number_key
from inventory.reports.kinds import KIND_WORDS, ReportKind
from inventory.reports.queries.selection import SelectedSite, Selection
from inventory.staff.models import User, UserRole
from inventory.stock.models import Movement, Recall
from inventory.stock.queries.corrections import lots_numbered, with_merged
from inventory.stock.queries.scopes import wrong_period
from inventory.stock.rules import lot_number_key

ALL = "all"
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Asked:
    """The days (both included) and filters as they were asked for; what is None or empty lets everything through."""

    first_day: date
    last_day: date
    site_code: str = ""
    giver_id: UUID | None = None
    patient_record_number: str = ""
    formulation_id: UUID | None = None
    lot_number: str = ""
    body_site: BodySite | None = None
    person_id: UUID | None = None
    """Who looked at patients; only a report of looks asks it."""
    by_part: bool = False
    """Whether a reconciliation is told vial by vial."""
    recall_id: UUID | None = None


class Definite(NamedTuple):
    """The selection, and each filter with the words that the report repeats."""

    selection: Selection
    filters: tuple[tuple[str, str], ...]


class _Found(NamedTuple, Generic[Value]):
    value: Value
    words: str = ALL


def made_definite(
    asked: Asked,
    *,
    at: datetime,
    site_ids: frozenset[UUID] | None = None,
    kind: ReportKind = ReportKind.ADMINISTRATIONS,
) -> Definite:
    """Find what was asked for at the instant `at`, at `site_ids` only where they are given. What the kind does not ask is let be.

    Raises Refusals with REPORT-PERIOD, REPORT-SITE, REPORT-PATIENT, REPORT-LOT, REPORT-NEEDS, CHOICE-INVALID.
    """
    words = KIND_WORDS[kind]
    asked = _only(asked, words.asks)
    refusals = _lacking(asked, words.needs)
    found = partial(_noting, refusals)
    sites = found(lambda: _sites(asked.site_code, site_ids))
    if words.has_days:
        zones = [site.time_zone for site in sites or ()]
        refusals[:0] = wrong_period(asked.first_day, asked.last_day, zones=zones, at=at)
    giver = found(lambda: _person(asked.giver_id, "giver_id"))
    patient = found(lambda: _patient(asked.patient_record_number))
    formulation = found(lambda: _formulation(asked.formulation_id))
    lots = found(lambda: _lots(asked.lot_number))
    person = found(lambda: _person(asked.person_id, "person_id"))
    if not (sites and giver and patient and formulation and lots and person) or refusals:
        raise Refusals(refusals)
    selection = Selection(
        sites=sites,
        first_day=asked.first_day,
        last_day=asked.last_day,
        giver_id=giver.value,
        patient_id=patient.value,
        patient_ids=records_of(patient.value)[1:] if patient.value else (),
        formulation_id=formulation.value,
        lot_ids=lots.value,
        body_site=asked.body_site,
        person_id=person.value,
    )
    said = (giver, patient, formulation, lots, _Found(None, _body_site(asked.body_site)), person)
    return Definite(selection, _worded(words.asks, [one.words for one in said]))


def _noting(refusals: list[Refusal], look: Callable[[], Value]) -> Value | None:
    """Return what is found; what is refused is noted, so that everything wrong is named in one go."""
    try:
        return look()
    except Refusal as refusal:
        refusals.append(refusal)
        return None


def _worded(asks: Collection[str], said: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Return the filters that a kind asks, in words, of the words of all of them."""
    told = zip(_LABELS.items(), said, strict=True)
    return tuple((label, which) for (name, label), which in told if name in asks)


_LABELS = {
    "giver_id": "Practitioner",
    "patient_record_number": "Patient",
    "formulation_id": "Formulation",
    "lot_number": "Lot",
    "body_site": "Injection site",
    "person_id": "Person",
}
_DAYS = {"first_day", "last_day"}
_LACKING = {
    "patient_record_number": "Type the record number of the patient whom the report is about.",
    "giver_id": "Choose the practitioner whom the report is about.",
    "lot_number": "Type the number of the lot that the report is about.",
    "recall_id": "Choose the recall that the report is about.",
}


def _only(asked: Asked, names: Collection[str]) -> Asked:
    """Return what is asked without the filters that a kind does not know."""
    others = {field.name: field.default for field in fields(asked) if field.name not in {*_DAYS, *names}}
    return replace(asked, **others)  # type: ignore[arg-type]  # defaults of their own fields


def refuse_lacking(asked: Asked, kind: ReportKind) -> None:
    """Raise Refusals REPORT-NEEDS where what the kind cannot do without is not asked."""
    refusals = _lacking(asked, KIND_WORDS[kind].needs)
    if refusals:
        raise Refusals(refusals)


def _lacking(asked: Asked, needs: str) -> list[Refusal]:
    return [Refusal("REPORT-NEEDS", _LACKING[needs], needs)] if needs and not getattr(asked, needs) else []


def _sites(code: str, site_ids: frozenset[UUID] | None) -> tuple[SelectedSite, ...]:
    """Return the site of this code, or every site. Who works at some sites only asks for one of theirs."""
    # The oldest first: a report of all sites bears its number.
    statement = select(Site.id, Site.code, Site.name, Site.time_zone).order_by(Site.created_at, Site.id)
    if site_ids is not None and not code and len(site_ids) > 1:
        raise Refusal("REPORT-SITE", "Choose one of the sites at which you work.", "site_code")
    if site_ids is not None:
        statement = statement.where(Site.id.in_(site_ids))
    if code:
        statement = statement.where(Site.code == code.strip().upper())
    sites = tuple(SelectedSite._make(row) for row in db.session.execute(statement))
    if not sites:
        codes = select(Site.code).order_by(Site.code)
        codes = codes if site_ids is None else codes.where(Site.id.in_(site_ids))
        known = ", ".join(db.session.scalars(codes)) or "none yet"
        raise Refusal("REPORT-SITE", f"There is no site with this code. The codes are: {known}.", "site_code")
    return sites


def _person(person_id: UUID | None, field: str) -> _Found[UUID | None]:
    if person_id is None:
        return _Found(None)
    name = db.session.scalar(select(User.display_name).where(User.id == person_id))
    if name is None:
        raise Refusal("CHOICE-INVALID", "This person is not known.", field)
    return _Found(person_id, name)


def _patient(record_number: str) -> _Found[UUID | None]:
    if not record_number:
        return _Found(None)
    key = record_number_key(record_number)
    found = db.session.scalar(select(KEPT).where(Patient.record_number_key == key))
    if found is None:
        raise Refusal("REPORT-PATIENT", "No patient has this record number.", "patient_record_number")
    records = [get_patient(db.session(), one) for one in records_of(found)]
    return _Found(found, f"{records[0].full_name}, {', '.join(one.record_number for one in records)}")


def _formulation(formulation_id: UUID | None) -> _Found[UUID | None]:
    if formulation_id is None:
        return _Found(None)
    name = db.session.scalar(select(Formulation.name).where(Formulation.id == formulation_id))
    if name is None:
        raise Refusal("CHOICE-INVALID", "This formulation is not known.", "formulation_id")
    return _Found(formulation_id, name)


def _lots(lot_number: str) -> _Found[tuple[UUID, ...] | None]:
    if not lot_number:
        return _Found(None)
    key = lot_number_key(lot_number)
    lots = lots_numbered(db.session(), key)
    if not lots:
        raise Refusal("REPORT-LOT", "No lot has this number.", "lot_number")
    # One that was corrected is found by its former number too, and brings along what was merged into it.
    also = dict.fromkeys(one for lot in lots for one in with_merged(db.session(), lot.id))
    return _Found(tuple(also), lots[0].lot_number)


def _body_site(body_site: BodySite | None) -> str:
    return BODY_SITE_WORDS[body_site] if body_site else ALL


def givers() -> list[tuple[UUID, str]]:
    """Everybody who gives or gave doses, active or not, by name: (id, display name)."""
    gives = select(UserRole.user_id).where(UserRole.role.in_([Role.PRACTITIONER, Role.PRESCRIBER]))
    statement = select(User.id, User.display_name).where(User.id.in_(gives))
    rows = db.session.execute(statement.order_by(User.display_name, User.id))
    return [(row.id, row.display_name) for row in rows]


def people() -> list[tuple[UUID, str]]:
    """Everybody, active or not, by name: (id, display name)."""
    rows = db.session.execute(select(User.id, User.display_name).order_by(User.display_name, User.id))
    return [(row.id, row.display_name) for row in rows]


def person_named(username: str, field: str) -> UUID:
    """The person who signs in under this name. Raises Refusal CHOICE-INVALID."""
    found = db.session.scalar(select(User.id).where(User.username == username.strip().casefold()))
    if found is None:
        raise Refusal("CHOICE-INVALID", f"Nobody signs in as {username}.", field)
    return found


def formulation_named(name: str) -> UUID:
    """The formulation of this name. Raises Refusal CHOICE-INVALID."""
    found = {known.casefold(): formulation_id for formulation_id, known in formulations()}
    if name.strip().casefold() not in found:
        raise Refusal("CHOICE-INVALID", f"There is no formulation {name}.", "formulation_id")
    return found[name.strip().casefold()]


def recall_numbered(number: str) -> UUID:
    """The recall of this number, such as MAIN-1. Raises Refusal CHOICE-INVALID."""
    found = {words.partition(":")[0]: recall_id for recall_id, words in recalls()}
    if number.strip().upper() not in found:
        raise Refusal("CHOICE-INVALID", f"There is no recall {number}.", "recall_id")
    return found[number.strip().upper()]


def recalls() -> list[tuple[UUID, str]]:
    """Every recall, the newest first: (id, number and title)."""
    rows = db.session.execute(
        select(Recall.id, Site.code, Recall.number, Recall.title)
        .join(Site, Site.id == Recall.site_id)
        .order_by(Recall.opened_at.desc(), Recall.id)
    )
    return [(row.id, f"{row.code}-{row.number}: {row.title}") for row in rows]


def whole_life(selection: Selection, *, at: datetime) -> Selection:
    """Return the selection of a lot over all its days: from its first movement to today."""
    zone = selection.sites[0].time_zone
    first = db.session.scalar(
        select(func.min(Movement.occurred_at)).where(Movement.lot_id.in_(selection.lot_ids or ()))
    )
    return replace(selection, first_day=local_day(first or at, zone), last_day=local_day(at, zone))


def formulations() -> list[tuple[UUID, str]]:
    """Every formulation by name: (id, name)."""
    rows = db.session.execute(select(Formulation.id, Formulation.name).order_by(Formulation.name))
    return [(row.id, row.name) for row in rows]
