"""What the product is and may be used for, as its label says and the clinic has decided."""

from functools import partial

from inventory.doses.rules.gate.rule import Source, rule
from inventory.doses.rules.question import Question, Tier

NEONATE_DAYS = 28

_block = partial(rule, tier=Tier.BLOCK, field="source", is_fixed=True)


@_block(
    "ROUTE-NOT-ON-LABEL",
    words="The product's label does not list the route.",
    source=Source.LABEL,
    todo="Choose a product whose label lists intramuscular use.",
)
def route_not_on_label(q: Question) -> str:
    """A kit for infusion can never be injected into a muscle."""
    listed = q.route in q.product.routes
    return "" if listed else f"This product's label does not list the route {q.route}."


@_block(
    "FORMULATION-REFUSED",
    words="The clinic does not use the formulation. It says so under Catalogue.",
    source=Source.HOUSE,
    todo="Choose a product of a formulation this clinic uses.",
)
def formulation_refused(q: Question) -> str:
    """The clinic decides that of each formulation."""
    refused = q.product.formulation_refused
    return f"This clinic does not use {q.product.formulation}." if refused else ""


@_block(
    "BENZYL-ALCOHOL-NEONATE",
    words="A product with benzyl alcohol would be given in the first 28 days of life.",
    source=Source.LABEL,
    todo="Choose a product without preservative.",
)
def benzyl_alcohol_neonate(q: Question) -> str:
    """Gasping syndrome: the day of birth is day 0."""
    newborn = (q.given_on - q.patient.born_on).days < NEONATE_DAYS
    forbidden = newborn and q.product.has_benzyl_alcohol
    return "Benzyl alcohol must not be given to a neonate." if forbidden else ""


RULES = (route_not_on_label, formulation_refused, benzyl_alcohol_neonate)
