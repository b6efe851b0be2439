"""Makes the return note or the destruction record of a document: nothing is kept of it, since all that it says stands in the ledger."""

import io
from datetime import datetime
from uuid import UUID

from inventory.audit.queries import head
from inventory.clinic.settings import current_settings
from inventory.kernel.db import db
from inventory.kernel.permissions import Actor
from inventory.reports.documents.disposal import DisposalHeader, title_of, write_disposal
from inventory.stock.queries.disposals import disposed


def disposal_pdf(disposal_id: UUID, *, actor: Actor, at: datetime) -> tuple[str, bytes]:
    """Return the name of the file and the file, as PDF. Raises Refusal NOT-FOUND."""
    session, settings = db.session(), current_settings()
    found, chain = disposed(session, disposal_id), head(session)
    header = DisposalHeader(
        clinic_name=settings.clinic_name,
        printed_by=actor.name,
        printed_at=at,
        chain_sequence=chain.seq,
        chain_hash=chain.hash,
        is_demo=settings.is_demo,
    )
    out = io.BytesIO()
    write_disposal(out, header, found)
    name = f"{title_of(found)} {found.site.code} {found.disposal.number}.pdf".replace(" ", "-").lower()
    return name, out.getvalue()
