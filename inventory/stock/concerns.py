"""What rooms above stock have to say on the page of a lot that was corrected: they know who was given of it, stock does not."""

from collections.abc import Callable, Sequence
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
