"""The words for where stock stands: kinds, states, the shelf a page at a time."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from uuid import UUID

from inventory.catalogue.models import Route
from inventory.kernel.errors import Refusal
from inventory.stock.models import (
    AccountKind,
    Hold,
    Lot,
    Vial,
    VialClosure,
)
from inventory.stock.queries import ShelfGroup
from inventory.stock.queries.on_hand import kinds_covering
from inventory.stock.queries.transfers import Travel
from inventory.stock.rules import State, StateCode, state_of
from inventory.stock.words import CLOSURES
from inventory.web.pagination import Page
from inventory.web.presenting import count, ml

STATE_FILTER = {
    "usable": {StateCode.USABLE, StateCode.NEAR},
    "near": {StateCode.NEAR},
    "expired": {StateCode.EXPIRED, StateCode.PAST_USE_BY},
    "not-for-injection": {StateCode.NOT_FOR_INJECTION},
    "held": {StateCode.HELD, StateCode.RECALLED, StateCode.DRILL},
}
TOTALS = {
    AccountKind.SUPPLIER: "Received",
    AccountKind.GIVEN: "Given",
    AccountKind.WASTE: "Wasted",
    AccountKind.ADJUSTMENT: "Adjusted",
    AccountKind.RETURNED: "Returned",
    AccountKind.TRANSIT: "On its way",
}


def containers_words(number: int, pack_size: int) -> str:
    """Return a number of containers, and the packs it makes where packs hold several: `50 containers (2 packs of 25)`."""
    said = count(number, "container")
    if pack_size < 2 or number < pack_size:
        return said
    packs, rest = divmod(number, pack_size)
    more = f" and {rest}" if rest else ""
    return f"{said} ({count(packs, 'pack')} of {pack_size}{more})"


@dataclass(frozen=True, slots=True)
class Shelf:
    """What of a lot lies sealed at one location."""

    location_id: UUID
    location: str
    containers: int
    state: State


@dataclass(frozen=True, slots=True)
class OpenVial:
    """A labelled vial of a lot, open or closed."""

    vial: Vial
    location: str
    volume_ul: int
    words: str
    tone: str
    is_to_go: bool = False
    """Whether it is to be discarded."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where everything of a lot is now."""

    state: State
    shelves: list[Shelf]
    vials: list[OpenVial]
    totals: list[tuple[str, str]]
    left_ul: int
    """What is left of it at all sites and on its way, in microlitres, also where the reader may not see it."""

    @property
    def sealed(self) -> int:
        """Sealed containers at all locations."""
        return sum(shelf.containers for shelf in self.shelves)

    @property
    def is_used_up(self) -> bool:
        """Whether nothing is left, sealed, open or on its way."""
        return not self.left_ul and all(one.vial.closed_at for one in self.vials)

    @property
    def never_was(self) -> bool:
        """Whether nothing of it was ever here: whatever was recorded of it has been reversed."""
        return self.is_used_up and not self.totals

    @property
    def shown(self) -> State:
        """What the lot is in, or what became of it where nothing is left."""
        return shown_state(self.state, is_used_up=self.is_used_up, never_was=self.never_was)


def shown_state(state: State, *, is_used_up: bool, never_was: bool) -> State:
    """Return the state of a lot as it is shown: where nothing is left, what became of it, unless a hold stands."""
    if state.code in {StateCode.HELD, StateCode.RECALLED, StateCode.DRILL} and not never_was:
        return state
    if never_was:
        return State(state.code, "Receipt reversed", "quiet")
    return State(state.code, "Used up", "quiet") if is_used_up else state


def standing_of(
    balances: Sequence[tuple[AccountKind, str, UUID | None, int]],
    vials: Sequence[tuple[Vial, int, str]],
    lot: Lot,
    holds: Sequence[Hold],
    *,
    drills: Collection[UUID],
    travels: Mapping[UUID, Travel],
    left_ul: int,
    on: date,
    near_days: int,
) -> Standing:
    """Return where everything of a lot is, and in what state, on the day `on`."""
    active = [hold for hold in holds if hold.released_at is None]

    def state(location_id: UUID | None = None, vial: Vial | None = None) -> State:
        vial_id = vial.id if vial else None
        kinds = kinds_covering(active, location_id=location_id, vial_id=vial_id, drills=drills)
        use_by_on = vial.use_by_on if vial else None
        return state_of(
            expires_on=lot.expires_on,
            use_by_on=use_by_on,
            hold_kinds=kinds,
            is_for_im=Route.IM in lot.product.route_set,
            on=on,
            near_days=near_days,
        )

    return Standing(
        state=state(),
        shelves=[
            Shelf(location_id, place, held // lot.container_volume_ul, state(location_id))
            for kind, place, location_id, held in balances
            if kind == AccountKind.SHELF and location_id is not None
        ],
        vials=[
            _travelling(vial, travels[vial.id])
            if vial.id in travels
            else _open_vial(vial, held, place, state(vial.location_id, vial))
            for vial, held, place in vials
        ],
        totals=[
            (TOTALS[kind], _total(kind, held, lot))
            for kind, _, _, held in balances
            if kind in TOTALS and held
        ],
        left_ul=left_ul,
    )


def states_of(
    lots: Sequence[Lot],
    left_and_moved: Mapping[UUID, tuple[int, bool]],
    holds: Mapping[UUID, Sequence[Hold]],
    *,
    drills: Collection[UUID],
    on: date,
    near_days: int,
) -> dict[UUID, State]:
    """Return what each lot as a whole is in on the day `on`, by its id; what is held in part only is said so."""
    states = {}
    for lot in lots:
        left, moved = left_and_moved.get(lot.id, (0, False))
        state = state_of(
            expires_on=lot.expires_on,
            hold_kinds=kinds_covering(holds.get(lot.id, ()), location_id=None, vial_id=None, drills=drills),
            is_for_im=Route.IM in lot.product.route_set,
            on=on,
            near_days=near_days,
        )
        if left and state.usable and holds.get(lot.id):
            state = State(state.code, f"{state.words}; part of it on hold", "attention")
        states[lot.id] = shown_state(state, is_used_up=not left, never_was=not moved)
    return states


def _total(kind: AccountKind, held_ul: int, lot: Lot) -> str:
    if kind == AccountKind.SUPPLIER:
        return f"{count(-held_ul // lot.container_volume_ul, 'container')}, {ml(-held_ul)}"
    if kind == AccountKind.ADJUSTMENT:
        return f"{ml(abs(held_ul))} {'missing' if held_ul > 0 else 'found'}"
    return ml(held_ul)


def _travelling(vial: Vial, travel: Travel) -> OpenVial:
    return OpenVial(vial, travel.to_location, 0, f"{travel.words[:1].upper()}{travel.words[1:]}", "info")


def _open_vial(vial: Vial, held_ul: int, place: str, state: State) -> OpenVial:
    if vial.closure is not None:
        return OpenVial(vial, place, held_ul, CLOSURES[VialClosure(vial.closure)], "quiet")
    if not held_ul and state.usable:
        return OpenVial(vial, place, held_ul, "Empty: discard it", "attention")
    return OpenVial(vial, place, held_ul, state.words, state.tone, state.is_to_go)


def only_in_state(groups: Sequence[ShelfGroup], wanted: str | None) -> list[ShelfGroup]:
    """Return the groups with only those lots of which something is in the wanted state."""
    codes = STATE_FILTER.get(wanted or "")
    if codes is None:
        return list(groups)
    kept = [
        ShelfGroup(
            group.formulation, [lot for lot in group.lots if any(p.state.code in codes for p in lot.parts)]
        )
        for group in groups
    ]
    return [group for group in kept if group.lots]


def shelf_page(groups: Sequence[ShelfGroup], cursor: str, *, size: int = 50) -> Page[ShelfGroup]:
    """Return one page of the shelf: so many lots, under the formulations they belong to. Raises Refusal PAGE-CURSOR."""
    if cursor and not (cursor.isascii() and cursor.isdigit() and len(cursor) < 7):
        raise Refusal("PAGE-CURSOR", "This address of a page is damaged. Start from the first page.")
    first = int(cursor or 0)
    rows = [(group, lot) for group in groups for lot in group.lots]
    shown = [
        ShelfGroup(members[0][0].formulation, [lot for _, lot in members])
        for members in (
            list(found)
            for _, found in groupby(rows[first : first + size], key=lambda row: row[0].formulation.id)
        )
    ]
    following = str(first + size) if first + size < len(rows) else ""
    return Page(shown, previous=str(max(0, first - size)) if first else "", next=following)
