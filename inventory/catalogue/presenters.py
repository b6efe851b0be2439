"""The words for products: one line that tells them apart, and what the label says."""

from inventory.catalogue.models import ContainerType, Product, Route
from inventory.catalogue.words import CONTAINER_TYPES, ROUTES
from inventory.clinic.setting_rules import WITNESS_REASONS
from inventory.kernel.quantity import format_ml
from inventory.web.presenting import EMPTY, ml


def product_line(product: Product) -> str:
    """Return what tells a product apart in a list: `Cyanocobalamin Hikma · 1,000 mcg/mL · 1 mL vial · pack of 25`."""
    parts = [
        " ".join(part for part in (product.name, product.maker) if part),
        str(product.strength),
        container(product),
    ]
    if product.pack_size > 1:
        parts.append(f"pack of {product.pack_size}")
    if product.version_number > 1:
        parts.append(f"version {product.version_number}")
    return " · ".join(parts)


def container(product: Product) -> str:
    """Return `1 mL vial, single-dose`."""
    kind = CONTAINER_TYPES[ContainerType(product.container_type)].lower()
    return f"{ml(product.container_volume_ul)} {product.container_kind}, {kind}"


def routes(product: Product) -> str:
    """Return the routes on the label, and that a product without IM is never given here."""
    words = ", ".join(ROUTES[route] for route in Route if route in product.route_set)
    return words if Route.IM in product.route_set else f"{words}: kept, never given by injection into muscle"


def storage(product: Product) -> str:
    """Return the storage limits of the label."""
    low, high = product.storage_min_decicelsius, product.storage_max_decicelsius
    parts = []
    if low is not None and high is not None:
        parts.append(f"{_degrees(low)} to {_degrees(high)} °C")
    elif high is not None:
        parts.append(f"up to {_degrees(high)} °C")
    elif low is not None:
        parts.append(f"from {_degrees(low)} °C")
    if product.protect_from_light:
        parts.append("protect from light")
    return ", ".join(parts) or EMPTY


def witness(product: Product) -> str:
    """Return for which waste of the product another person has to confirm."""
    own = product.witness_reasons
    if own is None:
        return "As the clinic's settings say"
    return "; ".join(words for code, words in WITNESS_REASONS.items() if code in own) or "Never"


def _degrees(tenths: int) -> str:
    # A tenth of a degree is written as format_ml writes a thousandth: a hundred of the one are one of the other.
    return format_ml(tenths * 100)
