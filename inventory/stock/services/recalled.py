"""A lot whose number an open recall names comes in: it is held by that recall in the same act."""

from uuid import UUID

from inventory.audit.acts import Act
from inventory.clinic.models import Site
from inventory.stock.models import HoldKind, Lot, Recall, RecallLine
from inventory.stock.queries import named_lots, recalls
from inventory.stock.services.holding import place_hold


def hold_if_recalled(act: Act, lot: Lot) -> list[str]:
    """Inside an act: hold a lot that is new here, or has a new number, for every open recall that names it; return their labels.

    Whoever adds a lot has called `wait_for_recalls` before, so that no recall is opened meanwhile.
    """
    named = named_lots.recalls_awaiting(act.session, lot)
    for recall in named:
        add_line(
            act,
            recall,
            lot_number=lot.lot_number,
            key=lot.lot_number_key,
            product_id=lot.product_id,
            lot_id=lot.id,
        )
    return [_label(act, recall) for recall in named]


def add_line(
    act: Act, recall: Recall, *, lot_number: str, key: str, product_id: UUID | None, lot_id: UUID | None
) -> None:
    """Inside an act: add a line to a recall; where it names a lot of ours, the lot is held everywhere."""
    hold_id = None
    if lot_id is not None:
        hold_id = place_hold(act, lot_id, HoldKind.RECALL, _why(act, recall)).id
        act.session.flush()
    values = {
        "recall_id": recall.id,
        "position": named_lots.next_position(act.session, recall.id),
        "lot_number": lot_number,
        "lot_number_key": key,
        "product_id": product_id,
        "lot_id": lot_id,
        "hold_id": hold_id,
        "added_at": act.recorded_at,
        "actor_id": act.actor.id,
    }
    act.insert(RecallLine, values)


def _why(act: Act, recall: Recall) -> str:
    drill = "DRILL. " if recall.is_drill else ""
    return f"{drill}Recall {_label(act, recall)}: {recall.title}"


def _label(act: Act, recall: Recall) -> str:
    site = act.session.get_one(Site, recall.site_id)
    return recalls.recall_label(site.code, recall.number)
