"""The one gate (law 7): what speaks against a dose, as data. Page, command and import ask the same `may_give`.

Every rule is domain.md section 2; the numbers in them are the clinic's settings. The state is as of `given_at`, so that a
dose recorded late is judged by what was true when it was given.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta

from inventory.catalogue.models import ContainerType
from inventory.doses.rules.question import (
    Finding,
    GiverState,
    History,
    Limits,
    PatientState,
    ProductState,
    Question,
    SourceState,
    Weight,
)
from inventory.doses.rules.terms import BODY_SITE_WORDS, BUTTOCKS, DELTOIDS, HIPS
from inventory.kernel.quantity import format_mcg, format_ml
from inventory.patients.models import ALLERGIES, AlertKind, AllergyStatus, ConsentStatus

__all__ = [
    "CLOCK_TOLERANCE",
    "Finding",
    "GiverState",
    "History",
    "Limits",
    "PatientState",
    "ProductState",
    "Question",
    "SourceState",
    "Weight",
    "may_give",
]

CLOCK_TOLERANCE = timedelta(minutes=2)
NEONATE_DAYS = 28

_ORDER = {weight: position for position, weight in enumerate(Weight)}


def may_give(question: Question) -> list[Finding]:
    """Return everything that speaks against this dose, weightiest first, each code once; nothing found lets it pass."""
    found: dict[str, Finding] = {}
    for rule in _RULES:
        for finding in rule(question):
            known = found.get(finding.code)
            said = known.message if known else ""
            words = said if finding.message in said else f"{said} {finding.message}".strip()
            found[finding.code] = replace(finding, message=words)
    return sorted(found.values(), key=lambda finding: _ORDER[finding.weight])


def _integrity(q: Question) -> Iterator[Finding]:
    if q.given_at > q.recorded_at + CLOCK_TOLERANCE:
        yield Finding("TIME-FUTURE", Weight.INTEGRITY, "The time of the dose lies in the future.", "given_at")
    if q.given_on < q.patient.born_on:
        yield Finding(
            "TIME-BEFORE-BIRTH", Weight.INTEGRITY, "The patient was not born on that day.", "given_at"
        )
    if q.dose_ng <= 0 or q.volume_ul <= 0:
        yield Finding("DOSE-ZERO", Weight.INTEGRITY, "A dose is more than nothing.", "dose_mcg")
    elif not q.product.strength.agrees(dose_ng=q.dose_ng, volume_ul=q.volume_ul):
        yield Finding(
            "DOSE-VOLUME-DISAGREE",
            Weight.INTEGRITY,
            f"At {q.product.strength}, {format_ml(q.volume_ul)} mL holds"
            f" {format_mcg(q.product.strength.dose_ng(q.volume_ul))} mcg, not {format_mcg(q.dose_ng)} mcg.",
            "dose_mcg",
        )
    if sum(source.volume_ul for source in q.sources) != q.volume_ul:
        yield Finding(
            "SOURCES-DISAGREE",
            Weight.INTEGRITY,
            "What is drawn is not what is given. Choose the vial again.",
            "source",
        )


def _containers(q: Question) -> Iterator[Finding]:
    for source in q.sources:
        yield from _container(source, q)
    multi = [s for s in q.sources if s.container_type is ContainerType.MULTI_DOSE]
    if multi and len(q.sources) > 1:
        yield _block(
            "REMAINDER-POOLED", "Remainders of multi-dose vials are never combined into one dose.", "source"
        )


def _container(source: SourceState, q: Question) -> Iterator[Finding]:
    if q.given_on > source.expires_on:
        yield _block(
            "LOT-EXPIRED", f"{source.name} expired: {_day(source.expires_on)} was its last day.", "source"
        )
    if source.recalled:
        yield _block("LOT-RECALLED", f"{source.name} is recalled.", "source")
    elif source.held:
        yield _block("LOT-HELD", f"{source.name} is on hold.", "source")
    if source.lot_unknown:
        yield _block(
            "LOT-UNKNOWN",
            f"{source.name} was never received; it goes on hold until somebody looks.",
            "source",
        )
    if source.already_open:
        yield from _open_vial(source, q)
    missing = source.volume_ul - source.available_ul
    if missing > 0 and source.on_its_way:
        yield _block("VIAL-ON-ITS-WAY", f"{source.name} is {source.on_its_way}.", "source")
    elif missing > 0:
        yield _shortage(source, missing, q)


def _open_vial(source: SourceState, q: Question) -> Iterator[Finding]:
    if source.container_type is ContainerType.SINGLE_DOSE:
        yield _block(
            "SINGLE-DOSE-REUSED", f"{source.name} was opened before; it serves one procedure only.", "source"
        )
        return
    if source.use_by_on is None:
        yield _block("VIAL-NO-USE-BY", f"{source.name} is open and has no use-by date.", "source")
    elif source.use_by_on < q.given_on <= source.expires_on:
        yield _block(
            "VIAL-PAST-USE-BY", f"{source.name} was usable until {_day(source.use_by_on)}.", "source"
        )
    if source.dedicated_to_another:
        yield _block("VIAL-DEDICATED", f"{source.name} is kept for another patient only.", "source")
    if source.closed:
        yield _block("VIAL-CLOSED", f"{source.name} was discarded.", "source")
    if source.opened_later:
        yield _block("VIAL-NOT-OPEN-THEN", f"{source.name} was opened later than that.", "source")


def _shortage(source: SourceState, missing_ul: int, q: Question) -> Finding:
    left = f"{source.name} holds {format_ml(max(source.available_ul, 0))} mL; {format_ml(source.volume_ul)} mL is"
    if source.already_open and missing_ul <= q.product.overfill_limit_ul - source.overfill_yielded_ul:
        return Finding(
            "OVERFILL", Weight.OVERRIDE, f"{left} more than the label says it should hold.", "volume_ml"
        )
    return _block("STOCK-SHORT", f"{left} more than is left.", "source")


def _product(q: Question) -> Iterator[Finding]:
    if q.route not in q.product.routes:
        yield _block(
            "ROUTE-NOT-ON-LABEL", f"This product's label does not list the route {q.route}.", "source"
        )
    if q.product.formulation_refused:
        yield _block("FORMULATION-REFUSED", f"This clinic does not use {q.product.formulation}.", "source")
    if q.product.has_benzyl_alcohol and (q.given_on - q.patient.born_on).days < NEONATE_DAYS:
        yield _block("BENZYL-ALCOHOL-NEONATE", "Benzyl alcohol must not be given to a neonate.", "source")


def _people(q: Question) -> Iterator[Finding]:
    if not q.giver.may_give:
        yield _block("GIVER-NOT-AUTHORISED", "Your role does not give doses.")
    expires = q.giver.licence_expires_on
    if expires is not None and q.given_on > expires:
        pending = " The renewal is entered as pending." if q.giver.licence_renewal_pending else ""
        yield _override("LICENCE-EXPIRED", f"The giver's licence expired on {_day(expires)}.{pending}")
    if q.patient.consent in {ConsentStatus.REFUSED, ConsentStatus.WITHDRAWN}:
        yield _block("CONSENT-REFUSED", f"The patient's consent is {q.patient.consent}.", "consent_seen")
    elif q.patient.consent is None and not q.consent_seen:
        yield _acknowledge("CONSENT-NOT-RECORDED", "No consent is recorded for this patient.", "consent_seen")
    if q.patient.namesakes:
        yield _acknowledge(
            "PATIENT-NAMESAKE", "Another patient has the same name or birth date. Check both identifiers."
        )


def _allergies(q: Question) -> Iterator[Finding]:
    if q.product.is_cobalamin and q.has(AlertKind.ALLERGY_COBALAMIN, AlertKind.ALLERGY_COBALT):
        yield _override("ALLERGY-COBALAMIN", "Allergy to cobalamin or cobalt is recorded.")
    if q.product.has_benzyl_alcohol and q.has(AlertKind.ALLERGY_BENZYL_ALCOHOL):
        yield _override(
            "ALLERGY-BENZYL-ALCOHOL", "Allergy to benzyl alcohol is recorded, and this product contains it."
        )
    if q.patient.allergy_status is AllergyStatus.NOT_ASKED:
        yield _override("ALLERGIES-NOT-ASKED", "The patient was never asked for allergies.")
    if q.patient.allergy_status is AllergyStatus.PRESENT and not q.has(*ALLERGIES):
        yield _override("ALLERGIES-UNNAMED", "Allergies are recorded as present, but not which.")
    if q.product.lebers_caution and q.has(AlertKind.LEBERS_OPTIC_ATROPHY):
        yield _override(
            "LEBERS-OPTIC-ATROPHY",
            f"Leber's optic atrophy is recorded; {q.product.formulation} may harm sight.",
        )


def _conditions(q: Question) -> Iterator[Finding]:
    if q.has(AlertKind.SERIOUS_REACTION):
        yield _override(
            "REACTION-UNRESOLVED", "A serious or severe reaction to an earlier dose is not resolved."
        )
    if (
        q.product.substance == "hydroxocobalamin"
        and q.has(AlertKind.MEGALOBLASTIC_ANAEMIA_OF_PREGNANCY)
        and not q.has(AlertKind.PROVEN_B12_DEFICIENCY)
    ):
        yield _override(
            "PREGNANCY-ANAEMIA-UNPROVEN", "Megaloblastic anaemia of pregnancy without a proven deficiency."
        )
    if q.has(AlertKind.BLEEDING_RISK):
        yield _acknowledge("BLEEDING-RISK", "Bleeding risk: use 23 G or finer and press for 2 minutes.")
    if q.has(AlertKind.SEVERE_ANAEMIA) and not q.has(AlertKind.POTASSIUM_PLAN):
        yield _acknowledge("POTASSIUM-NO-PLAN", "Severe anaemia: check potassium within 48 hours.")
    if q.product.contains_aluminium and q.has(AlertKind.RENAL_DISEASE):
        yield _acknowledge("ALUMINIUM-RENAL", "This product contains aluminium; renal disease is recorded.")
    if q.product.has_benzyl_alcohol and q.has(AlertKind.PREGNANCY):
        yield _acknowledge(
            "BENZYL-ALCOHOL-PREGNANCY", "This product contains benzyl alcohol; pregnancy is recorded."
        )


def _body_site(q: Question) -> Iterator[Finding]:
    off = (q.body_site in HIPS and not q.limits.hip_enabled) or (
        q.body_site in BUTTOCKS and not q.limits.buttock_enabled
    )
    if off:
        yield _block(
            "SITE-OFF", f"This clinic does not inject here: {BODY_SITE_WORDS[q.body_site]}.", "body_site"
        )
    if q.body_site in BUTTOCKS:
        yield _acknowledge(
            "DORSOGLUTEAL", "Buttock: the sciatic nerve runs here. Another site is safer.", "body_site"
        )
    inform_ul, override_ul = _volume_limits(q)
    if q.volume_ul > override_ul:
        yield _override(
            "VOLUME-OVER-LIMIT",
            f"{format_ml(q.volume_ul)} mL is over the limit of {format_ml(override_ul)} mL here.",
            "volume_ml",
        )
    elif q.volume_ul > inform_ul:
        yield _inform("VOLUME-HIGH", f"More than {format_ml(inform_ul)} mL at this site.")


def _volume_limits(q: Question) -> tuple[int, int]:
    limits = q.limits
    if q.body_site in DELTOIDS:
        inform, override = limits.deltoid_inform_ul, limits.deltoid_override_ul
    elif q.body_site in HIPS | BUTTOCKS:
        inform, override = limits.gluteal_inform_ul, limits.gluteal_override_ul
    else:
        inform, override = limits.thigh_inform_ul, limits.thigh_override_ul
    if _age(q.patient.born_on, q.given_on) < limits.child_under_years:
        override = min(override, limits.child_limit_ul)
    return inform, override


def _history(q: Question) -> Iterator[Finding]:
    if q.history.same_substance_today:
        given = f"{q.product.substance.capitalize()} was given to this patient that day already"
        which = f": {'; '.join(q.history.same_day)}." if q.history.same_day else "."
        yield _override("SECOND-DOSE-TODAY", given + which)
    if q.history.last_site is q.body_site:
        yield _inform("SAME-SITE", f"The last dose went into the same site: {BODY_SITE_WORDS[q.body_site]}.")
    last = q.history.last_formulation
    if last is not None and last != q.product.formulation:
        yield _inform("FORMULATION-SWITCHED", f"The last dose was {last}.")
    if q.history.last_dose_ng not in {None, q.dose_ng}:
        yield _inform("DOSE-CHANGED", f"The last dose was {format_mcg(q.history.last_dose_ng or 0)} mcg.")


def _stock_hints(q: Question) -> Iterator[Finding]:
    if not q.first_expiring:
        yield _inform("NOT-FIRST-EXPIRING", "Another lot expires sooner.")
    for source in q.sources:
        days = (source.expires_on - q.given_on).days
        if 0 <= days <= q.limits.near_expiry_days:
            yield _inform("EXPIRES-SOON", f"{source.name} expires on {_day(source.expires_on)}.")
            break
    late_by = q.recorded_at - q.given_at
    if late_by > timedelta(minutes=q.limits.late_after_minutes):
        yield _inform("LATE-ENTRY", "This is a late entry, and is marked so.")


_RULES: tuple[Callable[[Question], Iterator[Finding]], ...] = (
    _integrity,
    _people,
    _containers,
    _product,
    _allergies,
    _conditions,
    _body_site,
    _history,
    _stock_hints,
)


def _block(code: str, message: str, field: str | None = None) -> Finding:
    return Finding(code, Weight.BLOCK, message, field)


def _override(code: str, message: str, field: str | None = None) -> Finding:
    return Finding(code, Weight.OVERRIDE, message, field)


def _acknowledge(code: str, message: str, field: str | None = None) -> Finding:
    return Finding(code, Weight.ACKNOWLEDGE, message, field)


def _inform(code: str, message: str) -> Finding:
    return Finding(code, Weight.INFORM, message)


def _age(born_on: date, on: date) -> int:
    return on.year - born_on.year - ((on.month, on.day) < (born_on.month, born_on.day))


def _day(day: date) -> str:
    return f"{day.day} {day:%b %Y}"
