"""The laws of the stock, recomputed in plain Python from every movement: nothing here asks the code that is tested."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import groupby

from sqlalchemy import func, select

from inventory.audit.verification import Verification
from inventory.doses.models import DoseSource, DoseVoid
from inventory.kernel.db import db
from inventory.stock import verification
from inventory.stock.models import (
    Account,
    AccountKind,
    AdjustReason,
    Lot,
    Movement,
    TransferLine,
    TransferReceipt,
    Vial,
)

HOLDING = {AccountKind.SHELF, AccountKind.VIAL, AccountKind.TRANSIT}


def assert_laws() -> None:
    """Assert every law of the stock, as the database has it now."""
    db.session.rollback()
    movements = db.session.scalars(select(Movement).order_by(Movement.id)).all()
    _assert_balances(movements)
    _assert_reversals(movements)
    _assert_lots_sum_to_zero()
    _assert_merges_lose_nothing(movements)
    _assert_shelves_are_whole()
    _assert_closed_vials_are_empty()
    _assert_open_vials_are_in_one_place()
    assert _sums(_given_by_ledger()) == _sums(_given_by_record()), "what was given is what valid doses say"
    assert _sums(_travelling_by_ledger()) == _sums(_travelling_by_record())


def assert_verified() -> None:
    """Assert that `stock verify` finds nothing, and that the whole trail stands with every row that it witnessed."""
    db.session.rollback()
    assert list(verification.findings(db.session())) == []
    assert list(Verification(db.session()).whole()) == []


def _assert_balances(movements: Sequence[Movement]) -> None:
    """Every balance is the sum of its movements, and what holds stock never held less than nothing at any instant."""
    moved = defaultdict(list)
    for one in movements:
        moved[one.to_id].append((one.occurred_at, one.amount_ul))
        moved[one.from_id].append((one.occurred_at, -one.amount_ul))
    for account in db.session.scalars(select(Account)):
        held = 0
        for instant, changes in groupby(sorted(moved[account.id]), key=lambda change: change[0]):
            held += sum(change for _, change in changes)
            assert held >= 0 or account.kind not in HOLDING, (account.kind, account.id, instant, held)
        assert account.balance_ul == held, (account.kind, account.id)


def _assert_reversals(movements: Sequence[Movement]) -> None:
    by_id = {one.id: one for one in movements}
    reversing = [one for one in movements if one.reverses_id]
    assert len({one.reverses_id for one in reversing}) == len(reversing), "undone once at most"
    for one in reversing:
        first = by_id[one.reverses_id]
        assert (first.from_id, first.to_id, first.amount_ul) == (one.to_id, one.from_id, one.amount_ul)
        assert first.reverses_id is None


def _assert_lots_sum_to_zero() -> None:
    sums = select(func.sum(Account.balance_ul)).group_by(Account.lot_id)
    assert not any(db.session.scalars(sums))


def _assert_merges_lose_nothing(movements: Sequence[Movement]) -> None:
    """What leaves one number of a lot enters another, in the same act."""
    adjusting = set(db.session.scalars(select(Account.id).where(Account.kind == AccountKind.ADJUSTMENT)))
    sums: defaultdict[object, int] = defaultdict(int)
    for one in movements:
        if one.reason == AdjustReason.MERGED:
            sums[one.act_id] += one.amount_ul if one.to_id in adjusting else -one.amount_ul
    assert not any(sums.values())


def _assert_shelves_are_whole() -> None:
    shelves = select(Account.balance_ul, Lot.container_volume_ul).join(Lot, Lot.id == Account.lot_id)
    for held, container in db.session.execute(shelves.where(Account.kind == AccountKind.SHELF)):
        assert held % container == 0


def _assert_closed_vials_are_empty() -> None:
    closed = select(Account.balance_ul).join(Vial, Vial.id == Account.vial_id)
    assert not any(db.session.scalars(closed.where(Vial.closed_at.is_not(None))))


def _assert_open_vials_are_in_one_place() -> None:
    elsewhere = select(Account.balance_ul).join(Vial, Vial.id == Account.vial_id)
    assert not any(db.session.scalars(elsewhere.where(Account.location_id != Vial.location_id)))


def _given_by_ledger() -> Iterator[tuple[object, int]]:
    held = select(Account.lot_id, Account.balance_ul).where(Account.kind == AccountKind.GIVEN)
    yield from ((lot_id, ul) for lot_id, ul in db.session.execute(held))


def _given_by_record() -> Iterator[tuple[object, int]]:
    drawn = select(DoseSource.lot_id, DoseSource.volume_ul)
    valid = drawn.where(DoseSource.dose_id.not_in(select(DoseVoid.dose_id)))
    yield from ((lot_id, ul) for lot_id, ul in db.session.execute(valid))


def _travelling_by_ledger() -> Iterator[tuple[object, int]]:
    held = select(Account.lot_id, Account.balance_ul).where(Account.kind == AccountKind.TRANSIT)
    yield from ((lot_id, ul) for lot_id, ul in db.session.execute(held))


def _travelling_by_record() -> Iterator[tuple[object, int]]:
    sent = select(TransferLine.lot_id, TransferLine.amount_ul)
    under_way = sent.where(TransferLine.transfer_id.not_in(select(TransferReceipt.transfer_id)))
    yield from ((lot_id, ul) for lot_id, ul in db.session.execute(under_way))


def _sums(rows: Iterator[tuple[object, int]]) -> dict[object, int]:
    sums: defaultdict[object, int] = defaultdict(int)
    for key, ul in rows:
        sums[key] += ul
    return {key: ul for key, ul in sums.items() if ul}
