"""Every rule of the gate, by subject, in the order in which findings of one weight are told. A further one is listed here."""

from inventory.doses.rules.gate import (
    allergies,
    body_sites,
    conditions,
    containers,
    course,
    history,
    integrity,
    medicines,
    people,
    product,
)
from inventory.doses.rules.gate.rule import Rule

SUBJECTS: dict[str, tuple[Rule, ...]] = {
    "Integrity": integrity.RULES,
    "People and consent": people.RULES,
    "Vials and lots": containers.RULES,
    "The product": product.RULES,
    "Allergies": allergies.RULES,
    "Conditions": conditions.RULES,
    "Medicines and supplements": medicines.RULES,
    "Site and volume": body_sites.RULES,
    "The order": course.RULES,
    "Before this dose": history.RULES,
}
RULES: tuple[Rule, ...] = tuple(one for rules in SUBJECTS.values() for one in rules)
REGISTRY: dict[str, Rule] = {one.code: one for one in RULES}
