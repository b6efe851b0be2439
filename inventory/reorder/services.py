"""Setting reorder points."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from inventory.audit.acts import Act, Outcome, perform
from inventory.catalogue.models import Product
from inventory.kernel.errors import Refusal, not_found
from inventory.kernel.permissions import Actor
from inventory.reorder.models import ReorderRule

MOST = 1_000_000


def set_levels(
    *,
    actor: Actor,
    at: datetime,
    request_key: str | None = None,
    product_id: UUID,
    site_id: UUID,
    reorder_point: int,
    order_up_to: int,
) -> Outcome:
    """Set a product's reorder point and order-up-to level at a site, in containers; the outcome names the product.

    Raises Refusal LEVELS-INVALID.
    """

    def write(act: Act) -> Outcome:
        if not 0 <= reorder_point < order_up_to <= MOST:
            said = "The level to order up to must be above the reorder point."
            raise Refusal("LEVELS-INVALID", said, "order_up_to")
        # Locked, so that two people do not both add the first rule.
        product = act.session.scalar(
            select(Product).where(Product.id == product_id).with_for_update(key_share=True)
        )
        if product is None:
            raise not_found("product")
        rule = act.session.get(ReorderRule, (product_id, site_id))
        before = {} if rule is None else _levels(rule)
        if rule is None:
            rule = ReorderRule(product_id=product_id, site_id=site_id)
            act.session.add(rule)
        rule.reorder_point, rule.order_up_to = reorder_point, order_up_to
        rule.changed_at, rule.changed_by_id = act.recorded_at, act.actor.id
        facts = {"product": product.name, "before": before, "after": _levels(rule)}
        return act.record("reorder.set-levels", "product", product_id, site_id=site_id, facts=facts)

    return perform(write, actor=actor, at=at, request_key=request_key)


def _levels(rule: ReorderRule) -> dict[str, int]:
    return {"reorder_point": rule.reorder_point, "order_up_to": rule.order_up_to}
