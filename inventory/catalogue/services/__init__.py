"""Every write to the catalogue. Law kept here: one act, one transaction; what a product is freezes with its first lot."""

from inventory.catalogue.services.names import (
    add_formulation,
    add_substance,
    add_supplier,
    edit_formulation,
    new_supplier,
    rename_supplier,
)
from inventory.catalogue.services.products import (
    Ingredient,
    ProductDraft,
    add_product,
    edit_product,
    new_product_version,
    restore_product,
    retire_product,
)

__all__ = [
    "Ingredient",
    "ProductDraft",
    "add_formulation",
    "add_product",
    "add_substance",
    "add_supplier",
    "edit_formulation",
    "edit_product",
    "new_product_version",
    "new_supplier",
    "rename_supplier",
    "restore_product",
    "retire_product",
]
