"""Resolves the containers a request names: lot, vial, account, holds, and what was there at the time of the dose."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Table, func, select
from sqlalchemy.orm import Session

from inventory.catalogue.models import ContainerType, Route
from inventory.doses.queries import statements
from inventory.doses.rules import gate
from inventory.doses.rules.sourcing import Draw
from inventory.doses.rules.terms import BodySite, EntryMode, IdentityCheck
from inventory.kernel.errors import Refusal, not_found
from inventory.patients.queries import records_of
from inventory.stock import ledger
from inventory.stock.models import AccountKind, HoldKind, Movement
from inventory.stock.queries.overfill import overfill_of
from inventory.stock.queries.transfers import travels

_MOVEMENT = cast(Table, Movement.__table__)

Accounts = dict[tuple[str, UUID, UUID], Any]
"""Account rows by kind, lot, and vial or location."""
Held = dict[tuple[UUID, UUID | None], set[HoldKind]]
"""Active holds by lot and, if narrower, location or vial."""


@dataclass(frozen=True, slots=True)
class UnknownLot:
    """A lot that was used and never received: recorded after the fact only, and put on hold."""

    product_id: UUID
    lot_number: str
    expires_on: date
    location_id: UUID


@dataclass(frozen=True, slots=True)
class DoseRequest:
    """A dose as a person asks to record it. Amounts in nanograms and microlitres.

    `given_at` is None for a dose about to be given: its time is when it is recorded. `draws` name the containers; with
    `unknown_lot` there are none. `dedicate`: the multi-dose vial it comes from is kept for this patient from then on.
    """

    mode: EntryMode
    site_id: UUID
    patient_id: UUID
    draws: tuple[Draw, ...]
    dose_ng: int
    volume_ul: int
    body_site: BodySite
    indication: str
    given_at: datetime | None = None
    route: Route = Route.IM
    consent_seen: bool = False
    information_sheet: str | None = None
    needle: str | None = None
    note: str | None = None
    unknown_lot: UnknownLot | None = None
    blocked_before: str | None = None
    amends_id: UUID | None = None
    dedicate: bool = False
    identity_check: IdentityCheck | None = None


@dataclass(frozen=True, slots=True)
class Container:
    """A container of a request, resolved: its lot, its vial if it is open, the account it is drawn from and what is there.

    `available_ul` is the least the account held at any instant since `drawn_at`, when the dose leaves it; None as account means
    the shelf is new. `heir_id` is the vial that holds what is left of one that got a new label, as its lot was merged.
    """

    draw: Draw
    lot: Any
    vial: Any | None
    account_id: int | None
    available_ul: int
    state: gate.SourceState
    drawn_at: datetime
    heir_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """What an amendment keeps of the entry it corrects.

    `moves_nothing`: the containers and volumes are the same, and what was drawn has left them already. `vial_ids` are the
    containers of the old entry, which are no other dose's. `known_at` is when the time of the dose was known, `zone` the one
    it was recorded in.
    """

    moves_nothing: bool
    vial_ids: frozenset[UUID]
    known_at: datetime
    zone: str


def one(result: Any, what: str) -> Any:
    """Return the first row. Raises Refusal NOT-FOUND for `what`."""
    row = result.first()
    if row is None:
        raise not_found(what)
    return row


def lots(session: Session, request: DoseRequest, *, lock: bool) -> dict[UUID, Any]:
    wanted = {draw.lot_id for draw in request.draws}
    if not wanted:
        if request.unknown_lot is None:
            raise Refusal("SOURCE-NEEDED", "Choose the vial the dose comes from.", "source")
        return {}
    statement = statements.LOTS_LOCKED if lock else statements.LOTS
    rows = session.execute(statement, {"lot_ids": list(wanted)}).all()
    if len(rows) != len(wanted):
        raise not_found("lot")
    if len({row.product_id for row in rows}) > 1:
        raise Refusal("SOURCES-MIXED", "One dose comes from containers of one product.", "source")
    return {row.id: cast(Any, row) for row in rows}


def unknown_product(session: Session, request: DoseRequest) -> Any:
    assert request.unknown_lot is not None  # noqa: S101  _lots has refused otherwise
    found = session.execute(statements.UNKNOWN, {"product_id": request.unknown_lot.product_id})
    return one(found, "product")


def vials(session: Session, request: DoseRequest) -> dict[UUID, Any]:
    """Return the open vials of a request: those at its site, and after the fact those that were there once."""
    wanted = {draw.vial_id for draw in request.draws if draw.vial_id}
    if not wanted:
        return {}
    late = request.mode is EntryMode.ALREADY_GIVEN
    statement = statements.VIALS_ONCE_HERE if late else statements.VIALS_HERE
    rows = session.execute(statement, {"vial_ids": list(wanted), "site_id": request.site_id}).all()
    if len(rows) != len(wanted):
        raise not_found("vial")
    return {row.id: cast(Any, row) for row in rows}


def located(request: DoseRequest, vials: dict[UUID, Any]) -> DoseRequest:
    """Return the request with each open vial where it is now, wherever it was when the page was shown."""
    draws = tuple(
        replace(draw, location_id=vials[draw.vial_id].location_id) if draw.vial_id else draw
        for draw in request.draws
    )
    return replace(request, draws=draws)


def accounts(session: Session, request: DoseRequest, *, lock: bool) -> Accounts:
    vials = {draw.vial_id: draw.location_id for draw in request.draws if draw.vial_id}
    shelves = {(draw.lot_id, draw.location_id) for draw in request.draws if not draw.vial_id}
    if not vials and not shelves:
        return {}
    wanted = {
        "vial_ids": list(vials),
        "lot_ids": list({lot_id for lot_id, _ in shelves}),
        "location_ids": list({location_id for _, location_id in shelves}),
    }
    statement = (statements.LOCKED if lock else statements.ACCOUNTS)[bool(vials), bool(shelves)]
    return {
        (row.kind, row.lot_id, row.vial_id or row.location_id): cast(Any, row)
        for row in session.execute(statement, wanted)
        if (row.vial_id and vials[row.vial_id] == row.location_id) or (row.lot_id, row.location_id) in shelves
    }


def settle(session: Session, request: DoseRequest, recorded_at: datetime, accounts: Accounts) -> datetime:
    """Return the dose's instant: a typed minute sorts after what happened to its containers in that minute (law 6)."""
    typed = request.given_at
    if request.mode is EntryMode.ABOUT_TO_GIVE or typed is None:
        return recorded_at
    if typed > recorded_at:
        return recorded_at if typed <= recorded_at + gate.CLOCK_TOLERANCE else typed
    settled = (ledger.after_that_minutes_inflow(session, account.id, typed) for account in accounts.values())
    return min(max(settled, default=typed), recorded_at)


def resolve(
    session: Session,
    request: DoseRequest,
    *,
    lots: dict[UUID, Any],
    vials: dict[UUID, Any],
    accounts: Accounts,
    given_at: datetime,
    recorded_at: datetime,
    kept: Kept | None,
) -> tuple[Container, ...]:
    """Return the request's containers in order, as they were at `given_at`, with what they hold from when they are drawn from.

    That is when the dose was given; for an amendment, when it is recorded: what it takes back is there only now. A vial that
    came to where it is after the dose is drawn from there now, too: what was given then is missing from what arrived.

    Raises Refusal NOT-FOUND for a wrong vial, SOURCE-ELSEWHERE for a location of another site or a closed one, and
    SOURCES-DISAGREE for containers that the dose does not need.
    """
    _refuse_elsewhere(session, request)
    _refuse_needless(request, lots)
    held = _holds(session, list(lots), given_at)
    arrived = {row.id for row in accounts.values() if _arrived_since(session, row, given_at)}
    drawn_at = {row.id: recorded_at if kept or row.id in arrived else given_at for row in accounts.values()}
    left = {row.id: least_since(session, row, drawn_at[row.id]) for row in accounts.values()}
    taken: Counter[int] = Counter()
    resolved = []
    for draw in request.draws:
        lot, vial = lots[draw.lot_id], vials.get(draw.vial_id) if draw.vial_id else None
        account = _account_of(draw, accounts)
        if draw.vial_id and (account is None or vial is None or not _is_of(vial, draw)):
            raise not_found("vial")
        available = left[account.id] - taken[account.id] if account is not None else 0
        if vial is None:
            # A sealed container is there whole, or not at all.
            available = lot.container_volume_ul if available >= lot.container_volume_ul else 0
        if account is not None:
            taken[account.id] += draw.volume_ul if vial else lot.container_volume_ul
        was_at = draw.location_id
        if account is not None and account.id in arrived:
            was_at = _place_at(session, draw, given_at)
        holds = _holds_on(draw, held, was_at)
        state = _state(draw, lot, vial, given_at=given_at, available_ul=available, holds=holds)
        if vial is not None:
            state = _as_open(session, state, vial, request, given_at)
        if kept is not None and vial is not None and vial.id in kept.vial_ids:
            state = _as_kept(state, draw, kept)
        when = drawn_at[account.id] if account else given_at
        resolved.append(Container(draw, lot, vial, account.id if account else None, available, state, when))
    return tuple(resolved)


def _refuse_elsewhere(session: Session, request: DoseRequest) -> None:
    """Refuse a shelf that is not one of the site's, whatever a form says."""
    shelves = {draw.location_id for draw in request.draws if draw.vial_id is None}
    if request.unknown_lot is not None:
        shelves.add(request.unknown_lot.location_id)
    if not shelves:
        return
    here = session.execute(statements.HERE, {"location_ids": list(shelves), "site_id": request.site_id}).all()
    if len(here) != len(shelves):
        raise Refusal("SOURCE-ELSEWHERE", "Choose stock of the site you work at.", "source")


def _refuse_needless(request: DoseRequest, lots: dict[UUID, Any]) -> None:
    """Refuse to open more containers than the volume fills, and to draw nothing from one."""
    sealed = [draw for draw in request.draws if draw.vial_id is None]
    content = max((lots[draw.lot_id].container_volume_ul for draw in sealed), default=1)
    needed = -(-sum(draw.volume_ul for draw in sealed) // content)
    if len(sealed) > needed or any(draw.volume_ul < 1 for draw in request.draws):
        words = "These are not the containers the dose needs. Choose the vial again."
        raise Refusal("SOURCES-DISAGREE", words, "source")


def _is_of(vial: Any, draw: Draw) -> bool:
    return bool(vial.lot_id == draw.lot_id and vial.location_id == draw.location_id)


def _arrived_since(session: Session, account: Any, given_at: datetime) -> bool:
    """Tell whether a vial came to its account after the dose; asked only where something happened since."""
    if account.vial_id is None or account.last_occurred_at is None or account.last_occurred_at <= given_at:
        return False
    asked = {"account_id": account.id, "at": given_at}
    return session.scalar(statements.ARRIVED_SINCE.limit(1), asked) is not None


def _place_at(session: Session, draw: Draw, given_at: datetime) -> UUID:
    """Return where a vial was that came to where it is after the dose."""
    return session.scalar(statements.WAS_AT, {"vial_id": draw.vial_id, "at": given_at}) or draw.location_id


def _as_open(
    session: Session, state: gate.SourceState, vial: Any, request: DoseRequest, given_at: datetime
) -> gate.SourceState:
    """Add what only an open vial can be: kept for somebody else and, where it lacks something, on its way or overfilled."""
    if _is_anothers(vial, request, given_at):
        state = replace(state, dedicated_to_another=True)
    if state.available_ul >= state.volume_ul:
        return state
    travel = travels(session, [vial.id]).get(vial.id)
    yielded = overfill_of(session, vial.id)
    return replace(state, on_its_way=travel.words if travel else "", overfill_yielded_ul=yielded)


def _is_anothers(vial: Any, request: DoseRequest, given_at: datetime) -> bool:
    """Tell whether the vial was kept for another person at that time."""
    owner = vial.dedicated_to_id
    if owner in {None, request.patient_id} or vial.dedicated_at > given_at:
        return False
    return owner not in records_of(request.patient_id)


def _as_kept(state: gate.SourceState, draw: Draw, kept: Kept) -> gate.SourceState:
    """A container of the entry that is amended: it was this dose's own, and opened for it if it is a single dose."""
    is_single = state.container_type is ContainerType.SINGLE_DOSE
    return replace(
        state,
        available_ul=draw.volume_ul if kept.moves_nothing else state.available_ul,
        already_open=not is_single,
        opened_later=False,
    )


def _account_of(draw: Draw, accounts: Accounts) -> Any | None:
    if draw.vial_id:
        return accounts.get((AccountKind.VIAL, draw.lot_id, draw.vial_id))
    return accounts.get((AccountKind.SHELF, draw.lot_id, draw.location_id))


def _holds_on(draw: Draw, held: Held, was_at: UUID) -> set[HoldKind]:
    """Return what held a container: its lot everywhere, what lay where it was at the time of the dose, or it alone."""
    places = [None, was_at, draw.vial_id] if draw.vial_id else [None, was_at]
    return {kind for place in places for kind in held.get((draw.lot_id, place), ())}


def _state(
    draw: Draw, lot: Any, vial: Any | None, *, given_at: datetime, available_ul: int, holds: set[HoldKind]
) -> gate.SourceState:
    name = (
        f"Vial {vial.label_number}, lot {lot.lot_number}"
        if vial and vial.label_number
        else f"Lot {lot.lot_number}"
    )
    return gate.SourceState(
        name=name,
        container_type=ContainerType(lot.container_type),
        volume_ul=draw.volume_ul,
        available_ul=available_ul,
        expires_on=lot.expires_on,
        use_by_on=vial.use_by_on if vial else None,
        already_open=vial is not None,
        closed=vial is not None and vial.closed_at is not None and vial.closed_at <= given_at,
        opened_later=vial is not None and vial.opened_at > given_at,
        held=bool(holds),
        recalled=HoldKind.RECALL in holds,
    )


def unknown_state(request: DoseRequest, product: Any) -> gate.SourceState:
    unknown = request.unknown_lot
    assert unknown is not None  # noqa: S101  lots() has refused otherwise
    return gate.SourceState(
        name=f"Lot {unknown.lot_number}",
        container_type=ContainerType(product.container_type),
        volume_ul=request.volume_ul,
        available_ul=request.volume_ul,
        expires_on=unknown.expires_on,
        use_by_on=None,
        already_open=False,
        lot_unknown=True,
    )


def least_since(session: Session, account: Any, instant: datetime) -> int:
    """Return the least the account held from `instant` on, in microlitres; on time, that is its balance."""
    balance = int(account.balance_ul)
    if account.last_occurred_at is None or account.last_occurred_at <= instant:
        return balance
    changes = [
        select(_MOVEMENT.c.occurred_at, (sign * _MOVEMENT.c.amount_ul).label("change")).where(
            side == account.id, _MOVEMENT.c.occurred_at > instant
        )
        for side, sign in ((_MOVEMENT.c.to_id, 1), (_MOVEMENT.c.from_id, -1))
    ]
    moved = changes[0].union_all(changes[1]).subquery()
    rows = session.execute(
        select(func.sum(moved.c.change)).group_by(moved.c.occurred_at).order_by(moved.c.occurred_at.desc())
    ).scalars()
    least = balance
    for change in rows:
        balance -= int(change)
        least = min(least, balance)
    return least


def _holds(session: Session, lot_ids: Sequence[UUID], at: datetime) -> Held:
    held: Held = {}
    if not lot_ids:
        return held
    rows = session.execute(statements.HOLDS, {"lot_ids": list(lot_ids), "at": at})
    for lot_id, location_id, vial_id, kind in rows:
        held.setdefault((lot_id, vial_id or location_id), set()).add(HoldKind(kind))
    return held
