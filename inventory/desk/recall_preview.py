"""A recall before it is opened: which lots of ours each number names, in words, to be ticked."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from inventory.catalogue.models import Product
from inventory.desk.recall_forms import LotsForm
from inventory.kernel.errors import Refusal
from inventory.stock.notices import MOST_CHARACTERS, NamedLot, read_notice
from inventory.stock.queries import named_lots, recalls
from inventory.stock.queries.named_lots import FoundLot, Match
from inventory.stock.queries.recalls import Standing
from inventory.stock.services.recalls import Chosen
from inventory.stock.text_files import NotTextError, text_of
from inventory.web.presenting import count, day, ml
from inventory.web.typed_text import without_unseen


@dataclass(frozen=True, slots=True)
class Number:
    """One number of the notice: the lots of ours it names, or what happens to it where there is none."""

    typed: str
    lot_ids: tuple[str, ...]
    words: str


@dataclass(frozen=True, slots=True)
class Preview:
    """What a notice names, number by number. `is_confirmed` where it is what the person has seen and sent off.

    `has_changed` where they sent off something else than this: what it names has changed since they saw it.
    """

    named: Sequence[NamedLot]
    numbers: Sequence[Number]
    chosen: Chosen
    is_confirmed: bool
    has_changed: bool


def preview_of(session: Session, form: LotsForm, *, confirms: bool) -> Preview:
    """Read the notice of a form and offer its lots, ticked where they are shown for the first time, but for guesses.

    Raises Refusal RECALL-NO-LOTS, RECALL-TOO-MANY, LOT-NUMBER-INVALID, TEXT-TOO-LONG, FILE-NOT-TEXT.
    """
    named = read_notice(_text_of(form), product_names=session.scalars(select(Product.name)))
    matches = named_lots.matches_of(session, named)
    every = [one for match in matches for one in match.lots]
    # A lot that one number names, and another only seems to, is named.
    lots = {one.lot.id: one for one in sorted(every, key=lambda one: not one.is_guess)}
    sure = {str(one.lot.id) for one in every if not one.is_guess}
    shown = ",".join(sorted(map(str, lots)))
    is_confirmed = confirms and form.shown.data == shown
    before = set(str(form.shown.data or "").split(","))
    form.chosen.offer(_offered(lots.values(), recalls.standing_stock(session, lots)))
    ticked = {one for one in form.chosen.data or [] if one in form.chosen.offered}
    form.chosen.data = sorted(ticked | (sure - before))
    form.shown.data = shown
    meant = frozenset(UUID(one) for one in form.chosen.data)
    return Preview(
        named,
        [_number(match) for match in matches],
        Chosen(frozenset(lots), meant),
        is_confirmed=is_confirmed,
        has_changed=confirms and not is_confirmed,
    )


def _text_of(form: LotsForm) -> str:
    """Return what was typed and what was uploaded, which is then typed text too: it is sent again with the next page."""
    if form.file.data:
        uploaded = without_unseen(_uploaded(form.file.data).replace("\r", "\n"), lines=True).strip()
        form.lots.data = "\n".join(part for part in (str(form.lots.data or ""), uploaded) if part)
    text = str(form.lots.data or "")
    if len(text) > MOST_CHARACTERS:
        said = f"At most {MOST_CHARACTERS:,} characters; this has {len(text):,}."
        raise Refusal("TEXT-TOO-LONG", said, "lots")
    return text


def _uploaded(raw: bytes) -> str:
    try:
        return text_of(raw)
    except NotTextError:
        said = "This is no text file, or a damaged one. Save the list of lot numbers as text or CSV."
        raise Refusal("FILE-NOT-TEXT", said, "file") from None


def _offered(lots: Iterable[FoundLot], standing: Sequence[Standing]) -> list[tuple[str, str]]:
    return [
        (str(one.lot.id), _lot_words(one, [s for s in standing if s.lot_id == one.lot.id])) for one in lots
    ]


def _lot_words(one: FoundLot, standing: Sequence[Standing]) -> str:
    lot = one.lot
    maker = f" ({lot.product.maker})" if lot.product.maker else ""
    how = f", {one.how}" if one.how else ""
    return f"Lot {lot.lot_number}{how}: {lot.product.name}{maker}, expires {day(lot.expires_on)}; {stock_words(standing)}"


def stock_words(standing: Sequence[Standing]) -> str:
    """Return what is left of some lots, in one line."""
    sealed = sum(one.containers for one in standing)
    vials = [one for one in standing if one.vial_id is not None]
    said = [count(sealed, "sealed container")] if sealed else []
    said += (
        [f"{count(len(vials), 'open vial')} with {ml(sum(one.volume_ul for one in vials))}"] if vials else []
    )
    return " and ".join(said) or "nothing of it is left"


def _number(match: Match) -> Number:
    product = f" ({match.named.product})" if match.named.product else ""
    ids = tuple(str(one.lot.id) for one in match.lots)
    words = "" if any(not one.is_guess for one in match.lots) else _not_ours(match)
    return Number(f"{match.named.lot_number}{product}", ids, words)


def _not_ours(match: Match) -> str:
    """Say of a number that none of ours has what becomes of it, so that whoever mistyped it sees it."""
    guess = " Tick the lot below if it is the one." if match.lots else ""
    unknown = "" if match.product_known else " The product is not in the catalogue."
    said = "No lot of ours has this number. It is remembered: a delivery is put on hold only if its number reads exactly so."
    return f"{said}{guess}{unknown}"
