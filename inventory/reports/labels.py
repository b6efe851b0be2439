"""Makes the label of an opened vial: nothing is kept of it, since all that it says stands in the ledger."""

import io
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from inventory.clinic.models import Site
from inventory.clinic.settings import current_settings
from inventory.doses.queries.dedicated import dedication_of
from inventory.kernel.clock import local_day
from inventory.kernel.db import db
from inventory.kernel.errors import Refusal, not_found
from inventory.kernel.numbering import vial_code
from inventory.kernel.permissions import Actor, Permission
from inventory.reports.documents.label import VialLabel, write_vial_label
from inventory.stock.models import Vial
from inventory.stock.queries import vial_on_hand
from inventory.web.presenting import day


def vial_label(vial_id: UUID, *, actor: Actor, on: date) -> VialLabel:
    """Return what the label of a multi-dose vial says on the day `on`.

    For whom it is kept is named only to those who may see patients. Raises Refusal NOT-FOUND for a container that has no
    number, VIAL-CLOSED.
    """
    session = db.session()
    held = vial_on_hand(session, vial_id, on=on)
    vial = held.vial
    if vial is None or vial.label_number is None or vial.use_by_on is None:
        raise not_found("label")
    if vial.closed_at is not None:
        raise Refusal("VIAL-CLOSED", "This vial was closed already. Nothing is left in it to be labelled.")
    product, site = held.lot.product, session.get_one(Site, vial.site_id)
    return VialLabel(
        product=f"{product.name}, {product.maker}" if product.maker else product.name,
        strength=str(held.lot.strength),
        lot_number=held.lot.lot_number,
        opened=_opened(vial, site.time_zone),
        use_by=day(vial.use_by_on),
        number=f"Vial {vial.label_number}",
        code=vial_code(site.code, vial.label_number),
        kept=_kept(vial_id, actor),
        is_barred=held.state.tone == "stop",
        is_demo=current_settings().is_demo,
    )


def label_pdf(label: VialLabel, *, at: datetime, on_a4: bool) -> bytes:
    """Return the label as PDF, on a page of its own size or on A4."""
    out = io.BytesIO()
    write_vial_label(out, label, created_at=at, on_a4=on_a4)
    return out.getvalue()


def _opened(vial: Vial, zone: str) -> str:
    local = vial.opened_at.astimezone(ZoneInfo(zone))
    return f"{day(local_day(vial.opened_at, zone))}, {local:%H:%M}"


def _kept(vial_id: UUID, actor: Actor) -> str:
    kept = dedication_of(db.session(), vial_id)
    if kept is None:
        return ""
    patient = kept[1]
    named = f": {patient.record_number}, {patient.full_name}" if actor.can(Permission.PATIENT_READ) else ""
    return f"ONE PATIENT ONLY{named}"
