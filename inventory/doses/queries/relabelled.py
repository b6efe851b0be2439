"""A dose of an opened vial whose lot was merged since: what is left of that vial is in it under its new label, and is drawn there."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from inventory.doses.queries.containers import Container
from inventory.doses.rules.terms import EntryMode
from inventory.stock import ledger
from inventory.stock.models import VialClosure
from inventory.stock.queries.relabelled import lock_through, open_heir
from inventory.stock.queries.transfers import travels


def lock_heirs(session: Session, vials: Iterable[Any]) -> None:
    """Lock the lots that hold what is left of these vials, where they got a new label."""
    gone = {vial.lot_id for vial in vials if vial.closure == VialClosure.RELABELLED}
    if gone:
        lock_through(session, gone)


def reached(
    session: Session, containers: tuple[Container, ...], *, mode: EntryMode, recorded_at: datetime
) -> tuple[Container, ...]:
    """Return the containers with what they hold under their new labels; that leaves them when it is recorded."""
    if mode is not EntryMode.ALREADY_GIVEN:
        return containers
    return tuple(_reached(session, one, containers, recorded_at) for one in containers)


def _reached(
    session: Session, container: Container, beside: Iterable[Container], recorded_at: datetime
) -> Container:
    vial = container.vial
    if vial is None or vial.closure != VialClosure.RELABELLED:
        return container
    heir = open_heir(session, vial.id)
    if heir is None:
        return container
    account_id = ledger.vial_account(session, heir)
    left_ul = ledger.lock_balances(session, [account_id])[account_id]
    left_ul -= sum(one.draw.volume_ul for one in beside if one.draw.vial_id == heir.id)
    travel = travels(session, [heir.id]).get(heir.id)
    return replace(
        container,
        available_ul=left_ul,
        state=replace(container.state, available_ul=left_ul, on_its_way=travel.words if travel else ""),
        drawn_at=recorded_at,
        heir_id=heir.id,
    )
