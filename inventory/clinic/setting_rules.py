"""What each setting means, how it is asked, and what it may be. Every default is one that the clinic may change. Pure."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from hashlib import sha256
from json import dumps
from typing import Any

from inventory.kernel.errors import Refusal
from inventory.kernel.money import is_currency
from inventory.kernel.quantity import format_ml

WITNESS_REASONS = {
    "broken": "Broken",
    "lost": "Lost",
    "drawn_not_given": "Drawn, not given",
    "not_needed": "Rest not needed any more",
    "expired": "Expired",
    "past_use_by": "Past its use-by",
    "contaminated": "Contaminated",
    "temperature": "Wrong temperature",
    "recall": "Recalled",
    "sample": "Taken as a sample",
    "other": "Other",
}
"""The reasons of waste for which a clinic may ask a witness: all but a remainder and dead space."""


IDENTITY_CHECKS = {
    "off": "Not asked",
    "tick": "The giver ticks that both agree",
    "type": "The giver types what the patient says",
}
"""How the giver confirms two identifiers before a dose."""


class Kind(StrEnum):
    """How a setting is typed."""

    TEXT = "text"
    LONG_TEXT = "long_text"
    COUNT = "count"
    VOLUME = "volume"
    TICK = "tick"
    REASONS = "reasons"
    CHOICE = "choice"
    CURRENCY = "currency"


@dataclass(frozen=True, slots=True)
class SettingRule:
    """One setting: its name in `Settings`, its words, and its bounds (in the unit of its name)."""

    name: str
    label: str
    hint: str
    kind: Kind = Kind.COUNT
    least: int = 0
    most: int = 0
    unit: str = ""
    choices: Mapping[str, str] = field(default_factory=dict)


def _limit(name: str, label: str, hint: str) -> SettingRule:
    return SettingRule(name, label, hint, Kind.VOLUME, least=100, most=20_000, unit="mL")


GROUPS: dict[str, tuple[SettingRule, ...]] = {
    "The clinic": (
        SettingRule("clinic_name", "Clinic's name", "Stands on every page and report.", Kind.TEXT, most=120),
    ),
    "Volume at one place, adults": (
        _limit("deltoid_inform_ul", "Upper arm: tell above", "The giver is told."),
        _limit("deltoid_override_ul", "Upper arm: override above", "A prescriber gives a reason."),
        _limit("thigh_inform_ul", "Thigh: tell above", "The giver is told."),
        _limit("thigh_override_ul", "Thigh: override above", "A prescriber gives a reason."),
        _limit("gluteal_inform_ul", "Hip: tell above", "The giver is told."),
        _limit("gluteal_override_ul", "Hip: override above", "A prescriber gives a reason."),
    ),
    "Children": (
        SettingRule("child_under_years", "A child is under", "By the date of birth.", least=1, most=21, unit="years"),
        _limit("child_limit_ul", "Child: override above", "At one place, whichever it is."),
    ),
    "Giving": (
        SettingRule("hip_enabled", "Offer the hip (ventrogluteal)", "", Kind.TICK),
        SettingRule(
            "buttock_enabled",
            "Offer the buttock (dorsogluteal)",
            "The giver acknowledges the risk to the sciatic nerve each time.",
            Kind.TICK,
        ),
        SettingRule(
            "override_needs_second_person",
            "An override needs a second person",
            "The prescriber who overrides is then somebody other than the giver.",
            Kind.TICK,
        ),
        SettingRule(
            "identity_check",
            "Two identifiers before a dose",
            "Name, and date of birth or record number, as the patient says them.",
            Kind.CHOICE,
            choices=IDENTITY_CHECKS,
        ),
        SettingRule(
            "late_after_minutes", "A late entry is recorded after", "It is marked as late.", least=5, most=1_440, unit="minutes",
        ),
    ),
    "Reactions": (
        SettingRule(
            "emergency_note",
            "Emergency note",
            "Shown large, at once, when a reaction is severe or serious. Say which number to call, and what to do first.",
            Kind.LONG_TEXT,
            least=10,
            most=1_000,
        ),
    ),
    "Laboratory": (
        SettingRule(
            "monitoring_b12_days", "B12 status again after", "The giver is told when it is due. 0: not asked.", most=3_650, unit="days",
        ),
        SettingRule(
            "monitoring_haemoglobin_days", "Haemoglobin again after", "Also where it was never measured. 0: not asked.", most=3_650, unit="days",
        ),
        SettingRule(
            "monitoring_potassium_days", "Potassium again after", "Also where it was never measured. 0: not asked.", most=3_650, unit="days",
        ),
        SettingRule(
            "severe_anaemia_g_l",
            "Severe anaemia is haemoglobin under",
            "The giver is asked to have potassium checked. 0: the result is not read.",
            most=150,
            unit="g/L",
        ),
    ),
    "Stock": (
        SettingRule(
            "near_expiry_days", "Near expiry within", "Shown on the shelf and when giving.", least=1, most=365, unit="days",
        ),
        SettingRule(
            "waste_witness_reasons",
            "Waste that needs a witness",
            "Another person of the clinic. Never asked for a remainder or dead space.",
            Kind.REASONS,
        ),
        SettingRule(
            "currency",
            "Currency of prices",
            "Three letters, such as USD, EUR or GBP. Prices that were typed before are not converted.",
            Kind.CURRENCY,
            most=3,
        ),
        SettingRule(
            "count_approval_containers",
            "Count, sealed: second person above",
            "Sealed containers more and less than recorded, added up. 0: for each one.",
            most=10_000,
            unit="containers",
        ),
        SettingRule(
            "count_approval_ul",
            "Count, open vials: second person above",
            "In open vials, more and less than recorded, added up. 0: for each difference.",
            Kind.VOLUME,
            most=1_000_000,
            unit="mL",
        ),
    ),
    "Keeping": (
        SettingRule(
            "records_kept_years",
            "Records are kept for",
            "From the last day of care. Before that, nothing about a patient is erased. As the law of the place says.",
            most=100,
            unit="years",
        ),
        SettingRule(
            "report_files_kept_years",
            "Files of reports are kept for",
            "From the day of issue. After that they may be erased; number, hash and head stay.",
            least=1,
            most=100,
            unit="years",
        ),
    ),
    "Reports": (
        SettingRule(
            "report_rows_at_once",
            "Made while you wait, up to",
            "A longer report is made in the background, and its page shows how far it is.",
            most=100_000,
            unit="rows",
        ),
    ),
    "Sign-in": (
        SettingRule(
            "min_password_length", "Shortest password", "Counts for new passwords.", least=10, most=64, unit="characters",
        ),
        SettingRule(
            "idle_minutes",
            "A session ends after",
            "Without use. The server's own setting may be shorter.",
            least=5,
            most=720,
            unit="minutes",
        ),
    ),
}  # fmt: skip
RULES = {rule.name: rule for rules in GROUPS.values() for rule in rules}
_ORDERED = ("deltoid", "thigh", "gluteal")


def setting_refusals(values: Mapping[str, Any]) -> list[Refusal]:
    """Return everything wrong with `values`, a whole set of settings by name: VALUE-RANGE, CLINIC-NAME, NOTE-LENGTH, LIMITS-ORDER."""
    found = [refusal for name, rule in RULES.items() if (refusal := _refusal(rule, values[name]))]
    for place in _ORDERED:
        if not found and values[f"{place}_inform_ul"] > values[f"{place}_override_ul"]:
            said = "The giver is told before an override is asked: this cannot be above the next."
            found.append(Refusal("LIMITS-ORDER", said, f"{place}_inform_ul"))
    return found


def _refusal(rule: SettingRule, value: Any) -> Refusal | None:
    if rule.kind is Kind.TEXT and not 1 <= len(value) <= rule.most:
        return Refusal(
            "CLINIC-NAME", f"Type the clinic's name, in at most {rule.most} characters.", rule.name
        )
    if rule.kind is Kind.LONG_TEXT and not rule.least <= len(value.strip()) <= rule.most:
        said = f"Write from {rule.least} to {rule.most:,} characters."
        return Refusal("NOTE-LENGTH", said, rule.name)
    if rule.kind in {Kind.COUNT, Kind.VOLUME} and not rule.least <= (value or 0) <= rule.most:
        return Refusal(
            "VALUE-RANGE", f"From {_shown(rule, rule.least)} to {_shown(rule, rule.most)}.", rule.name
        )
    if rule.kind is Kind.CURRENCY and not is_currency(value):
        said = "Type the currency as three capital letters, such as USD."
        return Refusal("CURRENCY-INVALID", said, rule.name)
    unknown = rule.kind is Kind.CHOICE and value not in rule.choices
    if unknown or (rule.kind is Kind.REASONS and not set(value) <= set(WITNESS_REASONS)):
        return Refusal("CHOICE-INVALID", "Choose from the answers offered here.", rule.name)
    return None


def _shown(rule: SettingRule, bound: int) -> str:
    number = format_ml(bound) if rule.kind is Kind.VOLUME else f"{bound:,}"
    return f"{number} {rule.unit}"


def version_of(settings: Any) -> str:
    """Return a short digest of the settings as they stand: a form carries it, to notice a change meanwhile."""
    return sha256(dumps(asdict(settings), sort_keys=True).encode()).hexdigest()[:16]
