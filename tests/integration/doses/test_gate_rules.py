"""The clinic sets the gate: what it changes counts at the next dose, is witnessed and told; what cannot be quieted is not."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import func, select

from inventory.audit.models import AuditEntry
from inventory.audit.verification import Verification
from inventory.clinic.services import change_settings
from inventory.clinic.settings import current_settings
from inventory.doses.models import DoseFinding, GateRule
from inventory.doses.queries.gate_rules import rule_states
from inventory.doses.rules.gate import Tier
from inventory.doses.rules.gate.registry import FIXED, REGISTRY, RULES
from inventory.doses.rules.terms import EntryMode, OverrideReason, VoidKind
from inventory.doses.services import Decisions, Override, change_gate_rule, void_dose
from inventory.doses.services.gate_rules import seen_version
from inventory.kernel.db import db
from inventory.kernel.errors import Refusal, Refusals
from inventory.kernel.permissions import SYSTEM_ACTOR, Role
from inventory.patients.models import AlertKind
from inventory.patients.services import add_alert
from tests.factories.doses import Bench
from tests.factories.patients import make_patient
from tests.factories.staff import make_actor
from tests.support.client import CheckingClient
from tests.support.databases import OwnerConnection

Client = Callable[..., CheckingClient]


def set_rule(code: str, tier: Tier | None = None, *, is_on: bool = True, at: datetime) -> None:
    change_gate_rule(actor=SYSTEM_ACTOR, at=at, code=code, tier=tier or REGISTRY[code].tier, is_on=is_on)


def entries() -> int:
    return int(db.session.scalar(select(func.count()).select_from(AuditEntry)) or 0)


def disposition(dose_id: UUID) -> str:
    return str(db.session.get_one(DoseFinding, (dose_id, ONCE)).disposition)


def last_facts(connection: OwnerConnection) -> dict[str, Any]:
    statement = (
        "SELECT payload FROM audit_payload JOIN audit_link ON audit_link.entry_id = audit_payload.entry_id"
        " ORDER BY seq DESC LIMIT 1"
    )
    facts: dict[str, Any] = json.loads(connection.execute(statement).fetchone()[0])["facts"]
    return facts


def findings() -> dict[str, str]:
    return {row.code: row.disposition for row in db.session.scalars(select(DoseFinding))}


def alert(bench: Bench, kind: AlertKind, at: datetime) -> None:
    add_alert(actor=bench.nurse, at=at, patient_id=bench.patient_id, kind=kind)


# What is set, counts -----------------------------------------------------------------------------------------------


def test_a_quieted_finding_stops_nobody(bench: Bench, at: datetime) -> None:
    alert(bench, AlertKind.BLEEDING_RISK, at)
    with pytest.raises(Refusals, match="BLEEDING-RISK"):
        bench.give()
    set_rule("BLEEDING-RISK", Tier.INFORM, at=at)
    bench.give()
    assert findings() == {"BLEEDING-RISK": "informed"}


def test_a_finding_that_is_off_is_not_found(bench: Bench, at: datetime) -> None:
    alert(bench, AlertKind.BLEEDING_RISK, at)
    set_rule("BLEEDING-RISK", is_on=False, at=at)
    bench.give()
    assert findings() == {}


def test_a_finding_made_a_block_stops_the_dose_and_is_a_deviation_after_the_fact(
    bench: Bench, at: datetime
) -> None:
    alert(bench, AlertKind.BLEEDING_RISK, at)
    set_rule("BLEEDING-RISK", Tier.BLOCK, at=at)
    seen = Decisions(acknowledged=frozenset({"BLEEDING-RISK"}))
    with pytest.raises(Refusals, match="BLEEDING-RISK"):
        bench.give(decisions=seen)
    dose = bench.give(bench.request(mode=EntryMode.ALREADY_GIVEN), decisions=seen)
    assert (dose.is_deviation, findings()) == (True, {"BLEEDING-RISK": "deviation"})


def test_the_last_of_several_changes_holds(bench: Bench, at: datetime) -> None:
    for tier in (Tier.BLOCK, Tier.INFORM, Tier.OVERRIDE):
        set_rule("BLEEDING-RISK", tier, at=at)
    state = rule_states(db.session(), RULES)["BLEEDING-RISK"]
    assert (state.tier, state.version, state.changed_by) == (Tier.OVERRIDE, 3, "Command line")
    alert(bench, AlertKind.BLEEDING_RISK, at)
    prescriber = make_actor(Role.PRESCRIBER)
    passed = {"BLEEDING-RISK": Override(OverrideReason.PRESCRIBED_SO, prescriber)}
    bench.give(decisions=Decisions(overrides=passed))
    assert findings() == {"BLEEDING-RISK": "overridden"}


# Once is enough ----------------------------------------------------------------------------------------------------

ONCE = "FOLATE-NO-STATUS"
SEEN = Decisions(acknowledged=frozenset({ONCE, "LABS-NO-BASELINE"}))


@pytest.fixture
def takes_folate(bench: Bench, at: datetime) -> Bench:
    bench.patient_id = make_patient(has_baseline=False)
    alert(bench, AlertKind.FOLATE, at)
    return bench


def test_what_was_acknowledged_once_is_told_only_for_a_year(takes_folate: Bench, at: datetime) -> None:
    with pytest.raises(Refusals, match=ONCE):
        takes_folate.give()
    takes_folate.give(decisions=SEEN)
    within = takes_folate.give(at=at + timedelta(days=365))
    assert disposition(within.id) == "informed"
    with pytest.raises(Refusals, match=ONCE):
        takes_folate.give(at=at + timedelta(days=366))


def test_what_was_told_only_does_not_count_as_acknowledged(takes_folate: Bench, at: datetime) -> None:
    takes_folate.give(takes_folate.request(mode=EntryMode.ALREADY_GIVEN))
    with pytest.raises(Refusals, match=ONCE):
        takes_folate.give(at=at + timedelta(days=1))


def test_what_was_acknowledged_for_a_dose_never_given_does_not_count(
    takes_folate: Bench, at: datetime
) -> None:
    dose = takes_folate.give(decisions=SEEN)
    void_dose(
        actor=takes_folate.nurse, at=at, dose_id=dose.id, kind=VoidKind.NEVER_OPENED, reason="Left again."
    )
    with pytest.raises(Refusals, match=ONCE):
        takes_folate.give(at=at + timedelta(days=1))


def test_a_dose_written_down_late_knows_nothing_of_later_ones(takes_folate: Bench, at: datetime) -> None:
    takes_folate.give(at=at + timedelta(days=2), decisions=SEEN)
    late = takes_folate.request(mode=EntryMode.ALREADY_GIVEN, given_at=at + timedelta(days=1))
    dose = takes_folate.give(late, at=at + timedelta(days=3), decisions=SEEN)
    assert disposition(dose.id) == "acknowledged"


def test_another_patient_is_asked_anew(takes_folate: Bench, at: datetime) -> None:
    takes_folate.give(decisions=SEEN)
    takes_folate.patient_id = make_patient(has_baseline=False)
    alert(takes_folate, AlertKind.FOLATE, at)
    with pytest.raises(Refusals, match=ONCE):
        takes_folate.give(at=at + timedelta(days=1))


# What may be set ---------------------------------------------------------------------------------------------------


def test_what_stops_every_clinic_cannot_be_set(app: Flask, at: datetime) -> None:
    for code in FIXED:
        with pytest.raises(Refusal, match="GATE-RULE-FIXED"):
            set_rule(code, Tier.INFORM, at=at)
        with pytest.raises(Refusal, match="GATE-RULE-FIXED"):
            set_rule(code, is_on=False, at=at)


def test_a_finding_that_does_not_exist_cannot_be_set(app: Flask, at: datetime) -> None:
    with pytest.raises(Refusal, match="NOT-FOUND"):
        set_rule("NO-SUCH", Tier.INFORM, at=at)


def test_nothing_becomes_integrity(app: Flask, at: datetime) -> None:
    with pytest.raises(Refusal, match="CHOICE-INVALID"):
        set_rule("BLEEDING-RISK", Tier.INTEGRITY, at=at)


def test_a_rule_sets_its_own_thresholds_only(app: Flask, at: datetime) -> None:
    with pytest.raises(Refusal, match="CHOICE-INVALID"):
        change_gate_rule(
            actor=SYSTEM_ACTOR,
            at=at,
            code="LATE-ENTRY",
            tier=Tier.INFORM,
            is_on=True,
            thresholds={"near_expiry_days": 1},
        )


def test_one_entry_tells_old_and_new_with_the_thresholds(
    app: Flask, at: datetime, owner_connection: OwnerConnection
) -> None:
    change_settings(actor=SYSTEM_ACTOR, at=at, values={"clinic_name": "Riverside"})
    change_gate_rule(
        actor=SYSTEM_ACTOR,
        at=at,
        code="LATE-ENTRY",
        tier=Tier.ACKNOWLEDGE,
        is_on=True,
        thresholds={"late_after_minutes": 90},
    )
    assert last_facts(owner_connection) == {
        "finding": "LATE-ENTRY",
        "before": {"asks": "inform", "late_after_minutes": 60},
        "after": {"asks": "acknowledge", "late_after_minutes": 90},
    }
    assert current_settings().late_after_minutes == 90


def test_what_changes_nothing_writes_nothing(app: Flask, at: datetime) -> None:
    before = entries()
    set_rule("BLEEDING-RISK", at=at)
    assert (entries(), db.session.scalars(select(GateRule)).all()) == (before, [])


def test_a_change_meanwhile_is_noticed(app: Flask, at: datetime) -> None:
    state = rule_states(db.session(), RULES)["BLEEDING-RISK"]
    seen = seen_version(state, current_settings())
    set_rule("BLEEDING-RISK", Tier.INFORM, at=at)
    with pytest.raises(Refusal, match="EDITED-MEANWHILE"):
        change_gate_rule(
            actor=SYSTEM_ACTOR, at=at, code="BLEEDING-RISK", tier=Tier.BLOCK, is_on=True, seen=seen
        )


# The laws, around the application ----------------------------------------------------------------------------------


def added(code: str, tier: str = "inform") -> str:
    return (
        "INSERT INTO gate_rule (id, code, version, tier, is_on, changed_at, actor_id)"
        f" SELECT id, '{code}', 99, '{tier}', {{true}}, changed_at, id FROM"
        " (SELECT id, '2026-03-16 09:30:00.000000' AS changed_at FROM \"user\" LIMIT 1) AS one"
    )


def run(connection: OwnerConnection, engine_kind: str, statement: str) -> None:
    value = "true" if engine_kind == "postgresql" else "1"
    words = statement.replace("{true}", value)
    if engine_kind == "postgresql":
        words = words.replace("changed_at, id FROM", "changed_at::timestamptz, id FROM")
    connection.execute(words)
    connection.commit()


def test_the_database_takes_no_setting_of_what_cannot_be_quieted(
    app: Flask, owner_connection: OwnerConnection, engine_kind: str
) -> None:
    for code in FIXED:
        with pytest.raises(Exception, match="may_change"):
            run(owner_connection, engine_kind, added(code))
        owner_connection.rollback()
    run(owner_connection, engine_kind, added("BLEEDING-RISK"))


def test_the_database_takes_no_tier_that_is_none(
    app: Flask, owner_connection: OwnerConnection, engine_kind: str
) -> None:
    with pytest.raises(Exception, match="ck_gate_rule_tier"):
        run(owner_connection, engine_kind, added("BLEEDING-RISK", "integrity"))
    owner_connection.rollback()


@pytest.mark.parametrize("statement", ["UPDATE gate_rule SET tier = 'inform'", "DELETE FROM gate_rule"])
def test_no_setting_is_changed_behind_the_record(
    app: Flask, at: datetime, owner_connection: OwnerConnection, statement: str
) -> None:
    set_rule("BLEEDING-RISK", Tier.BLOCK, at=at)
    db.session.rollback()
    with pytest.raises(Exception, match="law:insert_only"):
        owner_connection.execute(statement)
    owner_connection.rollback()


def test_a_setting_slipped_in_behind_the_application_is_found(
    app: Flask, owner_connection: OwnerConnection, engine_kind: str
) -> None:
    run(owner_connection, engine_kind, added("ALLERGY-COBALAMIN"))
    said = list(Verification(db.session()).whole())
    assert any("gate rule" in line and "no entry of the trail recorded this row" in line for line in said)


# The pages ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def admin(bench: Bench, at: datetime, signed_in_client: Client) -> CheckingClient:
    change_settings(actor=SYSTEM_ACTOR, at=at, values={"clinic_name": "Riverside"})
    return signed_in_client(Role.ADMIN)


def test_the_page_tells_every_finding_and_which_cannot_be_quieted(admin: CheckingClient) -> None:
    page = admin.get("/settings/gate").get_data(as_text=True)
    assert [code for code in REGISTRY if f">{code}<" not in page] == []
    assert page.count("Cannot be quieted") == len(FIXED)
    assert "Upper arm: override above 2 mL" in page


def test_a_page_sets_tier_and_threshold(admin: CheckingClient) -> None:
    address = "/settings/gate/VOLUME-HIGH"
    assert admin.submit(address, {"tier": "acknowledge", "thigh_inform_ul": "2.5"}).status_code == 302
    assert current_settings().thigh_inform_ul == 2_500
    page = admin.get("/settings/gate").get_data(as_text=True)
    assert "Stricter than the default" in page
    assert "Thigh: tell above 2.5 mL" in page


def test_a_page_switches_a_rule_off(admin: CheckingClient) -> None:
    admin.submit("/settings/gate/SAME-SITE", {"is_on": ""})
    assert not rule_states(db.session(), RULES)["SAME-SITE"].is_on


@pytest.mark.parametrize(
    "typed, code",
    [
        ({"tier": "integrity"}, "CHOICE-INVALID"),
        ({"thigh_inform_ul": "6"}, "LIMITS-ORDER"),
        ({"thigh_inform_ul": "0"}, "VALUE-RANGE"),
        ({"thigh_inform_ul": "many"}, "AMOUNT-INVALID"),
        ({"seen": "0 1"}, "EDITED-MEANWHILE"),
    ],
)
def test_a_page_refuses_and_keeps_what_was_typed(
    admin: CheckingClient, typed: dict[str, str], code: str
) -> None:
    answer = admin.submit("/settings/gate/VOLUME-HIGH", {"deltoid_inform_ul": "1.25"} | typed)
    page = answer.get_data(as_text=True)
    assert (answer.status_code, code in page, 'value="1.25"' in page) == (422, True, True)
    assert current_settings().deltoid_inform_ul == 1_000


def test_the_page_of_a_fixed_rule_offers_nothing_to_send(admin: CheckingClient) -> None:
    page = admin.get("/settings/gate/LOT-EXPIRED").get_data(as_text=True)
    assert "This cannot be quieted" in page
    assert "Save" not in page
    form = admin.form("/settings/gate/LOT-EXPIRED")
    answer = admin.post("/settings/gate/LOT-EXPIRED", data={**form.fields, "tier": "block"})
    assert (answer.status_code, "GATE-RULE-FIXED" in answer.get_data(as_text=True)) == (422, True)


def test_a_rule_that_does_not_exist_has_no_page(admin: CheckingClient) -> None:
    assert admin.get("/settings/gate/NO-SUCH").status_code == 404


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.ADMIN}))
def test_only_administrators_set_the_gate(app: Flask, signed_in_client: Client, role: Role) -> None:
    client = signed_in_client(role)
    assert client.get("/settings/gate").status_code == 403
    assert client.get("/settings/gate/SAME-SITE").status_code == 403
