"""The versions of a product in words: what each changed of the one before (law 9: a product with lots is never changed)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from inventory.catalogue import presenters
from inventory.catalogue.models import Product
from inventory.web.presenting import EMPTY, count, mcg, ml


@dataclass(frozen=True, slots=True)
class Version:
    """One version, and what it changed: what, from what, to what."""

    product: Product
    changes: tuple[tuple[str, str, str], ...]


def _ingredients(product: Product) -> str:
    parts = [
        f"{part.substance.name}, {mcg(part.strength_ng)} in {ml(part.strength_ul)}"
        for part in product.ingredients
    ]
    return "; ".join(sorted(parts))


_SAID: tuple[tuple[str, Callable[[Product], object]], ...] = (
    ("Name", lambda product: product.name),
    ("Maker", lambda product: product.maker),
    ("Formulation", lambda product: product.formulation.name),
    ("Strength", lambda product: product.strength),
    ("Container", presenters.container),
    ("Pack", lambda product: count(product.pack_size, "container")),
    ("Routes", presenters.routes),
    ("Days once opened", lambda product: product.in_use_days),
    ("Usual dose", lambda product: mcg(product.default_dose_ng)),
    ("Overfill that may be found", lambda product: ml(product.overfill_limit_ul)),
    ("Dead space of a syringe", lambda product: ml(product.dead_space_ul)),
    ("Preservative", lambda product: product.preservative),
    ("Benzyl alcohol", lambda product: "yes" if product.has_benzyl_alcohol else "no"),
    ("Aluminium", lambda product: "yes" if product.contains_aluminium else "no"),
    ("Storage", presenters.storage),
    ("GTIN", lambda product: product.gtin),
    ("NDC, ten digits", lambda product: product.ndc10),
    ("NDC, eleven digits", lambda product: product.ndc11),
    ("Also contains", _ingredients),
    ("Notes", lambda product: product.notes),
)


def versions(chain: Sequence[Product]) -> list[Version]:
    """Return the versions of a product, the newest first; none where it has only one."""
    if len(chain) < 2:
        return []
    earlier: list[Product | None] = [None, *chain[:-1]]
    told = [Version(new, what_changed(old, new)) for old, new in zip(earlier, chain, strict=True)]
    return told[::-1]


def what_changed(old: Product | None, new: Product) -> tuple[tuple[str, str, str], ...]:
    """Return what differs between two versions, in the order of the label."""
    if old is None:
        return ()
    told = [(what, _words(said(old)), _words(said(new))) for what, said in _SAID]
    return tuple(change for change in told if change[1] != change[2])


def _words(value: object) -> str:
    return EMPTY if value in (None, "") else str(value)
