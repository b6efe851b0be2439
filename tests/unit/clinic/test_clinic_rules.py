"""What a site and a setting may be; the settings' words and bounds agree with what the other rooms mean by them."""

from dataclasses import asdict, fields

import pytest

from inventory.clinic import rules, setting_rules
from inventory.clinic.setting_rules import Kind
from inventory.clinic.settings import Settings
from inventory.stock.models import WasteReason

GOOD = {**asdict(Settings()), "clinic_name": "Riverside"}
KEPT_BY_MACHINES = {"is_demo"}


def codes(values: dict) -> list[str]:
    return [refusal.code for refusal in setting_rules.setting_refusals(GOOD | values)]


def test_every_setting_is_asked_and_nothing_else() -> None:
    assert set(setting_rules.RULES) == {field.name for field in fields(Settings)} - KEPT_BY_MACHINES


def test_every_default_is_within_its_bounds() -> None:
    assert codes({}) == []


def test_witness_may_be_asked_for_every_waste_but_remainder_and_dead_space() -> None:
    assert set(setting_rules.WITNESS_REASONS) == set(WasteReason) - {
        WasteReason.REMAINDER,
        WasteReason.DEAD_SPACE,
    }


@pytest.mark.parametrize(
    "values, code",
    [
        ({"clinic_name": ""}, "CLINIC-NAME"),
        ({"clinic_name": "x" * 121}, "CLINIC-NAME"),
        ({"idle_minutes": 4}, "VALUE-RANGE"),
        ({"idle_minutes": None}, "VALUE-RANGE"),
        ({"min_password_length": 9}, "VALUE-RANGE"),
        ({"thigh_inform_ul": 5_001}, "LIMITS-ORDER"),
        ({"child_limit_ul": 20_001}, "VALUE-RANGE"),
        ({"waste_witness_reasons": ("remainder",)}, "CHOICE-INVALID"),
    ],
)
def test_refuses_setting(values: dict, code: str) -> None:
    assert codes(values) == [code]


def test_bound_is_told_in_the_unit_that_is_typed() -> None:
    refusal = setting_rules.setting_refusals(GOOD | {"thigh_override_ul": 1})[0]
    assert refusal.message == "From 0.1 mL to 20 mL."
    assert setting_rules.RULES["thigh_override_ul"].kind is Kind.VOLUME


@pytest.mark.parametrize("code", ["", "A B", "TOO-LONG-A-CODE", "É", "-A"])
def test_refuses_site_code(code: str) -> None:
    found = rules.site_refusals(code=rules.site_code(code), name="Main", time_zone="UTC")
    assert [refusal.code for refusal in found] == ["SITE-CODE"]


@pytest.mark.parametrize("zone", ["", "Mars/Base", "Etc/GMT+3", "../etc/passwd", "posix/Europe/London"])
def test_refuses_time_zone(zone: str) -> None:
    found = rules.site_refusals(code="MAIN", name="Main", time_zone=zone)
    assert [refusal.code for refusal in found] == ["ZONE-UNKNOWN"]


def test_offers_time_zones_once_each_by_place() -> None:
    zones = rules.time_zones()
    assert {"UTC", "Europe/London", "America/New_York", "Asia/Kathmandu"} <= set(zones)
    assert len(zones) == len(set(zones))
