"""Which lots of ours a recall names, now or under a former number, and which recalls name a lot that comes in."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session, contains_eager

from inventory.catalogue.models import Product
from inventory.catalogue.rules import gtin14, is_gtin, ndc10_in
from inventory.clinic.models import Counter, CounterKind
from inventory.stock.models import Hold, Lot, LotCorrection, Recall, RecallLine
from inventory.stock.notices import NamedLot, spellings_in, squeezed
from inventory.stock.rules import lot_number_key


@dataclass(frozen=True, slots=True)
class FoundLot:
    """A lot of ours that a notice names. `how` says why, where its number is not the one that was typed, or what to compare.

    `is_guess` where its number only stands somewhere in what was typed: it is offered, and meant only where somebody says so.
    """

    lot: Lot
    how: str = ""
    is_guess: bool = False


@dataclass(frozen=True, slots=True)
class Match:
    """One lot number of a notice, the lots of ours that it names (none: not ours yet), and its product where one is meant."""

    named: NamedLot
    lots: tuple[FoundLot, ...]
    product_id: UUID | None
    product_known: bool = True


def wait_for_recalls(session: Session) -> None:
    """Inside an act: let a recall that is being opened end first, and none begin before the act ends.

    Without it a delivery could add a lot in the moment in which a recall looks for it. Deliveries do not wait for each other.
    """
    session.execute(
        select(Counter.site_id)
        .where(Counter.kind == CounterKind.RECALL)
        .order_by(Counter.site_id)
        .with_for_update(read=True)
    ).all()


def shut_out_deliveries(session: Session) -> None:
    """Inside an act that adds lots to a recall: let deliveries under way end first, and none begin before the act ends."""
    session.execute(
        select(Counter.site_id)
        .where(Counter.kind == CounterKind.RECALL)
        .order_by(Counter.site_id)
        .with_for_update(key_share=True)
    ).all()


def lock_lots(session: Session, lot_ids: Collection[UUID]) -> None:
    """Inside an act: lock the lots, in the order of their ids: whoever draws from one waits, and then sees that it is held."""
    session.execute(
        select(Lot.id).where(Lot.id.in_(lot_ids)).order_by(Lot.id).with_for_update(key_share=True)
    ).all()


def next_position(session: Session, recall_id: UUID) -> int:
    """Return the place of the next line of a recall."""
    return (
        int(
            session.scalar(select(func.max(RecallLine.position)).where(RecallLine.recall_id == recall_id))
            or 0
        )
        + 1
    )


def matches_of(session: Session, named: Sequence[NamedLot]) -> list[Match]:
    """Return for each lot number the lots of ours that it names, now or before a correction, and those merged with them.

    For a number that names none, those whose number stands in it are offered as guesses.
    """
    products = _Products(session)
    numbers = _Numbers(session, {one.key for one in named})
    matches = [_match(one, numbers, products) for one in named]
    unknown = [match.named for match in matches if not match.lots]
    guesses = _guesses(session, unknown) if unknown else {}
    return [match if match.lots else replace(match, lots=guesses[match.named]) for match in matches]


def _match(named: NamedLot, numbers: "_Numbers", products: "_Products") -> Match:
    meant = products.meant_by(named.product)
    lots = [
        FoundLot(lot, ", ".join(words for words in (how, products.doubt(meant, lot.product_id)) if words))
        for lot, how in numbers.lots_of(named.key)
        if not products.is_another(meant, lot.product_id)
    ]
    product_id = next(iter(meant)) if meant and len(meant) == 1 else None
    return Match(named, tuple(lots), product_id, product_known=meant is None or bool(meant))


def _guesses(session: Session, unknown: Sequence[NamedLot]) -> dict[NamedLot, tuple[FoundLot, ...]]:
    """Return the lots of ours whose number, of today or before a correction, stands in what was typed. Two or three statements."""
    by_spelling: defaultdict[str, set[UUID]] = defaultdict(set)
    for columns in (
        select(Lot.id, Lot.lot_number_key),
        select(LotCorrection.lot_id, LotCorrection.lot_number_before),
    ):
        for lot_id, number in session.execute(columns):
            by_spelling[squeezed(number)].add(lot_id)
    meant = {
        named: {one for text in spellings_in(named.lot_number) for one in by_spelling.get(text, ())}
        for named in unknown
    }
    ids = {one for some in meant.values() for one in some}
    with_product = select(Lot).join(Lot.product).options(contains_eager(Lot.product))
    lots = session.scalars(with_product.where(Lot.id.in_(ids)).order_by(Lot.id)).all() if ids else []
    words = "did you mean this one? Compare number and product"
    return {
        named: tuple(FoundLot(lot, words, is_guess=True) for lot in lots if lot.id in some)
        for named, some in meant.items()
    }


class _Products:
    """The catalogue's products, each with the first version it descends from. One statement."""

    def __init__(self, session: Session) -> None:
        columns = (Product.id, Product.replaces_id, Product.name, Product.gtin, Product.ndc10)
        self._rows = session.execute(select(*columns).order_by(Product.version_number, Product.id)).all()
        self._before = {row.id: row.replaces_id for row in self._rows}
        self._coded = {row.id for row in self._rows if row.gtin or row.ndc10}

    def family(self, product_id: UUID) -> UUID:
        """The first version of a product."""
        while (before := self._before.get(product_id)) is not None:
            product_id = before
        return product_id

    def is_another(self, meant: set[UUID] | None, product_id: UUID) -> bool:
        """Tell whether a product is certainly none of those that are meant: they are known, and it has a code of its own."""
        return bool(meant) and self.family(product_id) not in (meant or ()) and product_id in self._coded

    def doubt(self, meant: set[UUID] | None, product_id: UUID) -> str:
        """Return what to compare where a product may be meant, but is not the one that is named; else nothing."""
        is_named = meant is None or self.family(product_id) in meant
        return "" if is_named else "the notice names another product: compare"

    def meant_by(self, text: str) -> set[UUID] | None:
        """The families that a GTIN or a name means; None where nothing was said."""
        if not text:
            return None
        gtin = gtin14(text) if is_gtin(text) else ""
        ndc10 = ndc10_in(gtin) if gtin else None
        return {
            self.family(row.id)
            for row in self._rows
            if row.name.casefold() == text.casefold()
            or (gtin and row.gtin == gtin)
            or (ndc10 and (row.ndc10 or "").replace("-", "") == ndc10)
        }


class _Numbers:
    """The lots that some numbers name: as they stand, as they were before, and those merged with them. Two statements or three."""

    def __init__(self, session: Session, keys: Collection[str]) -> None:
        self._before: defaultdict[str, list[LotCorrection]] = defaultdict(list)
        self._merged: defaultdict[UUID, set[UUID]] = defaultdict(set)
        # Corrections are few, and what a number was before stands in them as it was typed.
        for correction in session.scalars(select(LotCorrection).order_by(LotCorrection.corrected_at)):
            self._learn(correction)
        former = {c.lot_id for key in keys for c in self._before[key]}
        with_product = select(Lot).join(Lot.product).options(contains_eager(Lot.product))
        found = session.scalars(
            with_product.where(or_(Lot.lot_number_key.in_(keys), Lot.id.in_(former | self._merged.keys())))
        )
        self._lots = {lot.id: lot for lot in found}

    def _learn(self, correction: LotCorrection) -> None:
        if correction.merged_into_id is not None:
            self._merged[correction.lot_id].add(correction.merged_into_id)
            self._merged[correction.merged_into_id].add(correction.lot_id)
        elif (key := lot_number_key(correction.lot_number_before)) != correction.lot_number_key:
            self._before[key].append(correction)

    def lots_of(self, key: str) -> list[tuple[Lot, str]]:
        """The lots of a number, each once, with the words for why where the number is not theirs today."""
        found = {lot.id: "" for lot in self._lots.values() if lot.lot_number_key == key}
        for correction in self._before[key]:
            found.setdefault(
                correction.lot_id, f"recorded as {correction.lot_number_before} before it was corrected"
            )
        waiting = list(found)
        while waiting:
            one = waiting.pop()
            for other in self._merged.get(one, set()) - found.keys():
                found[other] = f"merged with lot {self._lots[one].lot_number}"
                waiting.append(other)
        return [(self._lots[lot_id], how) for lot_id, how in found.items()]


def recalls_awaiting(session: Session, lot: Lot) -> list[Recall]:
    """Return the open recalls that name the number of `lot` and not certainly another product, and do not know the lot yet.

    They are locked, inside an act: another delivery that joins one waits, so that its line comes after this one's.
    """
    rows = session.execute(
        select(Recall, RecallLine.product_id, RecallLine.lot_id, RecallLine.lot_number_key)
        .join(RecallLine, RecallLine.recall_id == Recall.id)
        .where(
            Recall.closed_at.is_(None),
            or_(RecallLine.lot_number_key == lot.lot_number_key, RecallLine.lot_id == lot.id),
        )
        .order_by(Recall.opened_at, Recall.id, RecallLine.position)
        .with_for_update(of=Recall, key_share=True)
    ).all()
    if not rows:
        return []
    products = _Products(session)
    known = {row.Recall.id for row in rows if row.lot_id == lot.id}
    meant = {
        row.Recall.id: row.Recall
        for row in rows
        if row.product_id is None
        or not products.is_another({products.family(row.product_id)}, lot.product_id)
    }
    return [recall for recall_id, recall in meant.items() if recall_id not in known]


def recalls_in_part(
    session: Session, lot_ids: Collection[UUID], *, went_over: tuple[UUID, UUID] | None = None
) -> list[tuple[Recall, set[UUID]]]:
    """Return the open recalls that name some of the lots and not all, with those they lack; locked, inside an act.

    Where the first of `went_over` is held and the second, in which its stock lies now, was released, that is lacking too.
    """
    rows = session.execute(
        select(Recall, Hold.lot_id, Hold.released_at)
        .join(RecallLine, RecallLine.recall_id == Recall.id)
        .join(Hold, Hold.id == RecallLine.hold_id)
        .where(Recall.closed_at.is_(None), Hold.lot_id.in_(lot_ids))
        .order_by(Recall.opened_at, Recall.id)
        .with_for_update(of=Recall, key_share=True)
    ).all()
    lacking: dict[Recall, set[UUID]] = {recall: set(lot_ids) for recall, _, _ in rows}
    held: dict[Recall, set[UUID]] = {recall: set() for recall in lacking}
    for recall, lot_id, released_at in rows:
        lacking[recall].discard(lot_id)
        held[recall] |= {lot_id} if released_at is None else set()
    for recall, standing in held.items():
        if went_over and went_over[0] in standing and went_over[1] not in standing:
            lacking[recall].add(went_over[1])
    return [(recall, absent) for recall, absent in lacking.items() if absent]
