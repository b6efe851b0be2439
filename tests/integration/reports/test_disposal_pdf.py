"""The return note and the destruction record: what the paper says, and that a reversed one says so."""

from collections.abc import Callable
from datetime import datetime
from io import BytesIO

from flask import Flask
from pypdf import PdfReader

from inventory.kernel.permissions import Role
from inventory.stock.models import WasteReason
from inventory.stock.services.disposals import (
    Document,
    SealedLine,
    VialLine,
    destroy,
    return_to_supplier,
    reverse_disposal,
)
from tests.factories.catalogue import make_multi_dose_product, make_supplier
from tests.factories.staff import make_actor
from tests.factories.stock import make_delivery, make_open_vial, make_place
from tests.support.client import CheckingClient

SignIn = Callable[..., CheckingClient]


def text_of(client: CheckingClient, disposal_id: object) -> str:
    answer = client.get(f"/reports/disposals/{disposal_id}.pdf")
    assert answer.status_code == 200
    assert answer.content_type == "application/pdf"
    reader = PdfReader(BytesIO(answer.data))
    return "\n".join(page.extract_text() for page in reader.pages)


def test_a_destruction_record_names_lots_witness_and_head(
    app: Flask, signed_in_client: SignIn, at: datetime
) -> None:
    place = make_place()
    manager, nurse = make_actor(Role.MANAGER), make_actor(Role.PRACTITIONER, display_name="Nora Nurse")
    lot = make_delivery(product_id=make_multi_dose_product().id, containers=5, lot_number="OLD7")
    vial = make_open_vial(lot)
    document = Document(
        place.site_id,
        "DR 4",
        [
            SealedLine(lot.id, place.location_id, 2, WasteReason.EXPIRED),
            VialLine(vial.id, WasteReason.PAST_USE_BY),
        ],
        carrier="Invented Incinerators",
        witness_id=nurse.id,
    )
    made = destroy(actor=manager, at=at, document=document)
    text = text_of(signed_in_client(Role.AUDITOR), made.subject_id)
    for words in (
        "Destruction record MAIN 1",
        "DR 4",
        "OLD7",
        "Past its use-by",
        "Nora Nurse",
        "2 sealed containers and 1 opened vial, 30 mL together.",
        "Destroyed by: Invented Incinerators",
        "Audit chain head",
    ):
        assert words in text, words
    assert "REVERSED" not in text


def test_a_reversed_return_says_so(app: Flask, signed_in_client: SignIn, at: datetime) -> None:
    place, manager = make_place(), make_actor(Role.MANAGER)
    lot = make_delivery()
    line = SealedLine(lot.id, place.location_id, 2, WasteReason.RECALL)
    document = Document(place.site_id, "RN 1", [line], supplier_id=make_supplier())
    made = return_to_supplier(actor=manager, at=at, document=document)
    client = signed_in_client(Role.MANAGER)
    page = client.get(f"/stock/disposals/{made.subject_id}").get_data(as_text=True)
    assert f"/reports/disposals/{made.subject_id}.pdf" in page
    assert "Return note MAIN 1" in text_of(client, made.subject_id)
    reverse_disposal(actor=manager, at=at, disposal_id=made.subject_id, reason="Never left")
    text = text_of(client, made.subject_id)
    assert "REVERSED: recorded wrongly" in text
    assert "Never left" in text
    missing = "/reports/disposals/00000000-0000-0000-0000-000000000009.pdf"
    assert client.get(missing).status_code == 404
