"""A lot whose number an open recall names comes in, or is merged with one it names: it is held by that recall in the same act."""

from uuid import UUID

from inventory.audit.acts import Act
from inventory.clinic.models import Site
from inventory.stock import queries
from inventory.stock.models import HoldKind, Lot, Recall, RecallLine
from inventory.stock.queries import named_lots, recalls
from inventory.stock.queries.corrections import with_merged
from inventory.stock.services.holding import place_hold


def hold_if_recalled(act: Act, lot: Lot) -> list[str]:
    """Inside an act: hold a lot that is new here, or has a new number, for every open recall that names it; return their labels.

    Whoever adds a lot has called `wait_for_recalls` before, so that no recall is opened meanwhile.
    """
    named = named_lots.recalls_awaiting(act.session, lot)
    for recall in named:
        _name(act, recall, lot)
    return [_label(act, recall) for recall in named]


def name_whole(act: Act, lot_id: UUID, *, merged_id: UUID | None = None) -> list[str]:
    """Inside an act: let each open recall that names a lot, or one that was merged into it, name and hold all of them.

    `merged_id` is the one that goes over in this act. Return the labels of the recalls that did not.
    """
    whole = with_merged(act.session, lot_id)
    went_over = (merged_id, lot_id) if merged_id else None
    missing = named_lots.recalls_in_part(act.session, whole, went_over=went_over)
    for recall, absent in missing:
        for one in sorted(absent):
            _name(act, recall, queries.lot_by_id(act.session, one))
    return [_label(act, recall) for recall, _ in missing]


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


def _name(act: Act, recall: Recall, lot: Lot) -> None:
    add_line(
        act,
        recall,
        lot_number=lot.lot_number,
        key=lot.lot_number_key,
        product_id=lot.product_id,
        lot_id=lot.id,
    )


def _why(act: Act, recall: Recall) -> str:
    drill = "DRILL. " if recall.is_drill else ""
    return f"{drill}Recall {_label(act, recall)}: {recall.title}"


def _label(act: Act, recall: Recall) -> str:
    site = act.session.get_one(Site, recall.site_id)
    return recalls.recall_label(site.code, recall.number)
