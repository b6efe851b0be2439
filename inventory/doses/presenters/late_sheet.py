"""The sheet in words: from which container a dose may have come, and what was recorded."""

from collections.abc import Iterator, Mapping, Sequence
from uuid import UUID

from inventory.doses.presenters.giving import used_up
from inventory.doses.queries.late_sheet import Sheet
from inventory.doses.queries.offer import key_of
from inventory.stock.queries import Drawable
from inventory.web.presenting import count, day


def offered_containers(sheet: Sheet, formulation_id: str) -> Iterator[tuple[str, str]]:
    """Give the containers of a formulation as key and words; of all, where the row is of nobody on the list."""
    for one in sheet.containers:
        if formulation_id in {"", str(one.product.formulation_id)}:
            yield key_of(one), _words(one, sheet.kept_for)
    for vial in used_up(sheet.used_up):
        if formulation_id in {"", vial.formulation_id}:
            yield vial.key, f"{vial.name} ({vial.left}, {vial.state})"


def _words(one: Drawable, kept_for: Mapping[UUID, str]) -> str:
    what = (
        f"Vial {one.vial.label_number}, lot {one.lot.lot_number}" if one.vial else f"Lot {one.lot.lot_number}"
    )
    owner = kept_for.get(one.vial.id) if one.vial else None
    kept = f", kept for {owner}" if owner else ""
    return f"{what}: {one.product.name}, {one.lot.strength}, {one.location.name}, to {day(one.last_usable_on)}{kept}"


def recorded_words(made: Sequence[tuple[int, bool, bool]]) -> str:
    """Return what became of the rows: how many were recorded, before already, and against what spoke against them."""
    if not made:
        return "Nothing was typed, so nothing is recorded."
    before = sum(repeated for _, repeated, _ in made)
    deviations = sum(deviates for _, repeated, deviates in made if not repeated)
    said = [f"{count(len(made) - before, 'dose')} recorded."] if len(made) > before else []
    if before:
        said.append(f"{count(before, 'dose')} recorded already; nothing was written twice.")
    if deviations:
        said.append(f"{count(deviations, 'deviation')}: see Incidents.")
    return " ".join(said)
