"""What a scan says against what is typed or stored. Pure.

Laws kept here: a scan that disagrees stops and names both; what a scan does not say is left as it is.
"""

from collections.abc import Sequence
from datetime import date

from inventory.catalogue.gs1 import Scan
from inventory.catalogue.models import Product
from inventory.catalogue.presenters import product_line
from inventory.kernel.errors import Refusal
from inventory.kernel.printed import as_printed
from inventory.web.presenting import day

_WHICH = "See which is right on the pack; mend what stands here, or leave the scan out."


def disagreements(
    scan: Scan,
    *,
    candidates: Sequence[Product],
    product: Product | None,
    lot_number: str,
    expires_on: date | None,
) -> list[Refusal]:
    """Return where a scan says other than what is typed; nothing typed is no disagreement.

    `candidates` are the products that the scan's GTIN may mean. Gives SCAN-OTHER-PRODUCT, SCAN-OTHER-LOT, SCAN-OTHER-EXPIRY.
    """
    found = []
    if product is not None and not may_be(scan, product, candidates):
        meant = " or ".join(map(product_line, candidates)) or f"a product with GTIN {scan.gtin}"
        said = f"The scan is of {meant}; chosen here is {product_line(product)}. {_WHICH}"
        found.append(Refusal("SCAN-OTHER-PRODUCT", said, "product"))
    if scan.lot_number and lot_number and not _is_same(scan.lot_number, lot_number):
        said = f"The scan names lot {scan.lot_number}; here stands lot {lot_number}. {_WHICH}"
        found.append(Refusal("SCAN-OTHER-LOT", said, "lot_number"))
    if scan.expires_on and expires_on and scan.expires_on != expires_on:
        said = f"The scan gives the expiry {day(scan.expires_on)}; here stands {day(expires_on)}. {_WHICH}"
        found.append(Refusal("SCAN-OTHER-EXPIRY", said, "expires_on"))
    return found


def may_be(scan: Scan, product: Product, candidates: Sequence[Product]) -> bool:
    """Tell whether the scanned pack may be of `product`: it is a candidate, or no code of it is recorded and nothing else has it."""
    if scan.gtin is None:
        return True
    if candidates:
        return any(product.id == one.id for one in candidates)
    return not product.gtin and not product.ndc10


def _is_same(one: str, other: str) -> bool:
    return as_printed(one).upper() == as_printed(other).upper()
