"""What a lot's page shows of its corrections; the page that corrects it hangs in `doses`, which knows what they mean for doses."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from inventory.kernel.db import db
from inventory.stock import queries
from inventory.stock.concerns import concerns_about
from inventory.stock.queries import corrections
from inventory.stock.queries.corrections import Corrected


def corrections_shown(lot_id: UUID, told: Sequence[Corrected]) -> dict[str, Any]:
    """Return for the template the lot it was merged into, if any, and what is to be looked at since it was corrected."""
    merge = corrections.merge_of(db.session(), lot_id) if told else None
    other_id = corrections.became(db.session(), lot_id) if merge else None
    return {
        "merge": merge,
        "other": queries.lot_by_id(db.session(), other_id) if other_id else None,
        "concerns": concerns_about(lot_id) if told else [],
    }
