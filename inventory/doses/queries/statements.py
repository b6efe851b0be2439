"""The statements with which the containers of a dose are read. Made once: making them costs more than sending them."""

from typing import Any, cast

from sqlalchemy import ColumnElement, Label, Select, Table, and_, bindparam, or_, select

from inventory.catalogue.models import Formulation, Product, Substance
from inventory.clinic.models import Location
from inventory.doses.models import VialDedication
from inventory.doses.queries.dedicated import is_standing
from inventory.kernel.db import an_id
from inventory.stock.models import Account, AccountKind, Hold, Lot, Movement, MovementKind, Vial

_ACCOUNT, _LOT, _VIAL, _HOLD, _PRODUCT, _FORMULATION, _SUBSTANCE, _PLACE, _DEDICATION, _MOVEMENT = (
    cast(Table, model.__table__)
    for model in (
        Account,
        Lot,
        Vial,
        Hold,
        Product,
        Formulation,
        Substance,
        Location,
        VialDedication,
        Movement,
    )
)

_PRODUCT_COLUMNS = (
    _PRODUCT.c.id.label("product_id"),
    _PRODUCT.c.name.label("product_name"),
    _PRODUCT.c.maker,
    _PRODUCT.c.routes,
    _PRODUCT.c.has_benzyl_alcohol,
    _PRODUCT.c.contains_aluminium,
    _PRODUCT.c.overfill_limit_ul,
    _PRODUCT.c.dead_space_ul,
    _PRODUCT.c.container_kind,
    _FORMULATION.c.id.label("formulation_id"),
    _FORMULATION.c.name.label("formulation_name"),
    _FORMULATION.c.lebers_caution,
    _FORMULATION.c.refused.label("formulation_refused"),
    _SUBSTANCE.c.id.label("substance_id"),
    _SUBSTANCE.c.name.label("substance_name"),
    _SUBSTANCE.c.is_cobalamin,
)
_OF_PRODUCT = _PRODUCT.join(_FORMULATION, _FORMULATION.c.id == _PRODUCT.c.formulation_id).join(
    _SUBSTANCE, _SUBSTANCE.c.id == _FORMULATION.c.substance_id
)


def _account_of_lot(kind: AccountKind) -> Label[int]:
    """Return the id of the lot's own account of a kind, read with the lot."""
    mine = (_ACCOUNT.c.lot_id == _LOT.c.id, _ACCOUNT.c.kind == kind, _ACCOUNT.c.location_id.is_(None))
    return select(_ACCOUNT.c.id).where(*mine).scalar_subquery().label(f"{kind}_id")


LOTS = (
    select(
        _LOT.c.id,
        _LOT.c.lot_number,
        _LOT.c.expires_on,
        _LOT.c.container_type,
        _LOT.c.container_volume_ul,
        _LOT.c.in_use_days,
        _LOT.c.strength_ng,
        _LOT.c.strength_ul,
        *map(_account_of_lot, (AccountKind.GIVEN, AccountKind.WASTE, AccountKind.ADJUSTMENT)),
        *_PRODUCT_COLUMNS,
    )
    .select_from(_LOT.join(_OF_PRODUCT, _PRODUCT.c.id == _LOT.c.product_id))
    .where(_LOT.c.id.in_(an_id("lot_ids", many=True)))
)
# Who waits for an account follows its newest version, behind those who came later, and starves. A lot is never updated:
# for its row they queue in the order they came. On SQLite the writers' turn does that.
LOTS_LOCKED = LOTS.order_by(_LOT.c.id).with_for_update(of=_LOT, key_share=True)
UNKNOWN = (
    select(
        _PRODUCT.c.container_type,
        _PRODUCT.c.container_volume_ul,
        _PRODUCT.c.in_use_days,
        _PRODUCT.c.strength_ng,
        _PRODUCT.c.strength_ul,
        *_PRODUCT_COLUMNS,
    )
    .select_from(_OF_PRODUCT)
    .where(_PRODUCT.c.id == an_id("product_id"))
)
AT_SITE = select(_PLACE.c.id).where(_PLACE.c.site_id == an_id("site_id"))
VIALS = (
    select(
        *(
            _VIAL.c[n]
            for n in (
                "id",
                "lot_id",
                "location_id",
                "label_number",
                "opened_at",
                "use_by_on",
                "closed_at",
                "closure",
            )
        ),
        _DEDICATION.c.patient_id.label("dedicated_to_id"),
        _DEDICATION.c.dedicated_at,
        _PLACE.c.site_id.label("at_site_id"),
    )
    .select_from(
        _VIAL.join(_PLACE, _PLACE.c.id == _VIAL.c.location_id).outerjoin(
            _DEDICATION, and_(_DEDICATION.c.vial_id == _VIAL.c.id, is_standing())
        )
    )
    .where(_VIAL.c.id.in_(an_id("vial_ids", many=True)))
)
VIALS_HERE = VIALS.where(_PLACE.c.site_id == an_id("site_id"))
# What was given from a vial while it was here can be written down after it was taken elsewhere.
VIALS_ONCE_HERE = VIALS.where(
    select(_ACCOUNT.c.id)
    .where(_ACCOUNT.c.vial_id == _VIAL.c.id, _ACCOUNT.c.location_id.in_(AT_SITE))
    .exists()
)
ARRIVED_SINCE = select(_MOVEMENT.c.id).where(
    _MOVEMENT.c.to_id == bindparam("account_id"),
    _MOVEMENT.c.kind == MovementKind.TRANSFER,
    _MOVEMENT.c.occurred_at > bindparam("at"),
)
# Where a vial was at an instant: where it was opened or taken to last. On its way, it was of the place it had left.
WAS_AT = (
    select(_ACCOUNT.c.location_id)
    .join(_MOVEMENT, _MOVEMENT.c.to_id == _ACCOUNT.c.id)
    .where(
        _ACCOUNT.c.vial_id == an_id("vial_id"),
        _MOVEMENT.c.kind.in_((MovementKind.OPEN, MovementKind.TRANSFER)),
        _MOVEMENT.c.occurred_at <= bindparam("at"),
    )
    .order_by(_MOVEMENT.c.occurred_at.desc(), _MOVEMENT.c.id.desc())
    .limit(1)
)
HERE = select(_PLACE.c.id).where(
    _PLACE.c.id.in_(an_id("location_ids", many=True)),
    _PLACE.c.site_id == an_id("site_id"),
    _PLACE.c.closed_at.is_(None),
)
HOLDS = select(_HOLD.c.lot_id, _HOLD.c.location_id, _HOLD.c.vial_id, _HOLD.c.kind).where(
    _HOLD.c.lot_id.in_(an_id("lot_ids", many=True)),
    _HOLD.c.held_at <= bindparam("at"),
    or_(_HOLD.c.released_at.is_(None), _HOLD.c.released_at > bindparam("at")),
)


def _accounts_where(condition: ColumnElement[bool]) -> Select[Any]:
    names = ("id", "kind", "lot_id", "location_id", "vial_id", "balance_ul", "last_occurred_at")
    return select(*(_ACCOUNT.c[name] for name in names)).where(condition).order_by(_ACCOUNT.c.id)


_OPEN = _ACCOUNT.c.vial_id.in_(an_id("vial_ids", many=True))
_SEALED = and_(
    _ACCOUNT.c.kind == AccountKind.SHELF,
    _ACCOUNT.c.lot_id.in_(an_id("lot_ids", many=True)),
    _ACCOUNT.c.location_id.in_(an_id("location_ids", many=True)),
)
ACCOUNTS = {
    # One dose rarely draws from both, and the narrower condition is the one an index answers.
    (True, False): _accounts_where(_OPEN),
    (False, True): _accounts_where(_SEALED),
    (True, True): _accounts_where(or_(_OPEN, _SEALED)),
}
LOCKED = {drawn: statement.with_for_update(key_share=True) for drawn, statement in ACCOUNTS.items()}
