"""The gate, rule by rule: what each finding needs to appear, and how much it weighs. No database."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.catalogue.models import ContainerType, Route
from inventory.doses.rules.gate import (
    GiverState,
    History,
    Limits,
    PatientState,
    ProductState,
    Question,
    SourceState,
    Weight,
    may_give,
)
from inventory.doses.rules.gate.registry import SUBJECTS
from inventory.doses.rules.terms import BodySite, EntryMode
from inventory.kernel.quantity import Strength
from inventory.patients.models import AlertKind, AllergyStatus, ConsentStatus

NOW = datetime(2026, 3, 16, 9, 30, tzinfo=UTC)
TODAY = NOW.date()

PATIENT = PatientState(date(1960, 5, 1), AllergyStatus.NONE_KNOWN, frozenset(), ConsentStatus.GIVEN)
PRODUCT = ProductState(
    substance="cyanocobalamin",
    formulation="Cyanocobalamin",
    strength=Strength(1_000_000, 1_000),
    routes=frozenset({Route.IM}),
    container_type=ContainerType.SINGLE_DOSE,
    is_cobalamin=True,
    lebers_caution=True,
    formulation_refused=False,
    has_benzyl_alcohol=False,
    contains_aluminium=False,
    overfill_limit_ul=200,
)
SEALED = SourceState(
    "Lot A", ContainerType.SINGLE_DOSE, 1_000, 1_000, TODAY + timedelta(days=200), None, already_open=False
)
OPEN = replace(
    SEALED, name="Vial 1", container_type=ContainerType.MULTI_DOSE, available_ul=9_000, already_open=True,
    use_by_on=TODAY + timedelta(days=5),
)  # fmt: skip
QUESTION = Question(
    mode=EntryMode.ABOUT_TO_GIVE,
    given_at=NOW,
    given_on=TODAY,
    recorded_at=NOW,
    dose_ng=1_000_000,
    volume_ul=1_000,
    route=Route.IM,
    body_site=BodySite.LEFT_DELTOID,
    consent_seen=True,
    patient=PATIENT,
    product=PRODUCT,
    sources=(SEALED,),
    giver=GiverState(may_give=True, licence_expires_on=TODAY, licence_renewal_pending=False),
)


def found(**changes: Any) -> dict[str, Weight]:
    return {finding.code: finding.weight for finding in may_give(replace(QUESTION, **changes))}


def source(base: SourceState = SEALED, **changes: Any) -> dict[str, Any]:
    return {"sources": (replace(base, **changes),)}


def patient(**changes: Any) -> dict[str, Any]:
    return {"patient": replace(PATIENT, **changes)}


def alert(*kinds: AlertKind, **product: Any) -> dict[str, Any]:
    return {**patient(alerts=frozenset(kinds)), "product": replace(PRODUCT, **product)}


def volume(volume_ul: int, **changes: Any) -> dict[str, Any]:
    sources = (replace(OPEN, volume_ul=volume_ul),)
    return {"volume_ul": volume_ul, "dose_ng": volume_ul * 1_000, "sources": sources, **changes}


def test_says_nothing_about_a_plain_dose() -> None:
    assert may_give(QUESTION) == []


def test_says_nothing_about_a_plain_dose_from_an_open_vial() -> None:
    assert may_give(replace(QUESTION, sources=(OPEN,))) == []


CASES: list[tuple[str, Weight, dict[str, Any]]] = [
    ("TIME-FUTURE", Weight.INTEGRITY, {"given_at": NOW + timedelta(minutes=2, seconds=1)}),
    ("TIME-BEFORE-BIRTH", Weight.INTEGRITY, patient(born_on=TODAY + timedelta(days=1))),
    ("DOSE-ZERO", Weight.INTEGRITY, {"dose_ng": 0, "volume_ul": 0, **source(volume_ul=0)}),
    ("DOSE-ZERO", Weight.INTEGRITY, {"dose_ng": 0}),
    ("DOSE-VOLUME-DISAGREE", Weight.INTEGRITY, {"dose_ng": 999_000}),
    ("SOURCES-DISAGREE", Weight.INTEGRITY, source(volume_ul=900)),
    ("LOT-EXPIRED", Weight.BLOCK, source(expires_on=TODAY - timedelta(days=1))),
    ("VIAL-PAST-USE-BY", Weight.BLOCK, source(OPEN, use_by_on=TODAY - timedelta(days=1))),
    ("VIAL-NO-USE-BY", Weight.BLOCK, source(OPEN, use_by_on=None)),
    ("LOT-HELD", Weight.BLOCK, source(held=True)),
    ("LOT-RECALLED", Weight.BLOCK, source(held=True, recalled=True)),
    ("VIAL-CLOSED", Weight.BLOCK, source(OPEN, closed=True)),
    ("VIAL-NOT-OPEN-THEN", Weight.BLOCK, source(OPEN, opened_later=True)),
    ("VIAL-DEDICATED", Weight.BLOCK, source(OPEN, dedicated_to_another=True)),
    ("SINGLE-DOSE-REUSED", Weight.BLOCK, source(already_open=True)),
    ("LOT-UNKNOWN", Weight.BLOCK, source(lot_unknown=True)),
    ("STOCK-SHORT", Weight.BLOCK, source(available_ul=0)),
    ("STOCK-SHORT", Weight.BLOCK, source(OPEN, available_ul=799)),
    ("OVERFILL", Weight.OVERRIDE, source(OPEN, available_ul=800)),
    ("VIAL-ON-ITS-WAY", Weight.BLOCK, source(OPEN, available_ul=0, on_its_way="on its way to Harbour")),
    (
        "REMAINDER-POOLED",
        Weight.BLOCK,
        {"sources": (replace(OPEN, volume_ul=400), replace(OPEN, volume_ul=600))},
    ),
    ("ROUTE-NOT-ON-LABEL", Weight.BLOCK, {"product": replace(PRODUCT, routes=frozenset({Route.IV}))}),
    ("FORMULATION-REFUSED", Weight.BLOCK, {"product": replace(PRODUCT, formulation_refused=True)}),
    (
        "BENZYL-ALCOHOL-NEONATE",
        Weight.BLOCK,
        {**patient(born_on=TODAY - timedelta(days=27)), "product": replace(PRODUCT, has_benzyl_alcohol=True)},
    ),
    ("GIVER-NOT-AUTHORISED", Weight.BLOCK, {"giver": replace(QUESTION.giver, may_give=False)}),
    ("CONSENT-REFUSED", Weight.BLOCK, patient(consent=ConsentStatus.WITHDRAWN)),
    ("CONSENT-REFUSED", Weight.BLOCK, patient(consent=ConsentStatus.REFUSED)),
    ("SITE-OFF", Weight.BLOCK, {"body_site": BodySite.LEFT_VENTROGLUTEAL}),
    ("LICENCE-EXPIRED", Weight.OVERRIDE, {"giver": GiverState(True, TODAY - timedelta(days=1), False)}),
    ("ALLERGY-COBALAMIN", Weight.OVERRIDE, alert(AlertKind.ALLERGY_COBALT)),
    ("ALLERGY-COBALAMIN", Weight.OVERRIDE, alert(AlertKind.ALLERGY_COBALAMIN)),
    (
        "ALLERGY-BENZYL-ALCOHOL",
        Weight.OVERRIDE,
        alert(AlertKind.ALLERGY_BENZYL_ALCOHOL, has_benzyl_alcohol=True),
    ),
    ("ALLERGIES-NOT-ASKED", Weight.OVERRIDE, patient(allergy_status=AllergyStatus.NOT_ASKED)),
    ("ALLERGIES-UNNAMED", Weight.OVERRIDE, patient(allergy_status=AllergyStatus.PRESENT)),
    (
        "ALLERGIES-UNNAMED",
        Weight.OVERRIDE,
        patient(allergy_status=AllergyStatus.PRESENT, alerts=frozenset({AlertKind.OTHER})),
    ),
    ("LEBERS-OPTIC-ATROPHY", Weight.OVERRIDE, alert(AlertKind.LEBERS_OPTIC_ATROPHY)),
    ("REACTION-UNRESOLVED", Weight.OVERRIDE, alert(AlertKind.SERIOUS_REACTION)),
    (
        "PREGNANCY-ANAEMIA-UNPROVEN",
        Weight.OVERRIDE,
        alert(AlertKind.MEGALOBLASTIC_ANAEMIA_OF_PREGNANCY, substance="hydroxocobalamin"),
    ),
    ("VOLUME-OVER-LIMIT", Weight.OVERRIDE, volume(2_001)),
    ("VOLUME-OVER-LIMIT", Weight.OVERRIDE, volume(5_001, body_site=BodySite.RIGHT_VASTUS_LATERALIS)),
    ("VOLUME-OVER-LIMIT", Weight.OVERRIDE, volume(1_001, **patient(born_on=date(2008, 3, 17)))),
    (
        "VOLUME-OVER-LIMIT",
        Weight.OVERRIDE,
        volume(
            4_001,
            body_site=BodySite.LEFT_VENTROGLUTEAL,
            limits=Limits(hip_enabled=True, gluteal_override_ul=4_000),
        ),
    ),
    ("SECOND-DOSE-TODAY", Weight.OVERRIDE, {"history": History(same_substance_today=1)}),
    ("BLEEDING-RISK", Weight.ACKNOWLEDGE, alert(AlertKind.BLEEDING_RISK)),
    ("POTASSIUM-NO-PLAN", Weight.ACKNOWLEDGE, alert(AlertKind.SEVERE_ANAEMIA)),
    ("ALUMINIUM-RENAL", Weight.ACKNOWLEDGE, alert(AlertKind.RENAL_DISEASE, contains_aluminium=True)),
    ("BENZYL-ALCOHOL-PREGNANCY", Weight.ACKNOWLEDGE, alert(AlertKind.PREGNANCY, has_benzyl_alcohol=True)),
    ("FOLATE-NO-STATUS", Weight.ACKNOWLEDGE, alert(AlertKind.FOLATE)),
    ("BIOTIN-BEFORE-LABS", Weight.INFORM, alert(AlertKind.BIOTIN)),
    ("CONSENT-NOT-RECORDED", Weight.ACKNOWLEDGE, {**patient(consent=None), "consent_seen": False}),
    ("PATIENT-NAMESAKE", Weight.ACKNOWLEDGE, patient(namesakes=1)),
    (
        "DORSOGLUTEAL",
        Weight.ACKNOWLEDGE,
        {"body_site": BodySite.LEFT_DORSOGLUTEAL, "limits": Limits(buttock_enabled=True)},
    ),
    ("VOLUME-HIGH", Weight.INFORM, volume(1_001)),
    ("SAME-SITE", Weight.INFORM, {"history": History(last_site=BodySite.LEFT_DELTOID)}),
    ("FORMULATION-SWITCHED", Weight.INFORM, {"history": History(last_formulation="Hydroxocobalamin")}),
    ("DOSE-CHANGED", Weight.INFORM, {"history": History(last_dose_ng=500_000)}),
    ("NOT-FIRST-EXPIRING", Weight.INFORM, {"first_expiring": False}),
    ("EXPIRES-SOON", Weight.INFORM, source(expires_on=TODAY + timedelta(days=30))),
    ("EXPIRES-SOON", Weight.INFORM, source(expires_on=TODAY)),
    ("LATE-ENTRY", Weight.INFORM, {"given_at": NOW - timedelta(minutes=61)}),
]


@pytest.mark.parametrize(
    "code,weight,changes", CASES, ids=[f"{code}-{i}" for i, (code, _, _) in enumerate(CASES)]
)
def test_finds(code: str, weight: Weight, changes: dict[str, Any]) -> None:
    assert found(**changes) == {code: weight}


NEAR_MISSES: list[tuple[str, dict[str, Any]]] = [
    ("GIVER-NOT-AUTHORISED", {"giver": GiverState(True, None, True)}),
    (
        "ALLERGIES-NOT-ASKED",
        patient(allergy_status=AllergyStatus.PRESENT, alerts=frozenset({AlertKind.ALLERGY_OTHER})),
    ),
    ("NOT-FIRST-EXPIRING", {"first_expiring": True}),
    ("BIOTIN-BEFORE-LABS", alert(AlertKind.FOLATE)),
    ("BLEEDING-RISK", alert(AlertKind.SEVERE_ANAEMIA)),
    ("REACTION-UNRESOLVED", alert(AlertKind.OTHER)),
    ("SINGLE-DOSE-REUSED", source(OPEN)),
    ("LOT-RECALLED", source(held=True)),
    ("LOT-UNKNOWN", source(held=True, available_ul=0)),
    ("FORMULATION-REFUSED", alert(lebers_caution=False)),
    ("DOSE-ZERO", {"dose_ng": 1_000, "volume_ul": 1, **source(volume_ul=1)}),
    ("DOSE-VOLUME-DISAGREE", {"dose_ng": 0, "volume_ul": 0}),
    ("SOURCES-DISAGREE", {"sources": (replace(SEALED, volume_ul=400), replace(SEALED, volume_ul=600))}),
    ("LOT-HELD", source(held=True, recalled=True)),
    ("VIAL-NO-USE-BY", source(use_by_on=None)),
    (
        "VIAL-PAST-USE-BY",
        source(OPEN, use_by_on=TODAY - timedelta(days=2), expires_on=TODAY - timedelta(days=1)),
    ),
    ("VIAL-DEDICATED", source(already_open=True, dedicated_to_another=True)),
    ("VIAL-CLOSED", source(already_open=True, closed=True)),
    ("VIAL-NOT-OPEN-THEN", source(opened_later=True)),
    ("VIAL-ON-ITS-WAY", source(OPEN, on_its_way="on its way to Harbour")),
    ("STOCK-SHORT", source(OPEN, available_ul=1_000)),
    ("STOCK-SHORT", source(OPEN, available_ul=0, on_its_way="on its way to Harbour")),
    ("OVERFILL", source(OPEN, available_ul=800, overfill_yielded_ul=1)),
    ("OVERFILL", source(available_ul=800)),
    ("ROUTE-NOT-ON-LABEL", {"product": replace(PRODUCT, routes=frozenset({Route.IV, Route.IM}))}),
    ("CONSENT-REFUSED", patient(consent=None)),
    ("PATIENT-NAMESAKE", patient(namesakes=0)),
    ("LICENCE-EXPIRED", {"giver": GiverState(True, TODAY, False)}),
    ("ALLERGY-BENZYL-ALCOHOL", alert(AlertKind.ALLERGY_BENZYL_ALCOHOL)),
    ("BENZYL-ALCOHOL-PREGNANCY", alert(AlertKind.PREGNANCY)),
    ("ALUMINIUM-RENAL", alert(AlertKind.RENAL_DISEASE)),
    ("PREGNANCY-ANAEMIA-UNPROVEN", alert(AlertKind.MEGALOBLASTIC_ANAEMIA_OF_PREGNANCY)),
    ("DORSOGLUTEAL", {"body_site": BodySite.LEFT_VENTROGLUTEAL, "limits": Limits(hip_enabled=True)}),
    ("SITE-OFF", {"body_site": BodySite.LEFT_DORSOGLUTEAL, "limits": Limits(buttock_enabled=True)}),
    ("VOLUME-HIGH", volume(1_000)),
    ("VOLUME-HIGH", volume(2_001)),
    ("SECOND-DOSE-TODAY", {"history": History(last_dose_ng=1_000_000)}),
    ("SAME-SITE", {"history": History(last_site=BodySite.RIGHT_DELTOID)}),
    ("FORMULATION-SWITCHED", {"history": History(last_formulation="Cyanocobalamin")}),
    ("EXPIRES-SOON", source(expires_on=TODAY - timedelta(days=1))),
    ("TIME-FUTURE", {"given_at": NOW + timedelta(minutes=2)}),
    ("TIME-BEFORE-BIRTH", patient(born_on=TODAY)),
    ("LOT-EXPIRED", source(expires_on=TODAY)),
    ("VIAL-PAST-USE-BY", source(OPEN, use_by_on=TODAY)),
    ("REMAINDER-POOLED", {"sources": (replace(SEALED, volume_ul=400), replace(SEALED, volume_ul=600))}),
    (
        "BENZYL-ALCOHOL-NEONATE",
        {**patient(born_on=TODAY - timedelta(days=28)), "product": replace(PRODUCT, has_benzyl_alcohol=True)},
    ),
    ("LICENCE-EXPIRED", {"giver": GiverState(True, None, False)}),
    (
        "ALLERGIES-UNNAMED",
        patient(allergy_status=AllergyStatus.PRESENT, alerts=frozenset({AlertKind.ALLERGY_OTHER})),
    ),
    ("LEBERS-OPTIC-ATROPHY", alert(AlertKind.LEBERS_OPTIC_ATROPHY, lebers_caution=False)),
    ("ALLERGY-COBALAMIN", alert(AlertKind.ALLERGY_COBALAMIN, is_cobalamin=False)),
    (
        "PREGNANCY-ANAEMIA-UNPROVEN",
        alert(
            AlertKind.MEGALOBLASTIC_ANAEMIA_OF_PREGNANCY,
            AlertKind.PROVEN_B12_DEFICIENCY,
            substance="hydroxocobalamin",
        ),
    ),
    ("DOSE-CHANGED", {"history": History(last_dose_ng=1_000_000)}),
    ("ALUMINIUM-RENAL", {"product": replace(PRODUCT, contains_aluminium=True)}),
    ("VOLUME-OVER-LIMIT", volume(2_000)),
    (
        "VOLUME-OVER-LIMIT",
        volume(4_001, body_site=BodySite.LEFT_VASTUS_LATERALIS, limits=Limits(gluteal_override_ul=4_000)),
    ),
    ("VOLUME-OVER-LIMIT", volume(1_001, **patient(born_on=date(2008, 3, 16)))),
    ("POTASSIUM-NO-PLAN", alert(AlertKind.SEVERE_ANAEMIA, AlertKind.POTASSIUM_PLAN)),
    ("FOLATE-NO-STATUS", alert(AlertKind.FOLATE, AlertKind.PROVEN_B12_DEFICIENCY)),
    ("CONSENT-NOT-RECORDED", {**patient(consent=None), "consent_seen": True}),
    ("SITE-OFF", {"body_site": BodySite.LEFT_VENTROGLUTEAL, "limits": Limits(hip_enabled=True)}),
    ("EXPIRES-SOON", source(expires_on=TODAY + timedelta(days=31))),
    ("LATE-ENTRY", {"given_at": NOW - timedelta(minutes=60)}),
]


@pytest.mark.parametrize(
    "code,changes", NEAR_MISSES, ids=[f"{code}-{i}" for i, (code, _) in enumerate(NEAR_MISSES)]
)
def test_does_not_find_at_the_edge(code: str, changes: dict[str, Any]) -> None:
    assert code not in found(**changes)


HERE = (
    "Integrity",
    "People and consent",
    "Vials and lots",
    "The product",
    "Allergies",
    "Conditions",
    "Medicines and supplements",
    "Site and volume",
    "Before this dose",
)
"""The subjects whose rules are tried in this file."""


@pytest.mark.parametrize("subject", HERE)
def test_every_finding_is_tried_where_it_appears_and_at_its_edge(subject: str) -> None:
    codes = {one.code for one in SUBJECTS[subject]}
    assert codes - {code for code, _, _ in CASES} == set()
    assert codes - {code for code, _ in NEAR_MISSES} == set()


def test_names_every_code_once_with_all_its_words() -> None:
    first = replace(SEALED, name="Lot A", volume_ul=500, expires_on=TODAY - timedelta(days=1))
    second = replace(first, name="Lot B")
    expired = [f for f in may_give(replace(QUESTION, sources=(first, second))) if f.code == "LOT-EXPIRED"]
    assert len(expired) == 1
    assert "Lot A" in expired[0].message
    assert "Lot B" in expired[0].message


def test_names_a_vial_past_its_use_by_on_the_last_day_of_its_lot() -> None:
    past = source(OPEN, use_by_on=TODAY - timedelta(days=1), expires_on=TODAY)
    assert "VIAL-PAST-USE-BY" in found(**past)


def test_says_which_dose_was_given_that_day() -> None:
    history = History(
        same_substance_today=1, same_day=("dose 000007 at 08:10: 1,000 mcg, left arm, by Nora",)
    )
    said = may_give(replace(QUESTION, history=history))[0].message
    assert said == (
        "Cyanocobalamin was given to this patient that day already: "
        "dose 000007 at 08:10: 1,000 mcg, left arm, by Nora."
    )


def test_puts_the_weightiest_first() -> None:
    changes = {**source(held=True), "dose_ng": 1, "history": History(last_site=BodySite.LEFT_DELTOID)}
    weights = list(found(**changes).values())
    assert weights == [Weight.INTEGRITY, Weight.BLOCK, Weight.INFORM]


@given(volume_ul=st.integers(1, 30_000), ng=st.integers(1, 10**10), per_ul=st.integers(1, 30_000))
def test_a_dose_computed_from_its_volume_always_agrees(volume_ul: int, ng: int, per_ul: int) -> None:
    strength = Strength(ng, per_ul)
    assert strength.agrees(dose_ng=strength.dose_ng(volume_ul), volume_ul=volume_ul)


@given(volume_ul=st.integers(1, 30_000), off=st.integers(1, 10_000))
def test_a_dose_off_by_a_nanogram_never_agrees(volume_ul: int, off: int) -> None:
    strength = Strength(1_000_000, 1_000)
    assert not strength.agrees(dose_ng=strength.dose_ng(volume_ul) + off, volume_ul=volume_ul)
