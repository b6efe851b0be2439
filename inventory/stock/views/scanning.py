"""What was scanned is read into the form of a delivery.

Laws kept here: a field that the scan does not give, or that is typed already, is left alone; what disagrees stops and says so.
"""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from inventory.catalogue.gs1 import SCAN_END, Scan, read_scan
from inventory.catalogue.models import Product
from inventory.catalogue.presenters import product_line
from inventory.catalogue.queries import product_by_id, products_of_gtin
from inventory.kernel.db import db
from inventory.kernel.errors import Refusal, Refusals
from inventory.stock import queries, scans
from inventory.stock.forms import ReceiveForm
from inventory.stock.services.receiving import refuse_other_expiry
from inventory.web.presenting import site_today


def take_scan(form: ReceiveForm) -> Scan | None:
    """Read the scan into the form and return it.

    Where it cannot be read or disagrees, nothing is filled in, the scan stays in its field, the form says why, and None is returned.
    """
    try:
        scan = read_scan(str(form.scan.data), on=site_today())
        candidates = products_of_gtin(db.session(), scan.gtin) if scan.gtin else []
        _refuse_what_disagrees(form, scan, candidates)
    except (Refusal, Refusals) as refusal:
        form.apply_refusal(refusal)
        return None
    _fill(form, scan, candidates)
    return scan


def scanned_lot_id(text: str) -> UUID | None:
    """Return the lot that a scan names, if `text` is one and there is exactly one such lot."""
    try:
        scan = read_scan(text, on=site_today())
        found = queries.lots_of_scan(db.session(), scan)
    except Refusal:
        return None
    return found[0] if len(found) == 1 else None


def _refuse_what_disagrees(form: ReceiveForm, scan: Scan, candidates: Sequence[Product]) -> None:
    if candidates and all(product.retired_at for product in candidates):
        named = " and ".join(map(product_line, candidates))
        said = f"{named} is retired. Restore it in the catalogue to receive it."
        raise Refusal("PRODUCT-RETIRED", said, "product")
    product, lot_number, expires_on = _typed(form)
    wrong = scans.disagreements(
        scan, candidates=candidates, product=product, lot_number=lot_number, expires_on=expires_on
    )
    if wrong:
        raise Refusals(wrong)
    told = product or (candidates[0] if len(candidates) == 1 else None)
    _refuse_stored(told, lot_number or scan.lot_number, expires_on or scan.expires_on)


def _refuse_stored(product: Product | None, lot_number: str | None, expires_on: date | None) -> None:
    if product and lot_number and expires_on:
        stored = queries.lot_by_number(db.session(), product_id=product.id, lot_number=lot_number)
        refuse_other_expiry(stored, expires_on)


def _typed(form: ReceiveForm) -> tuple[Product | None, str, date | None]:
    chosen = form.product.data if form.product.data in form.product.offered else None
    product = product_by_id(db.session(), UUID(chosen)) if chosen else None
    return product, str(form.lot_number.data or ""), form.expires_on.data


def _fill(form: ReceiveForm, scan: Scan, candidates: Sequence[Product]) -> None:
    kept = str(form.scans.data or "")
    # Of many containers scanned one after the other, only those that told something are kept.
    if _filled(form, scan, candidates) or not kept:
        form.scans.data = f"{kept}{SCAN_END}{scan.raw}" if kept else scan.raw
    form.scan.data = ""


def _filled(form: ReceiveForm, scan: Scan, candidates: Sequence[Product]) -> bool:
    """Fill in what is still empty, and return whether anything was."""
    told = [_fill_product(form, scan, candidates)]
    if scan.lot_number and not form.lot_number.data:
        form.lot_number.data = scan.lot_number
        told.append(True)
    if scan.expires_on and not any(form.expires_on.raw_data or []):
        text = f"{scan.expires_on:%Y-%m}" if scan.expires_month_only else scan.expires_on.isoformat()
        form.expires_on.process_formdata([text])
        form.expires_on.raw_data = [text]
        told.append(True)
    return any(told)


def _fill_product(form: ReceiveForm, scan: Scan, candidates: Sequence[Product]) -> bool:
    if form.product.data or scan.gtin is None:
        return False
    if len(candidates) == 1:
        form.product.data = str(candidates[0].id)
    elif candidates:
        said = f"This GTIN is that of {' and of '.join(map(product_line, candidates))}. Choose which of them it is."
        form.add_error("product", "SCAN-PRODUCT-SEVERAL", said)
    else:
        said = f"No product here has the GTIN {scan.gtin}. Add it to the catalogue, or choose the product if only its GTIN is missing there."
        form.add_error("product", "SCAN-PRODUCT-UNKNOWN", said)
    return True
