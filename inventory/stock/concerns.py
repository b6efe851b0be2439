"""What rooms above stock have to say on the pages of lots and vials: they know what was given for what, stock does not."""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Concern:
    """Something to look at: a title, what it means, and a line for each thing, with its address where the reader may go there."""

    title: str
    words: str
    lines: Sequence[tuple[str, str]] = ()


CONCERNS: list[Callable[[UUID], Concern | None]] = []
"""Asked with the id of a lot that was corrected, or into which another was merged."""


def concerns_about(lot_id: UUID) -> list[Concern]:
    """Return what there is to say of a lot that was corrected."""
    return [concern for ask in CONCERNS if (concern := ask(lot_id)) is not None]


Link = tuple[str, str]
GIVEN: list[Callable[[Collection[int]], Mapping[int, Sequence[Link]]]] = []
"""Asked with the ids of movements; each answers with words and an address for those it knows, where the reader may go there."""


def given_for(movement_ids: Collection[int]) -> dict[int, list[Link]]:
    """Return by movement what it was posted for, as links."""
    found: defaultdict[int, list[Link]] = defaultdict(list)
    for ask in GIVEN:
        for movement_id, links in ask(movement_ids).items():
            found[movement_id] += links
    return found
