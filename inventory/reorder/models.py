"""Reorder points, per product and site, in whole containers."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from inventory.kernel.db import Model


class ReorderRule(Model):
    """Order when usable containers fall to the reorder point, up to the order-up-to level."""

    __tablename__ = "reorder_rule"
    __table_args__ = (CheckConstraint("reorder_point >= 0 AND order_up_to > reorder_point", name="levels"),)

    product_id: Mapped[UUID] = mapped_column(ForeignKey("product.id"), primary_key=True)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("site.id"), primary_key=True)
    reorder_point: Mapped[int] = mapped_column()
    order_up_to: Mapped[int] = mapped_column()
    changed_at: Mapped[datetime] = mapped_column()
    changed_by_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"))
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012
