"""What an administration report is told: its heading, and one row for each dose (domain facts, section 7)."""

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple

from inventory.web.presenting import day


class Standing(StrEnum):
    """What a dose's entry still says. Only a given one counts in the totals; the others stay, and are marked."""

    GIVEN = "given"
    VOID = "void"
    AMENDED = "amended"


class Source(NamedTuple):
    """One container that a dose was drawn from, as it was that day. `vial` is its label number, if it had one."""

    lot_number: str
    expires_on: date
    vial: str
    use_by: date | None
    volume_ul: int


class Remark(NamedTuple):
    """A word such as VOID, LATE or OVERRIDE, and what there is to say of it: the reason, who, when."""

    label: str
    text: str


class Practitioner(NamedTuple):
    """The giver, as copied onto the dose: `credential` is the licence."""

    name: str
    credential: str


def moment(instant: datetime, between: str = " ") -> str:
    """The day as on the pages, and the clock of the instant's zone with its offset, which tells a repeated hour apart."""
    clock = instant.isoformat(" ", "minutes")[11:]
    return f"{day(instant.date())}{between}{clock[:5]} {clock[5:]}"


@dataclass(slots=True)
class AdministrationRow:
    """One entry of the dose log. Instants are aware, in the zone of the site where the dose was given."""

    number: str
    """As it is written everywhere: MAIN-000401."""
    site_code: str
    given_at: datetime
    recorded_at: datetime
    patient_name: str
    patient_record: str
    patient_born_on: date | None
    formulation: str
    product: str
    strength: str
    sources: tuple[Source, ...]
    dose_ng: int
    volume_ul: int
    injection_site: str
    route: str
    giver: Practitioner
    indication: str
    consent: str
    standing: Standing = Standing.GIVEN
    marks: tuple[str, ...] = ()
    remarks: tuple[Remark, ...] = ()
    patient_age: str = ""
    """The band of age that a pseudonymised report says in place of the birth date."""


class ReportedSite(NamedTuple):
    """A site of the report, with the IANA zone whose days the period counts."""

    code: str
    name: str
    zone: str


@dataclass(frozen=True, slots=True)
class ReportHeader:
    """What stands before the rows. `filters` are (what, which) pairs; an unused one says `all`."""

    number: str
    clinic_name: str
    sites: tuple[ReportedSite, ...]
    first_day: date
    last_day: date
    filters: tuple[tuple[str, str], ...]
    generated_by: str
    generated_as: str
    generated_at: datetime
    chain_sequence: int
    chain_hash: str
    is_demo: bool = False
    not_given: int | None = None
    gaps: tuple[str, ...] | None = ()
    """Numbers of doses that are not there, in words; None in a report that bears no numbers."""
    title: str = "Administration report"
    paper: str = "A4"
    zone: str = field(default="UTC")
