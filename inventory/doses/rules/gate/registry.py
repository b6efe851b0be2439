"""Every rule of the gate, by subject, in the order in which findings of one weight are told. A further one is listed here."""

from inventory.doses.rules.gate import (
    allergies,
    body_sites,
    conditions,
    containers,
    history,
    integrity,
    medicines,
    people,
    product,
    states,
)
from inventory.doses.rules.gate.rule import Rule

SUBJECTS: dict[str, tuple[Rule, ...]] = {
    "Integrity": integrity.RULES,
    "People and consent": people.RULES,
    "The patient's record": states.RULES,
    "Vials and lots": containers.RULES,
    "The product": product.RULES,
    "Allergies": allergies.RULES,
    "Conditions": conditions.RULES,
    "Medicines and supplements": medicines.RULES,
    "Site and volume": body_sites.RULES,
    "Before this dose": history.RULES,
}
RULES: tuple[Rule, ...] = tuple(one for rules in SUBJECTS.values() for one in rules)
REGISTRY: dict[str, Rule] = {one.code: one for one in RULES}
FIXED: tuple[str, ...] = tuple(one.code for one in RULES if one.is_fixed)
"""What no clinic may quiet. The database refuses a setting of these too: a further one needs a migration."""
