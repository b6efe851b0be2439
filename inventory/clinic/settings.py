"""Typed settings. Every default marked [D] in the domain facts is here, and the clinic may change it."""

import json
from dataclasses import dataclass, fields
from typing import Any, cast

from sqlalchemy import Table, select

from inventory.clinic.models import Setting
from inventory.kernel.db import db

EMERGENCY_NOTE = (
    "Call the emergency number now. Say: reaction to an injection, and where you are.\n"
    "Stay with the patient. Lay them down with the legs raised; sit them up if they struggle to breathe.\n"
    "Fetch the emergency kit and follow the clinic's plan for anaphylaxis."
)
"""What to do at once in a severe reaction, until the clinic says it in its own words."""
_SETTING = cast(Table, Setting.__table__)
_EVERY = select(_SETTING.c.key, _SETTING.c.value)


@dataclass(frozen=True, slots=True)
class Settings:
    """The clinic's settings as they stand. Volumes in microlitres, times in the unit of their name."""

    clinic_name: str = ""
    is_demo: bool = False
    late_after_minutes: int = 60
    near_expiry_days: int = 30
    deltoid_inform_ul: int = 1_000
    deltoid_override_ul: int = 2_000
    thigh_inform_ul: int = 3_000
    thigh_override_ul: int = 5_000
    gluteal_inform_ul: int = 3_000
    gluteal_override_ul: int = 5_000
    child_limit_ul: int = 1_000
    child_under_years: int = 18
    hip_enabled: bool = False
    buttock_enabled: bool = False
    override_needs_second_person: bool = False
    emergency_note: str = EMERGENCY_NOTE
    identity_check: str = "tick"
    severe_anaemia_g_l: int = 80
    monitoring_b12_days: int = 365
    monitoring_haemoglobin_days: int = 0
    monitoring_potassium_days: int = 0
    waste_witness_reasons: tuple[str, ...] = ()
    currency: str = "USD"
    count_approval_containers: int = 1
    count_approval_ul: int = 1_000
    records_kept_years: int = 10
    report_files_kept_years: int = 6
    report_rows_at_once: int = 2_000
    min_password_length: int = 12
    idle_minutes: int = 30


_KNOWN = frozenset(field.name for field in fields(Settings))


def current_settings() -> Settings:
    """Read the clinic's settings; what was never set has its default."""
    rows = db.session.execute(_EVERY).all()
    return Settings(**{key: _value(value) for key, value in rows if key in _KNOWN})


def encode(value: Any) -> str:
    """Return a setting's value as the text that is stored."""
    return json.dumps(value)


def _value(text: str) -> Any:
    value = json.loads(text)
    return tuple(value) if isinstance(value, list) else value
