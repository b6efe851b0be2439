"""A lot's correction in words, the same on its own page, on a dose's and in a report."""

from uuid import UUID

from inventory.stock.queries.corrections import Corrected
from inventory.web.presenting import day


def correction_words(said: Corrected) -> str:
    """Return what was corrected: `number TYP0 to TYPO, expiry 31 Aug 2027 to 30 Sep 2027`, or which lot it was merged into."""
    if said.merged_into_id is not None:
        return f"lot {said.lot_number_before} was merged into lot {said.lot_number}, expiry {day(said.expires_on)}"
    changes = [
        f"number {said.lot_number_before} to {said.lot_number}" if said.changes_number else "",
        f"expiry {day(said.expires_on_before)} to {day(said.expires_on)}" if said.changes_expiry else "",
    ]
    told = ", ".join(filter(None, changes))
    return f"lot {said.lot_number_before} was corrected: {told or 'how its expiry is printed'}"


def correction_title(said: Corrected, lot_id: UUID) -> str:
    """Return the correction as an event in the life of a lot: its own, or that of another lot that came over."""
    if said.merged_into_id == lot_id:
        return f"Lot {said.lot_number_before} was merged into this one"
    words = correction_words(said)
    return words[0].upper() + words[1:]


def correction_details(said: Corrected) -> tuple[str, ...]:
    """Return the reason, and who approved it where that was somebody else."""
    approved = f"Approved by {said.approved_by}" if said.approved_by != said.by else ""
    return tuple(filter(None, (said.reason, approved)))


def correction_sentence(said: Corrected) -> str:
    """Return the correction with its reason, the persons and the day, as a remark beside a dose."""
    approved = f", approved by {said.approved_by}" if said.approved_by != said.by else ""
    reason = said.reason if said.reason.endswith((".", "!", "?")) else f"{said.reason}."
    words = correction_words(said)
    return f"{words[0].upper() + words[1:]}. Reason: {reason} {said.by}{approved}"
